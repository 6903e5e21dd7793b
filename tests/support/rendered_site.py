"""A gallery whose clips MusicGen's own code rendered, on a tiny checkpoint: random weights, real files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.galleries import Gallery
from support.site_fixtures import serving


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its site. Nobody changes it."""
    from support.tiny_checkpoints import SNIPPETS, write_checkpoint

    gallery = Gallery(tmp_path_factory.mktemp("rendered"))
    write_checkpoint(gallery.root / "tiny-mono", "mono")
    gallery.write("gallery.toml", '[site]\ntitle = "Rendered"\n\n' + SNIPPETS["mono"])
    for name, date, title, vary in (
        ("seeds", "2026-11-01", "How much does the seed decide?", "seed: [1, 2, 3]"),
        ("guidance", "2026-11-02", "Guidance", "cfg_coef: [1, 3, 9]"),
    ):
        words = ["prompt: slow drums and a warm bass", f"title: {title}", f"date: {date}"]
        gallery.prompt(name, *words, "duration: 4", "vary:", f"  {vary}")
    ran = gallery.run("build", "--engine", "musicgen", "--output", gallery.root / "gallery")
    assert ran.code == 0, ran.err
    return gallery.root / "gallery"


@pytest.fixture(scope="session")
def served_rendered(rendered: Path) -> Iterator[str]:
    with serving(rendered) as address:
        yield address
