// What the search looks through, and how. The scripts under search/ are loaded on first use.
(() => {
  "use strict";
  const { gallery } = window;
  const { clips } = gallery;
  /** @type {FilterName[]} */
  const names = ["folder", "model", "tag", "author", "length", "compares", "state"];
  const ranges = ["guidance", "temperature", "top-k", "top-p", "duration"]; // as search/index.py packs them
  const SCRIPTS = ["assets/query.js", "assets/vocabulary.js", "assets/answers.js", "assets/suggest.js"]; // loaded with the index
  const KEY = /^[0-9a-f]{8,32}$/; // of a clip, or its beginning
  const MOST_PROMPTS = 2 ** 22; // that have a number each
  /** @type {Promise<SearchPrompt[]> | null} */
  let loading = null;
  /** @type {Query} */
  let query;
  /** @type {Map<string, string>} */
  const keys = new Map(); // keys of clips that were asked for, and their prompts
  /** @type {Map<string, number>} */
  const facets = new Map(); // values of filters, by number

  /** @type {Search["load"]} */
  function load(parts, scripts = SCRIPTS) {
    if (!loading) {
      loading = loadAll(parts, scripts);
      // What failed once may work on the next letter.
      loading.catch(() => {
        loading = null;
      });
    }
    return loading;
  }

  /**
   * @param {number} parts
   * @param {string[]} scripts
   */
  async function loadAll(parts, scripts) {
    const wanted = Array.from({ length: parts }, (_, part) => `search/${part}.js`);
    if (!window.GALLERY_WORDS) wanted.push("search/words.js");
    if (!gallery.makeQuery) wanted.push(...scripts);
    await Promise.all(wanted.map(clips.loadScript));
    // A part that had come before another one failed comes again.
    const known = new Map(window.GALLERY.map((data) => [data.part, data]));
    const prompts = [...known.values()].sort((a, b) => a.part - b.part).flatMap(unpack);
    prompts.forEach((prompt, position) => {
      prompt.position = position;
      prompt.facets = names.map((name) => prompt.values[name].map((value) => facetOf(name, value)));
    });
    query = gallery.makeQuery(prompts, keys);
    return prompts;
  }

  /**
   * The number under which a filter's value is counted.
   * @param {FilterName} name
   * @param {string} value
   */
  function facetOf(name, value) {
    const facet = `${name} ${value}`;
    const known = facets.get(facet);
    if (known !== undefined) return known;
    facets.set(facet, facets.size);
    return facets.size - 1;
  }

  /**
   * The prompts of a part, in whose rows most is by number in the part's tables.
   * @param {SearchPart} data
   */
  function unpack(data) {
    return data.rows.map((row) => {
      const [path, title, text, tagged, by, models, lengths, compares, states, tempo, spans, ...rest] = row;
      const [line, packed, seeds, start = 0, noted = ""] = rest;
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
        start,
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
        settings: spans.map((number, place) =>
          settingsOf(data, number, Array.isArray(seeds) ? seeds[place] : seeds),
        ),
        position: 0,
        facets: [],
        sought: "",
        bounds: [],
      };
      const { tag, model } = prompt.values;
      for (const part of [[title], tag, [text], [noted], [author, ...model]]) {
        for (const said of part) if (said) prompt.sought += ` ${gallery.foldWords(said)} `;
        prompt.bounds.push(prompt.sought.length);
      }
      return prompt;
    });
  }

  /**
   * @param {SearchPart} data
   * @param {number} number
   * @param {number | null} seed
   */
  function settingsOf(data, number, seed) {
    const [guidance, temperature, topK, topP, duration, stride = null] = data.ranges[number];
    return [guidance, temperature, topK, topP, duration, stride, seed];
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
      const address = clips.link(`prompts/${prompt.path}/index.html`);
      const page = `${address}#${id}`;
      const [audio, cover] = [file(0, ".mp3"), file(1, ".webp")];
      return { key, id, state, length, pairs, facts: clips.line(pairs), label, audio, cover, page };
    });
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
   * What words and filters ask of the clips' parameters: all of it of one and the same clip.
   * @param {Asked} state
   * @param {Term[]} terms
   */
  function rangesOf(state, terms) {
    const asked = terms.flatMap(({ range }) => (range ? [range] : []));
    ranges.forEach((name, place) => {
      const range = state.ranges[name];
      if (!range) return;
      const [low, high] = range;
      asked.push([place, low === "" ? -Infinity : Number(low), high === "" ? Infinity : Number(high)]);
    });
    return asked;
  }

  /** @type {Search["look"]} */
  function look(prompts, state) {
    const terms = query.parse(state.q);
    const asked = rangesOf(state, terms);
    const chosen = names.filter((name) => state.chosen[name].length);
    const counts = new Int32Array(facets.size);
    const result = [];
    // Of each prompt that is found how well it fits, and then how new it is, as one number to sort by.
    const ranks = [];
    for (const prompt of prompts) {
      const score = scoreOf(prompt, terms);
      if (!score || (asked.length && !query.within(prompt, asked))) continue;
      const failing = chosen.filter((name) => !fits(prompt, name, state.chosen[name]));
      if (!failing.length) {
        result.push(prompt);
        ranks.push(score * MOST_PROMPTS - prompt.position);
        for (const own of prompt.facets) for (const facet of own) counts[facet]++;
      } else if (failing.length === 1 && failing[0] !== "tag") {
        for (const facet of prompt.facets[names.indexOf(failing[0])]) counts[facet]++;
      }
    }
    const count = (/** @type {FilterName} */ name, /** @type {string} */ value) =>
      counts[facets.get(`${name} ${value}`) ?? -1] ?? 0;
    if (Object.hasOwn(orders, state.order)) result.sort(orders[state.order]);
    else if (terms.length && state.order !== "newest") {
      const sorted = new Float64Array(ranks).sort().reverse();
      return { prompts: Array.from(sorted, (rank) => prompts[-rank & (MOST_PROMPTS - 1)]), count, terms };
    }
    return { prompts: result, count, terms };
  }

  /**
   * How well a prompt fits all words, in whole numbers; 0 where it doesn't fit one of them.
   * @param {SearchPrompt} prompt
   * @param {Term[]} terms
   */
  function scoreOf(prompt, terms) {
    let whole = 1;
    for (const term of terms) {
      const score = term.score(prompt);
      if (!score) return 0;
      whole += 2 * score;
    }
    return whole;
  }

  /** @type {Search["findKeys"]} */
  async function findKeys(q) {
    const asked = q
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => KEY.test(word));
    const unknown = asked.filter((key) => !keys.has(key));
    const found = await Promise.all(unknown.map(clips.find));
    found.forEach((clip, place) => {
      if (clip) keys.set(unknown[place], clip.path);
    });
    return found.some(Boolean);
  }

  /** @param {SearchPrompt} prompt */
  function titleOf(prompt) {
    prompt.folded ??= gallery.foldWords(prompt.title || prompt.text);
    return prompt.folded;
  }

  /** @param {SearchPrompt} prompt */
  function lengthOf(prompt) {
    return prompt.packed[prompt.start][2];
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

  /** @type {Search["startOf"]} */
  function startOf(prompt, terms) {
    const named = prompt.packed.findIndex(([key]) =>
      terms.some(({ word }) => KEY.test(word) && key.startsWith(word)),
    );
    return named < 0 ? prompt.start : named;
  }

  gallery.search = {
    names,
    ranges,
    load,
    look,
    findKeys,
    takesOf,
    startOf,
    complete: (q, most) => query.complete(q, most),
    near: (word) => query.near(word),
  };
})();
