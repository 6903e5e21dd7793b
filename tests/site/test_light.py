"""Pages are light: what only scripts use comes from one file, rows say nothing twice, few tags have pages."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from gallery.site.pages import pages
from gallery.state.tool import packaged
from support.galleries import SETTINGS, Gallery
from support.site_fixtures import follow, serving, until

pytest_plugins = ["support.site_fixtures"]

WORDS = "soft piano over a slow drum machine with tape hiss, late at night, recorded in a small room"
BUILD = ("build", "--engine", "sketch")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    """Three prompts with sketches. One tag has them all, and one a single prompt."""
    gallery = Gallery(tmp_path_factory.mktemp("light") / "gallery").begin()
    gallery.prompt("pop/one", f"prompt: {WORDS}, one", "duration: 1", "tags: [soft, r&b, rare]", "seed: 1")
    gallery.prompt("pop/two", f"prompt: {WORDS}, two", "duration: 1", "tags: [soft, r&b]", "seed: 2")
    gallery.prompt(
        "pop/three", "title: Three", f"prompt: {WORDS}, 3", "duration: 1", "tags: [soft]", "seed: 3"
    )
    assert gallery.run(*BUILD).code == 0
    return gallery


@pytest.fixture(scope="module")
def site(built: Gallery) -> Path:
    return built.root / "site"


def rows_of(page: Path) -> dict[str, str]:
    """The rows of a list by the prompts that they lead to."""
    rows = re.findall(r'<article class="row".*?</article>', page.read_text(), re.DOTALL)
    return {re.search(r"prompts/([\w/]+)/index\.html", row)[1]: row for row in rows}  # type: ignore[index]


# ---- bytes

# The most that a page of each kind has around its main part. It was 11 KB once.
FRAMES = {
    "404.html": 4_000,
    "tags/index.html": 3_800,
    "tags/soft/index.html": 3_900,
    "prompts/index.html": 4_000,
    "prompts/pop/one/index.html": 5_400,
}


@pytest.mark.parametrize("kind", FRAMES)
def test_a_page_has_little_around_what_it_tells(kind: str, site: Path) -> None:
    page = (site / kind).read_bytes()
    assert len(page) - (page.index(b"</main>") - page.index(b"<main")) < FRAMES[kind]
    # What only scripts use is in a file that browsers keep.
    assert b"data-dock" not in page and b"<symbol" not in page and b"data-help-dialog" not in page
    assert page.count(b"assets/furniture.js?v=") == 1


def test_scripts_and_styles_go_out_without_comments(site: Path) -> None:
    ours = packaged("templates") / "assets"
    for name in ("player.js", "site.css"):
        assert "// " in (ours / name).read_text() or "/* " in (ours / name).read_text()
        out = (site / "assets" / name).read_text()
        assert "\n  " not in out and len(out) < 0.9 * (ours / name).stat().st_size
    # What takes the comments out takes text of a template within a template for code.
    nested = re.compile(r"`[^`]*\$\{[^}`]*`")
    assert [path.name for path in ours.glob("*.js") if nested.search(path.read_text())] == []


def test_a_prompts_page_and_a_name_are_light(site: Path) -> None:
    assert (site / "prompts/pop/one/index.html").stat().st_size < 15_000
    names = (site / "tags/index.html").read_bytes()
    [listed] = re.findall(rb'<ul class="names">(.*?)</ul>', names, re.DOTALL)
    assert len(listed) < 3 * 130


def test_a_row_says_nothing_twice(site: Path) -> None:
    row = rows_of(site / "tags/soft/index.html")["pop/two"]
    assert len(row.encode()) < 1_300  # it was 2.8 KB once
    assert row.count(WORDS) == 1 and row.count("<button") == row.count("<svg") == 0
    assert row.count("../../prompts/pop/two/index.html") == 1


def test_furniture_is_one_file_and_follows_the_templates(built: Gallery, tmp_path: Path) -> None:
    script = (built.root / "site/assets/furniture.js").read_text()
    assert "data-dock" in script and "i-play" in script and "ember-dark" in script
    other = Gallery(tmp_path).begin()
    other.write("templates/parts/dock.html", "<section data-dock>ours</section>")
    other.prompt("a", "prompt: a", "duration: 1")
    assert other.run("build", "--engine", "none").code == 0
    assert "ours" in (tmp_path / "site/assets/furniture.js").read_text()
    version = re.compile(r"furniture\.js\?v=(\w+)")
    pages = [(root / "site/404.html").read_text() for root in (built.root, tmp_path)]
    assert version.findall(pages[0]) != version.findall(pages[1])  # no browser shows an earlier one


# ---- tags without a page

TAGS = {1: {"soft", "rare", "r&b"}, 2: {"soft", "r&b"}, 3: {"soft"}, 4: set()}


@pytest.mark.parametrize("fewest", TAGS)
def test_a_tag_of_fewer_prompts_has_no_page(fewest: int, built: Gallery, tmp_path: Path) -> None:
    """No page, no place in the sitemap; all that names it leads to its newest prompt instead."""
    there = {f"tags/{name.replace('r&b', 'r-b')}" for name in TAGS[fewest]}
    gallery = Gallery(tmp_path)
    settings = f'[site]\ncards = 0\ntag_pages = {fewest}\nbase_url = "https://example.org/g/"\n'
    gallery.write("gallery.toml", SETTINGS.replace("[site]\n", settings))
    for path in built.root.glob("prompts/pop/*.md"):
        gallery.write(f"prompts/pop/{path.name}", path.read_bytes())
    assert gallery.run("build", "--engine", "none").code == 0
    site = tmp_path / "site"
    found = {
        path.parent.relative_to(site).as_posix().split("~")[0] for path in site.glob("tags/*/index.html")
    }
    assert found == there
    listed = {
        address.split("~")[0]
        for address in re.findall(r"tags/[^/]+(?=/index)", (site / "sitemap.xml").read_text())
    }
    assert listed == there
    data = json.loads((site / "search/0.js").read_text().split("push(")[1].removesuffix(");\n"))
    assert {name for name, slug in data["tags"] if slug} == TAGS[fewest]
    [names] = re.findall(r'<ul class="names">.*</ul>', (site / "tags/index.html").read_text(), re.DOTALL)
    alone = dict(re.findall(r'data-tag="([^"]+)">([^<]+)<', names))
    assert alone == {html.escape(name): html.escape(name) for name in TAGS[1] - TAGS[fewest]}
    assert names.count("<a ") == 3
    for page in site.rglob("*.html"):
        for link in re.findall(r'href="([^"#]*tags/[^"#]*)"', page.read_text()):
            assert "://" in link or link.startswith("/") or (page.parent / link).is_file(), (page, link)


def test_without_scripts_a_tag_without_a_page_leads_to_its_prompt(site: Path, open_page: Any) -> None:
    page, _ = open_page("about:blank", java_script_enabled=False)
    for place in ("tags/index.html", "tags/soft/index.html", "prompts/index.html"):
        page.goto((site / place).as_uri())
        follow(page, "a:has-text('rare'):visible")
        assert page.url == (site / "prompts/pop/one/index.html").as_uri()
    follow(page, ".byline a:has-text('rare')")
    assert page.url == (site / "prompts/pop/one/index.html").as_uri()


@pytest.mark.parametrize("served", [True, False])
def test_with_scripts_it_leads_to_the_catalogue_narrowed_to_it(
    served: bool, site: Path, open_page: Any
) -> None:
    with serving(site) as address:
        root = address if served else site.as_uri()
        page, _ = open_page("about:blank")
        for place in ("tags/index.html", "tags/soft/index.html", "prompts/pop/one/index.html"):
            page.goto(f"{root}/{place}")
            page.click("main a:has-text('rare') >> nth=0")
            page.wait_for_selector("[data-found] .row")
            assert page.url.endswith("prompts/index.html?tag=rare")
            assert page.locator("[data-found] .row").count() == 1
        leads = page.locator("[data-found] .row .tag", has_text="rare").evaluate("link => link.href")
        assert leads == f"{root}/prompts/index.html?tag=rare"


def test_a_tag_gets_its_page_with_another_prompt_and_loses_it_again(built: Gallery, tmp_path: Path) -> None:
    """Pages of prompts that were not touched follow: the next build makes what a clean one would."""
    gallery = Gallery(tmp_path / "gallery").begin()
    gallery.prompt("a", "prompt: one", "duration: 1", "tags: [rare, other]")
    gallery.prompt("b", "prompt: two", "duration: 1", "tags: [other]")
    more = ("prompt: three", "duration: 1", "date: 2020-01-01", "tags: [rare]")

    def build() -> dict[str, bytes]:
        assert gallery.run("build", "--engine", "none").code == 0
        return gallery.files()

    before = build()
    added = gallery.prompt("c", *more)
    now = build()
    assert "tags/rare/index.html" in now and "tags/rare/index.html" not in before
    assert b"tags/rare/index.html" in now["prompts/a/index.html"]
    clean = Gallery(tmp_path / "clean").begin()
    for name, data in gallery.files("prompts").items():
        clean.write(f"prompts/{name}", data)
    assert clean.run("build", "--engine", "none").code == 0
    drop = ".gallery.json"
    assert {**clean.files(), drop: b""} == {**now, drop: b""}
    added.unlink()
    assert {**build(), drop: b""} == {**before, drop: b""}


# ---- lists of names


def test_lists_of_names_come_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_page: Any
) -> None:
    monkeypatch.setattr(pages, "MOST_NAMES", 3)
    gallery = Gallery(tmp_path).begin()
    for number in range(8):
        gallery.prompt(f"f{number}/p", f"prompt: take {number}", "duration: 1", f"tags: [t{number}, page]")
    assert gallery.run("build", "--engine", "none").code == 0
    page, _ = open_page((tmp_path / "site/tags/index.html").as_uri(), java_script_enabled=False)
    seen = []
    for number, first in enumerate(("page", "t2", "t5"), 1):
        follow(page, f".parts a >> nth={number - 1}")
        assert page.locator(".parts [aria-current=page]").inner_text().startswith(first)
        shown = page.locator(".names a").all_inner_texts()
        assert len(shown) <= 3
        seen += shown
    assert seen == ["page", *(f"t{number}" for number in range(8))]
    assert (tmp_path / "site/folders/page/3/index.html").is_file()
    assert not (tmp_path / "site/authors/page").exists()


# ---- what scripts make of it


def test_rows_are_completed_by_scripts(site: Path, open_page: Any) -> None:
    """What plays a row and what else can be done with it is there, with names; templates' hooks, too."""
    page, _ = open_page((site / "tags/soft/index.html").as_uri())
    row = page.locator(".row", has_text="Three")
    row.locator("[aria-label='Play next: Three']").wait_for()
    names = row.locator("button").evaluate_all("all => all.map(each => each.getAttribute('aria-label'))")
    assert sorted(names) == ["Compare: Three", "Favourite: Three", "Play next: Three", "Play sketch: Three"]
    data = row.evaluate("row => ({...row.dataset})")
    key = data["clip"]
    assert data["id"] == key[:8] and data["state"] == "sketch" and data["length"] == "1"
    assert data["audio"] == f"../../sketches/{key}.mp3" and data["cover"] == f"../../sketches/{key}.webp"
    assert data["page"] == f"../../prompts/pop/three/index.html#{key[:8]}"
    assert data["facts"] == "small · 1 s · seed 3 · guidance 3"
    row.locator("[data-play]").click()
    until(page, "() => document.querySelector('[data-dock-name]')?.textContent.includes('soft piano')")
    assert page.locator(".dock:visible").count() == 1


def assert_one_player(gallery: Gallery, open_page: Any) -> None:
    """A clip that is played in the catalogue is named in the page's only player."""
    gallery.prompt("a", f"prompt: {WORDS}", "duration: 1")
    assert gallery.run(*BUILD).code == 0
    page, _ = open_page((gallery.root / "site/prompts/index.html").as_uri())
    page.click(".row [data-play]")
    until(page, "() => document.querySelector('[data-dock-name]').textContent.includes('soft piano')")
    assert page.locator("[data-dock]").count() == page.locator("#i-play").count() == 1


def test_a_gallerys_own_frame_of_before_goes_on(tmp_path: Path, open_page: Any) -> None:
    """A base.html that has sprites and player in the page, and knows nothing of the new file."""
    gallery = Gallery(tmp_path).begin()
    base = (packaged("templates") / "base.html").read_text()
    script = '<script defer src="{{ asset("furniture.js") }}"></script>'
    assert script in base
    own = (
        base.replace(script, "")
        .replace(" data-furniture", "")
        .replace("<body>", '<body>{{ part("sprites") }}')
    )
    gallery.write("templates/base.html", own.replace("</main>", '</main>{{ part("dock") }}'))
    assert_one_player(gallery, open_page)


def test_a_gallerys_own_frame_may_have_the_furniture_in_its_body(tmp_path: Path, open_page: Any) -> None:
    gallery = Gallery(tmp_path).begin()
    base = (packaged("templates") / "base.html").read_text()
    script = '<script defer src="{{ asset("furniture.js") }}"></script>'
    own = base.replace(script, "").replace("<body>", f"<body>{script.replace(' defer', '')}")
    gallery.write("templates/base.html", own)
    assert_one_player(gallery, open_page)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_without_scripts_covers_have_their_colours(scheme: Any, site: Path, open_page: Any) -> None:
    where = (site / "prompts/index.html").as_uri()
    page, _ = open_page(where, java_script_enabled=False, color_scheme=scheme)
    colours = page.evaluate("getComputedStyle(document.querySelector('.picture img')).filter")
    assert colours.startswith('url("data:') and colours.endswith(f'#pencil-{scheme}")')
