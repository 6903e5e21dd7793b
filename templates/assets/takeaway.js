// Copying what stands beside a button: a request for another tool, or the snippet of an embed.
window.gallery.mount("main", (main) => {
  "use strict";
  const { gallery } = window;
  const { dom } = gallery;

  main.addEventListener("click", (event) => {
    const button = dom.around(event)("copy-text");
    if (button?.parentElement) gallery.copyBy(button, dom.part(button.parentElement)("text").textContent);
  });
});
