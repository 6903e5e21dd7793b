"""The catalogue behind the front door: where it is, who is led to it, and its folders."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from gallery.state.tool import packaged
from support.entries_catalogue import write_entries
from support.sample_site import entry, make_config
from support.site_fixtures import follow, shown

pytest_plugins = ["support.site_fixtures"]


def test_an_empty_one_says_how_to_begin(tmp_path: Path) -> None:
    write_entries([], {}, make_config(tmp_path), tmp_path / "site")
    page = (tmp_path / "site/prompts/index.html").read_text()
    assert '<a href="../add/index.html">Write the first one here</a>' in page
    assert "<code>gallery new</code>" in page and "<code>gallery build</code>" in page


@pytest.mark.parametrize("from_disk", [True, False])
def test_a_search_at_its_first_address_is_led_on(
    from_disk: bool, address: str, served: str, open_page: Any
) -> None:
    start = address if from_disk else served
    page, _ = open_page("about:blank")
    for asked in ("?q=rain&tag=lofi&order=oldest", "?state=sketch", "?guidance=4..", "?folder=lofi"):
        page.goto(f"{start}/index.html{asked}")
        page.wait_for_selector("[data-found] .row")
        assert page.url == f"{start}/prompts/index.html{asked}"
    page.goto(f"{start}/index.html#question")
    page.wait_for_selector("#question:focus")
    # What asks for no search stays.
    page.goto(f"{start}/index.html?from=a-friend")
    assert page.url.endswith("/index.html?from=a-friend") and not page.locator("#question").count()


@pytest.mark.parametrize("from_disk", [True, False])
def test_every_page_has_a_search_that_loads_nothing(
    from_disk: bool, address: str, served: str, open_page: Any
) -> None:
    start = address if from_disk else served
    page, seen = open_page(f"{start}/prompts/lofi/rainy/index.html", requests=True)
    page.wait_for_load_state("networkidle")
    assert not [url for url in seen.requests if "/search/" in url]
    page.keyboard.press("/")
    page.keyboard.type("church bell")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-found] .row")
    assert shown(page) == ["church bell"] and "/prompts/index.html?q=church" in page.url
    for place in ("index.html", "tags/index.html", "guides/en/guidance/index.html", "404.html"):
        text = (Path(address.removeprefix("file://")) / place).read_text()
        assert text.count('role="search"') == 1, place


def test_folders_are_a_filter_and_have_pages(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/prompts/index.html")
    page.click("[data-filter=folder] [data-value=lofi] label")
    page.wait_for_selector("[data-found] .row")
    assert page.url.endswith("?folder=lofi")
    assert shown(page) == ["lofi piano, rain on the window", "lofi piano, no rain"]
    follow(page, ".shelves a >> text=folders")
    follow(page, ".names a >> text=lofi")
    assert shown(page) == ["lofi piano, rain on the window", "lofi piano, no rain"]
    assert page.get_attribute(".ways [aria-current]", "href") == "../../prompts/index.html"
    follow(page, ".row-prompt a >> nth=0")
    follow(page, ".crumbs a >> text=lofi")
    assert page.url.endswith("/folders/lofi/index.html")


def test_folders_in_folders_and_odd_names(tmp_path: Path) -> None:
    """A folder may be called as its prompt is, as pages of lists are, or as the catalogue's own page."""
    paths = ["a", "a/b", "a/b/c", "page/2", "index", "index/html"]
    site = tmp_path / "site"
    config = make_config(tmp_path, page_size=2)
    write_entries([entry(path, f"words of {path}", date="") for path in paths], {}, config, site)
    assert all((site / f"prompts/{path}/index.html").is_file() for path in paths)
    whole = (site / "folders/a/index.html").read_text()
    assert "words of a/b<" in whole and "words of a/b/c<" in whole and "words of a<" not in whole
    inner = next(site.glob("folders/a-b~*/index.html")).read_text()
    assert "words of a/b/c<" in inner and "words of a/b<" not in inner and "folders/a/index.html" in inner
    lists = [site / "prompts/index.html", site / "page/2/index.html", site / "page/3/index.html"]
    assert all(page.read_text().count("words of ") >= 2 for page in lists)
    assert 'href="page/2/index.html"' not in lists[0].read_text()
    assert 'href="../page/2/index.html"' in lists[0].read_text()
    assert 'href="../../prompts/index.html">← newer' in lists[1].read_text()


def test_a_gallerys_own_templates_go_on_as_the_catalogue(tmp_path: Path) -> None:
    """Those of before the front door: a list under the name index.html, lists of tags, models and authors."""
    own = tmp_path / "templates"
    own.mkdir()
    for name in ("index.html", "list.html", "names.html"):
        shutil.copy(packaged("templates") / name, own / name)
        text = (own / name).read_text().replace("pages.CATALOGUE", '"index.html"')
        (own / name).write_text(text.replace("<div data-rows>", "<div data-rows><b>ours</b>"))
    write_entries([entry("f/a", "one", tags=["t"])], {}, make_config(tmp_path), tmp_path / "site")
    assert "<b>ours</b>" in (tmp_path / "site/prompts/index.html").read_text()
    assert "<b>ours</b>" not in (tmp_path / "site/index.html").read_text()
    assert "one" in (tmp_path / "site/folders/f/index.html").read_text()


def test_lists_need_no_script(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/index.html", java_script_enabled=False)
    follow(page, ".ways a >> text=catalogue")
    assert page.locator(".row").count() == 10 and page.locator(".row audio").count() == 9
    follow(page, "text=older →")
    assert page.url.endswith("/page/2/index.html") and page.locator(".row").count() == 6
    assert page.locator("script[src*='search'], script[src*='finder']").count() == 0
    follow(page, "text=← newer")
    assert page.url.endswith("/prompts/index.html")
    for shelf in ("folders", "tags", "models", "authors"):
        follow(page, f".shelves a >> text={shelf}")
        assert page.locator(".names a, .models a").count() > 1
        page.go_back()
