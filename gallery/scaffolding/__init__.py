"""A new gallery in a folder of its own: settings, prompt files, workflows, ready to be built.

| module | its one job |
|---|---|
| place | the folder: what may lie there already, and which repository it is |
| source | where others can install this tool from |

Its files lie in scaffold/, and beside them those that this project's own repository
uses in the same places. pyproject.toml lists the latter for the wheel, and is that
list in a checkout too, so that the two can't differ.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path
from typing import NamedTuple

import gallery
from gallery.errors import GalleryError
from gallery.scaffolding.place import Home, home_of, is_readme, kept_files
from gallery.utils.distribution import NAME
from gallery.utils.files import write_atomic
from gallery.utils.root import CONFIG_NAME

_PACKAGE = Path(gallery.__file__).parent
_INSIDE = "gallery/scaffold"

_REQUIREMENTS = """\
# What {whom} needs; docs/publishing.md tells more.
--constraint constraints.txt
{name}{extras} @ {source}
"""


class Made(NamedTuple):
    """What came of it: files that stay as they were, and the repository if it is known."""

    kept: list[str]
    home: Home | None
    unignored: list[str]
    """Lines that the folder's own .gitignore lacks."""


def make_gallery(folder: Path, source: str) -> Made:
    """Write a new gallery to a folder that is new, empty, or a clone of a repository without much in it.

    ``source`` is the address that it installs this tool from, as pip takes it.
    Raises GalleryError, and leaves nothing behind, where the folder holds what a gallery would be mixed
    with, or can't be written.
    """
    kept, home = kept_files(folder), home_of(folder)
    files = {
        **_scaffold(),
        "requirements.txt": _requirements("whoever checks prompt files and builds pages", "", source),
        "requirements-musicgen.txt": _requirements("whoever renders", "[melody,musicgen]", source),
    }
    if home:
        files[CONFIG_NAME] = _at_home(files[CONFIG_NAME], home)
    unignored = _unignored(folder, files[".gitignore"]) if ".gitignore" in kept else []
    has_readme = any(map(is_readme, kept))
    own = {name.lower() for name in kept} | ({"readme.md"} if has_readme else set())
    files = {name: data for name, data in files.items() if name.lower() not in own}
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
    return Made(kept, home, unignored)


def _at_home(settings: bytes, home: Home) -> bytes:
    """The settings with what is known of the repository in the place of its examples."""
    text = settings.decode()
    for name, value in home._asdict().items():
        text = re.sub(rf"^# {name} = .*$", f'{name} = "{value}"', text, count=1, flags=re.MULTILINE)
    return text.encode()


def _unignored(folder: Path, wanted: bytes) -> list[str]:
    try:
        own = (folder / ".gitignore").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise GalleryError(f"{folder / '.gitignore'}: cannot be read: {error.strerror}") from error
    return [line for line in wanted.decode().splitlines() if line not in own and not line.startswith("#")]


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
