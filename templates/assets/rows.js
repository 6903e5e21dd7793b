// Rows of lists, drawn from data into the server's own markup: see the macro `row` in
// templates/parts/clips.html.
(() => {
  "use strict";
  const { gallery } = window;
  const { clips, dom } = gallery;

  gallery.drawRow = (prompt, takes) => {
    /** @type {HTMLTemplateElement} */
    const template = dom.part(document)("row");
    const content = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    const find = dom.within(content);
    const row = find(".row");
    const clip = takes[prompt.start ?? 0];
    const name = prompt.title || clips.shorten(prompt.text);
    clips.give(row, clip);
    find(".row-title").hidden = !prompt.title;
    find(".row-title bdi").textContent = prompt.title;
    clips.tell(find(".row-title"), prompt.title, prompt.text);
    clips.tell(find(".row-prompt"), prompt.text);
    /** @type {HTMLAnchorElement} */
    const anchor = find(".row-prompt a");
    anchor.href = prompt.page || clips.link(`prompts/${prompt.path}/index.html`);
    anchor.textContent = clips.shorten(prompt.text);
    find(".facts").replaceChildren(...factsOf(prompt, clip));
    drawLine(find(".row-line"), prompt, takes);
    clips.showPicture(find(".picture"), clip);
    find("[data-star]").setAttribute("aria-label", `Favourite: ${name}`);
    find("[data-compare]").setAttribute("aria-label", `Compare: ${name}`);
    find("[data-enqueue]").setAttribute("aria-label", `Play next: ${name}`);
    const play = find(".play");
    if (!clip.audio) play.replaceWith(dom.make("span", { className: "play play-none" }));
    else play.setAttribute("aria-label", `Play ${clip.state === "sketch" ? "sketch: " : ""}${name}`);
    if (!clip.audio) for (const act of ["compare", "enqueue"]) find(`[data-${act}]`).remove();
    return row;
  };

  /**
   * @param {RowPrompt} prompt
   * @param {RowTake} clip
   */
  function factsOf(prompt, clip) {
    const tags = prompt.tags.map(([tag, slug]) => {
      const href = slug ? clips.link(`tags/${slug}/index.html`) : clips.searchFor(tag);
      const link = dom.make("a", { className: "tag", textContent: `#${tag}`, href });
      clips.mark(link, tag);
      return link;
    });
    return [...clips.factsOf(clip.pairs), ...tags].flatMap((part) => [part, " "]);
  }

  /**
   * @param {HTMLElement} line
   * @param {RowPrompt} prompt
   * @param {RowTake[]} takes
   */
  function drawLine(line, prompt, takes) {
    const [lead, items, all] = prompt.line;
    if (!lead) return line.remove();
    line.replaceChildren(dom.make("span", { textContent: lead }));
    for (const item of items) line.append(" ", dom.make("span", { className: "differs", textContent: item }));
    if (takes.length < 2) return;
    for (const take of takes) {
      const button = dom.make("button", { className: "take", type: "button", textContent: take.label });
      clips.give(button, take);
      button.dataset.label = clips.nameTake(items[0] ?? "", take.label);
      button.disabled = !take.audio;
      line.append(" ", button);
    }
    const href = prompt.page || clips.link(`prompts/${prompt.path}/index.html`);
    if (all) line.append(" ", dom.make("a", { className: "all", textContent: all, href }));
  }
})();
