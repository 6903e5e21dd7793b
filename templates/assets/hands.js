// What can be done with a clip beside playing it: to keep it, to compare it, to link to it. And the
// keys that do all this without a mouse, with their help.
(function () {
  "use strict";
  var gallery = window.gallery, clips = gallery.clips, keep = gallery.keep, player = gallery.player;
  var root = document.documentElement.dataset.root;
  var help = document.querySelector("[data-help-dialog]"), letters = help.querySelector("[data-letters]");
  var pick = document.querySelector("[data-pick]");

  // The clip that a button is about: its own, or that of the row around it, where a take may play.
  function clipOf(button) {
    var shown = player.current();
    if (button.dataset.of) {
      var element = document.querySelector('main [data-clip="' + CSS.escape(button.dataset.of) + '"]');
      return shown && shown.key === button.dataset.of ? shown : element && clips.read(element);
    }
    var host = button.closest("[data-clip]");
    return host && clips.read(host.querySelector(".take.is-current") || host);
  }

  // ---- favourites

  function favour(clip) {
    if (!clip) return;
    if (keep.isFavourite(clip.key)) keep.forget(clip.key);
    else keep.favour([clip.key]);
    player.say(keep.isFavourite(clip.key) ? "Kept among your favourites" : "No longer a favourite");
  }

  function drawStars() {
    var kept = new Set(keep.list("favourites"));
    document.querySelectorAll("[data-star]").forEach(function (button) {
      var clip = clipOf(button);
      button.setAttribute("aria-pressed", String(Boolean(clip && kept.has(clip.key))));
    });
  }

  // ---- comparing: first one clip, then the other, on this page or on another

  function compare(clip) {
    if (!clip) return;
    var first = keep.get("compare", null, "sessionStorage");
    if (first && first.key === clip.key) return unpick();
    if (first && /^[0-9a-f]{32}$/.test(first.key)) {
      unpick();
      location.href = root + "compare/index.html?a=" + first.key + "&b=" + clip.key;
      return;
    }
    keep.set("compare", { key: clip.key, name: clip.name + (clip.label ? ", " + clip.label : "") }, "sessionStorage");
  }

  function unpick() { keep.set("compare", null, "sessionStorage"); }

  function drawPick() {
    var first = keep.get("compare", null, "sessionStorage");
    pick.hidden = !first;
    pick.querySelector("[data-pick-name]").textContent = first ? clips.shorten(String(first.name)) : "";
    document.querySelectorAll("[data-compare]").forEach(function (button) {
      var clip = clipOf(button);
      button.setAttribute("aria-pressed", String(Boolean(first && clip && clip.key === first.key)));
    });
  }

  // ---- copying

  // `done` is told as soon as the text is there to be pasted.
  gallery.copy = function (text, done) {
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, function () { byHand(text, done); });
    else byHand(text, done);
  };

  // Pages that are not served securely have no clipboard of their own.
  function byHand(text, done) {
    var area = document.createElement("textarea"), focused = document.activeElement;
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    if (document.execCommand("copy")) done();
    area.remove();
    if (focused) focused.focus();
  }

  // ---- hands

  document.addEventListener("click", function (event) {
    var on = function (name) { return event.target.closest("[data-" + name + "]"); };
    if (on("star")) favour(clipOf(on("star")));
    else if (on("compare")) compare(clipOf(on("compare")));
    else if (on("unpick")) unpick();
    else if (on("help")) help.showModal();
    else if (on("copy-here")) gallery.copy(player.linkToHere(), function () { player.say("Link to this second copied"); });
  });

  function redraw() { drawStars(); drawPick(); }
  document.addEventListener("kept", redraw);
  document.addEventListener("clip:shown", redraw);
  document.addEventListener("rows:drawn", redraw);
  window.addEventListener("pageshow", redraw); // back from another page
  redraw();

  // ---- keys

  function current() { return player.current(); }

  var keys = {
    j: function () { player.step(1); },
    k: function () { player.step(-1); },
    m: player.mute,
    s: player.faster,
    r: player.repeat,
    f: function () { favour(current()); },
    c: function () { compare(current()); },
    "?": function () { help.showModal(); },
    "/": function () {
      var field = document.getElementById("question");
      if (field) field.focus();
      else location.href = root + "index.html#question";
    },
  };

  // Speech input and slips of the hand press letters, too: they can be switched off.
  letters.checked = keep.get("letters", true) !== false;
  letters.addEventListener("change", function () { keep.set("letters", letters.checked); });

  function isTyping(event) {
    var field = event.target.closest("input, select, textarea, [contenteditable]");
    return help.open || Boolean(field && !field.matches("[data-position], [type=checkbox]"));
  }

  // For pages with letters of their own.
  gallery.keysAreOff = function (event) { return isTyping(event) || !letters.checked; };

  document.addEventListener("keydown", function (event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    var target = event.target;
    var arrows = { ArrowLeft: -1, ArrowRight: 1 }, loud = { ArrowUp: 0.1, ArrowDown: -0.1 };
    if (event.shiftKey && loud[event.key] && player.isOpen()) player.louder(loud[event.key]);
    else if (!event.shiftKey && arrows[event.key] && player.isOpen() && !target.matches(".matrix-frame")) player.seekBy(arrows[event.key]);
    else if (event.key === " " && !target.closest("button, a, summary, [type=checkbox]")) player.toggle();
    else if (letters.checked && keys[event.key]) keys[event.key]();
    else return;
    event.preventDefault();
  });
})();
