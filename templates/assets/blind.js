// The blind test: X is A or B by chance, anew in every round. What could tell is hidden until the end.
(() => {
  "use strict";
  const { gallery } = window;
  const { dom, player } = gallery;
  const page = /** @type {HTMLElement} */ (document.querySelector("[data-comparing]"));
  const part = dom.part(page);
  const leaving = /** @type {HTMLDialogElement} */ (part("leaving"));
  let rounds = 8;
  /** @type {{ x: Side, said: Side }[]} */
  let answers = [];
  /** @type {Side} */
  let hidden = "a";
  let isListening = false;
  /** @type {Set<string>} */
  const heard = new Set(); // A and B since the test began, X in this round

  /**
   * How likely at least `right` of `all` are by tossing a coin: the sum of binomials over two to the nth.
   * @param {number} right
   * @param {number} all
   */
  function byChance(right, all) {
    let sum = 0;
    let ways = 1;
    for (let hits = 0; hits <= all; hits++) {
      if (hits >= right) sum += ways;
      ways = (ways * (all - hits)) / (hits + 1);
    }
    return sum / 2 ** all;
  }

  /**
   * 0.1445 as 14 %, 0.0039 as 0.4 %.
   * @param {number} share
   */
  function percent(share) {
    const hundred = share * 100;
    const shown = hundred >= 1 ? Math.round(hundred) : hundred >= 0.1 ? hundred.toFixed(1) : "less than 0.1";
    return `${shown}\u00a0%`;
  }

  /**
   * @param {number} right
   * @param {number} all
   */
  function verdict(right, all) {
    const chance = byChance(right, all);
    const meaning =
      chance <= 0.05
        ? "You hear a difference."
        : chance <= 0.2
          ? "That may be an ear, or luck; more rounds would tell."
          : "That is no sign of a difference you can hear.";
    return `${right} of ${all}: chance alone does this ${percent(chance)} of the time. ${meaning}`;
  }

  /** @param {Side | "x"} letter */
  function listen(letter) {
    const { pair, hear } = gallery.comparison;
    isListening = true;
    player.veil(`Blind test: ${letter.toUpperCase()}`, Math.min(pair.a.length, pair.b.length));
    hear(letter === "x" ? hidden : letter);
    heard.add(letter);
    press(letter);
    drawGuess();
  }

  /**
   * Shows which of the three is heard.
   * @param {string} letter
   */
  function press(letter) {
    for (const button of dom.all(page, "listen")) {
      button.setAttribute("aria-pressed", String(button.dataset.listen === letter));
    }
  }

  // Who has not heard all three can only toss a coin.
  function drawGuess() {
    const missing = ["a", "b", "x"]
      .filter((letter) => !heard.has(letter))
      .map((letter) => letter.toUpperCase());
    for (const button of dom.all(page, "guess")) button.toggleAttribute("disabled", missing.length > 0);
    const all = missing.join(", ").replace(/, (?=\w$)/, " and ");
    part("first").textContent = all && `First hear ${all}.`;
  }

  function nextRound() {
    hidden = Math.random() < 0.5 ? "a" : "b";
    part("round").textContent = `Round ${answers.length + 1} of ${rounds}. Is X A, or is it B?`;
    // Whoever was listening to X now hears the new one.
    heard.delete("x");
    if (isListening) listen("x");
    drawGuess();
  }

  /** @param {Side} letter */
  function guess(letter) {
    if (heard.size < 3) return;
    answers.push({ x: hidden, said: letter });
    if (answers.length < rounds) nextRound();
    else finish();
  }

  function finish() {
    const right = answers.filter(({ x, said }) => x === said).length;
    quiet();
    part("trial").hidden = true;
    part("again").hidden = false;
    part("replay").hidden = false;
    part("again-verdict").textContent = part("verdict").textContent;
    part("round").textContent = verdict(right, rounds);
    part("answers").hidden = false;
    const items = answers.map(({ x, said }) =>
      dom.make("li", {
        className: x === said ? "right" : "wrong",
        textContent: `X was ${x.toUpperCase()}, you said ${said.toUpperCase()}`,
      }),
    );
    part("answers").replaceChildren(...items);
    part("again").focus();
  }

  function quiet() {
    if (!player.paused()) player.toggle();
    player.veil("", 0);
    isListening = false;
  }

  function begin() {
    /** @type {HTMLSelectElement} */
    const chosen = part("rounds");
    rounds = Number(chosen.value);
    answers = [];
    heard.clear();
    quiet();
    part("pair").hidden = true;
    part("heading").hidden = true;
    part("blind").hidden = false;
    part("trial").hidden = false;
    part("answers").hidden = true;
    part("again").hidden = true;
    part("replay").hidden = true;
    press("");
    dom.within(part("blind"))("h2").focus();
    nextRound();
  }

  /** Whether answers would be lost. */
  function isHalfWay() {
    return !part("blind").hidden && !part("trial").hidden && answers.length > 0;
  }

  function askToLeave() {
    if (!isHalfWay()) return leave();
    const given = answers.length === 1 ? "Your answer is" : `Your ${answers.length} answers are`;
    part("lost").textContent = `${given} lost then.`;
    leaving.returnValue = "stay";
    leaving.showModal();
  }

  function leave() {
    quiet();
    answers = [];
    part("blind").hidden = true;
    part("pair").hidden = false;
    part("heading").hidden = false;
    part("begin").focus();
  }

  page.addEventListener("click", (event) => {
    const on = dom.around(event);
    const wanted = /** @type {Side | "x" | undefined} */ (on("listen")?.dataset.listen);
    const guessed = /** @type {Side | undefined} */ (on("guess")?.dataset.guess);
    if (on("begin") || on("again")) begin();
    else if (on("leave")) askToLeave();
    else if (wanted) listen(wanted);
    else if (guessed) guess(guessed);
  });

  leaving.addEventListener("close", () => {
    if (leaving.returnValue === "leave") leave();
  });
  // To another page, too.
  window.addEventListener("beforeunload", (event) => {
    if (isHalfWay()) event.preventDefault();
  });

  document.addEventListener("keydown", (event) => {
    if (gallery.keysAreOff(event) || part("blind").hidden || part("trial").hidden || leaving.open) return;
    const { key } = event;
    if (key === "1") guess("a");
    else if (key === "2") guess("b");
    else if (key === "a" || key === "b" || key === "x") listen(key);
    else return;
    event.preventDefault();
  });
})();
