// The steps from one wording to another, by the pairs that the Python side is held to as well.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { load, plain } from "./support.mjs";

const { differences } = load(["differences.js"]);
const pairs = JSON.parse(readFileSync(new URL("../support/differences.json", import.meta.url), "utf8"));

/** One of two wordings, out of the steps between them. */
function side(steps, own) {
  return steps
    .filter(([kind]) => "=".concat(own).includes(kind))
    .map(([, text]) => text)
    .join("");
}

suite("the way from one wording to another", () => {
  for (const { about, steps } of pairs) {
    test(about, () => {
      assert.deepEqual(plain(differences.wording(side(steps, "-"), side(steps, "+"))), steps);
    });
  }
});

suite("whether marks help", () => {
  const alike = (before, after) => differences.alike(differences.wording(before, after));

  test("a third of both has to stay", () => {
    assert.ok(alike("rain on tin", "rain at sea"));
    assert.ok(!alike("rain on tin", "rain upon the open sea"));
    assert.ok(!alike("rain upon the open sea", "rain on tin"));
  });
  test("signs and spaces don't count", () => assert.ok(!alike("a, , , , , b", "c, , , , , d")));
  test("in any script", () => {
    assert.ok(alike("静かな雨", "静かな雪"));
    assert.ok(!alike("静かな雨", "賑やかな町の夜"));
  });
  test("of nothing, nothing went", () => assert.ok(alike("", "")));
});

suite("what differs between two clips", () => {
  const clip = (text, ...values) => ({ text, values });

  test("nothing", () => {
    assert.deepEqual(plain(differences.between(clip("a", ["seed", "1"]), clip("a", ["seed", "1"]))), []);
  });
  test("the wording first, then what either uses", () => {
    const one = clip("a", ["model", "small"], ["seed", "1"]);
    const other = clip("b", ["seed", "2"], ["guidance", "3"], ["model", "small"]);
    assert.deepEqual(plain(differences.between(one, other)), [
      ["wording", "a", "b"],
      ["seed", "1", "2"],
      ["guidance", "", "3"],
    ]);
  });
});
