"""Where a gallery is, and where it keeps what is not published."""

from __future__ import annotations

import os
from pathlib import Path

from gallery.errors import GalleryError
from gallery.errors.text import printable
from gallery.utils.files import write_atomic

CONFIG_NAME = "gallery.toml"
WORKSPACE_NAME = ".gallery"

# Names another place for the workspace.
WORKSPACE_VARIABLE = "GALLERY_WORKSPACE"

# Lies in a workspace elsewhere and holds the folder of the gallery that it belongs to.
OWNER_NAME = "belongs-to.txt"
# In every workspace that was built in.
LOCK_NAME = "build.lock"


def find_root(start: Path) -> Path:
    """The nearest folder at or above ``start`` that has a gallery.toml.

    Raises GalleryError where there is none.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / CONFIG_NAME).is_file():
            return folder
    raise GalleryError(f"no {CONFIG_NAME} in {start} or above it; run this in a gallery's folder")


def workspace_of(root: Path) -> Path:
    """The workspace of the gallery in ``root``: its `.gallery`, or the place that the environment names.

    Raises GalleryError where that place cannot be this gallery's workspace. Nothing is made or changed.
    """
    named = os.environ.get(WORKSPACE_VARIABLE)
    if not named:
        return root / WORKSPACE_NAME
    try:
        if not Path(named).is_absolute():
            raise _unfit(named, "no whole path; name a folder from / on")
        folder = Path(named).resolve()
        if folder.is_relative_to(root) or root.is_relative_to(folder):
            raise _unfit(named, "in the gallery, or around it; name a folder elsewhere")
        _check_owner(folder, root, named)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "a link in a circle"
        raise _unfit(named, f"which cannot be used: {reason}") from error
    return folder


def claim_workspace(folder: Path, root: Path) -> None:
    """Note in a workspace elsewhere, which this process has locked, whose it is.

    Raises GalleryError where another gallery was first.
    """
    if folder != root / WORKSPACE_NAME:
        _check_owner(folder, root, str(folder))
        write_atomic(folder / OWNER_NAME, os.fsencode(f"{root}\n"))


def _check_owner(folder: Path, root: Path, named: str) -> None:
    """Two galleries in one workspace would take each other's state and renders for their own."""
    owner = folder / OWNER_NAME
    if owner.is_file():
        other = Path(os.fsdecode(owner.read_bytes()).rstrip("\n"))
        # Where there is none any more, the gallery has moved.
        if other != root and (other / CONFIG_NAME).is_file():
            raise _unfit(named, f"the workspace of the gallery in {printable(str(other))}; name another")
    elif folder.exists() and any(folder.iterdir()) and not (folder / LOCK_NAME).exists():
        raise _unfit(named, "neither empty nor a workspace; name a new folder")


def _unfit(named: str, why: str) -> GalleryError:
    return GalleryError(f"{WORKSPACE_VARIABLE} is {printable(named)}, {why}")
