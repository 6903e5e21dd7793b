"""The pages of the gallery that ships: without sound, so that they are soon built."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support import ROOT
from support.galleries import Gallery


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its site, with an address for sharing. Nobody changes it."""
    gallery = Gallery(tmp_path_factory.mktemp("shipped"))
    settings = (ROOT / "gallery.toml").read_text()
    published = (
        '[site]\nbase_url = "https://octocat.github.io/gallery/"\nrepository = "https://github.com/o/g"\n'
    )
    gallery.write("gallery.toml", settings.replace("[site]\n", published))
    for folder in ("prompts", "guides"):
        shutil.copytree(ROOT / folder, gallery.root / folder)
    ran = gallery.run("build", "--engine", "none", "--no-sketches", "--output", gallery.root / "gallery")
    assert ran.code == 0, ran.err
    return gallery.root / "gallery"
