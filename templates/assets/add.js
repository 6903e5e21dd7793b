// The form that a prompt file is written with: its file as it grows, what the checker would say of it,
// and the ways to take it to the repository. What is typed stays in this browser.
window.gallery.mount("[data-add]", (root, signal) => {
  "use strict";
  const { gallery, GALLERY_RULES: rules } = window;
  const { dom, promptFile: files, storage } = gallery;
  const part = dom.part(document);
  const form = /** @type {HTMLFormElement} */ (root);
  const controls = /** @type {Control[]} */ ([...form.elements]).filter((control) => control.name);
  /** @type {Set<string>} */
  let touched = new Set();
  let wasAsked = false; // for all faults
  /** @type {Texts | null} */
  let before = null; // what was in the form that was emptied
  /** @type {PromptFile} */
  let file;
  let text = "";
  /** @type {Fault[]} */
  let faults = [];
  // A name where the words have no letters for one; it stays while the page is open.
  const nameless = `prompt-${randomNumber().toString(16).padStart(8, "0").slice(0, 6)}`;
  // A page may be opened with fields filled in: #prompt=...&cfg_coef=5. What becomes of them is kept for
  // this window, so that nobody's own draft is written over.
  const given = known(Object.fromEntries(new URLSearchParams(location.hash.slice(1))));
  const isGiven = Object.keys(given).length > 0;

  function randomNumber() {
    return crypto.getRandomValues(new Uint32Array(1))[0];
  }

  // ---- what is typed

  /**
   * @param {string} name
   * @returns {any} a control; of which kind, the template says
   */
  function control(name) {
    return form.elements.namedItem(name);
  }

  /**
   * The texts that are for a field of the form, and say something.
   * @param {unknown} texts
   */
  function known(texts) {
    /** @type {Texts} */
    const found = {};
    for (const { name } of controls) {
      const value = /** @type {Record<string, unknown> | null} */ (texts)?.[name];
      if (typeof value === "string" && value) found[name] = value;
    }
    return found;
  }

  function typed() {
    return known(Object.fromEntries(controls.map(({ name, value }) => [name, value])));
  }

  /** @param {Texts} texts */
  function fill(texts) {
    for (const each of controls) {
      each.value = texts[each.name] ?? "";
      // A choice that the gallery no longer has is none.
      if (each instanceof HTMLSelectElement && each.selectedIndex < 0) each.selectedIndex = 0;
    }
    touched = new Set(Object.keys(texts));
    wasAsked = false;
  }

  /** @param {Texts} texts */
  function remember(texts) {
    if (isGiven) storage.set("given", { address: location.hash, texts }, "sessionStorage");
    else storage.set("draft", texts);
  }

  function remembered() {
    if (!isGiven) return known(storage.get("draft", {}));
    const kept = /** @type {{ address?: unknown, texts?: unknown } | null} */ (
      storage.get("given", null, "sessionStorage")
    );
    return kept?.address === location.hash ? known(kept.texts) : given;
  }

  // ---- the file and what is wrong with it

  function draw() {
    const texts = typed();
    file = files.read(texts, new Date().toISOString().slice(0, 10), nameless);
    text = files.write(file);
    const found = gallery.checkPromptFile(file);
    faults = found.faults.sort((one, other) => orderOf(one) - orderOf(other));
    part("path").textContent = files.pathOf(file);
    if (part("goes")) part("goes").textContent = files.pathOf(file);
    part("text").textContent = text;
    drawAsks(found.asks);
    drawHelp(texts);
    drawFaults();
    drawWays();
  }

  /**
   * Changes words only where they change: what has a status is read out.
   * @param {string} name
   * @param {string} words
   */
  function put(name, words) {
    if (part(name).textContent !== words) part(name).textContent = words;
  }

  /** @param {Asks | null} asks */
  function drawAsks(asks) {
    const clips = asks?.clips === 1 ? "1 clip" : `${asks?.clips} clips`;
    put("asks", asks ? `${clips}, ${Math.round(asks.seconds * 10) / 10} s of audio` : "");
  }

  /**
   * What holds for fields that are left empty, and what hangs on the other fields.
   * @param {Texts} texts
   */
  function drawHelp(texts) {
    const usual = rules.presets[texts.preset ?? ""] ?? {};
    for (const field of Object.keys(rules.numbers)) {
      control(field).placeholder = String((field in usual ? usual[field] : rules.numbers[field].usual) ?? "");
    }
    control("name").placeholder = texts.name ? "" : file.name;
    for (const [axis, otherAxis] of [
      ["axis1", "axis2"],
      ["axis2", "axis1"],
    ]) {
      for (const option of control(axis).options) {
        option.disabled = option.value !== "" && option.value === texts[otherAxis];
      }
      control(`${axis}values`).closest(".field").hidden = !texts[axis];
      const isWording = texts[axis] === "prompt";
      put(`help-${axis}values`, isWording ? "One wording a line." : "Separated by commas, like 1, 3, 5.");
    }
    const melody = String(file.matter.get("melody") ?? "");
    const folder = files.pathOf(file).replace(/[^/]*$/, "");
    const isFile = melody && !melody.startsWith(rules.digest[0]);
    put(
      "beside",
      isFile
        ? `Put ${melody} into ${folder}, too${rules.new ? ", in the same pull request" : ""}: without it the check refuses the file.`
        : "",
    );
  }

  /**
   * Where a fault is shown: the name of a field of the form.
   * @param {Fault} fault
   */
  function fieldOf([place]) {
    const field = place.replace(/\[.*/, "");
    if (!field.startsWith("vary")) return field;
    const axis = field.slice("vary.".length);
    if (!file.grid.has(axis)) return "axis1";
    return control("axis2").value === axis ? "axis2values" : "axis1values";
  }

  /** @param {Fault} fault */
  function orderOf(fault) {
    return controls.indexOf(control(fieldOf(fault)));
  }

  /**
   * What is still being typed is left in peace. What the choice of a model or a preset does to a field
   * that nobody filled in is told at once.
   * @param {Fault} fault
   */
  function isTold(fault) {
    const field = fieldOf(fault);
    const isLeftEmpty = /^(duration|extend_stride)$/.test(fault[0]) && !control(field).value;
    return wasAsked || touched.has(field) || isLeftEmpty;
  }

  function drawFaults() {
    const told = faults.filter(isTold);
    for (const each of controls) {
      const own = told.filter((fault) => fieldOf(fault) === each.name);
      each.setAttribute("aria-invalid", String(own.length > 0));
      part(`fault-${each.name}`).hidden = !own.length;
      put(`fault-${each.name}`, own.map(([, message]) => message).join("\n"));
    }
    part("faults").hidden = !wasAsked || !faults.length;
    if (part("faults").hidden) return;
    put("faults-count", faults.length === 1 ? "One fault is left:" : `${faults.length} faults are left:`);
    const items = faults.map((fault) => {
      const link = dom.make("a", { href: `#f-${fieldOf(fault)}`, textContent: fault.join(": ") });
      link.dataset.leads = fieldOf(fault);
      const item = dom.make("li");
      item.append(link);
      return item;
    });
    part("faults-list").replaceChildren(...items);
  }

  // ---- the ways to the repository

  function drawWays() {
    /** @type {HTMLAnchorElement | null} */
    const way = part("propose");
    if (!way || !rules.new) return;
    if (faults.length) {
      way.href = "#faults";
      put("long", "");
      return;
    }
    const page = rules.new.page + encodeURIComponent(files.pathOf(file));
    const whole = page + rules.new.text + encodeURIComponent(text);
    const fits = whole.length <= rules.new.longest;
    way.href = fits ? whole : page;
    put(
      "long",
      fits
        ? ""
        : "The file is too long for an address. Copy it first: GitHub opens with its name filled in, and you paste the rest.",
    );
  }

  function showFaults() {
    wasAsked = true;
    drawFaults();
    part("faults").focus();
  }

  // ---- tags that there are already, offered one after the other

  function offerTags() {
    const { value } = control("tags");
    const head = value.slice(0, value.lastIndexOf(",") + 1);
    const had = head.split(",").map((/** @type {string} */ tag) => tag.trim());
    const last = value.slice(head.length).trim();
    const near = rules.tags.filter((tag) => tag.startsWith(last) && !had.includes(tag));
    const options = near.slice(0, 20).map((tag) => new Option("", head ? `${head} ${tag}` : tag));
    part("tags").replaceChildren(...options);
  }

  // ---- typing and clicks

  /** @param {Texts} texts */
  function start(texts) {
    fill(texts);
    draw();
    offerTags();
  }

  function drawSeed() {
    const seed = control("seed");
    seed.value = randomNumber();
    for (const name of ["input", "change"]) seed.dispatchEvent(new Event(name, { bubbles: true }));
  }

  // Empties the form, or brings back what was in it.
  function reset() {
    const back = before;
    before = back ? null : typed();
    start(back ?? given);
    remember(back ?? given);
    put("reset", before ? "bring it back" : "start over");
    put("done", before ? "Your changes are removed." : "");
  }

  form.addEventListener("input", (event) => {
    const { name } = /** @type {Control} */ (event.target);
    before = null;
    put("reset", "start over");
    if (event.target instanceof HTMLSelectElement) touched.add(name);
    if (name === "tags") offerTags();
    draw();
    remember(typed());
  });
  form.addEventListener("change", (event) => {
    touched.add(/** @type {Control} */ (event.target).name);
    drawFaults();
  });
  form.addEventListener("submit", (event) => event.preventDefault());

  /** @param {MouseEvent} event */
  function click(event) {
    const on = dom.around(event);
    const leads = on("leads")?.dataset.leads;
    if (leads) {
      event.preventDefault();
      control(leads).focus();
    } else if (on("draw-seed")) drawSeed();
    else if (on("reset")) reset();
    else if (faults.length && (on("propose") || on("copy-file") || on("save-file"))) {
      event.preventDefault();
      showFaults();
    } else if (on("copy-file")) gallery.copy(text, () => put("done", "Copied."));
    else if (on("save-file")) gallery.save(`${file.name}.md`, "text/markdown", text);
  }
  document.addEventListener("click", click, { signal });

  const folders = Object.keys(rules.names).filter(Boolean);
  part("folders").append(...folders.map((folder) => new Option("", folder)));
  start(remembered());
});
