// What a page's scripts share: how they come and go with it; its elements; and clips, as an element says of
// one and as the scripts under clips/ know of all.
(() => {
  "use strict";
  const { gallery } = window;
  const root = new URL(document.documentElement.dataset.root || ".", document.baseURI).href;
  // The language that the gallery writes in, where it isn't the pages', and what its letters may tell.
  const [own, ...letters] = (document.documentElement.dataset.own ?? "").split(" ");
  const LATER = ["furnish", "copying", "dock", "queue", "resume", "visits", "whole"];
  // Scripts of every page that nobody needs before it is seen: loaded when it is there.
  const given = document.currentScript?.dataset.later?.trim().split(" ");
  const later = (given ?? LATER.map((name) => `${root}assets/${name}.js`)).map(whole);
  /** @type {Map<string, Promise<unknown>>} */
  const loading = new Map(); // scripts that were asked for, by their addresses
  /** @type {Map<string, Promise<unknown>>} */
  const parts = new Map(); // and those under clips/, that they are there or not

  // What stands in the place of a picture.
  /** @type {Record<string, string>} */
  const SILENT = {
    pending: "not rendered yet",
    damaged: "damaged",
    newer: "newer version",
    lost: "lost",
  };

  const NOT_USED = "–"; // in a take's label, as gallery/site/pages/rows.py has it

  // ---- what scripts do on a page, and end with it

  /** @type {{ script: string, selector: string, start: Parameters<Gallery["mount"]>[1] }[]} */
  const mounts = [];
  /** @type {Set<string> | null} */
  let named = null; // the scripts that the page names; all that run while it is read are
  let leaving = new AbortController();

  /** @param {(typeof mounts)[number]} mount */
  function begin({ selector, start }) {
    const element = /** @type {HTMLElement | null} */ (document.querySelector(selector));
    if (element) start(element, leaving.signal);
  }

  gallery.mount = (selector, start) => {
    const script = /** @type {HTMLScriptElement | null} */ (document.currentScript)?.src ?? "";
    const mount = { script, selector, start };
    mounts.push(mount);
    if (!named || named.has(script)) begin(mount);
  };

  document.addEventListener("DOMContentLoaded", () => {
    named = new Set([...Array.from(document.scripts, ({ src }) => src), ...later]);
  });

  // As long as pages don't come in place of one another: see visits.js.
  gallery.visit = (address, { replace } = {}) => {
    if (replace) location.replace(address);
    else location.assign(address);
  };
  gallery.push = (address) => history.pushState(null, "", address);

  gallery.page = {
    leave: () => {
      leaving.abort();
      leaving = new AbortController();
    },
    enter: (scripts) => {
      named = new Set([...scripts, ...later]);
      document.dispatchEvent(new Event("page:entered"));
      for (const script of named) {
        for (const mount of mounts.filter((each) => each.script === script)) {
          try {
            begin(mount);
          } catch (error) {
            reportError(error); // the other scripts go on, as on a page that is loaded
          }
        }
      }
    },
  };

  // ---- elements

  gallery.dom = {
    within: (root) => (selector) => /** @type {any} */ (root.querySelector(selector)),
    part: (root) => (name) => /** @type {any} */ (root.querySelector(`[data-${name}]`)),
    all: (root, name) => [.../** @type {NodeListOf<any>} */ (root.querySelectorAll(`[data-${name}]`))],
    around: (event) => (name) => /** @type {Element} */ (event.target).closest(`[data-${name}]`),
    make: (tag, properties = {}) => Object.assign(document.createElement(tag), properties),
    icon: (name, className = "") => {
      const kind = className && ` class="${className}"`;
      const innerHTML = `<svg${kind} width="24" height="24" aria-hidden="true"><use href="#i-${name}"/></svg>`;
      return /** @type {any} */ (gallery.dom.make("template", { innerHTML }).content.firstChild);
    },
  };
  const { make } = gallery.dom;

  // A row offers its takes as buttons; its picture then belongs to the take that plays.
  /** @type {Clips["hostOf"]} */
  function hostOf(element) {
    return element.parentElement?.closest("[data-clip]") ?? element;
  }

  /** @type {Clips["elementsOf"]} */
  function elementsOf(clip) {
    return clip ? gallery.dom.all(document, `clip="${CSS.escape(clip.key)}"`) : [];
  }

  /**
   * Pages may come in place of one another: what is kept longer has its whole address.
   * @param {string | undefined} address - as the page has it
   */
  function whole(address) {
    return address ? new URL(address, document.baseURI).href : "";
  }

  /** @type {Clips["read"]} */
  function read(element) {
    const data = element.dataset;
    const host = hostOf(element);
    /** @type {HTMLElement} */
    const named = element.closest("[data-name]") ?? host;
    const written = host.querySelector(".row-prompt a") ?? document.querySelector("[data-quote]");
    return {
      key: data.clip ?? "",
      id: data.id ?? "",
      state: /** @type {ClipState} */ (data.state),
      audio: whole(data.audio),
      cover: whole(data.cover),
      length: Number(data.length) || 0,
      peaks: data.peaks ?? "",
      page: whole(data.page),
      facts: data.facts ?? "",
      label: data.label ?? "",
      name: named.dataset.name || (written ? written.textContent.trim() : document.title),
    };
  }

  // The other way round: makes an element one that plays this clip.
  /** @type {Clips["give"]} */
  function give(element, clip) {
    const { key, id, state, length, audio, cover, page, facts } = clip;
    Object.assign(element.dataset, { clip: key, id, state, length, audio, cover, page, facts });
  }

  // A take's label with the names of what it gives: guidance 3, seed 7.
  /** @type {Clips["nameTake"]} */
  function nameTake(whole, label) {
    const [names, values] = [whole.split(" × "), label.split(" · ")];
    if (names.length !== values.length) return `${whole} ${label}`;
    const named = names.map((name, place) => `${name} ${values[place]}`);
    return named.filter((_, place) => values[place] !== NOT_USED).join(", ");
  }

  // A clip's sound as a picture, and whether it is a sketch: see the macro `picture` in
  // templates/parts/clips.html.
  /** @type {Clips["showPicture"]} */
  function showPicture(picture, clip) {
    const image = picture.querySelector("img");
    if (!clip.cover) image?.remove();
    else if (!image) {
      const size = { width: 480, height: 96 };
      picture.prepend(make("img", { alt: "", ...size, loading: "lazy", decoding: "async", src: clip.cover }));
    } else if (image.src !== whole(clip.cover)) image.src = clip.cover;
    if (picture.dataset.state === clip.state) return;
    picture.dataset.state = clip.state;
    picture.querySelector(".mark")?.remove();
    if (clip.state === "sketch") picture.append(make("span", { className: "mark", textContent: "sketch" }));
    else if (clip.state !== "render") {
      picture.append(make("span", { className: "mark mark-none", textContent: SILENT[clip.state] }));
    }
  }

  /** @type {Clips["factsOf"]} */
  function factsOf(pairs) {
    return pairs.map(([label, value]) => {
      const fact = make("span", { className: "fact" });
      if (label) fact.append(make("i", { textContent: label }), " ");
      fact.append(value);
      return fact;
    });
  }

  // Of a row that offers its takes: it shows the one that plays.
  /** @type {Clips["showTake"]} */
  function showTake(host, clip) {
    /** @type {HTMLElement | null} */
    const picture = host.querySelector(".picture");
    if (picture) showPicture(picture, clip);
    const facts = host.querySelector(".row-words > .facts");
    const before = [...(facts?.querySelectorAll(".fact") ?? [])];
    if (!facts || before.map((fact) => fact.textContent.trim()).join(" · ") === clip.facts) return;
    // A line of facts has labels before values, but for the model and what begins with a number.
    const pairs = clip.facts.split(" · ").map((fact) => {
      const [, label = "", value = fact] = /^(\p{L}\S*) (.+)$/u.exec(fact) ?? [];
      return /** @type {Fact} */ ([label, value]);
    });
    for (const fact of before) fact.remove();
    facts.prepend(...factsOf(pairs).flatMap((fact) => [fact, " "]));
  }

  // ---- what the scripts under clips/ know

  /** @type {Clips["link"]} */
  function link(address) {
    const start = document.documentElement.dataset.root ?? "";
    return /^https?:/.test(address) ? address : start + address.split("/").map(encodeURIComponent).join("/");
  }

  /** @type {Clips["searchFor"]} */
  function searchFor(tag) {
    return `${root}prompts/index.html?tag=${encodeURIComponent(tag)}`;
  }

  // Pages opened from disk may load scripts but not fetch.
  /** @type {Clips["loadScript"]} */
  function loadScript(address) {
    const src = new URL(address, root).href;
    const known = loading.get(src);
    if (known) return known;
    const promise = new Promise((resolve, reject) => {
      const script = make("script", { src, onload: resolve, onerror: reject });
      script.dataset.loaded = ""; // no page names it
      document.head.append(script);
    });
    loading.set(src, promise);
    promise.catch(() => loading.delete(src)); // it may work the next time
    return promise;
  }

  /** @type {Clips["find"]} */
  async function find(key) {
    if (!/^[0-9a-f]{8,32}$/.test(key)) return null;
    const name = key.slice(0, 2);
    // Where there is no such part, no clip's key begins so.
    const part = parts.get(name) ?? loadScript(`clips/${name}.js`).catch(() => {});
    parts.set(name, part);
    await part;
    const known = window.GALLERY_CLIPS?.[name] ?? {};
    const full = Object.keys(known).find((other) => other.startsWith(key));
    return full ? unpack(full, known[full]) : null;
  }

  /**
   * @param {string} key
   * @param {PackedClip} data
   * @returns {KnownClip}
   */
  function unpack(key, data) {
    const { audio, cover, facts, ...same } = data;
    const id = key.slice(0, 8);
    const page = link(`prompts/${same.path}/index.html`);
    return {
      ...same,
      key,
      id,
      audio: audio && whole(link(audio)),
      cover: cover && whole(link(cover)),
      page: whole(`${page}#${id}`),
      facts: line(facts),
      name: shorten(same.text),
      pairs: facts,
      file: audio,
    };
  }

  // ---- words

  /** @type {Clips["line"]} */
  function line(pairs) {
    return pairs.map((pair) => pair.filter(Boolean).join(" ")).join(" · ");
  }

  /** @type {Clips["clock"]} */
  function clock(seconds) {
    const whole = Math.floor(seconds + 0.5);
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  }

  // As gallery/site/theme/labels.py does it.
  /** @type {Clips["shorten"]} */
  function shorten(text) {
    const line = text.trim().split(/\s+/).join(" ");
    const signs = Array.from(line);
    if (signs.length <= 220) return line;
    const head = signs.slice(0, 220).join("");
    return `${head.slice(110).includes(" ") ? head.slice(0, head.lastIndexOf(" ")) : head} …`;
  }

  // Letters of scripts that tell the language: as gallery/site/theme/languages.py has them.
  /** @type {[language: string, letters: RegExp][]} */
  const SCRIPTS = [
    ["ja", /[\u3041-\u30ff\uff66-\uff9f]/g],
    ["ko", /[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]/g],
    ["und-Hani", /[\u3400-\u9fff\uf900-\ufaff]/g],
    ["und-Arab", /[\u0620-\u06ff\u0750-\u077f]/g],
    ["he", /[\u05d0-\u05ea]/g],
    ["th", /[\u0e01-\u0e5b]/g],
    ["el", /[\u0370-\u03ff]/g],
    ["und-Cyrl", /[\u0400-\u052f]/g],
    ["und-Deva", /[\u0900-\u097f]/g],
  ];
  const NOT_ARABIC = /[\u067e\u0686\u0688\u0691\u0698\u06a9\u06af\u06ba\u06be\u06c1\u06cc\u06d2]/;
  const RTL = /^[^A-Za-z\u00c0-\u058f\u0900-\ud7ff]*[\u05be-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

  /** @param {string} text */
  function languageOf(text) {
    const count = (/** @type {RegExp} */ letters) => text.match(letters)?.length ?? 0;
    const counts = new Map(SCRIPTS.map(([language, letters]) => [language, count(letters)]));
    const han = counts.get("und-Hani") ?? 0;
    if (counts.get("ja")) counts.set("ja", (counts.get("ja") ?? 0) + han).delete("und-Hani");
    const [language, most] = [...counts].reduce((one, other) => (other[1] > one[1] ? other : one));
    if (most <= count(/[A-Za-z\u00c0-\u024f]/g)) return "";
    return language === "und-Arab" && !NOT_ARABIC.test(text) ? "ar" : language;
  }

  /** @type {Clips["mark"]} */
  function mark(element, text) {
    const known = languageOf(text);
    const language = own && (letters.length ? letters.includes(known) : !known) ? own : known;
    if (language) element.lang = language;
    else element.removeAttribute("lang");
  }

  /** @type {Clips["tell"]} */
  function tell(element, text, beside) {
    element.dir = beside ? (RTL.test(beside) ? "rtl" : "ltr") : "auto";
    mark(element, text);
  }

  /** @type {Clips["showName"]} */
  function showName(element, { name, label }) {
    const named = make("span", { textContent: name });
    tell(named, name, name);
    element.dir = named.dir; // the label stands behind the name, and is the page's
    element.replaceChildren(named, label ? `, ${label}` : "");
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const script of later) loadScript(script).catch(() => {}); // the page does without
  });

  gallery.clips = {
    root,
    read,
    give,
    find,
    hostOf,
    elementsOf,
    nameTake,
    showPicture,
    showTake,
    factsOf,
    line,
    link,
    searchFor,
    mark,
    tell,
    showName,
    loadScript,
    clock,
    shorten,
  };

  // What the player and its kin look for is there before they come.
  const dock = (window.GALLERY_DOCK ?? "").replaceAll("\0root\0", root);
  gallery.dom.all(document, "furniture")[0]?.insertAdjacentHTML("beforeend", dock);
})();
