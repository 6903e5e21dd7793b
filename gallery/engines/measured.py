"""The GPU of this machine, and how long models were measured to take on which GPU."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

from gallery.errors.text import printable

# What has been measured, and nothing else: no figure is derived from another card's.
TABLE = Path(__file__).with_name("measured.toml")


def card_here() -> str:
    """The first GPU of this machine, called as records call it; nothing where no driver names one.

    The driver's own tool is asked, so that it can be told where torch is not installed.
    """
    command = ("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")
    try:
        told = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=20, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return printable(told.stdout.partition("\n")[0].strip())


def published(card: str) -> dict[str, float]:
    """Seconds that each model, by its hub id, was measured to take on a card for a second of audio."""
    if not card:
        return {}
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8")).get("measured", [])
    return {row["model"]: float(row["seconds"]) for row in rows if row["card"] == card}
