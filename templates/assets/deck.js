// What is heard, in <audio> elements: one is heard, others get ready behind it. A switch is a crossfade of a few
// milliseconds between elements that play the same second: nothing stops in between. Clips that are compared,
// partners, go along silently, each in an element of its own, as soon as one of them plays.
(() => {
  "use strict";
  const FADE = 16; // milliseconds
  const NEAR = 0.03; // seconds: closer than this, two elements are in step
  const NEAR_ENOUGH = 0.06; // and closer than this, nobody is to wait for better
  const TRIES = 6;
  const SETTLES = 130; // milliseconds until the clock of an element that begins to play is to be believed
  const MOST_ALONG = 8;
  // An element that is muted plays into nothing, and loses its step when it is to be heard. So it plays too
  // softly for any ear, where a page may say how softly: phones know no volume but their own.
  const SOFTLY = 0.0001;
  /** @type {DeckEvent[]} */
  const TOLD = ["play", "pause", "ended", "seeked", "loadedmetadata", "timeupdate", "error"];
  const { gallery } = window;

  gallery.makeDeck = (tell) => {
    let volume = 1;
    let muted = false;
    let rate = 1;
    let heard = make();
    let other = make(); // for what is no partner
    let lead = 0.1; // seconds that it takes to begin, as the last ones have shown
    let turn = 0; // what was begun for an earlier wish is given up
    let line = 0; // and what goes along, where what is heard has jumped
    /** @type {Map<string, Promise<boolean>>} */
    const brought = new Map(); // what is on its way, by its address
    let coming = ""; // the address that is heard as soon as it is in step
    /** @type {string[]} */
    let partners = []; // addresses that are switched between
    /** @type {Map<string, HTMLAudioElement>} */
    const along = new Map(); // elements of partners, but for the one that is heard
    /** @type {WeakMap<HTMLAudioElement, string>} */
    const sources = new WeakMap(); // the address of what an element plays, wherever it has it from
    /** @type {number | null} */
    let sought = null; // the second that is to be heard of a clip that is being fetched
    /** @type {WeakSet<HTMLAudioElement>} */
    let settled = new WeakSet(); // those whose clock is to be believed
    /** @type {ReturnType<typeof setInterval> | undefined} */
    let fading;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let gathering;
    heard.volume = 0.5;
    const knowsVolume = heard.volume === 0.5;
    heard.volume = 1;

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
      return sources.get(element) ?? "";
    }

    /** @type {(element: HTMLAudioElement, seconds: number) => boolean} */
    function canSeek({ readyState, seekable, duration }, seconds) {
      const last = seekable.length && seekable.end(seekable.length - 1);
      return !readyState || Math.min(seconds, duration) <= last + NEAR;
    }

    /** @type {(src: string) => Promise<string> | string} - for servers that give no parts of a file */
    function fetchWhole(src) {
      return gallery.whole?.fetch(src, [heard, ...silent()].map(source)) ?? src;
    }

    /** @param {number} seconds */
    async function seekWhole(seconds) {
      const src = source(heard);
      const isFirst = sought === null;
      sought = seconds;
      if (!isFirst) return; // this second is sought as soon as the clip is there
      try {
        const address = await fetchWhole(src);
        if (source(heard) !== src || coming) return;
        const isPlaying = !heard.paused;
        heard.src = address;
        heard.currentTime = sought;
        if (isPlaying) await play();
      } catch (error) {
        if (/** @type {Error} */ (error).name !== "AbortError") tell("unseekable");
      } finally {
        if (source(heard) === src) sought = null;
      }
    }

    /** @param {HTMLAudioElement} element */
    function silence(element) {
      element.muted = muted || !knowsVolume;
      element.volume = SOFTLY;
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
      if (source(element) !== src) element.src = gallery.whole?.get(src) ?? src;
      sources.set(element, src);
      setRate(element);
    }

    function silent() {
      return [other, ...along.values()];
    }

    /**
     * The element for an address: the one in which it is already, if there is one.
     * @param {string} src
     */
    function elementFor(src) {
      if (source(heard) === src) return heard;
      const found = along.get(src);
      if (found || !partners.includes(src)) return found ?? other;
      const element = make();
      along.set(src, element);
      return element;
    }

    /**
     * From now on this element is the one that is heard. Returns the one that was.
     * @param {HTMLAudioElement} element
     */
    function exchange(element) {
      const gone = heard;
      if (element === gone) return gone;
      heard = element;
      along.delete(source(element));
      if (partners.includes(source(gone))) along.set(source(gone), gone);
      if (element === other || !partners.includes(source(gone))) {
        if (element !== other) other.pause();
        other = partners.includes(source(gone)) ? make() : gone;
      }
      return gone;
    }

    // What a crossfade has left to do, at once.
    function settle() {
      clearInterval(fading);
      for (const element of silent()) silence(element);
      sound(heard, 1);
    }

    // Nothing goes along.
    function rest() {
      line++;
      brought.clear();
      settled = new WeakSet();
      for (const element of silent()) element.pause();
    }

    // Those that are compared with what is heard get ready to be heard.
    function gather() {
      const src = source(heard);
      if (heard.paused || !partners.includes(src)) return;
      for (const address of partners.slice(0, MOST_ALONG)) {
        const element = elementFor(address);
        // It is brought again when it is wanted.
        if (element !== heard && !isInStep(element)) call(element, address).catch(() => {});
      }
    }

    /** @type {Deck["start"]} */
    function start(src, at) {
      turn++;
      coming = "";
      sought = null;
      if (partners.includes(src)) exchange(elementFor(src));
      settle();
      rest();
      put(heard, src);
      if (!canSeek(heard, at)) seekWhole(at);
      else if (at || heard.currentTime) heard.currentTime = at;
      return play();
    }

    function play() {
      const promise = heard.play();
      promise.then(gather, () => {}); // whoever asked is told
      return promise;
    }

    function pause() {
      turn++;
      const at = heard.currentTime;
      heard.pause();
      rest();
      if (!coming) return;
      exchange(elementFor(coming));
      coming = "";
      settle();
      seek(at);
      tell("swap");
    }

    /** @type {Deck["seek"]} */
    function seek(seconds) {
      if (canSeek(heard, seconds)) heard.currentTime = seconds;
      else seekWhole(seconds);
      if (coming) return; // what comes looks where it is to be
      rest();
      clearTimeout(gathering);
      gathering = setTimeout(gather, SETTLES); // not at every step of a hand that drags
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

    /** @param {HTMLAudioElement} element */
    async function playSilently(element) {
      try {
        await element.play();
      } catch (error) {
        if (/** @type {Error} */ (error).name !== "NotAllowedError") throw error;
        element.muted = true; // some browsers let nothing else play beside what was clicked
        await element.play();
      }
    }

    /** @param {HTMLAudioElement} element */
    function gap(element) {
      return heard.currentTime - element.currentTime;
    }

    /**
     * @param {HTMLAudioElement} element
     * @param {number} [within]
     */
    function isInStep(element, within = NEAR) {
      return settled.has(element) && !element.paused && !element.seeking && Math.abs(gap(element)) < within;
    }

    /**
     * Has an element brought, once at a time.
     * @param {HTMLAudioElement} element
     * @param {string} src
     */
    function call(element, src) {
      const known = brought.get(src);
      if (known) return known;
      const promise = bring(element, src).finally(() => {
        if (brought.get(src) === promise) brought.delete(src);
      });
      brought.set(src, promise);
      return promise;
    }

    /**
     * Lets an element play the second that is heard, silently. False if it has no such second, or is not
     * wanted any more.
     * @param {HTMLAudioElement} element
     * @param {string} src
     */
    async function bring(element, src) {
      const [myLine, myTurn] = [line, turn];
      const isWanted = () =>
        line === myLine &&
        (turn === myTurn || partners.includes(src)) &&
        element !== heard &&
        source(element) === src;
      let ahead = lead;
      settled.delete(element);
      silence(element);
      put(element, src);
      await ready(element);
      if (!canSeek(element, heard.currentTime + ahead)) {
        element.src = await fetchWhole(src);
        await ready(element);
      }
      for (let tries = TRIES; ; tries--) {
        if (!isWanted()) return false;
        const aim = heard.currentTime + ahead;
        if (aim >= element.duration) return false;
        const sought = once(element, "seeked");
        element.currentTime = aim;
        await Promise.all([sought, playSilently(element)]);
        await new Promise((resolve) => setTimeout(resolve, SETTLES));
        if (!isWanted()) return false;
        settled.add(element);
        if (isInStep(element) || !tries) {
          lead = ahead;
          return true;
        }
        ahead = Math.max(0, Math.min(1, ahead + gap(element)));
      }
    }

    /** @type {Deck["swap"]} */
    async function swap(src) {
      const mine = ++turn;
      settle();
      coming = src;
      const element = elementFor(src);
      try {
        const isThere =
          (source(element) === src && isInStep(element, NEAR_ENOUGH)) || (await call(element, src));
        if (mine !== turn) return;
        coming = "";
        if (isThere) cross(element);
        else start(src, 0);
      } catch (error) {
        if (mine !== turn || /** @type {Error} */ (error).name === "AbortError") return;
        coming = "";
        heard.pause();
        tell("error");
      }
    }

    /** @param {HTMLAudioElement} element */
    function cross(element) {
      const began = performance.now();
      const gone = exchange(element);
      settled.add(gone);
      fading = setInterval(() => {
        const share = Math.min(1, (performance.now() - began) / FADE);
        sound(heard, Math.sin((share * Math.PI) / 2));
        if (gone !== heard) gone.volume = volume * Math.cos((share * Math.PI) / 2);
        if (share < 1) return;
        settle();
        const areCompared = partners.includes(source(heard));
        for (const element of silent()) if (element === other || !areCompared) element.pause();
        gather();
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
        for (const [src, element] of along) {
          if (addresses.includes(src) || src === coming) continue;
          along.delete(src);
          sources.delete(element);
          element.removeAttribute("src");
          element.load();
        }
        gather();
      },
      src: () => coming || source(heard),
      time: () => sought ?? heard.currentTime,
      length: () => (coming ? Number.NaN : heard.duration),
      paused: () => heard.paused,
      set: (settings) => {
        volume = settings.volume ?? volume;
        muted = settings.muted ?? muted;
        rate = settings.rate ?? rate;
        settle();
        for (const element of [heard, ...silent()]) setRate(element);
      },
      settings: () => ({ volume, muted, rate }),
    };
  };
})();
