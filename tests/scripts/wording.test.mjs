// A prompt woven out of its takes' wordings, and which take a word leads to.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { load, plain } from "./support.mjs";

const page = { document: { querySelectorAll: () => [], querySelector: () => null } };
const { differences, weave, choose } = load(["differences.js", "wording.js"], page);

/** The prompt as it is woven, and each take's text read back out of it. */
function woven(before, ...takes) {
  const parts = weave(takes.map((take) => differences.wording(before, take)));
  takes.forEach((take, place) => {
    assert.equal(parts.map((texts) => texts[texts.length > 1 ? place : 0]).join(""), take);
  });
  return plain(parts);
}

suite("a prompt is woven", () => {
  test("words that come at its end", () => {
    assert.deepEqual(
      woven("a beat, 82 bpm", "a beat, 82 bpm", "a beat, 82 bpm, lo-fi", "a beat, 82 bpm, 320 kbps"),
      [["a beat, 82 bpm"], ["", ", lo-fi", ", 320 kbps"]],
    );
  });
  test("words for each other", () => {
    assert.deepEqual(
      woven("slow koto, garden", "slow koto, garden", "slow flute, garden", "slow koto and flute, garden"),
      [["slow "], ["koto", "flute", "koto and flute"], [", garden"]],
    );
  });
  test("several places", () => {
    assert.deepEqual(
      woven("piano in rain", "piano in rain", "soft piano in rain", "piano in snow", "soft piano in snow"),
      [["", "soft ", "", "soft "], ["piano in "], ["rain", "rain", "snow", "snow"]],
    );
  });
  test("takes that are all the prompt", () => assert.deepEqual(woven("a b", "a b", "a b"), [["a b"]]));
  test("none of which is the prompt", () => {
    assert.deepEqual(woven("one two three", "one three", "one two"), [["one "], ["three", "two"]]);
  });
});

suite("a word leads to the take", () => {
  const places = [
    ["", "soft ", "", "soft "],
    ["rain", "rain", "snow", "snow"],
  ];
  test("that is otherwise the same", () => {
    assert.equal(choose(places, 1, "snow", 1), 3);
    assert.equal(choose(places, 0, "", 3), 2);
  });
  test("or to none", () => assert.equal(choose(places, 1, "", 0), -1));
});
