"""The page on which a prompt is written, looked at: where it is linked, on any screen, by anybody."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from support.add_form import TYPE
from support.axe import findings

pytest_plugins = ["support.site_fixtures", "support.add_form"]

WRONG = {"tags": "lo_fi", "cfg_coef": "42", "axis1": "model", "axis1values": "smal", "folder": "Löß"}


def test_it_is_found(site: Path) -> None:
    page = (site / "add/index.html").read_text()
    assert '<link rel="canonical" href="https://octocat.github.io/gallery/add/index.html">' in page
    assert "<title>Add a prompt · Test gallery</title>" in page and 'aria-current="page">add a prompt' in page
    listed = {
        each.text for each in ElementTree.parse(site / "sitemap.xml").iter() if each.tag.endswith("loc")
    }
    assert "https://octocat.github.io/gallery/add/index.html" in listed
    assert (
        '<a href="../../../add/index.html">add a prompt</a>'
        in (site / "prompts/lofi/rainy/index.html").read_text()
    )


@pytest.mark.parametrize("state", ["empty", "wrong", "phone", "contrast", "forced"])
def test_axe_finds_nothing(state: str, served: str, open_page: Any) -> None:
    options: dict[str, Any] = {
        "phone": {"width": 390, "height": 844},
        "contrast": {"contrast": "more"},
        "forced": {"forced_colors": "active"},
    }.get(state, {})
    # Without the page's own policy: it would not let axe in.
    page, _ = open_page(f"{served}/add/index.html", bypass_csp=True, reduced_motion="reduce", **options)
    if state != "empty":
        page.evaluate(TYPE, WRONG)
        page.click("[data-propose]")
    assert findings(page) == []


@pytest.mark.parametrize("width", [320, 390, 700, 1000, 1360])
def test_it_fits_every_screen(width: int, address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/add/index.html", width=width, height=844)
    page.evaluate(
        TYPE,
        {
            **WRONG,
            "prompt": "boom" * 400,
            "title": "boom" * 29,
            "axis1values": "boom" * 40,
            "notes": "boom" * 90,
        },
    )
    page.click("[data-propose]")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.eval_on_selector_all(
        "main :is(button, select, input, textarea, .go, .faults a)",
        """all => all.filter(each => each.offsetParent)
             .map(each => [each.outerHTML.slice(0, 80), each.getBoundingClientRect()])
             .filter(([, box]) => box.height < 23.9 || box.width < 23.9).map(([html]) => html)""",
    )
    assert not small, small


def test_paper_shows_the_file(served: str, open_page: Any) -> None:
    page, _ = open_page(f"{served}/add/index.html")
    page.evaluate(TYPE, {"prompt": "rain"})
    page.emulate_media(media="print")
    assert (
        page.is_visible("[data-text]") and not page.is_visible("form") and not page.is_visible("[data-reset]")
    )
