// What the browser keeps for its visitor: favourites, what was heard lately, settings, and the clip
// that waits for another to be compared with. Storage throws where it is switched off, and in some
// browsers for pages opened from disk: what it refuses holds for this page.
(function () {
  "use strict";
  var gallery = (window.gallery = window.gallery || {});
  var MOST_HEARD = 50;
  var memory = {};
  // Several galleries may share one origin, or one disk.
  var prefix = "gallery " + new URL(document.documentElement.dataset.root || ".", location.href).pathname + " ";

  function get(name, otherwise, place) {
    if (name in memory) return memory[name];
    try {
      var text = window[place || "localStorage"].getItem(prefix + name);
      return text === null ? otherwise : JSON.parse(text);
    } catch (error) { return otherwise; }
  }

  function set(name, value, place) {
    try {
      window[place || "localStorage"].setItem(prefix + name, JSON.stringify(value));
      delete memory[name];
    } catch (error) { memory[name] = value; }
    document.dispatchEvent(new CustomEvent("kept", { detail: name }));
  }

  // Other hands can write into the storage, too: a list is made of keys and of nothing else.
  function list(name) {
    var kept = get(name, []);
    return Array.isArray(kept) ? kept.filter(function (key) { return /^[0-9a-f]{32}$/.test(key); }) : [];
  }

  function add(name, keys, most) {
    var others = list(name).filter(function (key) { return !keys.includes(key); });
    set(name, keys.concat(others).slice(0, most));
  }

  gallery.keep = {
    get: get,
    set: set,
    list: list,
    isFavourite: function (key) { return list("favourites").includes(key); },
    favour: function (keys) { add("favourites", keys); },
    forget: function (key) { set("favourites", list("favourites").filter(function (other) { return other !== key; })); },
    heard: function (key) { if (list("heard")[0] !== key) add("heard", [key], MOST_HEARD); },
  };

  // Another window of the same gallery changed something.
  window.addEventListener("storage", function (event) {
    if (!event.key || !event.key.startsWith(prefix)) return;
    document.dispatchEvent(new CustomEvent("kept", { detail: event.key.slice(prefix.length) }));
  });
})();
