// The form that a prompt file is written with: its file as it grows, what the checker would say of it,
// and the ways to take it to the repository. What is typed stays in this browser.
(function () {
  "use strict";
  var gallery = window.gallery, keep = gallery.keep, files = gallery.promptFile, rules = window.GALLERY_RULES;
  var form = document.querySelector("[data-add]");
  var part = function (name) { return document.querySelector("[data-" + name + "]"); };
  var controls = Array.from(form.elements).filter(function (control) { return control.name; });
  var touched = new Set(), asked = false, before = null, file, text, faults;
  // A name where the words have no letters for one; it stays while the page is open.
  var nameless = "prompt-" + drawn().toString(16).padStart(8, "0").slice(0, 6);
  // A page may be opened with fields filled in: #prompt=...&cfg_coef=5. What becomes of them is kept for
  // this window, so that nobody's own draft is written over.
  var given = known(Object.fromEntries(new URLSearchParams(location.hash.slice(1))));
  var isGiven = Object.keys(given).length > 0;

  function drawn() { return crypto.getRandomValues(new Uint32Array(1))[0]; }

  // ---- what is typed

  function known(texts) {
    var found = {};
    controls.forEach(function (control) {
      if (texts && typeof texts[control.name] === "string" && texts[control.name]) found[control.name] = texts[control.name];
    });
    return found;
  }

  function typed() {
    return known(Object.fromEntries(controls.map(function (control) { return [control.name, control.value]; })));
  }

  function fill(texts) {
    controls.forEach(function (control) {
      control.value = texts[control.name] || "";
      // A choice that the gallery no longer has is none.
      if (control.matches("select") && control.selectedIndex < 0) control.selectedIndex = 0;
    });
    touched = new Set(Object.keys(texts));
    asked = false;
  }

  function remember(texts) {
    if (isGiven) keep.set("given", { address: location.hash, texts: texts }, "sessionStorage");
    else keep.set("draft", texts);
  }

  function remembered() {
    if (!isGiven) return known(keep.get("draft", {}));
    var kept = keep.get("given", null, "sessionStorage");
    return kept && kept.address === location.hash ? known(kept.texts) : given;
  }

  // ---- the file and what is wrong with it

  function draw() {
    var texts = typed(), found;
    file = files.read(texts, new Date().toISOString().slice(0, 10), nameless);
    text = files.write(file);
    found = gallery.checkPromptFile(file);
    faults = found.faults.sort(function (one, other) { return orderOf(one) - orderOf(other); });
    part("path").textContent = files.pathOf(file);
    part("text").textContent = text;
    drawAsked(found.asks);
    drawHelp(texts);
    drawFaults();
    drawWays();
  }

  function put(name, words) { if (part(name).textContent !== words) part(name).textContent = words; }

  function drawAsked(asks) {
    var seconds = asks && Math.round(asks.seconds * 10) / 10;
    put("asks", asks ? asks.clips + (asks.clips === 1 ? " clip, " : " clips, ") + seconds + " s of audio" : "");
  }

  // What holds for fields that are left empty, and what hangs on the other fields.
  function drawHelp(texts) {
    var usual = rules.presets[texts.preset || ""] || {};
    Object.keys(rules.numbers).forEach(function (field) {
      var value = field in usual ? usual[field] : rules.numbers[field].usual;
      form.elements[field].placeholder = value === null ? "" : String(value);
    });
    form.elements.name.placeholder = texts.name ? "" : file.name;
    ["axis1", "axis2"].forEach(function (axis, place) {
      var other = texts[place ? "axis1" : "axis2"], values = form.elements[axis + "values"];
      Array.from(form.elements[axis].options).forEach(function (option) { option.disabled = option.value !== "" && option.value === other; });
      values.closest(".field").hidden = !texts[axis];
      put("help-" + axis + "values", texts[axis] === "prompt" ? "One wording a line." : "With commas between, like 1, 3, 5.");
    });
    var melody = file.matter.get("melody") || "", folder = files.pathOf(file).replace(/[^/]*$/, "");
    put("beside", melody && !melody.startsWith(rules.digest[0]) ? "Put " + melody + " into " + folder + ", too, in the same pull request: without it the check refuses the file." : "");
  }

  // Where a fault is shown: the name of a field of the form.
  function fieldOf(place) {
    if (!place.startsWith("vary")) return place.replace(/\[.*/, "");
    var axis = place.slice("vary.".length).replace(/\[.*/, "");
    if (!(file.matter.get("vary") || new Map()).has(axis)) return "axis1";
    return (form.elements.axis2.value === axis ? "axis2" : "axis1") + "values";
  }

  function orderOf(fault) { return controls.indexOf(form.elements[fieldOf(fault[0])]); }

  // What is still being typed is left in peace. What the choice of a model or a preset does to a field
  // that nobody filled in is told at once.
  function isTold(fault) {
    return asked || touched.has(fieldOf(fault[0])) || (/^(duration|extend_stride)$/.test(fault[0]) && !form.elements[fault[0]].value);
  }

  function drawFaults() {
    var told = faults.filter(isTold);
    controls.forEach(function (control) {
      var slot = part("fault-" + control.name);
      var own = told.filter(function (fault) { return fieldOf(fault[0]) === control.name; });
      control.setAttribute("aria-invalid", String(own.length > 0));
      slot.hidden = !own.length;
      put("fault-" + control.name, own.map(function (fault) { return fault[1]; }).join("\n"));
    });
    part("faults").hidden = !asked || !faults.length;
    if (part("faults").hidden) return;
    put("faults-count", faults.length === 1 ? "One fault is left:" : faults.length + " faults are left:");
    part("faults-list").replaceChildren.apply(part("faults-list"), faults.map(function (fault) {
      var item = document.createElement("li"), link = document.createElement("a");
      link.href = "#f-" + fieldOf(fault[0]);
      link.dataset.leads = fieldOf(fault[0]);
      link.textContent = fault[0] + ": " + fault[1];
      item.append(link);
      return item;
    }));
  }

  // ---- the ways to the repository

  function drawWays() {
    var way = part("propose");
    if (!way) return;
    if (faults.length) {
      way.href = "#faults";
      put("long", "");
      return;
    }
    var page = rules.new.page + encodeURIComponent(files.pathOf(file));
    var whole = page + rules.new.text + encodeURIComponent(text), fits = whole.length <= rules.new.longest;
    way.href = fits ? whole : page;
    put("long", fits ? "" : "The file is too long for an address. Copy it first: GitHub opens with its name filled in, and you paste the rest.");
  }

  function showFaults() {
    asked = true;
    drawFaults();
    part("faults").focus();
  }

  function save() {
    var anchor = document.createElement("a");
    anchor.href = URL.createObjectURL(new Blob([text], { type: "text/markdown" }));
    anchor.download = file.name + ".md";
    anchor.click();
    setTimeout(function () { URL.revokeObjectURL(anchor.href); }, 10000);
  }

  // ---- tags that there are already, offered one after the other

  function offerTags() {
    var field = form.elements.tags, head = field.value.slice(0, field.value.lastIndexOf(",") + 1);
    var had = head.split(",").map(function (tag) { return tag.trim(); });
    var last = field.value.slice(head.length).trim();
    var near = rules.tags.filter(function (tag) { return tag.startsWith(last) && !had.includes(tag); });
    part("tags").replaceChildren.apply(part("tags"), near.slice(0, 20).map(function (tag) {
      return new Option("", head ? head + " " + tag : tag);
    }));
  }

  // ---- hands

  function start(texts) {
    fill(texts);
    draw();
    offerTags();
  }

  form.addEventListener("input", function (event) {
    before = null;
    put("reset", "start over");
    if (event.target.matches("select")) touched.add(event.target.name);
    if (event.target.name === "tags") offerTags();
    draw();
    remember(typed());
  });
  form.addEventListener("change", function (event) {
    touched.add(event.target.name);
    drawFaults();
  });
  form.addEventListener("submit", function (event) { event.preventDefault(); });

  document.addEventListener("click", function (event) {
    var on = function (name) { return event.target.closest("[data-" + name + "]"); };
    if (on("leads")) {
      event.preventDefault();
      form.elements[on("leads").dataset.leads].focus();
    } else if (on("draw-seed")) {
      form.elements.seed.value = drawn();
      form.elements.seed.dispatchEvent(new Event("input", { bubbles: true }));
      form.elements.seed.dispatchEvent(new Event("change", { bubbles: true }));
    } else if (on("reset")) {
      var back = before;
      before = back ? null : typed();
      start(back || given);
      remember(back || given);
      put("reset", before ? "bring it back" : "start over");
      put("done", before ? "The form is as it was at first." : "");
    } else if (faults.length && (on("propose") || on("copy-file") || on("save-file"))) {
      event.preventDefault();
      showFaults();
    } else if (on("copy-file")) gallery.copy(text, function () { put("done", "Copied."); });
    else if (on("save-file")) save();
  });

  Object.keys(rules.names).filter(Boolean).forEach(function (folder) { part("folders").append(new Option("", folder)); });
  start(remembered());
})();
