// What the list of prompts answers beside its rows: which filters are on, what was taken for what, and where
// nothing fits, what does. Loaded with the index, when the search is used first.
(() => {
  "use strict";
  const { gallery } = window;
  const { dom } = gallery;
  const MOST = 6; // that are offered where nothing fits

  /**
   * A query without one of its terms, or with others in its place.
   * @param {string} q
   * @param {Term} term
   * @param {string} [other]
   */
  function replaced(q, term, other = "") {
    return `${q.slice(0, term.from)}${other}${q.slice(term.to)}`.replace(/\s+/g, " ").trim();
  }

  /** @type {Answers["conditions"]} */
  function conditions(state, terms, nameOf) {
    const found = terms.map((term) => {
      return { label: term.text, state: { ...state, q: replaced(state.q, term) }, isFilter: false };
    });
    for (const name of gallery.search.names) {
      for (const value of state.chosen[name]) {
        const chosen = { ...state.chosen, [name]: state.chosen[name].filter((other) => other !== value) };
        found.push({ label: nameOf(name, value), state: { ...state, chosen }, isFilter: true });
      }
      // Of anything but tags each choice widens: without one of several there is no more than with it.
      if (name !== "tag" && state.chosen[name].length > 1) {
        const chosen = { ...state.chosen, [name]: [] };
        found.push({ label: `any ${name}`, state: { ...state, chosen }, isFilter: false });
      }
    }
    for (const [name, [low, high]] of Object.entries(state.ranges)) {
      const { [name]: _, ...ranges } = state.ranges;
      const ends = low && high ? `${low} to ${high}` : low ? `from ${low}` : `up to ${high}`;
      found.push({ label: `${name}: ${ends}`, state: { ...state, ranges }, isFilter: true });
    }
    return found;
  }

  /** @type {Answers["near"]} */
  function near(state, terms, nearest) {
    return terms.flatMap((term) => {
      const other = term.taken || (term.word ? nearest(term.word) : "");
      if (!other || other === term.word) return [];
      return [{ label: other, state: { ...state, q: replaced(state.q, term, other) }, isFilter: false }];
    });
  }

  /** @type {Answers["counted"]} */
  function counted(offers, count) {
    return offers.map((offer) => ({ ...offer, count: count(offer.state) })).filter((offer) => offer.count);
  }

  /** @type {Answers["taken"]} */
  function taken(terms) {
    return terms.flatMap((term) => {
      if (!term.taken) return [];
      return [
        " · no prompt says ",
        dom.make("q", { textContent: term.text }),
        ", this is ",
        dom.make("q", { textContent: term.taken }),
      ];
    });
  }

  /**
   * The element of this name before or in another one; made when it is needed first.
   * @param {string} name
   * @param {(element: HTMLElement) => void} place
   */
  function own(name, place) {
    const known = dom.part(document)(name);
    if (known) return known;
    const element = dom.make("div", { className: name });
    element.dataset[name] = "";
    place(element);
    return element;
  }

  /** @type {Answers["drawChips"]} */
  function drawChips(list, chips, take) {
    const box = own("chips", (element) => list.before(element));
    box.hidden = !chips.length;
    const items = chips.map(({ label, state }) => {
      const button = dom.make("button", { type: "button", textContent: label, onclick: () => take(state) });
      button.setAttribute("aria-label", `Take off ${label}`);
      const item = dom.make("li");
      item.append(button);
      return item;
    });
    const all = dom.make("ul");
    all.setAttribute("aria-label", "Filters that are on");
    all.append(...items);
    box.replaceChildren(...(items.length ? [all] : []));
  }

  /**
   * @param {string} lead
   * @param {(Condition & { count: number })[]} offers
   * @param {(offer: Condition) => string} say
   * @param {(state: Asked) => void} take
   */
  function line(lead, offers, say, take) {
    if (!offers.length) return [];
    const paragraph = dom.make("p", { textContent: lead });
    for (const offer of offers.slice(0, MOST)) {
      const textContent = `${say(offer)} (${offer.count.toLocaleString("en")})`;
      paragraph.append(
        " ",
        dom.make("button", { type: "button", textContent, onclick: () => take(offer.state) }),
      );
    }
    return [paragraph];
  }

  /** @type {Answers["drawNear"]} */
  function drawNear(nothing, offers, without, take) {
    const box = own("near", (element) => {
      element.setAttribute("role", "status");
      nothing.firstElementChild?.after(element);
    });
    box.hidden = !offers.length && !without.length;
    box.replaceChildren(
      ...line("Did you mean", offers, ({ label }) => `${label}?`, take),
      ...line("There is something", without, ({ label }) => `without ${label}`, take),
    );
  }

  gallery.answers = { conditions, near, counted, taken, drawChips, drawNear };
})();
