"""The whole builder against Hugo: the same prompts, the same kinds of pages, both from the command line.

    python benchmarks/site.py [prompts ...]

Prints a table for 66, 1,000 and 10,000 prompts, or for the given numbers (100,000 takes a few
minutes and 10 GB of disk). The two run in turn, twice; of each the faster run counts. Hugo builds
everything each time; this builder also builds with one prompt changed (title and notes) and
with nothing changed. Social cards are switched off: Hugo's templates draw none.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from sites import hugo_site, synthetic

SIZES = (66, 1_000, 10_000)
ROUNDS = 2


def main(sizes: tuple[int, ...]) -> None:
    print(f"{'prompts':>8}  {'builder':<20} {'seconds':>8} {'of Hugo':>8} {'peak MiB':>8}")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            own, other = Path(folder, "gallery"), Path(folder, "hugo")
            synthetic.write_gallery(own, size, cards=0)
            hugo_site.write_site(other, size)
            measure(size, own, other)


def measure(size: int, own: Path, other: Path) -> None:
    found: dict[str, list[synthetic.Run]] = {}
    for turn in range(ROUNDS):
        shutil.rmtree(other / "public", ignore_errors=True)
        found.setdefault("Hugo", []).append(synthetic.run(hugo_site.BUILD, other))
        synthetic.forget_site(own)
        found.setdefault("cold", []).append(synthetic.run(synthetic.BUILD, own))
        synthetic.write_prompt(own, size // 2, title=f"Another {turn}", more=f"\n\nAgain, {turn}.")
        found.setdefault("one prompt changed", []).append(synthetic.run(synthetic.BUILD, own))
        found.setdefault("nothing changed", []).append(synthetic.run(synthetic.BUILD, own))
    hugo = min(run.seconds for run in found["Hugo"])
    for name, runs in found.items():
        best = min(runs, key=lambda run: run.seconds)
        ratio = best.seconds / hugo
        print(f"{size:>8,}  {name:<20} {best.seconds:>8.2f} {ratio:>8.2f} {best.mebibytes:>8.0f}", flush=True)


if __name__ == "__main__":
    main(tuple(int(size) for size in sys.argv[1:]) or SIZES)
