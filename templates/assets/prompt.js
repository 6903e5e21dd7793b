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
    // #<id>, or with a second, which is the player's to heed: #k=<id>&t=12
    var asked = new URLSearchParams(location.hash.slice(1)).get("k");
    var id = asked ? asked.slice(0, 8) : location.hash.slice(1);
    if (!id || !choose(id) || asked) return;
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
    window.gallery.copy(text, function () {
      var label = button.textContent;
      copied.textContent = "Copied.";
      button.textContent = "copied";
      setTimeout(function () { button.textContent = label; copied.textContent = ""; }, 1500);
    });
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy-prompt], [data-copy-link]");
    if (!button || button.textContent === "copied") return;
    var quote = document.querySelector("[data-quote]").textContent;
    copy(button.matches("[data-copy-prompt]") ? quote : location.href, button);
  });
})();
