// The prompt is the player: words that come and go between its takes are buttons in its text. Pressed, the
// sound goes on with the take that has them, from the same second.
(() => {
  "use strict";
  const { gallery } = window;
  const { clips, dom, player } = gallery;
  const MOST_CHOICES = 12; // more would bury the prompt

  /**
   * A part of the prompt: where `texts` has one text for all takes it stays, else each has its own.
   * @type {Gallery["weave"]}
   */
  function weave(ways) {
    const before = ways.map((steps) => textOf(steps, "-"))[0] ?? "";
    const changes = ways.map(changesOf);
    /** @type {{ at: number, end: number }[]} */
    const places = [];
    for (const { at, end } of changes.flat().sort((one, other) => one.at - other.at || one.end - other.end)) {
      const last = places[places.length - 1];
      // What touches is one place: words there may come for each other.
      if (last && at <= last.end) last.end = Math.max(last.end, end);
      else places.push({ at, end });
    }
    /** @type {string[][]} */
    const woven = [];
    let told = 0;
    for (const { at, end } of places) {
      if (at > told) woven.push([before.slice(told, at)]);
      woven.push(changes.map((own) => within(before, at, end, own)));
      told = end;
    }
    if (told < before.length) woven.push([before.slice(told)]);
    return woven;
  }

  /**
   * One of two wordings, out of the steps between them.
   * @param {Step[]} steps
   * @param {"-" | "+"} own
   */
  function textOf(steps, own) {
    return steps.map(([kind, text]) => (kind === "=" || kind === own ? text : "")).join("");
  }

  /**
   * What changes, by its place in the text before.
   * @param {Step[]} steps
   */
  function changesOf(steps) {
    /** @type {{ at: number, end: number, text: string }[]} */
    const found = [];
    let at = 0;
    let isChange = false;
    for (const [kind, text] of steps) {
      if (kind !== "=" && !isChange) found.push({ at, end: at, text: "" });
      isChange = kind !== "=";
      if (kind !== "+") at += text.length;
      const last = found[found.length - 1];
      if (kind === "-") last.end = at;
      if (kind === "+") last.text += text;
    }
    return found;
  }

  /**
   * What stands in a part of the text after these changes.
   * @param {string} before
   * @param {number} at
   * @param {number} end
   * @param {{ at: number, end: number, text: string }[]} changes
   */
  function within(before, at, end, changes) {
    let text = "";
    let told = at;
    for (const change of changes.filter((each) => each.at >= at && each.end <= end)) {
      text += before.slice(told, change.at) + change.text;
      told = change.end;
    }
    return text + before.slice(told, end);
  }

  /** @type {Gallery["choose"]} */
  function choose(places, place, text, current) {
    let [best, most] = [-1, -1];
    places[place].forEach((own, take) => {
      if (own !== text) return;
      const same = places.filter((texts) => texts[take] === texts[current]).length;
      if (same > most) [best, most] = [take, same];
    });
    return best;
  }

  Object.assign(gallery, { weave, choose });

  // ---- on a prompt's page

  gallery.mount("[data-quote]", (quote, signal) => {
    /** @type {HTMLElement[]} */
    const rows = [...document.querySelectorAll(/** @type {"li"} */ (".clips .take-row[data-audio]"))];
    const heard = rows.filter((row) => row.dataset.audio);
    if (heard.some(wordsOf)) start(quote, heard, signal);
  });

  /**
   * What a take's row shows of its wording; nothing where it is the prompt's.
   * @param {HTMLElement} row
   */
  function wordsOf(row) {
    return row.querySelector(".take-prompt");
  }

  /**
   * The way from the prompt to a take's wording.
   * @param {HTMLElement} quote
   * @param {HTMLElement} row
   * @returns {Step[]}
   */
  function stepsOf(quote, row) {
    const words = wordsOf(row);
    if (!words) return [["=", quote.textContent ?? ""]];
    return [...words.childNodes].map((node) => {
      const kind = node.nodeName === "DEL" ? "-" : node.nodeName === "INS" ? "+" : "=";
      return [kind, node.textContent ?? ""];
    });
  }

  /** @param {Step[]} steps */
  function isAlike(steps) {
    const stays = steps.reduce((sum, [kind, text]) => sum + (kind === "=" ? text.length : 0), 0);
    return stays * 3 >= Math.max(textOf(steps, "-").length, textOf(steps, "+").length);
  }

  /**
   * @param {HTMLElement} quote
   * @param {HTMLElement[]} rows
   * @param {AbortSignal} signal
   */
  function start(quote, rows, signal) {
    const ways = rows.map((row) => stepsOf(quote, row));
    const woven = weave(ways);
    const places = woven.filter((texts) => texts.length > 1);
    const choices = places.reduce((sum, texts) => sum + new Set(texts).size, 0);
    const isPrompt = ways.every((steps) => textOf(steps, "-") === quote.textContent);
    if (!isPrompt || !places.length || choices > MOST_CHOICES || !ways.every(isAlike)) return;
    let current = 0;

    /** @type {(string | HTMLElement)[]} */
    const drawn = [];
    for (const texts of woven) drawn.push(...(texts.length > 1 ? choicesOf(texts) : texts));
    quote.replaceChildren(...drawn);
    quote.classList.add("woven");
    const textContent = "Underlined words come and go: choose one, and the sound goes on with it.";
    quote.after(dom.make("p", { className: "hint woven-hint", textContent }));
    mark(0);
    player.pair(rows.map(clips.read));

    /**
     * A button for each text that stands in this place, but for no text.
     * @param {string[]} texts
     */
    function choicesOf(texts) {
      return [...new Set(texts)].filter(Boolean).map((text) => {
        const [, lead, words, tail] = /^([\s,;.、。]*)(.*?)([\s,;.、。]*)$/su.exec(text) ?? [
          "",
          "",
          text,
          "",
        ];
        const choice = dom.make("span", { className: "choice" });
        const button = dom.make("button", { className: "word", type: "button", textContent: words || text });
        button.dataset.slot = String(places.indexOf(texts));
        choice.dataset.text = text;
        choice.append(
          dom.make("span", { textContent: lead }),
          button,
          dom.make("span", { textContent: tail }),
        );
        return choice;
      });
    }

    /** @param {number} take */
    function mark(take) {
      current = take;
      quote.dataset.wording = textOf(ways[take], "+");
      for (const choice of /** @type {NodeListOf<HTMLElement>} */ (quote.querySelectorAll(".choice"))) {
        const button = dom.within(choice)("button");
        const isOn = places[Number(button.dataset.slot)][take] === choice.dataset.text;
        choice.classList.toggle("is-on", isOn);
        button.setAttribute("aria-pressed", String(isOn));
      }
    }

    quote.addEventListener("click", (event) => {
      /** @type {HTMLElement | null} */
      const choice = /** @type {Element} */ (event.target).closest(".choice");
      if (!choice) return;
      const place = Number(dom.within(choice)("button").dataset.slot);
      const isOn = choice.classList.contains("is-on");
      const take = choose(places, place, isOn ? "" : (choice.dataset.text ?? ""), current);
      const shown = player.current();
      const isOurs = rows.some((row) => row.dataset.clip === shown?.key);
      if (take < 0) {
        if (isOurs) player.toggle();
        else player.play(rows[current]);
        return;
      }
      mark(take);
      const list = rows.map(clips.read);
      if (isOurs) player.playClip(list[take], { together: true, stays: true }, list);
      else player.play(rows[take]);
    });

    /** @param {Clip} clip */
    function follow(clip) {
      const take = rows.findIndex((row) => row.dataset.clip === clip.key);
      if (take >= 0) mark(take);
    }
    document.addEventListener("clip:shown", ({ detail: clip }) => follow(clip), { signal });
    const shown = player.current();
    if (shown) follow(shown);
  }
})();
