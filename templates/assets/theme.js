// Runs before anything is painted: chosen colours stand from the first frame on, and the
// stylesheet knows that scripts are there.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");

  // The prompts' font is wanted at once. Opened from disk it comes without, and may not be preloaded.
  if (location.protocol !== "file:") {
    const font = document.createElement("link");
    font.rel = "preload";
    font.as = "font";
    font.type = "font/woff2";
    font.crossOrigin = "";
    font.href = document.currentScript?.dataset.font ?? "";
    document.head.append(font);
  }

  // Storage throws where it is switched off, and in some browsers for pages opened from disk.
  function remembered() {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null;
    }
  }

  /** @param {string} theme */
  function remember(theme) {
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // it holds for this page
    }
  }

  const chosen = remembered();
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;

  document.addEventListener("click", (event) => {
    if (!(/** @type {Element} */ (event.target).closest("[data-theme-switch]"))) return;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : !matchMedia("(prefers-color-scheme: light)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    remember(root.dataset.theme);
  });
})();
