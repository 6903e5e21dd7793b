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
  /** @param {string} name */
  function remembered(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  function remember(name, value) {
    try {
      localStorage.setItem(name, value);
    } catch {
      // it holds for this page
    }
  }

  const chosen = remembered("theme");
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  if (remembered("view") === "compact") root.dataset.view = "compact";

  function drawView() {
    for (const button of document.querySelectorAll("[data-view-switch]")) {
      button.setAttribute("aria-pressed", String(root.dataset.view === "compact"));
    }
  }
  document.addEventListener("DOMContentLoaded", drawView);
  document.addEventListener("page:entered", drawView);
  document.addEventListener("click", (event) => {
    if (!(/** @type {Element} */ (event.target).closest("[data-view-switch]"))) return;
    root.dataset.view = root.dataset.view === "compact" ? "" : "compact";
    remember("view", root.dataset.view);
    drawView();
  });

  document.addEventListener("click", (event) => {
    if (!(/** @type {Element} */ (event.target).closest("[data-theme-switch]"))) return;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : !matchMedia("(prefers-color-scheme: light)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    remember("theme", root.dataset.theme);
  });
})();
