// Two <audio> elements: one is heard, the other gets ready behind it. A switch is a crossfade of a
// few milliseconds between elements that play the same second: nothing stops in between.
(() => {
  "use strict";
  const FADE = 16; // milliseconds
  const NEAR = 0.03; // seconds: closer than this, two elements are in step
  const TRIES = 6;
  /** @type {DeckEvent[]} */
  const TOLD = ["play", "pause", "ended", "seeked", "loadedmetadata", "error"];

  window.gallery.makeDeck = (tell) => {
    let volume = 1;
    let muted = false;
    let rate = 1;
    let heard = make();
    let other = make();
    let turn = 0; // what was begun for an earlier wish is given up
    let coming = ""; // the address that is heard as soon as it is in step
    /** @type {string[]} */
    let partners = []; // two addresses, of which one goes along silently, to be heard at once
    /** @type {ReturnType<typeof setInterval> | undefined} */
    let fading;

    function make() {
      const element = new Audio();
      element.preload = "none";
      for (const kind of TOLD) {
        element.addEventListener(kind, () => {
          if (element !== heard) return;
          // It came to its end before the next was ready: that one begins at its beginning.
          if (kind === "ended" && coming) start(coming, 0);
          else tell(kind);
        });
      }
      return element;
    }

    /** @param {HTMLAudioElement} element */
    function source(element) {
      return element.getAttribute("src") ?? "";
    }

    /**
     * Muted as well: some phones know no volume but their own.
     * @param {HTMLAudioElement} element
     */
    function silence(element) {
      element.muted = true;
      element.volume = 0;
    }

    /**
     * @param {HTMLAudioElement} element
     * @param {number} share - of the volume
     */
    function sound(element, share) {
      element.muted = muted;
      element.volume = volume * share;
    }

    /** @param {HTMLAudioElement} element */
    function setRate(element) {
      element.defaultPlaybackRate = rate;
      element.playbackRate = rate;
    }

    /**
     * @param {HTMLAudioElement} element
     * @param {string} src
     */
    function put(element, src) {
      if (source(element) !== src) element.src = src;
      setRate(element);
    }

    function exchange() {
      [heard, other] = [other, heard];
    }

    function partner() {
      const src = coming || source(heard);
      return partners.includes(src) ? (partners.find((address) => address !== src) ?? "") : "";
    }

    function bringPartner() {
      const src = partner();
      // It is brought again when it is wanted.
      if (src) bring(src, turn).catch(() => {});
    }

    /** @type {Deck["start"]} */
    function start(src, at) {
      turn++;
      coming = "";
      if (partners.includes(src) && source(other) === src) exchange();
      clearInterval(fading);
      other.pause();
      silence(other);
      put(heard, src);
      if (at || heard.currentTime) heard.currentTime = at;
      sound(heard, 1);
      return play();
    }

    function play() {
      const promise = heard.play();
      bringPartner();
      return promise;
    }

    function pause() {
      turn++;
      const at = heard.currentTime;
      heard.pause();
      other.pause();
      if (!coming) return;
      coming = "";
      exchange();
      silence(other);
      sound(heard, 1);
      heard.currentTime = at;
      tell("swap");
    }

    /** @type {Deck["seek"]} */
    function seek(seconds) {
      heard.currentTime = seconds;
      if (partner() && !other.paused) other.currentTime = seconds;
    }

    /**
     * @param {HTMLAudioElement} element
     * @param {string} kind - of event
     */
    function once(element, kind) {
      return new Promise((resolve, reject) => {
        element.addEventListener(kind, resolve, { once: true });
        element.addEventListener("error", reject, { once: true });
      });
    }

    /** @param {HTMLAudioElement} element */
    async function ready(element) {
      element.preload = "auto";
      if (element.readyState <= 2) await once(element, "canplay");
    }

    function gap() {
      return heard.currentTime - other.currentTime;
    }

    /**
     * Lets the other element play the second that is heard, silently. False if it has no such second.
     * @param {string} src
     * @param {number} mine - the turn for which it is brought
     */
    async function bring(src, mine) {
      let lead = 0.03; // how long a seek takes; learned below
      silence(other);
      put(other, src);
      await ready(other);
      for (let tries = TRIES; ; tries--) {
        if (mine !== turn) return false;
        const aim = heard.currentTime + lead;
        if (aim >= other.duration) return false;
        const sought = once(other, "seeked");
        other.currentTime = aim;
        await Promise.all([sought, other.play()]);
        await new Promise((resolve) => setTimeout(resolve, 30));
        if (Math.abs(gap()) < NEAR || !tries) return true;
        lead = Math.max(0, Math.min(1, lead + gap()));
      }
    }

    /** @type {Deck["swap"]} */
    async function swap(src) {
      const mine = ++turn;
      coming = src;
      const isInStep = source(other) === src && !other.paused && Math.abs(gap()) < NEAR;
      try {
        const isThere = isInStep || (await bring(src, mine));
        if (mine !== turn) return;
        coming = "";
        if (isThere) cross();
        else start(src, 0);
      } catch (error) {
        if (mine !== turn || /** @type {Error} */ (error).name === "AbortError") return;
        coming = "";
        heard.pause();
        tell("error");
      }
    }

    function cross() {
      const began = performance.now();
      exchange();
      clearInterval(fading);
      fading = setInterval(() => {
        const share = Math.min(1, (performance.now() - began) / FADE);
        sound(heard, Math.sin((share * Math.PI) / 2));
        other.volume = volume * Math.cos((share * Math.PI) / 2);
        if (share < 1) return;
        clearInterval(fading);
        silence(other);
        if (!partner()) other.pause();
      }, 4);
      tell("swap");
    }

    return {
      start,
      swap,
      play,
      pause,
      seek,
      pair: (addresses) => {
        partners = addresses;
      },
      src: () => coming || source(heard),
      time: () => heard.currentTime,
      length: () => (coming ? Number.NaN : heard.duration),
      paused: () => heard.paused,
      set: (settings) => {
        volume = settings.volume ?? volume;
        muted = settings.muted ?? muted;
        rate = settings.rate ?? rate;
        sound(heard, 1);
        setRate(heard);
        setRate(other);
      },
      settings: () => ({ volume, muted, rate }),
    };
  };
})();
