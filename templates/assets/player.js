// The player: the dock, and what plays in it. Nothing is loaded before something is played. A clip is
// any element with data-clip; clips in one data-list follow one another; what belongs together (the
// takes of a prompt) shares a data-group, and goes on from the same second.
(function () {
  "use strict";
  var gallery = window.gallery, clips = gallery.clips, keep = gallery.keep;
  var ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  var RATES = [0.5, 0.75, 1, 1.25, 1.5, 2], REPEATS = ["off", "list", "clip"];
  var dock = document.querySelector("[data-dock]");
  var part = function (name) { return dock.querySelector("[data-" + name + "]"); };
  var position = part("position"), time = part("time"), past = part("past"), said = part("said");
  var deck = gallery.makeDeck(heardOf);
  var current = null; // the clip in the dock
  var queue = [], place = 0; // what follows: clips, and where the current one is among them
  var wanted = 0; // where to start as soon as the clip can be sought in
  var veil = ""; // in a blind test, what stands in the place of all that would tell
  var veiledLength = 0; // and how long a clip seems: as long as the shorter one
  var seeking = false;

  // ---- clips in the page

  function elementsOf(clip) {
    return clip ? Array.from(document.querySelectorAll('[data-clip="' + CSS.escape(clip.key) + '"]')) : [];
  }

  function hostsIn(list) {
    return Array.from(list.querySelectorAll("[data-clip]")).filter(function (element) {
      return clips.hostOf(element) === element && element.dataset.audio && !element.closest("[hidden], template");
    });
  }

  function groupOf(element) {
    return element && element.closest("[data-group]");
  }

  function length() {
    if (veil) return veiledLength;
    var known = deck.length();
    return isFinite(known) && known > 0 ? known : current ? current.length : 0;
  }

  // ---- playing

  function play(element, from) {
    var clip = clips.read(element);
    if (!clip.audio) return;
    var before = elementsOf(current)[0];
    var together = before && groupOf(before) === groupOf(element) && from === undefined;
    var list = hostsIn(element.closest("[data-list]") || document.querySelector("main"));
    queue = list.map(clips.read);
    place = Math.max(0, list.indexOf(clips.hostOf(element)));
    queue[place] = clip;
    playClip(clip, { from: from, together: together });
  }

  // `together`: at the second that is heard, without a pause. `from`: at this second. `stays`: at the
  // second where the dock stands, even if it is silent.
  function playClip(clip, how) {
    how = how || {};
    var second = how.stays ? Math.min(at(), Math.max(0, clip.length - 0.05)) : how.from || 0;
    var goesOn = how.together && !deck.paused() && deck.time() < clip.length;
    show(clip);
    wanted = second;
    if (goesOn && deck.src() !== clip.audio) deck.swap(clip.audio);
    else if (deck.src() === clip.audio && how.from === undefined && how.together) start(deck.play());
    else start(deck.start(clip.audio, wanted));
    if (!veil) say("Playing " + (clip.state === "sketch" ? "a sketch of " : "") + clip.name + (clip.label ? ", " + clip.label : ""));
    drawQueue();
  }

  function start(promise) {
    if (promise) promise.catch(function (error) {
      // Being interrupted by the next clip is no fault.
      if (error.name !== "AbortError") fail();
    });
  }

  function toggle() {
    if (!current) {
      var first = hostsIn(document.querySelector("main"))[0];
      if (first) play(first);
    } else if (deck.src() !== current.audio) {
      var element = elementsOf(current)[0];
      if (element) play(element, wanted);
      else playClip(current, { from: wanted });
    } else if (deck.paused()) start(deck.play());
    else deck.pause();
  }

  function seek(seconds) {
    if (!current) return;
    wanted = Math.max(0, Math.min(seconds, Math.max(0, length() - 0.05)));
    if (deck.src() === current.audio) deck.seek(wanted);
    draw();
  }

  function at() {
    return current && deck.src() === current.audio ? deck.time() : wanted;
  }

  function step(by) {
    if (veil) return false;
    var next = place + by;
    if (part("repeat").value === "list") next = (next + queue.length) % queue.length;
    if (!queue[next]) return false;
    place = next;
    playClip(queue[next]);
    var element = elementsOf(queue[next])[0];
    if (element) element.scrollIntoView({ block: "nearest" });
    return true;
  }

  function over() {
    var again = veil || part("repeat").value === "clip" || (part("repeat").value === "list" && queue.length < 2);
    if (again) {
      deck.seek(0);
      start(deck.play());
    } else if (!step(1)) {
      wanted = 0;
      deck.seek(0);
      mark();
      draw();
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

  function heardOf(kind) {
    if (kind === "play") {
      if (!veil) keep.heard(current.key);
      follow();
    } else if (kind === "swap") {
      if (!veil) keep.heard(current.key);
      fitLength();
    } else if (kind === "loadedmetadata") {
      fitLength();
      // A start that was asked for before the length was known.
      if (wanted && Math.abs(deck.time() - wanted) > 0.2) deck.seek(wanted);
      wanted = 0;
    } else if (kind === "ended") return over();
    else if (kind === "error") return deck.src() ? fail() : undefined;
    if (kind === "play" || kind === "pause" || kind === "swap") mark();
    draw();
  }

  // ---- the dock

  // Puts a clip into the dock without loading anything.
  function show(clip) {
    current = clip;
    dock.hidden = false;
    document.documentElement.classList.add("has-dock");
    dock.classList.remove("is-silent");
    dock.classList.toggle("is-sketch", clip.state === "sketch" && !veil);
    dock.classList.toggle("is-veiled", Boolean(veil));
    said.textContent = "";
    part("dock-name").textContent = veil || clip.name;
    part("dock-name").href = veil ? "#blind" : clip.page || "#";
    part("dock-facts").textContent = veil ? "" : (clip.label ? clip.label + "  ·  " : "") + clip.facts;
    part("dock-mark").hidden = Boolean(veil) || clip.state !== "sketch";
    part("save").hidden = !clip.audio;
    part("save").href = clip.audio;
    dock.querySelectorAll("[data-star], [data-compare]").forEach(function (button) {
      button.dataset.of = clip.key;
    });
    if (veil) wave("");
    else if (clip.peaks) wave(clip.peaks);
    else findPeaks(clip);
    fitLength();
    mark();
    draw();
    announce(clip);
    document.dispatchEvent(new CustomEvent("clip:shown", { detail: clip }));
  }

  function fitLength() {
    position.max = length();
    part("length").textContent = clips.clock(length());
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

  // Lists don't carry waveforms.
  function findPeaks(clip) {
    wave("");
    clips.find(clip.key).then(function (found) {
      if (found && current.key === clip.key && !veil) wave(found.peaks);
    });
  }

  function drawQueue() {
    var list = part("queue");
    list.replaceChildren.apply(list, (veil ? [] : queue).map(function (clip, index) {
      var item = document.createElement("li"), button = document.createElement("button");
      button.type = "button";
      button.dir = "auto";
      button.textContent = clip.name + (clip.label ? ", " + clip.label : "");
      button.dataset.place = index;
      if (index === place) button.setAttribute("aria-current", "true");
      item.append(button);
      return item;
    }));
  }

  // ---- what plays, shown where it stands

  function mark() {
    var playing = !deck.paused();
    document.querySelectorAll(".is-current, .is-playing").forEach(function (element) {
      element.classList.remove("is-current", "is-playing");
    });
    // In a blind test nothing in the page may tell which one is heard.
    elementsOf(veil ? null : current).forEach(function (element) {
      var host = clips.hostOf(element);
      [element, host].forEach(function (shown) {
        shown.classList.add("is-current");
        shown.classList.toggle("is-playing", playing);
      });
      if (host !== element) dress(host.querySelector(".picture"), current);
    });
    document.querySelectorAll("main [data-play], .tile").forEach(function (button) {
      var label = button.getAttribute("aria-label").replace(/^(Play|Pause) /, "");
      if (!button.disabled) button.setAttribute("aria-label", (button.closest(".is-playing") ? "Pause " : "Play ") + label);
    });
    dock.classList.toggle("is-playing", playing);
    part("dock-play").setAttribute("aria-label", playing ? "Pause" : "Play");
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
    var second = at(), whole = length() || 1;
    var share = Math.min(1, second / whole);
    if (!seeking) position.value = second;
    position.setAttribute("aria-valuetext", clips.clock(second) + " of " + clips.clock(whole));
    time.textContent = clips.clock(second);
    past.style.clipPath = "inset(0 " + ((1 - share) * 100).toFixed(2) + "% 0 0)";
    document.querySelectorAll(".is-current > .picture > .playhead").forEach(function (playhead) {
      playhead.style.transform = "translateX(" + (share * 100).toFixed(2) + "%)";
    });
  }

  function follow() {
    if (veil && deck.time() > veiledLength - 0.05) deck.seek(0);
    draw();
    if (!deck.paused()) requestAnimationFrame(follow);
  }

  // ---- how it plays: the panel's settings

  function setVolume(volume) {
    volume = Math.max(0, Math.min(1, Math.round(volume * 100) / 100));
    part("volume").value = volume;
    deck.set({ volume: volume });
    mute(false);
    keep.set("volume", volume);
  }

  function mute(muted) {
    deck.set({ muted: muted });
    part("mute").checked = muted;
  }

  function setRate(rate) {
    part("rate").value = rate;
    deck.set({ rate: rate });
    say("Speed " + rate);
  }

  function setRepeat(repeat) {
    part("repeat").value = repeat;
    keep.set("repeat", repeat);
    say({ off: "No repeat", list: "The list repeats", clip: "The clip repeats" }[repeat]);
  }

  function after(values, value) { return values[(values.indexOf(value) + 1) % values.length]; }

  // Speed is not kept: who comes back tomorrow would hear every clip wrong.
  var kept = Number(keep.get("volume", 1));
  deck.set({ volume: kept >= 0 && kept <= 1 ? kept : 1 });
  part("volume").value = deck.settings().volume;
  part("repeat").value = REPEATS.includes(keep.get("repeat")) ? keep.get("repeat") : "off";
  part("volume").addEventListener("input", function (event) { setVolume(Number(event.target.value)); });
  part("mute").addEventListener("change", function (event) { mute(event.target.checked); });
  part("rate").addEventListener("change", function (event) { setRate(Number(event.target.value)); });
  part("repeat").addEventListener("change", function (event) { setRepeat(event.target.value); });

  // ---- the keys and screens of the system

  function announce(clip) {
    if (!("mediaSession" in navigator)) return;
    navigator.mediaSession.metadata = new MediaMetadata({
      title: veil || (clip.state === "sketch" ? "Sketch: " : "") + clip.name,
      artist: veil ? "" : clip.facts.split(" · ")[0],
      album: document.querySelector(".wordmark").textContent,
    });
  }
  if ("mediaSession" in navigator) {
    [["play", toggle], ["pause", toggle], ["previoustrack", function () { step(-1); }],
      ["nexttrack", function () { step(1); }], ["seekto", function (to) { seek(to.seekTime); }],
      ["seekbackward", function () { seek(at() - 5); }], ["seekforward", function () { seek(at() + 5); }],
    ].forEach(function (action) {
      try { navigator.mediaSession.setActionHandler(action[0], action[1]); } catch (error) { /* not known here */ }
    });
  }

  // ---- hands

  document.addEventListener("click", function (event) {
    var target = event.target;
    if (target.closest("[data-dock-play]")) return toggle();
    var stepping = target.closest("[data-step]");
    if (stepping) return step(Number(stepping.dataset.step));
    var queued = target.closest("[data-place]");
    if (queued) return step(Number(queued.dataset.place) - place);
    var button = target.closest("[data-play], .take, .tile");
    var picture = target.closest(".picture");
    var element = (button || picture) && (button || picture).closest("[data-clip]");
    if (!element) return;
    var chosen = elementsOf(current).some(function (shown) {
      return shown === element || (clips.hostOf(shown) === element && !target.closest(".take"));
    });
    if (!chosen) return play(element);
    // In the picture of what plays, a hand seeks; by key, and on buttons, it pauses.
    if (picture && event.detail > 0) {
      var box = picture.getBoundingClientRect();
      seek(((event.clientX - box.left) / box.width) * length());
      if (deck.paused()) toggle();
    } else toggle();
  });

  position.addEventListener("input", function () { seek(Number(position.value)); });
  position.addEventListener("pointerdown", function () { seeking = true; });
  position.addEventListener("change", function () { seeking = false; });
  // The slider's own steps would be far too small: one second each, as everywhere else.
  position.addEventListener("keydown", function (event) {
    var by = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1 }[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    seek(at() + by);
  });

  // ---- a link to a clip and a second: #k=<key>&t=<seconds>

  function followAddress() {
    var asked = new URLSearchParams(location.hash.slice(1));
    var key = asked.get("k") || "", second = Math.max(0, parseFloat(asked.get("t")) || 0);
    if (!key) return;
    var element = Array.from(document.querySelectorAll("main [data-clip]")).find(function (shown) {
      return key.length > 7 && shown.dataset.clip.startsWith(key) && shown.dataset.audio;
    });
    var put = function (clip) {
      if (!clip || !clip.audio || !deck.paused()) return;
      show(clip);
      wanted = Math.min(second, Math.max(0, clip.length - 0.05));
      draw();
    };
    if (element) put(clips.read(element));
    else clips.find(key).then(put);
  }

  // Where the clip is now, as a link for others.
  function linkToHere() {
    var page = new URL(current.page || location.href, location.href);
    page.hash = "k=" + current.id + "&t=" + Math.floor(at());
    return page.href;
  }

  gallery.player = {
    play: play,
    playClip: function (clip, how, list) {
      queue = list || [clip];
      place = Math.max(0, queue.indexOf(clip));
      playClip(clip, how);
    },
    toggle: toggle,
    step: step,
    seekBy: function (by) { seek(at() + by); },
    louder: function (by) { setVolume(deck.settings().volume + by); say("Volume " + Math.round(deck.settings().volume * 100) + " %"); },
    mute: function () { mute(!deck.settings().muted); say(deck.settings().muted ? "Muted" : "Not muted"); },
    faster: function () { setRate(after(RATES, deck.settings().rate)); },
    repeat: function () { setRepeat(after(REPEATS, part("repeat").value)); },
    // In a blind test, nobody is told.
    current: function () { return veil ? null : current; },
    isOpen: function () { return Boolean(current); },
    paused: function () { return deck.paused(); },
    pair: function (clips) { deck.pair(clips.map(function (clip) { return clip.audio; })); },
    // What to say in place of all that would tell; nothing lifts the veil.
    veil: function (text, length) {
      veil = text;
      veiledLength = length;
      if (current) show(current);
      drawQueue();
    },
    linkToHere: linkToHere,
    say: say,
  };

  // For the page's other scripts: show a clip, and mark what plays in rows that were drawn anew.
  document.addEventListener("clip:show", function (event) {
    if (event.target.dataset && event.target.dataset.audio && deck.paused()) show(clips.read(event.target));
  });
  document.addEventListener("rows:drawn", function () { mark(); draw(); });
  window.addEventListener("hashchange", followAddress);
  followAddress();
})();
