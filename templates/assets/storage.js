// What the browser keeps for its visitor: favourites, what was heard lately, settings, and the clip
// that waits for another to be compared with. Storage throws where it is switched off, and in some
// browsers for pages opened from disk: what it refuses holds for this page.
(() => {
  "use strict";
  window.gallery ??= /** @type {Gallery} */ ({});
  const MOST_HEARD = 50;
  /** @type {Map<string, unknown>} */
  const memory = new Map();
  // Several galleries may share one origin, or one disk.
  const prefix = `gallery ${new URL(document.documentElement.dataset.root || ".", location.href).pathname} `;

  /** @type {GalleryStorage["get"]} */
  function get(name, otherwise, place = "localStorage") {
    if (memory.has(name)) return memory.get(name);
    try {
      const text = window[place].getItem(prefix + name);
      return text === null ? otherwise : JSON.parse(text);
    } catch {
      return otherwise;
    }
  }

  /** @type {GalleryStorage["set"]} */
  function set(name, value, place = "localStorage") {
    try {
      window[place].setItem(prefix + name, JSON.stringify(value));
      memory.delete(name);
    } catch {
      memory.set(name, value);
    }
    announce(name);
  }

  /** @param {string} name */
  function announce(name) {
    document.dispatchEvent(new CustomEvent("storage:changed", { detail: name }));
    document.dispatchEvent(new CustomEvent("kept", { detail: name })); // its earlier name
  }

  /** @type {GalleryStorage["list"]} */
  function list(name) {
    const kept = get(name, []);
    // Others can write into the storage, too: a list is made of keys and of nothing else.
    return Array.isArray(kept) ? kept.filter((key) => /^[0-9a-f]{32}$/.test(key)) : [];
  }

  /**
   * @param {string} name
   * @param {string[]} keys - go before those that are there
   * @param {number} [most]
   */
  function add(name, keys, most) {
    const others = list(name).filter((key) => !keys.includes(key));
    set(name, [...keys, ...others].slice(0, most));
  }

  /** @type {GalleryStorage} */
  const storage = {
    get,
    set,
    list,
    isFavourite: (key) => list("favourites").includes(key),
    addFavourites: (keys) => add("favourites", keys),
    removeFavourite: (key) =>
      set(
        "favourites",
        list("favourites").filter((other) => other !== key),
      ),
    addHeard: (key) => {
      if (list("heard")[0] !== key) add("heard", [key], MOST_HEARD);
    },
  };
  window.gallery.storage = storage;
  // Its earlier names, for galleries with scripts of their own.
  window.gallery.keep = {
    ...storage,
    favour: storage.addFavourites,
    forget: storage.removeFavourite,
    heard: storage.addHeard,
  };

  // Another window of the same gallery changed something.
  window.addEventListener("storage", (event) => {
    if (event.key?.startsWith(prefix)) announce(event.key.slice(prefix.length));
  });
})();
