// What pages leave to scripts, because only they use it: see the macro `row` in templates/parts/clips.html.
(() => {
  "use strict";
  const { gallery } = window;
  const { clips, dom } = gallery;

  // What buttons show.
  const FACES = {
    play: [dom.icon("play", "on"), dom.icon("pause", "off")],
    star: [dom.icon("star")],
    compare: [dom.icon("compare"), dom.make("span", { className: "act-word", textContent: "compare" })],
    enqueue: [dom.icon("enqueue")],
  };
  FACES.compare[1].setAttribute("aria-hidden", "true");

  // What can be done with the clip of a row; without a sound, the first alone.
  const ACTS = [
    ["star", "favourite", "act star scripted"],
    ["compare", "compare", "act scripted"],
    ["enqueue", "play next", "act scripted"],
  ];

  /** @param {ParentNode} root */
  function furnish(root) {
    for (const acts of root.querySelectorAll(".row > .acts:empty")) {
      furnishRow(/** @type {HTMLElement} */ (acts.parentElement));
    }
    for (const [name, face] of Object.entries(FACES)) {
      for (const button of root.querySelectorAll(`button[data-${name}]:empty`)) {
        button.append(...face.map((part) => part.cloneNode(true)));
      }
    }
    for (const anchor of dom.all(root, "tag")) {
      anchor.setAttribute("href", clips.searchFor(anchor.dataset.tag ?? ""));
    }
    for (const template of root.querySelectorAll("template")) furnish(template.content);
  }

  /** @param {HTMLElement} row */
  function furnishRow(row) {
    const find = dom.within(row);
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
      tellOfClip(take, { ...files, page, state, length, label: clips.nameTake(whole, take.textContent) });
    }
    const name = row.querySelector(".row-title")?.textContent || written.textContent;
    picture.insertBefore(mute("playhead"), picture.querySelector(".mark"));
    addControls(row, name);
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
      if (hook !== "enqueue") button.setAttribute("aria-pressed", "false");
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
    const button = dom.make("button", { type: "button", className });
    button.dataset[hook] = "";
    button.setAttribute("aria-label", label);
    return button;
  }

  /** @param {string} className */
  function mute(className) {
    const element = dom.make("span", { className });
    element.setAttribute("aria-hidden", "true");
    return element;
  }

  gallery.mount("main", () => furnish(document));
})();
