"""How long a keystroke takes among many prompts, and what searching and comparing download.

    python benchmarks/search.py [prompts ...]

Builds the scripts of 1,000 and 10,000 prompts (or of the given numbers), opens the list in
Chromium, types words letter by letter, and prints the processor, and of all keystrokes the median, the
95th percentile and the slowest: from the input event until the results are in the page, laid out.
"""

from __future__ import annotations

import gzip
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from sites import synthetic
from sites.machine import processor

SIZES = (1_000, 10_000)
# Words, a mistake in one, forms of one, a phrase, what shall not be there, fields, and what nobody says.
TYPED = (
    "felt piano 60",
    "tape hiss",
    "brushed snare, dub",
    "rhodes 909",
    "vibrafone paino",
    "drum and bass",
    '"nylon guitar" -dub',
    "#techno guidance:5 seed:41",
    "xyzzyxyzzy",
)

MEASURE = """
async words => {
  const field = document.getElementById("question"), times = [];
  for (const word of words) for (let end = 1; end <= word.length; end++) {
    field.value = word.slice(0, end);
    const start = performance.now();
    field.dispatchEvent(new Event("input", {bubbles: true}));
    document.body.offsetHeight;
    times.push(performance.now() - start);
    await new Promise(resolve => setTimeout(resolve, 30));
  }
  return times;
}
"""


def build(size: int, root: Path) -> Path:
    synthetic.write_gallery(root, size, cards=0)
    synthetic.run(synthetic.BUILD, root)
    return root / "site"


def weights(site: Path, folder: str) -> list[int]:
    return [len(gzip.compress(path.read_bytes(), 6)) for path in sorted(site.glob(f"{folder}/*.js"))]


def keystrokes(site: Path) -> list[float]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1360, "height": 940})
        page.goto((site / "prompts/index.html").as_uri())
        page.fill("#question", "piano")
        page.wait_for_selector("[data-found] .row")
        # The best of three: other programs run here too.
        rounds = [page.evaluate(MEASURE, list(TYPED)) for _ in range(3)]
        browser.close()
    return sorted(min(times) for times in zip(*rounds, strict=True))


def main(sizes: tuple[int, ...]) -> None:
    print(processor())
    print(f"{'prompts':>8}  {'p50':>6} {'p95':>6} {'most':>6} ms  {'search gz KB':>20} {'clips gz KB':>20}")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            site = build(size, Path(folder))
            times = keystrokes(site)
            told = [
                f"{len(each)} x at most {max(each) / 1000:.1f}"
                for each in (weights(site, "search"), weights(site, "clips"))
            ]
            found = [statistics.median(times), times[int(len(times) * 0.95)], times[-1]]
            p50, p95, slowest = (f"{each:.1f}" for each in found)
            print(f"{size:>8,}  {p50:>6} {p95:>6} {slowest:>6}     {told[0]:>20} {told[1]:>20}", flush=True)


if __name__ == "__main__":
    main(tuple(int(size) for size in sys.argv[1:]) or SIZES)
