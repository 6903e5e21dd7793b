// Clips that are fetched whole, from servers that give no parts of a file: a few are kept.
(() => {
  "use strict";
  const MOST = 16;

  /** @type {Map<string, string>} */
  const kept = new Map(); // where they are now, by their addresses

  /** @type {Whole["fetch"]} */
  async function fetchWhole(src, used) {
    if (!kept.has(src)) {
      const response = await fetch(src);
      if (!response.ok) throw new Error(`${src} is not there`);
      kept.set(src, URL.createObjectURL(await response.blob()));
    }
    for (const [other, address] of kept) {
      if (kept.size <= MOST) break;
      if (other === src || used.includes(other)) continue;
      URL.revokeObjectURL(address);
      kept.delete(other);
    }
    return kept.get(src) ?? src;
  }

  window.gallery.whole = { get: (src) => kept.get(src), fetch: fetchWhole };
})();
