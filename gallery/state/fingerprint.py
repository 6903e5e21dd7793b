"""Whether anything that decides a build has changed since the last one: sizes and times tell.

So a build with nothing to do reads nothing but the list of what there is.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gallery
from gallery.utils.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gallery.config import Config

# Two changes of a file in so many nanoseconds can bear the same time.
JUST_NOW = 100_000_000


def stamp(status: os.stat_result) -> str:
    """What changes when a file does."""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


class Standing:
    """What a build's result depends on, as it is now, and what the last build said of it."""

    def __init__(self, config: Config, options: object) -> None:
        self._path = config.workspace / "standing.json"
        self._folders = [
            config.prompts,
            config.root / "guides",
            config.root / "templates",
            config.store_folder,
            config.workspace / "sketches",
            config.workspace / "renders",
            Path(gallery.__file__).parent,
            Path(gallery.__file__).parent.parent / "templates",
            Path(gallery.__file__).parent.parent / "guides",
        ]
        self._asked = f"{config.model_dump_json()} {options!r}"
        self._now = self._look()

    def _look(self) -> str:
        """A digest of everything that goes in; nothing where it may change again without a trace."""
        limit, found = time.time_ns() - JUST_NOW, [self._asked]
        for folder in self._folders:
            stamps = []
            for path, status in _walk(str(folder)):
                if status.st_mtime_ns > limit:
                    return ""
                stamps.append(f"{path}\0{stamp(status)}")
            found += sorted(stamps)
        return hashlib.sha256("\n".join(found).encode(errors="surrogateescape")).hexdigest()

    def last_result(self) -> dict[str, Any] | None:
        """What the last build came to, where nothing has changed since; else None."""
        try:
            kept = json.loads(self._path.read_bytes())
            return dict(kept["result"]) if self._now and kept["decided_by"] == self._now else None
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def keep(self, result: dict[str, Any], *, changed: bool) -> None:
        """Remember what this build came to; ``changed``: it has put clips among what goes in."""
        decided_by = self._look() if changed else self._now
        write_atomic(self._path, json.dumps({"decided_by": decided_by, "result": result}).encode())


def _walk(start: str) -> Iterator[tuple[str, os.stat_result]]:
    """Every file at or below a folder; links to folders are not followed."""
    folders = [start]
    while folders:
        try:
            entries = [*os.scandir(folders.pop())]
        except OSError:
            continue
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                try:
                    yield entry.path, entry.stat()
                except OSError:
                    # A link that leads nowhere.
                    yield entry.path, entry.stat(follow_symlinks=False)
            elif entry.name != "__pycache__":
                folders.append(entry.path)
