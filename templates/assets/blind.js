// One round of a listening test (ABX): A and B are two clips, X is one of them by chance. What could tell is
// hidden until the answer, and an answer takes that all three were heard. And what answers are worth.
(() => {
  "use strict";
  const { gallery } = window;
  const { dom, player } = gallery;
  /** @type {Letter[]} */
  const LETTERS = ["a", "b", "x"];
  /** @type {Side[]} */
  const SIDES = ["a", "b"];
  const HEARD = 200; // milliseconds that a clip sounds before it was heard
  const LOOKS = 50; // milliseconds between two looks at it

  // ---- what answers are worth

  /** @type {Odds["byChance"]} */
  function byChance(right, all) {
    let sum = 0;
    let ways = 1;
    for (let hits = 0; hits <= all; hits++) {
      if (hits >= right) sum += ways;
      ways = (ways * (all - hits)) / (hits + 1);
    }
    return sum / 2 ** all;
  }

  /** @type {Odds["percent"]} */
  function percent(share) {
    const hundred = share * 100;
    const shown = hundred >= 1 ? Math.round(hundred) : hundred >= 0.1 ? hundred.toFixed(1) : "less than 0.1";
    return `${shown}\u00a0%`;
  }

  /** @type {Odds["verdict"]} */
  function verdict(right, all) {
    const chance = byChance(right, all);
    const meaning =
      chance <= 0.05
        ? "You hear a difference."
        : chance <= 0.2
          ? "That may be your ears, or luck; more rounds would tell."
          : "That is no sign of a difference that you can hear.";
    return `${right} of ${all}: chance alone does this ${percent(chance)} of the time. ${meaning}`;
  }

  gallery.odds = { byChance, percent, verdict };

  // ---- a round

  /** @type {Gallery["makeTrial"]} */
  gallery.makeTrial = (section, answered, signal) => {
    const part = dom.part(section);
    /** @type {Pair | null} */
    let pair = null;
    /** @type {Side} */
    let hidden = "a"; // what X is
    let isOpen = false; // whether an answer is awaited
    /** @type {Letter | ""} */
    let sounding = "";
    /** @type {Set<Letter>} */
    const heard = new Set();
    /** @type {ReturnType<typeof setInterval> | undefined} */
    let looking;

    /** @param {Letter} letter */
    function listen(letter) {
      if (!pair) return;
      const list = [pair.a, pair.b].map((clip, place) => ({ ...clip, label: SIDES[place].toUpperCase() }));
      const side = letter === "x" ? hidden : letter;
      sounding = letter;
      if (isOpen) {
        player.veil(`Blind test: ${letter.toUpperCase()}`, Math.min(pair.a.length, pair.b.length));
        look(letter);
      }
      player.playClip(list[SIDES.indexOf(side)], { together: true, stays: true }, list);
      press();
    }

    /**
     * What is loading, or cannot be loaded, is not heard.
     * @param {Letter} letter
     */
    function look(letter) {
      let sounded = 0;
      clearInterval(looking);
      looking = setInterval(() => {
        if (player.sounds()) sounded += LOOKS;
        if (sounded < HEARD) return;
        clearInterval(looking);
        heard.add(letter);
        tellLeft();
      }, LOOKS);
    }

    // Shows which of the three is heard.
    function press() {
      for (const button of dom.all(section, "listen")) {
        button.setAttribute("aria-pressed", String(button.dataset.listen === sounding));
      }
    }

    function tellLeft() {
      const left = LETTERS.filter((letter) => !heard.has(letter)).map((letter) => letter.toUpperCase());
      const names =
        left.length > 1 ? `${left.slice(0, -1).join(", ")} and ${left[left.length - 1]}` : left[0];
      const told = left.length ? `Listen to ${names} before you answer.` : "";
      if (part("left").textContent !== told) part("left").textContent = told;
      for (const button of dom.all(section, "guess")) {
        button.setAttribute("aria-disabled", String(left.length > 0));
      }
      for (const button of dom.all(section, "listen")) {
        button.classList.toggle("is-heard", heard.has(/** @type {Letter} */ (button.dataset.listen)));
      }
    }

    /** @param {boolean} isTold - whether it may be said what A and B are */
    function tell(isTold) {
      part("guesses").hidden = isTold;
      part("left").hidden = isTold;
      part("told").hidden = !isTold;
      dom.within(section)('[data-listen="x"]').hidden = isTold;
      for (const side of SIDES)
        part(`told-${side}`).replaceChildren(...(isTold && pair ? words(pair, side) : []));
    }

    /**
     * What a side is where it differs from the other.
     * @param {Pair} two
     * @param {Side} side
     */
    function words(two, side) {
      const { differences } = gallery;
      const found = differences.between(two.a, two.b);
      const values = found
        .filter(([name]) => name !== "wording")
        .map(([name, a, b]) => `${name} ${(side === "a" ? a : b) || "not used"}`);
      const steps = differences.wording(two.a.text, two.b.text);
      if (values.length === found.length || !differences.alike(steps)) {
        return [[...values, ...(values.length === found.length ? [] : [two[side].text])].join(", ")];
      }
      const own = steps.filter(([kind]) => kind !== (side === "a" ? "+" : "-"));
      return own.map(([kind, textContent]) =>
        kind === "=" ? textContent : dom.make("mark", { textContent }),
      );
    }

    /** @param {Side} side */
    function guess(side) {
      if (!isOpen) return;
      if (heard.size < LETTERS.length) player.say(part("left").textContent);
      else answered({ x: hidden, said: side });
    }

    section.addEventListener("click", (event) => {
      const on = dom.around(event);
      const asked = /** @type {Letter | undefined} */ (on("listen")?.dataset.listen);
      const guessed = /** @type {Side | undefined} */ (on("guess")?.dataset.guess);
      if (asked) listen(asked);
      else if (guessed) guess(guessed);
    });

    /** @param {KeyboardEvent} event */
    function answerByKey(event) {
      if (gallery.keysAreOff(event) || section.hidden || part("trial").hidden) return;
      if (document.querySelector("dialog[open]")) return;
      const { key } = event;
      if (key === "1") guess("a");
      else if (key === "2") guess("b");
      else if (key === "a" || key === "b" || (key === "x" && isOpen)) listen(key);
      else return;
      event.preventDefault();
    }
    document.addEventListener("keydown", answerByKey, { signal });
    // Whoever leaves the page leaves the round; what is heard goes on, and is told.
    signal?.addEventListener("abort", () => unveil(false));

    /** @param {boolean} isPaused */
    function unveil(isPaused) {
      clearInterval(looking);
      isOpen = false;
      if (isPaused && !player.paused()) player.toggle();
      if (isPaused) sounding = "";
      else if (sounding === "x") sounding = hidden;
      player.veil("", 0);
      press();
    }

    return {
      begin: (next) => {
        const isSame = pair?.a.key === next.a.key && pair.b.key === next.b.key;
        if (isSame) heard.delete("x");
        else {
          if (pair) unveil(true);
          heard.clear();
          player.pair([next.a, next.b]);
        }
        pair = next;
        hidden = Math.random() < 0.5 ? "a" : "b";
        isOpen = true;
        part("trial").hidden = false;
        tell(false);
        tellLeft();
        // Whoever was listening to X now hears the new one.
        if (isSame && sounding) listen("x");
        else press();
      },
      reveal: (isPaused) => {
        unveil(isPaused);
        tell(true);
      },
      end: () => {
        unveil(true);
        part("trial").hidden = true;
        pair = null;
      },
    };
  };
})();
