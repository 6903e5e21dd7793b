"""A contributor's file, safely: only one that lies in its folder, is a file, and is not huge."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from gallery.prompts.frontmatter import Unreadable

if TYPE_CHECKING:
    from pathlib import Path

MAX_FILE_BYTES = 1_000_000


def read_input(path: Path, root: Path) -> bytes:
    """The bytes of a file that lies in ``root``. Raises Unreadable for any other, and for a huge one."""
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            raise Unreadable(0, "a link out of the gallery; put the file itself here")
        with open(path, "rb", opener=_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unreadable(0, "not a file")
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise Unreadable(0, f"larger than {MAX_FILE_BYTES // 1000} KB")
    except (OSError, RuntimeError) as error:  # Python 3.11 tells of a loop of links by the latter
        reason = getattr(error, "strerror", None) or error
        raise Unreadable(0, f"cannot be read: {reason}") from error
    return data


def text_of(data: bytes) -> str:
    """What a file says. Raises Unreadable, with the line, for what is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise Unreadable(line, "not UTF-8; save the file as UTF-8") from error


def _at_once(path: str, flags: int) -> int:
    """Open without waiting, as opening a pipe would until somebody writes into it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
