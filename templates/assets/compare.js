// Two clips side by side, in step: one is heard, the other goes along silently.
(function () {
  "use strict";
  var gallery = window.gallery, clips = gallery.clips, player = gallery.player;
  var page = document.querySelector("[data-comparing]");
  var part = function (name) { return page.querySelector("[data-" + name + "]"); };
  var pair = {}; // a and b

  function say(text) { part("told").textContent = text; }

  function make(tag, text) {
    var element = document.createElement(tag);
    element.textContent = text;
    return element;
  }

  // ---- what differs

  function marked(steps, side) {
    if (!gallery.differences.alike(steps)) return [pair[side].text];
    var gone = side === "a" ? "+" : "-";
    return steps.filter(function (step) { return step[0] !== gone; }).map(function (step) {
      return step[0] === "=" ? step[1] : make(step[0] === "-" ? "del" : "ins", step[1]);
    });
  }

  function spellOut(found, steps) {
    var names = found.map(function (difference) { return difference[0]; });
    part("verdict").textContent = !found.length ? "Nothing: this is one and the same request."
      : found.length === 1 ? "Only the " + names[0] + ": what you hear is its effect."
      : names.length + " things at once: " + names.slice(0, -1).join(", ") + " and " + names[names.length - 1] + ". What you hear is all of them together.";
    found.forEach(function (difference) {
      var line = document.createElement("div"), values = document.createElement("dd");
      if (difference[0] === "wording") {
        if (!gallery.differences.alike(steps)) values.append("other words altogether");
        else steps.forEach(function (step) {
          values.append(step[0] === "=" ? step[1] : make(step[0] === "-" ? "del" : "ins", step[1]));
        });
        values.dir = "auto";
        values.className = "side-quote";
      } else values.append(make("del", difference[1] || "not used"), " ", make("ins", difference[2] || "not used"));
      line.append(make("dt", difference[0]), values);
      part("differences").append(line);
    });
  }

  // ---- the two sides

  function fill(side, steps) {
    var clip = pair[side], box = page.querySelector('[data-side="' + side + '"]');
    var words = box.querySelector("[data-words]"), picture = box.querySelector(".picture");
    clips.give(box, clip);
    box.dataset.name = clip.name;
    box.dataset.label = side.toUpperCase();
    words.replaceChildren.apply(words, marked(steps, side));
    box.querySelector("[data-side-facts]").textContent = clip.facts;
    box.querySelector("[data-side-page]").href = clip.page;
    box.querySelector("[data-star]").dataset.of = clip.key;
    picture.dataset.state = clip.state;
    if (clip.cover) {
      var image = new Image(480, 96);
      image.alt = "";
      image.src = clip.cover;
      picture.prepend(image);
    }
    if (clip.state !== "render") {
      var mark = make("span", clip.state === "sketch" ? "sketch" : "not rendered yet");
      mark.className = "mark";
      picture.append(mark);
    }
  }

  function sketched() {
    var which = ["a", "b"].filter(function (side) { return pair[side].state === "sketch"; });
    if (!which.length) return;
    var subject = which.length === 2 ? "Both are sketches" : which[0].toUpperCase() + " is a sketch";
    part("sketched").hidden = false;
    part("sketched").textContent = subject + ", not made by MusicGen: comparing them demonstrates nothing yet.";
  }

  // ---- hearing

  function asClip(side) {
    return Object.assign({}, pair[side], { label: side.toUpperCase() });
  }

  function hear(side) {
    var list = [asClip("a"), asClip("b")];
    player.playClip(list[side === "a" ? 0 : 1], { together: true, stays: true }, list);
  }

  page.addEventListener("click", function (event) {
    var button = event.target.closest("[data-hear]");
    if (!button) return;
    var heard = player.current();
    if (heard && heard.key === pair[button.dataset.hear].key) player.toggle();
    else hear(button.dataset.hear);
  });

  document.addEventListener("keydown", function (event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !pair.b) return;
    if (gallery.keysAreOff(event) || !part("blind").hidden || (event.key !== "a" && event.key !== "b")) return;
    event.preventDefault();
    hear(event.key);
  });

  document.addEventListener("clip:shown", function (event) {
    page.querySelectorAll("[data-hear]").forEach(function (button) {
      var mine = pair[button.dataset.hear];
      button.setAttribute("aria-pressed", String(Boolean(mine && mine.key === event.detail.key)));
    });
  });

  // ---- which two

  var asked = new URLSearchParams(location.search);
  var keys = [asked.get("a") || "", asked.get("b") || ""];
  if (!keys[0] && !keys[1]) return;
  say("Looking for the two clips…");
  Promise.all(keys.map(clips.find)).then(function (found) {
    if (!found[0] || !found[1]) {
      return say(keys[0] && keys[1] ? "One of these clips is not in this gallery, or not any more." : "A comparison takes two clips.");
    }
    pair = { a: found[0], b: found[1] };
    var steps = gallery.differences.wording(pair.a.text, pair.b.text);
    fill("a", steps);
    fill("b", steps);
    spellOut(gallery.differences.between(pair.a, pair.b), steps);
    sketched();
    var mute = ["a", "b"].filter(function (side) { return !pair[side].audio; });
    var differ = pair.a.key !== pair.b.key && !mute.length;
    say(mute.length ? "Not rendered yet: " + mute.join(" and ").toUpperCase() + "." : "");
    part("told").hidden = !mute.length;
    part("blind-offer").hidden = !differ;
    page.querySelectorAll("[data-hear]").forEach(function (button) { button.disabled = Boolean(mute.length); });
    part("pair").hidden = false;
    // The other one goes along silently: a switch is then a matter of milliseconds.
    if (differ) player.pair([pair.a, pair.b]);
    gallery.comparison = { pair: pair, hear: hear };
    document.dispatchEvent(new Event("rows:drawn"));
  });
})();
