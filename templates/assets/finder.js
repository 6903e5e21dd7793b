// The list of prompts: its search field, its filters and its order. The address always says what is shown.
(function () {
  "use strict";
  var search = window.gallery.search;
  var PART = 30; // rows drawn at once
  var MOST_CHOSEN = 50; // an address can ask for anything
  var main = document.querySelector("[data-finder]");
  var find = function (name) { return main.querySelector("[data-" + name + "]"); };
  var field = document.getElementById("question"), order = find("order");
  var listed = find("rows"), found = find("found"), nothing = find("nothing"), more = find("more");
  var tally = find("tally"), usualTally = tally.innerHTML;
  var prompts = null, matches = [], drawn = 0;

  function load() {
    return search.load(Number(main.dataset.parts)).then(function (all) { prompts = all; });
  }

  // ---- what is asked for, in the address and in the form

  function nothingAsked() {
    var state = { q: "", order: "", chosen: {}, ranges: {} };
    search.names.forEach(function (name) { state.chosen[name] = []; });
    return state;
  }

  function asked() {
    var given = new URLSearchParams(location.search), state = nothingAsked();
    state.q = (given.get("q") || "").slice(0, field.maxLength);
    state.order = given.get("order") || "";
    search.names.forEach(function (name) { state.chosen[name] = given.getAll(name).slice(0, MOST_CHOSEN); });
    search.ranges.forEach(function (name) {
      var ends = /^([\d.]*?)\.\.([\d.]*)$/.exec(given.get(name) || "");
      if (ends) setRange(state, name, ends[1], ends[2]);
    });
    return state;
  }

  function setRange(state, name, low, high) {
    var isNumber = function (end) { return end !== "" && isFinite(end); };
    if (isNumber(low) || isNumber(high)) state.ranges[name] = [isNumber(low) ? low : "", isNumber(high) ? high : ""];
  }

  function formState() {
    var state = nothingAsked();
    state.q = field.value.trim();
    state.order = order.value;
    search.names.forEach(function (name) {
      state.chosen[name] = boxes(name).filter(function (box) { return box.checked; }).map(valueOf);
    });
    search.ranges.forEach(function (name) { setRange(state, name, end(name, "low").value, end(name, "high").value); });
    return state;
  }

  function boxes(name) {
    return Array.from(main.querySelectorAll('[data-filter="' + name + '"] input'));
  }

  function valueOf(box) {
    return box.closest("[data-value]").dataset.value;
  }

  function end(name, side) {
    return main.querySelector('[data-range="' + name + '"] [data-end="' + side + '"]');
  }

  function fill(state) {
    field.value = state.q;
    order.value = state.order;
    if (order.selectedIndex < 0) order.value = "";
    search.names.forEach(function (name) {
      // A value that the sidebar doesn't offer is offered as soon as the address asks for it.
      state.chosen[name].forEach(function (value) {
        if (!boxes(name).some(function (box) { return valueOf(box) === value; })) offer(name, value);
      });
      boxes(name).forEach(function (box) { box.checked = state.chosen[name].includes(valueOf(box)); });
    });
    search.ranges.forEach(function (name) {
      var range = state.ranges[name] || ["", ""];
      end(name, "low").value = range[0];
      end(name, "high").value = range[1];
    });
    if (Object.keys(state.ranges).length) find("ranges").open = true;
  }

  function offer(name, value) {
    var list = main.querySelector('[data-filter="' + name + '"] ul');
    if (!list || !list.firstElementChild) return;
    var item = list.firstElementChild.cloneNode(true);
    item.dataset.value = value;
    item.querySelector("label span").textContent = value;
    var link = item.querySelector("a");
    if (link) link.remove();
    list.append(item);
  }

  function addressOf(state) {
    var given = new URLSearchParams();
    if (state.q) given.set("q", state.q);
    search.names.forEach(function (name) { state.chosen[name].forEach(function (value) { given.append(name, value); }); });
    search.ranges.forEach(function (name) { if (state.ranges[name]) given.set(name, state.ranges[name].join("..")); });
    if (state.order) given.set("order", state.order);
    var query = given.toString();
    return location.pathname + (query ? "?" + query : "");
  }

  function chosenIn(state) {
    return search.names.reduce(function (sum, name) { return sum + state.chosen[name].length; }, 0)
      + Object.keys(state.ranges).length;
  }

  // ---- drawing

  function show(state) {
    var chosen = chosenIn(state), usual = !state.q && !state.order && !chosen;
    main.querySelectorAll("[data-clear]").forEach(function (button) { button.hidden = usual; });
    find("chosen-count").textContent = chosen ? "(" + chosen + ")" : "";
    if (usual) {
      listed.hidden = false;
      found.hidden = nothing.hidden = more.hidden = true;
      found.replaceChildren();
      tally.innerHTML = usualTally;
      if (prompts) showCounts(search.look(prompts, state).counts);
      done();
    } else if (prompts) showResults(state);
    else load().then(function () { show(formState()); }, function () {
      tally.textContent = "The search could not be loaded; the tags and models are pages of their own.";
    });
  }

  function showResults(state) {
    var result = search.look(prompts, state);
    matches = result.prompts;
    drawn = 0;
    listed.hidden = true;
    found.hidden = false;
    found.replaceChildren();
    drawMore();
    nothing.hidden = matches.length > 0;
    var amount = document.createElement("b");
    amount.textContent = matches.length.toLocaleString("en") + (matches.length === 1 ? " prompt" : " prompts");
    tally.replaceChildren(amount, matches.length ? " found" : " found; try fewer words");
    showCounts(result.counts);
    done();
  }

  function done() {
    document.dispatchEvent(new Event("rows:drawn"));
  }

  function showCounts(counts) {
    search.names.forEach(function (name) {
      boxes(name).forEach(function (box) {
        var item = box.closest("[data-value]");
        var amount = counts[name].get(valueOf(box)) || 0;
        item.querySelector(".count").textContent = amount;
        item.classList.toggle("is-empty", !amount && !box.checked);
      });
    });
  }

  function drawMore() {
    var rows = document.createDocumentFragment();
    matches.slice(drawn, drawn + PART).forEach(function (prompt) {
      rows.append(window.gallery.drawRow(prompt, search.takesOf(prompt)));
    });
    found.append(rows);
    drawn += PART;
    more.hidden = drawn >= matches.length;
  }

  // ---- hands and keys

  // While someone types, one entry in the history is enough; a filter is a step of its own.
  var typing = false;

  function change(step) {
    var state = formState();
    history[typing && !step ? "replaceState" : "pushState"](null, "", addressOf(state));
    typing = !step;
    show(state);
  }

  field.addEventListener("focus", function () { load().catch(function () { /* told when it is needed */ }); });
  field.addEventListener("blur", function () { typing = false; });
  main.addEventListener("input", function (event) {
    if (event.target === field || event.target.matches("[data-end]")) change(false);
  });
  main.querySelector("form").addEventListener("submit", function (event) { event.preventDefault(); typing = false; });
  order.addEventListener("change", function () { change(true); });
  main.addEventListener("change", function (event) {
    if (event.target.matches("[data-filter] input")) change(true);
    else if (event.target.matches("[data-end]")) typing = false;
  });
  main.addEventListener("click", function (event) {
    if (event.target.closest("[data-more]")) { drawMore(); done(); }
    if (!event.target.closest("[data-clear]")) return;
    fill(nothingAsked());
    change(true);
    field.focus();
  });
  window.addEventListener("popstate", function () { typing = false; var state = asked(); fill(state); show(state); });

  // The filters stand open beside the list, and folded above it on a phone.
  var wide = matchMedia("(min-width: 60rem)");
  var unfold = function () { find("filters").open = wide.matches; };
  wide.addEventListener("change", unfold);
  unfold();

  var state = asked();
  if (addressOf(state) !== location.pathname) { fill(state); show(state); }
  if (location.hash === "#question") field.focus();
})();
