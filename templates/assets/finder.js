// Search and filters of the list of prompts. What is looked through comes as a script on first
// use (pages opened from disk cannot fetch). The address always says what is shown.
(function () {
  "use strict";
  var PART = 60; // rows drawn at once
  var main = document.querySelector("[data-finder]");
  var find = function (name) { return main.querySelector("[data-" + name + "]"); };
  var root = document.documentElement.dataset.root;
  var field = document.getElementById("question"), order = find("order");
  var listed = find("rows"), found = find("found"), nothing = find("nothing"), more = find("more");
  var tally = find("tally"), usualTally = tally.innerHTML;
  var template = find("row").content;
  var names = ["model", "tag", "length", "compares", "state"];
  var prompts = null, loading = null;
  var matches = [], drawn = 0;

  // ---- what is looked through

  function load() {
    if (!loading) loading = new Promise(function (resolve, reject) {
      var script = document.createElement("script");
      script.src = main.dataset.search;
      script.onload = function () { prompts = unpack(window.GALLERY); resolve(); };
      script.onerror = reject;
      document.head.append(script);
    });
    return loading;
  }

  function unpack(data) {
    return data.rows.map(function (row, position) {
      var tags = row[3].map(function (number) { return data.tags[number]; });
      var prompt = {
        position: position, path: row[0], title: row[1], text: row[2], tags: tags, line: row[10], takes: row[11],
        values: {
          tag: tags.map(function (tag) { return tag[0]; }),
          model: row[5].map(function (number) { return data.models[number]; }),
          length: row[7].map(function (number) { return data.lengths[number]; }),
          compares: row[8].map(function (number) { return data.compares[number]; }),
          state: row[9].map(function (number) { return data.states[number]; }),
        },
        homes: data.homes, states: data.states,
      };
      prompt.sought = fold([row[1], row[2], prompt.values.tag.join(" "), data.authors[row[4]],
        prompt.values.model.join(" ")].join("\n"));
      return prompt;
    });
  }

  // Upper case, accents and width make no difference.
  function fold(text) {
    return text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  }

  // ---- what is asked for, in the address and in the form

  function asked() {
    var given = new URLSearchParams(location.search);
    var state = { q: given.get("q") || "", order: given.get("order") || "", chosen: {} };
    names.forEach(function (name) { state.chosen[name] = given.getAll(name); });
    return state;
  }

  function formState() {
    var state = { q: field.value.trim(), order: order.value, chosen: {} };
    names.forEach(function (name) {
      state.chosen[name] = boxes(name).filter(function (box) { return box.checked; }).map(valueOf);
    });
    return state;
  }

  function boxes(name) {
    return Array.from(main.querySelectorAll('[data-filter="' + name + '"] input'));
  }

  function valueOf(box) {
    return box.closest("[data-value]").dataset.value;
  }

  function fill(state) {
    field.value = state.q;
    order.value = state.order;
    names.forEach(function (name) {
      // A tag that the sidebar doesn't offer is offered as soon as the address asks for it.
      state.chosen[name].forEach(function (value) {
        if (!boxes(name).some(function (box) { return valueOf(box) === value; })) offer(name, value);
      });
      boxes(name).forEach(function (box) { box.checked = state.chosen[name].includes(valueOf(box)); });
    });
  }

  function offer(name, value) {
    var list = main.querySelector('[data-filter="' + name + '"] ul');
    if (!list || !list.firstElementChild) return;
    var item = list.firstElementChild.cloneNode(true);
    item.dataset.value = value;
    item.querySelector("label span").textContent = value;
    var link = item.querySelector("a");
    if (link) link.remove();
    list.append(item);
  }

  function addressOf(state) {
    var given = new URLSearchParams();
    if (state.q) given.set("q", state.q);
    names.forEach(function (name) { state.chosen[name].forEach(function (value) { given.append(name, value); }); });
    if (state.order) given.set("order", state.order);
    var query = given.toString();
    return location.pathname + (query ? "?" + query : "");
  }

  function isUsual(state) {
    return !state.q && !state.order && names.every(function (name) { return !state.chosen[name].length; });
  }

  // ---- finding

  function fits(prompt, name, chosen) {
    if (!chosen.length) return true;
    var has = function (value) { return prompt.values[name].includes(value); };
    // Every tag narrows; of anything else a prompt has one, so there each choice widens.
    return name === "tag" ? chosen.every(has) : chosen.some(has);
  }

  function look(state) {
    var words = fold(state.q).split(/\s+/).filter(Boolean);
    var counts = {};
    names.forEach(function (name) { counts[name] = new Map(); });
    var result = [];
    prompts.forEach(function (prompt) {
      if (!words.every(function (word) { return prompt.sought.includes(word); })) return;
      var failing = names.filter(function (name) { return !fits(prompt, name, state.chosen[name]); });
      if (!failing.length) result.push(prompt);
      // Beside each value: what choosing it would leave.
      names.forEach(function (name) {
        if (failing.length > 1 || (failing.length === 1 && (failing[0] !== name || name === "tag"))) return;
        prompt.values[name].forEach(function (value) {
          counts[name].set(value, (counts[name].get(value) || 0) + 1);
        });
      });
    });
    sort(result, state, words);
    return { prompts: result, counts: counts };
  }

  function sort(result, state, words) {
    var by = { title: function (prompt) { return fold(prompt.title || prompt.text); } }[state.order];
    var length = function (prompt) { return prompt.takes[0][3]; };
    if (by) {
      var keys = new Map(result.map(function (prompt) { return [prompt, by(prompt)]; }));
      result.sort(function (a, b) { return keys.get(a) < keys.get(b) ? -1 : keys.get(a) > keys.get(b) ? 1 : 0; });
    } else if (state.order === "shortest") result.sort(function (a, b) { return length(a) - length(b); });
    else if (state.order === "longest") result.sort(function (a, b) { return length(b) - length(a); });
    else if (words.length) {
      // Whole beginnings of words before their middles, newest first among equals.
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

  // ---- drawing

  function show(state) {
    var usual = isUsual(state);
    main.querySelectorAll("[data-clear]").forEach(function (button) { button.hidden = usual; });
    var chosen = names.reduce(function (sum, name) { return sum + state.chosen[name].length; }, 0);
    find("chosen-count").textContent = chosen ? "(" + chosen + ")" : "";
    if (usual) {
      listed.hidden = false;
      found.hidden = nothing.hidden = more.hidden = true;
      found.replaceChildren();
      tally.innerHTML = usualTally;
      if (prompts) showCounts(look(state).counts);
      done();
      return;
    }
    load().then(function () {
      var result = look(state);
      matches = result.prompts;
      drawn = 0;
      listed.hidden = true;
      found.hidden = false;
      found.replaceChildren();
      drawMore();
      nothing.hidden = matches.length > 0;
      var amount = document.createElement("b");
      amount.textContent = matches.length.toLocaleString("en") + (matches.length === 1 ? " prompt" : " prompts");
      tally.replaceChildren(amount, matches.length ? " found" : " found; try fewer words");
      showCounts(result.counts);
      done();
    }, function () {
      tally.textContent = "The search could not be loaded; the tags and models are pages of their own.";
    });
  }

  function done() {
    document.dispatchEvent(new Event("rows:drawn"));
  }

  function showCounts(counts) {
    names.forEach(function (name) {
      boxes(name).forEach(function (box) {
        var item = box.closest("[data-value]");
        var amount = counts[name].get(valueOf(box)) || 0;
        item.querySelector(".count").textContent = amount;
        item.classList.toggle("is-empty", !amount && !box.checked);
      });
    });
  }

  function drawMore() {
    var part = matches.slice(drawn, drawn + PART);
    var rows = document.createDocumentFragment();
    part.forEach(function (prompt) { rows.append(drawRow(prompt)); });
    found.append(rows);
    drawn += part.length;
    more.hidden = drawn >= matches.length;
  }

  // A clip of the index: [key, id, state, length, facts, label, audio, cover]; the last two only
  // where they don't follow from the key.
  function unpackClip(prompt, packed) {
    var state = prompt.states[packed[2]], home = prompt.homes[state];
    var at = function (index, suffix) {
      if (packed[index]) return packed[index];
      return home && state !== "pending" ? home[index - 6] + packed[0] + suffix : "";
    };
    return {
      clip: packed[0], id: packed[1], state: state, length: packed[3], facts: packed[4], label: packed[5],
      audio: at(6, ".mp3"), cover: at(7, ".webp"),
    };
  }

  function link(address) {
    return /^https?:/.test(address) ? address : root + address.split("/").map(encodeURIComponent).join("/");
  }

  function give(element, prompt, clip) {
    element.dataset.clip = clip.clip;
    element.dataset.id = clip.id;
    element.dataset.state = clip.state;
    element.dataset.length = clip.length;
    element.dataset.audio = clip.audio ? link(clip.audio) : "";
    element.dataset.cover = clip.cover ? link(clip.cover) : "";
    element.dataset.page = link("prompts/" + prompt.path + "/index.html") + "#" + clip.id;
    element.dataset.facts = clip.facts.map(function (fact) { return fact.filter(Boolean).join(" "); }).join(" · ");
  }

  function make(tag, kind, text) {
    var element = document.createElement(tag);
    element.className = kind;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  // The server's row, filled: see the macro `row` in templates/parts/clips.html.
  function drawRow(prompt) {
    var row = template.cloneNode(true).querySelector(".row");
    var clip = unpackClip(prompt, prompt.takes[0]);
    give(row, prompt, clip);
    var title = row.querySelector(".row-title"), anchor = row.querySelector(".row-prompt a");
    title.hidden = !prompt.title;
    title.textContent = prompt.title;
    anchor.href = link("prompts/" + prompt.path + "/index.html");
    anchor.textContent = shorten(prompt.text);
    row.querySelector(".facts").replaceChildren.apply(row.querySelector(".facts"), factsOf(prompt, clip));
    drawLine(row.querySelector(".row-line"), prompt);
    drawPicture(row, clip);
    var button = row.querySelector(".play");
    if (clip.state === "pending") button.replaceWith(make("span", "play play-none"));
    else button.setAttribute("aria-label", "Play " + (clip.state === "sketch" ? "sketch: " : "") + (prompt.title || shorten(prompt.text)));
    return row;
  }

  function markOf(state) {
    if (state === "sketch") return [make("span", "mark", "sketch")];
    return state === "pending" ? [make("span", "mark mark-none", "not rendered yet")] : [];
  }

  function factsOf(prompt, clip) {
    var parts = [];
    clip.facts.forEach(function (fact) {
      var element = make("span", "fact");
      if (fact[0]) element.append(make("i", "", fact[0]), " ");
      element.append(fact[1]);
      parts.push(element);
    });
    prompt.tags.forEach(function (tag) {
      var element = make("a", "tag", "#" + tag[0]);
      element.href = root + "tags/" + encodeURIComponent(tag[1]) + "/index.html";
      parts.push(element);
    });
    return parts.flatMap(function (part) { return [part, " "]; });
  }

  function drawLine(line, prompt) {
    if (!prompt.line[0]) return line.remove();
    line.replaceChildren(make("span", "", prompt.line[0]));
    prompt.line[1].forEach(function (item) { line.append(" ", make("span", "differs", item)); });
    if (prompt.takes.length < 2) return;
    prompt.takes.forEach(function (packed) {
      var take = unpackClip(prompt, packed), button = make("button", "take", take.label);
      button.type = "button";
      give(button, prompt, take);
      button.dataset.label = prompt.line[1][0] + " " + take.label;
      button.disabled = take.state === "pending";
      line.append(" ", button);
    });
  }

  function drawPicture(row, clip) {
    var picture = row.querySelector(".picture");
    picture.dataset.state = clip.state;
    picture.querySelectorAll("img, .mark").forEach(function (element) { element.remove(); });
    if (clip.cover) {
      var image = new Image(480, 96);
      image.alt = "";
      image.loading = "lazy";
      image.decoding = "async";
      image.src = link(clip.cover);
      picture.prepend(image);
    }
    picture.append.apply(picture, markOf(clip.state));
  }

  // As gallery/site/words.py does it.
  function shorten(text) {
    text = text.trim().split(/\s+/).join(" ");
    var signs = Array.from(text);
    if (signs.length <= 220) return text;
    var head = signs.slice(0, 220).join("");
    return (head.slice(110).includes(" ") ? head.slice(0, head.lastIndexOf(" ")) : head) + " …";
  }

  // ---- hands and keys

  // While someone types, one entry in the history is enough; a filter is a step of its own.
  var typing = false;

  function change(step) {
    var state = formState();
    history[typing && !step ? "replaceState" : "pushState"](null, "", addressOf(state));
    typing = !step;
    show(state);
  }

  field.addEventListener("focus", load);
  field.addEventListener("input", function () { change(false); });
  field.addEventListener("blur", function () { typing = false; });
  main.querySelector("form").addEventListener("submit", function (event) { event.preventDefault(); typing = false; });
  order.addEventListener("change", function () { change(true); });
  main.addEventListener("change", function (event) {
    if (event.target.matches("[data-filter] input")) change(true);
  });
  main.addEventListener("click", function (event) {
    if (event.target.closest("[data-more]")) { drawMore(); done(); }
    if (!event.target.closest("[data-clear]")) return;
    fill({ q: "", order: "", chosen: { model: [], tag: [], length: [], compares: [], state: [] } });
    change(true);
    field.focus();
  });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea")) return;
    event.preventDefault();
    field.focus();
  });
  window.addEventListener("popstate", function () { typing = false; var state = asked(); fill(state); show(state); });

  // The filters stand open beside the list, and folded above it on a phone.
  var wide = matchMedia("(min-width: 60rem)");
  var unfold = function () { find("filters").open = wide.matches; };
  wide.addEventListener("change", unfold);
  unfold();

  var state = asked();
  if (!isUsual(state)) { fill(state); show(state); }
})();
