"""The tool as an input: all of its code and templates, and every library beside it."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from functools import cache
from pathlib import Path

import gallery
from gallery.utils.digest import digest

PACKAGE = Path(gallery.__file__).parent

# Files bear the time of the system's last tick, in nanoseconds; what was changed longer ago than some
# ticks cannot change again and bear the same time.
_TICK, _LONG_AGO = 10_000_000, 1_000_000_000

# The tool's digest by its files' stamps: it is asked for at both ends of a build.
_known: dict[str, str] = {}


@cache
def packaged(name: str) -> Path:
    """A folder that comes with the package: inside it in a wheel, beside it in a checkout."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


def tool_places() -> list[Path]:
    """Where the tool's own files lie."""
    return [PACKAGE, packaged("templates"), packaged("guides")]


def tool_digest() -> str:
    """A digest of all that the tool brings along and that decides a byte of what it makes."""
    statuses = [(path, path.stat()) for place in tool_places() for path in _files(place)]
    installed = libraries()
    stamps = digest(
        installed, *(f"{path} {file.st_size} {file.st_ctime_ns} {file.st_ino}" for path, file in statuses)
    )
    found = _known.get(stamps)
    if not found:
        found = digest(installed, *(f"{place.name} {code_digest(place)}" for place in tool_places()))
        if max(file.st_ctime_ns for _, file in statuses) < time.time_ns() - _LONG_AGO:
            _known[stamps] = found
    return found


def is_as_loaded() -> bool:
    """Whether this program is what lies there now: nothing has changed since it began to be loaded."""
    files = [path for place in tool_places() for path in _files(place)]
    newest = max(path.stat().st_ctime_ns for path in (*files, *_metadata()))
    return newest < gallery.BEGAN - _TICK


def code_digest(*places: Path) -> str:
    """A digest of the names and contents of the files at or below these places."""
    found = hashlib.sha256()
    for place in places:
        for path in sorted(_files(place)):
            data = path.read_bytes()
            found.update(f"{path.relative_to(place).as_posix()} {len(data)}\n".encode())
            found.update(data)
    return found.hexdigest()


def libraries(*wanted: str) -> str:
    """The names and versions of all that is installed, or of what is wanted, and of this Python.

    As the folders of their metadata say: reading these would take longer than a build with nothing
    to do.
    """
    begins = tuple(f"{each}-" for each in wanted)
    names = (path.name for path in _metadata())
    return "\n".join([sys.version, *(name for name in names if name.lower().startswith(begins or ""))])


def _metadata() -> list[Path]:
    """The folders of what is installed, place by place as Python looks for it."""
    found = []
    for place in sys.path:
        try:
            names = os.listdir(place)  # noqa: PTH208 - in every build
        except OSError:
            continue
        found += [Path(place, name) for name in sorted(names) if name.endswith((".dist-info", ".egg-info"))]
    return found


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    found = []
    for folder, below, names in os.walk(place):  # half of what it takes with Path.rglob, in every build
        below[:] = [name for name in below if name != "__pycache__"]
        found += [path for name in names if os.path.isfile(path := f"{folder}/{name}")]  # noqa: PTH113
    return [Path(path) for path in found]
