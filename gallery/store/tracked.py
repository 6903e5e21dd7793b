"""What came with a commit, where only what this machine made belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gallery.errors import GalleryError
from gallery.utils.git import is_tracked, refuse_link

if TYPE_CHECKING:
    from pathlib import Path

    from gallery.config import Config


def refuse_links(config: Config) -> None:
    """Raise GalleryError where a place that builds write to or read from is a commit's link."""
    for folder in (config.workspace, config.root / "site", config.store_folder):
        refuse_link(folder, _name(folder, config), "write")
    for place in config.inputs:
        refuse_link(place, _name(place, config), "publish what lies")


def refuse_renders(config: Config) -> None:
    """Raise GalleryError unless it is certain that no file of the workspace came with a commit.

    Renders in it become clips of the store, and nobody would know who made them.
    """
    workspace = config.workspace
    if any(is_tracked(place) for place in {workspace, workspace.resolve()}):
        name = _name(workspace, config)
        raise GalleryError(
            f"{name} holds files that came with git, not from an engine on this machine; "
            f"remove them: git rm -r {name}"
        )


def _name(place: Path, config: Config) -> str:
    inside = place.is_relative_to(config.root)
    return place.relative_to(config.root).as_posix() if inside else str(place)
