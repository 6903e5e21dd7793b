// Which pairs a day has: the same for everyone, by the date and a hash of the pairs' keys alone.
(() => {
  "use strict";

  /**
   * FNV-1a of 32 bits, stirred as MurmurHash3 ends: near texts have far hashes.
   * @param {string} text - ASCII
   */
  function hash(text) {
    let sum = 0x811c9dc5;
    for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
    sum = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b);
    sum = Math.imul(sum ^ (sum >>> 13), 0xc2b2ae35);
    return (sum ^ (sum >>> 16)) >>> 0;
  }

  /** @type {Gallery["choosePairs"]} */
  window.gallery.choosePairs = (pairs, day, amount) => {
    const ranked = pairs
      .map((pair) => ({ pair, rank: hash(`${day} ${pair[0]} ${pair[1]}`) }))
      .sort((one, other) => one.rank - other.rank || (one.pair[0] < other.pair[0] ? -1 : 1));
    // What differs should be another thing in every round, as far as there are as many.
    /** @type {Map<string, number>} */
    const turns = new Map();
    const placed = ranked.map(({ pair }) => {
      const turn = turns.get(pair[2]) ?? 0;
      turns.set(pair[2], turn + 1);
      return { pair, turn };
    });
    placed.sort((one, other) => one.turn - other.turn);
    return placed.slice(0, amount).map(({ pair }) => pair);
  };
})();
