// Copying what stands beside a button: a request for another tool, or the snippet of an embed.
(function () {
  "use strict";

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy-text]");
    if (!button || button.classList.contains("is-done")) return;
    var text = button.parentElement.querySelector("[data-text]").textContent;
    window.gallery.copy(text, function () { done(button); });
  });

  function done(button) {
    var status = document.querySelector("[data-copied]"), label = button.textContent;
    button.classList.add("is-done");
    button.textContent = "copied";
    status.textContent = "Copied.";
    setTimeout(function () {
      button.classList.remove("is-done");
      button.textContent = label;
      status.textContent = "";
    }, 1500);
  }
})();
