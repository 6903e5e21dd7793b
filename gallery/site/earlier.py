"""The lists of pages that versions before 0.2 kept in the workspace: read once, then gone."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from gallery.utils.digest import digest

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER = "pages"
_OTHERS = ("standing.json", "cache.sqlite", "cache.sqlite-wal", "cache.sqlite-shm")


def earlier_list(workspace: Path, output: Path) -> dict[str, str]:
    """The files that were written into ``output``, each with its size and modification time then.

    That is nothing where a build was killed before it came to that. Digests the lists had none.
    """
    try:
        told = json.loads((workspace / _FOLDER / f"{digest(str(output))}.json").read_bytes())
        return {address: " ".join(known.split(" ")[-2:]) for address, known in told["files"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def forget_earlier_list(workspace: Path) -> None:
    """Remove what no version reads any more."""
    if (workspace / _FOLDER).is_dir() and not (workspace / _FOLDER).is_symlink():
        shutil.rmtree(workspace / _FOLDER, ignore_errors=True)
    for name in _OTHERS:
        (workspace / name).unlink(missing_ok=True)
