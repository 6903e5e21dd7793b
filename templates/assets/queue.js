// What follows in the dock: the list that a clip was played from, and among it what a visitor has put there. It is
// shown in the dock's panel, where it can be changed.
(() => {
  "use strict";
  const { gallery } = window;
  const { clips, dom, player } = gallery;
  const { queue } = player;
  const dock = /** @type {HTMLElement} */ (document.querySelector("[data-dock]"));
  const part = dom.part(dock);
  /** @type {Set<Clip>} */
  const chosen = new Set(); // what a visitor has put there, and has not heard yet
  let known = queue.list;

  // ---- what is in it

  /**
   * After what plays, and after what was put there before.
   * @param {Clip} clip
   */
  function insert(clip) {
    let at = queue.place + 1;
    while (queue.list[at] && chosen.has(queue.list[at])) at++;
    queue.list.splice(at, 0, clip);
    chosen.add(clip);
  }

  /** @param {number} at */
  function remove(at) {
    const [clip] = queue.list.splice(at, 1);
    chosen.delete(clip);
    if (at < queue.place) queue.place--;
    return clip;
  }

  /** @param {number} at */
  function hasten(at) {
    const clip = remove(at);
    queue.list.splice(queue.place + 1, 0, clip);
    chosen.add(clip);
  }

  function clear() {
    for (const clip of queue.list.splice(queue.place + 1)) chosen.delete(clip);
  }

  // Another list is played from: what a visitor has chosen follows all the same.
  function carry() {
    const waiting = known.filter((clip) => chosen.has(clip) && clip !== queue.list[queue.place]);
    chosen.clear();
    known = queue.list = [...queue.list];
    for (const clip of waiting) insert(clip);
  }

  // ---- how it is shown

  /** @param {Clip} clip */
  function nameOf(clip) {
    return clip.name + (clip.label ? `, ${clip.label}` : "");
  }

  /**
   * @param {string} what - data-<what> of the button
   * @param {string} value
   * @param {string} does
   * @param {string} name - of the clip
   */
  function makeAct(what, value, does, name) {
    const button = dom.make("button", { type: "button", className: "act", title: does.toLowerCase() });
    button.setAttribute("aria-label", `${does}: ${name}`);
    button.dataset[what] = value;
    button.append(dom.icon(what));
    return button;
  }

  function draw() {
    if (known !== queue.list) carry();
    const { list, place } = queue;
    chosen.delete(list[place]);
    const items = (player.veiled() ? [] : list).map((clip, at) => {
      const button = dom.make("button", { type: "button" });
      clips.showName(button, clip);
      button.dataset.place = String(at);
      const item = dom.make("li");
      item.append(button);
      if (at === place) button.setAttribute("aria-current", "true");
      else {
        item.append(makeAct("hasten", String(at), "Play next", nameOf(clip)));
        item.append(makeAct("remove", String(at), "Remove", nameOf(clip)));
      }
      return item;
    });
    part("queue").replaceChildren(...items);
    if (part("empty")) part("empty").hidden = Boolean(player.veiled()) || list.length - place < 2;
  }

  // ---- clicks

  part("queue").addEventListener("click", (event) => {
    const on = dom.around(event);
    const [removed, hastened] = [on("remove")?.dataset.remove, on("hasten")?.dataset.hasten];
    if (removed) remove(Number(removed));
    else if (hastened) hasten(Number(hastened));
    else return;
    draw();
    // The button that had the focus is gone.
    const at = removed ? Math.min(Number(removed), queue.list.length - 1) : queue.place + 1;
    dom.within(part("queue"))(`[data-place="${at}"]`).focus();
  });

  part("empty")?.addEventListener("click", () => {
    clear();
    draw();
    dom.within(part("queue"))("[aria-current]").focus();
  });

  document.addEventListener("click", (event) => {
    /** @type {HTMLElement | null | undefined} */
    const host = dom.around(event)("enqueue")?.closest("[data-clip]");
    if (!host) return;
    const clip = clips.read(host.querySelector(".take.is-current") ?? host);
    if (!player.isOpen()) player.put(clip, 0);
    else {
      insert(clip);
      draw();
    }
    player.say(`Plays next: ${nameOf(clip)}`);
  });

  document.addEventListener("queue:changed", draw);
  draw();
})();
