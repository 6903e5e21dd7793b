// What differs between two clips, in words. gallery/catalogue/differences.py does the same for the pages
// that are written, line by line; both are held to the pairs in tests/support/differences.json.
(() => {
  "use strict";
  // Words of one wording times those of the other, beyond which all that differs is one change: some 500
  // words each. The work grows with their product.
  const MOST_PAIRS = 250_000;

  // Written out, since Python and each browser know letters and spaces of other Unicode versions.
  const SPACES = String.raw`\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`;
  const SIGNS =
    String.raw`!-\/:-@\[-\^\x60\{-~\xa1-\xa8\xab-\xad\xaf-\xb1\xb4\xb6-\xb8\xbb\xbf\xd7\xf7` +
    String.raw`\u055a-\u055f\u0589\u058a\u05be\u05c0\u05c3\u05f3\u05f4\u060c\u060d\u061b\u061d-\u061f\u066a-\u066d\u06d4` +
    String.raw`\u0964\u0965\u2010-\u2027\u2030-\u203b\u203d-\u2048\u204a-\u205e\u20a0-\u20cf\u2e00-\u2e7f` +
    String.raw`\u3001-\u3004\u3008-\u3020\u30a0\u30fb\ufe10-\ufe1f\ufe30-\ufe6f` +
    String.raw`\uff01-\uff0f\uff1a-\uff20\uff3b-\uff3e\uff40\uff5b-\uff65`;
  const PICTURES = String.raw`\xa9\xae\u203c\u2049\u2190-\u2bff\u3030\u303d\u3297\u3299\u{1f000}-\u{1faff}`;
  // Chinese, Japanese, Korean, Thai, Lao: each character is a word, as no spaces tell where words end.
  const UNSPACED =
    String.raw`\u0e01-\u0eff\u3005-\u3007\u3021-\u302f\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u9fff` +
    String.raw`\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\u{1b000}-\u{1b16f}\u{20000}-\u{3ffff}`;
  // What belongs to the character before it: accents, vowel signs, colours of skin, styles.
  const MARKS =
    String.raw`\u0300-\u036f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u200c\u20d0-\u20ff\u302a-\u302f` +
    String.raw`\u3099\u309a\uff9e\uff9f\ufe00-\ufe0f\u{1f3fb}-\u{1f3ff}\u{e0020}-\u{e007f}\u{e0100}-\u{e01ef}`;
  const PICTURE = `[${PICTURES}][${MARKS}]*`;
  const LETTER = `[^${SPACES}${SIGNS}${PICTURES}${UNSPACED}]`;
  const MORE = `${LETTER}*(?:[-'’&]${LETTER}+)*`; // lo-fi, don't, r&b
  // What stands between two words has neither: split gives both in turns, words at odd places.
  const WORDS = new RegExp(
    `([A-Za-z]+${MORE}` +
      "|[0-9]+(?:[.,:/][0-9]+)+" + // 0.5, 3/4
      `|${LETTER}${MORE}` +
      `|[${UNSPACED}][${MARKS}]*` +
      String.raw`|[\u{1f1e6}-\u{1f1ff}]{2}|[#*]\ufe0f?\u20e3` + // flags, keys
      String.raw`|${PICTURE}(?:\u200d${PICTURE})*)`,
    "u",
  );
  // What parts the items of a list.
  const PARTING = new RegExp(
    String.raw`([,;:.!?\u060c\u061b\u061f][${SPACES}]+|[\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f])`,
    "u",
  );

  /**
   * The words of a text; pictures, and characters of scripts without spaces, are words as well.
   * @param {string} text
   */
  function words(text) {
    return odd(text.split(WORDS));
  }

  /** @param {string[]} turns */
  function odd(turns) {
    return turns.filter((_, place) => place % 2);
  }

  /**
   * The way from one wording to another: ["=", text], ["-", text], ["+", text] in order.
   * @param {string} before
   * @param {string} after
   */
  function wording(before, after) {
    /** @type {Step[]} */
    const steps = [];
    let told = 0;
    for (const change of changesOf(before.split(WORDS), after.split(WORDS))) {
      add(steps, "=", before.slice(told, change.at));
      tell(steps, before.slice(change.at, change.end), after.slice(change.newAt, change.newEnd));
      told = change.end;
    }
    add(steps, "=", before.slice(told));
    return steps;
  }

  /**
   * A part of one text and what stands in its place in the other: from where to where, in words and in
   * characters.
   * @typedef {{ word: number, wordEnd: number, newWord: number, newWordEnd: number, at: number,
   *   end: number, newAt: number, newEnd: number }} Change
   */

  /**
   * How many words a change holds on its longer side.
   * @param {Change} change
   */
  function size(change) {
    return Math.max(change.wordEnd - change.word, change.newWordEnd - change.newWord);
  }

  /**
   * What changes, in order. Both texts are given in turns: what stands between words, a word, and so on.
   * @param {string[]} old
   * @param {string[]} fresh
   */
  function changesOf(old, fresh) {
    // Most differ in a word or two: what both begin and end with is no work.
    const shorter = Math.min(old.length, fresh.length) - 1;
    const start = alike(old, fresh, shorter) & ~1;
    const end = alike([...old].reverse(), [...fresh].reverse(), shorter - start) & ~1;
    let at = old.slice(0, start).join("").length;
    let newAt = at;
    old = old.slice(start, old.length - end);
    fresh = fresh.slice(start, fresh.length - end);

    /** @type {Change[]} */
    const changes = [];
    let word = 0;
    let newWord = 0;
    const last = [(old.length - 1) / 2, (fresh.length - 1) / 2];
    for (const [stays, newStays] of [...longest(odd(old), odd(fresh)), last]) {
      const gone = old.slice(2 * word, 2 * stays + 1);
      const come = fresh.slice(2 * newWord, 2 * newStays + 1);
      const length = gone.join("").length;
      const newLength = come.join("").length;
      if (gone.length !== come.length || gone.some((part, place) => part !== come[place])) {
        // Of what stands between words, all that is the same stays.
        const head = alike(gone[0], come[0], Math.min(gone[0].length, come[0].length));
        const [tailOfGone, tailOfCome] = [gone, come].map((parts) => [...parts[parts.length - 1]].reverse());
        const most = Math.min(tailOfGone.length, tailOfCome.length, length - head, newLength - head);
        const tail = alike(tailOfGone, tailOfCome, most);
        let change = {
          word,
          wordEnd: stays,
          newWord,
          newWordEnd: newStays,
          at: at + head,
          end: at + length - tail,
          newAt: newAt + head,
          newEnd: newAt + newLength - tail,
        };
        // What stays between two changes has to hold a word, and as many as the smaller of the two:
        // crumbs between them are harder to read than one change.
        for (let one = changes.pop(); one; one = changes.pop()) {
          if (change.word - one.wordEnd >= Math.max(1, Math.min(size(one), size(change)))) {
            changes.push(one);
            break;
          }
          change = { ...change, word: one.word, newWord: one.newWord, at: one.at, newAt: one.newAt };
        }
        changes.push(change);
      }
      const stayed = old[2 * stays + 1]?.length ?? 0;
      at += length + stayed;
      newAt += newLength + stayed;
      word = stays + 1;
      newWord = newStays + 1;
    }
    return changes;
  }

  /**
   * The places of the words of a longest common subsequence.
   *
   * Where both go on with the same word it stays; else the old word goes if no fewer can stay then, else
   * the new one comes.
   * @param {string[]} old
   * @param {string[]} fresh
   */
  function longest(old, fresh) {
    /** @type {[number, number][]} */
    const pairs = [];
    if (old.length * fresh.length > MOST_PAIRS) return pairs;
    // Hyyrö's bit-parallel search, from the end. Bit n of a row stands for the nth old word from the end,
    // and is 0 where one word more can stay because of it.
    /** @type {Map<string, bigint>} */
    const places = new Map();
    [...old].reverse().forEach((word, place) => {
      places.set(word, (places.get(word) ?? 0n) | (1n << BigInt(place)));
    });
    let row = -1n;
    const rows = [row];
    for (const word of [...fresh].reverse()) {
      const same = row & (places.get(word) ?? 0n);
      row = (row + same) | (row - same);
      rows.push(row);
    }
    let left = old.length;
    let coming = fresh.length;
    while (left && coming) {
      if (old[old.length - left] === fresh[fresh.length - coming]) {
        pairs.push([old.length - left, fresh.length - coming]);
        left--;
        coming--;
      } else if ((rows[coming] >> BigInt(left - 1)) & 1n) left--;
      else coming--;
    }
    return pairs;
  }

  /**
   * How many items, of so many at most, two lists or texts begin with alike.
   * @param {ArrayLike<string>} one
   * @param {ArrayLike<string>} other
   * @param {number} most
   */
  function alike(one, other, most) {
    let at = 0;
    while (at < most && one[at] === other[at]) at++;
    return at;
  }

  /**
   * Adds a change; one list in the place of another, with as many items, item by item.
   * @param {Step[]} steps
   * @param {string} gone
   * @param {string} come
   */
  function tell(steps, gone, come) {
    let items = gone.split(PARTING);
    let others = come.split(PARTING);
    if (items.length !== others.length || odd(items).join("\n") !== odd(others).join("\n")) {
      items = [gone];
      others = [come];
    }
    items.forEach((one, place) => {
      if (one === others[place]) add(steps, "=", one);
      else {
        add(steps, "-", one);
        add(steps, "+", others[place]);
      }
    });
  }

  /**
   * @param {Step[]} steps
   * @param {Step[0]} kind
   * @param {string} text
   */
  function add(steps, kind, text) {
    const last = steps[steps.length - 1];
    if (text && last?.[0] === kind) last[1] += text;
    else if (text) steps.push([kind, text]);
  }

  /**
   * Whether marks help, since something stayed: at least a third of both wordings.
   * @param {Step[]} steps
   */
  function isAlike(steps) {
    /** @param {string} kinds */
    const letters = (kinds) =>
      steps.reduce((sum, [kind, text]) => sum + (kinds.includes(kind) ? words(text).join("").length : 0), 0);
    return letters("=") * 3 >= Math.max(letters("=-"), letters("=+"));
  }

  /**
   * [label, value of a, value of b], the wording first; a value is empty where it is not used.
   * @param {KnownClip} a
   * @param {KnownClip} b
   */
  function between(a, b) {
    /** @type {Difference[]} */
    const found = a.text === b.text ? [] : [["wording", a.text, b.text]];
    const one = new Map(a.values);
    const other = new Map(b.values);
    for (const label of new Set([...one.keys(), ...other.keys()])) {
      const [own, others] = [one.get(label) ?? "", other.get(label) ?? ""];
      if (own !== others) found.push([label, own, others]);
    }
    return found;
  }

  window.gallery.differences = { wording, alike: isAlike, between };
})();
