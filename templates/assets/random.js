// Goes to a prompt by chance: each is as likely as any other. Only its part of the index is loaded.
(function () {
  "use strict";
  var clips = window.gallery.clips;
  var counts = document.querySelector("[data-counts]").dataset.counts.split(",").map(Number);
  var all = counts.reduce(function (sum, count) { return sum + count; }, 0);
  var place = Math.floor(Math.random() * all), part = 0;
  if (!all) return;
  while (place >= counts[part]) place -= counts[part++];
  clips.loadScript("search/" + part + ".js").then(function () {
    location.replace(clips.link("prompts/" + window.GALLERY[0].rows[place][0] + "/index.html"));
  }, function () { /* the page says where the list is */ });
})();
