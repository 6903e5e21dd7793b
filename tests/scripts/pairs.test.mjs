// The daily listening test: which pairs a day has, and what answers are worth.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { load, plain } from "./support.mjs";

const { choosePairs, odds } = load(["pairs.js", "blind.js"]);
const LABELS = ["guidance", "temperature", "wording"];
const PAIRS = Array.from({ length: 12 }, (_, n) => [`a${n}`, `b${n}`, LABELS[n % 3]]);

/** The numbers of a day's pairs. */
function chosen(day, pairs = PAIRS) {
  return choosePairs(pairs, day, 5).map(([a]) => Number(a.slice(1)));
}

suite("which pairs a day has", () => {
  // For everyone the same, with this release and with the next.
  for (const [day, expected] of [
    ["2026-11-29", [10, 5, 0, 4, 11]],
    ["2026-11-30", [8, 0, 10, 11, 9]],
    ["2026-12-01", [10, 11, 3, 5, 1]],
    ["2028-02-29", [4, 3, 2, 0, 11]],
  ]) {
    test(day, () => assert.deepEqual(plain(chosen(day)), expected));
  }
  test("whatever order they come in", () => {
    assert.deepEqual(plain(chosen("2026-11-30", [...PAIRS].reverse())), plain(chosen("2026-11-30")));
  });
  test("each once, and what differs as varied as it can be", () => {
    for (let day = 1; day <= 28; day++) {
      const five = choosePairs(PAIRS, `2026-02-${String(day).padStart(2, "0")}`, 5);
      assert.equal(new Set(five.map(([a]) => a)).size, 5);
      assert.equal(new Set(five.slice(0, 3).map(([, , label]) => label)).size, 3);
    }
  });
  test("every pair has its day", () => {
    const seen = new Set();
    for (let day = 1; day <= 28; day++) {
      for (const n of chosen(`2026-02-${String(day).padStart(2, "0")}`)) seen.add(n);
    }
    assert.equal(seen.size, PAIRS.length);
  });
});

suite("what answers are worth", () => {
  for (const [right, all, share, said] of [
    [5, 5, 1 / 32, "3 %"],
    [4, 5, 6 / 32, "19 %"],
    [0, 5, 1, "100 %"],
    [5, 9, 0.5, "50 %"],
    [3, 8, 219 / 256, "86 %"],
    [6, 8, 37 / 256, "14 %"],
    [8, 8, 1 / 256, "0.4 %"],
    [16, 16, 1 / 65536, "less than 0.1 %"],
  ]) {
    test(`${right} of ${all}`, () => {
      assert.equal(odds.byChance(right, all), share);
      assert.equal(odds.percent(share).replace("\u00a0", " "), said);
    });
  }
  test("long records stay exact enough", () => assert.ok(Math.abs(odds.byChance(300, 600) - 0.516) < 0.001));
  test("in words", () => {
    assert.match(odds.verdict(8, 8), /You hear a difference\.$/);
    assert.match(odds.verdict(6, 8), /more rounds would tell\.$/);
    assert.match(odds.verdict(4, 8), /no sign of a difference/);
  });
});
