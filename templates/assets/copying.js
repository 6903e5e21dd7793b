// Copying and saving what a page has made.
(() => {
  "use strict";
  const { gallery } = window;
  const { dom } = gallery;

  /** @type {Gallery["copy"]} */
  function copy(text, done) {
    const bySelection = () => copyBySelection(text, done);
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, bySelection);
    else bySelection();
  }

  /**
   * Pages that are not served securely have no clipboard of their own.
   * @param {string} text
   * @param {() => void} done
   */
  function copyBySelection(text, done) {
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    const area = dom.make("textarea", { value: text, className: "unseen" });
    document.body.append(area);
    area.select();
    if (document.execCommand("copy")) done();
    area.remove();
    focused?.focus();
  }

  /** @type {Gallery["copyBy"]} */
  function copyBy(button, text) {
    if (button.classList.contains("is-done")) return;
    copy(text, () => {
      const label = button.textContent;
      const status = /** @type {HTMLElement} */ (document.querySelector("[data-copied]"));
      button.classList.add("is-done");
      button.textContent = "copied";
      status.textContent = "Copied.";
      setTimeout(() => {
        button.classList.remove("is-done");
        button.textContent = label;
        status.textContent = "";
      }, 1500);
    });
  }

  /** @type {Gallery["save"]} */
  function save(name, type, text) {
    const anchor = dom.make("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
  }

  Object.assign(gallery, { copy, copyBy, save });
})();
