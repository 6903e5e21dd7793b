// Over http, pages of the site come in place of one another, so that sound goes on. What is marked data-stays
// stays; scripts that may come and go with their page are marked data-mounts. Wherever that cannot be, the browser
// loads the page as ever: from disk, where anything fails, and where a page is of another build.
(() => {
  "use strict";
  const { gallery } = window;
  const { clips, dom } = gallery;
  const LONGEST = 15_000; // milliseconds that a page may take before the browser is to load it
  const STAYS = "[data-stays]";
  const FURNITURE = "[data-furniture]"; // into which clips.js brings what stays
  const POLICY = 'meta[http-equiv="Content-Security-Policy"]';
  const STYLES = 'link[rel="stylesheet"]';
  const OWN_HEAD =
    'title, meta[name]:not([name="viewport"]), meta[property], link:is([rel="canonical"], [rel="alternate"]), script[type="application/ld+json"]';
  // A gallery's own markup may not say what stays.
  const isServed = /^https?:$/.test(location.protocol) && document.querySelector(`[data-dock]${STAYS}`);
  // What is loaded, by its address without its version. The page's own word on it changes with its address.
  /** @type {Map<string, string>} */
  const loaded = new Map(); // scripts and styles, with their versions
  /** @type {Map<string, HTMLLinkElement>} */
  const styled = new Map(); // the styles that there are
  /** @type {Map<number, number>} */
  const places = new Map(); // how far down each entry of the history was left
  /** @type {Map<number, string>} */
  const followed = new Map(); // and by which link
  let { visit = `${performance.timeOrigin}`, index = 0 } = history.state ?? {}; // of what is shown
  let visits = 0;
  let turn = 0; // what was asked for earlier is given up
  let frame = ""; // what has to be the same of pages that come in place of one another

  // ---- leaving it to the browser

  /**
   * @param {URL} url
   * @param {VisitKind} kind
   */
  function load(url, kind) {
    if (kind === "pop") location.reload();
    else if (kind === "replace") location.replace(url);
    else location.assign(url);
  }

  /** @param {URL} url */
  function isOurs(url) {
    const isPage = /(\/|\.html)$/.test(url.pathname);
    return Boolean(isServed) && url.href.startsWith(clips.root) && isPage;
  }

  /**
   * Whether only the place within the page is another.
   * @param {URL} url
   */
  function isHere(url) {
    return url.pathname === location.pathname && url.search === location.search;
  }

  // ---- a page that comes

  /**
   * The addresses that elements of a page have, seen from its own.
   * @param {ParentNode} page
   * @param {string} selector
   * @param {string} base
   */
  function addresses(page, selector, base) {
    const found = [...page.querySelectorAll(selector)];
    return found.map(
      (each) => new URL(each.getAttribute("src") ?? each.getAttribute("href") ?? "", base).href,
    );
  }

  /**
   * @param {Document} page
   * @param {string} base
   */
  function frameOf(page, base) {
    const policy = page.querySelector(POLICY)?.getAttribute("content");
    return [policy, ...addresses(page, "script[src]:not([data-mounts], [data-loaded])", base)].join("\n");
  }

  /** @param {string} address */
  function isOtherBuild(address) {
    const [path, version = ""] = address.split("?");
    return (loaded.get(path) ?? version) !== version;
  }

  /** @param {string} address */
  function learn(address) {
    const [path, version = ""] = address.split("?");
    loaded.set(path, version);
  }

  /** @param {string} address */
  function loadScript(address) {
    return loaded.has(address.split("?")[0])
      ? null
      : loadPart(dom.make("script", { src: address, async: false }), address);
  }

  /**
   * Counts as soon as the page is shown.
   * @param {string} address
   */
  function loadStyle(address) {
    if (styled.has(address)) return null;
    const link = dom.make("link", { rel: "stylesheet", href: address, media: "not all" });
    styled.set(address, link);
    return loadPart(link, address);
  }

  /**
   * @param {HTMLElement} element
   * @param {string} address
   */
  function loadPart(element, address) {
    element.dataset.loaded = "";
    document.head.append(element);
    return new Promise((resolve, reject) => {
      element.onload = () => resolve(learn(address));
      element.onerror = () => {
        element.remove();
        styled.delete(address);
        reject(new Error(`${address} is not there`));
      };
    });
  }

  /**
   * The page at an address, ready to be shown; an error, if it cannot come in this one's place.
   * @param {URL} url
   * @param {AbortSignal} signal
   * @returns {Promise<FoundPage>}
   */
  async function fetchPage(url, signal) {
    const response = await fetch(url.href.split("#")[0], { headers: { accept: "text/html" }, signal });
    const base = new URL(response.url || url.href);
    const isPage = response.headers.get("content-type")?.includes("text/html");
    if (!response.ok || !isPage || !isOurs(base)) throw new Error("not a page of the site");
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    base.hash = url.hash;
    const [scripts, styles] = ["script[src]", STYLES].map((each) => addresses(page, each, base.href));
    // A page that leads on to another one by what its address asks for is none to be shown.
    const isForwarding = base.search && page.querySelector("head script[data-to]");
    const isSame = frameOf(page, base.href) === frame && ![...scripts, ...styles].some(isOtherBuild);
    if (!page.querySelector("main") || !isSame || isForwarding) throw new Error("not of this build");
    await Promise.all([...scripts.map(loadScript), ...styles.map(loadStyle)]);
    return { page, address: base, scripts, styles };
  }

  // ---- a page in the place of another

  /** @param {Element} element */
  function isStaying(element) {
    return element.matches(`${STAYS}, ${FURNITURE}`) || element.querySelector(STAYS) !== null;
  }

  /**
   * @param {Element} element
   * @param {Element} fresh
   * @param {string[]} names
   */
  function copyAttributes(element, fresh, names) {
    for (const name of names) {
      const value = fresh.getAttribute(name);
      if (value === null) element.removeAttribute(name);
      else element.setAttribute(name, value);
    }
  }

  /**
   * Puts what a page has in an element in the place of what is there; what stays is not even moved.
   * @param {Element} element
   * @param {Element} fresh
   */
  function graft(element, fresh) {
    const staying = [...element.children].filter(isStaying);
    for (const child of [...element.childNodes]) {
      if (!staying.some((each) => each === child)) child.remove();
    }
    for (const child of [...fresh.childNodes]) {
      if (!(child instanceof Element && isStaying(child))) element.insertBefore(child, staying[0] ?? null);
      else {
        // Scripts have brought in more than the page itself has.
        const place = staying.findIndex((each) => each.matches(FURNITURE) === child.matches(FURNITURE));
        const [same] = staying.splice(place, place < 0 ? 0 : 1);
        if (same && !same.matches(STAYS)) {
          copyAttributes(same, child, ["lang", "dir", "class"]);
          graft(same, child);
        }
      }
    }
    // Around what scripts have put there, nothing of the page before is left.
    for (const rest of staying) if (!rest.matches(STAYS)) graft(rest, dom.make("div"));
  }

  /**
   * @param {FoundPage} found
   * @param {VisitKind} kind
   */
  function show({ page, address, scripts, styles }, kind) {
    places.set(index, window.scrollY);
    followed.set(index, document.activeElement?.closest("main a")?.getAttribute("href") ?? "");
    history.scrollRestoration = "manual"; // the browser would do it before the page is there
    gallery.page.leave();
    // Pictures and links are sought from the address.
    visit = kind === "pop" ? (history.state?.visit ?? visit) : `${performance.timeOrigin} ${++visits}`;
    if (kind === "pop") index = history.state?.index ?? index;
    else if (kind === "push") places.delete(++index);
    const state = { visit, index };
    if (kind === "push") history.pushState(state, "", address);
    else history.replaceState(state, "", address);

    // The browser's own players stand there only where there are no scripts.
    for (const element of page.querySelectorAll("noscript")) element.remove();
    for (const element of document.head.querySelectorAll(OWN_HEAD)) element.remove();
    document.head.append(...page.head.querySelectorAll(OWN_HEAD));
    for (const [address, link] of styled) {
      if (styles.includes(address)) link.removeAttribute("media");
      else {
        link.remove();
        styled.delete(address);
      }
    }
    copyAttributes(document.documentElement, page.documentElement, ["lang", "dir", "data-root"]);
    copyAttributes(document.body, page.body, ["class", "lang", "dir"]);
    graft(document.body, page.body);
    gallery.page.enter(scripts);
    arrive(kind);
  }

  // ---- where a visitor stands

  /** @param {string} hash */
  function hashOf(hash) {
    try {
      return decodeURIComponent(hash.slice(1));
    } catch {
      return "";
    }
  }

  /** @param {VisitKind} kind */
  function arrive(kind) {
    const main = /** @type {HTMLElement} */ (document.querySelector("main"));
    const target = document.getElementById(hashOf(location.hash));
    if (kind === "pop") scrollBack();
    else if (target) target.scrollIntoView();
    else window.scrollTo(0, 0);
    said.textContent = document.title;
    // A script may have chosen a field.
    if (main.contains(document.activeElement)) return;
    const link = kind === "pop" && followed.get(index);
    const before = link ? main.querySelector(`a[href="${CSS.escape(link)}"]`) : null;
    const goal = /** @type {HTMLElement} */ (
      before ?? target ?? main.querySelector("h1:not(.unseen)") ?? main
    );
    if (goal.tabIndex < 0) goal.tabIndex = -1; // so that it takes the focus
    goal.focus({ preventScroll: true });
  }

  function scrollBack() {
    const place = places.get(index) ?? 0;
    window.scrollTo(0, place);
    if (Math.abs(window.scrollY - place) < 2) return;
    // Lists that scripts draw come a little later.
    const again = () => window.scrollTo(0, place);
    const mine = turn;
    const stop = new AbortController();
    document.addEventListener("rows:drawn", () => mine === turn && again(), { signal: stop.signal });
    for (const kind of ["wheel", "touchstart", "keydown", "pointerdown"]) {
      window.addEventListener(kind, () => stop.abort(), { once: true, passive: true });
    }
    setTimeout(() => stop.abort(), 2000);
  }

  // ---- going to a page

  /** @param {VisitKind} kind */
  function mayLeave(kind = "push") {
    return document.dispatchEvent(new CustomEvent("page:leave", { cancelable: true, detail: kind }));
  }

  /**
   * @param {URL} url
   * @param {VisitKind} kind
   */
  async function go(url, kind) {
    const mine = ++turn;
    const waiting = new AbortController();
    const timer = setTimeout(() => waiting.abort(), LONGEST);
    const main = document.querySelector("main");
    main?.setAttribute("aria-busy", "true");
    const found = await fetchPage(url, waiting.signal).catch(() => null);
    clearTimeout(timer);
    if (mine !== turn) return;
    main?.removeAttribute("aria-busy");
    if (found) show(found, kind);
    else load(url, kind);
  }

  gallery.visit = (address, { replace = false } = {}) => {
    const url = new URL(address, document.baseURI);
    const kind = replace || url.href === location.href ? "replace" : "push";
    if (isHere(url) && url.hash) location.hash = url.hash;
    // What would be lost is asked about by the browser.
    else if (isOurs(url) && mayLeave()) go(url, kind);
    else load(url, kind);
  };

  gallery.push = (address) => {
    places.set(index, window.scrollY);
    places.delete(++index);
    history.pushState({ visit, index }, "", address);
  };

  if (!isServed) return;

  const said = dom.make("p", { className: "unseen", role: "status" });
  said.dataset.stays = "";
  document.body.append(said);
  history.replaceState({ ...history.state, visit, index }, "");
  const base = document.baseURI;
  frame = frameOf(document, base);
  for (const address of addresses(document, `script[src], ${STYLES}`, base)) learn(address);
  /** @type {NodeListOf<HTMLLinkElement>} */
  const links = document.querySelectorAll(STYLES);
  for (const link of links) styled.set(link.href, link);
  window.addEventListener("pagehide", () => {
    history.scrollRestoration = "auto"; // of a page that is loaded anew, the browser knows more
  });

  // ---- links, forms, and the ways back

  // After all others: what they take is theirs.
  window.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    /** @type {HTMLAnchorElement | null} */
    const link = /** @type {Element} */ (event.target).closest("a[href]");
    if (!link || link.hasAttribute("download") || !/^(_self)?$/.test(link.target)) return;
    const url = new URL(link.href);
    if (!isOurs(url) || (isHere(url) && link.href.includes("#")) || !mayLeave()) return;
    event.preventDefault();
    go(url, url.href === location.href ? "replace" : "push");
  });

  window.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (event.defaultPrevented || form.method !== "get" || form.target) return;
    const url = new URL(form.action);
    const texts = [...new FormData(form)].map(([name, value]) => [name, String(value)]);
    url.search = new URLSearchParams(texts).toString();
    if (!isOurs(url) || !mayLeave()) return;
    event.preventDefault();
    go(url, "push");
  });

  /** A place within the page was chosen by a link: an entry of the history that nobody has marked. */
  function mark() {
    if (history.state) return;
    places.delete(++index);
    history.replaceState({ visit, index }, "");
  }
  window.addEventListener("hashchange", mark);

  window.addEventListener("popstate", (event) => {
    const { state } = event;
    if (!state) return mark();
    if (state.visit === visit) {
      turn++; // whatever was on its way, this page is wanted
      document.querySelector("main")?.removeAttribute("aria-busy");
      index = state.index;
      if (history.scrollRestoration === "manual") setTimeout(scrollBack);
      return;
    }
    event.stopImmediatePropagation(); // the scripts of the page have nothing to do with it
    if (!mayLeave("pop")) history.go(index - state.index);
    else go(new URL(location.href), "pop");
  });

  // Going back tells only afterwards that a page was left.
  window.addEventListener("scroll", () => places.set(index, window.scrollY), { passive: true });
})();
