"""What the pages say, read as files."""

from __future__ import annotations

import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest

from gallery.site.theme import notes
from gallery.state.tool import packaged
from support.entries_catalogue import write_entries
from support.sample_site import HOSTILE_NOTES, entry, make_config, make_files

pytest_plugins = ["support.site_fixtures"]

ATOM = "{http://www.w3.org/2005/Atom}"


class Reader(HTMLParser):
    """A page's ids, tags and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.append((name, value or ""))
            if name == "id":
                self.ids.append(value)


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def test_pages_are_well_made(site: Path) -> None:
    for page in pages(site):
        text = page.read_text()
        reader = Reader(text)
        assert len(reader.ids) == len(set(reader.ids)), page
        assert reader.tags.count("h1") == 1 and reader.tags.count("main") == 1, page
        assert re.search(r"<title[^>]*>.+</title>", text) and 'http-equiv="Content-Security-Policy"' in text
        levels = [int(tag[1]) for tag in reader.tags if re.fullmatch("h[1-6]", tag)]
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), (
            page,
            levels,
        )
        assert not [name for name, _ in reader.attributes if name.startswith("on") or name == "style"], page
        # No script but from a file; what is only data is no script.
        assert not re.search(r"<script(?![^>]*\b(src=|type=\"application/ld\+json\"))", text), page


def test_the_front_page_is_light(site: Path, media: Any, tmp_path: Path) -> None:
    import gzip

    many = [
        entry(f"p/{n}", f"prompt number {n} with a few more words, 90 bpm", tags=["lofi", f"t{n % 9}"])
        for n in range(60)
    ]
    write_entries(many, {}, make_config(tmp_path, page_size=60), tmp_path / "site")
    names = [
        "prompts/index.html",
        "assets/site.css",
        *(f"assets/{name}.js" for name in ("theme", "storage", "clips", "deck", "player", "actions")),
        *(f"assets/{name}.js" for name in ("search", "rows", "finder")),
        "search/0.js",
    ]
    assert sum(len(gzip.compress((tmp_path / "site" / name).read_bytes())) for name in names) < 60_000


def test_lists_are_newest_first_and_paged(site: Path) -> None:
    first, second = (site / "prompts/index.html").read_text(), (site / "page/2/index.html").read_text()
    assert (
        first.index("prompts/lofi/rainy/")
        < first.index("prompts/lofi/dry/")
        < first.index("prompts/compare/strip/")
    )
    assert "prompts/words/emoji/" in second  # undated ones come last
    assert 'rel="next"' in first and 'rel="prev"' in second


def test_tags_that_look_alike_have_pages_of_their_own(entries: Any, tmp_path: Path) -> None:
    write_entries(entries, {}, make_config(tmp_path, tag_pages=1), tmp_path / "site")
    assert "lofi piano, no rain" in (tmp_path / "site/tags/r-b/index.html").read_text()
    other = next((tmp_path / "site/tags").glob("r-b~*/index.html")).read_text()
    assert "rain on the window" in other and "no rain" not in other


def test_authors_are_the_same_in_any_case(site: Path) -> None:
    assert {page.parent.name for page in (site / "authors").glob("*/index.html")} == {"octocat", "evil"}
    assert "2 prompts" in (site / "authors/octocat/index.html").read_text()


def test_a_prompts_page_says_everything(site: Path, entries: Any) -> None:
    page = (site / "prompts/lofi/rainy/index.html").read_text()
    clip = entries[0]["clips"][0]
    for text in (
        "Rainy window", "lofi piano, rain on the window", "<em>rain</em>", f'id="{clip["id"]}"',
        "CC0-1.0", "2026-11-20", "Heard next to it", "https://github.com/octocat",
        "https://github.com/o/g/blob/main/prompts/lofi/rainy.md",
        "<ins>no </ins>", "<del> on the window</del>", "guidance 5", "−18.5 LUFS", "1.3.0",
        f'<meta property="og:audio" content="https://octocat.github.io/gallery/audio/{clip["key"]}.mp3">',
        '<link rel="canonical" href="https://octocat.github.io/gallery/prompts/lofi/rainy/index.html">',
    ):  # fmt: skip
        assert text in page, text


def test_parameters_that_cannot_matter_are_marked(site: Path, entries: Any) -> None:
    page = (site / "prompts/compare/matrix/index.html").read_text()
    greedy = next(item for item in entries if item["path"] == "compare/matrix")["clips"][0]
    panel = page[page.index(f'data-for="{greedy["id"]}"') :].split("</details>")[0]
    inert = re.findall(r'<tr class="inert"><th[^>]*>(?:<a [^>]*>)?([^<]+)<', panel)
    assert inert == ["seed", "top-k", "top-p"]


def test_grids_are_tables_with_heads(site: Path, entries: Any) -> None:
    page = (site / "prompts/compare/matrix/index.html").read_text()
    assert page.count('<th scope="col">') == 3 and page.count('<th scope="row"><i>temperature') == 2
    # Temperature 0 heeds no seed: three cells, one clip, one fragment.
    greedy = next(item for item in entries if item["path"] == "compare/matrix")["clips"][0]
    assert page.count(f'<td id="{greedy["id"]}">') == 1
    assert page.count(f'data-clip="{greedy["key"]}"') == 3
    cube = (site / "prompts/compare/cube/index.html").read_text()
    assert cube.count('<table class="matrix"') == 2 and "<b>seed 2</b>" in cube


def test_sketches_say_so_everywhere(site: Path) -> None:
    row = re.compile(r'<article class="row"[^>]*data-state="sketch".*?</article>', re.DOTALL)
    lists = [
        site / "prompts/index.html",
        site / "page/2/index.html",
        site / "models/small/index.html",
    ]
    shown = [found for page in lists for found in row.findall(page.read_text())]
    assert len(shown) >= 2 and all(">sketch</span>" in found for found in shown)
    page = (site / "prompts/sound/sketched/index.html").read_text()
    assert ">sketch</span>" in page and "not made by MusicGen" in page and "How the sketch was made" in page
    assert "not rendered yet" in (site / "prompts/sound/waiting/index.html").read_text()


def test_hostile_words_stay_words(site: Path) -> None:
    for page in pages(site):
        reader = Reader(page.read_text())
        assert "iframe" not in reader.tags
        for name, value in reader.attributes:
            assert name not in ("onerror", "onclick", "onload"), page
            if name in ("href", "src", "action"):
                assert urlsplit(value).scheme.lower() in ("", "http", "https", "mailto"), (page, value)
    text = (site / "prompts/words/hostile/index.html").read_text()
    assert "alert(2)&lt;/script&gt;" in text and "javascript:" not in text.lower().split("<dl")[0].replace(
        "&#34;", ""
    )


def test_notes_are_sanitised_and_stand_below_the_page() -> None:
    html = notes.to_html(HOSTILE_NOTES)
    assert "<h3>A heading</h3>" in html and "<td>1</td>" in html
    assert '<a href="https://example.com/a" rel="nofollow noopener ugc">good</a>' in html
    for bad in ("<script", "<img", "<iframe", "javascript:", "data:", "onerror", "style=", "id="):
        assert bad not in html.lower(), bad
    assert notes.to_html("###### deep") == "<h6>deep</h6>"
    assert notes.to_html(" \n") == ""


def test_feed_and_sitemap(site: Path) -> None:
    feed = ElementTree.parse(site / "feed.xml").getroot()
    found = feed.findall(f"{ATOM}entry")
    assert found[0].findtext(f"{ATOM}title") == "Rainy window"
    for each in feed.iter(f"{ATOM}link"):
        assert each.get("href", "").startswith("https://octocat.github.io/gallery/")
    enclosure = found[0].find(f"{ATOM}link[@rel='enclosure']")
    assert (
        enclosure is not None and enclosure.get("type") == "audio/mpeg" and enclosure.get("length") == "12345"
    )
    assert all(each.findtext(f"{ATOM}updated", "").startswith("2026-11-") for each in found)
    places = [
        each.text or ""
        for each in ElementTree.parse(site / "sitemap.xml").getroot().iter()
        if each.tag.endswith("loc")
    ]
    known = {f"https://octocat.github.io/gallery/{page.relative_to(site).as_posix()}" for page in pages(site)}
    assert {unquote(place) for place in places} <= known and len(places) > 20


def test_without_an_address_there_is_no_feed(entries: Any, media: Any, tmp_path: Path) -> None:
    write_entries(entries, make_files(entries, media), make_config(tmp_path), tmp_path / "site")
    assert not (tmp_path / "site/feed.xml").exists() and not (tmp_path / "site/sitemap.xml").exists()
    for page in pages(tmp_path / "site"):
        text = page.read_text()
        assert 'rel="alternate"' not in text and "canonical" not in text and "og:audio" not in text


def test_control_characters_break_no_feed(tmp_path: Path) -> None:
    odd = entry("odd", "a\x00b\x0b & <c> \ufffe", title="t\x01", tags=["x\x02"])
    write_entries(
        [odd],
        {},
        make_config(tmp_path, base_url="https://example.org/"),
        tmp_path / "site",
    )
    assert ElementTree.parse(tmp_path / "site/feed.xml").getroot().findtext(f"{ATOM}entry/{ATOM}title") == "t"


def test_previews_from_another_host_are_allowed_by_the_policy(entries: Any, tmp_path: Path) -> None:
    config = make_config(tmp_path)
    config = config.model_copy(
        update={"store": config.store.model_copy(update={"audio_url": "https://cdn.example.net/a/"})}
    )
    item = json.loads(json.dumps(entries[0]))
    item["clips"][0].update(
        audio="https://cdn.example.net/a/x.mp3", cover="https://cdn.example.net/a/x.webp", kin=[]
    )
    write_entries([item], {}, config, tmp_path / "site")
    text = (tmp_path / "site/prompts/index.html").read_text()
    assert re.search(r"media-src [^;]*https://cdn\.example\.net;", text) and re.search(
        r"img-src [^;]*https://cdn\.example\.net", text
    )
    assert 'src="https://cdn.example.net/a/x.mp3"' in text
    assert "https://cdn.example.net/a/x.mp3" in (tmp_path / "site/search/0.js").read_text()


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1])
def test_contrasts_hold(theme: int) -> None:
    css = (packaged("templates") / "assets/site.css").read_text()
    colours = {
        name: pair[theme]
        for name, *pair in re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", css)
    }
    assert len(colours) == 9
    pairs = [
        (text, ground, 4.5)
        for text in ("ink", "soft", "faint", "ember", "hot")
        for ground in ("paper", "raised")
    ]
    for text, ground, least in [*pairs, ("on-ember", "ember", 4.5)]:
        light, dark = sorted((_luminance(colours[text]), _luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= least, (text, ground, (light + 0.05) / (dark + 0.05))
