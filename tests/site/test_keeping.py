"""Favourites, lists to share and to take along, and what was heard lately."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.entries_catalogue import write_entries
from support.sample_site import make_config, make_files
from support.site_fixtures import PLAYED, serving, shown, until

pytest_plugins = ["support.site_fixtures"]


@pytest.mark.parametrize("from_disk", [True, False])
def test_favourites_stay_and_play(from_disk: bool, address: str, served: str, watch: Any) -> None:
    start = address if from_disk else served
    page, _ = watch(f"{start}/prompts/index.html")
    page.click(".row >> nth=0 >> [data-star]")
    page.click(".row >> nth=1 >> [data-star]")
    assert page.get_attribute(".row >> nth=0 >> [data-star]", "aria-pressed") == "true"
    page.click(".row >> nth=2 >> .take >> nth=1")
    page.keyboard.press("f")
    assert page.get_attribute(".row >> nth=2 >> [data-star]", "aria-pressed") == "true"
    page.goto(f"{start}/favourites/index.html")
    page.wait_for_selector("[data-own] .row")
    assert page.locator("[data-own] .row-prompt").all_inner_texts() == [
        "slow waltz", "lofi piano, no rain", "lofi piano, rain on the window",
    ]  # fmt: skip
    assert page.inner_text("[data-own] .row-line").split() == ["take:", "guidance", "3"]
    page.click("[data-play-all]")
    until(page, PLAYED % 0.1)
    page.keyboard.press("j")
    assert page.inner_text("[data-dock-name]") == "lofi piano, no rain"
    page.click("[data-own] .row >> nth=0 >> [data-star]")
    until(page, "document.querySelectorAll('[data-own] .row').length === 2")


def test_a_list_is_shared_as_a_link(served: str, entries: Any, watch: Any) -> None:
    keys = [entries[place]["clips"][0]["key"] for place in (1, 0)]
    page, _ = watch(
        f"{served}/favourites/index.html?k={','.join(keys)},javascript:alert(1)",
        permissions=["clipboard-read", "clipboard-write"],
    )
    page.wait_for_selector("[data-own] .row")
    assert shown(page) == ["lofi piano, no rain", "lofi piano, rain on the window"]
    assert "shared with you" in page.inner_text("[data-told]")
    page.click("[data-keep-all]")
    until(page, "document.querySelector('[data-keep-all]').hidden")
    page.goto(f"{served}/favourites/index.html")
    page.wait_for_selector("[data-own] .row")
    page.click("[data-share]")
    until(page, "document.querySelector('[data-told]').textContent.includes('copied')")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{served}/favourites/index.html?k={','.join(keys)}"


def test_a_list_can_be_taken_along(address: str, entries: Any, watch: Any) -> None:
    rainy = entries[0]["clips"][0]
    half = next(item for item in entries if item["path"] == "compare/half")["clips"][1]
    page, _ = watch(f"{address}/favourites/index.html?k={rainy['key']},{half['key']}")
    page.wait_for_selector("[data-own] .row")
    with page.expect_download() as waiting:
        page.click("[data-export=m3u]")
    assert waiting.value.suggested_filename == "favourites.m3u"
    assert waiting.value.path().read_text().splitlines() == [
        "#EXTM3U",
        "#EXTINF:3,lofi piano, rain on the window",
        f"https://octocat.github.io/gallery/audio/{rainy['key']}.mp3",
        "#EXTINF:3,Sketch: half drawn",
        f"https://octocat.github.io/gallery/sketches/{half['key']}.mp3",
    ]
    with page.expect_download() as waiting:
        page.click("[data-export=json]")
    told = json.loads(waiting.value.path().read_text())
    assert [clip["key"] for clip in told["clips"]] == [rainy["key"], half["key"]]
    assert told["clips"][1]["request"] == half["request"] and told["clips"][1]["state"] == "sketch"


def test_a_list_can_be_taken_along_without_an_address(
    tmp_path: Path, entries: Any, media: dict[float, Path], open_page: Any
) -> None:
    write_entries(entries[:2], make_files(entries[:2], media), make_config(tmp_path), tmp_path / "gallery")
    clip = entries[1]["clips"][0]
    with serving(tmp_path / "gallery") as address:
        page, _ = open_page(f"{address}/favourites/index.html?k={clip['key']}")
        page.wait_for_selector("[data-own] .row")
        with page.expect_download() as waiting:
            page.click("[data-export=m3u]")
        assert waiting.value.path().read_text().splitlines()[2] == f"{address}/audio/{clip['key']}.mp3"


def test_what_was_heard_lately(address: str, watch: Any) -> None:
    page, _ = watch(f"{address}/prompts/index.html")
    for place in (0, 1):
        page.click(f".row >> nth={place} >> .play")
        until(page, PLAYED % 0)
    page.goto(f"{address}/favourites/index.html")
    page.wait_for_selector("[data-heard] .row")
    assert shown(page) == ["lofi piano, no rain", "lofi piano, rain on the window"]
    assert page.is_visible("[data-none]")
    page.click("[data-forget-heard]")
    until(page, "document.querySelector('[data-heard]').hidden")


def test_a_browser_that_keeps_nothing(served: str, watch: Any) -> None:
    refuse = """for (const name of ["localStorage", "sessionStorage"])
      Object.defineProperty(window, name, { get() { throw new DOMException("no", "SecurityError"); } });"""
    page, _ = watch(f"{served}/prompts/index.html", refuse)
    page.click(".row >> nth=0 >> [data-star]")
    assert page.get_attribute(".row >> nth=0 >> [data-star]", "aria-pressed") == "true"
    page.click(".row >> nth=1 >> [data-compare]")
    assert page.is_visible(".pick")
    page.click(".row >> nth=0 >> .play")
    until(page, PLAYED % 0)


def test_other_hands_in_the_storage_break_nothing(served: str, watch: Any) -> None:
    spoil = """for (const name of ["favourites", "heard", "volume", "repeat", "letters", "compare"])
      localStorage.setItem(
        "gallery /gallery/ " + name, ['{"a":', '["<img>", 7, null]', '"x"'][name.length % 3]);"""
    page, _ = watch(f"{served}/prompts/index.html", spoil)
    page.goto(f"{served}/favourites/index.html")
    until(page, "!document.querySelector('[data-none]').hidden")
    page.goto(f"{served}/prompts/index.html")
    page.click(".row >> nth=0 >> .play")
    until(page, PLAYED % 0)
