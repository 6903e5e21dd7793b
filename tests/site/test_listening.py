"""The player: what plays, when, from where, and what comes next."""

from __future__ import annotations

from typing import Any

import pytest

from support.site_fixtures import AHEAD, NEVER_SILENT, PLAYED, moved, until

pytest_plugins = ["support.site_fixtures"]

# How many callbacks the page had in each frame.
WATCH_FRAMES = """
window.callbacks = new Map();
const ask = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = callback => ask(now => {
  callbacks.set(now, (callbacks.get(now) || 0) + 1);
  callback(now);
});
"""


def callbacks_in_a_frame(page: Any) -> int:
    """The most that one of some frames had, from now on."""
    page.evaluate("callbacks.clear()")
    until(page, "callbacks.size > 5")
    return int(page.evaluate("Math.max(...callbacks.values())"))


def test_nothing_is_heard_or_loaded_before_play(address: str, watch: Any) -> None:
    page, seen = watch(f"{address}/prompts/index.html", requests=True)
    page.wait_for_load_state("networkidle")
    assert not seen.audio and not page.is_visible(".dock")
    page.click(".row >> nth=0 >> .play")
    until(page, PLAYED % 0.3)
    assert len(set(seen.audio)) == 1
    assert page.inner_text("[data-dock-name]") == "lofi piano, rain on the window"
    assert page.get_attribute(".row >> nth=0 >> .play", "aria-label") == "Pause Rainy window"
    assert "lofi piano" in page.inner_text("[data-said]")
    assert page.evaluate("navigator.mediaSession.metadata.title") == "lofi piano, rain on the window"
    # The waveform of lists comes from a script of its own; until then there is a line.
    until(page, "document.querySelector('[data-wave]').getAttribute('d').length > 3000")
    head = page.evaluate("document.querySelector('.row .playhead').style.transform")
    assert head.startswith("translateX(") and head != "translateX(0.00%)"


def test_one_clip_plays_at_a_time(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/index.html")
    page.click(".row >> nth=0 >> .play")
    until(page, PLAYED % 0.1)
    page.click(".row >> nth=1 >> .play")
    until(page, PLAYED % 0.1)
    assert (
        page.evaluate(
            "allAudio.filter(audio => !audio.paused && !audio.muted && audio.volume > 0.001).length"
        )
        == 1
    )
    assert page.locator(".row.is-playing").count() == 1
    page.click(".row >> nth=1 >> .play")
    until(page, "() => played.paused")
    until(page, "() => !document.querySelector('.is-playing')")


def test_one_loop_draws_whatever_began_or_was_sought_before(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/index.html", WATCH_FRAMES)
    for place in (0, 1, 0):
        page.click(f".row >> nth={place} >> .play")
        until(page, PLAYED % 0)
    assert callbacks_in_a_frame(page) == 1
    page.goto(f"{address}/prompts/compare/strip/embed.html")
    page.click("[data-take] >> nth=1")
    audio = "document.querySelector('audio')"
    for second in (1, 2, 0):
        until(page, f"!{audio}.paused && !{audio}.seeking")
        page.evaluate(f"{audio}.currentTime = {second}")
    until(page, f"!{audio}.paused && !{audio}.seeking")
    assert callbacks_in_a_frame(page) == 1


def test_the_scrubber_is_a_slider(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/lofi/rainy/index.html")
    page.click(".single .play")
    until(page, PLAYED % 0)
    page.click("[data-dock-play]")
    slider = page.locator("[data-position]")
    slider.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("played.currentTime") == pytest.approx(2, abs=0.1)
    assert slider.get_attribute("aria-valuetext") == "0:02 of 0:03"
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("played.currentTime") == pytest.approx(1, abs=0.1)
    page.keyboard.press(" ")
    until(page, "() => !played.paused")
    page.click(".single .picture", position={"x": 1000, "y": 20})
    until(page, "() => played.currentTime > 2")


def test_takes_go_on_from_the_same_second(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/compare/strip/index.html")
    page.click(".tile >> nth=0")
    until(page, PLAYED % 1.2)
    before = page.evaluate("played.currentTime")
    page.click(".tile >> nth=2")
    until(page, "() => played.readyState > 1 && !played.paused && !played.seeking")
    assert page.evaluate("played.currentTime") >= before - 0.1
    assert page.locator(".tile.is-current").count() == 1
    key = page.get_attribute(".tile >> nth=2", "data-id")
    assert page.url.endswith(f"#{key}")
    assert page.locator(f'.request[data-for="{key}"]').is_visible()
    assert page.locator(".request:visible").count() == 1
    page.locator(".tile >> nth=2").focus()
    page.keyboard.press("Enter")
    until(page, "() => played.paused")


def test_takes_can_be_heard_from_the_list(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/index.html")
    row = page.locator(".row", has_text="slow waltz")
    row.locator(".take").nth(1).click()
    until(page, PLAYED % 0.2)
    assert "guidance 3" in page.inner_text("[data-dock-facts]")
    assert row.locator(".take.is-current").inner_text() == "3"
    row.locator(".play").click()
    until(page, "() => played.paused")


def test_a_rows_picture_tells_sketches_from_renders(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/index.html")
    row = page.locator(".row", has_text="half drawn")
    assert row.locator(".picture .mark").count() == 0
    row.locator(".take").nth(1).click()
    until(page, PLAYED % 0)
    assert row.locator(".picture .mark").inner_text() == "sketch"
    assert page.is_visible("[data-dock-mark]")
    assert "pencil" in row.locator("img").evaluate("image => getComputedStyle(image).filter")
    row.locator(".take").nth(0).click()
    assert row.locator(".picture .mark").count() == 0 and not page.is_visible("[data-dock-mark]")
    assert "ember" in row.locator("img").evaluate("image => getComputedStyle(image).filter")


def test_a_link_to_a_clip_chooses_it(address: str, entries: Any, watch: Any) -> None:
    clip = next(item for item in entries if item["path"] == "compare/strip")["clips"][2]
    page, seen = watch(f"{address}/prompts/compare/strip/index.html#{clip['id']}", requests=True)
    assert page.locator(f'.request[data-for="{clip["id"]}"]').is_visible()
    assert page.is_visible(".dock") and not seen.audio
    page.keyboard.press(" ")
    until(page, PLAYED % 0.1)
    assert clip["key"] in page.evaluate("played.src")


def test_missing_audio_is_told_in_the_dock(address: str, watch: Any) -> None:
    page, seen = watch(f"{address}/prompts/index.html")
    page.evaluate("document.querySelector('.row').dataset.audio = 'audio/none.mp3'")
    page.click(".row >> nth=0 >> .play")
    page.wait_for_selector(".dock.is-silent")
    assert "could not be loaded" in page.inner_text("[data-said]")
    told = "selector => getComputedStyle(document.querySelector(selector), '::after').content"
    assert page.evaluate(told, ".is-failed > .picture") == '"could not be loaded"'
    assert page.locator(".is-failed").count() == 1
    seen.complaints.clear()  # the browser's own word on the missing file
    page.click(".row >> nth=1 >> .play")
    until(page, PLAYED % 0.1)
    assert page.locator(".dock.is-silent").count() == 0


def test_next_and_previous(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/index.html")
    page.click(".row >> nth=0 >> .play")
    page.click("[data-step='1']")
    assert page.inner_text("[data-dock-name]") == "lofi piano, no rain"
    page.click("[data-step='-1']")
    assert page.inner_text("[data-dock-name]") == "lofi piano, rain on the window"


@pytest.mark.parametrize("from_disk", [True, False])
def test_switching_keeps_the_second_and_never_falls_silent(
    from_disk: bool, address: str, served: str, watch: Any
) -> None:
    page, _ = watch(f"{address if from_disk else served}/prompts/compare/strip/index.html", NEVER_SILENT)
    page.click(".tile >> nth=0")
    until(page, PLAYED % 0.4)
    page.evaluate("watchSilence()")
    for place in (1, 2, 0):
        before = page.evaluate(AHEAD)
        page.evaluate(
            """place => { window.before = played; document.querySelectorAll(".tile")[place].click(); }""",
            place,
        )
        until(page, "played !== before && !played.muted && played.volume === 1")
        assert moved(page, before) < 0.1
        until(page, "before.paused")
    assert page.evaluate("silences") == 0
    assert page.evaluate("played.paused") is False


def test_the_next_follows_at_the_end(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/compare/strip/index.html")
    page.click(".tile >> nth=1")
    until(page, PLAYED % 0)
    page.evaluate("played.currentTime = 2.8")
    until(page, "document.querySelectorAll('.tile')[2].matches('.is-playing')")
    assert page.evaluate("played.currentTime") < 1
    # The last one stops; with the list repeated, the first follows.
    page.evaluate("played.currentTime = 2.8")
    until(page, "played.paused && played.currentTime === 0")
    page.keyboard.press("r")
    assert page.inner_text("[data-said]") == "The list repeats"
    page.keyboard.press(" ")
    until(page, PLAYED % 0)
    page.evaluate("played.currentTime = 2.8")
    until(page, "document.querySelectorAll('.tile')[0].matches('.is-playing')")
    page.keyboard.press("r")
    page.evaluate("played.currentTime = 2.8")
    until(page, "played.currentTime < 1")
    assert page.locator(".tile >> nth=0").get_attribute("aria-label").startswith("Pause")


def test_the_queue_is_the_list(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/index.html?q=lofi")
    page.wait_for_selector("[data-found] .row")
    page.click(".row:visible >> nth=0 >> .play")
    page.click("[popovertarget]")
    assert page.locator(".queue [data-place]").all_inner_texts() == [
        "lofi piano, rain on the window", "lofi piano, no rain",
    ]  # fmt: skip
    page.click(".queue [data-place] >> nth=1")
    assert page.inner_text("[data-dock-name]") == "lofi piano, no rain"
    # Another search leaves what follows as it was.
    page.keyboard.press("Escape")
    page.fill("#question", "boogie")
    page.locator("#question").blur()
    page.keyboard.press("k")
    assert page.inner_text("[data-dock-name]") == "lofi piano, rain on the window"


def test_speed_volume_and_their_keys(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/index.html")
    page.click(".row >> nth=0 >> .play")
    page.click("[popovertarget]")
    page.select_option("[data-rate]", "1.5")
    page.fill("[data-volume]", "0.4")
    until(page, "played.playbackRate === 1.5 && Math.abs(played.volume - 0.4) < 0.01")
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+ArrowUp")
    until(page, "Math.abs(played.volume - 0.5) < 0.01")
    page.keyboard.press("m")
    until(page, "allAudio.every(audio => audio.muted)")
    page.keyboard.press("m")
    page.keyboard.press("s")
    until(page, "played.playbackRate === 2")
    page.keyboard.press("j")
    until(page, PLAYED % 0.1)
    assert page.evaluate("played.playbackRate") == 2
    page.reload()
    page.click(".row >> nth=0 >> .play")
    until(page, "Math.abs(played.volume - 0.5) < 0.01 && played.playbackRate === 1")


@pytest.mark.parametrize(
    "where", ["index.html", "prompts/index.html", "prompts/lofi/rainy/index.html", "tags/index.html"]
)
def test_a_link_leads_to_a_second(where: str, address: str, entries: Any, watch: Any) -> None:
    key = entries[0]["clips"][0]["key"]
    page, seen = watch(f"{address}/{where}#k={key[:8]}&t=1.5", requests=True)
    page.wait_for_selector(".dock:visible")
    assert page.inner_text("[data-time]") == "0:02" and not seen.audio
    page.keyboard.press(" ")
    until(page, PLAYED % 1.5)
    assert page.evaluate("played.currentTime") < 2.8


def test_here_is_a_link(served: str, entries: Any, watch: Any) -> None:
    page, _ = watch(f"{served}/prompts/index.html", permissions=["clipboard-read", "clipboard-write"])
    page.click(".row >> nth=0 >> .play")
    until(page, PLAYED % 1)
    page.click("[data-dock-play]")
    page.click("[popovertarget]")
    page.click("[data-copy-here]")
    until(page, "document.querySelector('[data-said]').textContent.includes('copied')")
    key = entries[0]["clips"][0]["id"]
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{served}/prompts/lofi/rainy/index.html#k={key}&t=1"


def test_letters_can_be_switched_off(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/index.html")
    page.keyboard.press("?")
    assert page.is_visible("dialog.help")
    page.keyboard.press("j")
    assert not page.is_visible(".dock")
    page.uncheck("[data-letters]")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.press("?")
    assert not page.is_visible("dialog.help")
    assert page.evaluate("document.activeElement.id") != "question"
    page.keyboard.press(" ")
    until(page, PLAYED % 0)
    page.goto(f"{address}/tags/index.html")
    page.click(".about [data-help]")
    assert not page.is_checked("[data-letters]")
    page.check("[data-letters]")
    page.click("dialog.help >> text=Close")
    page.keyboard.press("/")
    page.wait_for_selector("#find:focus")


def test_what_plays_can_be_told_from_its_ground(address: str, watch: Any) -> None:
    for scheme in ("light", "dark"):
        page, _ = watch(f"{address}/prompts/index.html", color_scheme=scheme)
        page.click(".row >> nth=0 >> .play")
        until(page, PLAYED % 0)
        page.mouse.move(5, 5)
        fill, ground = page.evaluate(
            """[getComputedStyle(document.querySelector(".row .play .off")).fill,
                getComputedStyle(document.querySelector(".row .play")).backgroundColor]"""
        )
        on = {"light": "rgb(253, 249, 240)", "dark": "rgb(20, 17, 15)"}[scheme]
        under = {"light": "rgb(168, 61, 38)", "dark": "rgb(242, 132, 60)"}[scheme]
        assert (fill, ground) == (on, under)
        assert page.is_visible(".row >> nth=0 >> .play .off") and not page.is_visible(".row >> nth=0 >> .on")
