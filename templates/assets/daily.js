// The daily listening test: today's pairs, one round each, and what came of them.
window.gallery.mount("[data-hear]", (page, signal) => {
  "use strict";
  const { gallery } = window;
  const { clips, differences, dom, odds, storage } = gallery;
  const part = dom.part(page);
  const STORED = "hear";
  const MOST_LINES = 50; // other hands can write into the storage, too
  const day = new Date().toISOString().slice(0, 10);
  const today = gallery.choosePairs(window.GALLERY_PAIRS, day, Number(page.dataset.rounds));
  const trial = gallery.makeTrial(part("blind"), answered, signal);
  /** @type {Set<string>} */
  const unheard = new Set(); // rounds whose clips could not be had
  /** @type {PackedPair | null} */
  let current = null;

  /** @param {PackedPair} pair */
  function nameOf([a, b]) {
    return `${a} ${b}`;
  }

  // ---- what is kept

  /** @returns {{ day: string, answers: Record<string, Answer>, record: Record<string, Score> }} */
  function read() {
    const kept = /** @type {any} */ (storage.get(STORED, {})) ?? {};
    /** @type {Record<string, Answer>} */
    const answers = {};
    for (const name of kept.day === day ? today.map(nameOf) : []) {
      const { x, said } = kept.answers?.[name] ?? {};
      if (/^[ab]$/.test(x) && /^[ab]$/.test(said)) answers[name] = { x, said };
    }
    const lines = Object.entries(kept.record ?? {}).slice(0, MOST_LINES);
    const whole = (/** @type {unknown} */ value) => Number.isInteger(value) && Number(value) >= 0;
    const sound = lines.filter(([, score]) => {
      const [right, all] = Array.isArray(score) ? score : [];
      return whole(right) && whole(all) && right <= all && all < 1000;
    });
    return { day, answers, record: /** @type {Record<string, Score>} */ (Object.fromEntries(sound)) };
  }

  // ---- a round

  /** @param {Answer} answer */
  function answered(answer) {
    if (!current) return;
    const kept = read();
    const isRight = answer.x === answer.said;
    const [right, all] = kept.record[current[2]] ?? [0, 0];
    kept.answers[nameOf(current)] = answer;
    kept.record[current[2]] = [right + Number(isRight), all + 1];
    storage.set(STORED, kept);
    trial.reveal(false);
    part("round").textContent =
      `${isRight ? "Right" : "No"}: X was ${answer.x.toUpperCase()}. What differs is the ${current[2]}.`;
    goOn();
    drawBeads();
  }

  function goOn() {
    const isLast = !upcoming();
    part("onward").hidden = false;
    part("side-by-side").hidden = !current;
    if (current) part("side-by-side").setAttribute("href", sideBySide(current));
    part("next").textContent = isLast ? "The result" : "Next round";
    part("next").focus();
  }

  /** @param {PackedPair} pair */
  function sideBySide([a, b]) {
    return `${clips.link("compare/index.html")}?a=${a}&b=${b}`;
  }

  function upcoming() {
    const { answers } = read();
    return today.find((pair) => !answers[nameOf(pair)] && !unheard.has(nameOf(pair)));
  }

  /** @param {PackedPair} pair */
  async function begin(pair) {
    const [a, b] = await Promise.all([clips.find(pair[0]), clips.find(pair[1])]);
    if (signal.aborted) return;
    part("blind").hidden = false;
    part("onward").hidden = true;
    part("heading").textContent = `Round ${today.indexOf(pair) + 1} of ${today.length}`;
    current = pair;
    drawBeads();
    if (!a?.audio || !b?.audio) return leaveOut();
    part("round").textContent = "Is X A, or is it B?";
    trial.begin({ a, b });
  }

  // A round of which something cannot be loaded is none.
  function leaveOut() {
    if (!current) return;
    unheard.add(nameOf(current));
    trial.end();
    current = null;
    part("round").textContent = "This round’s clips could not be loaded: it is left out and does not count.";
    goOn();
  }

  function drawBeads() {
    const { answers } = read();
    [...part("beads").children].forEach((bead, place) => {
      const answer = today[place] && answers[nameOf(today[place])];
      const isNow = today[place] === current && !answer;
      bead.className = answer ? (answer.x === answer.said ? "right" : "wrong") : isNow ? "now" : "";
      dom.within(bead)("span").textContent = answer ? bead.className : isNow ? "now" : "to come";
    });
  }

  // ---- the end of the day

  function finish() {
    const { answers } = read();
    const given = today.filter((pair) => answers[nameOf(pair)]);
    const isRight = (/** @type {PackedPair} */ pair) =>
      answers[nameOf(pair)].x === answers[nameOf(pair)].said;
    const right = given.filter(isRight).length;
    trial.end();
    part("blind").hidden = true;
    part("score").hidden = false;
    part("points").textContent = `${right} of ${given.length} today`;
    const chance = odds.percent(odds.byChance(right, given.length));
    part("verdict").textContent = given.length
      ? `Tossing a coin does as well ${chance} of the time. One day says little; many days say more.`
      : "None of today’s clips could be loaded.";
    const beads = given.map((pair) => (isRight(pair) ? "●" : "○")).join("");
    const address = page.dataset.base
      ? `${page.dataset.base}hear/index.html`
      : location.href.split(/[?#]/)[0];
    part("shared").textContent =
      `Can you hear it? ${page.dataset.title}, ${day}\n${beads} ${right} of ${given.length} (by chance: ${chance})` +
      (/^https?:/.test(address) ? `\n${address}` : "");
    part("again").replaceChildren(...given.map((pair) => replay(pair, isRight(pair))));
    part("points").focus();
    drawRecord();
  }

  /**
   * A round that can be heard again: its clips by what they are.
   * @param {PackedPair} pair
   * @param {boolean} isRight
   */
  function replay(pair, isRight) {
    const item = dom.make("li", { className: isRight ? "right" : "wrong" });
    item.dataset.group = "";
    item.dataset.list = "";
    item.append(dom.make("span", { textContent: pair[2] }));
    Promise.all([clips.find(pair[0]), clips.find(pair[1])]).then(([a, b]) => {
      if (!a || !b) return;
      const difference = differences.between(a, b)[0];
      [a, b].forEach((clip, place) => {
        const isValue = difference && difference[0] !== "wording";
        const textContent = isValue ? difference[1 + place] || "not used" : clips.shorten(clip.text);
        const button = dom.make("button", { className: "take", type: "button", textContent });
        clips.give(button, clip);
        button.dataset.name = clip.name;
        button.dataset.label = isValue ? `${difference[0]} ${textContent}` : "";
        item.append(button);
      });
      item.append(dom.make("a", { href: sideBySide(pair), textContent: "side by side" }));
      document.dispatchEvent(new Event("rows:drawn"));
    });
    return item;
  }

  function drawRecord() {
    const lines = Object.entries(read().record).sort(([one], [other]) => (one < other ? -1 : 1));
    part("record").hidden = !lines.length;
    const cell = (/** @type {string} */ textContent) => dom.make("td", { textContent });
    const drawn = lines.map(([name, [right, all]]) => {
      const line = dom.make("tr");
      line.append(
        dom.make("th", { scope: "row", textContent: name }),
        cell(`${right} of ${all}`),
        cell(odds.percent(odds.byChance(right, all))),
      );
      return line;
    });
    part("lines").replaceChildren(...drawn);
  }

  function goToNext() {
    const pair = upcoming();
    if (pair) begin(pair).then(() => part("heading").focus());
    else finish();
  }

  page.addEventListener("click", (event) => {
    const on = dom.around(event);
    const share = on("share");
    if (on("next")) goToNext();
    else if (share) gallery.copyBy(share, part("shared").textContent);
    else if (on("forget")) {
      storage.set(STORED, { ...read(), record: {} });
      drawRecord();
    }
  });
  function skip() {
    if (current && upcoming() === current) leaveOut();
  }
  document.addEventListener("clip:failed", skip, { signal });

  // Nothing is lost by leaving: whoever comes back today goes on.
  const first = upcoming();
  if (first) begin(first);
  else finish();
  drawRecord();
});
