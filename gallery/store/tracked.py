"""What came with a commit, where only what this machine made belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gallery.errors import GalleryError
from gallery.utils.git import Repository

if TYPE_CHECKING:
    from pathlib import Path

    from gallery.config import Config


def refuse_links(config: Config) -> None:
    """Raise GalleryError where a folder that builds write into is a commit's link: it may lead anywhere."""
    for folder in (config.workspace, config.root / "site", config.store_folder):
        if folder.is_symlink() and _is_tracked(config, folder):
            name = folder.relative_to(config.root).as_posix()
            raise GalleryError(f"{name} is a link that came with git, and builds write there; remove it")


def refuse_renders(config: Config) -> None:
    """Raise GalleryError where the workspace's files came with a commit.

    Renders in it become clips of the store, and nobody would know who made them.
    """
    if _is_tracked(config, config.workspace):
        name = config.workspace.name
        raise GalleryError(
            f"{name} holds files that came with git, not from an engine on this machine; "
            f"remove them: git rm -r {name}"
        )


def _is_tracked(config: Config, path: Path) -> bool:
    # A workspace elsewhere may lie in a repository of its own.
    inside = path.is_relative_to(config.root)
    folder, name = (config.root, path.relative_to(config.root).as_posix()) if inside else (path, ".")
    try:
        return folder.is_dir() and Repository(folder).tracks(name)
    except GalleryError:
        return False  # no repository, so no commit of anybody
