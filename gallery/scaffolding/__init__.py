"""A new gallery in a folder of its own: settings, prompt files, workflows, ready to be built.

| module | its one job |
|---|---|
| source | where others can install this tool from |

Its files lie in scaffold/, and beside them those that this project's own repository
uses in the same places. pyproject.toml lists the latter for the wheel, and is that
list in a checkout too, so that the two can't differ.
"""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import gallery
from gallery.errors import GalleryError
from gallery.utils.distribution import NAME
from gallery.utils.files import write_atomic

_PACKAGE = Path(gallery.__file__).parent
_INSIDE = "gallery/scaffold"

_REQUIREMENTS = """\
# What {whom} needs; docs/publishing.md tells more.
--constraint constraints.txt
{name}{extras} @ {source}
"""


def make_gallery(folder: Path, source: str) -> None:
    """Write a new gallery to a folder that is new, empty, or a clone of an empty repository.

    ``source`` is the address that it installs this tool from, as pip takes it.
    Raises GalleryError, and leaves nothing behind, where the folder holds something or can't be written.
    """
    files = {
        **_scaffold(),
        "requirements.txt": _requirements("whoever checks prompt files and builds pages", "", source),
        "requirements-musicgen.txt": _requirements("whoever renders", "[melody,musicgen]", source),
    }
    refuse_contents(folder)
    try:
        is_new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _write(files, folder)
        except BaseException:
            if is_new:
                folder.rmdir()
            raise
    except OSError as error:
        raise GalleryError(f"{error.filename or folder}: cannot be written: {error.strerror}") from error


def refuse_contents(folder: Path) -> None:
    """Raises GalleryError where there is a file, or a folder that holds something or can't be read."""
    if folder.exists() and not folder.is_dir():
        raise GalleryError(f"{folder} is a file; name a new folder")
    try:
        names = [path.name for path in folder.iterdir()] if folder.exists() else []
    except OSError as error:
        raise GalleryError(f"{folder}: cannot be read: {error.strerror}") from error
    there = sorted(name for name in names if name != ".git")
    if there:
        more = f" and {len(there) - 3} more" if len(there) > 3 else ""
        raise GalleryError(
            f"{folder} is not empty: it has {', '.join(there[:3])}{more}; name a new or an empty folder"
        )


def _write(files: dict[str, bytes], folder: Path) -> None:
    """All of them or none."""
    try:
        for name, data in files.items():
            write_atomic(folder / name, data)
    except BaseException:
        for path in {folder / Path(name).parts[0] for name in files}:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        raise


def _scaffold() -> dict[str, bytes]:
    """The files by their names in a new gallery."""
    places = {"": _PACKAGE / "scaffold"}
    if not places[""].is_dir():
        checkout = _PACKAGE.parent
        settings = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
        included = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
        places = {
            target.removeprefix(_INSIDE).lstrip("/"): checkout / source
            for source, target in included.items()
            if target.startswith(_INSIDE)
        }
    files = {}
    for name, place in places.items():
        for path in [place] if place.is_file() else place.rglob("*"):
            # pip compiles a wheel's scripts, those of the scaffold too.
            if path.is_file() and path.parent.name != "__pycache__":
                files[(Path(name) / path.relative_to(place)).as_posix()] = path.read_bytes()
    return files


def _requirements(whom: str, extras: str, source: str) -> bytes:
    return _REQUIREMENTS.format(whom=whom, name=NAME, extras=extras, source=source).encode()
