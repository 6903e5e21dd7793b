// Where a page was loaded anew, the dock comes back with what was in it, at its second, and with what follows; it
// plays on if the browser lets it, else at one press. Kept for this window alone, from one page to the next.
(() => {
  "use strict";
  const { gallery } = window;
  const { clips, player, storage } = gallery;
  const NAME = "dock";
  const MOST = 200; // clips of a queue
  const SOON = 30_000; // milliseconds: who comes back later is met by silence
  const STATES = ["render", "sketch"];

  /**
   * A clip, if it is one: others can write into the storage, too.
   * @param {any} kept
   * @returns {Clip | null}
   */
  function known(kept) {
    if (!kept || typeof kept !== "object") return null;
    const text = (/** @type {string} */ name) => (typeof kept[name] === "string" ? kept[name] : "");
    const address = (/** @type {string} */ name) => (/^(https?|file):/.test(text(name)) ? text(name) : "");
    const key = text("key");
    const length = Number(kept.length);
    if (!/^[0-9a-f]{32}$/.test(key) || !STATES.includes(kept.state) || !(length >= 0)) return null;
    const page = address("page").startsWith(clips.root) ? text("page") : "";
    const [audio, cover] = [address("audio"), address("cover")];
    const [facts, label, name] = [text("facts"), text("label"), text("name")];
    const peaks = /^[\w+/]{200}$/.test(text("peaks")) ? text("peaks") : "";
    return {
      key,
      id: key.slice(0, 8),
      state: kept.state,
      audio,
      cover,
      length,
      peaks,
      page,
      facts,
      label,
      name,
    };
  }

  function keep() {
    const { list, place } = player.queue;
    const isThere = Boolean(player.current());
    const first = Math.max(0, place - MOST / 2);
    const kept = {
      clips: list.slice(first, first + MOST),
      place: place - first,
      second: player.at(),
      plays: !player.paused(),
      left: Date.now(),
    };
    storage.set(NAME, isThere ? kept : null, "sessionStorage");
  }

  function resume() {
    const kept = /** @type {any} */ (storage.get(NAME, null, "sessionStorage"));
    storage.set(NAME, null, "sessionStorage"); // it is the next page's alone, not that of a copied window
    if (!kept || !Array.isArray(kept.clips)) return;
    const clip = known(kept.clips[kept.place]);
    if (!clip?.audio) return;
    const list = kept.clips.slice(0, MOST).map((/** @type {unknown} */ each) => known(each) ?? clip);
    list[kept.place] = clip;
    const plays = kept.plays === true && Math.abs(Date.now() - Number(kept.left)) < SOON;
    // A link to a clip is what was asked for, unless something plays.
    if (player.isOpen() && !plays) return;
    player.resume(list, kept.place, Math.max(0, Number(kept.second) || 0), plays);
  }

  window.addEventListener("pagehide", keep);
  resume();
  // Where the browser had kept the page.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) resume();
  });
})();
