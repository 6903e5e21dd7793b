"""Sketches pretend to no difference that they don't have: takes with one sound are one tile that says so."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gallery.catalogue.sounds import by_sound, differ
from support.galleries import Gallery, catalogue, render_all
from support.sample_site import waiting_entries

pytest_plugins = ["support.site_fixtures"]


def clips_of(page: str) -> str:
    """The part of a prompt's page that plays its clips."""
    return page[page.index('<section class="clips"') : page.index('<div class="beside">')]


def buttons(part: str) -> int:
    return len(re.findall(r"data-play\b|class=\"tile\"", part))


@pytest.fixture
def waiting(gallery: Gallery) -> Gallery:
    """A comparison, and a prompt that differs from one of its takes in nothing but guidance."""
    gallery.prompt("a/strip", "prompt: slow waltz", "duration: 1", "vary:", "  cfg_coef: [1, 3, 5]")
    gallery.prompt("a/kin", "prompt: slow waltz", "duration: 1", "cfg_coef: 7")
    assert gallery.run("build", "--engine", "sketch").code == 0
    return gallery


def page_of(gallery: Gallery, path: str = "a/strip") -> str:
    return (gallery.root / f"site/prompts/{path}/index.html").read_text()


def test_takes_with_one_sketch_are_one_tile(waiting: Gallery) -> None:
    [entry, other] = (catalogue(waiting)[path] for path in ("a/strip", "a/kin"))
    # The files differ by their tags, the sound doesn't.
    assert len({(waiting.root / "site" / clip["audio"]).read_bytes() for clip in entry["clips"]}) == 3
    assert len({clip["sound"] for clip in [*entry["clips"], *other["clips"]]}) == 1
    assert not any(clip["kin"] for clip in [*entry["clips"], *other["clips"]])
    page, part = page_of(waiting), clips_of(page_of(waiting))
    assert buttons(part) == 1 and "<b>3 takes, one sketch:</b> waiting to be rendered" in part
    assert "goes on from the same second" not in part and "differs" not in part
    for clip, value in zip(entry["clips"], (1, 3, 5), strict=True):
        assert part.count(f' id="{clip["id"]}"') == 1 and f">guidance {value}</a>" in part
        assert f'data-for="{clip["id"]}"' in page
    # What is told of the one holds for all.
    assert "guidance" not in re.search(r'<p class="facts">.*?</p>', part, re.DOTALL)[0]
    assert "Heard next to it" not in page + page_of(waiting, "a/kin")


def test_lists_and_search_offer_one_sketch_once(waiting: Gallery) -> None:
    said = "3 takes, one sketch: waiting to be rendered"
    rows = (waiting.root / "site/prompts/index.html").read_text()
    assert said in rows and 'class="take"' not in rows and "the same but for" not in rows
    assert 'data-filter="compares"' not in rows or 'data-value="guidance"' not in rows
    script = (waiting.root / "site/search/0.js").read_text()
    data = json.loads(script[script.index("{") : script.rindex("}") + 1])
    [row] = (row for row in data["rows"] if row[0] == "a/strip")
    assert row[11] == [said, []] and len(row[12]) == 1
    assert data["compares"] == []


def test_what_is_rendered_is_told_from_the_sketch_of_the_rest(waiting: Gallery) -> None:
    """And the pages of an earlier build become those of a clean one."""
    keys = render_all(waiting, "a/strip")
    later = [waiting.root / f".gallery/renders/{key}.wav" for key in keys[1:]]
    kept = {path: path.read_bytes() for path in later}
    for path in later:
        path.unlink()
    waiting.run("build", "--engine", "sketch")
    part = clips_of(page_of(waiting))
    assert buttons(part) == 2 and "<b>2 takes, one sketch:</b>" in part
    entry = catalogue(waiting)["a/strip"]
    assert [len(alike) for alike in by_sound(entry["clips"])] == [1, 2] and not differ(entry["clips"])
    # Only where both can be heard is one the other's kin.
    assert "guidance 1" in page_of(waiting, "a/kin").split("Heard next to it")[1]
    assert "guidance 3" not in page_of(waiting, "a/kin").split("Heard next to it")[1]
    for path, data in kept.items():
        path.write_bytes(data)
    waiting.run("build", "--engine", "sketch")
    part = clips_of(page_of(waiting))
    assert buttons(part) == 3 and "one sketch" not in part
    assert differ(catalogue(waiting)["a/strip"]["clips"])
    assert len(catalogue(waiting)["a/kin"]["clips"][0]["kin"]) == 3
    (waiting.root / ".gallery/state.sqlite").unlink()
    waiting.run("build", "--engine", "sketch", "--output", waiting.root / "clean")
    clean, built = (
        {name: data for name, data in waiting.files(folder).items() if name.endswith((".html", ".js"))}
        for folder in ("clean", "site")
    )
    assert clean == built


def test_only_sketches_have_the_digest_of_their_sound(waiting: Gallery) -> None:
    keys = render_all(waiting, "a/kin")
    waiting.run("build", "--engine", "sketch")
    record = json.loads((waiting.root / f"site/audio/{keys[0]}.json").read_text())
    assert "sound" not in record["preview"]  # earlier versions refuse fields that they don't know
    sketches = [json.loads(path.read_text()) for path in (waiting.root / ".gallery/sketches").glob("*.json")]
    assert len({record["preview"]["sound"] for record in sketches}) == 1
    # What differs in its sound differs here.
    waiting.prompt("a/other", "prompt: slow waltz", "duration: 1", "seed: 8")
    waiting.run("build", "--engine", "sketch")
    found = catalogue(waiting)
    assert found["a/other"]["clips"][0]["sound"] != found["a/strip"]["clips"][0]["sound"]
    assert found["a/kin"]["clips"][0]["sound"] == ""


def test_downloads_of_sketches_are_named_so(site: Path) -> None:
    for path, suffix in (("sound/sketched", "-sketch.mp3"), ("lofi/rainy", "")):
        names = re.findall(r'download="([^"]+)"', (site / f"prompts/{path}/index.html").read_text())
        assert len(names) == 2 and all(name.endswith(suffix) for name in names), names
        assert suffix or not any("sketch" in name for name in names)


def test_a_matrix_joins_what_is_one_sketch(waiting_site: Path) -> None:
    """Neighbours are one wide tile; where takes lie apart, the first is the tile and the others tell."""
    rows = clips_of((waiting_site / "prompts/wait/rows/index.html").read_text())
    assert buttons(rows) == 2 and rows.count('colspan="2"') == 2
    columns = clips_of((waiting_site / "prompts/wait/columns/index.html").read_text())
    assert buttons(columns) == 2 and columns.count("the same sketch: waiting to be rendered") == 2
    everything = clips_of((waiting_site / "prompts/wait/all/index.html").read_text())
    assert buttons(everything) == 1 and "<table" not in everything
    assert "<b>6 takes, one sketch:</b> waiting to be rendered" in everything


def test_a_take_that_waits_can_be_looked_at(waiting_site: Path, watch: Any) -> None:
    clips = waiting_entries()[0]["clips"]
    page, _ = watch(f"{waiting_site.as_uri()}/prompts/wait/all/index.html#{clips[4]['id']}")
    assert page.locator(f'.request[data-for="{clips[4]["id"]}"]').is_visible()
    assert page.locator("[data-choose][aria-current]").inner_text() == "temperature 1, guidance 3"
    # To play what stands for all of them leaves it at that.
    page.click(".single .play")
    page.wait_for_selector(".dock.is-playing")
    assert page.locator(f'.request[data-for="{clips[4]["id"]}"]').is_visible()
    assert page.get_attribute("[data-save]", "download") == f"{clips[0]['id']}-sketch.mp3"
    page.click("[data-choose] >> nth=1")
    page.wait_for_selector(f'.request[data-for="{clips[1]["id"]}"]:visible')


def test_one_sketch_is_not_compared_with_itself(waiting_site: Path, watch: Any) -> None:
    keys = [clip["key"] for clip in waiting_entries()[0]["clips"]]
    page, _ = watch(f"{waiting_site.as_uri()}/compare/index.html?a={keys[0]}&b={keys[1]}")
    page.wait_for_selector("[data-pair]:visible")
    assert page.inner_text("[data-verdict]") == "Only the guidance."
    assert "there is nothing to compare" in page.inner_text("[data-sketched]")
    assert not page.is_visible("[data-blind-offer]") and page.locator("[data-hear]:visible").count() == 0
    page.keyboard.press("b")
    assert not page.is_visible(".dock")


@pytest.mark.parametrize("width", [390, 1360])
def test_a_sketchs_picture_is_small(width: int, address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/prompts/sound/sketched/index.html", width=width)
    box = page.locator(".clips .picture").bounding_box()
    assert box["height"] <= 48 and box["width"] <= 360
    assert page.evaluate("document.documentElement.scrollWidth") <= width
