// Goes to a prompt by chance: each is as likely as any other. Only its part of the index is loaded.
(async () => {
  "use strict";
  const { clips, dom } = window.gallery;
  const counts = (dom.part(document)("counts").dataset.counts ?? "").split(",").map(Number);
  let place = Math.floor(Math.random() * counts.reduce((sum, count) => sum + count, 0));
  const part = counts.findIndex((count) => {
    if (place < count) return true;
    place -= count;
    return false;
  });
  if (part < 0) return;
  try {
    await clips.loadScript(`search/${part}.js`);
    const [path] = window.GALLERY.find((data) => data.part === part)?.rows[place] ?? [];
    if (path) location.replace(clips.link(`prompts/${path}/index.html`));
  } catch {
    // the page says where the list is
  }
})();
