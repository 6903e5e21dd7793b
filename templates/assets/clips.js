// Clips: what an element of the page says of one, and what the scripts under clips/ know of all.
(function () {
  "use strict";
  var gallery = (window.gallery = window.gallery || {});
  var root = document.documentElement.dataset.root;
  var parts = {}; // what was asked for: part -> promise

  function link(address) {
    return /^https?:/.test(address) ? address : root + address.split("/").map(encodeURIComponent).join("/");
  }

  // Pages opened from disk may load scripts but not fetch.
  function loadScript(address) {
    return new Promise(function (resolve, reject) {
      var script = document.createElement("script");
      script.src = root + address;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
  }

  // A row offers its takes as buttons; its picture then belongs to the take that plays.
  function hostOf(element) {
    return (element.parentElement && element.parentElement.closest("[data-clip]")) || element;
  }

  function read(element) {
    var data = element.dataset;
    var host = hostOf(element);
    var named = element.closest("[data-name]") || host;
    var written = host.querySelector(".row-prompt a") || document.querySelector("[data-quote]");
    return {
      key: data.clip, id: data.id, state: data.state, audio: data.audio, cover: data.cover,
      length: Number(data.length) || 0, peaks: data.peaks || "", page: data.page, facts: data.facts,
      label: data.label || "", name: named.dataset.name || (written ? written.textContent.trim() : document.title),
    };
  }

  // The other way round: makes an element one that plays this clip.
  function give(element, clip) {
    var data = element.dataset;
    data.clip = clip.key;
    data.id = clip.id;
    data.state = clip.state;
    data.length = clip.length;
    data.audio = clip.audio;
    data.cover = clip.cover;
    data.page = clip.page;
    data.facts = clip.facts;
  }

  // A clip of the whole gallery by its key, or by its first eight digits or more; null if there is none.
  function find(key) {
    if (!/^[0-9a-f]{8,32}$/.test(key)) return Promise.resolve(null);
    var name = key.slice(0, 2);
    var known = function () { return (window.GALLERY_CLIPS || {})[name] || {}; };
    parts[name] = parts[name] || loadScript("clips/" + name + ".js").catch(function () { /* none begins so */ });
    return parts[name].then(function () {
      var whole = Object.keys(known()).find(function (other) { return other.startsWith(key); });
      return whole ? unpack(whole, known()[whole]) : null;
    });
  }

  function unpack(key, data) {
    var id = key.slice(0, 8);
    return {
      key: key, id: id, state: data.state, length: data.length, peaks: data.peaks, label: data.label,
      audio: data.audio && link(data.audio), cover: data.cover && link(data.cover),
      page: link("prompts/" + data.path + "/index.html") + "#" + id,
      facts: line(data.facts), name: shorten(data.text),
      // Beyond what the player needs:
      path: data.path, title: data.title, text: data.text, pairs: data.facts, values: data.values,
      request: data.request, file: data.audio,
    };
  }

  function line(pairs) {
    return pairs.map(function (pair) { return pair.filter(Boolean).join(" "); }).join(" · ");
  }

  function clock(seconds) {
    var whole = Math.floor(seconds + 0.5);
    return Math.floor(whole / 60) + ":" + String(whole % 60).padStart(2, "0");
  }

  // As gallery/site/theme/labels.py does it.
  function shorten(text) {
    text = text.trim().split(/\s+/).join(" ");
    var signs = Array.from(text);
    if (signs.length <= 220) return text;
    var head = signs.slice(0, 220).join("");
    return (head.slice(110).includes(" ") ? head.slice(0, head.lastIndexOf(" ")) : head) + " …";
  }

  gallery.clips = {
    read: read, give: give, find: find, hostOf: hostOf, line: line, link: link, loadScript: loadScript,
    clock: clock, shorten: shorten,
  };
})();
