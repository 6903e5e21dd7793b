"""Front matter: from the text of an untrusted file to plain values, with the line of each.

YAML is read from libyaml's events, one after the other. So nothing is built that
was not written out (aliases, the stuff of YAML bombs, are refused), nesting has a
limit, a key that stands twice is found, and every value knows its line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from gallery.validation import field_name, shown

MAX_NESTING = 6
FENCE = "---"

# libyaml's loader is seven times as fast; PyYAML can be built without it.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Location = tuple[int | str, ...]


class Unreadable(Exception):
    """Text that cannot be read, with its line (from 1) and where known its field."""

    def __init__(self, line: int, message: str, name: str = "") -> None:
        super().__init__(message)
        self.line, self.message, self.name = line, message, name


@dataclass
class Document:
    """Values of a YAML mapping, and the line (from 1) of each by its place."""

    values: dict[str, Any]
    lines: dict[Location, int] = field(default_factory=dict)
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
    document.body, document.body_line = "\n".join(lines[end + 1 :]).strip(), end + 2
    return document


def load(text: str, first_line: int = 1) -> Document:
    """One YAML mapping. Raises Unreadable for anything else, and for what YAML can hide."""
    try:
        loader = _Loader(text)
    except yaml.YAMLError as error:
        raise _unreadable(error, first_line) from error
    try:
        return _Reader(loader, first_line).document()
    except yaml.YAMLError as error:
        raise _unreadable(error, first_line) from error
    finally:
        loader.dispose()


class _Reader:
    def __init__(self, loader: Any, first_line: int) -> None:
        self.loader, self.first_line = loader, first_line
        self.lines: dict[Location, int] = {}

    def document(self) -> Document:
        self.loader.get_event()  # stream start
        if isinstance(self.loader.get_event(), yaml.StreamEndEvent):
            return Document({}, {(): self.first_line})
        event = self.loader.get_event()
        if isinstance(event, yaml.ScalarEvent) and not event.value:
            return Document({}, {(): self.first_line})
        if not isinstance(event, yaml.MappingStartEvent):
            raise Unreadable(self._line(event), "expected fields, one a line, like prompt: lofi beat")
        values = self._mapping(event, ())
        self.loader.get_event()  # document end
        if not isinstance(self.loader.get_event(), yaml.StreamEndEvent):
            raise Unreadable(self.first_line, "holds a second YAML document; keep one")
        return Document(values, self.lines)

    def _line(self, event: Any) -> int:
        return int(event.start_mark.line) + self.first_line

    def _value(self, event: Any, loc: Location) -> Any:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Unreadable(self._line(event), "YAML anchors and aliases are not accepted; write it out")
        if event.tag is not None and event.tag != "!":
            raise Unreadable(self._line(event), "YAML tags are not accepted; leave out the !")
        if len(loc) > MAX_NESTING:
            raise Unreadable(self._line(event), f"nested more than {MAX_NESTING} deep")
        self.lines.setdefault(loc, self._line(event))
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, loc)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(loc)
        return self._mapping(event, loc)

    def _sequence(self, loc: Location) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := self.loader.get_event(), yaml.SequenceEndEvent):
            values.append(self._value(event, (*loc, len(values))))
        return values

    def _mapping(self, start: Any, loc: Location) -> dict[str, Any]:
        self.lines.setdefault(loc, self._line(start))
        values: dict[str, Any] = {}
        while not isinstance(event := self.loader.get_event(), yaml.MappingEndEvent):
            line = self._line(event)
            if not isinstance(event, yaml.ScalarEvent) or event.anchor or event.tag:
                raise Unreadable(line, "a field's name must be a plain word")
            name = event.value
            if name in values:
                first = self.lines[(*loc, name)]
                problem = f"stands twice, first on line {first}; keep one"
                raise Unreadable(line, problem, field_name((*loc, name)))
            self.lines[(*loc, name)] = line
            values[name] = self._value(self.loader.get_event(), (*loc, name))
        return values

    def _scalar(self, event: Any, loc: Location) -> Any:
        tag = self.loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        node = yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark)
        try:
            return self.loader.construct_object(node)
        except ValueError as error:  # a date like 2026-13-45, a number of 5,000 digits
            reason = "too many digits" if tag.endswith(":int") else error
            problem = f"{shown(event.value)} cannot be read: {reason}"
            raise Unreadable(self._line(event), problem, field_name(loc)) from error


def _unreadable(error: yaml.YAMLError, first_line: int) -> Unreadable:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    hint = '; put text that holds ": " or starts with a special character in quotes'
    return Unreadable(first_line + (mark.line if mark else 0), f"not valid YAML: {problem}{hint}")
