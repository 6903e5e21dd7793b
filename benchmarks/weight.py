"""What a gallery of 5,521 captions weighs: bytes by kinds of files, without audio and without base_url.

    python benchmarks/weight.py [captions]

Prints how long captions are and how they are tagged, too.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from sites import captions, synthetic
from sites.machine import processor

# Folders of the site whose pages are lists of all prompts, or of many.
LISTS = ("page", "folders", "models")


def main(amount: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lengths = captions.write_gallery(Path(folder), amount)
        print(processor())
        describe(lengths, captions.tags(amount))
        run = synthetic.run(synthetic.BUILD, Path(folder))
        print(f"{amount:,} captions, built in {run.seconds:.1f} s")
        weigh(Path(folder, "site"))


def describe(lengths: list[int], tagged: list[list[str]]) -> None:
    """Print the captions' mean length and tags."""
    counts = Counter(tag for tags in tagged for tag in tags)
    alone = sum(count == 1 for count in counts.values())
    each = counts.total() / len(tagged)
    print(f"{sum(lengths) / len(lengths):.0f} characters and {each:.1f} tags each, in the mean")
    print(f"{len(counts):,} tags, of which {alone:,} have one caption")


def weigh(site: Path) -> None:
    """Print how many files of each kind there are, and what they weigh."""
    kinds: dict[str, list[int]] = defaultdict(list)
    for path in site.rglob("*"):
        parts = path.relative_to(site).parts
        if path.is_file() and parts[0] != "audio":
            kind = parts[0] if len(parts) > 1 else "single files"
            kinds["catalogue, folders, models" if kind in LISTS else kind].append(path.stat().st_size)
    kinds["all"] = [size for sizes in kinds.values() for size in sizes]
    for kind, sizes in sorted(kinds.items(), key=lambda pair: -sum(pair[1])):
        print(f"{kind:<26} {len(sizes):>7,} files {sum(sizes) / 1e6:>8.1f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else captions.CAPTIONS)
