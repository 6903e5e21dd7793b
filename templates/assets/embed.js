// A small page within another site: its takes share one player, and go on from the same second.
(() => {
  "use strict";
  const sound = /** @type {HTMLElement} */ (document.querySelector("[data-sound]"));
  const picture = /** @type {HTMLElement} */ (sound.querySelector(".picture"));
  const playhead = /** @type {HTMLElement} */ (sound.querySelector(".playhead"));
  const audio = document.querySelector("audio");
  if (audio) listen(audio);

  /** @param {HTMLAudioElement} audio */
  function listen(audio) {
    let frame = 0; // the next time it is drawn
    let wanted = 0; // where to go on as soon as the take can be sought in

    function draw() {
      const share = audio.duration > 0 ? audio.currentTime / audio.duration : 0;
      playhead.style.transform = `translateX(${(share * 100).toFixed(2)}%)`;
      sound.classList.toggle("is-current", share > 0);
      cancelAnimationFrame(frame); // a jump draws, too
      if (!audio.paused) frame = requestAnimationFrame(draw);
    }

    function play() {
      audio.play().catch(() => {}); // another take was chosen, or the player tells
    }

    /** @param {HTMLElement} button */
    function choose(button) {
      const { take = "", state, cover = "" } = button.dataset;
      const isPlaying = !audio.paused;
      /** @type {NodeListOf<HTMLElement>} */
      const buttons = document.querySelectorAll("[data-take]");
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      wanted = audio.currentTime;
      audio.src = take;
      const kind = state === "sketch" ? "Sketch, not made by MusicGen: " : "";
      audio.setAttribute("aria-label", kind + button.textContent);
      picture.dataset.state = state;
      picture.querySelector("img")?.setAttribute("src", cover);
      picture.querySelector(".mark")?.toggleAttribute("hidden", state !== "sketch");
      if (isPlaying || wanted === 0) play();
      draw();
    }

    document.addEventListener("click", (event) => {
      const target = /** @type {Element} */ (event.target);
      /** @type {HTMLElement | null} */
      const button = target.closest("[data-take]");
      if (button) choose(button);
      else if (target.closest(".picture")) {
        if (audio.paused) play();
        else audio.pause();
      }
    });
    audio.addEventListener("loadedmetadata", () => {
      if (wanted && wanted < audio.duration) audio.currentTime = wanted;
      wanted = 0;
    });
    for (const name of ["play", "pause", "seeked", "ended"]) audio.addEventListener(name, draw);
  }
})();
