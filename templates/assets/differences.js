// What differs between two clips, in words.
(function () {
  "use strict";
  // Words, spaces and marks; of scripts without spaces, each character. As gallery/catalogue/kin.py has it.
  var PIECES = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\s+|[^\s!-/:-@[-`{-~\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+|[^\s]/gu;

  // The way from one wording to another: ["=", text], ["-", text], ["+", text] in order, by the
  // longest common run of pieces, in which words count for more than what stands between them.
  function wording(before, after) {
    var old = before.match(PIECES) || [], fresh = after.match(PIECES) || [];
    var weights = old.map(function (piece) { return /\s/.test(piece) ? 1 : /[\p{L}\p{N}]/u.test(piece) ? 4 : 2; });
    var width = fresh.length + 1, best = new Uint16Array((old.length + 1) * width);
    for (var i = old.length - 1; i >= 0; i--) for (var j = fresh.length - 1; j >= 0; j--) {
      var skipped = Math.max(best[(i + 1) * width + j], best[i * width + j + 1]);
      best[i * width + j] = old[i] === fresh[j] ? Math.max(skipped, best[(i + 1) * width + j + 1] + weights[i]) : skipped;
    }
    var steps = [], gone = "", come = "", stays = "", x = 0, y = 0;
    var flush = function () {
      if (gone) steps.push(["-", gone]);
      if (come) steps.push(["+", come]);
      gone = come = "";
    };
    while (x < old.length || y < fresh.length) {
      var same = x < old.length && y < fresh.length && old[x] === fresh[y]
        && best[x * width + y] === best[(x + 1) * width + y + 1] + weights[x];
      if (same) {
        stays = "";
        while (x < old.length && y < fresh.length && old[x] === fresh[y]) { stays += old[x++]; y++; }
        // A space between two changes is part of the change.
        var more = x < old.length || y < fresh.length;
        if ((gone || come) && more && !stays.trim()) { gone += stays; come += stays; }
        else { flush(); steps.push(["=", stays]); }
      } else if (y === fresh.length || (x < old.length && best[(x + 1) * width + y] >= best[x * width + y + 1])) gone += old[x++];
      else come += fresh[y++];
    }
    flush();
    return steps;
  }

  // Marks help where something stayed: at least a third of both wordings.
  function alike(steps) {
    var signs = function (kinds) {
      return steps.reduce(function (sum, step) { return sum + (kinds.includes(step[0]) ? step[1].replace(/\W/gu, "").length || step[1].trim().length : 0); }, 0);
    };
    return signs("=") * 3 >= Math.max(signs("=-"), signs("=+"));
  }

  // [label, value of a, value of b], the wording first; a value is empty where it is not used.
  function between(a, b) {
    var found = a.text === b.text ? [] : [["wording", a.text, b.text]];
    var one = new Map(a.values), other = new Map(b.values);
    new Set(Array.from(one.keys()).concat(Array.from(other.keys()))).forEach(function (label) {
      if (one.get(label) !== other.get(label)) found.push([label, one.get(label) || "", other.get(label) || ""]);
    });
    return found;
  }

  window.gallery.differences = { wording: wording, alike: alike, between: between };
})();
