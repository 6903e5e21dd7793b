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


def earlier_list(workspace: Path, output: Path) -> tuple[dict[str, str], bool]:
    """The files that were written into ``output``, and whether that came to its end. Digests it had none."""
    try:
        told = json.loads((workspace / _FOLDER / f"{digest(str(output))}.json").read_bytes())
        return {address: "" for address in told["files"] if isinstance(address, str)}, bool(told["whole"])
    except FileNotFoundError:
        return {}, True
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return {}, False


def forget_earlier_list(workspace: Path) -> None:
    """Remove what no version reads any more."""
    if (workspace / _FOLDER).is_dir() and not (workspace / _FOLDER).is_symlink():
        shutil.rmtree(workspace / _FOLDER, ignore_errors=True)
    for name in _OTHERS:
        (workspace / name).unlink(missing_ok=True)
