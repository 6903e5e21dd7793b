"""Fingers and keys: what is touched is large enough, and tiles are one stop of the Tab key."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from support.site_fixtures import PLAYED, until

pytest_plugins = ["support.site_fixtures"]

PHONE = {"width": 390, "height": 844, "has_touch": True, "is_mobile": True}
# What is smaller than a finger, but for links within a text and what only looks like a button.
TOUCHED = "button, select, summary, nav a, .take, .act, input[type=search]"
SMALL = f"""() => [...document.querySelectorAll("{TOUCHED}")]
  .filter(each => each.checkVisibility({{ visibilityProperty: true }}) && !each.closest(".unseen, .skip"))
  .filter(each => each.getBoundingClientRect().height < 43.5)
  .map(each => each.outerHTML.slice(0, 90))"""
FOCUSED = "[...document.querySelectorAll('.tile')].indexOf(document.activeElement)"


@pytest.mark.parametrize(
    "page_address",
    [
        "prompts/index.html", "prompts/lofi/rainy/index.html", "prompts/compare/takes/index.html",
        "prompts/compare/strip/index.html", "hear/index.html", "tags/index.html",
    ],
)  # fmt: skip
def test_a_finger_hits_what_it_touches(page_address: str, address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/{page_address}", **PHONE)
    assert page.evaluate(SMALL) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_tile_is_hit_in_its_middle(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/compare/matrix/index.html", **PHONE)
    for place in (5, 0):
        page.click(f".tile >> nth={place}")  # nothing lies over it
        until(page, f"document.querySelectorAll('.tile')[{place}].matches('.is-playing')")


def test_a_phone_shows_several_prompts(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/prompts/index.html", **PHONE)
    rows = page.evaluate(
        "[...document.querySelectorAll('.row')].map(row => row.getBoundingClientRect().bottom)"
    )
    assert rows[1] < 844
    assert max(after - before for before, after in itertools.pairwise(rows[:6])) < 844 / 3


def test_keys_are_told_where_there_are_keys(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/hear/index.html", **PHONE)
    page.wait_for_selector("[data-blind]:visible")
    assert page.locator("kbd:visible, [data-help]:visible").count() == 0
    page, _ = open_page(f"{address}/hear/index.html")
    page.wait_for_selector("[data-blind]:visible")
    assert page.locator("kbd:visible").count() == 5 and page.is_visible("[data-help]")


def test_tiles_are_one_stop_and_arrows_move_between_them(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/compare/matrix/index.html")
    stops = page.evaluate(
        "[...document.querySelectorAll('.matrix button')].filter(b => b.tabIndex === 0).length"
    )
    assert stops == 2  # a tile, and what compares it
    page.focus(".matrix-frame")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == 0
    for key, place in [
        ("ArrowRight", 1),
        ("ArrowDown", 4),
        ("End", 5),
        ("ArrowRight", 5),
        ("Home", 3),
        ("ArrowUp", 0),
    ]:
        page.keyboard.press(key)
        assert page.evaluate(FOCUSED) == place, key
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    until(page, PLAYED % 0.1)
    assert page.locator(".tile >> nth=1").get_attribute("class") == "tile is-current is-playing"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert not page.evaluate("document.activeElement.closest('.matrix')")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(FOCUSED) == 1  # back to where one was


def test_filters_can_be_skipped(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/index.html")
    page.focus(".filters .skip")
    page.keyboard.press("Enter")
    until(page, "document.activeElement.id === 'list'")
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.play')"):
            return
    raise AssertionError("the first play button is more than four stops away")
