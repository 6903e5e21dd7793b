"""The GPU of this machine, and how long models were measured to take on which GPU."""

from __future__ import annotations

import tomllib
from pathlib import Path

from gallery.errors.text import printable

# What has been measured, and nothing else: no figure is derived from another card's.
TABLE = Path(__file__).with_name("measured.toml")


def card_here() -> str:
    """The first GPU of this machine, called as records call it; nothing where there is none to use."""
    # Imported late: a build asks for it only where clips wait for MusicGen.
    from gallery.engines.musicgen.cards import find_cards

    found = find_cards()
    return printable(found.cards[0].name) if found.cards and found.reachable and not found.problem else ""


def published(card: str) -> dict[str, float]:
    """Seconds that each model, by its hub id, was measured to take on a card for a second of audio."""
    if not card:
        return {}
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8")).get("measured", [])
    return {row["model"]: float(row["seconds"]) for row in rows if row["card"] == card}
