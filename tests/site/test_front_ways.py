"""The front door, whoever comes: by keys, by ear, without motion, colours or scripts, on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.entries_catalogue import write_entries
from support.sample_site import entry, grid, make_config, make_files
from support.site_fixtures import PLAYED, follow, until

pytest_plugins = ["support.site_fixtures"]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, media: dict[float, Path]) -> str:
    """A front door with everything on it, opened from disk."""
    root = tmp_path_factory.mktemp("door")
    guidance, seeds = ("cfg_coef", [1.0, 3.0, 5.0]), ("seed", [1, 2])
    entries = [
        grid("waltz/guided", "slow waltz", [guidance], title="A waltz, guided", date="2026-11-03"),
        grid("polka/seeds", "fast polka", [seeds], title="Do seeds matter?", date="2026-11-02"),
        entry("bells/one", "church bell", date="2026-11-01"),
    ]
    write_entries(entries, make_files(entries, media), make_config(root), root / "site")
    return f"{(root / 'site').as_uri()}/index.html"


def test_keys_alone_reach_and_do_everything(door: str, watch: Any) -> None:
    page, _ = watch(door)
    name = """() => {
      const { ariaLabel, value, textContent } = document.activeElement;
      return ariaLabel || value || textContent;
    }"""
    reached = []
    while len(reached) < 40 and "bells 1" not in reached:
        page.keyboard.press("Tab")
        reached.append(" ".join(page.evaluate(name).split()))
        if reached[-1] == "Play A waltz, guided":
            page.keyboard.press("Enter")
            until(page, PLAYED % 0.1)
        elif reached[-1] == "0":  # the slider is one stop
            page.keyboard.press("ArrowRight")
            until(page, "!played.paused && document.querySelectorAll('.stop input')[1].checked")
        elif reached[-1] == "Play Do seeds matter? 2":
            page.keyboard.press(" ")
            until(page, "document.querySelectorAll('.ask')[1].matches('.is-playing')")
    wanted = [
        "Skip to the content", "listen", "catalogue", "Play A waltz, guided", "A waltz, guided", "0",
        "copy prompt", "copy settings", "Do seeds matter?", "Play Do seeds matter? 1",
        "Play Do seeds matter? 2", "The catalogue", "bells 1",
    ]  # fmt: skip
    assert [each for each in reached if each in wanted] == wanted


def test_a_screen_reader_hears_what_is_what(door: str, open_page: Any) -> None:
    page, _ = open_page(door)
    told = page.locator("main").aria_snapshot()
    for line in (
        '- heading "Hear what a prompt does." [level=1]',
        '- region "A waltz, guided"',
        '- button "Play A waltz, guided"',
        "- blockquote:",
        '- radiogroup "guidance',
        '- radio "1" [checked]',
        '- radio "3 default"',
        '- radio "5"',
        '- button "copy prompt"',
        '- button "copy settings"',
        '- region "Questions for your ears"',
        '- heading "Do seeds matter?" [level=3]',
        '- button "Play Do seeds matter? 2"',
        '- region "The catalogue"',
    ):
        assert line in told, told
    # Nothing that can be pressed is without a name.
    nameless = [line for line in told.splitlines() if line.strip() in ("- button", "- link", "- radio")]
    assert nameless == []


def test_nothing_moves_for_whom_motion_is_too_much(door: str, watch: Any) -> None:
    page, _ = watch(door, reduced_motion="reduce")
    page.click(".stage > .play")
    until(page, PLAYED % 0.1)
    page.click("[data-track] .stop >> nth=1")
    moving = """[...document.querySelectorAll("main *, .dock, .dock *")].filter(each => {
      const { animationName, animationDuration, transitionDuration } = getComputedStyle(each);
      const longest = Math.max(...transitionDuration.split(",").map(parseFloat));
      return longest > 0.01 || (animationName !== "none" && parseFloat(animationDuration) > 0.01);
    }).map(each => each.className)"""
    assert page.evaluate(moving) == []
    assert page.evaluate("document.getAnimations().filter(each => each.playState === 'running').length") == 0


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_paper_keeps_the_words_and_the_picture(scheme: str, door: str, open_page: Any) -> None:
    page, _ = open_page(door, 700, 1000, color_scheme=scheme)
    page.emulate_media(media="print", color_scheme=scheme)
    for name in ("h1", ".welcome p", ".stage-quote p", ".stage > .picture", ".asked h3", ".shelves-all h2"):
        assert page.locator(name).first.is_visible(), name
    assert page.locator("main :is(button, input):visible").count() == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("document.documentElement.scrollWidth") <= 700


@pytest.mark.parametrize(("width", "height"), [(1360, 940), (390, 844)])
def test_without_scripts_everything_leads_to_players(
    width: int, height: int, door: str, open_page: Any
) -> None:
    page, _ = open_page(door, width, height, java_script_enabled=False)
    assert page.inner_text("h1") == "Hear what a prompt does." and "MusicGen" in page.inner_text(".welcome p")
    assert page.locator("main :is(button, input):visible").count() == 0
    assert page.locator(".stage audio:visible").count() == 3
    assert page.locator(".covers img:visible").count() == 3
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    follow(page, "text=hear all 2 takes")
    assert page.url.endswith("/prompts/polka/seeds/index.html") and page.locator("audio:visible").count() == 2
