// The checker's findings in a prompt file before there is one: the same rules, in the same words.
(() => {
  "use strict";
  const { gallery, GALLERY_RULES: rules } = window;
  const { cells, isName, isTaken, pathOf } = gallery.promptFile;
  /** @type {PromptFile} */
  let file;
  /** @type {Fault[]} */
  let faults;

  // ---- words

  /**
   * @param {string} name
   * @param {Record<string, string | number>} [parts]
   */
  function say(name, parts = {}) {
    return rules.wording[name].replace(/\{(\w+)\}/g, (_, part) => String(parts[part]));
  }

  /**
   * A number as Python writes it.
   * @param {string} text
   */
  function repr(text) {
    const value = Number(text);
    if (!text.includes(".")) return text === "-0" ? "0" : text;
    if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
    if (Object.is(value, -0)) return "-0.0";
    const [digits, power] = value.toExponential().split("e");
    const exponent = Number(power);
    if (value !== 0 && (exponent < -4 || exponent >= 16)) {
      return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
    }
    return Number.isInteger(value) ? `${value}.0` : String(value);
  }

  /**
   * A number in six digits, as Python's "g" gives it where it needs no exponent.
   * @param {number} value
   */
  function brief(value) {
    return String(Number(value.toPrecision(6)));
  }

  /** @param {string} character */
  function codeOf(character) {
    return (character.codePointAt(0) ?? 0).toString(16).padStart(4, "0");
  }

  /**
   * A value as messages show it: short, on one line, with nothing unseen in it.
   * @param {FileValue} value
   */
  function shown(value) {
    if (typeof value !== "string") {
      if (value.day) return value.day;
      const text = repr(value.number ?? "");
      return /^-?\d{21,}$/.test(text) ? "a number of more than 20 digits" : text;
    }
    const characters = Array.from(value);
    const short = characters.length > 60 ? `${characters.slice(0, 57).join("")}...` : value;
    const seen = short.replace(/[\p{C}\p{Z}]/gu, (character) =>
      character === " " ? " " : `\\u${codeOf(character)}`,
    );
    return `"${seen.replaceAll("##[", "##\\u005b")}"`;
  }

  // ---- names that are near, as Python's difflib finds them

  /**
   * How many letters two names share in blocks, the longest first.
   * @param {string[]} a
   * @param {string[]} b
   * @returns {number}
   */
  function matched(a, b) {
    let best = 0;
    let endA = 0;
    let endB = 0;
    /** @type {number[]} */
    let lengths = [];
    a.forEach((character, i) => {
      /** @type {number[]} */
      const next = [];
      b.forEach((other, j) => {
        if (character !== other) return;
        next[j] = (lengths[j - 1] || 0) + 1;
        if (next[j] > best) [best, endA, endB] = [next[j], i + 1, j + 1];
      });
      lengths = next;
    });
    if (!best) return 0;
    const before = matched(a.slice(0, endA - best), b.slice(0, endB - best));
    return before + best + matched(a.slice(endA), b.slice(endB));
  }

  /**
   * @param {string} name
   * @param {string[]} known
   */
  function didYouMean(name, known) {
    const letters = Array.from(name);
    /** @type {string | undefined} */
    let nearest;
    let most = 0.6;
    for (const other of known) {
      const own = Array.from(other);
      const ratio = (2 * matched(own, letters)) / (own.length + letters.length);
      if (ratio > most || (ratio === most && (nearest === undefined || other > nearest))) {
        [nearest, most] = [other, ratio];
      }
    }
    nearest ??= known.find((other) => other.startsWith(name));
    return nearest === undefined ? "" : say("DID_YOU_MEAN", { name: nearest });
  }

  // ---- one value

  /** @typedef {(place: string, text: string) => void} Check */

  /** @type {Check} */
  function tell(place, message) {
    if (!faults.some((fault) => fault[0] === place && fault[1] === message)) faults.push([place, message]);
  }

  /** @param {RegExp} places */
  function isToldOf(places) {
    return faults.some(([place]) => places.test(place));
  }

  /** @param {string} text */
  function lengthOf(text) {
    return Array.from(text).length;
  }

  /** @param {string} text */
  function hidden(text) {
    const found = new RegExp(rules.hidden, "u").exec(text);
    return found && `U+${codeOf(found[0]).toUpperCase()}`;
  }

  /**
   * Marks that combine change places with the one that stands last of all.
   * @param {string} character
   */
  function isMark(character) {
    return character === "\u0345" || `\u0345${character}`.normalize("NFD")[0] !== "\u0345";
  }

  /** @param {string} text */
  function isPiled(text) {
    if (!new RegExp(`\\p{M}{${rules.marks + 1}}`, "u").test(text)) return false;
    let marks = 0;
    return Array.from(text).some((character) => {
      marks = isMark(character) ? marks + 1 : 0;
      return marks > rules.marks;
    });
  }

  /** @type {Check} */
  function checkCharacters(place, text) {
    const character = hidden(text);
    if (character) tell(place, say("HIDDEN", { character }));
    else if (isPiled(text)) tell(place, say("PILED", { count: rules.marks }));
  }

  /**
   * @param {string} place
   * @param {string} text
   * @param {Form} form
   */
  function checkForm(place, text, [pattern, form]) {
    if (!new RegExp(pattern, "u").test(text)) tell(place, say("NOT_OF_FORM", { value: shown(text), form }));
  }

  /**
   * @param {string} place
   * @param {FileValue} value
   * @param {NumberRule} rule
   */
  function checkNumber(place, value, rule) {
    const written = typeof value === "string" ? undefined : value.number;
    const number = Number(written);
    const isWhole = Boolean(written && !written.includes("."));
    if (written && isWhole && written.replace("-", "").length > rules.digits) {
      tell(place, say("MANY_DIGITS", { value: `"${written.slice(0, 57)}..."` }));
      return;
    }
    const isEndless = !rule.whole && !Number.isFinite(number);
    if (!written || (isWhole ? isEndless : rule.whole)) {
      tell(place, say("NOT_OF_KIND", { value: shown(value), kind: rule.kind }));
    } else if (isEndless) tell(place, say("UNUSABLE_NUMBER", { value: shown(value) }));
    else if (isOutside(number, rule)) {
      tell(place, say("OUT_OF_RANGE", { value: shown(value), bounds: rule.bounds }));
    }
  }

  /**
   * What is not given bounds nothing: no number is less or more than NaN.
   * @param {number} number
   * @param {NumberRule} rule
   */
  function isOutside(number, rule) {
    const { minimum = NaN, maximum = NaN, exclusiveMinimum = NaN, exclusiveMaximum = NaN } = rule;
    return number < minimum || number > maximum || number <= exclusiveMinimum || number >= exclusiveMaximum;
  }

  /** @type {Check} */
  function checkPrompt(place, text) {
    if (isPiled(text)) return;
    const count = lengthOf(text.normalize("NFC"));
    const limit = rules.limits.prompt_length;
    if (count > limit) tell(place, say("TOO_LONG", { count, limit }));
  }

  /** @type {Check} */
  function checkModel(place, name) {
    const known = Object.keys(rules.models);
    if (known.includes(name)) return;
    const near = didYouMean(name, known);
    tell(place, say("NO_MODEL", { value: shown(name), near, known: known.join(", ") }));
  }

  /** @param {string} name */
  function checkMelody(name) {
    const [prefix, digest] = rules.digest;
    if (name.startsWith(prefix)) {
      if (!new RegExp(digest).test(name)) tell("melody", say("NO_DIGEST", { value: shown(name), prefix }));
      return;
    }
    const way = name.split("/").filter((part) => part && part !== ".");
    const last = way[way.length - 1] ?? "";
    const dot = last.lastIndexOf(".");
    const suffix = dot > 0 && dot < last.length - 1 ? last.slice(dot).toLowerCase() : "";
    if (!rules.suffixes.includes(suffix)) {
      tell("melody", `${shown(name)} ${say("NO_MELODY_FILE", { suffixes: rules.suffixes.join(", ") })}`);
    } else if (leadsOut(name, way)) tell("melody", `${shown(name)} ${rules.wording.MELODY_OUTSIDE}`);
  }

  /**
   * @param {string} name
   * @param {string[]} way - its parts
   */
  function leadsOut(name, way) {
    let depth = file.folder ? file.folder.split("/").length : 0;
    return (
      name.startsWith("/") ||
      way.some((part) => {
        depth += part === ".." ? -1 : 1;
        return depth < 0;
      })
    );
  }

  /**
   * @param {string} place
   * @param {string} field
   * @param {FileValue} value
   */
  function checkValue(place, field, value) {
    if (rules.numbers[field]) checkNumber(place, value, rules.numbers[field]);
    if (typeof value !== "string") return;
    if (field === "prompt") checkPrompt(place, value);
    else if (field === "model") checkModel(place, value);
    checkCharacters(place, value);
  }

  // ---- the file

  function checkNames() {
    const [pattern, form] = rules.forms.name;
    const folders = file.folder ? file.folder.split("/") : [];
    if (folders.length > rules.folders) tell("folder", say("MANY_FOLDERS", { count: rules.folders }));
    for (const name of folders) {
      if (!new RegExp(pattern).test(name)) tell("folder", say("NO_NAME", { name: shown(name), form }));
    }
    if (!isName(file.name)) tell("name", say("NO_NAME", { name: shown(file.name), form }));
    if (isTaken(file.folder, file.name)) tell("name", say("TAKEN", { file: pathOf(file) }));
  }

  /**
   * A field's value as text; empty where it has none.
   * @param {string} field
   */
  function textOf(field) {
    const value = file.matter.get(field);
    return typeof value === "string" ? value : "";
  }

  function checkMatter() {
    for (const [field, value] of file.matter) {
      if (field === "tags") checkTags();
      else if (field === "vary") checkGrid();
      else {
        if (rules.forms[field]) checkForm(field, textOf(field), rules.forms[field]);
        checkValue(field, field, /** @type {FileValue} */ (value));
      }
    }
    const title = lengthOf(textOf("title"));
    const limit = rules.limits.tags;
    if (title > rules.title) tell("title", say("TOO_LONG", { count: title, limit: rules.title }));
    if (file.tags.length > limit) tell("tags", say("MANY_TAGS", { count: file.tags.length, limit }));
    if (textOf("melody")) checkMelody(textOf("melody"));
    if (!textOf("prompt") && !file.grid.has("prompt")) tell("prompt", rules.wording.MISSING);
  }

  function checkTags() {
    file.tags.forEach((tag, place) => {
      checkCharacters(`tags[${place + 1}]`, tag);
      checkForm(`tags[${place + 1}]`, tag, rules.forms.tags);
    });
  }

  function checkGrid() {
    for (const [axis, values] of file.grid) {
      if (!values.length) tell(`vary.${axis}`, rules.wording.NO_VALUES);
      values.forEach((value, place) => {
        checkValue(`vary.${axis}[${place + 1}]`, axis, value);
      });
    }
  }

  function checkNotes() {
    const { notes } = file;
    const { lines, signs, most } = rules.notes;
    /**
     * @param {string} word - of what there is too much
     * @param {number} count
     * @param {number} limit
     * @param {string} [sign]
     */
    const limited = (word, count, limit, sign = "") => {
      if (count > limit) tell("notes", say(word, { count, limit, sign }));
    };
    limited("LONG_NOTES", lengthOf(notes), rules.limits.note_length);
    limited("MANY_LINES", notes.split("\n").length, lines);
    for (const sign of signs) limited("MANY_SIGNS", notes.split(sign).length - 1, most, sign);
    const character = hidden(notes);
    if (character) tell("notes", say("HIDDEN_IN_NOTES", { character }));
  }

  // ---- its clips

  /**
   * What is wrong with one clip; how many seconds it lasts.
   * @param {Record<string, unknown>} usual - of the preset
   * @param {Record<string, FileValue>} cell - of the grid
   */
  function checkClip(usual, cell) {
    /**
     * @param {string} field
     * @returns {number | null}
     */
    const value = (field) => {
      const written = cell[field] ?? file.matter.get(field);
      if (written) return Number(/** @type {{ number?: string }} */ (written).number);
      return /** @type {number | null} */ (field in usual ? usual[field] : rules.numbers[field].usual);
    };
    const place = (/** @type {string} */ field) => (field in cell ? `vary.${field}` : field);
    const name = String(cell.model ?? (textOf("model") || Object.keys(rules.models)[0]));
    const model = rules.models[name];
    const duration = value("duration") ?? 0;
    const stride = value("extend_stride");
    if (duration > model.longest) {
      const word = model.short ? "LONG_FOR_MODEL" : "LONG_FOR_GALLERY";
      const parts = { duration: brief(duration), model: name, longest: brief(model.longest) };
      tell(place("duration"), say(word, parts));
    } else if (stride !== null && stride >= model.window) {
      const parts = { stride: brief(stride), model: name, window: brief(model.window) };
      tell(place("extend_stride"), say("LONG_STRIDE", parts));
    } else if (textOf("melody") && !model.melody) {
      const able = Object.keys(rules.models).filter((other) => rules.models[other].melody);
      tell("melody", say("MODEL_WITHOUT_MELODY", { model: name, models: able.join(", ") || "none" }));
    }
    return duration;
  }

  // How many clips the file asks for, and how many seconds; null where that cannot be said.
  function checkClips() {
    const count = [...file.grid.values()].reduce((product, values) => product * values.length, 1);
    const limit = rules.limits.clips_per_prompt;
    if (count > limit) tell("vary", say("MANY_CLIPS", { count, limit }));
    if (isToldOf(/^(vary|duration|extend_stride|melody)/)) return null;
    const usual = rules.presets[textOf("preset")] ?? {};
    const seconds = cells(file.grid).reduce((sum, cell) => sum + checkClip(usual, cell), 0);
    return isToldOf(/^(vary|duration|extend_stride)/) ? null : { clips: count, seconds };
  }

  gallery.checkPromptFile = (given) => {
    file = given;
    faults = [];
    checkNames();
    checkMatter();
    checkNotes();
    return { asks: checkClips(), faults };
  };
})();
