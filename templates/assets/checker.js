// The checker's findings in a prompt file before there is one: the same rules, in the same words.
(function () {
  "use strict";
  var gallery = window.gallery, rules = window.GALLERY_RULES, file, faults;

  // ---- words

  function say(name, parts) {
    return rules.wording[name].replace(/\{(\w+)\}/g, function (_, part) { return parts[part]; });
  }

  // A number as Python writes it.
  function repr(text) {
    var value = Number(text);
    if (!text.includes(".")) return text === "-0" ? "0" : text;
    if (!isFinite(value)) return value < 0 ? "-inf" : "inf";
    if (Object.is(value, -0)) return "-0.0";
    var scientific = value.toExponential().split("e"), exponent = Number(scientific[1]);
    if (value !== 0 && (exponent < -4 || exponent >= 16)) {
      return scientific[0] + "e" + (exponent < 0 ? "-" : "+") + String(Math.abs(exponent)).padStart(2, "0");
    }
    return Number.isInteger(value) ? value + ".0" : String(value);
  }

  // A number in six digits, as Python's "g" gives it where it needs no exponent.
  function brief(value) { return String(Number(value.toPrecision(6))); }

  function codeOf(character) { return character.codePointAt(0).toString(16).padStart(4, "0"); }

  // A value as messages show it: short, on one line, with nothing unseen in it.
  function shown(value) {
    if (value.day) return value.day;
    if (value.number) {
      var text = repr(value.number);
      return /^-?\d{21,}$/.test(text) ? "a number of more than 20 digits" : text;
    }
    var characters = Array.from(value);
    if (characters.length > 60) characters = characters.slice(0, 57).concat("...");
    return '"' + characters.join("").replace(/[\p{C}\p{Z}]/gu, function (character) {
      return character === " " ? " " : "\\u" + codeOf(character);
    }).replaceAll("##[", "##\\u005b") + '"';
  }

  // ---- names that are near, as Python's difflib finds them

  function matched(a, b) {
    var best = 0, endA = 0, endB = 0, lengths = [];
    a.forEach(function (character, i) {
      var next = [];
      b.forEach(function (other, j) {
        if (character !== other) return;
        next[j] = (lengths[j - 1] || 0) + 1;
        if (next[j] > best) { best = next[j]; endA = i + 1; endB = j + 1; }
      });
      lengths = next;
    });
    if (!best) return 0;
    return best + matched(a.slice(0, endA - best), b.slice(0, endB - best)) + matched(a.slice(endA), b.slice(endB));
  }

  function didYouMean(name, known) {
    var letters = Array.from(name), nearest = null, most = 0.6;
    known.forEach(function (other) {
      var own = Array.from(other), ratio = 2 * matched(own, letters) / (own.length + letters.length);
      if (ratio > most || (ratio === most && (nearest === null || other > nearest))) { nearest = other; most = ratio; }
    });
    if (nearest === null) nearest = known.find(function (other) { return other.startsWith(name); });
    return nearest === undefined ? "" : say("DID_YOU_MEAN", { name: nearest });
  }

  // ---- one value

  function tell(place, message) {
    if (!faults.some(function (fault) { return fault[0] === place && fault[1] === message; })) faults.push([place, message]);
  }

  function told(places) { return faults.some(function (fault) { return places.test(fault[0]); }); }

  function lengthOf(text) { return Array.from(text).length; }

  function hidden(text) {
    var found = new RegExp(rules.hidden, "u").exec(text);
    return found && "U+" + codeOf(found[0]).toUpperCase();
  }

  // Marks that combine change places with the one that stands last of all.
  function isMark(character) {
    return character === "\u0345" || ("\u0345" + character).normalize("NFD")[0] !== "\u0345";
  }

  function isPiled(text) {
    var marks = 0;
    return new RegExp("\\p{M}{" + (rules.marks + 1) + "}", "u").test(text) && Array.from(text).some(function (character) {
      marks = isMark(character) ? marks + 1 : 0;
      return marks > rules.marks;
    });
  }

  function checkCharacters(place, text) {
    if (hidden(text)) tell(place, say("HIDDEN", { character: hidden(text) }));
    else if (isPiled(text)) tell(place, say("PILED", { count: rules.marks }));
  }

  function checkForm(place, text, form) {
    if (!new RegExp(form[0], "u").test(text)) tell(place, say("NOT_OF_FORM", { value: shown(text), form: form[1] }));
  }

  function checkNumber(place, value, rule) {
    var number = Number(value.number), isWhole = value.number && !value.number.includes(".");
    if (isWhole && value.number.replace("-", "").length > rules.digits) {
      tell(place, say("MANY_DIGITS", { value: '"' + value.number.slice(0, 57) + '..."' }));
      return;
    }
    var isOfKind = value.number && (isWhole || !rule.whole) && (!isWhole || isFinite(number) || rule.whole);
    if (!isOfKind) tell(place, say("NOT_OF_KIND", { value: shown(value), kind: rule.kind }));
    else if (!rule.whole && !isFinite(number)) tell(place, say("UNUSABLE_NUMBER", { value: shown(value) }));
    else if (number < rule.minimum || number > rule.maximum || number <= rule.exclusiveMinimum || number >= rule.exclusiveMaximum) {
      tell(place, say("OUT_OF_RANGE", { value: shown(value), bounds: rule.bounds }));
    }
  }

  function checkPrompt(place, text) {
    if (isPiled(text)) return;
    var length = lengthOf(text.normalize("NFC")), limit = rules.limits.prompt_length;
    if (length > limit) tell(place, say("TOO_LONG", { count: length, limit: limit }));
  }

  function checkModel(place, name) {
    var known = Object.keys(rules.models);
    if (!known.includes(name)) {
      tell(place, say("NO_MODEL", { value: shown(name), near: didYouMean(name, known), known: known.join(", ") }));
    }
  }

  function checkMelody(name) {
    if (name.startsWith(rules.digest[0])) {
      if (!new RegExp(rules.digest[1]).test(name)) tell("melody", say("NO_DIGEST", { value: shown(name), prefix: rules.digest[0] }));
      return;
    }
    var way = name.split("/").filter(function (part) { return part && part !== "."; });
    var last = way[way.length - 1] || "", dot = last.lastIndexOf(".");
    var suffix = dot > 0 && dot < last.length - 1 ? last.slice(dot).toLowerCase() : "";
    if (!rules.suffixes.includes(suffix)) {
      tell("melody", shown(name) + " " + say("NO_MELODY_FILE", { suffixes: rules.suffixes.join(", ") }));
    } else if (leadsOut(name, way)) tell("melody", shown(name) + " " + rules.wording.MELODY_OUTSIDE);
  }

  function leadsOut(name, way) {
    var depth = file.folder ? file.folder.split("/").length : 0;
    return name.startsWith("/") || way.some(function (part) { return (depth += part === ".." ? -1 : 1) < 0; });
  }

  function checkValue(place, field, value) {
    if (rules.numbers[field]) checkNumber(place, value, rules.numbers[field]);
    else if (field === "prompt") checkPrompt(place, value);
    else if (field === "model") checkModel(place, value);
    if (typeof value === "string") checkCharacters(place, value);
  }

  // ---- the file

  function checkNames() {
    var parts = file.folder ? file.folder.split("/") : [];
    if (parts.length > rules.folders) tell("folder", say("MANY_FOLDERS", { count: rules.folders }));
    parts.concat(file.name).forEach(function (part, place) {
      var isWrong = place < parts.length ? !new RegExp(rules.forms.name[0]).test(part) : !gallery.promptFile.isName(part);
      if (isWrong) tell(place < parts.length ? "folder" : "name", say("NO_NAME", { name: shown(part), form: rules.forms.name[1] }));
    });
    if (gallery.promptFile.isTaken(file.folder, file.name)) tell("name", say("TAKEN", { file: gallery.promptFile.pathOf(file) }));
  }

  function checkMatter(matter) {
    matter.forEach(function (value, field) {
      if (field === "tags") value.forEach(function (tag, place) {
        checkCharacters("tags[" + (place + 1) + "]", tag);
        checkForm("tags[" + (place + 1) + "]", tag, rules.forms.tags);
      });
      else if (field === "vary") value.forEach(function (values, axis) {
        if (!values.length) tell("vary." + axis, rules.wording.NO_VALUES);
        values.forEach(function (each, place) { checkValue("vary." + axis + "[" + (place + 1) + "]", axis, each); });
      });
      else if (rules.forms[field]) checkForm(field, value, rules.forms[field]);
      if (field !== "tags" && field !== "vary") checkValue(field, field, value);
    });
    var title = lengthOf(matter.get("title") || ""), tags = (matter.get("tags") || []).length, limits = rules.limits;
    if (title > rules.title) tell("title", say("TOO_LONG", { count: title, limit: rules.title }));
    if (tags > limits.tags) tell("tags", say("MANY_TAGS", { count: tags, limit: limits.tags }));
    if (matter.get("melody")) checkMelody(matter.get("melody"));
    if (!matter.get("prompt") && !(matter.get("vary") || new Map()).has("prompt")) tell("prompt", rules.wording.MISSING);
  }

  function checkNotes(notes) {
    var length = lengthOf(notes), limit = rules.limits.note_length;
    if (length > limit) tell("notes", say("LONG_NOTES", { count: length, limit: limit }));
    var lines = notes.split("\n").length;
    if (lines > rules.notes.lines) tell("notes", say("MANY_LINES", { count: lines, limit: rules.notes.lines }));
    rules.notes.signs.forEach(function (sign) {
      var count = notes.split(sign).length - 1;
      if (count > rules.notes.most) tell("notes", say("MANY_SIGNS", { count: count, sign: sign, limit: rules.notes.most }));
    });
    if (hidden(notes)) tell("notes", say("HIDDEN_IN_NOTES", { character: hidden(notes) }));
  }

  // ---- its clips

  // The combinations of a grid; of none there is one, which changes nothing.
  function cells(grid) {
    var found = [{}];
    grid.forEach(function (values, axis) {
      found = found.flatMap(function (cell) {
        return values.map(function (value) { return Object.assign({}, cell, { [axis]: value }); });
      });
    });
    return found;
  }

  function countOf(grid) {
    var count = 1;
    grid.forEach(function (values) { count *= values.length; });
    return count;
  }

  function checkClip(own, usual, cell) {
    var value = function (field) {
      var written = cell[field] || own.get(field);
      return written ? Number(written.number) : usual[field] === undefined ? rules.numbers[field].usual : usual[field];
    };
    var place = function (field) { return (field in cell ? "vary." : "") + field; };
    var name = cell.model || own.get("model") || Object.keys(rules.models)[0], model = rules.models[name];
    var duration = value("duration"), stride = value("extend_stride");
    if (duration > model.longest) {
      tell(place("duration"), say(model.short ? "LONG_FOR_MODEL" : "LONG_FOR_GALLERY", {
        duration: brief(duration), model: name, longest: brief(model.longest),
      }));
    } else if (stride !== null && stride >= model.window) {
      tell(place("extend_stride"), say("LONG_STRIDE", { stride: brief(stride), model: name, window: brief(model.window) }));
    } else if (own.get("melody") && !model.melody) {
      var able = Object.keys(rules.models).filter(function (other) { return rules.models[other].melody; });
      tell("melody", say("MODEL_WITHOUT_MELODY", { model: name, models: able.join(", ") || "none" }));
    }
    return duration;
  }

  // How many clips the file asks for, and how many seconds; null where that cannot be said.
  function checkClips(matter) {
    var grid = matter.get("vary") || new Map(), count = countOf(grid), limit = rules.limits.clips_per_prompt;
    if (count > limit) tell("vary", say("MANY_CLIPS", { count: count, limit: limit }));
    if (told(/^(vary|duration|extend_stride|melody)/)) return null;
    var usual = rules.presets[matter.get("preset") || ""] || {};
    var seconds = cells(grid).reduce(function (sum, cell) { return sum + checkClip(matter, usual, cell); }, 0);
    return told(/^(vary|duration|extend_stride)/) ? null : { clips: count, seconds: seconds };
  }

  // What is wrong, as pairs of a place and a message, and what the file asks for.
  gallery.checkPromptFile = function (given) {
    file = given;
    faults = [];
    checkNames();
    checkMatter(file.matter);
    checkNotes(file.notes);
    return { asks: checkClips(file.matter), faults: faults };
  };
})();
