// The front door's instrument: a slider over the takes of one prompt. What sounds goes on until the chosen take
// is in step with it, at the same second.
window.gallery.mount("[data-stage]", (stage, signal) => {
  "use strict";
  const { gallery } = window;
  const { clips, dom, player } = gallery;
  const takes = dom.all(stage, "clip");
  const cells = (stage.dataset.cells ?? "").split(" ");
  const tracks = dom.all(stage, "track");
  const part = dom.part(stage);

  /**
   * @param {HTMLElement} track
   * @returns {HTMLInputElement[]}
   */
  function stopsOf(track) {
    return [...track.querySelectorAll("input")];
  }

  // ---- which take

  /** The cell that the tracks point at: the last one runs fastest. */
  function cell() {
    return tracks.reduce((sum, track) => {
      const stops = stopsOf(track);
      return sum * stops.length + stops.findIndex((stop) => stop.checked);
    }, 0);
  }

  function chosen() {
    return takes.find(({ dataset }) => dataset.id === cells[cell()]) ?? takes[0];
  }

  /** @param {string} id */
  function pointAt(id) {
    if (cells[cell()] === id) return;
    let rest = cells.indexOf(id);
    for (const track of [...tracks].reverse()) {
      const stops = stopsOf(track);
      stops[rest % stops.length].checked = true;
      rest = Math.floor(rest / stops.length);
    }
  }

  /** Our take that is in the dock, if one is. */
  function current() {
    const key = player.current()?.key;
    return takes.find(({ dataset }) => key && dataset.clip === key);
  }

  // ---- what is seen of it

  function show() {
    const take = chosen();
    const clip = clips.read(take);
    clips.give(stage, clip);
    Object.assign(stage.dataset, { label: clip.label, name: clip.name, peaks: clip.peaks });
    clips.showPicture(dom.within(stage)(":scope > .picture"), clip);
    part("honest").hidden = clip.state !== "sketch";
    const words = dom.all(stage, "words-of");
    const own = words.find(({ dataset }) => dataset.wordsOf === clip.id);
    for (const each of words) each.toggleAttribute("data-away", each !== (own ?? words[0]));
  }

  // ---- what is heard

  /** @param {boolean} plays - even if nothing does yet */
  function choose(plays) {
    const before = current();
    show();
    const all = takes.map(clips.read).filter(({ audio }) => audio);
    const clip = all.find(({ id }) => id === stage.dataset.id);
    if (!clip) return;
    if (plays || (before && !player.paused())) {
      if (before?.dataset.clip === clip.key && !player.paused()) return;
      player.playClip(clip, { together: Boolean(before), stays: Boolean(before) }, all);
    } else if (before) player.put(clip, player.at());
  }

  function toggle() {
    if (current() && !player.paused()) player.toggle();
    else choose(true);
  }

  stage.addEventListener("change", () => choose(false));

  stage.addEventListener("click", (event) => {
    const on = dom.around(event);
    const target = /** @type {Element} */ (event.target);
    const words = on("copy-words");
    const settings = on("copy-settings");
    if (words) gallery.copyBy(words, chosen().dataset.words ?? "");
    else if (settings) gallery.copyBy(settings, chosen().dataset.settings ?? "");
    else if (on("play")) toggle();
    else if (target.closest(".picture") && !current()) choose(true);
    else return;
    event.stopPropagation(); // the player knows only the clip, not its neighbours
  });

  // Enter and space play what is chosen; the arrows are the browser's own.
  stage.addEventListener("keydown", (event) => {
    const stop = /** @type {HTMLInputElement} */ (event.target);
    if (!stop.matches("[data-track] input") || ![" ", "Enter"].includes(event.key)) return;
    event.preventDefault();
    if (stop.checked) return toggle();
    stop.checked = true;
    choose(true);
  });

  // ---- dragging

  /**
   * @param {HTMLElement} track
   * @param {PointerEvent} event
   */
  function pull(track, event) {
    /** @param {HTMLInputElement} stop */
    const distance = (stop) => {
      const box = /** @type {Element} */ (stop.closest("label")).getBoundingClientRect();
      return Math.hypot(
        event.clientX - Math.max(box.left, Math.min(event.clientX, box.right)),
        event.clientY - Math.max(box.top, Math.min(event.clientY, box.bottom)),
      );
    };
    const nearest = stopsOf(track).reduce((one, other) => (distance(other) < distance(one) ? other : one));
    if (nearest.checked) return;
    nearest.checked = true;
    choose(false);
  }

  for (const track of tracks) {
    const rail = /** @type {HTMLElement} */ (track.querySelector(".stops"));
    let isHeld = false;
    rail.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      isHeld = true;
      rail.setPointerCapture(event.pointerId);
      // A finger may be about to scroll the page: it is heeded when it moves along, or leaves.
      if (event.pointerType === "mouse") pull(track, event);
    });
    rail.addEventListener("pointermove", (event) => {
      if (isHeld) pull(track, event);
    });
    rail.addEventListener("pointerup", (event) => {
      if (!isHeld) return;
      isHeld = false;
      pull(track, event);
      stopsOf(track)
        .find((stop) => stop.checked)
        ?.focus({ preventScroll: true });
      choose(true);
    });
    rail.addEventListener("pointercancel", () => {
      isHeld = false;
    });
  }

  // ---- what others choose: the dock, the end of a take, the address

  function follow() {
    const take = current();
    if (!take) return;
    pointAt(take.dataset.id ?? "");
    show();
    history.replaceState(history.state, "", `#k=${take.dataset.id}`);
  }

  // ---- the catalogue's pictures: a browser would load them from two screens away

  const shelves = document.querySelector(".shelves-all");
  const watcher = new IntersectionObserver(
    ([{ target, isIntersecting }]) => {
      if (!isIntersecting) return;
      target.classList.add("is-near");
      watcher.disconnect();
    },
    { rootMargin: "300px" },
  );
  if (shelves) watcher.observe(shelves);
  signal.addEventListener("abort", () => watcher.disconnect());

  document.addEventListener("clip:shown", follow, { signal });
  // Loaded as soon as one of them plays.
  player.pair(takes.map(clips.read).filter(({ audio }) => audio));
  if (takes.length > 1) show();
  follow();
});
