// Goes to a prompt by chance: each is as likely as any other. Only its part of the index is loaded.
window.gallery.mount("[data-counts]", async (main, signal) => {
  "use strict";
  const { gallery } = window;
  const { clips } = gallery;
  const counts = (main.dataset.counts ?? "").split(",").map(Number);
  let place = Math.floor(Math.random() * counts.reduce((sum, count) => sum + count, 0));
  const part = counts.findIndex((count) => {
    if (place < count) return true;
    place -= count;
    return false;
  });
  if (part < 0) return;
  try {
    await clips.loadScript(`search/${part}.js`);
  } catch {
    return; // the page says where the list is
  }
  // The other parts may have been loaded before.
  const rows = window.GALLERY.find((loaded) => loaded.part === part)?.rows ?? [];
  if (!signal.aborted && rows[place]) {
    gallery.visit(clips.link(`prompts/${rows[place][0]}/index.html`), { replace: true });
  }
});
