// What the dock has beside the clip that plays: its waveform, which is a slider; how it plays where that is not as
// usual, since a forgotten speed falsifies every comparison; a stretch that is played over and over; and the system's
// own screens and keys.
(() => {
  "use strict";
  const { gallery } = window;
  const { clips, dom, player } = gallery;
  const { stretch } = player;
  const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const SHORTEST = 0.25; // seconds: less is no stretch but a slip of the hand
  /** @type {Record<string, string>} */
  const REPEATS = { list: "repeats the list", clip: "repeats" };
  const dock = /** @type {HTMLElement} */ (document.querySelector("[data-dock]"));
  const part = dom.part(dock);
  /** @type {HTMLInputElement} */
  const position = part("position");
  /** @type {HTMLSelectElement} */
  const repeat = part("repeat");
  const wave = /** @type {HTMLElement} */ (position.parentElement);
  const band = part("stretch");
  let pressed = -1; // the second where a stretch begins to be drawn

  // ---- the waveform

  /**
   * Bars around a middle line, one for each peak: 200 of them, 3 units apart.
   * @param {string} peaks
   */
  function drawWave(peaks) {
    let path = "";
    for (let index = 0; index < 200; index++) {
      const level = peaks ? ALPHABET.indexOf(peaks[index]) / 63 : 0;
      const half = Math.max(0.8, level * 30);
      path += `M${index * 3 + 1.5} ${(32 - half).toFixed(1)}V${(32 + half).toFixed(1)}`;
    }
    for (const element of dom.all(dock, "wave")) element.setAttribute("d", path);
  }

  /** @param {Clip} clip */
  async function showWave(clip) {
    drawWave(player.veiled() ? "" : clip.peaks);
    if (player.veiled() || clip.peaks) return;
    // Lists don't carry waveforms.
    const found = await clips.find(clip.key);
    if (found && player.current()?.key === clip.key) drawWave(found.peaks);
  }

  position.addEventListener("input", () => player.seek(Number(position.value)));
  // The slider's own steps would be far too small: one second each, as everywhere else.
  position.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1 }[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    player.seekBy(by);
  });

  // ---- what is told

  function loops() {
    const { from, to } = stretch;
    if (from === null) return "";
    if (to === null) return `loops from ${clips.clock(from)}`;
    return `loops ${clips.clock(from)} to ${clips.clock(to)}`;
  }

  function draw() {
    const { from, to } = stretch;
    const { rate } = player.settings();
    const words = [
      rate === 1 ? "" : `speed ${rate}×`,
      REPEATS[repeat.value],
      loops(),
      "unseekable" in dock.dataset ? "this server cannot seek" : "",
    ];
    const told = words.filter(Boolean).join(" · ");
    if (part("unusual") && part("unusual").textContent !== told) part("unusual").textContent = told;

    if (!band) return; // in a gallery's own markup
    const whole = Number(position.max) || 1;
    band.hidden = from === null;
    if (from !== null) {
      band.style.left = `${(from / whole) * 100}%`;
      band.style.width = `${(((to ?? from) - from) / whole) * 100}%`;
    }
    const next = from === null ? "loop from here" : to === null ? "loop to here" : "end the loop";
    if (part("loop").textContent !== next) part("loop").textContent = next;
  }

  // ---- a stretch: from where the clip is when the button or its key is pressed, to where it is the next time; or
  // drawn over the waveform, with the shift key held

  /**
   * @param {number | null} from
   * @param {number | null} to
   */
  function set(from, to) {
    if (from !== null && to !== null && Math.abs(to - from) < SHORTEST) [from, to] = [null, null];
    if (from !== null && to !== null && to < from) [from, to] = [to, from];
    Object.assign(stretch, { from, to });
    draw();
  }

  // Begins a stretch here, ends it here, or lifts it.
  function loop() {
    const { from, to } = stretch;
    if (!player.isOpen()) return;
    if (from === null) set(player.at(), null);
    else set(to === null ? from : null, to === null ? player.at() : null);
    player.say(loops() || "No loop");
  }

  /** @param {PointerEvent} event */
  function secondAt(event) {
    const box = wave.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * Number(position.max);
  }

  /** @param {PointerEvent} event */
  function begin(event) {
    if (!event.shiftKey || event.button) return;
    event.preventDefault(); // the slider stays where it is
    pressed = secondAt(event);
    wave.setPointerCapture(event.pointerId);
  }

  function end() {
    if (pressed >= 0 && stretch.from !== null) player.seek(stretch.from);
    pressed = -1;
  }

  wave.addEventListener("pointerdown", begin, { capture: true });
  wave.addEventListener("pointermove", (event) => {
    if (pressed >= 0) set(pressed, secondAt(event));
  });
  wave.addEventListener("pointerup", end);
  wave.addEventListener("pointercancel", end);
  part("loop")?.addEventListener("click", loop);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "l" || gallery.keysAreOff(event)) return;
    event.preventDefault();
    loop();
  });

  // ---- the system's screens and keys

  /** @param {Clip} clip */
  function announce(clip) {
    const veil = player.veiled();
    navigator.mediaSession.metadata = new MediaMetadata({
      title: veil || (clip.state === "sketch" ? "Sketch: " : "") + clip.name,
      artist: veil ? "" : clip.facts.split(" · ")[0],
      album: document.querySelector(".wordmark")?.textContent ?? "",
    });
  }

  if ("mediaSession" in navigator) {
    /** @type {[MediaSessionAction, MediaSessionActionHandler][]} */
    const actions = [
      ["play", player.toggle],
      ["pause", player.toggle],
      ["previoustrack", () => player.step(-1)],
      ["nexttrack", () => player.step(1)],
      ["seekto", ({ seekTime }) => player.seek(seekTime ?? 0)],
      ["seekbackward", () => player.seekBy(-5)],
      ["seekforward", () => player.seekBy(5)],
    ];
    for (const [action, handler] of actions) {
      try {
        navigator.mediaSession.setActionHandler(action, handler);
      } catch {
        // not known here
      }
    }
  }

  /** @param {Clip} clip */
  function show(clip) {
    showWave(clip);
    draw();
    if ("mediaSession" in navigator) announce(clip);
  }
  document.addEventListener("clip:shown", ({ detail: clip }) => show(clip));
  document.addEventListener("dock:changed", draw);
  const shown = player.current();
  if (shown) show(shown);
  else draw();
})();
