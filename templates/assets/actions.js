// What can be done beside playing a clip: to keep it, to compare it, to link to it, to hear it louder or
// faster. And the keys that do all this without a mouse, with their help.
(() => {
  "use strict";
  const { gallery } = window;
  const { clips, dom, player, storage } = gallery;
  const RATES = [0.5, 0.75, 1, 1.25, 1.5, 2];
  /** @type {Record<string, string>} */
  const REPEATS = { off: "No repeat", list: "The list repeats", clip: "The clip repeats" };
  const help = /** @type {HTMLDialogElement} */ (document.querySelector("[data-help-dialog]"));
  const letters = /** @type {HTMLInputElement} */ (help.querySelector("[data-letters]"));
  const pick = /** @type {HTMLElement} */ (document.querySelector("[data-pick]"));

  /**
   * The clip that a button is about: its own, or that of the row around it, where a take may play.
   * @param {HTMLElement} button
   * @returns {Clip | null}
   */
  function clipOf(button) {
    const { of } = button.dataset;
    if (of) {
      const shown = player.current();
      if (shown?.key === of) return shown;
      /** @type {HTMLElement | null} */
      const element = document.querySelector(`main [data-clip="${CSS.escape(of)}"]`);
      return element && clips.read(element);
    }
    const element = elementOf(button);
    return element && clips.read(element);
  }

  /**
   * The element of the clip that a button in it is about.
   * @param {HTMLElement} button
   * @returns {HTMLElement | null}
   */
  function elementOf(button) {
    /** @type {HTMLElement | null} */
    const host = button.closest("[data-clip]");
    return host && (host.querySelector(".take.is-current") ?? host);
  }

  /**
   * Its key alone: lists have many buttons.
   * @param {HTMLElement} button
   */
  function keyOf(button) {
    return button.dataset.of || elementOf(button)?.dataset.clip || "";
  }

  // ---- favourites

  /** @param {Clip | null} clip */
  function favour(clip) {
    if (!clip) return;
    if (storage.isFavourite(clip.key)) storage.removeFavourite(clip.key);
    else storage.addFavourites([clip.key]);
    player.say(storage.isFavourite(clip.key) ? "Kept among your favourites" : "No longer a favourite");
  }

  function drawStars() {
    const kept = new Set(storage.list("favourites"));
    for (const button of dom.all(document, "star")) {
      button.setAttribute("aria-pressed", String(kept.has(keyOf(button))));
    }
  }

  // ---- comparing: first one clip, then the other, on this page or on another

  /** @returns {{ key?: unknown, name?: unknown, label?: unknown } | null} */
  function picked() {
    return /** @type {object | null} */ (storage.get("compare", null, "sessionStorage"));
  }

  /** @param {Clip | null} clip */
  function compare(clip) {
    if (!clip) return;
    const first = picked();
    if (first && first.key === clip.key) return unpick();
    if (first && /^[0-9a-f]{32}$/.test(String(first.key))) {
      unpick();
      gallery.visit(`${clips.link("compare/index.html")}?a=${first.key}&b=${clip.key}`);
      return;
    }
    const { key, name, label } = clip;
    storage.set("compare", { key, name, label }, "sessionStorage");
  }

  function unpick() {
    storage.set("compare", null, "sessionStorage");
  }

  function drawPick() {
    const first = picked();
    pick.hidden = !first;
    const [name, label] = [clips.shorten(String(first?.name ?? "")), String(first?.label ?? "")];
    clips.showName(dom.part(pick)("pick-name"), { name, label });
    for (const button of dom.all(document, "compare")) {
      button.setAttribute("aria-pressed", String(Boolean(first && keyOf(button) === first.key)));
    }
  }

  // ---- a link to a clip and a second: #k=<key>&t=<seconds>

  async function followAddress() {
    const asked = new URLSearchParams(location.hash.slice(1));
    const key = asked.get("k") ?? "";
    const second = Math.max(0, Number.parseFloat(asked.get("t") ?? "") || 0);
    if (!key) return;
    const element = dom
      .all(document, "clip")
      .find(({ dataset }) => key.length > 7 && dataset.clip?.startsWith(key) && dataset.audio);
    const clip = element ? clips.read(element) : await clips.find(key);
    if (clip) player.put(clip, second);
  }

  // Where the clip is now, as a link for others.
  function linkToHere() {
    const clip = player.current();
    const page = new URL(clip?.page || location.href, location.href);
    if (clip) page.hash = `k=${clip.id}&t=${Math.floor(player.at())}`;
    return page.href;
  }

  // ---- how it plays: the panel's settings

  const part = dom.part(/** @type {HTMLElement} */ (document.querySelector("[data-dock]")));
  /** @type {HTMLInputElement} */
  const volume = part("volume");
  /** @type {HTMLInputElement} */
  const mute = part("mute");
  /** @type {HTMLSelectElement} */
  const rate = part("rate");
  /** @type {HTMLSelectElement} */
  const repeat = part("repeat");

  /** @param {number} wanted */
  function setVolume(wanted) {
    const share = Math.max(0, Math.min(1, Math.round(wanted * 100) / 100));
    volume.value = String(share);
    player.set({ volume: share });
    setMuted(false);
    storage.set("volume", share);
  }

  /** @param {boolean} muted */
  function setMuted(muted) {
    player.set({ muted });
    mute.checked = muted;
  }

  /** @param {number} wanted */
  function setRate(wanted) {
    rate.value = String(wanted);
    player.set({ rate: wanted });
    player.say(`Speed ${wanted}`);
  }

  /** @param {string} wanted - one of `REPEATS` */
  function setRepeat(wanted) {
    repeat.value = wanted;
    storage.set("repeat", wanted);
    document.dispatchEvent(new Event("dock:changed"));
    player.say(REPEATS[wanted]);
  }

  /**
   * The value that follows in a list, round and round.
   * @template T
   * @param {T[]} values
   * @param {T} value
   */
  function after(values, value) {
    return values[(values.indexOf(value) + 1) % values.length];
  }

  const settings = {
    louder: (/** @type {number} */ by) => {
      setVolume(player.settings().volume + by);
      player.say(`Volume ${Math.round(player.settings().volume * 100)} %`);
    },
    mute: () => {
      setMuted(!player.settings().muted);
      player.say(player.settings().muted ? "Muted" : "Not muted");
    },
    faster: () => setRate(after(RATES, player.settings().rate)),
    repeat: () => setRepeat(after(Object.keys(REPEATS), repeat.value)),
  };
  // Where galleries' own scripts found them.
  Object.assign(player, settings, { linkToHere });

  // Speed is not kept: who comes back tomorrow would hear every clip wrong.
  const kept = Number(storage.get("volume", 1));
  player.set({ volume: kept >= 0 && kept <= 1 ? kept : 1 });
  volume.value = String(player.settings().volume);
  const again = String(storage.get("repeat", ""));
  repeat.value = Object.hasOwn(REPEATS, again) ? again : "off";
  volume.addEventListener("input", () => setVolume(Number(volume.value)));
  mute.addEventListener("change", () => setMuted(mute.checked));
  rate.addEventListener("change", () => setRate(Number(rate.value)));
  repeat.addEventListener("change", () => setRepeat(repeat.value));

  // ---- clicks

  document.addEventListener("click", (event) => {
    const on = dom.around(event);
    const star = on("star");
    const other = on("compare");
    if (star) favour(clipOf(star));
    else if (other) compare(clipOf(other));
    else if (on("unpick")) unpick();
    else if (on("help")) help.showModal();
    else if (on("copy-here")) gallery.copy(linkToHere(), () => player.say("Link to this second copied"));
  });

  function redraw() {
    drawStars();
    drawPick();
  }
  document.addEventListener("storage:changed", redraw);
  document.addEventListener("clip:shown", redraw);
  document.addEventListener("rows:drawn", redraw);
  window.addEventListener("pageshow", redraw); // back from another page
  window.addEventListener("hashchange", followAddress);
  gallery.mount("main", () => {
    redraw();
    followAddress();
  });

  // ---- keys

  /** @type {Record<string, () => void>} */
  const keys = {
    j: () => player.step(1),
    k: () => player.step(-1),
    m: settings.mute,
    s: settings.faster,
    r: settings.repeat,
    f: () => favour(player.current()),
    c: () => compare(player.current()),
    "?": () => help.showModal(),
    "/": () => {
      const field = document.getElementById("question") ?? document.getElementById("find");
      if (field) field.focus();
      else gallery.visit(`${clips.link("prompts/index.html")}#question`);
    },
  };

  // Speech input and slips of the hand press letters, too: they can be switched off.
  letters.checked = storage.get("letters", true) !== false;
  letters.addEventListener("change", () => storage.set("letters", letters.checked));

  /**
   * Whether a key belongs to a field, to the browser or to who took it already.
   * @param {KeyboardEvent} event
   */
  function isTaken(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || help.open) return true;
    const field = /** @type {Element} */ (event.target).closest("input, select, textarea, [contenteditable]");
    return Boolean(field && !field.matches("[data-position], [type=checkbox]"));
  }

  // For pages with letters of their own.
  gallery.keysAreOff = (event) => isTaken(event) || !letters.checked;

  document.addEventListener("keydown", (event) => {
    if (isTaken(event)) return;
    const target = /** @type {Element} */ (event.target);
    const isOpen = player.isOpen();
    // A wide grid scrolls by the arrows.
    const seconds = !target.matches(".matrix-frame") && { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const share = { ArrowUp: 0.1, ArrowDown: -0.1 }[event.key];
    if (event.shiftKey && share && isOpen) settings.louder(share);
    else if (!event.shiftKey && seconds && isOpen) player.seekBy(seconds);
    else if (event.key === " " && !target.closest("button, a, summary, [type=checkbox]")) player.toggle();
    else if (letters.checked && Object.hasOwn(keys, event.key)) keys[event.key]();
    else return;
    event.preventDefault();
  });
})();
