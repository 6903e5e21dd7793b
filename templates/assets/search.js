// What the search looks through, and how. The scripts under search/ are loaded on first use.
(() => {
  "use strict";
  const { gallery } = window;
  const { clips } = gallery;
  /** @type {FilterName[]} */
  const names = ["folder", "model", "tag", "author", "length", "compares", "state"];
  const ranges = ["guidance", "temperature", "top-k", "top-p", "duration"]; // as search/index.py packs them
  /** @type {Promise<SearchPrompt[]> | null} */
  let loading = null;

  /** @type {Search["load"]} */
  function load(parts) {
    if (!loading) {
      loading = loadAll(parts);
      // What failed once may work on the next letter.
      loading.catch(() => {
        loading = null;
      });
    }
    return loading;
  }

  /** @param {number} parts */
  async function loadAll(parts) {
    await Promise.all(Array.from({ length: parts }, (_, part) => clips.loadScript(`search/${part}.js`)));
    const prompts = window.GALLERY.sort((a, b) => a.part - b.part).flatMap(unpack);
    prompts.forEach((prompt, position) => {
      prompt.position = position;
    });
    return prompts;
  }

  /**
   * The prompts of a part, in whose rows most is by number in the part's tables.
   * @param {SearchPart} data
   */
  function unpack(data) {
    return data.rows.map((row) => {
      const [path, title, text, tagged, by, models, lengths, compares, states, tempo, spans, ...rest] = row;
      const [line, packed] = rest;
      const tags = tagged.map((number) => data.tags[number]);
      const author = data.authors[by];
      /** @type {SearchPrompt} */
      const prompt = {
        path,
        title,
        text,
        tags,
        tempo,
        line,
        packed,
        states: data.states,
        homes: data.homes,
        values: {
          folder: foldersOf(path),
          tag: tags.map(([name]) => name),
          model: models.map((number) => data.models[number]),
          author: author ? [author.toLowerCase()] : [],
          length: lengths.map((number) => data.lengths[number]),
          compares: compares.map((number) => data.compares[number]),
          state: states.map((number) => data.states[number]),
        },
        ranges: spans.map((number) => data.ranges[number]),
        position: 0,
        sought: "",
      };
      const { tag, model } = prompt.values;
      prompt.sought = fold([title, text, tag.join(" "), author, model.join(" ")].join("\n"));
      return prompt;
    });
  }

  /**
   * Every folder around a prompt, as gallery/site/pages/rows.py names them.
   * @param {string} path
   */
  function foldersOf(path) {
    const names = path.split("/").slice(0, -1);
    return names.map((_, depth) => names.slice(0, depth + 1).join("/"));
  }

  /** @type {Search["takesOf"]} */
  function takesOf(prompt) {
    return prompt.packed.map(([key, number, length, pairs, label, ...files]) => {
      const state = prompt.states[number];
      const home = prompt.homes[state];
      // Files are told only where they don't follow from the key.
      const file = (/** @type {0 | 1} */ which, /** @type {string} */ suffix) => {
        const address = files[which] || (home ? home[which] + key + suffix : "");
        return address && clips.link(address);
      };
      const id = key.slice(0, 8);
      const page = `${clips.link(`prompts/${prompt.path}/index.html`)}#${id}`;
      const [audio, cover] = [file(0, ".mp3"), file(1, ".webp")];
      return { key, id, state, length, pairs, facts: clips.line(pairs), label, audio, cover, page };
    });
  }

  /**
   * Upper case, accents and width make no difference.
   * @param {string} text
   */
  function fold(text) {
    return text
      .normalize("NFKD")
      .replace(/[\u0300-\u036f]/g, "")
      .toLowerCase();
  }

  /**
   * @param {SearchPrompt} prompt
   * @param {FilterName} name
   * @param {string[]} chosen
   */
  function fits(prompt, name, chosen) {
    if (!chosen.length) return true;
    const has = (/** @type {string} */ value) => prompt.values[name].includes(value);
    // Every tag narrows; of anything else a prompt has one, so there each choice widens.
    return name === "tag" ? chosen.every(has) : chosen.some(has);
  }

  /**
   * A range that is asked for: its place among the packed values, its ends.
   * @typedef {[place: number, low: number, high: number]} AskedRange
   */

  /**
   * One of its clips lies within all ranges at once. What is not used by a clip lies nowhere.
   * @param {SearchPrompt} prompt
   * @param {AskedRange[]} asked
   */
  function within(prompt, asked) {
    return prompt.ranges.some((values) =>
      asked.every(([place, low, high]) => {
        const value = values[place];
        return value !== null && value >= low && value <= high;
      }),
    );
  }

  /** @type {Search["look"]} */
  function look(prompts, state) {
    const words = fold(state.q).split(/\s+/).filter(Boolean);
    /** @type {AskedRange[]} */
    const asked = [];
    ranges.forEach((name, place) => {
      const range = state.ranges[name];
      if (!range) return;
      const [low, high] = range;
      asked.push([place, low === "" ? -Infinity : Number(low), high === "" ? Infinity : Number(high)]);
    });
    const counts = /** @type {Counts} */ (Object.fromEntries(names.map((name) => [name, new Map()])));
    const result = [];
    for (const prompt of prompts) {
      if (!words.every((word) => prompt.sought.includes(word))) continue;
      if (asked.length && !within(prompt, asked)) continue;
      const failing = names.filter((name) => !fits(prompt, name, state.chosen[name]));
      if (!failing.length) result.push(prompt);
      if (failing.length > 1) continue;
      for (const name of names) {
        if (failing.length && (failing[0] !== name || name === "tag")) continue;
        for (const value of prompt.values[name]) counts[name].set(value, (counts[name].get(value) ?? 0) + 1);
      }
    }
    sort(result, state.order, words);
    return { prompts: result, counts };
  }

  /** @param {SearchPrompt} prompt */
  function titleOf(prompt) {
    prompt.folded ??= fold(prompt.title || prompt.text);
    return prompt.folded;
  }

  /** @param {SearchPrompt} prompt */
  function lengthOf(prompt) {
    return prompt.packed[0][2];
  }

  /**
   * Among equals the newest first, as they come. Those without a tempo come last, whichever way.
   * @type {Record<string, (a: SearchPrompt, b: SearchPrompt) => number>}
   */
  const orders = {
    oldest: (a, b) => b.position - a.position,
    title: (a, b) => (titleOf(a) < titleOf(b) ? -1 : titleOf(a) > titleOf(b) ? 1 : 0),
    shortest: (a, b) => lengthOf(a) - lengthOf(b),
    longest: (a, b) => lengthOf(b) - lengthOf(a),
    slowest: (a, b) => (a.tempo || Infinity) - (b.tempo || Infinity) || 0,
    fastest: (a, b) => b.tempo - a.tempo,
  };

  /**
   * @param {SearchPrompt[]} result
   * @param {string} order
   * @param {string[]} words
   */
  function sort(result, order, words) {
    if (Object.hasOwn(orders, order)) result.sort(orders[order]);
    else if (words.length && order !== "newest") {
      // Whole beginnings of words before their middles.
      const scores = new Map();
      for (const prompt of result) {
        scores.set(prompt, words.filter((word) => startsWord(prompt.sought, word)).length);
      }
      result.sort((a, b) => scores.get(b) - scores.get(a));
    }
  }

  /**
   * @param {string} text
   * @param {string} word
   */
  function startsWord(text, word) {
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
      if (at === 0 || /[\s,.;:"'(/#-]/.test(text[at - 1])) return true;
    }
    return false;
  }

  gallery.search = { names, ranges, load, look, takesOf };
})();
