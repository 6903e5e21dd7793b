"""Where a gallery is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gallery.errors import GalleryError

if TYPE_CHECKING:
    from pathlib import Path

CONFIG_NAME = "gallery.toml"
WORKSPACE_NAME = ".gallery"


def find_root(start: Path) -> Path:
    """The nearest folder at or above ``start`` that has a gallery.toml.

    Raises GalleryError where there is none.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / CONFIG_NAME).is_file():
            return folder
    raise GalleryError(f"no {CONFIG_NAME} in {start} or above it; run this in a gallery's folder")
