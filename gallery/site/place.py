"""Where a site may be written: in a folder of its own, apart from what builds read and keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gallery.errors import GalleryError
from gallery.errors.text import printable

if TYPE_CHECKING:
    from pathlib import Path

    from gallery.config import Config


def refuse_place(config: Config, output: Path) -> None:
    """Raise GalleryError where ``output`` is, holds or lies in what is the gallery's own.

    That is the gallery's folder, what builds read there, the workspace, and what is git's. In the store and
    in models' folders no site may lie either; to hold them is right, as ``site`` holds the store.
    """
    output, root = output.resolve(), config.root.resolve()
    own = [place.resolve() for place in (*config.inputs, config.file, config.workspace, root / ".git")]
    models = [root / model.folder for model in config.models.values() if model.folder]
    kept = [place.resolve() for place in (config.store_folder, *models)]
    if _holds(output, root):
        raise _refused(output, "is or holds the gallery itself")
    for place in (*own, *kept):
        if _holds(place, output) and not _holds(place, root / "site"):
            raise _refused(output, f"is or lies in {printable(str(place))}, which is the gallery's own")
    for place in own:
        if _holds(output, place):
            raise _refused(output, f"holds {printable(str(place))}, which is the gallery's own")


def _holds(folder: Path, place: Path) -> bool:
    """Whether a folder is a place, or the place lies in it: by whatever names it is called."""
    return any(_is_same(folder, each) for each in (place, *place.parents))


def _is_same(one: Path, other: Path) -> bool:
    if one == other:
        return True
    try:
        return one.samefile(other)
    except OSError:
        return False


def _refused(output: Path, why: str) -> GalleryError:
    return GalleryError(f"--output: {printable(str(output))} {why}; name a folder of its own, such as site")
