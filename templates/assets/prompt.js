// A prompt's page: the request and the kin of the clip that is chosen, links to single clips, copying.
(function () {
  "use strict";
  var parts = Array.from(document.querySelectorAll("[data-for]"));

  function choose(id) {
    var known = parts.some(function (part) { return part.dataset.for === id; });
    if (!known) return false;
    parts.forEach(function (part) {
      part.hidden = part.dataset.for !== id;
      if (!part.hidden && part.matches("details")) part.open = true;
    });
    return true;
  }

  function clipOf(id) {
    return document.querySelector('.clips [data-id="' + CSS.escape(id) + '"]');
  }

  function followAddress() {
    var id = decodeURIComponent(location.hash.slice(1));
    if (!id || !choose(id)) return;
    var clip = clipOf(id);
    if (clip) clip.dispatchEvent(new Event("clip:show", { bubbles: true }));
  }

  var first = document.querySelector(".clips [data-clip]");
  if (first) choose(first.dataset.id);
  followAddress();
  window.addEventListener("hashchange", followAddress);

  document.addEventListener("clip:shown", function (event) {
    // Kin are played from here, but they are clips of other pages.
    var own = clipOf(event.detail.id);
    if (!own || own.dataset.clip !== event.detail.key || !choose(event.detail.id)) return;
    if (document.querySelectorAll(".clips [data-clip]").length > 1) {
      history.replaceState(history.state, "", "#" + event.detail.id);
    }
  });

  // ---- copying

  var copied = document.querySelector("[data-copied]");

  function copy(text, button) {
    var done = function () {
      var label = button.textContent;
      copied.textContent = "Copied.";
      button.textContent = "copied";
      setTimeout(function () { button.textContent = label; copied.textContent = ""; }, 1500);
    };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, function () { byHand(text, done); });
    else byHand(text, done);
  }

  // Pages that are not served securely have no clipboard of their own.
  function byHand(text, done) {
    var area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    if (document.execCommand("copy")) done();
    area.remove();
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy-prompt], [data-copy-link]");
    if (!button || button.textContent === "copied") return;
    var quote = document.querySelector("[data-quote]").textContent;
    copy(button.matches("[data-copy-prompt]") ? quote : location.href, button);
  });
})();
