"""Faults as GitHub's workflow commands, which a pull request shows at the lines they are about.

The format is `::error file=...,line=...,title=...::message`; GitHub's runner undoes the
escapes (actions/runner, ActionCommand.cs) after it has split the line.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from gallery.errors.text import printable

if TYPE_CHECKING:
    from pathlib import Path

    from gallery.errors import Fault

_TITLE = "gallery check"


def annotation(level: Literal["error", "warning"], fault: Fault, folder: str = "") -> str:
    """A fault as one workflow command. ``folder`` is the gallery's in its repository, if not its root.

    The message has the place as well: a log shows nothing but the message.
    """
    if folder:
        fault = replace(fault, file=f"{folder}/{fault.file}")
    return _command(
        level, str(fault), file=fault.file, line=str(fault.line or ""), title=fault.field or _TITLE
    )


def error_annotation(message: str) -> str:
    """What stopped a command, as a workflow command without a place."""
    return _command("error", message, title=_TITLE)


def _command(name: str, message: str, **properties: str) -> str:
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{name} {listed}::{_data(printable(message))}"


def folder_in_repository(root: Path) -> str:
    """Where in its git repository a gallery lies, ``music/gallery``; nothing at its root or outside any."""
    root = root.resolve()
    for folder in (root, *root.parents):
        if (folder / ".git").exists():  # a folder, or the file of a worktree
            inside = root.relative_to(folder).as_posix()
            return "" if inside == "." else inside
    return ""


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
