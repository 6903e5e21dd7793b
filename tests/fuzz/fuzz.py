"""Fuzz one target, or all, for a while: python tests/fuzz/fuzz.py TARGET SECONDS [FOLDER]

TARGET is one of support/fuzz_targets.py, or "all". Inputs are guided by coverage where Atheris is installed,
and else made by chance. What was found interesting stays in FOLDER, to go on from; an input that
breaks a target is written beside it.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
import traceback
from pathlib import Path

LONGEST = 30_000  # bytes of an input
SLOW = 20  # seconds that no input may take

sys.path.insert(0, str(Path(__file__).parents[1]))

try:
    import atheris
except ImportError:  # it has no wheels for every machine
    atheris = None

if atheris:
    with atheris.instrument_imports(include=["gallery", "mutagen", "markdown_it"]):
        from support.fuzz_targets import ALL, TARGETS
else:
    from support.fuzz_targets import ALL, TARGETS


def main() -> None:
    """Fuzz; ends with another code than 0 where an input broke the target."""
    name, seconds = sys.argv[1], int(sys.argv[2])
    folder = Path(sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp(prefix="corpus-"))
    target, seeds = ALL if name == "all" else TARGETS[name]
    folder.mkdir(exist_ok=True, parents=True)
    for number, seed in enumerate(seeds()):
        target(seed)
        (folder / f"seed{number}").write_bytes(seed)
    if atheris:
        options = [
            f"-max_total_time={seconds}",
            f"-max_len={LONGEST}",
            f"-timeout={SLOW}",
            "-rss_limit_mb=3000",
        ]
        options += [f"-artifact_prefix={folder}.", "-print_final_stats=1", "-verbosity=0"]
        atheris.Setup([sys.argv[0], *options, str(folder)], target)
        atheris.Fuzz()
    else:
        by_chance(target, [path.read_bytes() for path in sorted(folder.iterdir())], seconds, folder)


def by_chance(target: object, seeds: list[bytes], seconds: int, folder: Path) -> None:
    """Change seeds at random places, for so many seconds."""
    chance, end = random.Random(0), time.monotonic() + seconds
    while time.monotonic() < end:
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(data) + 1)
            other = chance.choice(seeds)
            cut = chance.randrange(len(other) + 1)
            data[at : at + chance.randint(0, 8)] = chance.choice(
                [chance.randbytes(2), other[cut : cut + 8], b""]
            )
        start = time.monotonic()
        try:
            target(bytes(data))  # type: ignore[operator]
            assert time.monotonic() - start < SLOW, "too slow"
        except Exception:  # noqa: BLE001 - whatever it is, the input is kept
            traceback.print_exc()
            Path(f"{folder}.crash").write_bytes(data)
            sys.exit(1)


if __name__ == "__main__":
    main()
