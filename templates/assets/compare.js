// Two clips side by side, in step: one is heard, the other goes along silently.
window.gallery.mount("[data-comparing]", (page, signal) => {
  "use strict";
  const { gallery } = window;
  const { clips, differences, dom, player } = gallery;
  const part = dom.part(page);
  /** @type {Side[]} */
  const SIDES = ["a", "b"];
  /** @type {Pair | null} */
  let pair = null;

  /** @param {string} text */
  function say(text) {
    part("told").textContent = text;
  }

  // ---- what differs

  /**
   * A wording with the words that the other one has not: neither is wrong.
   * @param {Step[]} steps
   * @param {Side} side
   * @returns {(string | HTMLElement)[]}
   */
  function marked(steps, side) {
    const own = side === "a" ? "-" : "+";
    const kept = steps.filter(([kind]) => kind === "=" || kind === own);
    return kept.flatMap(([kind, text]) => {
      const textContent = text.trim();
      if (kind === "=" || !textContent) return [text];
      const [before, after] = text.split(textContent);
      return [before, dom.make("mark", { textContent }), after];
    });
  }

  /**
   * The words alone that the other one has not.
   * @param {Step[]} steps
   * @param {Side} side
   */
  function ownWords(steps, side) {
    const own = side === "a" ? "-" : "+";
    const changed = steps.flatMap(([kind, text]) => (kind === own && text.trim() ? [text.trim()] : []));
    // Where only a comma differs, the comma is what differs.
    const words = changed.map((text) => text.replace(/^[\s,;.、。]+|[\s,;.、。]+$/gu, "") || text);
    return words.join(" … ") || "–";
  }

  /**
   * What may be said of the difference that one hears: a sketch shows nothing of what MusicGen does.
   * @param {Difference[]} found
   * @param {Pair} two
   */
  function verdict(found, two) {
    const names = found.map(([name]) => name);
    const all = `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
    if (!found.length) return "Nothing: this is one and the same request.";
    const isTold = SIDES.every((side) => two[side].state === "render");
    if (found.length === 1) return `Only the ${names[0]}${isTold ? ": what you hear is its effect." : "."}`;
    const heard = isTold ? " What you hear is all of them together." : "";
    return `${found.length} things at once: ${all}.${heard}`;
  }

  /**
   * @param {Difference[]} found
   * @param {Step[]} steps
   */
  function spellOut(found, steps) {
    part("table").hidden = !found.length;
    for (const [name, ...both] of found) {
      const line = dom.make("tr");
      line.append(dom.make("th", { scope: "row", textContent: name }));
      if (name === "wording" && !differences.alike(steps)) {
        line.append(dom.make("td", { colSpan: 2, textContent: "other words altogether" }));
      } else {
        SIDES.forEach((side, place) => {
          const isWording = name === "wording";
          const textContent = isWording ? ownWords(steps, side) : both[place] || "not used";
          line.append(dom.make("td", { textContent, dir: isWording ? "auto" : "ltr" }));
        });
      }
      part("differences").append(line);
    }
  }

  // ---- the two sides

  /**
   * @param {Side} side
   * @param {KnownClip} clip
   * @param {Step[]} steps
   */
  function fill(side, clip, steps) {
    const box = dom.within(page)(`[data-side="${side}"]`);
    const own = dom.part(box);
    const words = differences.alike(steps) ? marked(steps, side) : [clip.text];
    clips.give(box, clip);
    box.dataset.name = clip.name;
    box.dataset.label = side.toUpperCase();
    own("words").replaceChildren(...words);
    clips.tell(own("words"), clip.text);
    own("side-facts").textContent = clip.facts;
    own("side-page").setAttribute("href", clip.page);
    own("star").dataset.of = clip.key;
    clips.showPicture(dom.within(box)(".picture"), clip);
  }

  /** @param {Pair} two */
  function tellSketches(two) {
    const which = SIDES.filter((side) => two[side].state === "sketch");
    if (!which.length) return;
    const subject = which.length === 2 ? "Both are sketches" : `${which[0].toUpperCase()} is a sketch`;
    part("sketched").hidden = false;
    part("sketched").textContent = isOne(two)
      ? "Both have one sketch, not made by MusicGen: until they are rendered there is nothing to compare."
      : `${subject}, not made by MusicGen: comparing them demonstrates nothing yet.`;
  }

  /**
   * Whether both are sketches with one and the same sound.
   * @param {Pair} two
   */
  function isOne(two) {
    return Boolean(two.a.sound) && two.a.sound === two.b.sound;
  }

  // ---- hearing

  /**
   * @param {Pair} two
   * @param {Side} side
   */
  function hear(two, side) {
    const list = SIDES.map((each) => ({ ...two[each], label: each.toUpperCase() }));
    player.playClip(list[SIDES.indexOf(side)], { together: true, stays: true }, list);
  }

  page.addEventListener("click", (event) => {
    const side = /** @type {Side | undefined} */ (dom.around(event)("hear")?.dataset.hear);
    if (!side || !pair) return;
    if (player.current()?.key === pair[side].key) player.toggle();
    else hear(pair, side);
  });

  /** @param {KeyboardEvent} event */
  function switchByKey(event) {
    if (gallery.keysAreOff(event) || !pair || part("pair").hidden || part("switch").hidden) return;
    const side = SIDES.find((each) => each === event.key);
    if (!side) return;
    event.preventDefault();
    hear(pair, side);
  }

  /** @param {Clip} clip */
  function press(clip) {
    for (const button of dom.all(page, "hear")) {
      const own = pair?.[/** @type {Side} */ (button.dataset.hear)];
      button.setAttribute("aria-pressed", String(own?.key === clip.key));
    }
  }

  document.addEventListener("keydown", switchByKey, { signal });
  document.addEventListener("clip:shown", ({ detail: clip }) => press(clip), { signal });

  // ---- which two

  /** @param {Pair} two */
  function show(two) {
    const { a, b } = two;
    pair = two;
    const steps = differences.wording(a.text, b.text);
    fill("a", a, steps);
    fill("b", b, steps);
    const found = differences.between(a, b);
    part("verdict").textContent = verdict(found, two);
    spellOut(found, steps);
    tellSketches(two);
    const mute = SIDES.filter((side) => !two[side].audio);
    const canBeTold = a.key !== b.key && !mute.length && !isOne(two);
    const why = mute.every((side) => two[side].state === "pending") ? "Not rendered yet" : "Cannot be played";
    say(mute.length ? `${why}: ${mute.join(" and ").toUpperCase()}.` : "");
    part("told").hidden = !mute.length;
    part("blind-offer").hidden = !canBeTold;
    part("switch").hidden = !mute.length && !canBeTold;
    for (const button of dom.all(page, "hear")) button.toggleAttribute("disabled", mute.length > 0);
    part("pair").hidden = false;
    const shown = player.current();
    if (shown) press(shown);
    // The other one goes along silently: a switch is then a matter of milliseconds.
    if (canBeTold) player.pair([a, b]);
    gallery.comparison = { pair: two };
    document.dispatchEvent(new Event("rows:drawn"));
  }

  async function showAsked() {
    const asked = new URLSearchParams(location.search);
    const keys = SIDES.map((side) => asked.get(side) ?? "");
    if (!keys.some(Boolean)) return;
    say("Looking for the two clips…");
    const [a, b] = await Promise.all(keys.map(clips.find));
    if (signal.aborted) return;
    if (a && b) show({ a, b });
    else if (keys.every(Boolean)) say("One of these clips is not in this gallery, or not any more.");
    else say("A comparison takes two clips.");
  }
  showAsked();
});
