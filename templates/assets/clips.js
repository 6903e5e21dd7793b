// What a page's scripts share: its elements; and clips, as an element says of one and as the scripts
// under clips/ know of all.
(() => {
  "use strict";
  const { gallery } = window;
  const root = document.documentElement.dataset.root ?? "";
  // The language that the gallery writes in, where it isn't the pages', and what its letters may tell.
  const [own, ...letters] = (document.documentElement.dataset.own ?? "").split(" ");
  /** @type {Map<string, Promise<unknown>>} */
  const loading = new Map(); // the parts under clips/ that were asked for

  // What stands in the place of a picture.
  /** @type {Record<string, string>} */
  const SILENT = {
    pending: "not rendered yet",
    damaged: "damaged",
    newer: "newer version",
    lost: "lost",
  };

  const NOT_USED = "–"; // in a take's label, as gallery/site/pages/rows.py has it

  // ---- elements

  gallery.dom = {
    within: (root) => (selector) => /** @type {any} */ (root.querySelector(selector)),
    part: (root) => (name) => /** @type {any} */ (root.querySelector(`[data-${name}]`)),
    all: (root, name) => [.../** @type {NodeListOf<any>} */ (root.querySelectorAll(`[data-${name}]`))],
    around: (event) => (name) => /** @type {Element} */ (event.target).closest(`[data-${name}]`),
    make: (tag, properties = {}) => Object.assign(document.createElement(tag), properties),
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
      audio: data.audio ?? "",
      cover: data.cover ?? "",
      length: Number(data.length) || 0,
      peaks: data.peaks ?? "",
      page: data.page ?? "",
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

  // ---- what pages leave to scripts: see the macro `row` in templates/parts/clips.html

  /**
   * @param {string} name
   * @param {string} [className]
   */
  function icon(name, className = "") {
    const kind = className && ` class="${className}"`;
    return `<svg${kind} width="24" height="24" aria-hidden="true"><use href="#i-${name}"/></svg>`;
  }

  // What buttons show.
  const FACES = {
    play: icon("play", "on") + icon("pause", "off"),
    star: icon("star"),
    compare: `${icon("compare")}<span class="act-word" aria-hidden="true">compare</span>`,
  };

  // What can be done with the clip of a row.
  const ACTS = [
    ["star", "favourite", "act star scripted"],
    ["compare", "compare", "act scripted"],
  ];

  /** @type {Clips["furnish"]} */
  function furnish(root) {
    for (const acts of root.querySelectorAll(".row > .acts:empty")) {
      furnishRow(/** @type {HTMLElement} */ (acts.parentElement));
    }
    for (const [name, face] of Object.entries(FACES)) {
      for (const button of root.querySelectorAll(`button[data-${name}]:empty`)) button.innerHTML = face;
    }
    for (const anchor of gallery.dom.all(root, "tag")) {
      anchor.setAttribute("href", searchFor(anchor.dataset.tag ?? ""));
    }
    for (const template of root.querySelectorAll("template")) furnish(template.content);
  }

  /** @param {HTMLElement} row */
  function furnishRow(row) {
    const find = gallery.dom.within(row);
    /** @type {HTMLAnchorElement} */
    const written = find(".row-prompt a");
    const picture = find(":scope > .picture");
    const page = written.getAttribute("href") ?? "";
    const cover = picture.querySelector("img")?.getAttribute("src") ?? "";
    const facts = [...row.querySelectorAll(".fact")].map((fact) => fact.textContent);
    const audio = cover && `${cover.slice(0, -".webp".length)}.mp3`;
    tellOfClip(row, { audio, cover, page, facts: facts.join(" · ") });
    const { clip: key = "", state, length, audio: heard = "" } = row.dataset;
    const whole = row.querySelector(".differs")?.textContent ?? "";
    /** @type {NodeListOf<HTMLElement>} */
    const takes = row.querySelectorAll(".take[data-clip]");
    for (const take of takes) {
      const { clip: other = "" } = take.dataset;
      const files = { audio: heard.replace(key, other), cover: cover.replace(key, other) };
      tellOfClip(take, { ...files, page, state, length, label: nameTake(whole, take.textContent) });
    }
    const name = row.querySelector(".row-title")?.textContent || written.textContent;
    picture.insertBefore(mute("playhead"), picture.querySelector(".mark"));
    addControls(row, name);
  }

  // A take's label with the names of what it gives: guidance 3, seed 7.
  /** @type {Clips["nameTake"]} */
  function nameTake(whole, label) {
    const [names, values] = [whole.split(" × "), label.split(" · ")];
    if (names.length !== values.length) return `${whole} ${label}`;
    const named = names.map((name, place) => `${name} ${values[place]}`);
    return named.filter((_, place) => values[place] !== NOT_USED).join(", ");
  }

  /**
   * Completes what an element says of its clip; what it says itself, stands.
   * @param {HTMLElement} element
   * @param {Record<string, string | undefined>} known
   */
  function tellOfClip(element, known) {
    const id = (element.dataset.clip ?? "").slice(0, 8);
    const all = { id, ...known, page: `${known.page}#${id}` };
    for (const [name, value] of Object.entries(all)) element.dataset[name] ??= value;
  }

  /**
   * @param {HTMLElement} row
   * @param {string} name
   */
  function addControls(row, name) {
    const sounds = Boolean(row.dataset.audio);
    for (const [hook, title, className] of sounds ? ACTS : ACTS.slice(0, 1)) {
      const button = control(hook, `${title[0].toUpperCase()}${title.slice(1)}: ${name}`, className);
      button.title = title;
      button.setAttribute("aria-pressed", "false");
      row.querySelector(":scope > .acts")?.append(button);
    }
    const kind = row.dataset.state === "sketch" ? "sketch: " : "";
    row.prepend(sounds ? control("play", `Play ${kind}${name}`, "play") : mute("play play-none"));
  }

  /**
   * @param {string} hook
   * @param {string} label
   * @param {string} className
   */
  function control(hook, label, className) {
    const button = make("button", { type: "button", className });
    button.dataset[hook] = "";
    button.setAttribute("aria-label", label);
    return button;
  }

  /** @param {string} className */
  function mute(className) {
    const element = make("span", { className });
    element.setAttribute("aria-hidden", "true");
    return element;
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
    } else if (image.getAttribute("src") !== clip.cover) image.src = clip.cover;
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
    return /^https?:/.test(address) ? address : root + address.split("/").map(encodeURIComponent).join("/");
  }

  /** @type {Clips["searchFor"]} */
  function searchFor(tag) {
    return `${root}prompts/index.html?tag=${encodeURIComponent(tag)}`;
  }

  // Pages opened from disk may load scripts but not fetch.
  /** @type {Clips["loadScript"]} */
  function loadScript(address) {
    return new Promise((resolve, reject) => {
      document.head.append(make("script", { src: root + address, onload: resolve, onerror: reject }));
    });
  }

  /** @type {Clips["find"]} */
  async function find(key) {
    if (!/^[0-9a-f]{8,32}$/.test(key)) return null;
    const name = key.slice(0, 2);
    // Where there is no such part, no clip's key begins so.
    const script = loading.get(name) ?? loadScript(`clips/${name}.js`).catch(() => {});
    loading.set(name, script);
    await script;
    const known = window.GALLERY_CLIPS?.[name] ?? {};
    const whole = Object.keys(known).find((other) => other.startsWith(key));
    return whole ? unpack(whole, known[whole]) : null;
  }

  /**
   * @param {string} key
   * @param {PackedClip} data
   * @returns {KnownClip}
   */
  function unpack(key, data) {
    const { audio, cover, facts, ...same } = data;
    const id = key.slice(0, 8);
    return {
      ...same,
      key,
      id,
      audio: audio && link(audio),
      cover: cover && link(cover),
      page: `${link(`prompts/${same.path}/index.html`)}#${id}`,
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
    const whole = text.trim().split(/\s+/).join(" ");
    const signs = Array.from(whole);
    if (signs.length <= 220) return whole;
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

  /** @type {Clips["tell"]} */
  function tell(element, text, beside) {
    element.dir = beside ? (RTL.test(beside) ? "rtl" : "ltr") : "auto";
    const known = languageOf(text);
    const language = own && (letters.length ? letters.includes(known) : !known) ? own : known;
    if (language) element.lang = language;
    else element.removeAttribute("lang");
  }

  gallery.clips = {
    read,
    give,
    find,
    hostOf,
    elementsOf,
    furnish,
    nameTake,
    showPicture,
    showTake,
    factsOf,
    line,
    link,
    searchFor,
    tell,
    loadScript,
    clock,
    shorten,
  };

  // What the player and its kin look for is there before they come.
  const dock = (window.GALLERY_DOCK ?? "").replaceAll("\0root\0", root);
  gallery.dom.all(document, "furniture")[0]?.insertAdjacentHTML("beforeend", dock);
  furnish(document);
})();
