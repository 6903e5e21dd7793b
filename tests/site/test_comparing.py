"""Two clips side by side, and the blind test."""

from __future__ import annotations

from typing import Any

import pytest

from support.site_fixtures import PLAYED, until

pytest_plugins = ["support.site_fixtures"]

IN_STEP = (
    "(([a, b]) => a && b && !a.paused && !b.paused && Math.abs(a.currentTime - b.currentTime) < 0.1)"
    "(allAudio.filter(audio => audio.src))"
)


def key_of(entries: Any, path: str, place: int = 0) -> str:
    return next(item for item in entries if item["path"] == path)["clips"][place]["key"]


@pytest.fixture
def two(entries: Any) -> str:
    return f"compare/index.html?a={key_of(entries, 'lofi/rainy')}&b={key_of(entries, 'lofi/dry')}"


@pytest.mark.parametrize("from_disk", [True, False])
def test_two_clips_are_picked_one_after_the_other(
    from_disk: bool, address: str, served: str, entries: Any, watch: Any
) -> None:
    start = address if from_disk else served
    page, _ = watch(f"{start}/prompts/index.html")
    page.click(".row >> nth=0 >> [data-compare]")
    assert "lofi piano, rain" in page.inner_text(".pick")
    page.goto(f"{start}/prompts/compare/strip/index.html")
    assert "lofi piano, rain" in page.inner_text(".pick")
    page.focus(".tile >> nth=1")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/compare/index.html?a=*")
    first, second = key_of(entries, "lofi/rainy"), key_of(entries, "compare/strip", 1)
    assert page.url.endswith(f"?a={first}&b={second}")
    page.wait_for_selector("[data-pair]:visible")
    assert not page.is_visible(".pick")
    # Wordings with nothing in common are not torn into pieces.
    assert page.locator(".side mark").count() == 0
    assert "other words altogether" in page.inner_text("[data-differences]")


def test_a_pick_can_be_taken_back(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/index.html")
    page.click(".row >> nth=0 >> [data-compare]")
    assert page.get_attribute(".row >> nth=0 >> [data-compare]", "aria-pressed") == "true"
    page.click(".row >> nth=0 >> [data-compare]")
    assert not page.is_visible(".pick")
    page.click(".row >> nth=1 >> [data-compare]")
    page.click("[data-unpick]")
    assert not page.is_visible(".pick")


def test_what_differs_is_spelled_out(address: str, entries: Any, two: str, watch: Any) -> None:
    page, seen = watch(f"{address}/{two}", requests=True)
    page.wait_for_selector("[data-pair]:visible")
    assert page.inner_text("[data-verdict]") == "Only the wording: what you hear is its effect."
    assert page.inner_text(".side >> nth=0 >> mark") == "on the window"
    assert page.inner_text(".side >> nth=1 >> mark") == "no"
    # Each in its column, and neither struck out as if it were wrong.
    rows = page.locator(".differences tr").all()
    assert [row.locator("th, td").all_inner_texts() for row in rows] == [
        ["", "A", "B"], ["wording", "on the window", "no"],
    ]  # fmt: skip
    assert page.locator("[data-pair] del").count() == 0
    assert "loudness-matched" in page.inner_text(".fair") and not page.is_visible("[data-sketched]")
    assert not seen.audio
    strip = [key_of(entries, "compare/strip", place) for place in (0, 2)]
    page.goto(f"{address}/compare/index.html?a={strip[0]}&b={strip[1]}")
    page.wait_for_selector("[data-pair]:visible")
    assert page.inner_text("[data-verdict]").startswith("Only the guidance")
    assert page.inner_text("[data-differences]").split() == ["guidance", "1", "5"]
    # Temperature 0 uses no seed.
    page.goto(f"{address}/compare/index.html?a={key_of(entries, 'compare/matrix')}&b={strip[0]}")
    page.wait_for_selector("[data-pair]:visible")
    assert "seed not used 1" in " ".join(page.inner_text("[data-differences]").split())


def test_sketches_demonstrate_nothing(address: str, entries: Any, watch: Any) -> None:
    half = [key_of(entries, "compare/half", place) for place in (0, 1)]
    page, _ = watch(f"{address}/compare/index.html?a={half[0]}&b={half[1]}")
    page.wait_for_selector("[data-pair]:visible")
    assert page.inner_text("[data-sketched]").startswith("B is a sketch, not made by MusicGen")
    page.goto(f"{address}/compare/index.html?a={half[0]}&b={key_of(entries, 'sound/waiting')}")
    page.wait_for_selector("[data-pair]:visible")
    assert "Not rendered yet: B" in page.inner_text("[data-told]")
    assert not page.is_visible("[data-blind-offer]")


def test_unknown_clips_are_told(address: str, watch: Any) -> None:
    page, seen = watch(f"{address}/compare/index.html?a=%3Cscript%3E&b={'0' * 32}")
    until(page, "document.querySelector('[data-told]').textContent.includes('not in this gallery')")
    seen.complaints.clear()  # the browser's own word on a part that isn't there
    page.goto(f"{address}/compare/index.html")
    assert "Press “compare”" in page.inner_text("[data-told]")


def test_both_run_in_step_and_change_by_key(address: str, two: str, watch: Any) -> None:
    page, _ = watch(f"{address}/{two}")
    page.wait_for_selector("[data-pair]:visible")
    page.keyboard.press("a")
    until(page, PLAYED % 0.2)
    until(page, IN_STEP)
    assert page.get_attribute("[data-hear=a]", "aria-pressed") == "true"
    began = page.evaluate("[played.currentTime, performance.now()]")
    page.keyboard.press("b")
    until(page, "document.querySelector('.side[data-side=b]').matches('.is-playing')")
    until(page, "played.volume === 1")
    off = page.evaluate(
        "began => played.currentTime - began[0] - (performance.now() - began[1]) / 1000", began
    )
    assert abs(off) < 0.1
    assert page.get_attribute("[data-hear=b]", "aria-pressed") == "true"
    page.keyboard.press(" ")
    until(page, "allAudio.every(audio => audio.paused)")
    # Silent, too, it stays where it is.
    stood = page.evaluate("played.currentTime")
    page.keyboard.press("a")
    until(page, "!played.paused && document.querySelector('[data-side=a]').matches('.is-playing')")
    assert page.evaluate("played.currentTime") == pytest.approx(stood, abs=0.4)


ANSWERABLE = "document.querySelector('[data-guess]').getAttribute('aria-disabled') === 'false'"

# X is A, B, A, A, B, A, B, A.
CHANCE = (
    "{ const draws = [.1, .9, .2, .3, .8, .4, .7, .1]; let at = 0; Math.random = () => draws[at++ % 8]; }"
)


def test_a_blind_test_by_keyboard(address: str, two: str, watch: Any) -> None:
    page, _ = watch(f"{address}/{two}", CHANCE)
    page.wait_for_selector("[data-pair]:visible")
    page.focus("[data-begin]")
    page.keyboard.press("Enter")
    assert page.inner_text("[data-round]") == "Round 1 of 8. Is X A, or is it B?"
    assert page.evaluate("document.activeElement.id") == "blind-title"
    page.keyboard.press("x")
    until(page, PLAYED % 0.1)
    first = page.evaluate("played.src")
    # Nothing tells: no name, cover or waveform, no mark in the page, nothing in the system's controls.
    assert (
        page.inner_text("[data-dock-name]") == "Blind test: X" and page.inner_text("[data-dock-facts]") == ""
    )
    assert (
        page.evaluate(
            "new Set(document.querySelector('[data-wave]').getAttribute('d').match(/V[\\d.]+/g)).size"
        )
        == 1
    )
    assert page.locator(".is-current, .side:visible, [data-copy-here]:visible").count() == 0
    assert page.evaluate("navigator.mediaSession.metadata.title") == "Blind test: X"
    # No answer counts before all three were heard.
    page.keyboard.press("1")
    assert page.inner_text("[data-round]") == "Round 1 of 8. Is X A, or is it B?"
    assert page.inner_text("[data-left]") == "Listen to A and B before you answer."
    page.keyboard.press("a")
    assert page.evaluate("played.src") == first
    until(page, "document.querySelector('[data-left]').textContent.includes('to B before')")
    page.keyboard.press("b")
    # A and B were heard; each new X plays at once, and has to be heard itself.
    for place, answer in enumerate("1211212"):
        until(page, ANSWERABLE)
        page.keyboard.press(answer)
        if place == 0:
            page.keyboard.press("1")
            assert page.inner_text("[data-round]") == "Round 2 of 8. Is X A, or is it B?"
            page.keyboard.press("x")
    assert page.inner_text("[data-round]") == "Round 8 of 8. Is X A, or is it B?"
    until(page, ANSWERABLE)
    page.keyboard.press("2")
    # X was A B A A B A B A; the answers were A B A A B A B B.
    said = page.inner_text("[data-round]").replace("\u00a0", " ")
    assert said.startswith("7 of 8: chance alone does this 4 % of the time.")
    assert page.locator(".rounds li").count() == 8 and page.locator(".rounds .right").count() == 7
    until(page, "allAudio.every(audio => audio.paused)")
    # The difference can be heard once more, now that it is told.
    assert (
        page.inner_text("[data-told-a] mark") == " on the window"
        and page.inner_text("[data-told-b] mark") == "no "
    )
    assert not page.is_visible("[data-listen=x]") and not page.is_visible("[data-guess]")
    page.keyboard.press("b")
    until(page, PLAYED % 0.1)
    assert page.inner_text("[data-dock-name]") == "lofi piano, no rain"
    page.click("[data-again]")
    assert "Round 1 of 8" in page.inner_text("[data-round]")
    page.click("[data-leave]")
    assert page.is_visible("[data-pair]") and not page.is_visible("[data-blind]")


def test_leaving_a_blind_test_asks(address: str, two: str, watch: Any) -> None:
    page, _ = watch(f"{address}/{two}")
    page.wait_for_selector("[data-pair]:visible")
    page.click("[data-begin]")
    page.click("[data-leave]")  # nothing is lost yet
    assert not page.is_visible("[data-blind]")
    page.click("[data-begin]")
    for letter in "abx":
        page.click(f"[data-listen={letter}]")
        until(page, f"document.querySelector('[data-listen={letter}]').matches('.is-heard')")
    page.click("[data-guess=a]")
    page.click("[data-leave]")
    assert page.inner_text("[data-leaving] h2").lower() == "leave the test?"
    page.keyboard.press("Escape")
    assert page.inner_text("[data-round]").startswith("Round 2 of 8")
    page.click("[data-leave]")
    page.click("[data-leaving] button[value=leave]")
    page.wait_for_selector("[data-pair]:visible")
    assert page.is_visible("[data-pair]") and not page.is_visible("[data-blind]")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1360, 940)])
def test_both_clips_and_the_switch_are_on_the_first_screen(
    width: int, height: int, address: str, two: str, watch: Any
) -> None:
    page, _ = watch(f"{address}/{two}", width=width, height=height)
    page.wait_for_selector("[data-pair]:visible")
    page.click("[data-hear=a]")
    until(page, PLAYED % 0)
    dock = page.locator(".dock").bounding_box()["y"]
    for name in (".side[data-side=a] .picture", ".side[data-side=b] .picture", "[data-switch] [data-hear=b]"):
        box = page.locator(name).bounding_box()
        assert box["y"] + box["height"] <= dock, name
    letters = page.locator(".letter").all_inner_texts()
    assert letters == ["A", "B"]
    if width > 1000:  # line by line
        for name in (".facts", ".picture"):
            one, other = (page.locator(f".side >> nth={place} >> {name}").bounding_box() for place in (0, 1))
            assert one["y"] == pytest.approx(other["y"], abs=0.5), name


@pytest.mark.parametrize("width", [360, 1360])
def test_comparing_fits(width: int, address: str, two: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/{two}", width=width, height=780)
    page.wait_for_selector("[data-pair]:visible")
    page.click("[data-hear=a]")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click("[data-begin]")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
