// Completions below a field: a list that arrows and Enter choose from, as ARIA's pattern of a combobox has it.
// Loaded with the index, when the search is used first.
(() => {
  "use strict";
  const { gallery } = window;
  const { dom } = gallery;
  const MOST = 6;

  /** @type {Gallery["suggest"]} */
  function suggest(field, complete) {
    const list = dom.make("ul", { className: "completions", id: "completions", hidden: true });
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Completions");
    field.after(list);
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", list.id);
    let place = -1; // of the completion that is pointed at

    /** @param {string[]} texts */
    function draw(texts) {
      const options = texts.map((textContent, number) => {
        const option = dom.make("li", { textContent, id: `completion-${number}` });
        option.setAttribute("role", "option");
        return option;
      });
      list.replaceChildren(...options);
      list.hidden = !texts.length;
      field.setAttribute("aria-expanded", String(Boolean(texts.length)));
      point(-1);
    }

    /** @param {number} number */
    function point(number) {
      place = number;
      [...list.children].forEach((option, each) => {
        option.setAttribute("aria-selected", String(each === place));
      });
      if (place < 0) field.removeAttribute("aria-activedescendant");
      else field.setAttribute("aria-activedescendant", `completion-${place}`);
    }

    /** @param {Element} option */
    function choose(option) {
      const text = option.textContent ?? "";
      // After a name, its value is still to come.
      field.value = text.endsWith(":") ? text : `${text} `;
      draw([]);
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.focus();
    }

    field.addEventListener("input", () => {
      const isAtEnd = field.selectionEnd === field.value.length;
      draw(isAtEnd && document.activeElement === field ? complete(field.value, MOST) : []);
    });
    field.addEventListener("blur", () => draw([]));
    field.addEventListener("keydown", (event) => {
      const amount = list.children.length;
      if (list.hidden || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      // Round and round, over none of them.
      if (by) point(((place + 1 + by + amount + 1) % (amount + 1)) - 1);
      else if (event.key === "Escape") draw([]);
      else if (event.key === "Enter" && place >= 0) choose(list.children[place]);
      else return;
      event.preventDefault();
    });
    // Before the field loses its focus, by which the list goes.
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const option = /** @type {Element} */ (event.target).closest("[role=option]");
      if (option) choose(option);
    });
    draw([]);
  }

  gallery.suggest = suggest;
})();
