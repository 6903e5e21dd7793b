// The blind test of the two clips that are side by side: X anew in every round.
window.gallery.mount("[data-comparing]", (page, signal) => {
  "use strict";
  const { gallery } = window;
  const { dom } = gallery;
  const part = dom.part(page);
  /** @type {HTMLDialogElement} */
  const leaving = part("leaving");
  const trial = gallery.makeTrial(part("blind"), answered, signal);
  let rounds = 8;
  /** @type {Answer[]} */
  let answers = [];

  function next() {
    part("round").textContent = `Round ${answers.length + 1} of ${rounds}. Is X A, or is it B?`;
    trial.begin(gallery.comparison.pair);
  }

  /** @param {Answer} answer */
  function answered(answer) {
    answers.push(answer);
    if (answers.length < rounds) next();
    else finish();
  }

  function finish() {
    const right = answers.filter(({ x, said }) => x === said).length;
    // A and B can be heard once more, now that it is told which is which.
    trial.reveal(true);
    part("again").hidden = false;
    part("round").textContent = gallery.odds.verdict(right, rounds);
    part("answers").hidden = false;
    const items = answers.map(({ x, said }) =>
      dom.make("li", {
        className: x === said ? "right" : "wrong",
        textContent: `X was ${x.toUpperCase()}, you said ${said.toUpperCase()}`,
      }),
    );
    part("answers").replaceChildren(...items);
    answers = [];
    part("again").focus();
  }

  function begin() {
    /** @type {HTMLSelectElement} */
    const chosen = part("rounds");
    rounds = Number(chosen.value);
    answers = [];
    trial.end();
    part("pair").hidden = true;
    part("heading").hidden = true;
    part("blind").hidden = false;
    part("answers").hidden = true;
    part("again").hidden = true;
    dom.within(part("blind"))("h2").focus();
    next();
  }

  function leave() {
    answers = [];
    trial.end();
    part("blind").hidden = true;
    part("pair").hidden = false;
    part("heading").hidden = false;
    part("begin").focus();
  }

  page.addEventListener("click", (event) => {
    const on = dom.around(event);
    if (on("begin") || on("again")) begin();
    else if (on("leave") && answers.length) leaving.showModal();
    else if (on("leave")) leave();
  });
  leaving.addEventListener("close", () => {
    if (leaving.returnValue === "leave") leave();
    leaving.returnValue = "";
  });
  // The browser asks; where it cannot, when going back, the page does.
  /** @param {Event} event */
  function ask(event) {
    if (!answers.length) return;
    event.preventDefault();
    if (/** @type {CustomEvent} */ (event).detail === "pop") leaving.showModal();
  }
  window.addEventListener("beforeunload", ask, { signal });
  document.addEventListener("page:leave", ask, { signal });
});
