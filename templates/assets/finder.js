// The list of prompts: its search field, its filters and its order. The address always says what is shown.
(() => {
  "use strict";
  const { gallery } = window;
  const { dom, search } = gallery;
  const PART = 30; // rows drawn before more are asked for
  const FIRST = 8; // and of them at once, while someone types: as many as are seen
  const MOST_CHOSEN = 50; // an address can ask for anything
  const main = /** @type {HTMLElement} */ (document.querySelector("[data-finder]"));
  const find = dom.within(main);
  const part = dom.part(main);
  /** @type {HTMLInputElement} */
  const field = find("#question");
  /** @type {HTMLSelectElement} */
  const order = part("order");
  const listed = part("rows");
  const found = part("found");
  const nothing = part("nothing");
  const more = part("more");
  const tally = part("tally");
  const usualTally = tally.innerHTML;
  /** @type {SearchPrompt[] | null} */
  let prompts = null;
  /** @type {SearchPrompt[]} */
  let matches = [];
  let drawn = 0;
  // While someone types, one entry in the history is enough; a filter is a step of its own.
  let isTyping = false;
  let unwritten = ""; // the address of what is shown, and when it is written
  let writing = 0;
  /** @type {string[]} */
  let marks = []; // words that were found
  /** @type {Term[]} */
  let asking = [];
  let later = 0;

  async function load() {
    if (prompts) return;
    const scripts = main.dataset.scripts?.split(" ");
    const all = await search.load(Number(main.dataset.parts), scripts);
    if (prompts) return;
    prompts = all;
    gallery.suggest(field, search.complete);
  }

  // ---- what is asked for, in the address and in the form

  /** @returns {Asked} */
  function nothingAsked() {
    const chosen = Object.fromEntries(search.names.map((name) => [name, []]));
    return { q: "", order: "", chosen: /** @type {any} */ (chosen), ranges: {} };
  }

  function asked() {
    const given = new URLSearchParams(location.search);
    const state = nothingAsked();
    state.q = (given.get("q") ?? "").slice(0, field.maxLength);
    state.order = given.get("order") ?? "";
    for (const name of search.names) state.chosen[name] = given.getAll(name).slice(0, MOST_CHOSEN);
    for (const name of search.ranges) {
      const ends = /^([\d.]*?)\.\.([\d.]*)$/.exec(given.get(name) ?? "");
      if (ends) setRange(state, name, ends[1], ends[2]);
    }
    return state;
  }

  /**
   * @param {Asked} state
   * @param {string} name
   * @param {string} low
   * @param {string} high
   */
  function setRange(state, name, low, high) {
    const [from, to] = [low, high].map((end) => (end !== "" && Number.isFinite(Number(end)) ? end : ""));
    if (from || to) state.ranges[name] = [from, to];
  }

  function formState() {
    const state = nothingAsked();
    state.q = field.value.trim();
    state.order = order.value;
    for (const name of search.names) {
      const checked = boxes(name).filter((box) => box.checked);
      state.chosen[name] = checked.map(valueAt);
    }
    for (const name of search.ranges) setRange(state, name, end(name, "low").value, end(name, "high").value);
    return state;
  }

  /**
   * @param {FilterName} name
   * @returns {HTMLInputElement[]}
   */
  function boxes(name) {
    return [...main.querySelectorAll(/** @type {"input"} */ (`[data-filter="${name}"] input`))];
  }

  /** @param {HTMLInputElement} box */
  function itemOf(box) {
    return /** @type {HTMLElement} */ (box.closest("[data-value]"));
  }

  /** @param {HTMLInputElement} box */
  function valueAt(box) {
    return itemOf(box).dataset.value ?? "";
  }

  /**
   * @param {string} name
   * @param {"low" | "high"} side
   * @returns {HTMLInputElement}
   */
  function end(name, side) {
    return find(`[data-range="${name}"] [data-end="${side}"]`);
  }

  /** @param {Asked} state */
  function fill(state) {
    field.value = state.q;
    order.value = state.order;
    if (order.selectedIndex < 0) order.value = "";
    for (const name of search.names) {
      // A value that the sidebar doesn't offer is offered as soon as the address asks for it.
      for (const value of state.chosen[name]) {
        if (!boxes(name).some((box) => valueAt(box) === value)) offer(name, value);
      }
      for (const box of boxes(name)) box.checked = state.chosen[name].includes(valueAt(box));
    }
    for (const name of search.ranges) {
      const [low, high] = state.ranges[name] ?? ["", ""];
      end(name, "low").value = low;
      end(name, "high").value = high;
    }
    if (Object.keys(state.ranges).length) part("ranges").setAttribute("open", "");
  }

  /**
   * @param {FilterName} name
   * @param {string} value
   */
  function offer(name, value) {
    const list = main.querySelector(`[data-filter="${name}"] ul`);
    if (!list?.firstElementChild) return;
    const item = /** @type {HTMLElement} */ (list.firstElementChild.cloneNode(true));
    item.dataset.value = value;
    dom.within(item)("label span").textContent = value;
    item.querySelector("a")?.remove();
    list.append(item);
  }

  /** @param {Asked} state */
  function addressOf(state) {
    const given = new URLSearchParams();
    if (state.q) given.set("q", state.q);
    for (const name of search.names) {
      for (const value of state.chosen[name]) given.append(name, value);
    }
    for (const name of search.ranges) {
      if (state.ranges[name]) given.set(name, state.ranges[name].join(".."));
    }
    if (state.order) given.set("order", state.order);
    const query = given.toString();
    return location.pathname + (query ? `?${query}` : "");
  }

  /** @param {Asked} state */
  function chosenIn(state) {
    return Object.values(state.chosen).flat().length + Object.keys(state.ranges).length;
  }

  // ---- drawing

  /** @param {Asked} state */
  function show(state) {
    const chosen = chosenIn(state);
    const isUsual = !state.q && !state.order && !chosen;
    for (const button of dom.all(main, "clear")) button.hidden = isUsual;
    part("chosen-count").textContent = chosen ? `(${chosen})` : "";
    clearTimeout(later);
    if (!chosen) gallery.answers?.drawChips(listed, [], take);
    if (isUsual) {
      listed.hidden = false;
      found.hidden = true;
      nothing.hidden = true;
      more.hidden = true;
      found.replaceChildren();
      tally.innerHTML = usualTally;
      if (prompts) showCounts(search.look(prompts, state).count);
      done();
    } else if (prompts) showResults(prompts, state);
    else {
      load().then(
        () => show(formState()),
        () => {
          tally.textContent = "The search could not be loaded; the tags and models are pages of their own.";
        },
      );
    }
  }

  /**
   * What a filter's value is called beside its box.
   * @param {FilterName} name
   * @param {string} value
   */
  function nameOf(name, value) {
    const box = boxes(name).find((each) => valueAt(each) === value);
    return `${name}: ${box ? dom.within(itemOf(box))("label span").textContent : value}`;
  }

  /**
   * Asks for something else, as a click on it does.
   * @param {Asked} state
   */
  function take(state) {
    const isChip = document.activeElement?.closest("[data-chips]");
    fill(state);
    stopTyping();
    change(true);
    // What was clicked is gone.
    const next = isChip && dom.part(main)("chips").querySelector("button");
    (next || find("#list")).focus();
  }

  /**
   * @param {SearchPrompt[]} all
   * @param {Asked} state
   */
  function showResults(all, state) {
    const result = search.look(all, state);
    const { terms } = result;
    const { answers } = gallery;
    matches = result.prompts;
    asking = terms;
    marks = terms.flatMap((term) => term.marks);
    drawn = 0;
    listed.hidden = true;
    found.hidden = false;
    found.replaceChildren();
    drawMore(isTyping ? FIRST : PART);
    nothing.hidden = matches.length > 0;
    const textContent = matches.length.toLocaleString("en") + (matches.length === 1 ? " prompt" : " prompts");
    tally.replaceChildren(dom.make("b", { textContent }), " found", ...answers.taken(terms));
    const conditions = answers.conditions(state, terms, nameOf);
    answers.drawChips(
      listed,
      conditions.filter(({ isFilter }) => isFilter),
      take,
    );
    answers.drawNear(nothing, [], [], take);
    showCounts(result.count);
    done();
    // At each letter only what is seen is drawn.
    later = setTimeout(() => {
      if (drawn < PART) {
        drawMore(PART - drawn);
        done();
      }
      if (!matches.length) answerNothing(all, state, terms, conditions);
    }, 60);
    search.findKeys(state.q).then((isNew) => {
      if (isNew) show(formState());
    });
  }

  /**
   * Nothing fits: what is near, and what there is without one of the conditions.
   * @param {SearchPrompt[]} all
   * @param {Asked} state
   * @param {Term[]} terms
   * @param {Condition[]} conditions
   */
  function answerNothing(all, state, terms, conditions) {
    const count = (/** @type {Asked} */ other) => search.look(all, other).prompts.length;
    const { answers } = gallery;
    const near = answers.near(state, terms, search.near);
    const without = conditions.length > 1 ? conditions : [];
    answers.drawNear(nothing, answers.counted(near, count), answers.counted(without, count), take);
  }

  function done() {
    document.dispatchEvent(new Event("rows:drawn"));
  }

  /** @param {Count} count */
  function showCounts(count) {
    for (const name of search.names) {
      for (const box of boxes(name)) {
        const amount = count(name, valueAt(box));
        dom.within(itemOf(box))(".count").textContent = String(amount);
        itemOf(box).classList.toggle("is-empty", !amount && !box.checked);
      }
    }
  }

  function drawMore(amount = PART) {
    for (const prompt of matches.slice(drawn, drawn + amount)) {
      const start = search.startOf(prompt, asking);
      const row = gallery.drawRow({ ...prompt, start }, search.takesOf(prompt));
      if (marks.length) {
        for (const part of row.querySelectorAll(".row-title bdi, .row-prompt a, .tag")) {
          gallery.markWords(part, marks);
        }
      }
      found.append(row);
    }
    drawn += amount;
    more.hidden = drawn >= matches.length;
  }

  // ---- clicks and keys

  /** @param {boolean} isStep */
  function change(isStep) {
    const state = formState();
    const address = addressOf(state);
    if (isTyping && !isStep) {
      // Browsers take their time over an address: it follows when the fingers rest.
      unwritten = address;
      clearTimeout(writing);
      writing = setTimeout(writeAddress, 150);
    } else {
      writeAddress();
      history.pushState(null, "", address);
    }
    isTyping = !isStep;
    show(state);
  }

  function writeAddress() {
    clearTimeout(writing);
    if (unwritten) history.replaceState(null, "", unwritten);
    unwritten = "";
  }

  function stopTyping() {
    writeAddress();
    isTyping = false;
  }

  function showAsked() {
    const state = asked();
    fill(state);
    show(state);
  }

  field.addEventListener("focus", () => load().catch(() => {})); // told when it is needed
  field.addEventListener("blur", stopTyping);
  main.addEventListener("input", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (target === field || target.matches("[data-end]")) change(false);
  });
  find("form").addEventListener("submit", (event) => {
    event.preventDefault();
    stopTyping();
  });
  order.addEventListener("change", () => change(true));
  main.addEventListener("change", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (target.matches("[data-filter] input")) change(true);
    else if (target.matches("[data-end]")) stopTyping();
  });
  main.addEventListener("click", (event) => {
    const on = dom.around(event);
    if (on("more")) {
      drawMore();
      done();
    }
    if (!on("clear")) return;
    fill(nothingAsked());
    change(true);
    field.focus();
  });
  window.addEventListener("popstate", () => {
    unwritten = ""; // it was another entry's
    stopTyping();
    showAsked();
  });

  // The filters stand open beside the list, and folded above it on a phone.
  const wide = matchMedia("(min-width: 60rem)");
  const unfold = () => part("filters").toggleAttribute("open", wide.matches);
  wide.addEventListener("change", unfold);
  unfold();

  if (addressOf(asked()) !== location.pathname) showAsked();
  if (location.hash === "#question") field.focus();
})();
