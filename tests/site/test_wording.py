"""The prompt is the player: words that come and go are buttons in its text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.entries_catalogue import write_entries
from support.sample_site import clip, entry, grid, make_config, make_files
from support.site_fixtures import PLAYED, serving, until

pytest_plugins = ["support.site_fixtures"]

BEAT = "chill guitar beat, 82 bpm"
TAKES = [BEAT, f"{BEAT}, lo-fi recording", f"{BEAT}, 320 kbps"]
# What stands in the prompt, the words that are off apart.
OFF = "n.matches?.('.choice:not(.is-on)')"
READ = f"quote => [...quote.childNodes].map(n => {OFF} ? '' : n.textContent).join('')"


@pytest.fixture(scope="module")
def beats(tmp_path_factory: pytest.TempPathFactory, media: dict[float, Path]) -> Any:
    root = tmp_path_factory.mktemp("beats")
    entries = [
        grid("lofi/beat", BEAT, [("prompt", TAKES)]),
        entry("lofi/list", BEAT, [clip(BEAT), clip(TAKES[1], changes={"prompt": TAKES[1]})]),
        grid("lofi/order", "one two", [("prompt", ["one two", "quite another thing"])]),
    ]
    write_entries(entries, make_files(entries, media), make_config(root / "root"), root / "gallery")
    with serving(root / "gallery") as address:
        yield address


def test_words_come_and_go_while_it_plays(beats: str, watch: Any) -> None:
    page, seen = watch(
        f"{beats}/prompts/lofi/beat/index.html",
        permissions=["clipboard-read", "clipboard-write"],
        requests=True,
    )
    assert page.locator(".word").all_inner_texts() == ["lo-fi recording", "320 kbps"]
    assert page.eval_on_selector("[data-quote]", READ) == BEAT and not seen.audio
    page.click("text=lo-fi recording >> nth=0")
    until(page, PLAYED % 0.4)
    assert page.eval_on_selector("[data-quote]", READ) == TAKES[1]
    assert page.get_attribute(".word >> nth=0", "aria-pressed") == "true"
    began = page.evaluate("[played.src, played.currentTime - performance.now() / 1000]")
    page.focus(".word >> nth=1")
    page.keyboard.press("Enter")
    until(page, f"played.src !== '{began[0]}' && played.volume === 1")
    # From the same second, and the row of the take plays.
    assert abs(page.evaluate("played.currentTime - performance.now() / 1000") - began[1]) < 0.1
    assert page.locator(".take-row.is-playing .take-prompt").inner_text() == TAKES[2]
    page.click("[data-copy-prompt]")
    until(page, "document.querySelector('[data-copied]').textContent === 'Copied.'")
    assert page.evaluate("navigator.clipboard.readText()") == TAKES[2]
    # What is on goes again; and a take that is chosen below shows its words above.
    page.click(".word >> nth=1")
    until(page, "document.querySelectorAll('.word[aria-pressed=true]').length === 0")
    page.click(".take-row >> nth=1 >> .play")
    until(page, "document.querySelector('.word').getAttribute('aria-pressed') === 'true'")
    assert page.url.endswith(page.get_attribute(".take-row >> nth=1", "data-id"))


def test_a_take_as_written_is_a_wording_too(beats: str, watch: Any) -> None:
    page, _ = watch(f"{beats}/prompts/lofi/list/index.html")
    for on in (True, False):
        page.click(".word")
        until(page, f"document.querySelector('.word').getAttribute('aria-pressed') === '{on}'.toLowerCase()")
        until(page, f"document.querySelectorAll('.take-row')[{int(on)}].matches('.is-playing')")
        assert page.eval_on_selector("[data-quote]", READ) == TAKES[int(on)]


def test_words_that_are_off_stand_apart(beats: str, open_page: Any) -> None:
    """Their comma is off with them."""
    page, _ = open_page(f"{beats}/prompts/lofi/beat/index.html")
    gaps = page.evaluate("""() => {
      const range = document.createRange();
      range.selectNodeContents(document.querySelector("[data-quote]").firstChild);
      const edges = [range, ...document.querySelectorAll(".word")].map(each => each.getBoundingClientRect());
      return edges.slice(1).map((edge, at) => edge.left - edges[at].right).filter(gap => gap > -50);
    }""")
    assert gaps and min(gaps) > 5


def test_other_words_altogether_stay_as_they_are(beats: str, open_page: Any) -> None:
    page, _ = open_page(f"{beats}/prompts/lofi/order/index.html")
    assert page.locator(".word").count() == 0 and page.inner_text("[data-quote]") == "one two"


def test_without_scripts_it_is_the_prompt(beats: str, open_page: Any) -> None:
    page, _ = open_page(f"{beats}/prompts/lofi/beat/index.html", java_script_enabled=False)
    assert page.inner_text("[data-quote]") == BEAT


def test_words_are_large_enough_for_a_finger(beats: str, open_page: Any) -> None:
    page, _ = open_page(f"{beats}/prompts/lofi/beat/index.html", width=390, height=844)
    for word in page.locator(".word").all():
        assert word.bounding_box()["height"] >= 44
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
