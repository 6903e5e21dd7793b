// A prompt file out of what was typed: which fields it has, and its text. Whatever is typed comes out
// of the text again as it was, for text is quoted where YAML would read something else in it; what can only
// mean one thing is written as that.
(() => {
  "use strict";
  const { gallery, GALLERY_RULES: rules } = window;
  // What Python takes for white space, which the checker strips.
  const SPACE = String.raw`[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+`;
  const EDGES = new RegExp(`^${SPACE}|${SPACE}$`, "g");
  // Text that YAML reads as itself without quotes, in a list and outside of one.
  const PLAIN_IN_LIST = /^\p{L}[\p{L}\p{M}\p{N} .'()&/+_-]*$/u;
  const PLAIN = /^\p{L}[\p{L}\p{M}\p{N} .,;!?%'()&/+_-]*$/u;
  const WORD_OF_YAML = /^(y|yes|n|no|true|false|on|off|null)$/i;
  // What is not to be seen, or ends a line: escaped, beyond what JSON escapes.
  const UNSEEN = /[\x7f-\x9f\xad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]/g;

  /** @param {string} [text] */
  function strip(text = "") {
    return text.replace(EDGES, "");
  }

  /**
   * @param {string | undefined} text
   * @param {string | RegExp} between
   */
  function parts(text, between) {
    return (text ?? "").split(between).map(strip).filter(Boolean);
  }

  /** @param {string} text */
  function isDay(text) {
    if (!/^(?!0000)\d{4}-\d\d-\d\d$/.test(text)) return false;
    const day = new Date(text);
    return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
  }

  /**
   * The number that a text can only mean, as the checker offers it: 0,8 is 0.8, and 10s is 10.
   * @param {string} text
   * @param {NumberRule} rule
   */
  function meant(text, rule) {
    const { comma, seconds, clock } = rules.meant;
    let found = text;
    if (rule.unit === "s") {
      found = found.toLowerCase().replace(new RegExp(seconds), "$1");
      found = found.replace(new RegExp(clock), (_, minutes, rest) => String(60 * minutes + Number(rest)));
    }
    if (!rule.whole) found = found.replace(new RegExp(comma), "$1.$2");
    return /^[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?$/.test(found) ? found : text;
  }

  /**
   * A decimal number as YAML and Python write it. A day is one without quotes, too; any other text
   * stays text.
   * @param {string} typed
   * @param {NumberRule} rule
   * @returns {FileValue}
   */
  function number(typed, rule) {
    if (isDay(typed)) return { day: typed };
    const text = meant(typed, rule);
    const [, sign, digits, fraction] = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text) ?? [];
    if (!digits && !fraction) return text;
    const whole = digits.replace(/^0+(?=\d)/, "") || "0";
    const minus = sign === "-" ? "-" : "";
    return { number: minus + whole + (fraction === undefined ? "" : `.${fraction || "0"}`) };
  }

  // ---- the names of the file

  /** @type {PromptFiles["isName"]} */
  function isName(name) {
    return new RegExp(rules.forms.name[0]).test(name) && name !== "readme";
  }

  /** @type {PromptFiles["isTaken"]} */
  function isTaken(folder, name) {
    return Object.hasOwn(rules.names, folder) && rules.names[folder].includes(name);
  }

  /**
   * Lowercase words with hyphens between; what is not of ASCII goes.
   * @param {string} text
   */
  function hyphened(text) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: of ASCII, all
    const ascii = text.normalize("NFKD").replace(/[^\x00-\x7f]/g, "");
    return ascii
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "");
  }

  /**
   * A free name made of a text, as the commands make them.
   * @param {string} text
   * @param {string} folder
   * @param {string} otherwise
   */
  function nameFor(text, folder, otherwise) {
    const short = hyphened(text).slice(0, 40).replace(/-$/, "") || otherwise;
    const slug = isName(short) ? short : `prompt-${short}`;
    let name = slug;
    for (let count = 2; isTaken(folder, name); count++) name = `${slug}-${count}`;
    return name;
  }

  /**
   * The name that one can only mean, as the checker offers it; else the name itself.
   * @param {string} name
   */
  function nameMeant(name) {
    const form = new RegExp(rules.forms.name[0]);
    const losesLetters = /(?![A-Za-z0-9])[\p{L}\p{N}]/u.test(name.normalize("NFKD"));
    return form.test(name) || losesLetters || !form.test(hyphened(name)) ? name : hyphened(name);
  }

  // ---- its fields

  /** @type {PromptFiles["read"]} */
  function read(typed, today, otherwise) {
    /** @type {PromptFile["matter"]} */
    const matter = new Map();
    /** @type {PromptFile["grid"]} */
    const grid = new Map();
    /**
     * @param {string} field
     * @param {FileValue} value
     */
    const put = (field, value) => {
      if (value !== "") matter.set(field, value);
    };
    for (const axis of ["axis1", "axis2"]) {
      const field = typed[axis];
      if (!field) continue;
      const texts = parts(typed[`${axis}values`], field === "prompt" ? "\n" : /[,\n]/);
      const rule = rules.numbers[field];
      grid.set(field, rule ? texts.map((text) => number(text, rule)) : texts);
    }
    const tagged = parts(typed.tags, /[,\n]/).map((tag) => tag.replace(/^[# \t\n]+/, "").toLowerCase());
    const tags = [...new Set(tagged.filter(Boolean))];
    put("title", strip(typed.title));
    put("prompt", strip(typed.prompt));
    if (tags.length) matter.set("tags", tags);
    const author = strip(typed.author).replace(/^[@ \t\n]+/, "");
    put("author", author.replace(new RegExp(rules.meant.profile), "$1"));
    put("license", strip(typed.license));
    put("date", { day: today });
    for (const field of ["preset", "model"]) put(field, typed[field] ?? "");
    for (const [field, rule] of Object.entries(rules.numbers)) put(field, number(strip(typed[field]), rule));
    put("melody", strip(typed.melody));
    if (grid.size) matter.set("vary", grid);

    const folder = parts(typed.folder, "/").map(nameMeant).join("/");
    const words = strip(typed.title) || strip(typed.prompt) || String(grid.get("prompt")?.[0] ?? "");
    const typedName = strip(typed.name).replace(/(\.(md|markdown|te?xt))+$/i, "");
    const name = nameMeant(typedName) || nameFor(words, folder, otherwise);
    return { folder, name, matter, tags, grid, notes: strip(typed.notes) };
  }

  /** @type {PromptFiles["pathOf"]} */
  function pathOf({ folder, name }) {
    return `${["prompts", ...(folder ? [folder] : []), name].join("/")}.md`;
  }

  /** @type {PromptFiles["cells"]} */
  function cells(grid) {
    /** @type {Record<string, FileValue>[]} */
    let found = [{}];
    for (const [axis, values] of grid) {
      found = found.flatMap((cell) => values.map((value) => ({ ...cell, [axis]: value })));
    }
    return found;
  }

  // ---- its text

  /** @param {string} text */
  function quoted(text) {
    return JSON.stringify(text).replace(
      UNSEEN,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
  }

  /**
   * @param {FileValue} value
   * @param {RegExp} plain - what needs no quotes
   */
  function scalar(value, plain) {
    if (typeof value !== "string") return value.number ?? value.day;
    return plain.test(value) && !WORD_OF_YAML.test(value) ? value : quoted(value);
  }

  /** @param {FileValue[]} values */
  function list(values) {
    return `[${values.map((value) => scalar(value, PLAIN_IN_LIST)).join(", ")}]`;
  }

  /** @type {PromptFiles["write"]} */
  function write({ matter, notes }) {
    const lines = ["---"];
    for (const [field, value] of matter) {
      if (Array.isArray(value)) lines.push(`${field}: ${list(value)}`);
      else if (value instanceof Map) {
        lines.push(`${field}:`);
        for (const [axis, values] of value) {
          if (axis === "prompt" && values.length) {
            lines.push("  prompt:", ...values.map((text) => `    - ${scalar(text, PLAIN)}`));
          } else lines.push(`  ${axis}: ${list(values)}`);
        }
      } else lines.push(`${field}: ${scalar(value, PLAIN)}`);
    }
    lines.push("---");
    if (notes) lines.push(notes);
    return `${lines.join("\n")}\n`;
  }

  gallery.promptFile = { read, write, cells, pathOf, isName, isTaken };
})();
