// Rows of lists, drawn from data into the server's own markup: see the macro `row` in
// templates/parts/clips.html.
(function () {
  "use strict";
  var gallery = window.gallery, clips = gallery.clips;
  var template = document.querySelector("[data-row]").content;

  function make(tag, kind, text) {
    var element = document.createElement(tag);
    element.className = kind;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  // `prompt`: path or page, title, text, tags, line; `takes`: its clips, the first of which the row plays.
  function draw(prompt, takes) {
    var row = template.cloneNode(true).querySelector(".row");
    var clip = takes[0], name = prompt.title || clips.shorten(prompt.text);
    clips.give(row, clip);
    var title = row.querySelector(".row-title"), anchor = row.querySelector(".row-prompt a");
    title.hidden = !prompt.title;
    title.textContent = prompt.title;
    anchor.href = prompt.page || clips.link("prompts/" + prompt.path + "/index.html");
    anchor.textContent = clips.shorten(prompt.text);
    row.querySelector(".facts").replaceChildren.apply(row.querySelector(".facts"), factsOf(prompt, clip));
    drawLine(row.querySelector(".row-line"), prompt, takes);
    drawPicture(row, clip);
    row.querySelector("[data-star]").setAttribute("aria-label", "Favourite: " + name);
    row.querySelector("[data-compare]").setAttribute("aria-label", "Compare: " + name);
    var button = row.querySelector(".play");
    if (clip.state === "pending") button.replaceWith(make("span", "play play-none"));
    else button.setAttribute("aria-label", "Play " + (clip.state === "sketch" ? "sketch: " : "") + name);
    if (!clip.audio) row.querySelector("[data-compare]").remove();
    return row;
  }

  function markOf(state) {
    if (state === "sketch") return [make("span", "mark", "sketch")];
    return state === "pending" ? [make("span", "mark mark-none", "not rendered yet")] : [];
  }

  function factsOf(prompt, clip) {
    var parts = clip.pairs.map(function (fact) {
      var element = make("span", "fact");
      if (fact[0]) element.append(make("i", "", fact[0]), " ");
      element.append(fact[1]);
      return element;
    });
    prompt.tags.forEach(function (tag) {
      var element = make("a", "tag", "#" + tag[0]);
      element.href = clips.link("tags/" + tag[1] + "/index.html");
      parts.push(element);
    });
    return parts.flatMap(function (part) { return [part, " "]; });
  }

  function drawLine(line, prompt, takes) {
    if (!prompt.line[0]) return line.remove();
    line.replaceChildren(make("span", "", prompt.line[0]));
    prompt.line[1].forEach(function (item) { line.append(" ", make("span", "differs", item)); });
    if (takes.length < 2) return;
    takes.forEach(function (take) {
      var button = make("button", "take", take.label);
      button.type = "button";
      clips.give(button, take);
      button.dataset.label = prompt.line[1][0] + " " + take.label;
      button.disabled = take.state === "pending";
      line.append(" ", button);
    });
  }

  function drawPicture(row, clip) {
    var picture = row.querySelector(".picture");
    picture.dataset.state = clip.state;
    picture.querySelectorAll("img, .mark").forEach(function (element) { element.remove(); });
    if (clip.cover) {
      var image = new Image(480, 96);
      image.alt = "";
      image.loading = "lazy";
      image.decoding = "async";
      image.src = clip.cover;
      picture.prepend(image);
    }
    picture.append.apply(picture, markOf(clip.state));
  }

  gallery.drawRow = draw;
})();
