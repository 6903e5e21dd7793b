"""What is there for rendered clips alone, with clips that the engine rendered: nothing of it is a sketch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support.site_fixtures import AHEAD, NEVER_SILENT, PLAYED, moved, until

pytest_plugins = ["support.site_fixtures", "support.rendered_site"]


def test_the_front_door_plays_what_was_rendered(rendered: Path, served_rendered: str, watch: Any) -> None:
    prompts = json.loads((rendered / "catalogue.json").read_text())["prompts"]
    clips = {clip["key"]: clip for prompt in prompts for clip in prompt["clips"]}
    assert {(clip["state"], clip["engine"]) for clip in clips.values()} == {("render", "musicgen")}
    page, _ = watch(f"{served_rendered}/index.html", NEVER_SILENT)
    assert page.inner_text("#opening") == "Guidance"
    assert page.inner_text(".stage-same").startswith("Same words, same seed; only guidance moves.")
    assert page.locator(".asked h3").all_inner_texts() == ["How much does the seed decide?"]
    assert page.locator(".mark, [data-honest]").locator("visible=true").count() == 0
    page.click(".stage > .play")
    until(page, PLAYED % 0.3)
    until(page, "allAudio.filter(audio => audio.src && audio.readyState === 4).length >= 3")
    page.evaluate("watchSilence()")
    heard = set()
    for place in (2, 1):
        before = page.evaluate(AHEAD)
        page.evaluate("window.before = played")
        page.click(f"[data-track] .stop >> nth={place}")
        until(page, "played !== before && !played.muted && played.volume === 1")
        assert moved(page, before) < 0.1
        heard.add(page.evaluate("played.src").rpartition("/")[2].removesuffix(".mp3"))
    assert page.evaluate("silences") == 0
    assert {clips[key]["request"]["cfg_coef"] for key in heard} == {3.0, 9.0}


def test_a_round_of_the_daily_test(served_rendered: str, watch: Any) -> None:
    page, _ = watch(f"{served_rendered}/index.html", "Math.random = () => 0.1;")  # X is A
    page.click("text=Play today")
    page.wait_for_selector("[data-blind]:visible")
    for letter in "abx":
        page.keyboard.press(letter)
        until(page, f"document.querySelector('[data-listen={letter}]').matches('.is-heard')")
    page.keyboard.press("1")
    told = page.inner_text("[data-round]")
    assert told.startswith("Right: X was A. What differs is the ") and told.endswith(("guidance.", "seed."))
    assert page.inner_text("[data-told-a]") != page.inner_text("[data-told-b]")
