// The player: one <audio> for the whole page, and the dock that shows it. Nothing is loaded
// before something is played. A clip is any element with data-clip; what belongs together
// (the takes of a prompt) shares a data-group, and goes on from the same second.
(function () {
  "use strict";
  var ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  var root = document.documentElement.dataset.root;
  var dock = document.querySelector("[data-dock]");
  var part = function (name) { return dock.querySelector("[data-" + name + "]"); };
  var position = part("position"), time = part("time"), past = part("past"), said = part("said");
  var audio = new Audio();
  audio.preload = "none";
  var current = null; // the clip in the dock, as read() returns it
  var wanted = 0; // where to start as soon as the clip can be sought in
  var seeking = false;

  // ---- clips in the page

  function read(element) {
    var data = element.dataset;
    var host = hostOf(element);
    var name = element.closest("[data-name]") || host;
    var written = host.querySelector(".row-prompt a") || document.querySelector("[data-quote]");
    return {
      key: data.clip, id: data.id, state: data.state, audio: data.audio, cover: data.cover,
      length: Number(data.length) || 0, peaks: data.peaks || "", page: data.page, facts: data.facts,
      label: data.label || "", name: name.dataset.name || (written ? written.textContent.trim() : document.title),
    };
  }

  // A row offers its takes as buttons; its picture then belongs to the take that plays.
  function hostOf(element) {
    return (element.parentElement && element.parentElement.closest("[data-clip]")) || element;
  }

  function elementsOf(clip) {
    return clip ? Array.from(document.querySelectorAll('[data-clip="' + CSS.escape(clip.key) + '"]')) : [];
  }

  function hosts() {
    return Array.from(document.querySelectorAll("main [data-clip]")).filter(function (element) {
      return hostOf(element) === element && element.dataset.audio && !element.closest("[hidden], template");
    });
  }

  function groupOf(element) {
    return element && element.closest("[data-group]");
  }

  function length() {
    return isFinite(audio.duration) && audio.duration > 0 ? audio.duration : current ? current.length : 0;
  }

  // ---- playing

  function play(element, from) {
    var clip = read(element);
    if (!clip.audio) return;
    var before = current && elementsOf(current)[0];
    var together = before && groupOf(before) === groupOf(element) && !audio.paused;
    show(clip);
    if (clip.audio !== audio.getAttribute("src")) {
      wanted = from !== undefined ? from : together ? audio.currentTime : 0;
      if (wanted >= clip.length) wanted = 0;
      audio.src = clip.audio;
      if (wanted) audio.currentTime = wanted;
    } else if (from !== undefined) {
      audio.currentTime = from;
    }
    start();
    say("Playing " + (clip.state === "sketch" ? "a sketch of " : "") + clip.name + (clip.label ? ", " + clip.label : ""));
  }

  function start() {
    var promise = audio.play();
    if (promise) promise.catch(function (error) {
      // Being interrupted by the next clip is no fault.
      if (error.name !== "AbortError") fail();
    });
  }

  function toggle() {
    if (!current) {
      var first = hosts()[0];
      if (first) play(first);
    } else if (!audio.getAttribute("src") || audio.getAttribute("src") !== current.audio) {
      var element = elementsOf(current)[0];
      if (element) play(element);
    } else if (audio.paused) start();
    else audio.pause();
  }

  function seek(seconds) {
    if (!current) return;
    wanted = Math.max(0, Math.min(seconds, Math.max(0, length() - 0.05)));
    if (audio.getAttribute("src")) audio.currentTime = wanted;
    draw();
  }

  function step(by) {
    var list = hosts();
    var at = list.findIndex(function (element) { return current && element.dataset.clip === current.key; });
    var next = list[at < 0 ? 0 : at + by];
    if (next) {
      play(next);
      next.scrollIntoView({ block: "nearest" });
    }
  }

  function fail() {
    dock.classList.add("is-silent");
    said.textContent = "This clip's audio could not be loaded.";
    draw();
  }

  function say(text) {
    dock.classList.remove("is-silent");
    said.textContent = text;
  }

  // ---- the dock

  // Puts a clip into the dock without loading anything.
  function show(clip) {
    current = clip;
    dock.hidden = false;
    document.documentElement.classList.add("has-dock");
    dock.classList.remove("is-silent");
    said.textContent = "";
    part("dock-name").textContent = clip.name;
    part("dock-name").href = clip.page || "#";
    part("dock-facts").textContent = (clip.label ? clip.label + "  ·  " : "") + clip.facts;
    part("dock-mark").hidden = clip.state !== "sketch";
    dock.classList.toggle("is-sketch", clip.state === "sketch");
    part("save").hidden = !clip.audio;
    part("save").href = clip.audio;
    position.max = clip.length;
    part("length").textContent = clock(clip.length);
    if (clip.peaks) wave(clip.peaks);
    else findPeaks(clip);
    mark();
    draw();
    announce(clip);
    document.dispatchEvent(new CustomEvent("clip:shown", { detail: clip }));
  }

  // Bars around a middle line, one for each peak: 200 of them, 3 units apart.
  function wave(peaks) {
    var path = "";
    for (var index = 0; index < 200; index++) {
      var level = peaks ? ALPHABET.indexOf(peaks[index]) / 63 : 0;
      var half = Math.max(0.8, level * 30);
      path += "M" + (index * 3 + 1.5) + " " + (32 - half).toFixed(1) + "V" + (32 + half).toFixed(1);
    }
    dock.querySelectorAll("[data-wave]").forEach(function (element) { element.setAttribute("d", path); });
  }

  // Lists don't carry waveforms: those are in scripts by the key's first digit.
  function findPeaks(clip) {
    var name = "GALLERY_PEAKS_" + clip.key[0];
    var put = function () {
      if (current && current.key === clip.key) wave((window[name] || {})[clip.key] || "");
    };
    wave("");
    if (window[name]) return put();
    var script = document.createElement("script");
    script.src = root + "peaks/" + clip.key[0] + ".js";
    script.onload = put;
    document.head.append(script);
  }

  function clock(seconds) {
    var whole = Math.floor(seconds + 0.5);
    return Math.floor(whole / 60) + ":" + String(whole % 60).padStart(2, "0");
  }

  // ---- what plays, shown where it stands

  function mark() {
    document.querySelectorAll(".is-current, .is-playing").forEach(function (element) {
      element.classList.remove("is-current", "is-playing");
    });
    elementsOf(current).forEach(function (element) {
      var host = hostOf(element);
      [element, host].forEach(function (shown) {
        shown.classList.add("is-current");
        shown.classList.toggle("is-playing", !audio.paused);
      });
      if (host !== element) dress(host.querySelector(".picture"), current);
    });
    document.querySelectorAll("[data-play], .tile").forEach(function (button) {
      var playing = Boolean(button.closest(".is-playing"));
      var label = button.getAttribute("aria-label").replace(/^(Play|Pause) /, "");
      if (!button.disabled) button.setAttribute("aria-label", (playing ? "Pause " : "Play ") + label);
    });
    dock.classList.toggle("is-playing", !audio.paused);
    part("dock-play").setAttribute("aria-label", audio.paused ? "Play" : "Pause");
  }

  // The picture of a row becomes that of the take that plays: its sound, and whether it is a sketch.
  function dress(picture, clip) {
    var image = picture.querySelector("img"), mark = picture.querySelector(".mark");
    if (image && image.getAttribute("src") !== clip.cover) image.src = clip.cover;
    picture.dataset.state = clip.state;
    if (mark && clip.state !== "sketch") mark.remove();
    if (!mark && clip.state === "sketch") {
      mark = document.createElement("span");
      mark.className = "mark";
      mark.textContent = "sketch";
      picture.append(mark);
    }
  }

  function draw() {
    if (!current) return;
    var at = audio.getAttribute("src") === current.audio ? audio.currentTime : wanted;
    var whole = length() || 1;
    var share = Math.min(1, at / whole);
    if (!seeking) position.value = at;
    position.setAttribute("aria-valuetext", clock(at) + " of " + clock(whole));
    time.textContent = clock(at);
    past.style.clipPath = "inset(0 " + ((1 - share) * 100).toFixed(2) + "% 0 0)";
    elementsOf(current).forEach(function (element) {
      var playhead = hostOf(element).querySelector(".playhead");
      if (playhead) playhead.style.transform = "translateX(" + (share * 100).toFixed(2) + "%)";
    });
  }

  function follow() {
    draw();
    if (!audio.paused) requestAnimationFrame(follow);
  }

  // ---- the keys and screens of the system

  function announce(clip) {
    if (!("mediaSession" in navigator)) return;
    navigator.mediaSession.metadata = new MediaMetadata({
      title: (clip.state === "sketch" ? "Sketch: " : "") + clip.name,
      artist: clip.facts.split(" · ")[0],
      album: document.querySelector(".wordmark").textContent,
    });
  }
  if ("mediaSession" in navigator) {
    [["play", toggle], ["pause", toggle], ["previoustrack", function () { step(-1); }],
      ["nexttrack", function () { step(1); }], ["seekto", function (to) { seek(to.seekTime); }],
    ].forEach(function (action) {
      try { navigator.mediaSession.setActionHandler(action[0], action[1]); } catch (error) { /* not known here */ }
    });
  }

  // ---- hands and keys

  document.addEventListener("click", function (event) {
    var target = event.target;
    if (target.closest("[data-dock-play]")) return toggle();
    var stepping = target.closest("[data-step]");
    if (stepping) return step(Number(stepping.dataset.step));
    var button = target.closest("[data-play], .take, .tile");
    var picture = target.closest(".picture");
    if (!button && !picture) return;
    var element = (button || picture).closest("[data-clip]");
    var chosen = current && elementsOf(current).some(function (shown) {
      return shown === element || (hostOf(shown) === element && !target.closest(".take"));
    });
    if (!chosen) return play(element);
    // In the picture of what plays, a hand seeks; by key, and on buttons, it pauses.
    if (picture && event.detail > 0) {
      var box = picture.getBoundingClientRect();
      seek(((event.clientX - box.left) / box.width) * length());
      if (audio.paused) toggle();
    } else toggle();
  });

  position.addEventListener("input", function () { seek(Number(position.value)); });
  position.addEventListener("pointerdown", function () { seeking = true; });
  position.addEventListener("change", function () { seeking = false; });

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    var slider = event.target === position;
    if (!slider && event.target.closest("input, select, textarea, [contenteditable]")) return;
    var by = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: slider ? -1 : 0, ArrowUp: slider ? 1 : 0 }[event.key];
    if (by && current && !event.target.closest(".matrix-frame:focus")) {
      event.preventDefault();
      seek(audio.currentTime + by);
    } else if (event.key === " " && (slider || !event.target.closest("button, a, summary"))) {
      event.preventDefault();
      toggle();
    }
  });

  audio.addEventListener("play", function () { mark(); follow(); });
  audio.addEventListener("pause", function () { mark(); draw(); });
  audio.addEventListener("ended", function () { wanted = 0; audio.currentTime = 0; mark(); draw(); });
  audio.addEventListener("seeked", draw);
  audio.addEventListener("loadedmetadata", function () {
    position.max = length();
    part("length").textContent = clock(length());
    // A start that was asked for before the length was known.
    if (wanted && Math.abs(audio.currentTime - wanted) > 0.2) audio.currentTime = wanted;
    wanted = 0;
  });
  audio.addEventListener("error", function () { if (audio.getAttribute("src")) fail(); });

  // For the page's other scripts: show a clip, and mark what plays in rows that were drawn anew.
  document.addEventListener("clip:show", function (event) {
    if (event.target.dataset && event.target.dataset.audio) show(read(event.target));
  });
  document.addEventListener("rows:drawn", function () { mark(); draw(); });
})();
