// The blind test: X is A or B by chance, anew in every round. What could tell is hidden until the end.
(function () {
  "use strict";
  var gallery = window.gallery, player = gallery.player;
  var page = document.querySelector("[data-comparing]");
  var part = function (name) { return page.querySelector("[data-" + name + "]"); };
  var rounds = 8, answers = [], hidden = "a", listening = "";

  // How likely at least `right` of `all` are by tossing a coin: the sum of binomials over two to the nth.
  function byChance(right, all) {
    var sum = 0, ways = 1;
    for (var hits = 0; hits <= all; hits++) {
      if (hits >= right) sum += ways;
      ways = ways * (all - hits) / (hits + 1);
    }
    return sum / Math.pow(2, all);
  }

  // 0.1445 as 14 %, 0.0039 as 0.4 %.
  function percent(share) {
    var hundred = share * 100;
    return (hundred >= 1 ? Math.round(hundred) : hundred >= 0.1 ? hundred.toFixed(1) : "less than 0.1") + "\u00a0%";
  }

  function verdict(right, all) {
    var chance = byChance(right, all);
    return right + " of " + all + ": chance alone does this " + percent(chance) + " of the time. "
      + (chance <= 0.05 ? "You hear a difference."
        : chance <= 0.2 ? "That may be an ear, or luck; more rounds would tell."
        : "That is no sign of a difference you can hear.");
  }

  function listen(letter) {
    listening = letter;
    var pair = gallery.comparison.pair;
    player.veil("Blind test: " + letter.toUpperCase(), Math.min(pair.a.length, pair.b.length));
    gallery.comparison.hear(letter === "x" ? hidden : letter);
    page.querySelectorAll("[data-listen]").forEach(function (button) {
      button.setAttribute("aria-pressed", String(button.dataset.listen === letter));
    });
  }

  function nextRound() {
    hidden = Math.random() < 0.5 ? "a" : "b";
    part("round").textContent = "Round " + (answers.length + 1) + " of " + rounds + ". Is X A, or is it B?";
    // Whoever was listening to X now hears the new one.
    if (listening) listen("x");
  }

  function guess(letter) {
    answers.push([hidden, letter]);
    if (answers.length < rounds) nextRound();
    else finish();
  }

  function finish() {
    var right = answers.filter(function (answer) { return answer[0] === answer[1]; }).length;
    quiet();
    part("trial").hidden = true;
    part("again").hidden = false;
    part("round").textContent = verdict(right, rounds);
    part("answers").hidden = false;
    part("answers").replaceChildren.apply(part("answers"), answers.map(function (answer) {
      var item = document.createElement("li");
      item.className = answer[0] === answer[1] ? "right" : "wrong";
      item.textContent = "X was " + answer[0].toUpperCase() + ", you said " + answer[1].toUpperCase();
      return item;
    }));
    part("again").focus();
  }

  function quiet() {
    if (!player.paused()) player.toggle();
    player.veil("", 0);
    listening = "";
  }

  function begin() {
    rounds = Number(part("rounds").value);
    answers = [];
    quiet();
    part("pair").hidden = true;
    part("heading").hidden = true;
    part("blind").hidden = part("trial").hidden = false;
    part("answers").hidden = part("again").hidden = true;
    page.querySelectorAll("[data-listen]").forEach(function (button) { button.setAttribute("aria-pressed", "false"); });
    part("blind").querySelector("h2").focus();
    nextRound();
  }

  function leave() {
    quiet();
    part("blind").hidden = true;
    part("pair").hidden = part("heading").hidden = false;
    part("begin").focus();
  }

  page.addEventListener("click", function (event) {
    var on = function (name) { return event.target.closest("[data-" + name + "]"); };
    if (on("begin") || on("again")) begin();
    else if (on("leave")) leave();
    else if (on("listen")) listen(on("listen").dataset.listen);
    else if (on("guess")) guess(on("guess").dataset.guess);
  });

  document.addEventListener("keydown", function (event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (gallery.keysAreOff(event) || part("blind").hidden || part("trial").hidden) return;
    var chosen = { 1: "a", 2: "b" }[event.key];
    if (chosen) guess(chosen);
    else if (["a", "b", "x"].includes(event.key)) listen(event.key);
    else return;
    event.preventDefault();
  });
})();
