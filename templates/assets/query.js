// What is typed into the search, as what it asks of prompts: words in any of their forms, phrases, fields
// by name, and what shall not be there. Loaded with the index, when the search is used first.
(() => {
  "use strict";
  const { gallery } = window;
  const MOST_FORMED = 5; // words of one form: four on the floor
  const SIGNS = { "#": "tag", "@": "author" };
  const SEPARATORS = /[\s\p{P}\p{Z}\p{C}$+<=>^`|~]+/gu;
  const CHUNK = /[^\s"]*"[^"]*"?|\S+/g;
  const PARTS = /^(-?)(?:([#@])|(\p{L}[\p{L}\p{N}_-]*):)?("?)(.*?)"?$/su;
  const NUMBER = String.raw`\d*\.?\d+`;
  const VALUE = new RegExp(`^(?:(${NUMBER})\\p{L}*|(${NUMBER})?\\.\\.(${NUMBER})?\\p{L}*)$`, "u");
  const SEED = 6; // among the packed values
  // What a match in the title is worth, in tags, in the text, in the notes, in the rest; and of which kind.
  const WEIGHTS = [8, 6, 4, 1, 2];
  const [WHOLE, BEGUN, FORM, WITHIN] = [4, 3, 2.5, 1];
  const NAMED = 20; // a clip that is asked for by its key

  /**
   * As words are compared: case, accents, width and what joins them make no difference.
   * @type {Gallery["foldWords"]}
   */
  function fold(text) {
    const plain = /[^ -~\n]/.test(text) ? text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "") : text;
    return plain
      .toLowerCase()
      .replace(/['\u2019]/g, "")
      .replace(/\b([a-g])[#\u266f](?!\w)/g, "$1 sharp")
      .replace(SEPARATORS, " ")
      .trim();
  }

  /** @param {string} text */
  function joined(text) {
    return fold(text).replaceAll(" ", "");
  }

  // ---- how well a prompt fits

  /**
   * @param {SearchPrompt} prompt
   * @param {number} place - in what it says
   */
  function weightAt({ bounds }, place) {
    let part = 0;
    while (place >= bounds[part]) part++;
    return WEIGHTS[part];
  }

  /**
   * @param {SearchPrompt} prompt
   * @param {string} words
   */
  function wholeIn(prompt, words) {
    const place = prompt.sought.indexOf(` ${words} `);
    return place < 0 ? 0 : weightAt(prompt, place);
  }

  /**
   * @param {SearchPrompt} prompt
   * @param {string} words - of which the last may have only begun
   */
  function scoreOf(prompt, words) {
    const { sought } = prompt;
    const place = sought.indexOf(words);
    if (place < 0) return 0;
    const within = WITHIN * weightAt(prompt, place);
    const begun = sought[place - 1] === " " ? place : sought.indexOf(` ${words}`, place) + 1;
    if (!begun) return within;
    const weight = weightAt(prompt, begun);
    if (sought[begun + words.length] === " ") return WHOLE * weight;
    return Math.max(within, BEGUN * weight, WHOLE * wholeIn(prompt, words));
  }

  /**
   * One of a prompt's clips lies within all ranges at once. What is not used by a clip lies nowhere.
   * @type {Query["within"]}
   */
  function within(prompt, asked) {
    return prompt.settings.some((values) =>
      asked.every(([place, low, high]) => {
        const value = values[place];
        return value !== null && value !== undefined && value >= low && value <= high;
      }),
    );
  }

  // ---- what is typed

  /**
   * A run without spaces, or with them between quotation marks.
   * @param {string} q
   */
  function chunksOf(q) {
    const typed = q.replace(/[\u201c-\u201f\u00ab\u00bb]/g, '"');
    return [...typed.matchAll(CHUNK)].map((found) => {
      const [, sign, mark, name, quote, value] = /** @type {RegExpExecArray} */ (PARTS.exec(found[0]));
      const field = mark ? SIGNS[/** @type {"#"} */ (mark)] : (name ?? "").toLowerCase();
      const isKnown = Object.hasOwn(window.GALLERY_WORDS.fields, field);
      return {
        text: found[0],
        from: found.index,
        to: found.index + found[0].length,
        isNot: sign === "-",
        isWhole: quote === '"',
        isClosed: found[0].endsWith('"'),
        field: isKnown ? window.GALLERY_WORDS.fields[field] : "",
        value: isKnown || !name ? value : `${name} ${value}`,
      };
    });
  }

  /** @typedef {ReturnType<typeof chunksOf>[number]} Chunk */

  /** @type {Gallery["makeQuery"]} */
  function makeQuery(prompts, keys) {
    const vocabulary = gallery.makeVocabulary(prompts);
    /** @type {Map<string, string[]>} */
    const formsOf = new Map();
    for (const group of window.GALLERY_WORDS.forms) {
      const forms = [...new Set(group.map(fold))];
      for (const form of forms) if (!formsOf.has(form)) formsOf.set(form, forms);
    }
    /** @type {Map<FilterName, { value: string; folded: string; joined: string }[]>} */
    const valuesOf = new Map();

    /**
     * All values of a filter, the most frequent first.
     * @param {FilterName} name
     */
    function values(name) {
      const known = valuesOf.get(name);
      if (known) return known;
      /** @type {Map<string, number>} */
      const counts = new Map();
      for (const prompt of prompts) {
        for (const value of prompt.values[name]) counts.set(value, (counts.get(value) ?? 0) + 1);
      }
      const found = [...counts]
        .sort((a, b) => b[1] - a[1])
        .map(([value]) => {
          return { value, folded: fold(value), joined: joined(value) };
        });
      valuesOf.set(name, found);
      return found;
    }

    /**
     * @param {Chunk} chunk
     * @param {Partial<Term>} term
     * @returns {Term}
     */
    function termOf({ text, from, to, isNot }, term) {
      const score = term.score ?? (() => 0);
      const whole = { text, from, to, marks: [], taken: "", range: null, word: "", ...term, score };
      if (!isNot) return whole;
      return { ...whole, marks: [], taken: "", range: null, score: (prompt) => (score(prompt) ? 0 : 1) };
    }

    /**
     * @param {Chunk} chunk - of one or several words
     * @param {boolean} isLast
     */
    function wordsTerm(chunk, isLast) {
      const said = fold(chunk.value);
      const isExact = chunk.isWhole || chunk.isNot;
      const forms = chunk.isWhole ? [] : (formsOf.get(said) ?? []).filter((form) => form !== said);
      // Unless their order is asked for, words of a form may also stand apart.
      const apart = forms.length && !isExact ? said.split(" ") : [];
      const isNowhere = !isExact && !forms.length && !said.includes(" ") && !vocabulary.has(said);
      const taken = isNowhere && !keys.has(said) ? vocabulary.near(said, isLast) : "";
      const seed = /^\d{2,10}$/.test(said) && !isExact ? Number(said) : null;
      // Forms with a word that nobody says are not looked for.
      const isSaid = (/** @type {string} */ form) =>
        form.split(" ").every((word) => vocabulary.has(` ${word} `));
      const others = [...forms, ...(taken ? (formsOf.get(taken) ?? []) : [])].filter(isSaid);
      const named = keys.get(said);
      // What is still being typed between quotation marks has only begun.
      const isBegun = chunk.isWhole && isLast && !chunk.isNot && !chunk.isClosed;
      /** @type {Term["score"]} */
      const score = (prompt) => {
        if (prompt.path === named) return NAMED;
        let best = 0;
        if (!isExact) best = scoreOf(prompt, taken || said);
        else if (isBegun && prompt.sought.includes(` ${said}`)) best = BEGUN;
        else best = WHOLE * wholeIn(prompt, said);
        for (const form of others) best = Math.max(best, FORM * wholeIn(prompt, form));
        if (best) return best;
        if (apart.length > 1 && apart.every((word) => prompt.sought.includes(` ${word}`))) return WITHIN;
        return seed !== null && prompt.settings.some((values) => values[SEED] === seed) ? WITHIN : 0;
      };
      return termOf(chunk, { score, marks: [taken || said, ...others, ...apart], taken, word: said });
    }

    /** @param {Chunk} chunk */
    function numberTerm(chunk) {
      const found = VALUE.exec(chunk.value);
      if (!found) return termOf(chunk, {});
      const [, same, low, high] = found;
      /** @type {AskedRange} */
      const range = [Number(chunk.field), Number(same ?? low ?? -Infinity), Number(same ?? high ?? Infinity)];
      return termOf(chunk, { score: (prompt) => (within(prompt, [range]) ? 1 : 0), range });
    }

    /** @param {Chunk} chunk */
    function valueTerm(chunk) {
      const name = /** @type {FilterName} */ (chunk.field);
      const all = values(name);
      const said = joined(chunk.value);
      const forms = new Set([said, ...(formsOf.get(fold(chunk.value)) ?? []).map(joined)]);
      let taken = "";
      let chosen = all.filter((each) => forms.has(each.joined));
      if (!chosen.length && !chunk.isNot) {
        chosen = all.filter((each) => each.joined.startsWith(said));
        if (!chosen.length)
          taken = vocabulary.nearOf(
            said,
            all.map((each) => each.joined),
          );
        if (taken) chosen = all.filter((each) => each.joined === taken);
      }
      const wanted = new Set(chosen.map(({ value }) => value));
      /** @type {Term["score"]} */
      const score = (prompt) => (prompt.values[name].some((value) => wanted.has(value)) ? WITHIN : 0);
      const marks = name === "tag" ? chosen.map(({ folded }) => folded) : [];
      return termOf(chunk, { score, marks, taken: taken && chosen[0].value });
    }

    /** @param {Chunk} chunk */
    function isPlain({ isNot, isWhole, field }) {
      return !isNot && !isWhole && field === "";
    }

    /** @type {Query["parse"]} */
    function parse(q) {
      const chunks = chunksOf(q).filter(({ value }) => fold(value));
      const terms = [];
      for (let at = 0; at < chunks.length; at++) {
        const chunk = chunks[at];
        if (typeof chunk.field === "number") terms.push(numberTerm(chunk));
        else if (chunk.field) terms.push(valueTerm(chunk));
        else {
          const many = isPlain(chunk) ? formedAt(chunks, at) : 1;
          const last = chunks[at + many - 1];
          const whole = q.slice(chunk.from, last.to);
          const value = many > 1 ? whole : chunk.value;
          const isLast = last.to === q.length;
          terms.push(wordsTerm({ ...chunk, text: whole, to: last.to, value }, isLast));
          at += many - 1;
        }
      }
      return terms;
    }

    /**
     * How many words from here on are one form: drum and bass.
     * @param {Chunk[]} chunks
     * @param {number} at
     */
    function formedAt(chunks, at) {
      let plain = 0;
      while (plain < MOST_FORMED && at + plain < chunks.length && isPlain(chunks[at + plain])) plain++;
      for (let many = plain; many > 1; many--) {
        const words = chunks.slice(at, at + many).map(({ value }) => value);
        if (formsOf.has(fold(words.join(" ")))) return many;
      }
      return 1;
    }

    /** @type {Query["complete"]} */
    function complete(q, most) {
      const last = /(?:^|\s)(-?)([#@]|\p{L}[\p{L}\p{N}_-]*:)?([^\s":#@]*)$/u.exec(q);
      if (!last) return [];
      const [whole, sign, field = "", begun] = last;
      const before = q.slice(0, q.length - whole.length) + /^\s?/.exec(whole) + sign;
      const said = joined(begun);
      const name = field.endsWith(":") ? field.slice(0, -1).toLowerCase() : SIGNS[/** @type {"#"} */ (field)];
      const { fields } = window.GALLERY_WORDS;
      const quoted = (/** @type {string} */ value) => (/\s/.test(value) ? `"${value}"` : value);
      const tagged = (/** @type {FilterName} */ of, /** @type {string} */ start) =>
        values(of)
          .filter((each) => ` ${each.folded}`.includes(` ${said}`) || each.joined.startsWith(said))
          .map(({ value }) => start + quoted(value));
      /** @type {string[]} */
      let found = [];
      if (name && typeof fields[name] === "string") {
        found = tagged(/** @type {FilterName} */ (fields[name]), field);
      } else if (!field && said) {
        const words = vocabulary.complete(said, most);
        const tags = tagged("tag", "#").slice(0, Math.max(2, most - words.length));
        const names = Object.keys(fields).filter(
          (each) => said.length > 1 && each.startsWith(begun.toLowerCase()),
        );
        found = [
          ...words.slice(0, most - tags.length),
          ...tags,
          ...names.slice(0, 1).map((each) => `${each}:`),
        ];
      }
      return found
        .slice(0, most)
        .map((text) => before + text)
        .filter((text) => text !== q);
    }

    return { within, parse, complete, near: (word) => vocabulary.near(word, false, word.length < 5 ? 1 : 3) };
  }

  // ---- what was found, in what is shown

  /** @type {Gallery["markWords"]} */
  function markWords(element, marks) {
    const text = element.textContent;
    const words = [...text.matchAll(/[\p{L}\p{N}\p{M}\p{S}'\u2019]+/gu)].map((found) => ({
      word: fold(found[0]),
      from: found.index,
      to: found.index + found[0].length,
    }));
    /** @type {[from: number, to: number][]} */
    const places = [];
    for (const mark of marks) {
      const parts = mark.split(" ");
      const last = parts[parts.length - 1];
      // A letter or two are marked where words begin with them.
      const isAnywhere = parts.length === 1 && (mark.length > 2 || /[^ -~]/.test(mark));
      words.forEach((first, at) => {
        const end = words[at + parts.length - 1];
        const isSaid = parts.slice(0, -1).every((part, place) => words[at + place]?.word === part);
        const begins = isAnywhere ? first.word.indexOf(last) : end?.word.startsWith(last) ? 0 : -1;
        if (!isSaid || begins < 0) return;
        // Where letters are compared as others are, and more of them, the whole word is marked.
        const isAlike = end.word.length === end.to - end.from;
        const to = isAlike ? end.from + begins + last.length : end.to;
        places.push([isAlike && parts.length === 1 ? first.from + begins : first.from, to]);
      });
    }
    if (!places.length) return;
    places.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
    const parts = [];
    let end = 0;
    for (const [from, to] of places) {
      if (from < end) continue;
      parts.push(text.slice(end, from), gallery.dom.make("mark", { textContent: text.slice(from, to) }));
      end = to;
    }
    element.replaceChildren(...parts, text.slice(end));
  }

  Object.assign(gallery, { makeQuery, markWords, foldWords: fold });
})();
