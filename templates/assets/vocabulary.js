// The words that a gallery's prompts say: which of them is meant by one that none says, and which begin so.
// Loaded with the index, when the search is used first.
(() => {
  "use strict";
  const { gallery } = window;
  const SHORTEST = 4; // shorter words are not guessed
  const MOST = 20; // letters of a word that are compared

  /**
   * Which letters a word has, a bit for each: words that differ in many are not compared any closer.
   * @param {string} word
   */
  function lettersOf(word) {
    let letters = 0;
    for (let at = 0; at < word.length; at++) {
      const place = word.charCodeAt(at) - 97;
      letters |= 1 << (place >= 0 && place < 26 ? place : 26 + (word.charCodeAt(at) % 6));
    }
    return letters;
  }

  /** @param {number} bits */
  function amount(bits) {
    let left = bits;
    let found = 0;
    for (; left; found++) left &= left - 1;
    return found;
  }

  /**
   * How many letters have to be put in, left out, changed, or swapped with the next: more than `most` is not
   * counted to the end.
   * @param {string} a
   * @param {string} b
   * @param {number} most
   */
  function distance(a, b, most) {
    if (Math.abs(a.length - b.length) > most) return most + 1;
    /** @type {number[]} */
    let before = [];
    let row = Array.from({ length: b.length + 1 }, (_, place) => place);
    for (let i = 1; i <= a.length; i++) {
      const next = [i];
      let least = i;
      for (let j = 1; j <= b.length; j++) {
        const change = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
        let cost = Math.min(row[j] + 1, next[j - 1] + 1, change);
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
          cost = Math.min(cost, before[j - 2] + 1);
        }
        next.push(cost);
        least = Math.min(least, cost);
      }
      if (least > most) return most + 1;
      [before, row] = [row, next];
    }
    return row[b.length];
  }

  /** @type {Vocabulary["allowed"]} */
  function allowed(word) {
    if (word.length < SHORTEST || word.length > MOST || /[\d\s]/.test(word)) return 0;
    return word.length < 2 * SHORTEST ? 1 : 2;
  }

  /**
   * How far a word is from another, or from its beginning; the first letter is hardly ever the wrong one.
   * @param {string} word
   * @param {string} other
   * @param {number} most
   * @param {boolean} isBegun
   */
  function farness(word, other, most, isBegun) {
    const rank = (/** @type {number} */ far) => (far > most ? Infinity : 4 * far);
    const far = rank(distance(word, other, most)) + (word[0] === other[0] ? 0 : 2);
    if (!isBegun || word[0] !== other[0] || other.length <= word.length) return far;
    const lengths = [word.length - 1, word.length, word.length + 1];
    const begun = lengths.map((length) => distance(word, other.slice(0, length), 1));
    return Math.min(far, 4 * Math.min(...begun) + (Math.min(...begun) > 1 ? Infinity : 1));
  }

  /** @type {Gallery["makeVocabulary"]} */
  function makeVocabulary(prompts) {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const { sought } of prompts) {
      for (const word of sought.split(" ")) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    counts.delete("");
    const frequent = [...counts].sort((a, b) => b[1] - a[1]);
    const words = frequent.map(([word]) => word).filter((word) => word.length > 2 && !/\d/.test(word));
    const letters = words.map(lettersOf);
    const all = ` ${frequent.map(([word]) => word).join(" ")} `;
    /** @type {Map<string, string>} */
    const known = new Map();

    /**
     * @param {string} word
     * @param {number} most
     * @param {boolean} isBegun
     */
    function closest(word, most, isBegun) {
      const own = lettersOf(word);
      let found = "";
      let least = Infinity;
      for (let at = 0; at < words.length; at++) {
        const lacks = own & ~letters[at];
        // A letter that is swapped or doubled leaves them as they were; one that is changed makes two.
        if (amount(isBegun ? lacks : own ^ letters[at]) > 2 * most) continue;
        if (!isBegun && Math.abs(words[at].length - word.length) > most) continue;
        const far = farness(word, words[at], most, isBegun);
        if (far < least) [found, least] = [words[at], far];
      }
      return found || apart(word);
    }

    /**
     * Two words that are written as one.
     * @param {string} word
     */
    function apart(word) {
      for (let at = 3; at <= word.length - 3; at++) {
        const two = `${word.slice(0, at)} ${word.slice(at)}`;
        const isSaid = two.split(" ").every((each) => counts.has(each));
        if (isSaid && prompts.some(({ sought }) => sought.includes(` ${two} `))) return two;
      }
      return "";
    }

    return {
      allowed,
      has: (part) => all.includes(part),
      near: (word, isBegun, most = allowed(word)) => {
        if (!most) return "";
        const asked = `${word} ${most} ${isBegun}`;
        const found = known.get(asked) ?? closest(word, most, isBegun);
        known.set(asked, found);
        return found;
      },
      nearOf: (word, others) => {
        const most = allowed(word);
        const near = others
          .map((other) => ({ other, far: most ? distance(word, other, most) : 1 }))
          .filter(({ far }) => far <= most);
        return near.sort((a, b) => a.far - b.far)[0]?.other ?? "";
      },
      complete: (begun, most) => {
        const found = [];
        for (const word of words) {
          if (word.startsWith(begun) && word !== begun) found.push(word);
          if (found.length === most) break;
        }
        return found;
      },
    };
  }

  gallery.makeVocabulary = makeVocabulary;
})();
