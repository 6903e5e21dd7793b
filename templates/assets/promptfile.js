// A prompt file out of what was typed: which fields it has, and its text. Whatever is typed comes out
// of the text again as it was, for text is quoted where YAML would read something else in it.
(function () {
  "use strict";
  var gallery = (window.gallery = window.gallery || {}), rules = window.GALLERY_RULES;
  // What Python takes for white space, which the checker strips.
  var SPACE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
  var EDGES = new RegExp("^" + SPACE + "|" + SPACE + "$", "g");
  // Text that YAML reads as itself without quotes, in a list and outside of one.
  var PLAIN_IN_LIST = /^\p{L}[\p{L}\p{M}\p{N} .'()&/+_-]*$/u, PLAIN = /^\p{L}[\p{L}\p{M}\p{N} .,;!?%'()&/+_-]*$/u;
  var WORD_OF_YAML = /^(y|yes|n|no|true|false|on|off|null)$/i;
  // What is not to be seen, or ends a line: escaped, beyond what JSON escapes.
  var UNSEEN = /[\x7f-\x9f\xad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]/g;

  function strip(text) { return String(text || "").replace(EDGES, ""); }

  function parts(text, between) {
    return String(text || "").split(between).map(strip).filter(Boolean);
  }

  function isDay(text) {
    var day = /^(?!0000)\d{4}-\d\d-\d\d$/.test(text) && new Date(text);
    return Boolean(day) && !isNaN(day) && day.toISOString().startsWith(text);
  }

  // A decimal number as YAML and Python write it, {number: "0.5"}. A day is one without quotes, too,
  // {day: "2026-11-20"}; any other text stays text.
  function number(text) {
    var found = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text);
    if (isDay(text)) return { day: text };
    if (!found || !(found[2] || found[3])) return text;
    var whole = found[2].replace(/^0+(?=\d)/, "") || "0";
    return { number: (found[1] === "-" ? "-" : "") + whole + (found[3] === undefined ? "" : "." + (found[3] || "0")) };
  }

  function valueOf(field, text) { return rules.numbers[field] ? number(text) : text; }

  // ---- the names of the file

  function isName(name) { return new RegExp(rules.forms.name[0]).test(name) && name !== "readme"; }

  function isTaken(folder, name) { return Object.hasOwn(rules.names, folder) && rules.names[folder].includes(name); }

  // A free name made of a text, as the commands make them.
  function nameFor(text, folder, otherwise) {
    var slug = text.normalize("NFKD").replace(/[^\x00-\x7f]/g, "").toLowerCase().replace(/[^a-z0-9]+/g, "-");
    slug = slug.replace(/^-|-$/g, "").slice(0, 40).replace(/-$/, "") || otherwise;
    if (!isName(slug)) slug = "prompt-" + slug;
    for (var name = slug, count = 2; isTaken(folder, name); count++) name = slug + "-" + count;
    return name;
  }

  // ---- its fields

  // `typed`: texts by the names of the form's fields; `today` and `otherwise`, a name for want of a better.
  function read(typed, today, otherwise) {
    var matter = new Map(), grid = new Map();
    function put(field, value) { if (value !== "" && value.length !== 0) matter.set(field, value); }
    ["axis1", "axis2"].forEach(function (axis) {
      var field = typed[axis];
      if (!field) return;
      var texts = parts(typed[axis + "values"], field === "prompt" ? "\n" : /[,\n]/);
      grid.set(field, texts.map(valueOf.bind(null, field)));
    });
    put("title", strip(typed.title));
    put("prompt", strip(typed.prompt));
    put("tags", Array.from(new Set(parts(typed.tags, /[,\n]/))));
    ["author", "license"].forEach(function (field) { put(field, strip(typed[field])); });
    put("date", { day: today });
    ["preset", "model"].forEach(function (field) { put(field, typed[field] || ""); });
    Object.keys(rules.numbers).forEach(function (field) { put(field, number(strip(typed[field]))); });
    put("melody", strip(typed.melody));
    if (grid.size) matter.set("vary", grid);

    var folder = parts(typed.folder, "/").join("/");
    var words = matter.get("title") || matter.get("prompt") || (grid.get("prompt") || [])[0] || "";
    var name = strip(typed.name) || nameFor(words, folder, otherwise);
    return { folder: folder, name: name, matter: matter, notes: strip(typed.notes) };
  }

  function pathOf(file) { return "prompts/" + (file.folder ? file.folder + "/" : "") + file.name + ".md"; }

  // ---- its text

  function quoted(text) {
    return JSON.stringify(text).replace(UNSEEN, function (character) {
      return "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0");
    });
  }

  function scalar(value, plain) {
    if (typeof value === "object") return value.number || value.day;
    return plain.test(value) && !WORD_OF_YAML.test(value) ? value : quoted(value);
  }

  function list(values) {
    return "[" + values.map(function (value) { return scalar(value, PLAIN_IN_LIST); }).join(", ") + "]";
  }

  function write(file) {
    var lines = ["---"];
    file.matter.forEach(function (value, field) {
      if (Array.isArray(value)) lines.push(field + ": " + list(value));
      else if (value instanceof Map) {
        lines.push(field + ":");
        value.forEach(function (values, axis) {
          if (axis === "prompt" && values.length) {
            lines.push("  prompt:");
            values.forEach(function (text) { lines.push("    - " + scalar(text, PLAIN)); });
          } else lines.push("  " + axis + ": " + list(values));
        });
      } else lines.push(field + ": " + scalar(value, PLAIN));
    });
    lines.push("---");
    if (file.notes) lines.push(file.notes);
    return lines.join("\n") + "\n";
  }

  gallery.promptFile = { read: read, write: write, pathOf: pathOf, isName: isName, isTaken: isTaken };
})();
