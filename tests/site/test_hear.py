"""Can you hear it? The daily listening test: its pairs, its rounds, and what is kept of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.entries_catalogue import write_entries
from support.galleries import Gallery, render_all
from support.sample_site import entry, grid, make_config, make_files, with_own_kin
from support.site_fixtures import PLAYED, until

pytest_plugins = ["support.site_fixtures"]

ANSWERABLE = "document.querySelector('[data-guess]').getAttribute('aria-disabled') === 'false'"
DAY = """{ const Native = Date; window.Date = class extends Native {
  constructor(...given) { super(...(given.length ? given : [window.day || "2026-11-30T23:59:00Z"])); } }; }"""
# X is A, always.
X_IS_A = "Math.random = () => 0.1;"
# What was kept in the browser of this page.
KEPT = "JSON.parse(localStorage.getItem('gallery /gallery/ hear'))"


def pairs_of(folder: Path) -> list[list[str]]:
    script = (folder / "hear/pairs.js").read_text()
    return json.loads(script.removeprefix("window.GALLERY_PAIRS=").removesuffix(";\n"))


def hear(page: Any, letters: str = "abx") -> None:
    """Listen to each until it counts: where the second that goes on is the last, once more."""
    for letter in letters:
        heard = f"document.querySelector('[data-listen={letter}]').matches('.is-heard')"
        page.keyboard.press(letter)
        until(page, f"{heard} || allAudio.every(audio => audio.paused)")
        if not page.evaluate(heard):
            page.keyboard.press(letter)
        until(page, heard)


def test_pairs_are_rendered_and_differ_in_one_thing(gallery: Gallery) -> None:
    gallery.prompt("strip", "prompt: slow waltz", "duration: 1", "vary:", "  cfg_coef: [1, 3, 5]")
    gallery.prompt("seeds", "prompt: drums", "duration: 1", "vary:", "  seed: [1, 2]")
    gallery.prompt("long", "prompt: slow waltz", "duration: 2", "cfg_coef: 3")
    gallery.prompt("alone", "prompt: a bell far away", "duration: 1")
    render_all(gallery, "strip", "seeds", "long")
    assert gallery.run("build").code == 0
    # Four pairs: a length is no difference to be heard.
    assert not (gallery.root / "site/hear").exists()
    assert "hear/index.html" not in (gallery.root / "site/index.html").read_text()
    gallery.prompt("strip", "prompt: slow waltz", "duration: 1", "vary:", "  cfg_coef: [1, 3, 5, 7]")
    assert gallery.run("build").code == 0
    assert not (gallery.root / "site/hear").exists()  # what is not rendered is no pair
    render_all(gallery, "strip")
    assert gallery.run("build").code == 0
    found = pairs_of(gallery.root / "site")
    assert sorted(label for _, _, label in found) == ["guidance"] * 6 + ["seed"]
    assert all(a < b for a, b, _ in found)
    assert 'href="hear/index.html"' in (gallery.root / "site/index.html").read_text()


def test_a_large_gallery_has_many_pairs_and_no_prompt_has_most(
    tmp_path: Path, media: dict[float, Path]
) -> None:
    config = make_config(tmp_path / "root")
    entries = [
        with_own_kin(grid(f"seeds/{place}", f"drums {place}", [("seed", list(range(1, 9)))]))
        for place in range(3)
    ]
    write_entries(entries, make_files(entries, media), config, tmp_path / "site")
    assert len(pairs_of(tmp_path / "site")) == 24


@pytest.mark.parametrize("from_disk", [True, False])
def test_a_day(from_disk: bool, address: str, served: str, site: Path, watch: Any) -> None:
    page, seen = watch(f"{address if from_disk else served}/index.html", DAY, X_IS_A, requests=True)
    page.click("text=Play today")
    page.wait_for_selector("[data-blind]:visible")
    assert page.inner_text("[data-heading]").lower() == "round 1 of 5"
    # Nothing tells what they are, and nothing is loaded before it is heard.
    assert (
        not page.is_visible("[data-told]") and not page.is_visible("[data-side-by-side]") and not seen.audio
    )
    rounds = 5 if from_disk else 1  # each takes its time: three clips are heard
    for number in range(1, rounds + 1):
        hear(page, "ab")
        page.keyboard.press("1")
        assert page.inner_text("[data-left]") == "Listen to X before you answer."
        hear(page, "x")
        assert page.inner_text("[data-dock-name]") == "Blind test: X"
        until(page, ANSWERABLE)
        page.keyboard.press("2" if number == 2 else "1")
        told = page.inner_text("[data-round]")
        assert told.startswith("No: X was A. What differs is the " if number == 2 else "Right: X was A.")
        assert page.inner_text("[data-told-a]") != page.inner_text("[data-told-b]")
        assert page.evaluate("document.activeElement.matches('[data-next]')")
        # Both can be heard again, by name.
        page.keyboard.press("b")
        until(page, PLAYED % 0)
        assert "Blind test" not in page.inner_text("[data-dock-name]")
        page.focus("[data-next]")
        page.keyboard.press("Enter")
        if number < 5:
            until(page, f"document.querySelector('[data-heading]').textContent === 'Round {number + 1} of 5'")
            assert page.evaluate("document.activeElement.matches('[data-heading]')")
    if not from_disk:
        return
    assert page.inner_text("[data-points]") == "4 of 5 today"
    assert "as well 19 % of the time" in page.inner_text("[data-verdict]").replace("\u00a0", " ")
    beads = [bead.removesuffix("\n") for bead in page.locator("[data-beads] li span").all_text_contents()]
    assert beads == ["right", "wrong", "right", "right", "right"]
    assert page.inner_text("[data-shared]").replace("\u00a0", " ").splitlines() == [
        "Can you hear it? Test gallery, 2026-11-30",
        "●○●●● 4 of 5 (by chance: 19 %)",
        "https://octocat.github.io/gallery/hear/index.html",
    ]
    until(page, "document.querySelectorAll('.again .take').length === 10")
    page.click(".again .take >> nth=0")
    until(page, PLAYED % 0)
    labels = {label for _, _, label in pairs_of(site)}
    lines = page.locator("[data-lines] th").all_inner_texts()
    assert lines == sorted(lines) and set(lines) <= labels
    assert (
        sum(int(cell.split()[2]) for cell in page.locator("[data-lines] td:nth-child(2)").all_inner_texts())
        == 5
    )


def test_a_day_is_gone_on_with_and_another_begins_anew(served: str, watch: Any) -> None:
    page, _ = watch(f"{served}/hear/index.html", DAY, X_IS_A)
    page.wait_for_selector("[data-blind]:visible")
    hear(page)
    page.keyboard.press("1")
    page.reload()
    page.wait_for_selector("[data-blind]:visible")
    assert page.inner_text("[data-heading]").lower() == "round 2 of 5"
    assert page.locator(".beads .right").count() == 1
    page.add_init_script("window.day = '2026-12-01T00:00:00Z';")
    page.reload()
    page.wait_for_selector("[data-blind]:visible")
    assert page.inner_text("[data-heading]").lower() == "round 1 of 5"
    assert page.locator(".beads .right").count() == 0
    # The record is of all days, until it is forgotten.
    assert page.locator("[data-lines] td:nth-child(2)").all_inner_texts() == ["1 of 1"]
    page.click("[data-forget]")
    assert not page.is_visible("[data-record]")
    assert page.evaluate(f"{KEPT}.record") == {}


def test_what_cannot_be_loaded_is_left_out(
    tmp_path: Path, entries: Any, media: dict[float, Path], config: Any, watch: Any
) -> None:
    write_entries(entries, make_files(entries, media), config, tmp_path / "gallery")
    for clip in (tmp_path / "gallery/audio").glob("*.mp3"):
        clip.unlink()
    page, seen = watch(f"{(tmp_path / 'gallery').as_uri()}/hear/index.html")
    page.wait_for_selector("[data-blind]:visible")
    page.keyboard.press("a")
    until(page, "document.querySelector('[data-round]').textContent.includes('could not be loaded')")
    page.click("[data-next]")
    until(page, "document.querySelector('[data-heading]').textContent === 'Round 2 of 5'")
    assert page.locator(".beads .right, .beads .wrong").count() == 0
    seen.complaints.clear()  # the browser's own words on files that aren't there


@pytest.mark.parametrize("kept", ['"x"', '{"day":"2026-11-30","answers":7,"record":[["<img>",7]]}', "[[]]",
    '{"record":{"<img src=x>":[1,2],"seed":[3,2],"guidance":["a",1],"x":null}}'])  # fmt: skip
def test_a_record_of_other_hands_is_data(kept: str, served: str, watch: Any) -> None:
    page, _ = watch(
        f"{served}/hear/index.html",
        DAY,
        f"localStorage.setItem('gallery /gallery/ hear', {json.dumps(kept)});",
    )
    page.wait_for_selector("[data-blind]:visible")
    assert page.locator("[data-lines] th").all_inner_texts() in ([], ["<img src=x>"])
    assert page.locator("[data-lines] img").count() == 0


@pytest.mark.parametrize("width", [390, 1360])
def test_it_fits(width: int, served: str, open_page: Any) -> None:
    page, _ = open_page(f"{served}/hear/index.html", width=width, height=844, reduced_motion="reduce")
    page.wait_for_selector("[data-blind]:visible")
    page.click("[data-listen=a]")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    answers = page.locator("[data-listen], [data-guess]").all()
    assert len(answers) == 5 and min(each.bounding_box()["height"] for each in answers) >= 44
    # The whole round is seen at once, above the dock.
    assert max(each.bounding_box()["y"] for each in answers) < 844 - 120


def test_no_pairs_no_test(tmp_path: Path, media: dict[float, Path]) -> None:
    entries = [entry("lofi/rainy", "lofi piano")]
    write_entries(entries, make_files(entries, media), make_config(tmp_path / "root"), tmp_path / "site")
    assert not (tmp_path / "site/hear").exists()
