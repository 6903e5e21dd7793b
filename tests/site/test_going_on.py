"""Sound that goes on: pages come in place of one another, and the dock comes back where they cannot."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from support.entries_catalogue import write_entries
from support.sample_site import clip, entry, make_files, sample_entries
from support.site_fixtures import PLAYED, serving, until

pytest_plugins = ["support.site_fixtures"]

MINUTE = "a minute of rain"

# Looks at what is heard as often as the browser can, and keeps what it should not see: silence, or a second
# that was heard before.
GOING_ON = """
window.fallen = [];
window.watchGoingOn = () => {
  let last = 0;
  setInterval(() => {
    const at = played.currentTime;
    if (played.paused || at < last) fallen.push([last, at, played.paused, location.href]);
    last = at;
  }, 3);
};
"""


@pytest.fixture(scope="session")
def long_site(tmp_path_factory: pytest.TempPathFactory, config: Any, media: dict[float, Path]) -> Path:
    """The sample site, and a clip of a minute. Nobody changes it."""
    output = tmp_path_factory.mktemp("long") / "gallery"
    minute = output.parent / "minute.mp3"
    loop = [get_ffmpeg_exe(), "-loglevel", "error", "-stream_loop", "9", "-i", media[6.0], "-c", "copy", minute]
    subprocess.run(loop, check=True)
    entries = [*sample_entries(), entry("long/minute", MINUTE, [clip(MINUTE, length=60.0)])]
    write_entries(entries, make_files(entries, {**media, 60.0: minute}), config, output)
    return output


def link(page: Any, selector: str) -> str:
    """Follows a link; the page that it leads to, once it is there."""
    before = page.url
    page.locator(selector).first.click()
    until(page, f"location.href !== {before!r} && !document.querySelector('[aria-busy]')")
    return str(page.url)


def test_sound_goes_on_through_ten_links_back_and_forth(long_site: Path, watch: Any) -> None:
    with serving(long_site) as served:
        page, _ = watch(f"{served}/prompts/long/minute/index.html", GOING_ON)
        page.evaluate("window.same = true")
        page.click(".single .play")
        until(page, PLAYED % 0.2)
        page.evaluate("watchGoingOn()")
        for way in (
            ".ways a >> nth=1", ".row-prompt a", ".ways a >> nth=0", ".shelves-all .under a", ".shelves a >> nth=0",
            ".ways a >> nth=2", "main li a", ".ways a >> nth=3", ".crumbs a", ".shelves a >> nth=1",
        ):  # fmt: skip
            link(page, way)
        for _ in range(5):
            page.go_back()
            page.wait_for_timeout(60)
        for _ in range(3):
            page.go_forward()
            page.wait_for_timeout(60)
        assert page.evaluate("same") is True
        assert page.evaluate("fallen") == []
        assert page.inner_text("[data-dock-name]") == MINUTE

