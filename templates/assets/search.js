// What the search looks through, and how. The scripts under search/ are loaded on first use.
(function () {
  "use strict";
  var gallery = window.gallery, clips = gallery.clips;
  var names = ["model", "tag", "author", "length", "compares", "state"];
  var ranges = ["guidance", "temperature", "top-k", "top-p", "duration"]; // as search.py packs them
  var loading = null;

  // All prompts, newest first.
  function load(parts) {
    if (!loading) {
      var all = [];
      for (var part = 0; part < parts; part++) all.push(clips.loadScript("search/" + part + ".js"));
      loading = Promise.all(all).then(function () {
        var prompts = window.GALLERY.sort(function (a, b) { return a.part - b.part; }).flatMap(unpack);
        prompts.forEach(function (prompt, position) { prompt.position = position; });
        return prompts;
      });
      // What failed once may work on the next letter.
      loading.catch(function () { loading = null; });
    }
    return loading;
  }

  // A row as search.py packs it: [path, title, text, tags, author, models, lengths, compares, states,
  // tempo, ranges, line, takes]; most of it by number in the part's tables.
  function unpack(data) {
    var named = function (table) { return function (number) { return data[table][number]; }; };
    return data.rows.map(function (row) {
      var tags = row[3].map(named("tags")), author = data.authors[row[4]];
      var prompt = {
        path: row[0], title: row[1], text: row[2], tags: tags, tempo: row[9], line: row[11], packed: row[12],
        states: data.states, homes: data.homes,
        values: {
          tag: tags.map(function (tag) { return tag[0]; }),
          model: row[5].map(named("models")),
          author: author ? [author.toLowerCase()] : [],
          length: row[6].map(named("lengths")),
          compares: row[7].map(named("compares")),
          state: row[8].map(named("states")),
        },
        ranges: row[10].map(named("ranges")),
      };
      prompt.sought = fold([row[1], row[2], prompt.values.tag.join(" "), author, prompt.values.model.join(" ")].join("\n"));
      return prompt;
    });
  }

  // A clip of the index: [key, state, length, facts, label, audio, cover]; the last two only where
  // they don't follow from the key.
  function takesOf(prompt) {
    return prompt.packed.map(function (packed) {
      var key = packed[0], state = prompt.states[packed[1]], home = prompt.homes[state];
      var at = function (index, suffix) {
        var address = packed[index] || (home && state !== "pending" ? home[index - 5] + key + suffix : "");
        return address && clips.link(address);
      };
      return {
        key: key, id: key.slice(0, 8), state: state, length: packed[2], pairs: packed[3], facts: clips.line(packed[3]),
        label: packed[4], audio: at(5, ".mp3"), cover: at(6, ".webp"),
        page: clips.link("prompts/" + prompt.path + "/index.html") + "#" + key.slice(0, 8),
      };
    });
  }

  // Upper case, accents and width make no difference.
  function fold(text) {
    return text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  }

  function fits(prompt, name, chosen) {
    if (!chosen.length) return true;
    var has = function (value) { return prompt.values[name].includes(value); };
    // Every tag narrows; of anything else a prompt has one, so there each choice widens.
    return name === "tag" ? chosen.every(has) : chosen.some(has);
  }

  // One of its clips lies within all ranges at once. What is not used by a clip lies nowhere.
  function within(prompt, asked) {
    return prompt.ranges.some(function (values) {
      return asked.every(function (range) {
        var value = values[range[0]];
        return value !== null && value >= range[1] && value <= range[2];
      });
    });
  }

  // The prompts that fit, in order, and beside each value how many choosing it would leave.
  function look(prompts, state) {
    var words = fold(state.q).split(/\s+/).filter(Boolean);
    var asked = ranges.flatMap(function (name, index) {
      var range = state.ranges[name];
      return range ? [[index, range[0] === "" ? -Infinity : Number(range[0]), range[1] === "" ? Infinity : Number(range[1])]] : [];
    });
    var counts = {}, result = [];
    names.forEach(function (name) { counts[name] = new Map(); });
    prompts.forEach(function (prompt) {
      if (!words.every(function (word) { return prompt.sought.includes(word); })) return;
      if (asked.length && !within(prompt, asked)) return;
      var failing = names.filter(function (name) { return !fits(prompt, name, state.chosen[name]); });
      if (!failing.length) result.push(prompt);
      names.forEach(function (name) {
        if (failing.length > 1 || (failing.length === 1 && (failing[0] !== name || name === "tag"))) return;
        prompt.values[name].forEach(function (value) { counts[name].set(value, (counts[name].get(value) || 0) + 1); });
      });
    });
    sort(result, state.order, words);
    return { prompts: result, counts: counts };
  }

  function titleOf(prompt) {
    if (prompt.folded === undefined) prompt.folded = fold(prompt.title || prompt.text);
    return prompt.folded;
  }

  function length(prompt) { return prompt.packed[0][2]; }

  // Among equals the newest first. Those without a tempo come last, whichever way.
  var orders = {
    oldest: function (a, b) { return b.position - a.position; },
    title: function (a, b) { return titleOf(a) < titleOf(b) ? -1 : titleOf(a) > titleOf(b) ? 1 : 0; },
    shortest: function (a, b) { return length(a) - length(b); },
    longest: function (a, b) { return length(b) - length(a); },
    slowest: function (a, b) { return (a.tempo || Infinity) - (b.tempo || Infinity) || 0; },
    fastest: function (a, b) { return b.tempo - a.tempo; },
  };

  function sort(result, order, words) {
    if (Object.hasOwn(orders, order)) result.sort(orders[order]);
    else if (words.length && order !== "newest") {
      // Whole beginnings of words before their middles.
      var score = new Map(result.map(function (prompt) {
        return [prompt, words.filter(function (word) { return startsWord(prompt.sought, word); }).length];
      }));
      result.sort(function (a, b) { return score.get(b) - score.get(a) || a.position - b.position; });
    }
  }

  function startsWord(text, word) {
    for (var at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
      if (at === 0 || /[\s,.;:"'(/#-]/.test(text[at - 1])) return true;
    }
    return false;
  }

  gallery.search = { names: names, ranges: ranges, load: load, look: look, takesOf: takesOf };
})();
