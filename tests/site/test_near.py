"""What a prompt's page leads on to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from support.entries_catalogue import write_entries
from support.galleries import Gallery
from support.sample_site import entry, kin, make_config, make_files

pytest_plugins = ["support.site_fixtures"]

NEIGHBOUR = re.compile(r'<a href="([^"]+)"><span>([^<]+)</span> <b dir="auto">([^<]+)</b></a>')


def neighbours(site: Path, path: str) -> list[tuple[str, str]]:
    """Where a prompt's page leads on to, and why."""
    nav = (site / f"prompts/{path}/index.html").read_text().partition('aria-label="More like this"')[2]
    return [
        (
            link.removeprefix("../" * (path.count("/") + 2))
            .removeprefix("prompts/")
            .removesuffix("/index.html"),
            why,
        )
        for link, why, _ in NEIGHBOUR.findall(nav.partition("</nav>")[0])
    ]


def test_kin_come_first_then_the_folder_then_tags(tmp_path: Path, media: dict[float, Path]) -> None:
    rain = entry("lofi/rain", "piano in rain", tags=["piano", "calm"], date="2026-11-09")
    snow = entry("winter/snow", "piano in snow", tags=[], date="2026-11-01")
    kin(rain, snow, "prompt", snow["text"], [["=", "piano in "], ["-", "rain"], ["+", "snow"]])
    entries = [
        rain,
        snow,
        entry("lofi/desk", "lamp and vinyl", date="2026-11-08"),
        entry("lofi/tape", "tape piano", tags=["piano", "calm"], date="2026-11-02"),
        entry("jazz/trio", "trio at night", tags=["piano"], date="2026-11-05"),
        entry("jazz/brush", "brushes", tags=["calm"], date="2026-11-04"),
        entry("far/away", "a bell", date="2026-11-03"),
    ]
    write_entries(entries, make_files(entries, media), make_config(tmp_path / "root"), tmp_path / "site")
    assert neighbours(tmp_path / "site", "lofi/rain") == [
        ("winter/snow", "the same but for one thing"),
        ("lofi/tape", "also in lofi"),  # shares two tags
        ("lofi/desk", "also in lofi"),
        ("jazz/brush", "also #calm"),
    ]
    # Nothing is near, nothing is made up.
    assert neighbours(tmp_path / "site", "far/away") == []
    assert "More like this" not in (tmp_path / "site/prompts/far/away/index.html").read_text()


@pytest.mark.parametrize("edit", ["title", "gone"])
def test_a_neighbour_that_changes_is_told_by_the_next_build(edit: str, gallery: Gallery) -> None:
    gallery.prompt("lofi/rain", "prompt: rain", "duration: 1")
    other = gallery.prompt("lofi/tape", "prompt: a tape", "duration: 1", "title: Old")
    assert gallery.run("build").code == 0
    assert ">Old</b>" in (gallery.root / "site/prompts/lofi/rain/index.html").read_text()
    if edit == "title":
        gallery.prompt("lofi/tape", "prompt: a tape", "duration: 1", "title: New")
    else:
        other.unlink()
    assert gallery.run("build").code == 0
    page = (gallery.root / "site/prompts/lofi/rain/index.html").read_text()
    assert ">Old</b>" not in page and (">New</b>" in page) == (edit == "title")


def test_many_prompts_of_one_folder(tmp_path: Path) -> None:
    entries: list[dict[str, Any]] = [entry(f"many/p{n:03}", f"drums {n}", tags=["drums"]) for n in range(60)]
    for each in entries:
        each["clips"][0] |= {"state": "pending", "audio": "", "cover": ""}
    write_entries(entries, {}, make_config(tmp_path / "root"), tmp_path / "site")
    assert [path for path, _ in neighbours(tmp_path / "site", "many/p030")] == [
        "many/p029", "many/p031", "many/p028", "many/p032",
    ]  # fmt: skip
