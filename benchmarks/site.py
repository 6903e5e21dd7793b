"""The whole builder against Hugo: the same prompts, the same kinds of pages, both from the command line.

    python benchmarks/site.py [prompts ...]

Prints a table for 66, 1,000 and 10,000 prompts, or for the given numbers (100,000 takes a few
minutes and much disk), and for the first two with the clips' files in the site, which both
copy. The two run in turn, twice; of each the faster run counts. Hugo builds everything each time;
this builder also builds with one prompt changed (title and notes) and with nothing changed. Social
cards are switched off: Hugo's templates draw none.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from sites import hugo_site, synthetic
from sites.machine import processor

SIZES = (66, 1_000, 10_000)
WITH_AUDIO = (66, 1_000)
ROUNDS = 2

# The command's start alone, which small galleries wait for as well.
VERSION = [*synthetic.BUILD[:3], "--version"]


def main(sizes: tuple[int, ...]) -> None:
    print(f"{processor()}\n{'prompts':>8}  {'builder':<28} {'seconds':>8} {'of Hugo':>8} {'peak MiB':>8}")
    for size, audio in [*((size, False) for size in sizes), *((size, True) for size in WITH_AUDIO)]:
        with tempfile.TemporaryDirectory() as folder:
            own, other = Path(folder, "gallery"), Path(folder, "hugo")
            synthetic.write_gallery(own, size, cards=0, audio=audio)
            hugo_site.write_site(other, size, audio=audio)
            measure(size, own, other, audio)


def measure(size: int, own: Path, other: Path, audio: bool) -> None:
    found: dict[str, list[synthetic.Run]] = {}
    # Published elsewhere, so that the files of clips are copied.
    build = [*synthetic.BUILD, *(["--output", str(own / "published")] if audio else [])]
    for turn in range(ROUNDS):
        shutil.rmtree(other / "public", ignore_errors=True)
        found.setdefault("Hugo", []).append(synthetic.run(hugo_site.BUILD, other))
        synthetic.forget_site(own)
        found.setdefault("cold", []).append(synthetic.run(build, own))
        synthetic.write_prompt(own, size // 2, title=f"Another {turn}", more=f"\n\nAgain, {turn}.")
        found.setdefault("one prompt changed", []).append(synthetic.run(build, own))
        time.sleep(0.2)  # what was written just now is looked at once more
        synthetic.run(build, own)
        found.setdefault("nothing changed", []).append(synthetic.run(build, own))
        found.setdefault("gallery --version", []).append(synthetic.run(VERSION, own))
    hugo = min(run.seconds for run in found["Hugo"])
    for name, runs in found.items():
        best = min(runs, key=lambda run: run.seconds)
        told = f"{name}, with audio" if audio else name
        ratio = best.seconds / hugo
        memory = f"{best.mebibytes:.0f}" if best.mebibytes else ""  # over before it was looked at
        print(f"{size:>8,}  {told:<28} {best.seconds:>8.2f} {ratio:>8.2f} {memory:>8}", flush=True)


if __name__ == "__main__":
    main(tuple(int(size) for size in sys.argv[1:]) or SIZES)
