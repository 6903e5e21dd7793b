// The player: the dock, and what plays in it. Nothing is loaded before something is played. A clip is
// any element with data-clip; clips in one data-list follow one another; what belongs together (the
// takes of a prompt) shares a data-group, and goes on from the same second.
(() => {
  "use strict";
  const { gallery } = window;
  const { clips, dom, storage } = gallery;
  const DRAWN_AGAIN = 31; // milliseconds: every second frame of most screens
  const dock = /** @type {HTMLElement} */ (document.querySelector("[data-dock]"));
  const part = dom.part(dock);
  /** @type {HTMLInputElement} */
  const position = part("position");
  /** @type {HTMLSelectElement} */
  const repeat = part("repeat");
  const [time, past, said] = [part("time"), part("past"), part("said")];
  const deck = gallery.makeDeck(heardOf);
  /** @type {Player["queue"]} */
  const queue = { list: [], place: 0 }; // what follows, and where the current clip is among it
  /** @type {Player["stretch"]} */
  const stretch = { from: null, to: null }; // what is played over and over
  /** @type {Clip | null} */
  let current = null; // the clip in the dock
  let frame = 0; // the next look at how far it is
  let drawn = 0; // when it was shown last how far it is
  let wanted = 0; // where to start as soon as the clip can be sought in
  let veil = ""; // in a blind test, what stands in the place of all that would tell
  let veiledLength = 0; // and how long a clip seems: as long as the shorter one

  // ---- clips in the page

  function main() {
    return /** @type {HTMLElement} */ (document.querySelector("main"));
  }

  /** @param {Element} list */
  function hostsIn(list) {
    const isHost = (/** @type {HTMLElement} */ element) =>
      clips.hostOf(element) === element && element.dataset.audio && !element.closest("[hidden], template");
    return dom.all(list, "clip").filter(isHost);
  }

  function length() {
    if (veil) return veiledLength;
    const known = deck.length();
    return Number.isFinite(known) && known > 0 ? known : (current?.length ?? 0);
  }

  // ---- playing

  /** @type {Player["play"]} */
  function play(element, from) {
    const clip = clips.read(element);
    if (!clip.audio) return;
    const before = clips.elementsOf(current)[0];
    const isSameGroup = before && before.closest("[data-group]") === element.closest("[data-group]");
    const hosts = hostsIn(element.closest("[data-list]") ?? main());
    const place = Math.max(0, hosts.indexOf(clips.hostOf(element)));
    const list = hosts.map(clips.read);
    list[place] = clip;
    setQueue(list, place);
    playClip(clip, { from, together: isSameGroup && from === undefined });
  }

  /**
   * @param {Clip} clip
   * @param {PlayOptions} [how]
   */
  function playClip(clip, { from, together, stays } = {}) {
    const second = stays ? Math.min(at(), Math.max(0, clip.length - 0.05)) : (from ?? 0);
    const goesOn = together && !deck.paused() && deck.time() < clip.length;
    // A stretch is of what is compared: it stays as long as one hears the same second of another clip.
    if (current && current.key !== clip.key && !together && !stays) stretch.from = stretch.to = null;
    show(clip);
    wanted = second;
    if (goesOn && deck.src() !== clip.audio) deck.swap(clip.audio);
    else if (deck.src() === clip.audio && from === undefined && together) start(deck.play());
    else start(deck.start(clip.audio, wanted));
    if (!veil) {
      const kind = clip.state === "sketch" ? "a sketch of " : "";
      say(`Playing ${kind}${[clip.name, clip.label].filter(Boolean).join(", ")}`);
    }
    tell("queue:changed");
  }

  /**
   * @param {Clip[]} list
   * @param {number} place
   */
  function setQueue(list, place) {
    Object.assign(queue, { list, place: Math.max(0, place) });
  }

  /** @param {"queue:changed" | "dock:changed"} kind - of what queue.js and dock.js show */
  function tell(kind) {
    document.dispatchEvent(new Event(kind));
  }

  /** @param {Promise<void>} playing */
  function start(playing) {
    playing.catch((error) => {
      // Being interrupted by the next clip is no fault.
      if (error.name !== "AbortError") fail();
    });
  }

  function toggle() {
    if (!current) {
      const first = hostsIn(main())[0];
      if (first) play(first);
    } else if (deck.src() !== current.audio) {
      const element = clips.elementsOf(current)[0];
      if (element && queue.list.length < 2) play(element, wanted);
      else playClip(current, { from: wanted });
    } else if (deck.paused()) start(deck.play());
    else deck.pause();
  }

  /** @type {Player["seek"]} */
  function seek(seconds) {
    if (!current) return;
    wanted = Math.max(0, Math.min(seconds, Math.max(0, length() - 0.05)));
    if (deck.src() === current.audio) deck.seek(wanted);
    draw();
  }

  function at() {
    return current && deck.src() === current.audio ? deck.time() : wanted;
  }

  /** @type {Player["step"]} */
  function step(by) {
    if (veil) return false;
    const { list } = queue;
    let next = queue.place + by;
    if (repeat.value === "list") next = (next + list.length) % list.length;
    if (!list[next]) return false;
    queue.place = next;
    playClip(list[next]);
    clips.elementsOf(list[next])[0]?.scrollIntoView({ block: "nearest" });
    return true;
  }

  function over() {
    const isOnlyOne = repeat.value === "list" && queue.list.length < 2;
    if (veil || repeat.value === "clip" || isOnlyOne || stretch.to !== null) {
      deck.seek(stretch.to === null ? 0 : (stretch.from ?? 0));
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
    // Where the clip stands, too: that is where one looks. (In a blind test nothing there may tell.)
    for (const element of clips.elementsOf(veil ? null : current)) {
      clips.hostOf(element).classList.add("is-failed");
    }
    if (current) document.dispatchEvent(new CustomEvent("clip:failed", { detail: current }));
  }

  /** @type {Player["say"]} */
  function say(text) {
    dock.classList.remove("is-silent");
    said.textContent = text;
  }

  /** @param {DeckEvent} kind */
  function heardOf(kind) {
    if (kind === "ended") return over();
    if (kind === "error") return deck.src() ? fail() : undefined;
    if (kind === "unseekable") {
      wanted = 0;
      dock.dataset.unseekable = "";
      tell("dock:changed");
    }
    if (kind === "timeupdate") return loop(); // where nothing is drawn, in the background, too
    if ((kind === "play" || kind === "swap") && current && !veil) storage.addHeard(current.key);
    if (kind === "play") followOn();
    else if (kind === "swap") fitLength();
    else if (kind === "loadedmetadata") {
      fitLength();
      // A start that was asked for before the length was known.
      if (wanted && Math.abs(deck.time() - wanted) > 0.2) deck.seek(wanted);
      wanted = 0;
    }
    if (kind === "play" || kind === "pause" || kind === "swap") mark();
    draw();
  }

  // ---- the dock

  /**
   * Puts a clip into the dock without loading anything.
   * @param {Clip} clip
   */
  function show(clip) {
    current = clip;
    for (const element of clips.elementsOf(clip)) clips.hostOf(element).classList.remove("is-failed");
    const isSketch = clip.state === "sketch" && !veil;
    dock.hidden = false;
    document.documentElement.classList.add("has-dock");
    dock.classList.remove("is-silent");
    dock.classList.toggle("is-sketch", isSketch);
    dock.classList.toggle("is-veiled", Boolean(veil));
    said.textContent = "";
    part("dock-name").textContent = veil || clip.name;
    clips.tell(part("dock-name"), clip.name);
    if (veil) part("dock-name").removeAttribute("lang");
    part("dock-name").setAttribute("href", veil ? "#blind" : clip.page || "#");
    part("dock-facts").textContent = veil ? "" : (clip.label ? `${clip.label}  ·  ` : "") + clip.facts;
    part("dock-mark").hidden = !isSketch;
    part("save").hidden = !clip.audio;
    part("save").setAttribute("href", clip.audio);
    part("save").setAttribute("download", clip.state === "sketch" ? `${clip.id}-sketch.mp3` : "");
    for (const name of ["star", "compare"]) {
      for (const button of dom.all(dock, name)) button.dataset.of = clip.key;
    }
    fitLength();
    mark();
    draw();
    document.dispatchEvent(new CustomEvent("clip:shown", { detail: clip }));
  }

  /**
   * Into the dock, silently, at this second.
   * @param {Clip} clip
   * @param {number} second
   */
  function ready(clip, second) {
    show(clip);
    wanted = Math.min(second, Math.max(0, clip.length - 0.05));
    draw();
    tell("queue:changed");
  }

  function fitLength() {
    position.max = String(length());
    part("length").textContent = clips.clock(length());
  }

  // ---- what plays, shown where it stands

  function mark() {
    const isPlaying = !deck.paused();
    for (const element of document.querySelectorAll(".is-current, .is-playing")) {
      element.classList.remove("is-current", "is-playing");
    }
    // In a blind test nothing in the page may tell which one is heard.
    for (const element of clips.elementsOf(veil ? null : current)) {
      const host = clips.hostOf(element);
      for (const shown of [element, host]) {
        shown.classList.add("is-current");
        shown.classList.toggle("is-playing", isPlaying);
      }
      // The picture and the facts of a row become those of the take that plays.
      if (host !== element && current) clips.showTake(host, current);
    }
    /** @type {NodeListOf<HTMLButtonElement>} */
    const buttons = document.querySelectorAll("main [data-play], .tile");
    for (const button of buttons) {
      const label = button.getAttribute("aria-label")?.replace(/^(Play|Pause) /, "");
      const verb = button.closest(".is-playing") ? "Pause" : "Play";
      if (!button.disabled) button.setAttribute("aria-label", `${verb} ${label}`);
    }
    dock.classList.toggle("is-playing", isPlaying);
    part("dock-play").setAttribute("aria-label", isPlaying ? "Pause" : "Play");
  }

  function draw() {
    if (!current) return;
    const second = at();
    const whole = length() || 1;
    const share = Math.min(1, second / whole);
    if (!position.matches(":active")) position.value = String(second);
    const told = `${clips.clock(second)} of ${clips.clock(whole)}`;
    if (position.getAttribute("aria-valuetext") !== told) {
      position.setAttribute("aria-valuetext", told);
      time.textContent = clips.clock(second);
    }
    past.style.clipPath = `inset(0 ${((1 - share) * 100).toFixed(1)}% 0 0)`;
    /** @type {NodeListOf<HTMLElement>} */
    const playheads = document.querySelectorAll(".is-current > .picture > .playhead");
    for (const playhead of playheads) playhead.style.transform = `translateX(${(share * 100).toFixed(2)}%)`;
  }

  /** @param {number} now */
  function follow(now) {
    if (veil && deck.time() > veiledLength - 0.05) deck.seek(0);
    loop();
    // What moves by a pixel or two needs no more: every frame of a screen would take more power.
    if (now - drawn >= DRAWN_AGAIN || deck.paused()) {
      drawn = now;
      draw();
    }
    if (!deck.paused()) followOn();
  }

  function followOn() {
    cancelAnimationFrame(frame); // one clip may have begun while another played
    frame = requestAnimationFrame(follow);
  }

  function loop() {
    const { from, to } = stretch;
    if (from !== null && to !== null && deck.time() >= to && !deck.paused()) deck.seek(from);
  }

  // ---- clicks and keys

  document.addEventListener("click", (event) => {
    const on = dom.around(event);
    const stepping = on("step");
    const queued = on("place");
    if (on("dock-play")) toggle();
    else if (stepping) step(Number(stepping.dataset.step));
    else if (queued) step(Number(queued.dataset.place) - queue.place);
    else clickClip(event);
  });

  /** @param {MouseEvent} event */
  function clickClip(event) {
    const target = /** @type {Element} */ (event.target);
    const picture = target.closest(".picture");
    /** @type {HTMLElement | null | undefined} */
    const element = (target.closest("[data-play], .take, .tile") ?? picture)?.closest("[data-clip]");
    if (!element) return;
    const isChosen = clips
      .elementsOf(current)
      .some((shown) => shown === element || (clips.hostOf(shown) === element && !target.closest(".take")));
    if (!isChosen) play(element);
    // In the picture of what plays, a click seeks; by key, and on buttons, it pauses.
    else if (picture && event.detail > 0) {
      const box = picture.getBoundingClientRect();
      seek(((event.clientX - box.left) / box.width) * length());
      if (deck.paused()) toggle();
    } else toggle();
  }

  gallery.player = {
    play,
    playClip: (clip, how, list = [clip]) => {
      setQueue(list, list.indexOf(clip));
      playClip(clip, how);
    },
    // Puts a clip into the dock, silently, at this second.
    put: (clip, second) => {
      if (!clip.audio || !deck.paused()) return;
      setQueue([clip], 0);
      ready(clip, second);
    },
    resume: (list, place, second, plays) => {
      setQueue(list, place);
      ready(list[place], second);
      if (!plays) return;
      deck.start(list[place].audio, wanted).catch((error) => {
        if (error.name === "NotAllowedError") say("Stopped by the browser: play goes on from here.");
        else if (error.name !== "AbortError") fail();
      });
    },
    queue,
    stretch,
    toggle,
    step,
    seek,
    seekBy: (by) => seek(at() + by),
    at,
    paused: deck.paused,
    sounds: () => !deck.paused() && deck.length() > 0,
    pair: (list) => deck.pair(list.map((clip) => clip.audio)),
    set: (settings) => {
      deck.set(settings);
      tell("dock:changed");
    },
    settings: deck.settings,
    // In a blind test, nobody is told.
    current: () => (veil ? null : current),
    isOpen: () => Boolean(current),
    veiled: () => veil,
    // What to say in place of all that would tell; nothing lifts the veil.
    veil: (text, length) => {
      veil = text;
      veiledLength = length;
      if (current) show(current);
      tell("queue:changed");
    },
    say,
  };

  // For the page's other scripts: show a clip, and mark what plays in rows that were drawn anew.
  document.addEventListener("clip:show", (event) => {
    const element = /** @type {HTMLElement} */ (event.target);
    if (element.dataset?.audio && deck.paused()) show(clips.read(element));
  });
  function redraw() {
    mark();
    draw();
  }
  document.addEventListener("rows:drawn", redraw);
  gallery.mount("main", (_, signal) => {
    redraw();
    signal.addEventListener("abort", () => deck.pair([])); // nothing is compared any more
  });
})();
