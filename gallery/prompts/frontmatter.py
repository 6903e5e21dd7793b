"""Front matter: from the text of an untrusted file to plain values, with the line of each.

YAML is read from libyaml's events, one after the other. So nothing is built that
was not written out (aliases, the stuff of YAML bombs, are refused), nesting and number
of values have limits, a key that stands twice is found, and every value knows its line.

What is written without quotes means what it looks like, as in YAML 1.2: ``no`` is a
word, ``010`` and ``1:30`` are text and not 8 and 90.
"""

from __future__ import annotations

import datetime
import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from gallery.errors.messages import Wording
from gallery.errors.text import field_name, shown
from gallery.prompts.yaml_problems import describe, field_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gallery.errors.text import Location

MAX_NESTING = 6
MAX_VALUES = 20_000
FENCE = "---"

_REFERENCE = "which YAML takes for a reference; put the text in quotes"
_TYPE = "which YAML takes for the name of a type; put the text in quotes"

# Each is a part of what YAML 1.1 takes for such a value, so that text which PyYAML writes
# without quotes is text here.
_NULL = ("", "~", "null", "Null", "NULL")
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"([-+]?[0-9]+\.[0-9]*|\.[0-9]+)([eE][-+][0-9]+)?")
_NO_NUMBER = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

# What YAML cannot hold, or takes for the end of a line where nobody sees one.
_UNSEEN = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# A character beyond the first 65,536 as JSON escapes it, in two halves; YAML knows it whole.
_HALVES = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")

# What people take for quotation marks, and YAML for letters.
_CURLY = re.compile(r"[“”„«‘‚].+[“”»«’‘]", re.DOTALL)
_COMMENT = re.compile(r"[ \t]+(#.*)")

# libyaml's loader is faster by far; PyYAML can be built without it.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unreadable(Exception):
    """Text that cannot be read, with its line (from 1) and where known its field."""

    def __init__(self, line: int, message: str, name: str = "") -> None:
        super().__init__(message)
        self.line, self.message, self.name = line, message, name


@dataclass
class Document:
    """Values of a YAML mapping, and the line (from 1) of each by its place.

    ``unlike`` says of values what YAML made of them that hardly anybody means.
    """

    values: dict[str, Any]
    lines: dict[Location, int] = field(default_factory=dict)
    unlike: dict[Location, str] = field(default_factory=dict)
    body: str = ""
    body_line: int = 0

    def line_of(self, loc: Location) -> int:
        """The line of a value, or of the nearest thing around it."""
        for depth in range(len(loc), 0, -1):
            if line := self.lines.get(tuple(loc[:depth])):
                return line
        return self.lines.get((), 1)


def split(text: str) -> Document:
    """A prompt file's front matter and what follows it. Raises Unreadable."""
    # Not splitlines(): it also breaks at characters that editors don't count as line ends.
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != FENCE:
        raise Unreadable(1, "no front matter; the first line must be ---")
    end = next((i for i, line in enumerate(lines[1:], start=1) if line.rstrip() == FENCE), 0)
    if not end:
        raise Unreadable(1, "front matter is not closed; end it with a line that holds only ---")
    document = load("\n".join(lines[1:end]), first_line=2)
    rest = list(itertools.dropwhile(lambda line: not line.strip(), lines[end + 1 :]))
    document.body, document.body_line = "\n".join(rest).strip(), len(lines) - len(rest) + 1
    return document


def load(text: str, first_line: int = 1) -> Document:
    """One YAML mapping. Raises Unreadable for anything else, and for what YAML can hide."""
    if found := _UNSEEN.search(text):
        before = text[: found.start()].split("\n")
        problem = Wording.HIDDEN.format(character=f"U+{ord(found[0]):04X}")
        raise Unreadable(first_line + len(before) - 1, problem, field_of(before[-1]))
    try:
        try:
            return _Reader(text, first_line).document()
        except yaml.YAMLError:
            whole = _HALVES.sub(_joined, text)
            if whole == text:
                raise
            text = whole
            return _Reader(text, first_line).document()
    except yaml.YAMLError as error:
        line, name, problem = describe(error, text)
        raise Unreadable(first_line + line, problem, name) from error


def _joined(halves: re.Match[str]) -> str:
    high, low = int(halves[2], 16), int(halves[3], 16)
    return f"{halves[1]}\\U{0x10000 + ((high - 0xD800) << 10) + low - 0xDC00:08x}"


class _Reader:
    def __init__(self, text: str, first_line: int) -> None:
        self.events: Iterator[Any] = yaml.parse(text, Loader=_Loader)
        self.text, self.first_line = text.split("\n"), first_line
        self.lines: dict[Location, int] = {(): first_line}
        self.unlike: dict[Location, str] = {}
        self.values = 0

    def document(self) -> Document:
        next(self.events)  # stream start
        start = next(self.events)
        if isinstance(start, yaml.StreamEndEvent):
            return Document({}, self.lines)
        if start.version or start.tags:
            raise Unreadable(self._line(start), "cannot start with %; remove the line")
        values = self._value(next(self.events), ())
        if values is None:
            return Document({}, self.lines)
        if not isinstance(values, dict):
            raise Unreadable(self.lines[()], "expected fields, one a line, like prompt: lofi beat")
        next(self.events)  # document end
        if not isinstance(after := next(self.events), yaml.StreamEndEvent):
            raise Unreadable(self._line(after), "begins a second YAML document; keep one")
        return Document(values, self.lines, self.unlike)

    def _line(self, event: Any) -> int:
        return int(event.start_mark.line) + self.first_line

    def _value(self, event: Any, loc: Location) -> Any:
        line = self.lines[loc] = self._line(event)
        self.values += 1
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise Unreadable(line, f"starts with & or *, {_REFERENCE}", field_name(loc))
        if event.tag:
            raise Unreadable(line, f"starts with !, {_TYPE}", field_name(loc))
        if len(loc) > MAX_NESTING:
            raise Unreadable(line, f"is nested more than {MAX_NESTING} deep", field_name(loc[:1]))
        if self.values > MAX_VALUES:
            raise Unreadable(line, f"is one of more than {MAX_VALUES:,} values", field_name(loc[:1]))
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, loc)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(loc)
        return self._mapping(loc)

    def _sequence(self, loc: Location) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            values.append(self._value(event, (*loc, len(values))))
        return values

    def _mapping(self, loc: Location) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line = self._line(event)
            if not isinstance(event, yaml.ScalarEvent) or event.anchor or event.tag:
                raise Unreadable(line, "a field's name must be a plain word")
            place = (*loc, event.value)
            if event.value in values:
                problem = f"stands twice, first on line {self.lines[place]}; keep one"
                raise Unreadable(line, problem, field_name(place))
            values[event.value] = self._value(next(self.events), place)
            self.lines[place] = line
        return values

    def _scalar(self, event: Any, loc: Location) -> Any:
        if event.implicit[0]:
            self._look_at_plain(event, loc)
        try:
            return _meant(event.value) if event.implicit[0] else event.value
        except ValueError as error:
            problem = Wording.MANY_DIGITS.format(value=shown(event.value))
            raise Unreadable(self._line(event), problem, field_name(loc)) from error

    def _look_at_plain(self, event: Any, loc: Location) -> None:
        """Text without quotes, of which a comment or quotation marks may not be what they look like."""
        end = event.end_mark
        rest = self.text[end.line][end.column :] if end.line < len(self.text) else ""
        if comment := _COMMENT.fullmatch(f" {rest}" if not event.value else rest):
            self.unlike[loc] = Wording.COMMENT.format(comment=shown(comment[1].rstrip()))
        elif _CURLY.fullmatch(event.value):
            self.unlike[loc] = Wording.CURLY.format(marks=f"{event.value[0]} {event.value[-1]}")


def _meant(text: str) -> Any:
    """The value of what stands without quotes. Raises ValueError for a number of thousands of digits."""
    if text in _NULL:
        return None
    if text in _TRUTH:
        return _TRUTH[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if found := _NO_NUMBER.fullmatch(text):
        return float(f"{found[1]}inf" if found[2] else "nan")
    if _DATE.fullmatch(text):
        try:
            return datetime.date.fromisoformat(text)
        except ValueError:
            return text  # no day of the calendar
    return text
