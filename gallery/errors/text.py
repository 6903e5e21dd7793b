"""Values and places in messages: on one line, short, and harmless to terminals and logs."""

from __future__ import annotations

from typing import Any

from gallery.errors import GalleryError

# A place in a document: keys of mappings, and places in lists, counted from 0.
Location = tuple[int | str, ...]


def field_name(loc: Location) -> str:
    """A place in a file as people write it: ``vary.cfg_coef[2]`` (counted from 1)."""
    name = ""
    for part in loc:
        name += f"[{part + 1}]" if isinstance(part, int) else f".{shown(part, quote='')}"
    return name.removeprefix(".")


def shown(value: Any, quote: str = '"') -> str:
    """A value in a message: short, on one line, and unable to steer a terminal."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a number of more than 20 digits"
    text = str(value)
    if len(text) > 60:
        text = text[:57] + "..."
    text = printable(text)
    return f"{quote}{text}{quote}" if isinstance(value, str) else text


def printable(text: str) -> str:
    """Text on one line that can steer neither a terminal nor what reads the log.

    GitHub's runner takes ``##[`` for a command wherever it stands in a line.
    """
    text = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
    return text.replace("##[", "##\\u005b")


def one_line(told: str | BaseException, longest: int = 240) -> str:
    """What somebody else wrote, or an error, as one harmless line; what is too long is cut off.

    Errors are told with their kind, unless they were made for people.
    """
    text = told if isinstance(told, str) else str(told)
    text = " ".join(text.split())[: longest + 1]
    if isinstance(told, BaseException) and not isinstance(told, GalleryError):
        text = f"{type(told).__name__}: {text}" if text else type(told).__name__
    text = printable(text)
    return text if len(text) <= longest else text[: longest - 1] + "…"
