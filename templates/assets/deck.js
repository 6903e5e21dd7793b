// Two <audio> elements: one is heard, the other gets ready behind it. A switch is a crossfade of a
// few milliseconds between elements that play the same second: nothing stops in between.
(function () {
  "use strict";
  var gallery = (window.gallery = window.gallery || {});
  var FADE = 16; // milliseconds
  var NEAR = 0.03; // seconds: closer than this, two elements are in step
  var TRIES = 6;
  var TOLD = ["play", "pause", "ended", "seeked", "loadedmetadata", "error"];

  // `tell` hears the events of the element that is heard, and "swap" when the other takes its place.
  gallery.makeDeck = function (tell) {
    var volume = 1, muted = false, rate = 1;
    var heard = make(), other = make();
    var turn = 0; // what was begun for an earlier wish is given up
    var coming = ""; // the address that is heard as soon as it is in step
    var partners = []; // two addresses, of which one goes along silently, to be heard at once
    var fading = 0;

    function make() {
      var element = new Audio();
      element.preload = "none";
      TOLD.forEach(function (kind) {
        element.addEventListener(kind, function () {
          if (element !== heard) return;
          // It came to its end before the next was ready: that one begins at its beginning.
          if (kind === "ended" && coming) start(coming, 0);
          else tell(kind);
        });
      });
      return element;
    }

    function source(element) { return element.getAttribute("src") || ""; }

    // Muted as well: some phones know no volume but their own.
    function silence(element) { element.muted = true; element.volume = 0; }

    function sound(element, share) { element.muted = muted; element.volume = volume * share; }

    function put(element, src) {
      if (source(element) !== src) element.src = src;
      element.defaultPlaybackRate = element.playbackRate = rate;
    }

    function exchange() {
      var leaving = heard;
      heard = other;
      other = leaving;
    }

    function partner() {
      var src = coming || source(heard);
      return partners.includes(src) ? partners.find(function (address) { return address !== src; }) || "" : "";
    }

    function bringPartner() {
      var src = partner();
      // It is brought again when it is wanted.
      if (src) bring(src, turn).catch(function () {});
    }

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
      var promise = heard.play();
      bringPartner();
      return promise;
    }

    function pause() {
      turn++;
      var at = heard.currentTime;
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

    function seek(seconds) {
      heard.currentTime = seconds;
      if (partner() && !other.paused) other.currentTime = seconds;
    }

    function once(element, kind) {
      return new Promise(function (resolve, reject) {
        element.addEventListener(kind, resolve, { once: true });
        element.addEventListener("error", reject, { once: true });
      });
    }

    function ready(element) {
      element.preload = "auto";
      return element.readyState > 2 ? Promise.resolve() : once(element, "canplay");
    }

    function gap() { return heard.currentTime - other.currentTime; }

    // Lets the other element play the second that is heard, silently. False if it has no such second.
    function bring(src, mine) {
      var lead = 0.03; // how long a seek takes; learned below
      silence(other);
      put(other, src);
      var align = function (tries) {
        if (mine !== turn) return false;
        var aim = heard.currentTime + lead;
        if (aim >= other.duration) return false;
        var sought = once(other, "seeked");
        other.currentTime = aim;
        return Promise.all([sought, other.play()])
          .then(function () { return new Promise(function (resolve) { setTimeout(resolve, 30); }); })
          .then(function () {
            if (Math.abs(gap()) < NEAR || !tries) return true;
            lead = Math.max(0, Math.min(1, lead + gap()));
            return align(tries - 1);
          });
      };
      return ready(other).then(function () { return align(TRIES); });
    }

    function swap(src) {
      var mine = ++turn;
      coming = src;
      var inStep = source(other) === src && !other.paused && Math.abs(gap()) < NEAR;
      return (inStep ? Promise.resolve(true) : bring(src, mine)).then(function (there) {
        if (mine !== turn) return;
        coming = "";
        if (there) cross();
        else start(src, 0);
      }, function (error) {
        if (mine !== turn || error.name === "AbortError") return;
        coming = "";
        heard.pause();
        tell("error");
      });
    }

    function cross() {
      var began = performance.now();
      exchange();
      clearInterval(fading);
      fading = setInterval(function () {
        var share = Math.min(1, (performance.now() - began) / FADE);
        sound(heard, Math.sin(share * Math.PI / 2));
        other.volume = volume * Math.cos(share * Math.PI / 2);
        if (share < 1) return;
        clearInterval(fading);
        silence(other);
        if (!partner()) other.pause();
      }, 4);
      tell("swap");
    }

    return {
      start: start,
      swap: swap,
      play: play,
      pause: pause,
      seek: seek,
      // Of these two addresses, the one that isn't heard goes along.
      pair: function (addresses) { partners = addresses; },
      src: function () { return coming || source(heard); },
      time: function () { return heard.currentTime; },
      length: function () { return coming ? NaN : heard.duration; },
      paused: function () { return heard.paused; },
      set: function (settings) {
        if (settings.volume !== undefined) volume = settings.volume;
        if (settings.muted !== undefined) muted = settings.muted;
        if (settings.rate !== undefined) rate = settings.rate;
        sound(heard, 1);
        [heard, other].forEach(function (element) { element.defaultPlaybackRate = element.playbackRate = rate; });
      },
      settings: function () { return { volume: volume, muted: muted, rate: rate }; },
    };
  };
})();
