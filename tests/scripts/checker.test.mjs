// What the form refuses. That it is what `gallery check` refuses, word for word, tests/site/test_add_rules.py
// holds for one value of each kind; here are the limits themselves, and what has no field in the form.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { RULES } from "./rules.mjs";
import { load, plain } from "./support.mjs";

const gallery = load(["promptfile.js", "checker.js"], { GALLERY_RULES: RULES });

/** What the checker finds in a file of these fields: what the file asks for, and the faults by line. */
function check(typed) {
  const fields = { prompt: "rain", name: "fine", ...typed };
  const found = plain(gallery.checkPromptFile(gallery.promptFile.read(fields, "2026-11-20", "otherwise")));
  return { asks: found.asks, faults: found.faults.map(([place, message]) => `${place}: ${message}`) };
}

/** The faults of such a file. */
const faultsOf = (typed) => check(typed).faults;

/** Each file with the faults that it has, none if it is in order. */
function holds(cases) {
  for (const [typed, ...faults] of cases) assert.deepEqual(faultsOf(typed), faults, JSON.stringify(typed));
}

suite("a file in order", () => {
  test("has no faults", () =>
    holds([[{}], [{ title: "T", tags: "lofi, 日本", author: "me", license: "MIT" }]]));
  test("is judged anew each time", () => {
    assert.equal(faultsOf({ prompt: "" }).length, 1);
    assert.deepEqual(faultsOf({}), []);
  });
  test("needs a prompt, or wordings", () => {
    holds([
      [{ prompt: "" }, "prompt: missing"],
      [{ prompt: "", axis1: "prompt", axis1values: "one\ntwo" }],
      [{ prompt: "", axis1: "prompt" }, "vary.prompt: no values"],
    ]);
  });
});

suite("lengths", () => {
  test("of titles, in characters", () => {
    holds([[{ title: "𝄞".repeat(20) }], [{ title: "𝄞".repeat(21) }, "title: long 21/20"]]);
  });
  test("of prompts, as they are once composed", () => {
    holds([
      [{ prompt: "e\u0301".repeat(30) }],
      [{ prompt: "e\u0301".repeat(31) }, "prompt: long 31/30"],
      [{ prompt: "", axis1: "prompt", axis1values: `fine\n${"x".repeat(31)}` }, "vary.prompt[2]: long 31/30"],
    ]);
  });
  test("of lists and folders", () => {
    holds([
      [{ tags: "a,b,c" }],
      [{ tags: "a,b,c,d" }, "tags: tags 4/3"],
      [{ folder: "a/b" }],
      [{ folder: "a/b/c" }, "folder: folders over 2"],
    ]);
  });
  test("of notes: characters, lines, and signs that cost Markdown much", () => {
    holds([
      [{ notes: "x".repeat(50) }],
      [{ notes: "x".repeat(51) }, "notes: long notes 51/50"],
      [{ notes: "a\nb\nc\nd" }],
      [{ notes: "a\nb\nc\nd\ne" }, "notes: lines 5/4"],
      [{ notes: "[[[***" }],
      [{ notes: "[[[[***" }, "notes: 4 of [, 3 at most"],
      [{ notes: "[[[[****" }, "notes: 4 of [, 3 at most", "notes: 4 of *, 3 at most"],
    ]);
  });
});

suite("characters", () => {
  test("that nobody sees", () => {
    holds([
      [{ title: "a\u202eb" }, "title: hidden U+202E"],
      [{ tags: "a,b\u200bc" }, "tags[2]: hidden U+200B", 'tags[2]: "b\\u200bc" is not a tag'],
      [{ notes: "a\x07b" }, "notes: hidden in notes U+0007"],
      [{ axis1: "prompt", axis1values: "a\nb\u202e" }, "vary.prompt[2]: hidden U+202E"],
    ]);
  });
  test("that are piled up", () => {
    const pile = (count) => `o${"\u0308".repeat(count)}`;
    holds([
      [{ title: pile(3) }],
      [{ title: pile(4) }, "title: over 3 marks"],
      // A pile is told, not its length.
      [{ prompt: pile(60) }, "prompt: over 3 marks"],
      // Vowel signs of Thai are marks for Unicode, but none that combine.
      [{ title: "ก\u0e34\u0e34\u0e34\u0e34" }],
      // Marks of several kinds are one pile.
      [{ title: "o\u0308\u0345\u0301\u0308" }, "title: over 3 marks"],
    ]);
  });
});

suite("forms", () => {
  test("of tags, each at its place", () => {
    holds([
      [{ tags: "fine, no_t, no way" }, 'tags[2]: "no_t" is not a tag', 'tags[3]: "no way" is not a tag'],
    ]);
  });
  test("of authors and licences", () => {
    holds([
      [{ author: "m@e" }, 'author: "m@e" is not a handle'],
      [{ license: "mine" }, 'license: "mine" is not an identifier'],
    ]);
  });
  test("of names", () => {
    holds([
      [{ name: "é日" }, 'name: "é日" is no name'],
      [{ name: "readme" }, 'name: "readme" is no name'],
      [{ folder: "readme" }],
      [{ folder: "a/con" }, 'folder: "con" is no name'],
      [{ name: "rain" }, "name: prompts/rain.md is there"],
      [{ name: "train", folder: "lofi" }, "name: prompts/lofi/train.md is there"],
      [{ name: "train" }],
    ]);
  });
  test("a fault is told once, however many have it", () => {
    holds([[{ folder: "日/日" }, 'folder: "日" is no name']]);
  });
});

suite("numbers", () => {
  test("within their bounds, and on them", () => {
    holds([
      [{ cfg_coef: "0" }],
      [{ cfg_coef: "20" }],
      [{ cfg_coef: "20.000001" }, "cfg_coef: 20.000001 is not 0 to 20"],
      [{ cfg_coef: "-0.0" }],
      [{ cfg_coef: "-0.5" }, "cfg_coef: -0.5 is not 0 to 20"],
      [{ duration: "0" }, "duration: 0 is not 0 < to 600"],
      [{ extend_stride: "30" }, "extend_stride: 30 is not 0 < to < 30"],
      [{ extend_stride: "29.999" }],
      [{ seed: "4294967295" }],
      [{ seed: "4294967296" }, "seed: 4294967296 is not 0 to 4294967295"],
    ]);
  });
  test("of their kind", () => {
    holds([
      [{ seed: "1.0" }, "seed: 1.0 is not a whole number"],
      [{ seed: "many" }, 'seed: "many" is not a whole number'],
      [{ cfg_coef: "2026-11-20" }, "cfg_coef: 2026-11-20 is not a number"],
      [{ axis1: "seed", axis1values: "1, x" }, 'vary.seed[2]: "x" is not a whole number'],
    ]);
  });
  test("without end", () => {
    const digits = "9".repeat(400);
    holds([
      [{ cfg_coef: `${digits}.5` }, "cfg_coef: inf is unusable"],
      [{ cfg_coef: `-${digits}.5` }, "cfg_coef: -inf is unusable"],
      [{ seed: digits }, `seed: digits of "${digits.slice(0, 57)}..."`],
      [{ cfg_coef: "9".repeat(40) }, "cfg_coef: a number of more than 20 digits is not 0 to 20"],
      [{ cfg_coef: "9".repeat(20) }, `cfg_coef: ${"9".repeat(20)} is not 0 to 20`],
    ]);
  });
  test("as Python writes them", () => {
    for (const [typed, shown] of [
      ["21.50", "21.5"],
      ["-0.00001", "-1e-05"],
      ["10000000000000000.5", "1e+16"],
      ["1000000000000000.5", "1000000000000000.5"],
      ["123456789012345678901234567890.5", "1.2345678901234568e+29"],
      ["21.", "21.0"],
    ]) {
      assert.deepEqual(faultsOf({ cfg_coef: typed }), [`cfg_coef: ${shown} is not 0 to 20`]);
    }
  });
});

suite("values in messages", () => {
  test("are cut, by characters", () => {
    const author = "🎷".repeat(61);
    holds([[{ author }, `author: "${"🎷".repeat(57)}..." is not a handle`]]);
    assert.ok(faultsOf({ author: `m${"@".repeat(59)}` })[0].includes("@".repeat(59)));
  });
  test("have nothing unseen in them, and no command", () => {
    holds([
      [{ author: "a\u00a0b\u2028c" }, 'author: "a\\u00a0b\\u2028c" is not a handle'],
      [{ author: "##[group]" }, 'author: "##\\u005bgroup]" is not a handle'],
    ]);
  });
});

suite("models", () => {
  const near = (typed) => {
    const found = /did you mean (.*)\?/.exec(faultsOf({ axis1: "model", axis1values: typed })[0]);
    return found?.[1];
  };
  test("that are near are offered", () => {
    assert.equal(near("smal"), "small");
    assert.equal(near("medoly"), "melody");
    assert.equal(near("audio"), "audiogen");
  });
  test("or what begins so", () => assert.equal(near("s"), "small"));
  test("of two that are as near, the later one", () => {
    const models = { abc: RULES.models.small, abd: RULES.models.small, aba: RULES.models.small };
    const { promptFile, checkPromptFile } = load(["promptfile.js", "checker.js"], {
      GALLERY_RULES: { ...RULES, models },
    });
    const typed = { prompt: "rain", axis1: "model", axis1values: "ab" };
    const { faults } = checkPromptFile(promptFile.read(typed, "2026-11-20", "a"));
    assert.match(faults[0][1], /did you mean abd\?/);
  });
  test("or none", () => assert.equal(near("Ω"), undefined));
  test("all are named", () => {
    holds([[{ axis1: "model", axis1values: "Ω" }, 'vary.model[1]: no model "Ω": small, melody, audiogen']]);
  });
});

suite("melodies", () => {
  const melody = (name, folder = "") => faultsOf({ model: "melody", melody: name, folder });

  test("are files of some kinds", () => {
    assert.deepEqual(melody("tune.WAV"), []);
    for (const name of ["tune", "tune.mid", ".wav", "tune.", "wav"]) {
      assert.deepEqual(melody(name), [`melody: "${name}" is none of .mp3, .wav`]);
    }
  });
  test("within the prompts", () => {
    assert.deepEqual(melody("../tune.wav", "lofi"), []);
    assert.deepEqual(melody("a/../tune.wav"), []);
    for (const name of ["../tune.wav", "/tune.wav", "a/../../tune.wav", "./../b/tune.wav"]) {
      assert.deepEqual(melody(name), [`melody: "${name}" lies outside`]);
    }
  });
  test("or known by their digests", () => {
    assert.deepEqual(melody(`sha256:${"0a".repeat(32)}`), []);
    assert.deepEqual(melody("sha256:0a"), ['melody: "sha256:0a" is no sha256:']);
  });
  test("for models that take one", () => {
    holds([[{ melody: "tune.wav" }, "melody: small takes no melody: melody"]]);
    const both = { axis1: "model", axis1values: "melody, small", melody: "tune.wav" };
    assert.deepEqual(check(both), {
      asks: { clips: 2, seconds: 20 },
      faults: ["melody: small takes no melody: melody"],
    });
  });
});

suite("what a file asks for", () => {
  const asks = (typed) => check(typed).asks;

  test("one clip of the usual length", () => assert.deepEqual(asks({}), { clips: 1, seconds: 10 }));
  test("as long as it says, else as its preset says", () => {
    assert.deepEqual(asks({ duration: "2.5" }), { clips: 1, seconds: 2.5 });
    assert.deepEqual(asks({ preset: "long" }), { clips: 1, seconds: 50 });
    assert.deepEqual(asks({ preset: "long", duration: "3" }), { clips: 1, seconds: 3 });
  });
  test("a clip for each combination", () => {
    const grid = { axis1: "duration", axis1values: "1, 2, 3", axis2: "seed", axis2values: "1, 2" };
    assert.deepEqual(asks(grid), { clips: 6, seconds: 12 });
    assert.deepEqual(asks({ ...grid, duration: "40" }), { clips: 6, seconds: 12 });
  });
  test("no more than there may be, which is not said of a grid that is too large", () => {
    assert.deepEqual(check({ axis1: "seed", axis1values: "1,2,3,4,5,6,7" }), {
      asks: null,
      faults: ["vary: clips 7/6"],
    });
  });
  test("no longer than the model makes, or the gallery", () => {
    holds([
      [{ duration: "60" }],
      [{ duration: "60.5" }, "duration: 60.5 is over the gallery's 60"],
      [{ duration: "20.0000001", model: "audiogen" }, "duration: 20 is over the 20 of audiogen"],
      [{ preset: "long", model: "audiogen" }, "duration: 50 is over the 20 of audiogen"],
      [{ axis1: "duration", axis1values: "1, 61" }, "vary.duration: 61 is over the gallery's 60"],
    ]);
    assert.equal(asks({ duration: "61" }), null);
  });
  test("a stride within the model's window", () => {
    holds([
      [{ extend_stride: "10", model: "audiogen" }, "extend_stride: stride 10 of 10 of audiogen"],
      [{ extend_stride: "9.5", model: "audiogen" }],
      [{ preset: "short", model: "audiogen" }],
      [
        { axis1: "model", axis1values: "small, audiogen", axis2: "extend_stride", axis2values: "5, 18" },
        "vary.extend_stride: stride 18 of 10 of audiogen",
      ],
    ]);
  });
  test("nothing that can be said while a length is wrong", () => {
    assert.equal(asks({ duration: "long" }), null);
    assert.equal(asks({ axis1: "seed", axis1values: "x" }), null);
    assert.deepEqual(asks({ title: "x".repeat(21) }), { clips: 1, seconds: 10 });
  });
});
