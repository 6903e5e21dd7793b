"""The line that a fault is about, and the place in it."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from gallery.errors.text import printable

if TYPE_CHECKING:
    from pathlib import Path

    from gallery.errors import Fault

# Of a longer line, what stands around the place is shown.
_WIDTH = 96

# What leads many messages: the value itself, as `shown` writes it.
_VALUE = re.compile(r'"(?P<text>[^"]+?)(?:\.\.\.)?" |(?P<number>-?[0-9][0-9.]*)(?= (?:is|s is) )')
_CHARACTER = re.compile(r"invisible character U\+([0-9A-F]{4,6})")


class Lines:
    """The lines of a gallery's files, each file read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[str, list[str]] = {}

    def of(self, fault: Fault) -> str:
        """The line that a fault names; empty where there is none, or its file cannot be read."""
        if fault.file not in self._files:
            self._files[fault.file] = self._read(fault.file)
        lines = self._files[fault.file]
        return lines[fault.line - 1] if 0 < fault.line <= len(lines) else ""

    def _read(self, name: str) -> list[str]:
        path = self._root / name
        try:
            if not path.resolve().is_relative_to(self._root.resolve()) or not path.is_file():
                return []
            return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n").split("\n")
        except (OSError, ValueError, RuntimeError):
            return []


def place_of(fault: Fault, line: str) -> tuple[int, int]:
    """Where in its line a fault is: the first and the last character, counted from 0, the last exclusive."""
    if (hidden := _CHARACTER.search(fault.message)) and (at := line.find(chr(int(hidden[1], 16)))) >= 0:
        return at, at + 1
    name = re.split(r"[.\[]", fault.field.rstrip("]0123456789["))[-1]
    named = re.search(rf"(?<![\w-]){re.escape(name)}[\"']?\s*[:=]\s*", line) if name else None
    start = named.end() if named else 0
    value = _VALUE.match(fault.message)
    if value and (at := line.find(value["text"] or value["number"], start)) >= 0:
        return at, at + len(value["text"] or value["number"])
    stripped = line.rstrip()
    if named and (fault.message.startswith("unknown field") or start >= len(stripped)):
        return named.start(), named.start() + len(name)
    start = start or len(line) - len(line.lstrip())
    return start, max(len(stripped), start + 1)


def excerpt(fault: Fault, line: str) -> tuple[str, str] | None:
    """The line, and below it a mark under the place; nothing where there is no line."""
    if not line.strip():
        return None
    start, end = place_of(fault, line)
    first = max(0, min(start - _WIDTH // 3, len(line) - _WIDTH))
    end = min(end, first + _WIDTH)
    before, marked = _plain(line[first:start]), _plain(line[start:end])
    number = f"{fault.line:>5} | "
    text = before + marked + _plain(line[end : first + _WIDTH])
    under = " " * _cells(before) + "^" * max(_cells(marked), 1)
    return f"{number}{text.rstrip()}", f"{'| ':>{len(number)}}{under}"


def _plain(text: str) -> str:
    return printable(text.replace("\t", " "))


def _cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
