"""A gallery that can be rendered anywhere: its model is tiny, and comes along."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.galleries import Gallery


@pytest.fixture
def tiny_gallery(tmp_path: Path) -> Gallery:
    """Three short clips of a tiny model, in the folder `mine`."""
    from support.tiny_checkpoints import SNIPPETS, write_checkpoint

    made = Gallery(tmp_path / "mine")
    write_checkpoint(made.root / "tiny-mono", "mono")
    made.write("gallery.toml", SNIPPETS["mono"])
    made.prompt("rain", "prompt: rain", "duration: 1", "vary: {seed: [1, 2, 3]}")
    return made
