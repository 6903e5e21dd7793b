// What the search finds, counts and puts first, in parts of an index as gallery/site/search/index.py packs them.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { load, plain } from "./support.mjs";

const STATES = ["render", "sketch", "pending"];
const LENGTHS = ["short", "medium", "long"];

/** A part of the index with these prompts in it. */
function packed(part, prompts) {
  const tables = { tags: [], models: [], authors: [], compares: [], ranges: [] };
  /** The number of a value in one of the tables. */
  const of = (table, value) => {
    const known = tables[table].findIndex((other) => JSON.stringify(other) === JSON.stringify(value));
    return known < 0 ? tables[table].push(value) - 1 : known;
  };
  const rows = prompts.map((prompt) => [
    prompt.path,
    prompt.title ?? "",
    prompt.text ?? prompt.path,
    (prompt.tags ?? []).map((tag) => of("tags", [tag, tag.replace("&", "-")])),
    of("authors", prompt.author ?? ""),
    (prompt.models ?? ["small"]).map((model) => of("models", model)),
    (prompt.lengths ?? ["short"]).map((name) => LENGTHS.indexOf(name)),
    (prompt.compares ?? []).map((name) => of("compares", name)),
    (prompt.states ?? ["render"]).map((state) => STATES.indexOf(state)),
    prompt.tempo ?? 0,
    (prompt.ranges ?? [[3, 1, 250, 0, 10]]).map((values) => of("ranges", values)),
    prompt.line ?? ["", []],
    prompt.takes ?? [[`${prompt.path}000000000000`, 0, prompt.length ?? 3, [["", "small"]], ""]],
    prompt.seeds === undefined ? 1 : prompt.seeds,
    prompt.start ?? 0,
    prompt.notes ?? "",
  ]);
  const homes = { render: ["audio/", "audio/"], sketch: ["sketches/", "sketches/"] };
  return { part, ...tables, lengths: LENGTHS, states: STATES, homes, rows };
}

const FIELDS = Object.fromEntries([
  ...["folder", "model", "tag", "author", "length", "compares", "state"].map((name) => [name, name]),
  ...["guidance", "temperature", "top-k", "top-p", "duration", "stride", "seed"].map((name, at) => [
    name,
    at,
  ]),
  ...["cfg_coef", "temperature", "top_k", "top_p", "duration", "extend_stride"].map((name, at) => [name, at]),
]);
const FORMS = [
  ["lo fi", "lofi"],
  ["drum and bass", "drum n bass", "dnb"],
  ["synth", "synthesizer"],
  ["r b", "rnb"],
];

/** The search of an index of these parts, whose scripts come in the order in which they are given. */
function searchOf(...parts) {
  const asked = [];
  const clips = {
    link: (address) => `../${address}`,
    line: (pairs) => pairs.map((pair) => pair.filter(Boolean).join(" ")).join(" · "),
    find: async (key) => (key.startsWith("c0ffee00") ? { key, path: "cafe" } : null),
    loadScript: async (address) => {
      asked.push(address);
      if (address === "search/words.js") window.GALLERY_WORDS = { forms: FORMS, fields: FIELDS };
      if (!/^search\/\d/.test(address)) return;
      const data = parts.shift();
      if (data instanceof Error) throw data;
      window.GALLERY.push(data);
    },
  };
  const window = { GALLERY: [], gallery: { clips } };
  const { search } = load(["query.js", "vocabulary.js", "search.js"], window);
  return { search, asked };
}

/** What a visitor asks for, for a search among these prompts. */
async function searchAmong(prompts) {
  const { search } = searchOf(packed(0, prompts));
  const all = await search.load(1);
  const look = ({ q = "", order = "", ranges = {}, ...chosen } = {}) => {
    const none = Object.fromEntries(search.names.map((name) => [name, []]));
    const found = search.look(all, { q, order, ranges, chosen: { ...none, ...chosen } });
    const paths = found.prompts.map(({ path }) => path);
    return { paths, count: found.count, terms: found.terms };
  };
  return { search, all, look, paths: (asked) => [...look(asked).paths] };
}

suite("the index", () => {
  test("is in the order of its parts, whichever comes first", async () => {
    const { search, asked } = searchOf(packed(1, [{ path: "c" }]), packed(0, [{ path: "a" }, { path: "b" }]));
    const all = await search.load(2);
    assert.deepEqual(asked, ["search/0.js", "search/1.js", "search/words.js"]);
    assert.deepEqual(
      Array.from(all, ({ path, position }) => `${position} ${path}`),
      ["0 a", "1 b", "2 c"],
    );
  });

  test("is loaded once", async () => {
    const { search, asked } = searchOf(packed(0, []));
    assert.equal(await search.load(1), await search.load(1));
    assert.deepEqual(asked, ["search/0.js", "search/words.js"]);
  });

  test("comes with the scripts that searching needs", async () => {
    const asked = [];
    const clips = { loadScript: async (address) => void asked.push(address) };
    const { search } = load(["search.js"], { GALLERY: [], GALLERY_WORDS: {}, gallery: { clips } });
    await assert.rejects(search.load(0, ["assets/a.js?v=1", "assets/b.js"]));
    assert.deepEqual(asked, ["assets/a.js?v=1", "assets/b.js"]);
  });

  test("has a part once, even if another had to be asked for again", async () => {
    const { search } = searchOf(packed(0, [{ path: "a" }]), new Error("offline"), packed(1, [{ path: "b" }]));
    await assert.rejects(search.load(2), /offline/);
    const again = searchOf(packed(0, [{ path: "a" }]), packed(0, [{ path: "a" }]));
    assert.equal((await again.search.load(2)).length, 1);
  });

  test("is loaded again when it could not be", async () => {
    const { search } = searchOf(new Error("offline"), packed(0, [{ path: "a" }]));
    await assert.rejects(search.load(1), /offline/);
    assert.equal((await search.load(1)).length, 1);
  });

  test("is unpacked by its tables", async () => {
    const prompt = {
      path: "a/b/c",
      title: "T",
      text: "x",
      tags: ["r&b", "lofi"],
      author: "OctoCat",
      tempo: 90,
    };
    Object.assign(prompt, { models: ["small", "large"], lengths: ["short", "long"], compares: ["seed"] });
    Object.assign(prompt, {
      states: ["pending"],
      ranges: [[1, null, 3, 4, 5]],
      line: ["2 takes:", ["seed"]],
    });
    const { all } = await searchAmong([{ path: "other", tags: ["lofi"] }, prompt]);
    const { sought, bounds, facets, packed: takes, homes, states, ...unpacked } = plain(all[1]);
    assert.deepEqual(unpacked, {
      path: "a/b/c",
      title: "T",
      text: "x",
      tags: [
        ["r&b", "r-b"],
        ["lofi", "lofi"],
      ],
      tempo: 90,
      line: ["2 takes:", ["seed"]],
      values: {
        folder: ["a", "a/b"],
        tag: ["r&b", "lofi"],
        model: ["small", "large"],
        author: ["octocat"],
        length: ["short", "long"],
        compares: ["seed"],
        state: ["pending"],
      },
      settings: [[1, null, 3, 4, 5, null, 1]],
      start: 0,
      position: 1,
    });
  });
});

suite("words", () => {
  const prompts = [
    { path: "rain", text: "Rain on the Window", tags: ["lofi"], author: "OctoCat" },
    { path: "train", text: "a train at night, far away", title: "Été" },
    { path: "cafe", text: "cafe\u0301 noir, ﬁne Ｗide letters" },
    { path: "temple", text: "静かな寺の庭" },
  ];
  for (const [q, ...found] of [
    ["", "rain", "train", "cafe", "temple"],
    ["RAIN", "rain", "train"],
    ["  window   rain ", "rain"],
    ["rain night", "train"],
    ["window night"],
    ["ete", "train"],
    ["ÉTÉ", "train"],
    ["café", "cafe"],
    ["fine wide", "cafe"],
    ["寺", "temple"],
    ["lofi", "rain"],
    ["octocat small", "rain"],
    ["lo-fi", "rain"],
    // Signs alone ask for nothing yet.
    ...[".*", "-", "#", '"', "model:", "-tag:"].map((q) => [q, "rain", "train", "cafe", "temple"]),
  ]) {
    test(`"${q}"`, async () => {
      const { paths } = await searchAmong(prompts);
      assert.deepEqual(paths({ q }), found);
    });
  }
});

suite("filters", () => {
  const prompts = [
    { path: "a", tags: ["lofi", "calm"], models: ["small"], author: "Me", states: ["render"] },
    { path: "b", tags: ["lofi"], models: ["small", "large"], lengths: ["long"], states: ["sketch"] },
    { path: "c", tags: ["calm"], models: ["large"], compares: ["seed", "guidance"], states: ["render"] },
  ];

  test("every tag narrows", async () => {
    const { paths } = await searchAmong(prompts);
    assert.deepEqual(paths({ tag: ["lofi"] }), ["a", "b"]);
    assert.deepEqual(paths({ tag: ["lofi", "calm"] }), ["a"]);
  });
  test("of anything else, each choice widens", async () => {
    const { paths } = await searchAmong(prompts);
    assert.deepEqual(paths({ model: ["large"] }), ["b", "c"]);
    assert.deepEqual(paths({ model: ["large", "small"] }), ["a", "b", "c"]);
    assert.deepEqual(paths({ state: ["sketch", "pending"] }), ["b"]);
  });
  test("all of them hold at once, and the words", async () => {
    const { paths } = await searchAmong(prompts);
    assert.deepEqual(paths({ tag: ["calm"], state: ["render"] }), ["a", "c"]);
    assert.deepEqual(paths({ tag: ["calm"], state: ["render"], compares: ["guidance"] }), ["c"]);
    assert.deepEqual(paths({ tag: ["calm"], q: "a" }), ["a", "c"]);
    assert.deepEqual(paths({ author: ["me"], length: ["long"] }), []);
  });

  test("beside each value stands what choosing it would leave", async () => {
    const { look } = await searchAmong(prompts);
    const values = { tag: ["lofi", "calm"], model: ["small", "large"], state: ["render", "sketch"] };
    const counted = (asked, name) => {
      const { count } = look(asked);
      const counts = values[name].map((value) => [value, count(name, value)]);
      return Object.fromEntries(counts.filter(([, amount]) => amount));
    };
    assert.deepEqual(counted({}, "tag"), { lofi: 2, calm: 2 });
    assert.deepEqual(counted({}, "model"), { small: 2, large: 2 });
    // Another model would widen: its count is of all that fit the rest.
    assert.deepEqual(counted({ model: ["small"] }, "model"), { small: 2, large: 2 });
    assert.deepEqual(counted({ model: ["small"], tag: ["calm"] }, "model"), { small: 1, large: 1 });
    assert.deepEqual(counted({ model: ["small"], state: ["sketch"] }, "model"), { small: 1, large: 1 });
    // Another tag would narrow: its count is of what is found.
    assert.deepEqual(counted({ tag: ["lofi"] }, "tag"), { lofi: 2, calm: 1 });
    assert.deepEqual(counted({ tag: ["lofi"] }, "state"), { render: 1, sketch: 1 });
    assert.deepEqual(counted({ q: "nowhere" }, "tag"), {});
  });
});

suite("ranges", () => {
  const prompts = [
    { path: "usual", ranges: [[3, 1, 250, 0, 10]] },
    {
      path: "grid",
      ranges: [
        [1, 1, 250, 0, 5],
        [5, 0.5, 250, 0, 30],
      ],
    },
    { path: "greedy", ranges: [[3, 0, null, null, 10]] },
  ];

  for (const [about, ranges, ...found] of [
    ["from", { guidance: ["4", ""] }, "grid"],
    ["up to", { guidance: ["", "3"] }, "usual", "grid", "greedy"],
    ["ends count", { duration: ["10", "10"] }, "usual", "greedy"],
    ["with fractions", { temperature: ["0.4", "0.6"] }, "grid"],
    ["what is not used lies nowhere", { "top-k": ["0", ""] }, "usual", "grid"],
    ["all in one clip", { guidance: ["", "1"], duration: ["30", ""] }],
    ["all in another", { guidance: ["5", ""], duration: ["30", ""] }, "grid"],
    ["from more to less", { guidance: ["5", "1"] }],
  ]) {
    test(about, async () => {
      const { paths } = await searchAmong(prompts);
      assert.deepEqual(paths({ ranges }), found);
    });
  }
});

suite("orders", () => {
  const prompts = [
    { path: "new", title: "b", length: 5, tempo: 0 },
    { path: "middle", text: "Ä", length: 2, tempo: 90 },
    { path: "old", title: "C", length: 5, tempo: 140 },
    { path: "oldest", title: "a", length: 9, tempo: 90 },
  ];
  for (const [order, ...found] of [
    ["", "new", "middle", "old", "oldest"],
    ["newest", "new", "middle", "old", "oldest"],
    ["oldest", "oldest", "old", "middle", "new"],
    ["title", "middle", "oldest", "new", "old"],
    ["shortest", "middle", "new", "old", "oldest"],
    ["longest", "oldest", "new", "old", "middle"],
    ["slowest", "middle", "oldest", "old", "new"],
    ["fastest", "old", "middle", "oldest", "new"],
    ["__proto__", "new", "middle", "old", "oldest"],
  ]) {
    test(order || "none", async () => {
      const { paths } = await searchAmong(prompts);
      assert.deepEqual(paths({ order }), found);
    });
  }

  test("those without a tempo come last, whichever way", async () => {
    const tempos = [0, 90, 0, 140].map((tempo, place) => ({ path: `${place}`, tempo }));
    const { paths } = await searchAmong(tempos);
    assert.deepEqual(paths({ order: "slowest" }), ["1", "3", "0", "2"]);
    assert.deepEqual(paths({ order: "fastest" }), ["3", "1", "0", "2"]);
  });

  test("words go before their beginnings, and these before their middles", async () => {
    const { paths } = await searchAmong([
      { path: "middle", text: "a train at night" },
      { path: "both", text: "drums, rain" },
      { path: "beginning", text: "rainy street" },
      { path: "hyphen", text: "heavy-rain" },
    ]);
    assert.deepEqual(paths({ q: "rain" }), ["both", "hyphen", "beginning", "middle"]);
    assert.deepEqual(paths({ q: "rain", order: "newest" }), ["middle", "both", "beginning", "hyphen"]);
  });

  test("each word counts, wherever it begins one", async () => {
    const { paths } = await searchAmong([
      { path: "one", text: "trains and drums" },
      { path: "two", text: "rain and a drum" },
      { path: "late", text: "train, drum, rain" },
    ]);
    assert.deepEqual(paths({ q: "rain dru" }), ["two", "late", "one"]);
  });
});

suite("forms of words", () => {
  const prompts = [
    { path: "lofi", text: "a lofi beat" },
    { path: "lo-fi", text: "a Lo-Fi beat" },
    { path: "dnb", text: "fast dnb", tags: ["r&b"] },
    { path: "bass", text: "drum & bass" },
    { path: "long", text: "drum and bass" },
    { path: "apart", text: "drum machine and a bass guitar" },
    { path: "synth", text: "a warm synthesizer" },
    { path: "sharp", text: "in F# minor, 90's, don’t stop" },
  ];
  for (const [q, ...found] of [
    ["lofi", "lofi", "lo-fi"],
    ["lo-fi beat", "lo-fi", "lofi"],
    ["lo fi", "lo-fi", "lofi"],
    ["dnb", "dnb", "long"],
    ["drum and bass", "long", "dnb", "apart"],
    ['"drum and bass"', "long"],
    ["-dnb drum", "bass", "apart"],
    ["synth", "synth"],
    ["#rnb", "dnb"],
    ["f#", "sharp"],
    ["f sharp minor 90s", "sharp"],
    ["dont", "sharp"],
  ]) {
    test(q, async () => {
      const { paths } = await searchAmong(prompts);
      assert.deepEqual(paths({ q }), found);
    });
  }
});

suite("what is typed", () => {
  const prompts = [
    {
      path: "waltz",
      text: "slow waltz, felt piano",
      tags: ["sound effect", "calm"],
      models: ["small"],
      author: "OctoCat",
      ranges: [
        [3, 1, 250, 0, 10],
        [7, 0.5, 250, 0, 30, 18],
      ],
      seeds: [128128, 42],
    },
    { path: "a/piano", text: "felt upright piano", tags: ["calm"], models: ["large", "small"], seeds: 42 },
    { path: "a/train", text: "piano, felt like a slow train; take 128128", models: ["large-stereo"] },
    { path: "greedy", text: "cello", ranges: [[3, 0, null, null, 10]], seeds: null, notes: "a slow bow" },
  ];
  for (const [q, ...found] of [
    ['"felt piano"', "waltz"],
    ['"felt pia', "waltz"],
    ["“felt piano”", "waltz"],
    ['"pian"'],
    ["felt-piano", "waltz"],
    ["-slow", "a/piano"],
    ["piano -slow", "a/piano"],
    ["piano -slo", "waltz", "a/piano", "a/train"],
    ['-"felt piano" piano', "a/piano", "a/train"],
    ["#calm", "waltz", "a/piano"],
    ["#cal", "waltz", "a/piano"],
    ['#"sound effect"', "waltz"],
    ["#sound-effect", "waltz"],
    ["tag:calm -tag:sound-effect", "a/piano"],
    ["@octocat", "waltz"],
    ["author:octocat", "waltz"],
    ["model:large", "a/piano"],
    ["MODEL:large-s", "a/train"],
    ["-model:small piano", "a/train"],
    ["folder:a", "a/piano", "a/train"],
    ["state:sketch"],
    ["guidance:7", "waltz"],
    ["cfg_coef:7", "waltz"],
    ["guidance:3", "waltz", "a/piano", "a/train", "greedy"],
    ["-guidance:7 piano -train", "a/piano"],
    ["temperature:0..0.9", "waltz", "greedy"],
    ["temperature:..0.9 guidance:4..", "waltz"],
    ["top_k:250 top-p:0", "waltz", "a/piano", "a/train"],
    ["duration:30s", "waltz"],
    ["stride:18", "waltz"],
    ["extend_stride:18", "waltz"],
    ["guidance:many"],
    ["seed:128128", "waltz"],
    ["128128", "a/train", "waltz"],
    ["seed:42", "waltz", "a/piano"],
    ["seed:42 guidance:7", "waltz"],
    // All of it of one and the same clip.
    ["seed:42 guidance:3 piano", "a/piano"],
    ["seed:1", "a/train"],
    ["nowhere:slow"],
    ["http://felt"],
  ]) {
    test(q, async () => {
      const { paths } = await searchAmong(prompts);
      assert.deepEqual(paths({ q }), found);
    });
  }

  test("is told with its places, for what is taken out of it", async () => {
    const { look } = await searchAmong(prompts);
    const q = ' felt  -"slow waltz" #calm drum and bass guidance:7';
    const told = Array.from(look({ q }).terms, ({ text, from, to }) => [text, q.slice(from, to)]);
    for (const [text, cut] of told) assert.equal(text, cut);
    assert.deepEqual(
      told.map(([text]) => text),
      ["felt", '-"slow waltz"', "#calm", "drum and bass", "guidance:7"],
    );
  });
});

suite("a clip's key", () => {
  test("finds its prompt, once it was looked up", async () => {
    const { search, paths } = await searchAmong([{ path: "other" }, { path: "cafe" }]);
    assert.deepEqual(paths({ q: "c0ffee00" }), []);
    assert.equal(await search.findKeys("c0ffee00"), true);
    assert.deepEqual(paths({ q: "C0FFEE00" }), ["cafe"]);
    assert.equal(await search.findKeys("c0ffee00 beef abcdef0123"), false);
  });
});

suite("mistakes", () => {
  const words = ["piano", "guitar", "saxophone", "synth pop", "paint", "rain", "a b"];
  const prompts = words.map((text, place) => ({ path: text, text, tags: place ? [] : ["calm evening"] }));
  for (const [q, taken, ...found] of [
    ["paino", "piano", "piano"],
    ["guittar", "guitar", "guitar"],
    ["gitar", "guitar", "guitar"],
    ["guitra", "guitar", "guitar"],
    ["saxofone", "saxophone", "saxophone"],
    // What is still being typed may have a mistake in its beginning.
    ["saxiph", "saxophone", "saxophone"],
    ["synthpop", "synth pop", "synth pop"],
    ["#evenning"],
    ["#calmevenin", "", "piano"],
    ["#calmevennig", "calm evening", "piano"],
    // What is said is not taken for something else; short words, numbers and phrases are not guessed.
    ["rai", "", "rain"],
    ["rin"],
    ["pian0"],
    ['"paino"'],
    ["-paino rain", "", "rain"],
    ["xylophone"],
  ]) {
    test(q, async () => {
      const { look } = await searchAmong(prompts);
      const { paths, terms } = look({ q });
      assert.deepEqual([...paths], found);
      assert.equal(terms[0].taken, taken ?? "");
    });
  }

  test("what is further away is offered", async () => {
    const { search } = await searchAmong(prompts);
    assert.equal(search.near("saxxofone"), "saxophone");
    assert.equal(search.near("zzzzzzz"), "");
  });
});

suite("ranking", () => {
  test("a title goes before tags, these before the text, and the notes come last", async () => {
    const { paths } = await searchAmong([
      { path: "notes", text: "x", notes: "of bells" },
      { path: "text", text: "bells at night" },
      { path: "tag", text: "x", tags: ["bells"] },
      { path: "title", text: "x", title: "The bells" },
      { path: "both", text: "bells", title: "Bells" },
    ]);
    assert.deepEqual(paths({ q: "bells" }), ["title", "both", "tag", "text", "notes"]);
  });
  test("more words in better places go first", async () => {
    const { paths } = await searchAmong([
      { path: "one", text: "slow bells" },
      { path: "two", text: "slow", title: "Bells" },
      { path: "three", text: "x", title: "Slow bells" },
    ]);
    assert.deepEqual(paths({ q: "slow bells" }), ["three", "two", "one"]);
  });
});

suite("completions", () => {
  const prompts = [
    { path: "1", text: "felt piano, pianissimo", tags: ["piano duo", "calm"] },
    { path: "2", text: "piano and pipes", tags: ["calm", "choir"], author: "OctoCat" },
  ];
  for (const [q, ...found] of [
    ["pi", "piano", "pianissimo", "pipes", '#"piano duo"'],
    ["felt pi", "felt piano", "felt pianissimo", "felt pipes", 'felt #"piano duo"'],
    ["-pip", "-pipes"],
    ["#c", "#calm", "#choir"],
    ["slow #", "slow #calm", 'slow #"piano duo"', "slow #choir"],
    ["tag:ca", "tag:calm"],
    ["@", "@octocat"],
    ["guid", "guidance:"],
    ["seed:1"],
    ["nowhere:1"],
    ["piano "],
    ['"pi'],
    [""],
  ]) {
    test(q, async () => {
      const { search } = await searchAmong(prompts);
      assert.deepEqual(Array.from(search.complete(q, 6)), found);
    });
  }
});

suite("takes", () => {
  const key = "0123456789abcdef0123456789abcdef";
  const facts = [
    ["", "small"],
    ["seed", "7"],
  ];
  const takeOf = async (...take) => {
    const { search, all } = await searchAmong([{ path: "lofi/rain", takes: [take] }]);
    return plain(search.takesOf(all[0]))[0];
  };

  test("say all that the player needs", async () => {
    assert.deepEqual(await takeOf(key, 0, 2.5, facts, "guidance 3"), {
      key,
      id: "01234567",
      state: "render",
      length: 2.5,
      pairs: facts,
      facts: "small · seed 7",
      label: "guidance 3",
      audio: `../audio/${key}.mp3`,
      cover: `../audio/${key}.webp`,
      page: "../prompts/lofi/rain/index.html#01234567",
    });
  });
  test("lie where their state's do", async () => {
    assert.equal((await takeOf(key, 1, 1, facts, "")).audio, `../sketches/${key}.mp3`);
  });
  test("or where they say", async () => {
    const { audio, cover } = await takeOf(key, 0, 1, facts, "", "old/a.mp3", "old/a.webp");
    assert.deepEqual([audio, cover], ["../old/a.mp3", "../old/a.webp"]);
  });
  test("have no files while they are pending", async () => {
    const { audio, cover } = await takeOf(key, 2, 1, facts, "");
    assert.deepEqual([audio, cover], ["", ""]);
  });
});
