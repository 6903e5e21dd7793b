"""What a gallery of 5,521 captions weighs: bytes by kinds of files, without audio and without base_url.

python benchmarks/weight.py [captions]
"""

from __future__ import annotations

import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from sites import captions, synthetic


def main(amount: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        captions.write_gallery(Path(folder), amount)
        run = synthetic.run(synthetic.BUILD, Path(folder))
        print(f"{amount:,} captions, built in {run.seconds:.1f} s")
        weigh(Path(folder, "site"))


def weigh(site: Path) -> None:
    """Print how many files of each kind there are, and what they weigh."""
    kinds: dict[str, list[int]] = defaultdict(list)
    for path in site.rglob("*"):
        parts = path.relative_to(site).parts
        if path.is_file() and parts[0] != "audio":
            kinds[parts[0] if len(parts) > 1 else "the rest"].append(path.stat().st_size)
    kinds["all"] = [size for sizes in kinds.values() for size in sizes]
    for kind, sizes in sorted(kinds.items(), key=lambda pair: -sum(pair[1])):
        print(f"{kind:<12} {len(sizes):>7,} files {sum(sizes) / 1e6:>8.1f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else captions.CAPTIONS)
