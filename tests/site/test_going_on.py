"""Sound that goes on: pages come in place of one another, and the dock comes back where they cannot."""

from __future__ import annotations

import functools
import http.server
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from gallery.state.tool import packaged
from support.entries_catalogue import write_entries
from support.sample_site import clip, entry, make_config, make_files, sample_entries
from support.site_fixtures import PLAYED, arrived, follow, serving, until

pytest_plugins = ["support.site_fixtures"]

MINUTE = "a minute of rain"
PAGE = "prompts/long/minute/index.html"

# Looks at what is heard as often as the browser can, and keeps what it should not see: silence, or a second
# that was heard before.
GOING_ON = """
window.fallen = [];
window.watchGoingOn = () => {
  let last = 0;
  setInterval(() => {
    const at = played.currentTime;
    if (played.paused || at < last) fallen.push([last, at, played.paused, location.href]);
    last = at;
  }, 3);
};
"""

# How many listeners the document and the window have.
LISTENERS = """
window.listeners = 0;
for (const target of [window, document]) {
  const add = target.addEventListener;
  target.addEventListener = (kind, listener, options) => {
    window.listeners++;
    options?.signal?.addEventListener("abort", () => window.listeners--);
    add.call(target, kind, listener, options);
  };
}
"""

# What a visitor sees and hears of a page, but for its bars and for what is drawn by chance.
SEEN = """() => {
  const main = document.querySelector("main").cloneNode(true);
  for (const each of main.querySelectorAll("noscript, script")) each.remove();
  main.removeAttribute("aria-busy");
  main.querySelector("h1[tabindex]")?.removeAttribute("tabindex");
  const told = selector => [...document.querySelectorAll(selector)].map(each => each.content ?? each.href ?? each.textContent);
  return {
    main: main.outerHTML.replace(/prompt-[0-9a-f]{6}/g, ""),
    header: document.querySelector(".top").textContent + told(".top a[aria-current]"),
    footer: document.querySelector(".about").textContent,
    lang: document.documentElement.lang,
    root: document.documentElement.dataset.root,
    head: [...told("title, head meta[name], head meta[property], link[rel=canonical], link[rel=alternate]")].sort(),
    styles: [...document.styleSheets].filter(sheet => !sheet.media.mediaText).map(sheet => sheet.href).sort(),
  };
}"""  # noqa: E501


@pytest.fixture(scope="session")
def long_site(tmp_path_factory: pytest.TempPathFactory, config: Any, media: dict[float, Path]) -> Path:
    """The sample site, and a clip of a minute. Nobody changes it."""
    output = tmp_path_factory.mktemp("long") / "gallery"
    minute = output.parent / "minute.mp3"
    loop = [
        get_ffmpeg_exe(),
        "-loglevel",
        "error",
        "-stream_loop",
        "9",
        "-i",
        media[6.0],
        "-c",
        "copy",
        minute,
    ]
    subprocess.run(loop, check=True)
    entries = [*sample_entries(), entry("long/minute", MINUTE, [clip(MINUTE, length=60.0)])]
    write_entries(entries, make_files(entries, {**media, 60.0: minute}), config, output)
    return output


@pytest.fixture(scope="session")
def long_served(long_site: Path) -> Iterator[str]:
    with serving(long_site) as address:
        yield address


def go(page: Any, address: str) -> None:
    """To any page, as a link does."""
    page.evaluate("address => { window.same = true; gallery.visit(address); }", address)
    arrived(page, address)
    assert page.evaluate("window.same") is True, address


# ---- pages in place of one another


def test_sound_goes_on_through_ten_links_back_and_forth(long_served: str, watch: Any) -> None:
    page, _ = watch(f"{long_served}/{PAGE}", GOING_ON)
    page.evaluate("window.same = true")
    page.click(".single .play")
    until(page, PLAYED % 0.2)
    page.evaluate("watchGoingOn()")
    for way in (
        ".ways a >> nth=1", ".row-prompt a", ".ways a >> nth=0", ".shelves-all .under a",
            ".shelves a >> nth=0",
        ".ways a >> nth=2", "main li a", ".ways a >> nth=3", ".crumbs a", ".shelves a >> nth=1",
    ):  # fmt: skip
        follow(page, way)
    for step in [*[-1] * 5, *[1] * 3]:
        before = page.url
        page.evaluate("step => history.go(step)", step)
        until(page, f"location.href !== {before!r} && !document.querySelector('[aria-busy]')")
    assert page.evaluate("same") is True
    assert page.evaluate("fallen") == []
    assert page.inner_text("[data-dock-name]") == MINUTE
    # Back where it plays, that is seen.
    page.evaluate("address => gallery.visit(address)", f"{long_served}/{PAGE}")
    until(page, "document.querySelector('.single.is-playing')")
    assert page.get_attribute(".single .play", "aria-label").startswith("Pause")


def test_a_page_that_comes_is_the_page_that_is_loaded(long_served: str, open_page: Any) -> None:
    page, _ = open_page(f"{long_served}/{PAGE}")
    paths = [
        "index.html", "prompts/index.html?q=lofi", "prompts/compare/strip/index.html",
        "prompts/compare/matrix/index.html", "prompts/compare/words/index.html", "add/index.html",
        "hear/index.html", "compare/index.html", "favourites/index.html", "tags/index.html",
        "prompts/words/japanese/index.html", "guides/index.html", "guides/en/guidance/index.html",
    ]  # fmt: skip
    come = {}
    for _ in range(2):  # what was mounted once is mounted again
        for path in paths:
            go(page, f"{long_served}/{path}")
            page.wait_for_load_state("networkidle")
            come[path] = page.evaluate(SEEN)
    for path in paths:
        page.goto(f"{long_served}/{path}")
        page.wait_for_load_state("networkidle")
        assert come[path] == page.evaluate(SEEN), path


def test_what_scripts_do_on_a_page_ends_with_it(long_served: str, open_page: Any) -> None:
    page, _ = open_page("about:blank")
    page.add_init_script(LISTENERS)
    page.goto(f"{long_served}/{PAGE}")
    page.wait_for_load_state("networkidle")
    before = page.evaluate("listeners")
    for path in (
        "index.html", "prompts/index.html", "prompts/compare/matrix/index.html", "add/index.html",
        "prompts/compare/words/index.html", "hear/index.html", "compare/index.html", "favourites/index.html",
        PAGE,
    ):  # fmt: skip
        go(page, f"{long_served}/{path}")
    assert page.evaluate("listeners") == before


def test_a_visitor_arrives_and_comes_back(long_served: str, open_page: Any) -> None:
    page, _ = open_page(f"{long_served}/prompts/index.html")
    page.evaluate("window.scrollTo(0, 700)")
    row = page.locator(".row-prompt a", has_text="boogie")
    row.scroll_into_view_if_needed()
    page.wait_for_timeout(50)
    before = page.evaluate("scrollY")
    assert before > 100
    row.click()
    until(page, "document.title.startsWith('Boogie matrix')")
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("document.activeElement.closest('main') !== null")
    assert page.inner_text("[role=status].unseen >> nth=-1").startswith("Boogie matrix")
    page.go_back()
    until(page, "document.title.startsWith('Catalogue')")
    until(page, f"Math.abs(scrollY - {before}) < 3")
    assert page.evaluate("document.activeElement.textContent") == "boogie"
    # A place within a page.
    page.evaluate(
        "address => gallery.visit(address)", f"{long_served}/guides/en/guidance/index.html#in-short"
    )
    until(page, "document.querySelector(':target, #in-short') !== null")
    page.go_back()
    until(page, f"document.title.startsWith('Catalogue') && Math.abs(scrollY - {before}) < 3")


def test_a_search_comes_like_a_link(long_served: str, open_page: Any) -> None:
    page, _ = open_page(f"{long_served}/tags/index.html")
    page.evaluate("window.same = true")
    page.fill("#find", "lofi")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-found] .row")
    assert page.url.endswith("/prompts/index.html?q=lofi") and page.evaluate("same")
    # Its filters are steps of their own, and so is the page before.
    page.check("[data-filter=model] input >> nth=0")
    until(page, "location.search.includes('model=')")
    page.go_back()
    until(page, "location.search === '?q=lofi'")
    page.go_back()
    until(page, "location.pathname.endsWith('/tags/index.html') && document.querySelector('.names')")
    page.go_forward()
    page.wait_for_selector("[data-found] .row")
    assert page.evaluate("same")


def test_links_that_are_none_of_ours_are_left_alone(long_served: str, open_page: Any) -> None:
    page, _ = open_page(f"{long_served}/{PAGE}")
    taken = """([selector, how]) => {
      let taken;
      window.addEventListener("click", event => { taken = event.defaultPrevented; event.preventDefault(); }, { once: true });
      document.querySelector(selector).dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ...how }));
      return taken;
    }"""  # noqa: E501
    for how in ({"ctrlKey": True}, {"metaKey": True}, {"shiftKey": True}, {"button": 1}):
        assert page.evaluate(taken, [".ways a", how]) is False, how
    for selector in ("a[href$='catalogue.json']", ".skip", "a[download]", "a[href^='https://github.com']"):
        assert page.evaluate(taken, [selector, {}]) is False, selector
    assert page.evaluate(taken, [".ways a", {}]) is True


@pytest.mark.parametrize("fault", ["gone", "another build", "another policy", "no page", "unreachable"])
def test_what_cannot_come_is_loaded(fault: str, long_served: str, open_page: Any) -> None:
    page, seen = open_page(f"{long_served}/{PAGE}")
    page.evaluate("window.same = true")
    target = f"{long_served}/tags/index.html"

    def answer(route: Any) -> None:
        if fault == "unreachable":
            return (
                route.fulfill(body="there again") if route.request.is_navigation_request() else route.abort()
            )
        response = route.fetch()
        text = response.text()
        changed = {
            "gone": "gone",
            "no page": text.replace("<main", "<div").replace("</main", "</div"),
            "another build": text.replace("player.js?v=", "player.js?v=0"),
            "another policy": text.replace("connect-src 'self'", "connect-src 'none'"),
        }[fault]
        return route.fulfill(response=response, status=404 if fault == "gone" else 200, body=changed)

    page.route(target, answer)
    with page.expect_navigation(url=target):
        page.evaluate("address => gallery.visit(address)", target)
    assert page.evaluate("window.same") is None
    seen.complaints.clear()


def test_copies_of_earlier_parts_work_as_before(
    entries: Any, media: Any, tmp_path: Path, open_page: Any
) -> None:
    folder = tmp_path / "templates/parts"
    folder.mkdir(parents=True)
    stays = " data-stays"
    for name, later in {"loads": r' data-later="[^>]*"(?={%)', "dock": stays, "sprites": stays}.items():
        former, changes = re.subn(later, "", (packaged("templates") / f"parts/{name}.html").read_text())
        assert changes, name
        (folder / f"{name}.html").write_text(former)
    site = tmp_path / "gallery"
    write_entries(entries, make_files(entries, media), make_config(tmp_path), site)
    with serving(site) as served:
        page, _ = open_page(f"{served}/prompts/lofi/rainy/index.html")
        page.evaluate("window.same = true")
        page.click("[data-copy-prompt]")
        page.wait_for_selector("[data-copy-prompt].is-done")
        page.click(".single .play")
        until(page, "document.querySelector('[data-wave]').getAttribute('d').length > 3000")
        with page.expect_navigation():
            page.click(".ways a >> nth=1")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.same") is None and page.is_visible(".dock.is-playing")


def test_a_blind_test_is_not_left_unasked(long_served: str, entries: Any, watch: Any) -> None:
    a, b = (each["key"] for each in entries[2]["clips"][:2])
    page, seen = watch(f"{long_served}/prompts/index.html")
    go(page, f"{long_served}/compare/index.html?a={a}&b={b}")
    page.click("[data-begin]")
    for letter in "abx":
        page.click(f"[data-listen={letter}]")
        until(page, f"document.querySelector('[data-listen={letter}]').matches('.is-heard')")
    page.click("[data-guess=a]")
    page.evaluate("history.back()")
    page.wait_for_selector("dialog[open] >> text=Leave")
    assert page.url.endswith(f"?a={a}&b={b}") and not seen.complaints
    page.keyboard.press("Escape")
    page.locator(".ways a >> nth=0").click(no_wait_after=True)  # the browser asks, and nobody agrees
    while not seen.complaints:
        page.wait_for_timeout(20)
    until(page, "document.querySelector('[data-guess]').checkVisibility()")
    assert page.url.endswith(f"?a={a}&b={b}") and len(seen.complaints) == 1
    seen.complaints.clear()


# ---- pages that are loaded


@pytest.mark.parametrize("from_disk", [True, False])
def test_the_dock_comes_back(from_disk: bool, long_site: Path, long_served: str, watch: Any) -> None:
    root = long_site.as_uri() if from_disk else long_served
    page, _ = watch(f"{root}/prompts/index.html")
    page.locator(".row", has_text=MINUTE).locator(".play").click()
    until(page, PLAYED % 0)
    page.evaluate("gallery.player.seek(20)")
    until(page, PLAYED % 20)
    page.goto(f"{root}/tags/index.html")
    until(page, PLAYED % 20)
    assert page.evaluate("played.currentTime") < 25
    assert page.inner_text("[data-dock-name]") == MINUTE
    page.click("[data-dock-play]")
    until(page, "played.paused")
    at = page.evaluate("played.currentTime")
    page.reload()
    page.wait_for_selector(".dock:visible")
    assert page.locator(".queue [data-place]").count() == 10  # and what follows
    page.wait_for_timeout(50)
    assert not page.evaluate("allAudio.some(audio => audio.src)")  # nothing is loaded before it plays
    page.keyboard.press(" ")
    until(page, PLAYED % at)
    assert page.evaluate("played.currentTime") < at + 2
    # Who comes back much later is met by silence.
    page.evaluate("() => { Date.now = () => 0; }")
    page.reload()
    page.wait_for_selector(".dock:visible")
    page.wait_for_timeout(50)
    assert page.locator(".dock.is-playing").count() == 0


def test_one_press_goes_on_where_the_browser_stops(long_served: str, watch: Any) -> None:
    refuses = """
    const play = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = function () {
      if (!window.pressed) return Promise.reject(new DOMException("press first", "NotAllowedError"));
      return play.call(this);
    };
    window.addEventListener("keydown", () => { window.pressed = true; }, { capture: true });
    """
    page, _ = watch(f"{long_served}/{PAGE}", refuses)
    page.evaluate("window.pressed = true")
    page.click(".single .play")
    until(page, PLAYED % 0)
    page.evaluate("gallery.player.seek(30)")
    until(page, PLAYED % 30)
    page.goto(f"{long_served}/tags/index.html")
    until(page, "document.querySelector('[data-said]').textContent.startsWith('Stopped by the browser')")
    assert page.inner_text("[data-time]") == "0:30" and page.locator(".dock.is-silent").count() == 0
    page.keyboard.press(" ")
    until(page, PLAYED % 30)


@pytest.mark.parametrize(
    "kept",
    [
        7, [], {"clips": 7}, {"clips": [None], "place": 0}, {"clips": [{"key": "x"}], "place": "__proto__"},
        {"clips": [{"key": "0" * 32, "state": "render", "length": 3, "audio": "javascript:a()"}], "place": 0},
    ],
)  # fmt: skip
def test_what_others_wrote_of_the_dock_is_data(kept: Any, long_served: str, open_page: Any) -> None:
    page, _ = open_page(f"{long_served}/{PAGE}")
    name = "gallery /gallery/ dock"
    page.evaluate(
        "([name, kept]) => window.addEventListener('pagehide', () => sessionStorage.setItem(name, kept))",
        [name, json.dumps(kept)],
    )
    page.reload()
    page.wait_for_load_state("networkidle")
    assert not page.is_visible(".dock")


# ---- servers that give no parts of a file


class _WithoutRanges(http.server.SimpleHTTPRequestHandler):
    """As `python -m http.server` does it."""

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def whole_served(long_site: Path) -> Iterator[str]:
    handler = functools.partial(_WithoutRanges, directory=str(long_site.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{long_site.name}"
        server.shutdown()


def test_clips_can_be_sought_in_wherever_they_come_from(whole_served: str, watch: Any) -> None:
    page, _ = watch(f"{whole_served}/{PAGE}")
    page.click(".single .play")
    until(page, PLAYED % 0.1)
    for second in (30, 31, 40):
        page.evaluate("second => gallery.player.seek(second)", second)
    until(page, PLAYED % 40)
    page.evaluate("gallery.player.seek(10)")
    until(page, "() => played.currentTime < 12 && !played.paused && played.currentTime > 10.05")
    # Takes go on from the same second.
    page.evaluate("address => gallery.visit(address)", f"{whole_served}/prompts/compare/strip/index.html")
    page.click(".tile >> nth=0")
    until(page, PLAYED % 0.6)
    page.click(".tile >> nth=2")
    until(page, "document.querySelectorAll('.tile')[2].matches('.is-playing') && played.currentTime > 0.6")


def test_a_server_that_cannot_seek_is_told(whole_served: str, watch: Any) -> None:
    page, seen = watch(f"{whole_served}/{PAGE}")
    page.click(".single .play")
    until(page, PLAYED % 0.1)
    page.route("**/*.mp3", lambda route: route.abort())
    page.evaluate("gallery.player.seek(30)")
    until(page, "document.querySelector('.dock-facts').textContent.includes('this server cannot seek')")
    assert page.evaluate("played.paused") is False
    seen.complaints.clear()


# ---- how it plays, and what follows


def test_what_is_not_as_usual_is_seen_in_the_dock(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/index.html")
    page.click(".row >> nth=0 >> .play")
    assert page.inner_text("[data-unusual]") == ""
    page.keyboard.press("s")
    page.keyboard.press("r")
    assert page.inner_text("[data-unusual]") == "speed 1.25× · repeats the list"
    for _ in range(5):
        page.keyboard.press("s")
    page.keyboard.press("r")
    assert page.inner_text("[data-unusual]") == "repeats"
    page.keyboard.press("r")
    assert page.inner_text("[data-unusual]") == ""


def test_a_stretch_is_played_over_and_over(long_served: str, watch: Any) -> None:
    page, _ = watch(f"{long_served}/{PAGE}")
    page.click(".single .play")
    page.evaluate("gallery.player.seek(10)")
    until(page, PLAYED % 10)
    page.keyboard.press("l")
    until(page, PLAYED % 10.6)
    assert page.inner_text("[data-unusual]") == "loops from 0:10"
    page.click("[popovertarget]")
    page.click("[data-loop] >> text=loop to here")
    assert page.inner_text("[data-unusual]").startswith("loops 0:10 to 0:1")
    until(page, "() => played.currentTime < 10.5")
    until(page, "() => played.currentTime > 10.6")
    until(page, "() => played.currentTime < 10.5")
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    assert page.inner_text("[data-unusual]") == "" and not page.is_visible("[data-stretch]")
    # By the hand: shift, and along the waveform.
    box = page.locator("[data-position]").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.55, middle, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    assert page.inner_text("[data-unusual]") == "loops 0:30 to 0:33"
    until(page, PLAYED % 29.9)
    page.evaluate("gallery.player.seek(32.9)")
    until(page, "() => played.currentTime < 31 && played.currentTime > 29.9")
    # It ends with the clip that it is of.
    follow(page, ".ways a >> nth=1")
    page.click(".row >> nth=0 >> .play")
    assert page.inner_text("[data-unusual]") == ""


def test_a_stretch_is_that_of_all_that_are_compared(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/compare/strip/index.html")
    page.click(".tile >> nth=0")
    page.evaluate("Object.assign(gallery.player.stretch, { from: 1, to: 1.6 })")
    until(page, PLAYED % 1.1)
    page.click(".tile >> nth=1")
    until(page, "document.querySelectorAll('.tile')[1].matches('.is-playing') && played.currentTime > 1.4")
    until(page, "played.currentTime < 1.3")
    assert page.inner_text("[data-unusual]") == "loops 0:01 to 0:02"


def queued(page: Any) -> list[str]:
    return list(page.locator(".queue [data-place]").all_inner_texts())


def test_the_queue_can_be_changed(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/index.html")
    page.click(".row >> nth=0 >> .play")
    page.click("[popovertarget]")
    [first, second, third, *rest] = queued(page)
    assert not page.is_visible(".queue [aria-current] ~ button")  # what plays stays
    page.click(".queue li >> nth=2 >> [data-hasten]")
    assert queued(page) == [first, third, second, *rest]
    assert page.evaluate("document.activeElement.textContent") == third
    page.click(".queue li >> nth=2 >> [data-remove]")
    assert queued(page) == [first, third, *rest]
    # What is put there follows the one that was, also when another list is played from.
    page.keyboard.press("Escape")
    page.locator(".row", has_text="boogie").locator("[data-enqueue]").click()
    page.click(".row >> nth=1 >> .play")
    page.click("[popovertarget]")
    assert queued(page)[:5] == [first, second, third, "boogie", third]
    page.keyboard.press("Escape")
    for name in (third, "boogie", third):
        page.keyboard.press("j")
        assert page.inner_text("[data-dock-name]") == name
    page.click("[popovertarget]")
    page.click("[data-empty]")
    assert queued(page) == [first, second, third, "boogie", third]
    assert not page.is_visible("[data-empty]")
    assert page.evaluate("document.activeElement.textContent") == third


def test_a_take_and_a_single_clip_are_put_into_it_too(served: str, watch: Any) -> None:
    page, _ = watch(f"{served}/prompts/compare/words/index.html")
    page.click(".take-row >> nth=0 >> .play")
    page.click(".take-row >> nth=1 >> [data-enqueue]")
    follow(page, ".ways a >> nth=1")
    follow(page, ".row-prompt a:has-text('church bell')")
    page.click(".single [data-enqueue]")
    page.click("[popovertarget]")
    place = page.locator(".queue [data-place]").evaluate_all("all => all.findIndex(one => one.ariaCurrent)")
    following = [name.partition(",")[0] for name in queued(page)[place:]]
    assert following[:3] == ["dusty drums", "dusty drums", "church bell"]


def test_a_queue_begins_in_silence(address: str, watch: Any) -> None:
    page, seen = watch(f"{address}/prompts/index.html", requests=True)
    page.locator(".row", has_text="boogie").locator("[data-enqueue]").click()
    assert page.is_visible(".dock") and not seen.audio
    assert page.get_attribute(".row >> nth=0 >> [data-enqueue]", "aria-label") == "Play next: Rainy window"
    page.click("[data-dock-play]")
    until(page, PLAYED % 0.1)
