// Favourites and what was heard lately, from this browser; or a list from the address: ?k=<key>,<key>.
(function () {
  "use strict";
  var gallery = window.gallery, clips = gallery.clips, keep = gallery.keep, player = gallery.player;
  var page = document.querySelector("[data-favourites]");
  var part = function (name) { return page.querySelector("[data-" + name + "]"); };
  var asked = (new URLSearchParams(location.search).get("k") || "").split(",").filter(function (key) {
    return /^[0-9a-f]{8,32}$/.test(key);
  });
  var shared = Array.from(new Set(asked)).slice(0, 500);
  var shown = [], turn = 0;

  function rowOf(clip) {
    var label = clip.label ? ["take:", [clip.label]] : ["", []];
    return gallery.drawRow({ title: clip.title, text: clip.text, tags: [], line: label, page: clip.page }, [clip]);
  }

  // What the gallery no longer has is left out, and told.
  function draw(keys, section) {
    return Promise.all(keys.map(clips.find)).then(function (found) {
      var there = found.filter(Boolean), drawn = section.querySelector("[data-drawn]");
      drawn.replaceChildren.apply(drawn, there.map(rowOf));
      return there;
    });
  }

  function count(amount) { return amount + (amount === 1 ? " clip" : " clips"); }

  function show() {
    var keys = shared.length ? shared : keep.list("favourites"), mine = ++turn;
    draw(keys, part("own")).then(function (there) {
      if (mine !== turn) return;
      var lost = keys.length - there.length;
      shown = there;
      part("told").textContent = count(there.length) + (shared.length ? " in a list that was shared with you" : "")
        + (lost ? "; " + lost + " more " + (lost === 1 ? "is" : "are") + " not in this gallery any more" : "");
      part("acts").hidden = !there.length;
      part("none").hidden = keys.length > 0;
      part("keep-all").hidden = !shared.length || there.every(function (clip) { return keep.isFavourite(clip.key); });
      document.dispatchEvent(new Event("rows:drawn"));
    });
  }

  function showHeard() {
    var keys = keep.list("heard");
    part("heard").hidden = !keys.length;
    draw(keys, part("heard")).then(function () { document.dispatchEvent(new Event("rows:drawn")); });
  }

  // ---- to take along

  function addressOf(clip) {
    return page.dataset.base && !/^https?:/.test(clip.file) ? page.dataset.base + clip.file : clip.file;
  }

  var formats = {
    m3u: ["audio/x-mpegurl", function () {
      return ["#EXTM3U"].concat(shown.filter(function (clip) { return clip.audio; }).flatMap(function (clip) {
        var name = (clip.state === "sketch" ? "Sketch: " : "") + clip.name.replace(/\s+/g, " ");
        return ["#EXTINF:" + Math.round(clip.length) + "," + name, addressOf(clip)];
      })).join("\n") + "\n";
    }],
    json: ["application/json", function () {
      return JSON.stringify({ version: 1, gallery: page.dataset.title, clips: shown.map(function (clip) {
        return { key: clip.key, title: clip.title || clip.name, prompt: clip.path, state: clip.state, audio: clip.audio ? addressOf(clip) : "", request: clip.request };
      }) }, null, 2) + "\n";
    }],
  };

  function save(name) {
    var anchor = document.createElement("a");
    anchor.href = URL.createObjectURL(new Blob([formats[name][1]()], { type: formats[name][0] }));
    anchor.download = "favourites." + name;
    anchor.click();
    setTimeout(function () { URL.revokeObjectURL(anchor.href); }, 10000);
  }

  function linkToList() {
    var address = new URL(location.href);
    address.hash = "";
    address.search = "?k=" + shown.map(function (clip) { return clip.key; }).join(",");
    return address.href;
  }

  page.addEventListener("click", function (event) {
    var on = function (name) { return event.target.closest("[data-" + name + "]"); };
    if (on("play-all")) {
      var first = part("own").querySelector(".row button.play");
      if (first) player.play(first.closest("[data-clip]"), 0);
    } else if (on("keep-all")) keep.favour(shown.map(function (clip) { return clip.key; }));
    else if (on("share")) gallery.copy(linkToList(), function () { part("told").textContent = "The link to this list is copied."; });
    else if (on("export")) save(on("export").dataset.export);
    else if (on("forget-heard")) keep.set("heard", []);
  });

  document.addEventListener("kept", function (event) {
    if (event.detail === "favourites") show();
    if (event.detail === "heard") showHeard();
  });

  if (shared.length) part("heading").textContent = "a shared list";
  show();
  showHeard();
})();
