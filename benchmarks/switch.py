"""How long it takes until another take is heard on the front door: `python benchmarks/switch.py`.

Builds a gallery of one comparison, five takes of 30 seconds, serves it on this machine and plays it in
Chromium. Then it moves the slider 40 times and prints the milliseconds from a stop's click until its take is
heard: the median and the longest; and how far the clip was thrown off its second, in milliseconds.
"""

from __future__ import annotations

import functools
import http.server
import io
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright
from sites.machine import processor

SWITCHES = 40
SETTINGS = '[models.small]\nhub = "facebook/musicgen-small"\nkind = "musicgen"\n'
PROMPT = """---
prompt: slow waltz for piano and strings
duration: 30
vary:
  prompt:
    - slow waltz for piano and strings
    - fast waltz for piano and strings
    - slow waltz for guitar and strings
    - fast waltz for guitar and strings
    - slow march for guitar and brass
---
"""

# Both elements of the player's, and those that wait: what is heard is not muted.
WATCH = """
window.allAudio = [];
const Native = window.Audio;
window.Audio = function () { const audio = new Native(); allAudio.push(audio); return audio; };
window.heard = () => allAudio.find((audio) => !audio.muted && !audio.paused && audio.volume > 0.5);
"""

# Milliseconds until the next take is heard, and by how many it is off its second.
SWITCH = """(place) => new Promise((resolve) => {
  const stop = document.querySelectorAll("[data-track] input")[place];
  const before = heard();
  const ahead = before.currentTime - performance.now() / 1000;
  const began = performance.now();
  stop.click();
  const look = () => {
    const now = heard();
    if (!now || now === before) return setTimeout(look, 1);
    const took = performance.now() - began;
    setTimeout(() => {
      const off = now.currentTime - performance.now() / 1000 - ahead;
      resolve([took, Math.abs(off) * 1000]);
    }, 100);
  };
  look();
})"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Gives parts of files, as every host does: without, browsers cannot seek in what they have not kept."""

    def send_head(self) -> Any:
        path, asked = Path(self.translate_path(self.path)), self.headers.get("Range", "")
        if not asked or not path.is_file():
            return super().send_head()
        first, _, last = asked.removeprefix("bytes=").partition("-")
        data = path.read_bytes()
        part = data[int(first) : int(last or len(data)) + 1]
        self.send_response(206)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}")
        self.end_headers()
        return io.BytesIO(part)

    def log_message(self, *arguments: object) -> None:
        pass


def build(root: Path) -> Path:
    """The site of one comparison."""
    (root / "prompts").mkdir()
    (root / "gallery.toml").write_text(SETTINGS)
    (root / "prompts/waltz.md").write_text(PROMPT)
    command = [Path(sys.executable).with_name("gallery"), "--gallery", root, "build", "--engine", "sketch"]
    subprocess.run(command, check=True, capture_output=True)
    return root / "site"


def measure(page: Page, address: str) -> list[tuple[float, float]]:
    """The switches on the page at this address."""
    page.add_init_script(WATCH)
    page.goto(address)
    page.click(".stage > .play")
    while not page.evaluate(
        "heard() && allAudio.filter(({ src }) => src).every((one) => one.readyState > 3)"
    ):
        page.wait_for_timeout(100)
    page.wait_for_timeout(1000)  # until all go along
    return [page.evaluate(SWITCH, number * 2 % 5) for number in range(1, SWITCHES + 1)]


def main() -> None:
    """Measure, and print."""
    chromium = shutil.which("chromium") or sys.exit("chromium is not installed")
    print(processor())
    with tempfile.TemporaryDirectory() as folder:
        site = build(Path(folder))
        handler = functools.partial(_Quiet, directory=str(site))
        with (
            http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
            sync_playwright() as playwright,
        ):
            threading.Thread(target=server.serve_forever, daemon=True).start()
            arguments = ["--no-sandbox", "--mute-audio", "--autoplay-policy=no-user-gesture-required"]
            browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
            for where, address in (
                ("served", f"http://127.0.0.1:{server.server_port}/index.html"),
                ("from disk", (site / "index.html").as_uri()),
            ):
                took, off = zip(*measure(browser.new_page(), address), strict=True)
                print(
                    f"{where:<10} switch {statistics.median(took):4.0f} ms, at most {max(took):4.0f} ms;"
                    f" off by {statistics.median(off):3.0f} ms, at most {max(off):3.0f} ms"
                )
            browser.close()
            server.shutdown()


if __name__ == "__main__":
    main()
