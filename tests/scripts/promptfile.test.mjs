// A prompt file out of what was typed. That YAML and Python read it back, tests/site/test_add_rules.py holds.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { RULES } from "./rules.mjs";
import { load, plain } from "./support.mjs";

const { promptFile } = load(["promptfile.js"], { GALLERY_RULES: RULES });
const read = (typed, otherwise = "prompt-abc") => plain(promptFile.read(typed, "2026-11-20", otherwise));
const written = (typed) => promptFile.write(promptFile.read({ name: "a", ...typed }, "2026-11-20", ""));

/** The line of a field in the file's text. */
const lineOf = (field, typed) =>
  written(typed)
    .split("\n")
    .find((line) => line.startsWith(`${field}: `))
    ?.slice(field.length + 2);

suite("what was typed", () => {
  test("the fields stand in one order, whatever the form's is", () => {
    const typed = { vary: "", melody: "a.wav", seed: "7", model: "melody", license: "MIT", author: "me" };
    Object.assign(typed, {
      preset: "long",
      tags: "b, a",
      title: "T",
      prompt: "p",
      axis1: "seed",
      notes: "n",
    });
    const order = ["title", "prompt", "tags", "author", "license", "date", "preset", "model", "seed"];
    assert.deepEqual([...read(typed).matter.keys()], [...order, "melody", "vary"]);
  });

  test("what is left empty is no field", () => {
    const blank = { title: " \t", prompt: "\u3000", tags: " , ,", seed: "", author: "\x1f", melody: "\x85" };
    assert.deepEqual([...read(blank).matter.keys()], ["date"]);
  });

  test("white space around a value goes, also what only Python takes for some", () => {
    assert.equal(read({ title: "\x1c\x85 a\u00a0b \u2029" }).matter.get("title"), "a\u00a0b");
    assert.equal(read({ notes: "\n\n a\n b \n" }).notes, "a\n b");
    assert.equal(read({ title: "\ufeffa\u200b" }).matter.get("title"), "\ufeffa\u200b");
  });

  test("tags by commas or lines, each once, as they came", () => {
    assert.deepEqual(read({ tags: "lofi,  piano ,lofi\nr&b,," }).tags, ["lofi", "piano", "r&b"]);
  });

  test("folders by slashes", () => {
    assert.equal(read({ folder: " / lofi // late/ " }).folder, "lofi/late");
    assert.equal(promptFile.pathOf({ folder: "lofi/late", name: "a" }), "prompts/lofi/late/a.md");
    assert.equal(promptFile.pathOf({ folder: "", name: "a" }), "prompts/a.md");
  });

  for (const [typed, expected] of Object.entries({
    1: "1",
    "+1": "1",
    "-1": "-1",
    "007": "7",
    "-0": "-0",
    "1.": "1.0",
    ".5": "0.5",
    "00.50": "0.50",
    "-.5": "-0.5",
    "3.0000000000000001": "3.0000000000000001",
  })) {
    test(`the number ${typed}`, () => {
      assert.deepEqual(read({ seed: typed }).matter.get("seed"), { number: expected });
    });
  }

  const decimals = {
    "0,8": "0.8",
    "1,5": "1.5",
    "-0,25": "-0.25",
    "10s": "10",
    "7,5 sec": "7.5",
    "10 S": "10",
    "1:05": "65",
  };
  for (const [typed, number] of Object.entries(decimals)) {
    test(`what can only mean a number of seconds: ${typed}`, () => {
      assert.deepEqual(read({ duration: typed }).matter.get("duration"), { number });
    });
  }
  test("what could mean others, or has a unit of another field, stays text", () => {
    assert.equal(read({ duration: "1,000" }).matter.get("duration"), "1,000");
    assert.equal(read({ cfg_coef: "10s" }).matter.get("cfg_coef"), "10s");
    assert.equal(read({ cfg_coef: "1:05" }).matter.get("cfg_coef"), "1:05");
  });

  test("tags without their hashes and capitals, a handle without its @", () => {
    assert.deepEqual(read({ tags: "Lo-Fi, # Ambient, #, lo-fi, R&B" }).tags, ["lo-fi", "ambient", "r&b"]);
    for (const author of [" @octocat ", "https://github.com/octocat/", "github.com/octocat"]) {
      assert.equal(read({ author }).matter.get("author"), "octocat");
    }
  });

  test("folders and names as they can only be meant", () => {
    const { folder, name } = read({ folder: "Lo-Fi/Früh am Morgen", name: "My Prompt" });
    assert.equal(`${folder}/${name}`, "lo-fi/fruh-am-morgen/my-prompt");
    assert.equal(read({ name: "日本 rain" }).name, "日本 rain");
    assert.equal(read({ name: "a_b" }).name, "a_b");
    assert.equal(read({ name: "CON" }).name, "CON");
  });

  for (const typed of [".", "+", "1e1", "0x1f", "1_000", "1,5", "−1", "١", "1 2", "loud", "2026-02-30"]) {
    test(`no number, so text: ${typed}`, () => assert.equal(read({ seed: typed }).matter.get("seed"), typed));
  }

  test("a day is one without quotes", () => {
    assert.deepEqual(read({ seed: "2024-02-29" }).matter.get("seed"), { day: "2024-02-29" });
    for (const typed of ["2023-02-29", "0000-01-01", "2026-1-1", "20260101"]) {
      assert.ok(!read({ seed: typed }).matter.get("seed").day, typed);
    }
  });

  test("a grid's values: numbers where the field has numbers, wordings by lines", () => {
    const typed = { axis1: "cfg_coef", axis1values: "1, 2.5\n3,x", axis2: "prompt" };
    const { grid, matter } = read({ ...typed, axis2values: "one, two\n\n three " });
    assert.deepEqual(
      [...grid],
      [
        ["cfg_coef", [{ number: "1" }, { number: "2.5" }, { number: "3" }, "x"]],
        ["prompt", ["one, two", "three"]],
      ],
    );
    assert.deepEqual(matter.get("vary"), grid);
  });

  test("values without an axis are nothing", () => assert.equal(read({ axis1values: "1, 2" }).grid.size, 0));

  test("the combinations of a grid, the last axis fastest", () => {
    const grid = new Map([
      ["seed", ["1", "2"]],
      ["model", ["a", "b"]],
    ]);
    assert.deepEqual(plain(promptFile.cells(grid)), [
      { seed: "1", model: "a" },
      { seed: "1", model: "b" },
      { seed: "2", model: "a" },
      { seed: "2", model: "b" },
    ]);
    assert.deepEqual(plain(promptFile.cells(new Map())), [{}]);
    assert.deepEqual(plain(promptFile.cells(new Map([["seed", []]]))), []);
  });
});

suite("the name of the file", () => {
  const nameOf = (typed) => read(typed).name;

  test("the one that is given", () => assert.equal(nameOf({ name: " mine ", title: "Other" }), "mine"));
  test("of the title, else of the prompt, else of the first wording", () => {
    assert.equal(nameOf({ title: "Für Élise: No. 7", prompt: "piano" }), "fur-elise-no-7");
    assert.equal(nameOf({ prompt: "  felt PIANO!" }), "felt-piano");
    assert.equal(nameOf({ axis1: "prompt", axis1values: "one\ntwo" }), "one");
  });
  test("of 40 letters, without a hyphen at its end", () => {
    assert.equal(nameOf({ title: "x".repeat(50) }), "x".repeat(40));
    assert.equal(nameOf({ title: `${"x".repeat(39)} more` }), "x".repeat(39));
  });
  test("of nothing that could be a letter", () => {
    for (const title of ["琴と尺八", "🎷", "---", ""]) assert.equal(nameOf({ title }), "prompt-abc");
  });
  test("that is free", () => {
    assert.equal(nameOf({ title: "Rain" }), "rain-3");
    assert.equal(nameOf({ title: "Rain", folder: "lofi" }), "rain");
    assert.equal(nameOf({ title: "Train", folder: "lofi" }), "train-2");
  });
  test("that is none of the system's, and no README", () => {
    assert.equal(nameOf({ title: "CON" }), "prompt-con");
    assert.equal(nameOf({ title: "Readme" }), "prompt-readme");
  });
  test("what an object has of its own is no folder", () => {
    assert.equal(promptFile.isTaken("constructor", "name"), false);
    assert.equal(nameOf({ title: "toString", folder: "__proto__" }), "tostring");
  });
  test("which names there can be", () => {
    assert.ok(promptFile.isName("a_1-b"));
    for (const name of ["readme", "con", "A", "a.b", "a b", "", ".."])
      assert.ok(!promptFile.isName(name), name);
  });
});

suite("the text of the file", () => {
  test("whole", () => {
    const typed = { title: "Late train", prompt: "slow beat: felt piano", tags: "lofi, r&b, 90s", seed: "7" };
    Object.assign(typed, { axis1: "cfg_coef", axis1values: "1,3.5", axis2: "prompt" });
    Object.assign(typed, { axis2values: "one\nyes", notes: "Listen.\n" });
    assert.equal(
      written(typed),
      `---
title: Late train
prompt: "slow beat: felt piano"
tags: [lofi, r&b, "90s"]
date: 2026-11-20
seed: 7
vary:
  cfg_coef: [1, 3.5]
  prompt:
    - one
    - "yes"
---
Listen.
`,
    );
  });

  test("without notes it ends with its fields", () => {
    assert.ok(written({ prompt: "rain" }).endsWith("\n---\n"));
    assert.equal(written({ axis1: "seed" }), "---\ndate: 2026-11-20\nvary:\n  seed: []\n---\n");
    assert.equal(written({ axis1: "prompt" }), "---\ndate: 2026-11-20\nvary:\n  prompt: []\n---\n");
  });

  test("plain where YAML reads it as it stands", () => {
    for (const title of ["Late train", "it's 5 o'clock!", "a - b", "a, b; c?", "日本 (寺)", "é 50% + more"]) {
      assert.equal(lineOf("title", { title }), title);
    }
  });

  test("quoted where YAML would read something else", () => {
    const titles = [
      "yes",
      "No",
      "ON",
      "null",
      "true",
      "1",
      "1.0",
      "2026-11-20",
      "- a",
      "a: b",
      "a #b",
      "# a",
    ];
    titles.push(
      "[a]",
      "{a}",
      "*a",
      "&a",
      "!a",
      "|",
      ">",
      "%a",
      "@a",
      "`a`",
      '"a"',
      "'a'",
      "~",
      "?",
      "a:",
      "...",
    );
    for (const title of titles) assert.equal(lineOf("title", { title }), JSON.stringify(title));
  });

  test("in a list, signs that part its items are quoted, too", () => {
    assert.equal(lineOf("tags", { tags: "lofi\na;b\nsound effect" }), '[lofi, "a;b", sound effect]');
  });

  test("what nobody sees is escaped, and so is what ends a line", () => {
    const title = "a\u200bb\u2028c\u202ed\x7fe\xadf\ufeffg\x07h\ni\tj\u2029k\x85l";
    const escaped = "a\\u200bb\\u2028c\\u202ed\\u007fe\\u00adf\\ufeffg\\u0007h\\ni\\tj\\u2029k\\u0085l";
    assert.equal(lineOf("title", { title }), `"${escaped}"`);
  });

  test("what is seen is not", () => {
    assert.equal(lineOf("title", { title: '🎷 "sax" 𝄞 \\n' }), '"🎷 \\"sax\\" 𝄞 \\\\n"');
  });
});
