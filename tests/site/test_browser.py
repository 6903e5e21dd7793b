"""The site as visitors meet it: in a browser, from disk and from a server, with and without scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gallery.state.tool import packaged
from support.entries_catalogue import write_entries
from support.sample_site import make_config, make_files
from support.site_fixtures import PLAYED, follow, shown, until

pytest_plugins = ["support.site_fixtures"]

KINDS = {
    "front": "index.html",
    "list": "prompts/index.html",
    "second list": "page/2/index.html",
    "single": "prompts/lofi/rainy/index.html",
    "strip": "prompts/compare/strip/index.html",
    "matrix": "prompts/compare/matrix/index.html",
    "cube": "prompts/compare/cube/index.html",
    "words": "prompts/compare/words/index.html",
    "sketch": "prompts/sound/sketched/index.html",
    "pending": "prompts/sound/waiting/index.html",
    "hostile": "prompts/words/hostile/index.html",
    "tags": "tags/index.html",
    "tag": "tags/compare/index.html",
    "models": "models/index.html",
    "model": "models/small/index.html",
    "authors": "authors/index.html",
    "folders": "folders/index.html",
    "folder": "folders/compare/index.html",
    "side by side": "compare/index.html",
    "favourites": "favourites/index.html",
    "add": "add/index.html",
}


@pytest.mark.parametrize("from_disk", [True, False])
def test_pages_are_quiet_and_ask_nobody_else(
    from_disk: bool, site: Path, served: str, open_page: Any
) -> None:
    root = site.as_uri() if from_disk else served
    page, seen = open_page("about:blank", requests=True)
    for kind in KINDS.values():
        seen.requests.clear()
        page.goto(f"{root}/{kind}")
        page.wait_for_load_state("networkidle")
        assert f"{root}/{kind}" in seen.requests
        assert {urlsplit(url)[:2] for url in seen.requests} == {urlsplit(root)[:2]}, kind
        assert not seen.audio, kind
        assert not seen.complaints, kind
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), kind
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 241, 231)", kind


def test_missing_pages_work_at_any_depth(site: Any, open_page: Any) -> None:
    # With base_url, the 404 page leads to the site's own path on its server.
    page, _seen = open_page("about:blank")
    root = site.parent
    page.route("https://octocat.github.io/**", lambda route: route.fulfill(
        path=root / urlsplit(route.request.url).path[1:]
        if (root / urlsplit(route.request.url).path[1:]).is_file()
        else site / "404.html"
    ))  # fmt: skip
    page.goto("https://octocat.github.io/gallery/no/such/page")
    assert page.evaluate("document.styleSheets.length") == 1
    follow(page, "text=All prompts")
    assert len(shown(page)) == 10


def test_without_scripts(address: str, entries: Any, open_page: Any) -> None:
    page, _ = open_page(f"{address}/prompts/index.html", java_script_enabled=False)
    assert (
        page.locator(".row").count() == 10 and page.locator(".row audio[controls][preload=none]").count() == 9
    )
    assert not page.is_visible(".dock") and not page.is_visible(".row .play >> nth=0")
    page.click(".filters summary >> nth=0")
    page.click("[data-filter=tag] a >> text=lofi")
    assert page.locator(".row").count() == 2
    page.goto(f"{address}/prompts/compare/matrix/index.html")
    assert page.locator("audio").count() == 6
    page.click(".request > summary >> nth=1")
    assert page.locator(".request table:visible").count() == 2


@pytest.mark.parametrize("path", ["japanese", "arabic", "emoji", "long", "unbroken", "hostile"])
def test_any_words_fit_a_small_phone(path: str, address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/prompts/words/{path}/index.html", width=360, height=780)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.click(".single .play")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    if path == "arabic":
        assert page.evaluate("getComputedStyle(document.querySelector('[data-quote]')).direction") == "rtl"


@pytest.mark.parametrize(
    "page_name",
    [
        "index.html",
        "prompts/index.html",
        "page/2/index.html",
        "prompts/compare/matrix/index.html",
        "tags/index.html",
        "add/index.html",
    ],
)
def test_lists_and_grids_fit_a_small_phone(page_name: str, address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/{page_name}", width=360, height=780)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_targets_are_large_enough(address: str, open_page: Any) -> None:
    for name in ("index.html", "prompts/index.html", "prompts/compare/matrix/index.html", "add/index.html"):
        page, _ = open_page(f"{address}/{name}", width=390, height=844)
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        small = page.eval_on_selector_all(
            "button, select, .filters label, summary, .filters a, .ways a, .pager a, .tag, .request-links a",
            """all => all.filter(each => each.offsetParent)
                 .map(each => [each.outerHTML.slice(0, 80), each.getBoundingClientRect()])
                 .filter(([, box]) => box.height < 23.9 || box.width < 23.9).map(([html]) => html)""",
        )
        assert not small, small


def test_colours_are_chosen_and_remembered(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/prompts/index.html", color_scheme="dark")
    colour = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(colour) == "rgb(20, 17, 15)"
    page.click("[data-theme-switch]")
    assert page.evaluate(colour) == "rgb(246, 241, 231)"
    page.goto(f"{address}/tags/index.html")
    assert page.evaluate(colour) == "rgb(246, 241, 231)"


@pytest.mark.parametrize(("width", "height"), [(1360, 940), (390, 844)])
def test_nothing_moves_while_the_page_loads(
    width: int, height: int, served: str, entries: Any, open_page: Any
) -> None:
    page, _ = open_page("about:blank", width, height)
    page.add_init_script(
        """window.moved = 0; new PerformanceObserver(list => list.getEntries().forEach(entry => {
             window.moved += entry.value; })).observe({type: "layout-shift", buffered: true});"""
    )
    prompts = [f"prompts/{path}index.html" for path in ("", "compare/strip/", "lofi/rainy/")]
    keys = [clip["key"] for clip in entries[2]["clips"]]
    for name in ("index.html", *prompts, f"compare/index.html?a={keys[0]}&b={keys[1]}"):
        page.goto(f"{served}/{name}")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.moved") < 0.02, name


def test_everything_can_be_reached_by_keyboard(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/compare/strip/index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.className || document.activeElement.tagName"))
        if "tile" in reached:
            break
    page.keyboard.press("Enter")
    until(page, PLAYED % 0.05)


def test_words_can_be_copied(served: str, open_page: Any) -> None:
    page, _ = open_page(
        f"{served}/prompts/lofi/rainy/index.html", permissions=["clipboard-read", "clipboard-write"]
    )
    page.click("[data-copy-prompt]")
    page.wait_for_selector("text=copied")
    assert page.evaluate("navigator.clipboard.readText()") == "lofi piano, rain on the window"


def test_less_motion_is_respected(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/index.html", reduced_motion="reduce")
    page.click(".row >> nth=0 >> .play")
    assert page.evaluate("getComputedStyle(document.querySelector('.dock')).animationName") == "none"


# What a gallery may have among its own scripts.
OWN_SCRIPT = """document.addEventListener("kept", ({ detail }) => {
  document.body.dataset.kept = `${detail}: ${window.gallery.keep.list(detail).length}`;
});"""


def test_scripts_answer_to_their_former_names(entries: Any, media: Any, tmp_path: Path, watch: Any) -> None:
    loads = (packaged("templates") / "parts/loads.html").read_text()
    former = loads.replace('"storage"', '"keep"').replace('"actions"', '"hands"')
    assert former.count("keep") == former.count("hands") == 1
    for name, text in {
        "parts/loads.html": former + '<script defer src="{{ asset("own.js") }}"></script>\n',
        "assets/own.js": OWN_SCRIPT,
    }.items():
        path = tmp_path / "templates" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    write_entries(entries, make_files(entries, media), make_config(tmp_path), tmp_path / "site")
    page, _ = watch(f"{(tmp_path / 'site').as_uri()}/prompts/index.html")
    page.click(".row >> nth=0 >> .play")
    until(page, PLAYED % 0.1)
    page.keyboard.press("f")
    until(page, "document.body.dataset.kept === 'favourites: 1'")
    assert not [path for path in tmp_path.glob("site/assets/*.js") if path.stem in ("keep", "hands")]
