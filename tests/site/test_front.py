"""The front door: what opens it, what its first screen says and plays, and the questions below."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gallery.site.pages import front
from support.entries_catalogue import write_entries
from support.galleries import SETTINGS, Gallery
from support.sample_site import clip, entry, grid, make_config, make_files, tree
from support.site_fixtures import AHEAD, NEVER_SILENT, PLAYED, follow, moved, serving, until

pytest_plugins = ["support.site_fixtures", "support.shipped_pages"]

SIZES = [(1360, 940), (390, 844)]
STOPS = "[data-track] .stop"


@pytest.fixture
def make(tmp_path: Path, media: dict[float, Path]) -> Callable[..., Path]:
    """A site of these entries."""

    def write(*entries: dict[str, Any], **site: Any) -> Path:
        config = make_config(tmp_path, **site)
        write_entries(entries, make_files([*entries], media), config, tmp_path / "site")
        return tmp_path / "site"

    return write


def opened(site: Path) -> str:
    """What a site's front door opens with."""
    found = re.search(
        r'id="opening"><a href="prompts/([^"]+)/index\.html"', (site / "index.html").read_text()
    )
    return found[1] if found else ""


def drawn(item: dict[str, Any], *, alike: bool = False) -> dict[str, Any]:
    """The prompt with sketches in the place of its renders."""
    for number, each in enumerate(item["clips"]):
        peaks = "A" * 200 if alike else f"{number:A<200}"
        sound = "alike" if alike else f"sound {number}"
        each.update(state="sketch", engine="sketch", audio=f"sketches/{each['key']}.mp3", peaks=peaks)
        each["sound"] = sound
        each["cover"] = each["audio"].replace(".mp3", ".webp")
    return item


def guidance(path: str, text: str = "slow waltz", **fields: Any) -> dict[str, Any]:
    return grid(path, text, [("cfg_coef", [1.0, 3.0, 5.0])], **fields)


# ---- the first screen


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_first_screen_says_what_this_is_and_has_what_plays(
    width: int, height: int, scheme: str, address: str, watch: Any
) -> None:
    page, _ = watch(f"{address}/index.html", width=width, height=height, color_scheme=scheme)
    assert page.inner_text("h1") == "Hear what a prompt does."
    assert "MusicGen" in page.inner_text(".welcome p")
    assert page.inner_text(".stage-quote p >> visible=true") == "slow waltz"
    parts = ("h1", ".welcome p", ".stage > .play", ".stage > .picture", ".stage-same", STOPS)
    for name in parts:
        box = page.locator(name).last.bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= height, name
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.inner_text(".stage-same").startswith("Same words, same seed; only guidance moves.")
    assert page.get_attribute("text=what guidance does", "href") == "guides/en/guidance/index.html"
    # The dock, too, leaves it all to be seen.
    page.click(".stage > .play")
    until(page, PLAYED % 0.1)
    slider = page.locator(STOPS).last.bounding_box()
    assert slider["y"] + slider["height"] <= page.locator(".dock").bounding_box()["y"]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_first_screen_is_light(width: int, height: int, shipped: Path, open_page: Any) -> None:
    """HTML, styles, scripts, fonts, and the pictures before scrolling: what a browser asks for, gzipped."""
    with serving(shipped) as there:
        page, seen = open_page(f"{there}/index.html", width, height, requests=True)
        page.wait_for_load_state("networkidle")
    names = [urlsplit(url).path.removeprefix("/gallery/") for url in seen.requests]
    fonts = {f"assets/fonts/instrument-serif-latin-400-{style}.woff2" for style in ("normal", "italic")}
    assert {"index.html", "assets/site.css", "assets/front.css", "assets/player.js", *fonts} <= {*names}
    cover = 5000  # the stage's, the only one before scrolling: of 4 KB, as most are
    assert cover + sum(len(gzip.compress((shipped / name).read_bytes())) for name in names) <= 95_000


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_before_scrolling_one_picture_is_loaded(
    width: int, height: int, make: Callable[..., Path], open_page: Any
) -> None:
    asking = [
        guidance(f"{n}/q", f"text {n}", title=f"Number {n}?", date=f"2026-11-0{n}") for n in range(1, 9)
    ]
    page, seen = open_page(f"{make(*asking).as_uri()}/index.html", width, height, requests=True)
    page.wait_for_load_state("networkidle")
    covers = [url for url in seen.requests if url.endswith(".webp")]
    assert len(covers) == 1
    page.locator(".covers").scroll_into_view_if_needed()
    loaded = (
        "[...document.images].every(image => image.complete && image.naturalWidth && image.checkVisibility())"
    )
    until(page, loaded)
    assert len({url for url in seen.requests if url.endswith(".webp")}) == 8


def test_a_site_without_scripts_plays_by_itself(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/index.html", java_script_enabled=False)
    assert page.locator(".stage audio[controls]").count() == 3
    assert page.locator(".stage audio >> nth=0").bounding_box()["width"] > 100
    assert page.is_visible("text=guidance 5") and not page.is_visible(STOPS)
    assert page.is_visible(".questions h2") is False
    follow(page, "#opening a")
    assert page.url.endswith("/prompts/compare/strip/index.html")


# ---- playing, and switching


@pytest.mark.parametrize("from_disk", [True, False])
def test_takes_are_loaded_with_the_first_and_switched_at_the_same_second(
    from_disk: bool, address: str, served: str, watch: Any
) -> None:
    page, seen = watch(f"{address if from_disk else served}/index.html", NEVER_SILENT, requests=True)
    page.wait_for_load_state("networkidle")
    assert not seen.audio and not page.is_visible(".dock")
    page.click(".stage > .play")
    until(page, PLAYED % 0.3)
    assert page.get_attribute(".stage > .play", "aria-label") == "Pause slow waltz"
    until(page, "new Set(allAudio.map(audio => audio.src).filter(Boolean)).size === 3")
    until(page, "allAudio.filter(audio => audio.src).every(audio => audio.readyState === 4)")
    assert len(set(seen.audio)) == 3
    page.evaluate("watchSilence()")
    for place in (1, 2, 0):
        before = page.evaluate(AHEAD)
        page.evaluate("window.before = played")
        page.click(f"{STOPS} >> nth={place}")
        until(page, "played !== before && !played.muted && played.volume === 1")
        assert moved(page, before) < 0.1
        until(page, "before.volume < 0.001 && !before.muted")
        assert page.locator(STOPS).nth(place).locator("input").is_checked()
        id_ = page.get_attribute(".stage", "data-id")
        assert page.url.endswith(f"#k={id_}") and id_ in page.evaluate("played.src")
    assert page.evaluate("silences") == 0
    assert page.evaluate("allAudio.filter(isHeard).length") == 1
    page.click("[data-dock-play]")
    until(page, "allAudio.every(audio => audio.paused)")


def test_hasty_hands_end_with_the_last_take(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/index.html")
    page.click(".stage > .play")
    until(page, PLAYED % 0.1)
    for place in (1, 2, 1, 0, 2, 1, 2):
        page.locator(STOPS).nth(place).click(force=True)
    key = page.get_attribute(".stage", "data-clip")
    until(page, f"played.src.includes('{key}') && !played.paused && played.volume === 1")
    until(page, "allAudio.filter(isHeard).length === 1")


def test_a_finger_drags_the_slider(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/index.html")
    boxes = [page.locator(STOPS).nth(place).bounding_box() for place in range(3)]
    places = [(box["x"] + box["width"] / 2, box["y"] + 20) for box in boxes]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(places[1][0] + 9, places[1][1] + 30, steps=4)
    assert page.locator(f"{STOPS} input >> nth=1").is_checked()
    page.mouse.move(*places[2], steps=4)
    page.mouse.up()
    until(page, PLAYED % 0)
    assert page.locator(f"{STOPS} input >> nth=2").is_checked()
    assert "guidance 5" in page.inner_text("[data-dock-facts]")
    # A finger that scrolls the page changes nothing.
    rail = "document.querySelector('.stops')"
    finger = f"{{bubbles: true, pointerType: 'touch', pointerId: 1, clientX: {places[0][0]}}}"
    page.evaluate(f"{rail}.setPointerCapture = () => {{}}")
    for kind in ("pointerdown", "pointercancel", "pointermove"):
        page.evaluate(f"{rail}.dispatchEvent(new PointerEvent('{kind}', {finger}))")
    assert page.locator(f"{STOPS} input >> nth=2").is_checked()


def test_the_slider_is_a_radio_group_for_keys_and_readers(address: str, watch: Any) -> None:
    page, seen = watch(f"{address}/index.html", requests=True)
    group = page.get_by_role("radiogroup", name="guidance")
    assert [each.get_attribute("value") for each in group.get_by_role("radio").all()] == ["0", "1", "2"]
    assert group.get_by_role("radio", name="5").count() == 1
    group.get_by_role("radio", name="1").focus()
    page.keyboard.press("ArrowRight")
    assert group.get_by_role("radio", name="3").is_checked() and not seen.audio
    page.keyboard.press("Enter")
    until(page, PLAYED % 0.2)
    assert "guidance 3" in page.inner_text("[data-dock-facts]")
    page.keyboard.press("ArrowRight")
    until(page, f"played.src.includes('{page.get_attribute('.stage', 'data-clip')}')")
    assert "guidance 5" in page.inner_text("[data-dock-facts]")
    page.keyboard.press(" ")
    until(page, "played.paused")
    # While it is silent, arrows choose at the second where it stands.
    second = page.evaluate("played.currentTime")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press(" ")
    until(page, "!played.paused")
    assert page.evaluate("played.currentTime") >= second - 0.1
    outline = "getComputedStyle(document.querySelector('.stop :checked + span')).outlineStyle"
    assert page.evaluate(outline) == "solid"


def test_an_address_leads_to_a_take(address: str, entries: Any, watch: Any) -> None:
    takes = next(item for item in entries if item["path"] == "compare/strip")["clips"]
    page, seen = watch(f"{address}/index.html#k={takes[1]['id']}&t=1.5", requests=True)
    assert page.locator(f"{STOPS} input >> nth=1").is_checked() and not seen.audio
    assert page.inner_text("[data-time]") == "0:02"
    page.click(".stage > .play")
    until(page, PLAYED % 1.5)
    assert takes[1]["key"] in page.evaluate("played.src")
    # What the dock goes on to shows on the slider, and other clips leave it alone.
    page.keyboard.press("j")
    until(page, "document.querySelectorAll('.stop input')[2].checked")


def test_prompt_and_settings_of_what_plays_are_copied(served: str, watch: Any) -> None:
    page, _ = watch(f"{served}/index.html", permissions=["clipboard-read", "clipboard-write"])
    page.click(f"{STOPS} >> nth=2")
    page.click("[data-copy-words]")
    until(page, "document.querySelector('[data-copied]').textContent === 'Copied.'")
    assert page.evaluate("navigator.clipboard.readText()") == "slow waltz"
    page.click("[data-copy-settings]")
    until(page, "navigator.clipboard.readText().then(text => text.includes('cfg_coef'))")
    assert page.evaluate("navigator.clipboard.readText()").splitlines() == [
        "model: facebook/musicgen-small", "duration: 3", "seed: 1",
        "temperature: 1", "top_k: 250", "top_p: 0", "cfg_coef: 5",
    ]  # fmt: skip


# ---- other forms of it


def test_two_things_have_a_slider_each(make: Callable[..., Path], watch: Any) -> None:
    axes = [("temperature", [0.0, 1.0]), ("seed", [1, 2, 3])]
    page, _ = watch(f"{make(grid('a/m', 'boogie', axes)).as_uri()}/index.html")
    assert page.locator("[role=radiogroup]").count() == 2
    page.get_by_role("radiogroup", name="seed").get_by_role("radio", name="2").press(" ")
    # Without chance, the seeds are one clip.
    until(page, PLAYED % 0.1)
    first = page.get_attribute(".stage", "data-clip")
    assert "temperature 0" in page.inner_text("[data-dock-facts]")
    page.get_by_role("radiogroup", name="temperature").get_by_role("radio", name="1").click(force=True)
    assert "temperature 1, seed 2" in page.inner_text("[data-dock-facts]")
    assert page.get_attribute(".stage", "data-clip") != first
    assert page.inner_text(".stage-same").startswith("Same words; only temperature and the seed change.")


def test_wordings_show_what_changed(make: Callable[..., Path], watch: Any) -> None:
    words = ["dusty drums", "dusty drums, mastered", "dusty bongos"]
    site = make(grid("a/w", words[0], [("prompt", words)]))
    page, _ = watch(f"{site.as_uri()}/index.html", permissions=["clipboard-read", "clipboard-write"])
    assert page.locator(f"{STOPS} span").all_inner_texts() == ["drums", "+ mastered", "bongos"]
    page.click(f"{STOPS} >> nth=1")
    until(page, PLAYED % 0)
    assert page.inner_text(".stage-quote p >> visible=true") == words[1]
    assert page.inner_text(".stage-quote ins >> visible=true").strip(", ") == "mastered"
    assert page.inner_text("[data-dock-name]") == words[1]
    assert page.inner_text(".stage-same").startswith("Same seed; only the words change.")
    # Of other words altogether, nothing is marked.
    make(grid("a/w", "koto", [("prompt", ["koto", "a loud brass band"])]))
    page.goto(page.url.split("#")[0])
    page.click(f"{STOPS} >> nth=1")
    assert page.inner_text(".stage-quote p >> visible=true") == "a loud brass band"
    assert page.locator(".stage-quote :is(ins, del)").count() == 0


def test_a_list_of_takes_is_one_slider(make: Callable[..., Path], watch: Any) -> None:
    takes = [
        clip("jazz", changes={}),
        clip("jazz", temperature=0.8, cfg_coef=5, changes={"temperature": 0.8, "cfg_coef": 5}),
    ]
    page, _ = watch(f"{make(entry('a/t', 'jazz', takes)).as_uri()}/index.html")
    told = page.locator(f"{STOPS} span").all_inner_texts()
    assert told == ["guidance 3, temperature 1", "guidance 5, temperature 0.8"]
    page.click(f"{STOPS} >> nth=1")
    until(page, PLAYED % 0)
    assert takes[1]["key"] in page.evaluate("played.src")


def test_sketches_say_on_the_first_screen_that_they_are_not_musicgen(
    make: Callable[..., Path], watch: Any
) -> None:
    half = guidance("a/h")
    drawn(half)
    page, _ = watch(f"{make(half).as_uri()}/index.html", width=390, height=844)
    note = page.locator("[data-honest]")
    assert "not MusicGen" in note.inner_text()
    assert note.bounding_box()["y"] + note.bounding_box()["height"] < 844 - 120
    assert page.get_attribute(".stage > .play", "aria-label") == "Play sketch: slow waltz"
    # Of what is half rendered, each take says for itself.
    mixed = guidance("a/h")
    mixed["clips"][0] = half["clips"][0]
    make(mixed)
    page.reload()
    assert note.is_visible()
    page.click(f"{STOPS} >> nth=1")
    until(page, PLAYED % 0)
    assert not note.is_visible() and page.locator(".stage > .picture .mark").count() == 0


def test_one_clip_or_none_that_sounds(make: Callable[..., Path], watch: Any) -> None:
    page, _ = watch(f"{make(entry('one', 'church bell')).as_uri()}/index.html")
    assert page.locator("[data-track]").count() == 0 and page.inner_text(".stage-quote") == "church bell"
    page.click(".stage > .play")
    until(page, PLAYED % 0.1)
    page.click(".stage > .play")
    until(page, "played.paused")
    make(entry("one", "thunder", [clip("thunder", state="pending")]))
    page.goto(page.url.split("#")[0])
    assert page.locator("main button.play:visible").count() == 0
    assert page.inner_text(".stage > .picture") == "not rendered yet"


def test_an_empty_gallery_tells_how_to_begin(make: Callable[..., Path], open_page: Any) -> None:
    page, _ = open_page(f"{make().as_uri()}/index.html")
    assert page.is_visible("h1") and "gallery new" in page.inner_text(".beginning")
    follow(page, ".beginning a")
    assert page.url.endswith("/add/index.html")


def test_sketches_of_one_sound_are_no_comparison(make: Callable[..., Path]) -> None:
    alike = drawn(guidance("a/alike", title="Does it matter?", date="2026-11-20"), alike=True)
    apart = drawn(guidance("a/apart", "fast polka", date="2026-11-01"))
    site = make(alike, apart)
    assert opened(site) == "a/apart" and "Does it matter?" not in (site / "index.html").read_text()
    # A curator who names them gets one sound under its name.
    text = (make(alike, apart, opening="a/alike", questions=["a/alike"]) / "index.html").read_text()
    assert opened(site) == "a/alike" and "data-track" not in text
    assert text.count("3 takes, one sketch: waiting to be rendered") == 2
    assert "Does it matter?" in text and text.count('class="take ask') == 1


# ---- what opens the site


def test_what_opens_the_site(make: Callable[..., Path]) -> None:
    one = entry("new/one", "a single clip", date="2026-11-30")
    waiting = entry("new/waiting", "thunder", [clip("thunder", state="pending")], date="2026-12-01")
    sketched = drawn(guidance("new/sketched", "polka", date="2026-11-29"))
    older, newer = (
        guidance("old/older", "a", date="2026-11-01"),
        guidance("old/newer", "b", date="2026-11-02"),
    )
    large = grid("new/large", "c", [("seed", list(range(13)))], date="2026-11-28")
    everything = [one, waiting, sketched, older, newer, large]
    assert opened(make(*everything)) == "old/newer"
    assert opened(make(*everything, opening="new/large")) == "new/large"
    assert opened(make(*everything, opening="no/such")) == "old/newer"
    assert opened(make(one, waiting, sketched)) == "new/sketched"
    assert opened(make(one, waiting)) == "new/one"
    assert opened(make(waiting)) == "new/waiting"
    assert opened(make()) == ""


def test_prompts_that_the_settings_name_and_nobody_has_are_told(gallery: Gallery) -> None:
    gallery.prompt("a", "prompt: a", "duration: 1")
    named = 'opening = "b/c"\nquestions = ["a", "d"]\n'
    gallery.write("gallery.toml", SETTINGS.replace("[site]\n", f"[site]\n{named}"))
    ran = gallery.run("build", "--engine", "none")
    assert ran.code == 0
    assert "gallery.toml: site.opening: no prompt b/c" in ran.err
    assert "gallery.toml: site.questions: no prompt d" in ran.err


def test_the_headline_is_the_curators(make: Callable[..., Path], open_page: Any) -> None:
    site = make(entry("a", "b"), headline="*Listen* & <compare>", description="Made with MusicGen.")
    page, _ = open_page(f"{site.as_uri()}/index.html")
    assert page.inner_text("h1") == "Listen & <compare>" and page.inner_text("h1 em") == "Listen"
    assert page.inner_text(".welcome p") == "Made with MusicGen."


# ---- questions, and the catalogue by folder


def test_questions_are_answered_by_playing(make: Callable[..., Path], watch: Any) -> None:
    first = guidance("a/first", date="2026-11-30")
    rendered = grid("b/r", "polka", [("seed", [1, 2])], title="Do seeds matter?", date="2026-11-01")
    sketch = drawn(guidance("c/s", "drone", title="静か？", date="2026-11-20"))
    site = make(first, rendered, sketch, entry("d/none", "bell", title="One clip?"))
    page, _ = watch(f"{site.as_uri()}/index.html")
    assert page.locator(".asked h3").all_inner_texts() == ["Do seeds matter?", "静か？"]
    assert page.locator(".asked article").nth(1).locator(".mark").inner_text() == "sketch"
    takes = page.locator(".asked article").nth(0).locator(".take")
    assert takes.all_inner_texts() == ["1", "2"]
    takes.nth(0).click()
    until(page, PLAYED % 0.4)
    assert takes.nth(0).get_attribute("aria-label") == "Pause Do seeds matter? 1"
    before = page.evaluate(AHEAD)
    page.evaluate("window.before = played")
    takes.nth(1).click()
    until(page, "played !== before && !played.muted && played.volume === 1")
    assert moved(page, before) < 0.1
    assert page.locator(".take.is-playing").all_inner_texts() == ["2"]
    # The instrument above takes over at its own beginning.
    page.click(".stage > .play")
    until(page, f"played.src.includes('{first['clips'][0]['key']}') && !played.paused")
    assert page.locator(".asked .is-playing").count() == 0


def test_questions_are_in_the_curators_order(make: Callable[..., Path]) -> None:
    items = [guidance(f"q/{n}", f"text {n}", title=f"Number {n}?", date=f"2026-11-0{n}") for n in range(1, 5)]
    asked = re.compile(r'<h3[^>]*><a href="prompts/q/(\d)/')
    assert asked.findall((make(*items) / "index.html").read_text()) == ["3", "2", "1"]
    named = make(*items, questions=["q/1", "q/9", "q/4", "q/1"]) / "index.html"
    assert asked.findall(named.read_text()) == ["1", "4"]


def test_the_catalogue_follows_by_folder(make: Callable[..., Path]) -> None:
    items = [entry("b/x", "one"), entry("a/y", "two"), entry("a/deep/z", "three"), entry("top", "four")]
    text = (make(*items) / "index.html").read_text()
    assert re.findall(r'<li><a href="folders/(\w+)/index.html">', text) == ["a", "b"]
    covers = text.partition('<ul class="covers">')[2]
    assert covers.count(".webp") == 2 and covers.count('loading="lazy"') == 2
    flat = (make(entry("one", "first"), entry("two", "second")) / "index.html").read_text()
    assert 'class="covers"' not in flat and flat.count('<article class="row"') == 1
    assert flat.count('<h3 class="row-prompt"') == 1 and "&lt;" not in flat


@pytest.mark.parametrize("title", ["Is it?", "これは？", "هل هو؟", "Is it? Listen."])
def test_titles_ask_in_any_script(title: str) -> None:
    assert front.asks(title)


def test_it_is_written_anew_with_what_it_shows(make: Callable[..., Path]) -> None:
    first = guidance("a/first", date="2026-11-30")
    other = guidance("b/other", "polka", title="Is it?", date="2026-11-01")
    before = tree(make(first, other))["index.html"]
    first["notes"] = "Not shown here."
    assert tree(make(first, other))["index.html"] == before
    first["text"] = first["title"] = "fast waltz"
    assert "fast waltz" in (make(first, other) / "index.html").read_text()
    drawn(other)
    assert f"sketches/{other['clips'][0]['key']}.mp3" in (make(first, other) / "index.html").read_text()
    assert "no-such" not in (make(other) / "index.html").read_text() and opened(make(other)) == "b/other"
