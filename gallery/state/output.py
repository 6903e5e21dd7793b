"""What is known of the files that builds wrote into an output folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gallery.utils.digest import digest

if TYPE_CHECKING:
    from pathlib import Path

    from gallery.state.database import State

# Lies in the output folder: address and SHA-256 of all that builds wrote there.
LIST_NAME = ".gallery.json"


def kind_of(output: Path | str) -> str:
    """The kind of their rows, by address: what decided a file, its stamp and its SHA-256."""
    return f"page {digest(str(output))}"


def stamp_in(output: str, address: str) -> str:
    """The stamp of the file at an address."""
    return stamp_at(f"{output}/{address}")


def stamp_at(path: str) -> str:
    """A file's size and modification time; nothing where there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - ten thousand times a build
    except (OSError, ValueError):
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"


def site_in_place(state: State, output: str) -> int:
    """How many files of a site earlier builds wrote, if all are as they were written; else 0."""
    count, listed = 0, False
    for address, _, value in state.each(kind_of(output)):
        if value.rpartition(" ")[0] != stamp_in(output, address):
            return 0
        count, listed = count + 1, listed or address == LIST_NAME
    return count - 1 if listed else 0  # the list itself is no file of the site
