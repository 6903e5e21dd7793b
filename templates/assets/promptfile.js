// A prompt file out of what was typed: which fields it has, and its text. Whatever is typed comes out
// of the text again as it was, for text is quoted where YAML would read something else in it.
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
   * A decimal number as YAML and Python write it. A day is one without quotes, too; any other text
   * stays text.
   * @param {string} text
   * @returns {FileValue}
   */
  function number(text) {
    if (isDay(text)) return { day: text };
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
   * A free name made of a text, as the commands make them.
   * @param {string} text
   * @param {string} folder
   * @param {string} otherwise
   */
  function nameFor(text, folder, otherwise) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: of ASCII, all
    const ascii = text.normalize("NFKD").replace(/[^\x00-\x7f]/g, "");
    const hyphened = ascii.toLowerCase().replace(/[^a-z0-9]+/g, "-");
    const short = hyphened.replace(/^-|-$/g, "").slice(0, 40).replace(/-$/, "") || otherwise;
    const slug = isName(short) ? short : `prompt-${short}`;
    let name = slug;
    for (let count = 2; isTaken(folder, name); count++) name = `${slug}-${count}`;
    return name;
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
      grid.set(field, rules.numbers[field] ? texts.map(number) : texts);
    }
    const tags = [...new Set(parts(typed.tags, /[,\n]/))];
    put("title", strip(typed.title));
    put("prompt", strip(typed.prompt));
    if (tags.length) matter.set("tags", tags);
    for (const field of ["author", "license"]) put(field, strip(typed[field]));
    put("date", { day: today });
    for (const field of ["preset", "model"]) put(field, typed[field] ?? "");
    for (const field of Object.keys(rules.numbers)) put(field, number(strip(typed[field])));
    put("melody", strip(typed.melody));
    if (grid.size) matter.set("vary", grid);

    const folder = parts(typed.folder, "/").join("/");
    const words = strip(typed.title) || strip(typed.prompt) || String(grid.get("prompt")?.[0] ?? "");
    const name = strip(typed.name) || nameFor(words, folder, otherwise);
    return { folder, name, matter, tags, grid, notes: strip(typed.notes) };
  }

  /** @type {PromptFiles["pathOf"]} */
  function pathOf({ folder, name }) {
    return `prompts/${folder ? `${folder}/` : ""}${name}.md`;
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
