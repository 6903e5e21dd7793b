// A small page within another site: its takes share one player, and go on from the same second.
(function () {
  "use strict";
  var audio = document.querySelector("audio"), sound = document.querySelector("[data-sound]");
  var picture = sound.querySelector(".picture"), playhead = sound.querySelector(".playhead");
  if (!audio) return;
  var wanted = 0;

  function draw() {
    var share = audio.duration > 0 ? audio.currentTime / audio.duration : 0;
    playhead.style.transform = "translateX(" + (share * 100).toFixed(2) + "%)";
    sound.classList.toggle("is-current", share > 0);
    if (!audio.paused) requestAnimationFrame(draw);
  }

  function choose(button) {
    var playing = !audio.paused;
    document.querySelectorAll("[data-take]").forEach(function (other) {
      other.setAttribute("aria-pressed", String(other === button));
    });
    wanted = audio.currentTime;
    audio.src = button.dataset.take;
    audio.setAttribute("aria-label", (button.dataset.state === "sketch" ? "Sketch, not made by MusicGen: " : "") + button.textContent);
    picture.dataset.state = button.dataset.state;
    picture.querySelector("img").src = button.dataset.cover;
    var mark = picture.querySelector(".mark");
    if (mark) mark.hidden = button.dataset.state !== "sketch";
    if (playing || wanted === 0) audio.play().catch(function () { /* another take was chosen */ });
    draw();
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-take]");
    if (button) choose(button);
    else if (event.target.closest(".picture")) {
      if (audio.paused) audio.play().catch(function () { /* told by the player itself */ });
      else audio.pause();
    }
  });
  audio.addEventListener("loadedmetadata", function () {
    if (wanted && wanted < audio.duration) audio.currentTime = wanted;
    wanted = 0;
  });
  ["play", "pause", "seeked", "ended"].forEach(function (name) { audio.addEventListener(name, draw); });
})();
