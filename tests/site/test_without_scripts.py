"""Without JavaScript every page that has sound has the browser's own player, wide enough to be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["support.site_fixtures"]


@pytest.mark.parametrize("width", [390, 1360])
def test_every_sound_has_a_player(
    width: int, site: Path, waiting_site: Path, entries: Any, open_page: Any
) -> None:
    page, _ = open_page("about:blank", width=width, height=844, java_script_enabled=False)
    for folder, path, fewest in [
        (site, "lofi/rainy", 1), (site, "sound/sketched", 1), (site, "words/long", 1),
        (site, "compare/strip", 3), (site, "compare/matrix", 6), (site, "compare/takes", 2),
        (site, "sound/waiting", 0),
        (waiting_site, "wait/all", 1), (waiting_site, "wait/some", 2), (waiting_site, "wait/rows", 2),
    ]:  # fmt: skip
        page.goto(f"{folder.as_uri()}/prompts/{path}/index.html")
        players = page.locator(".clips audio")
        assert players.count() == fewest, path
        for box in (each.bounding_box() for each in players.all()):
            assert box["width"] >= (240 if fewest == 1 else 120) and box["height"] >= 32, (path, box)
        if fewest == 1:
            # One left edge: it begins where the words do.
            assert players.bounding_box()["x"] == pytest.approx(
                page.locator(".quote").bounding_box()["x"], abs=1
            )
        # Nothing that only a script could press is in the way.
        assert page.locator(".clips button.play:visible").count() == 0, path
