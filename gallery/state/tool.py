"""The tool as an input: all of its code and templates, and every library beside it."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from functools import cache
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING

import gallery
from gallery.utils.digest import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    statuses = [found for place in tool_places() for found in walk(str(place))]
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
    statuses = [file for place in tool_places() for _, file in walk(str(place))]
    newest = max(file.st_ctime_ns for file in (*statuses, *(folder.stat() for folder in _metadata())))
    return newest < gallery.BEGAN - _TICK


def code_digest(*places: Path) -> str:
    """A digest of the names and contents of the files at or below these places."""
    found = hashlib.sha256()
    for place in places:
        for path in sorted(Path(name) for name, file in walk(str(place)) if S_ISREG(file.st_mode)):
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
    names = (folder.name for folder in _metadata())
    return "\n".join([sys.version, *(name for name in names if name.lower().startswith(begins or ""))])


def _metadata() -> list[os.DirEntry[str]]:
    """The folders of what is installed, place by place as Python looks for it."""
    found: list[os.DirEntry[str]] = []
    for place in sys.path:
        folders = (entry for entry in _entries(place) if entry.name.endswith((".dist-info", ".egg-info")))
        found += sorted(folders, key=lambda folder: folder.name)
    return found


def walk(start: str) -> Iterator[tuple[str, os.stat_result]]:
    """Every file at or below a place with its status; links to folders are not followed.

    In every build: faster than with paths.
    """
    try:
        status = os.stat(start)  # noqa: PTH116
    except (OSError, ValueError):
        return
    if not S_ISDIR(status.st_mode):
        yield start, status
        return
    folders = [start]
    while folders:
        for entry in _entries(folders.pop()):
            if not entry.is_dir(follow_symlinks=False):
                try:
                    yield entry.path, entry.stat()
                except OSError:
                    # A link that leads nowhere.
                    yield entry.path, entry.stat(follow_symlinks=False)
            elif entry.name != "__pycache__":
                folders.append(entry.path)


def _entries(folder: str) -> Iterable[os.DirEntry[str]]:
    try:
        return [*os.scandir(folder)]
    except OSError:
        return []
