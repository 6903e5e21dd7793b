// The catalogue was the front page once: whoever comes for a search is led on to it, before anything is seen.
(() => {
  "use strict";
  const { to, asked } = document.currentScript?.dataset ?? {};
  const given = new URLSearchParams(location.search);
  const isSearch = asked?.split(",").some((name) => given.has(name)) || location.hash === "#question";
  if (to && isSearch) location.replace(to + location.search + location.hash);
})();
