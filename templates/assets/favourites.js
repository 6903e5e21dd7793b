// Favourites and what was heard lately, from this browser; or a list from the address: ?k=<key>,<key>.
window.gallery.mount("[data-favourites]", (page, signal) => {
  "use strict";
  const { gallery } = window;
  const { clips, dom, player, storage } = gallery;
  const part = dom.part(page);
  const MOST_SHARED = 500; // an address can ask for anything
  const asked = (new URLSearchParams(location.search).get("k") ?? "").split(",");
  const shared = [...new Set(asked.filter((key) => /^[0-9a-f]{8,32}$/.test(key)))].slice(0, MOST_SHARED);
  /** @type {KnownClip[]} */
  let shown = [];
  let turn = 0;

  /** @param {KnownClip} clip */
  function rowOf(clip) {
    /** @type {RowPrompt["line"]} */
    const line = clip.label ? ["take:", [clip.label]] : ["", []];
    return gallery.drawRow({ title: clip.title, text: clip.text, tags: [], line, page: clip.page }, [clip]);
  }

  /**
   * What the gallery no longer has is left out, and told.
   * @param {string[]} keys
   * @param {HTMLElement} section
   */
  async function draw(keys, section) {
    const found = await Promise.all(keys.map(clips.find));
    const there = found.filter((clip) => clip !== null);
    if (signal.aborted) return there;
    const drawn = dom.part(section)("drawn");
    drawn.replaceChildren(...there.map(rowOf));
    return there;
  }

  async function show() {
    const keys = shared.length ? shared : storage.list("favourites");
    const mine = ++turn;
    const there = await draw(keys, part("own"));
    if (mine !== turn || signal.aborted) return;
    const lost = keys.length - there.length;
    shown = there;
    part("told").textContent =
      (there.length === 1 ? "1 clip" : `${there.length} clips`) +
      (shared.length ? " in a list that was shared with you" : "") +
      (lost ? `; ${lost} more ${lost === 1 ? "is" : "are"} not in this gallery any more` : "");
    part("acts").hidden = !there.length;
    part("none").hidden = keys.length > 0;
    part("keep-all").hidden = !shared.length || there.every(({ key }) => storage.isFavourite(key));
    document.dispatchEvent(new Event("rows:drawn"));
  }

  async function showHeard() {
    const keys = storage.list("heard");
    part("heard").hidden = !keys.length;
    await draw(keys, part("heard"));
    document.dispatchEvent(new Event("rows:drawn"));
  }

  // ---- to take along

  /** @param {KnownClip} clip */
  function addressOf(clip) {
    if (/^https?:/.test(clip.file)) return clip.file;
    // Where the gallery has no address of its own, what is taken along leads to where it is now.
    return page.dataset.base ? page.dataset.base + clip.file : new URL(clip.audio, location.href).href;
  }

  function asM3u() {
    const lines = ["#EXTM3U"];
    for (const clip of shown.filter(({ audio }) => audio)) {
      const name = (clip.state === "sketch" ? "Sketch: " : "") + clip.name.replace(/\s+/g, " ");
      lines.push(`#EXTINF:${Math.round(clip.length)},${name}`, addressOf(clip));
    }
    return `${lines.join("\n")}\n`;
  }

  function asJson() {
    const list = shown.map((clip) => ({
      key: clip.key,
      title: clip.title || clip.name,
      prompt: clip.path,
      state: clip.state,
      audio: clip.audio ? addressOf(clip) : "",
      request: clip.request,
    }));
    return `${JSON.stringify({ version: 1, gallery: page.dataset.title, clips: list }, null, 2)}\n`;
  }

  function linkToList() {
    const address = new URL(location.href);
    address.hash = "";
    address.search = `?k=${shown.map(({ key }) => key).join(",")}`;
    return address.href;
  }

  page.addEventListener("click", (event) => {
    const on = dom.around(event);
    const kind = on("export")?.dataset.export;
    if (on("play-all")) {
      /** @type {HTMLElement | null | undefined} */
      const first = part("own").querySelector(".row button.play")?.closest("[data-clip]");
      if (first) player.play(first, 0);
    } else if (on("keep-all")) storage.addFavourites(shown.map(({ key }) => key));
    else if (on("share")) {
      gallery.copy(linkToList(), () => {
        part("told").textContent = "The link to this list is copied.";
      });
    } else if (kind === "m3u") gallery.save("favourites.m3u", "audio/x-mpegurl", asM3u());
    else if (kind === "json") gallery.save("favourites.json", "application/json", asJson());
    else if (on("forget-heard")) storage.set("heard", []);
  });

  /** @param {string} name */
  function follow(name) {
    if (name === "favourites") show();
    if (name === "heard") showHeard();
  }
  document.addEventListener("storage:changed", ({ detail: name }) => follow(name), { signal });

  if (shared.length) part("heading").textContent = "a shared list";
  show();
  showHeard();
});
