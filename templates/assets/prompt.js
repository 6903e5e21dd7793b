// A prompt's page: the request and the kin of the clip that is chosen, links to single clips, copying.
window.gallery.mount("main", (main, signal) => {
  "use strict";
  const { gallery } = window;
  const { dom } = gallery;
  const parts = dom.all(main, "for");
  let chosen = "";

  /** @param {string} id */
  function choose(id) {
    if (!parts.some((part) => part.dataset.for === id)) return false;
    chosen = id;
    for (const anchor of dom.all(main, "choose")) {
      if (anchor.dataset.choose === id) anchor.setAttribute("aria-current", "true");
      else anchor.removeAttribute("aria-current");
    }
    for (const part of parts) {
      part.hidden = part.dataset.for !== id;
      if (!part.hidden && part.matches("details")) part.setAttribute("open", "");
    }
    return true;
  }

  /**
   * @param {string} id
   * @returns {HTMLElement | null}
   */
  function clipOf(id) {
    return main.querySelector(`.clips [data-id="${CSS.escape(id)}"]`);
  }

  /**
   * The clip that is heard for a take: its own, or a sketch that it has in common with others.
   * @param {string} id
   */
  function heardFor(id) {
    /** @type {HTMLElement | null | undefined} */
    const stand = main.querySelector(`[data-choose="${CSS.escape(id)}"]`)?.closest("[data-stand]");
    return stand?.dataset.stand ?? id;
  }

  function followAddress() {
    // #<id>, or with a second, which is the player's to heed: #k=<id>&t=12
    const address = location.hash.slice(1);
    const asked = new URLSearchParams(address).get("k");
    const id = asked ? asked.slice(0, 8) : address;
    if (!id || !choose(id) || asked) return;
    clipOf(heardFor(id))?.dispatchEvent(new Event("clip:show", { bubbles: true }));
  }

  /** @type {NodeListOf<HTMLElement>} */
  const own = main.querySelectorAll(".clips [data-clip]");
  if (own[0]) choose(own[0].dataset.id ?? "");
  const shown = gallery.player.current();
  if (shown && !location.hash) follow(shown);
  followAddress();
  window.addEventListener("hashchange", followAddress, { signal });

  /** @param {Clip} clip */
  function follow(clip) {
    // Kin are played from here, but they are clips of other pages.
    if (clipOf(clip.id)?.dataset.clip !== clip.key) return;
    // A sketch in common says nothing of which take is looked at.
    if (heardFor(chosen) === clip.id || !choose(clip.id)) return;
    if (own.length > 1) history.replaceState(history.state, "", `#${clip.id}`);
  }
  document.addEventListener("clip:shown", ({ detail: clip }) => follow(clip), { signal });

  main.addEventListener("click", (event) => {
    const on = dom.around(event);
    const prompt = on("copy-prompt");
    const link = on("copy-link");
    if (prompt) {
      // The wording that is chosen, where takes differ in it: see wording.js.
      const quote = dom.part(main)("quote");
      gallery.copyBy(prompt, quote.dataset.wording ?? quote.textContent);
    } else if (link) gallery.copyBy(link, location.href);
  });
});
