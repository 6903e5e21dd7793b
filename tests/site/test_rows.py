"""Rows of lists: which takes they offer, what plays first, what they show of it, how close they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gallery.site.pages import rows
from support.sample_site import clip, entry, grid
from support.site_fixtures import PLAYED, until

pytest_plugins = ["support.site_fixtures"]


def takes(prompt: dict[str, Any]) -> list[str]:
    return [take["label"] for take in rows.row(prompt)["takes"]]


def test_every_comparison_offers_its_takes() -> None:
    words = ["dusty drums", "dusty drums, mastered", "clean drums"]
    assert takes(grid("w", words[0], [("prompt", words)])) == ["dusty", "+ mastered", "clean"]
    matrix = grid("m", "boogie", [("cfg_coef", [1.0, 3.0]), ("seed", [1, 2])])
    assert takes(matrix) == ["1 · 1", "1 · 2", "3 · 1", "3 · 2"]
    assert rows.row(matrix)["line"] == ["4 takes:", ["guidance × seed"]]
    cube = grid("c", "x", [("seed", [1, 2]), ("temperature", [0.5, 1.0]), ("cfg_coef", [1.0, 3.0])])
    assert len(takes(cube)) == 8 and takes(cube)[0] == "1 · 0.5 · 1"
    models = [clip("jazz"), clip("jazz", model="medium", changes={"model": "medium"})]
    assert takes(entry("t", "jazz", models)) == ["small", "medium"]
    assert takes(entry("one", "bell")) == []


def test_of_many_takes_some_are_offered_and_the_page_has_all() -> None:
    row = rows.row(grid("m", "x", [("seed", [*range(2, 7)]), ("cfg_coef", [5.0, 7.0, 3.0])]))
    assert len(row["takes"]) == rows.MOST_TAKES == 12 and row["line"][2] == "all 15"
    assert row["clip"]["key"] in [take["key"] for take in row["takes"]]
    last = rows.row(grid("m", "x", [("seed", [*range(20, 0, -1)])]))
    assert last["takes"][-1]["label"] == "1" and last["clip"]["key"] == last["takes"][-1]["key"]


@pytest.mark.parametrize(
    ("axes", "first"),
    [
        ([("cfg_coef", [1.0, 3.0, 5.0])], "3"),
        ([("temperature", [0.5, 1.0]), ("seed", [3, 2, 1])], "1 · 1"),
        ([("temperature", [0.5, 1.0]), ("seed", [7, 8])], "1 · 7"),
        ([("seed", [7, 8])], "7"),  # none is usual: the first
        ([("prompt", ["clean drums", "drums"])], "without"),
    ],
)
def test_play_begins_with_the_defaults(axes: list[tuple[str, list[Any]]], first: str) -> None:
    row = rows.row(grid("g", "drums", axes))
    [label] = [take["label"] for take in row["takes"] if take["key"] == row["clip"]["key"]]
    assert label == first


def test_a_take_that_cannot_be_heard_does_not_begin() -> None:
    one = grid("g", "drums", [("cfg_coef", [1.0, 3.0])])
    one["clips"][1].update(state="pending", audio="", cover="")
    assert rows.row(one)["clip"]["key"] == one["clips"][0]["key"]


def test_a_rows_facts_follow_what_plays(served: str, watch: Any) -> None:
    page, _ = watch(f"{served}/prompts/index.html")
    row = page.locator(".row", has_text="Boogie matrix")
    told = row.locator(".facts .fact")
    # Temperature 1 and seed 1, which are the usual ones.
    assert told.all_inner_texts() == ["small", "3 s", "seed 1", "guidance 3"]
    tags = row.locator(".facts .tag").all_inner_texts()
    button = row.get_by_role("button", name="0 · –", exact=True)
    button.click()
    until(page, PLAYED % 0)
    assert told.all_inner_texts() == ["small", "3 s", "guidance 3", "temperature 0"]
    assert told.last.locator("i").inner_text() == "temperature"
    assert page.inner_text("[data-dock-facts]").startswith("temperature 0 · small")
    assert row.locator(".facts .tag").all_inner_texts() == tags
    row.get_by_role("button", name="1 · 3", exact=True).click()
    until(page, "document.querySelector('.row.is-playing .take.is-current').textContent === '1 · 3'")
    assert told.all_inner_texts() == ["small", "3 s", "seed 3", "guidance 3"]


def test_rows_of_wordings_and_of_results_have_their_takes(served: str, watch: Any) -> None:
    page, _ = watch(f"{served}/prompts/index.html?q=dusty")
    page.wait_for_selector("[data-found] .take")
    buttons = page.locator("[data-found] .take")
    assert buttons.all_inner_texts() == ["without", "+ mastered"]
    assert [each.get_attribute("data-label") for each in buttons.all()] == [
        "wording without",
        "wording + mastered",
    ]
    buttons.nth(1).click()
    until(page, PLAYED % 0)
    assert "wording + mastered" in page.inner_text("[data-dock-facts]")


def test_a_compact_view_is_remembered(served: str, site: Path, open_page: Any) -> None:
    page, _ = open_page(f"{served}/prompts/index.html")
    height = "document.querySelector('.row').offsetHeight"
    switch = page.locator("[data-view-switch]")
    before = page.evaluate(height)
    assert switch.get_attribute("aria-pressed") == "false"
    switch.click()
    assert switch.get_attribute("aria-pressed") == "true" and page.evaluate(height) < 0.75 * before
    for address in ("tags/lofi/index.html", "folders/lofi/index.html", "prompts/index.html?q=lofi"):
        page.goto(f"{served}/{address}")
        page.wait_for_selector(".row:visible")
        assert page.evaluate("document.documentElement.dataset.view") == "compact"
        assert switch.get_attribute("aria-pressed") == "true"
    switch.click()
    page.reload()
    assert switch.get_attribute("aria-pressed") == "false"
