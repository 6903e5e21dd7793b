"""What goes into a build, as it is when it is looked at.

A file's stamp (size, times, number) is a shortcut to its content and no more: it is taken before
the file is read, so that a change meanwhile is seen by the next build.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from typing import TYPE_CHECKING

from gallery.state.tool import libraries, tool_places, walk
from gallery.utils.digest import digest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LIBRARIES = "libraries"

# Two changes of a file in so many nanoseconds can bear the same time.
JUST_NOW = 100_000_000


def stamp(status: os.stat_result) -> str:
    """What changes when a file does."""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def stamp_of(path: Path | str) -> str:
    """A file's stamp; nothing for one that is not there, or may change again without a trace."""
    try:
        status = os.stat(path)  # noqa: PTH116 - of every file in every build
    except (OSError, ValueError):
        return ""
    return "" if time.time_ns() - status.st_mtime_ns < JUST_NOW else stamp(status)


def fingerprint(place: Path | str) -> str:
    """A digest of the names and stamps of all files at or below a place.

    Nothing where one of them may change again without a trace: that equals no fingerprint, not
    even itself.
    """
    limit, stamps = time.time_ns() - JUST_NOW, []
    for path, status in walk(str(place)):
        if status.st_mtime_ns > limit:
            return ""
        stamps.append(f"{path}\0{stamp(status)}")
    return _digest_of(stamps)


class Inputs:
    """The fingerprints of all places that a build reads, each taken before it is read."""

    def __init__(self, places: Iterable[Path]) -> None:
        self._seen = {_LIBRARIES: digest(libraries())}
        self.look(*tool_places(), *places)

    def look(self, *places: Path) -> None:
        """Take the fingerprints of places that are about to be read, perhaps once more."""
        for place in places:
            self._seen[str(place)] = fingerprint(place)

    def read_as(self, file: Path, stamp: str) -> None:
        """Take in the stamp that a file had before it was read, and that is no later one."""
        self._seen[str(file)] = _digest_of([f"{file}\0{stamp}"]) if stamp else ""

    def to_text(self) -> str:
        """What `are` and `still_are` take."""
        return json.dumps(self._seen)

    def are(self, text: str) -> bool:
        """Whether everything is as it was for the build that left this text."""
        return all(self._seen.values()) and json.loads(text) == self._seen

    @staticmethod
    def still_are(text: str) -> bool:
        """The same where nothing has been looked at yet: ends at the first place that changed."""
        seen = json.loads(text)
        return bool(seen.pop(_LIBRARIES) == digest(libraries())) and all(
            found and found == fingerprint(place) for place, found in seen.items()
        )


def _digest_of(stamps: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(stamps)).encode(errors="surrogateescape")).hexdigest()
