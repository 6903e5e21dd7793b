"""Every kind of page: no finding of axe's, in both themes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.axe import findings

pytest_plugins = ["support.site_fixtures"]

# One of each kind, with everything that it can hold.
KINDS = [
    "index.html",
    "prompts/index.html",
    "page/2/index.html",
    "404.html",
    "tags/index.html",
    "tags/compare/index.html",
    "models/index.html",
    "models/small/index.html",
    "authors/index.html",
    "folders/index.html",
    "folders/compare/index.html",
    "authors/octocat/index.html",
    "compare/index.html",
    "hear/index.html",
    "favourites/index.html",
    "random/index.html",
    "add/index.html",
    "guides/index.html",
    "guides/en/guidance/index.html",
    "guides/de/guidance/index.html",
    "prompts/compare/strip/embed.html",
    "prompts/sound/sketched/embed.html",
    "prompts/sound/waiting/embed.html",
    *(
        f"prompts/{path}/index.html"
        for path in (
            "lofi/rainy", "compare/strip", "compare/matrix", "compare/cube", "compare/words", "compare/takes",
            "compare/half", "sound/sketched", "sound/waiting", "words/hostile", "words/arabic",
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing(kind: str, served: str, open_page: Any) -> None:
    # Without the page's own policy: it would not let axe in.
    page, _ = open_page(f"{served}/{kind}", bypass_csp=True, reduced_motion="reduce")
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert findings(page) == []


@pytest.mark.parametrize("path", ["all", "some", "rows", "columns", "words"])
def test_axe_finds_nothing_where_takes_wait(path: str, waiting_site: Path, open_page: Any) -> None:
    address = f"{waiting_site.as_uri()}/prompts/wait/{path}/index.html"
    page, _ = open_page(address, bypass_csp=True, reduced_motion="reduce")
    assert findings(page) == []


@pytest.mark.parametrize(
    "kind",
    [
        *("index.html", "prompts/index.html"),
        *("guides/de/guidance/index.html", "prompts/compare/matrix/index.html"),
    ],
)
def test_axe_finds_nothing_on_a_phone_while_a_clip_plays(kind: str, served: str, open_page: Any) -> None:
    page, _ = open_page(f"{served}/{kind}", bypass_csp=True, reduced_motion="reduce", width=390, height=844)
    page.click("main :is([data-play], .tile) >> nth=0")
    page.wait_for_selector(".dock:visible")
    page.wait_for_timeout(400)  # it rises
    assert findings(page) == []


@pytest.mark.parametrize("kind", ["prompts/compare/strip/index.html", "guides/en/guidance/index.html"])
def test_axe_finds_nothing_where_more_contrast_is_wanted(kind: str, served: str, open_page: Any) -> None:
    page, _ = open_page(
        f"{served}/{kind}", bypass_csp=True, reduced_motion="reduce", contrast="more", color_scheme="light"
    )
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    assert findings(page) == []
    assert page.evaluate(ground) == "rgb(0, 0, 0)"
