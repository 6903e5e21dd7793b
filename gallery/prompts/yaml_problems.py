"""What is wrong with text that is not YAML, in the words of this project.

libyaml tells where it stopped and what it looked for; people want to know what to change.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gallery.errors.text import shown

if TYPE_CHECKING:
    import yaml

_IN_QUOTES = "put the text in quotes"
_CANNOT_START = "cannot start with {character}; " + _IN_QUOTES
_MISPLACED = "does not belong here; indent all fields alike, and put text in quotes from beginning to end"
_GOES_ON = "goes on behind its closing {character}; remove that, or put the whole text in quotes"
_NEVER_CLOSED = "opens a bracket that is never closed; a # begins a comment, so put text with one in quotes"
_BEHIND_THE_END = "stands behind the end of the fields, the line ...; remove that line"
_ESCAPE = r'has a \ within "..." that escapes nothing; write \\'

# How libyaml's problem begins -> what people are told.
_PROBLEMS = {
    "mapping values are not allowed": 'has a ": " too many; put text that holds one in quotes, '
    "or indent all fields alike",
    "found character that cannot start any token": _CANNOT_START,
    "did not find expected node content": _CANNOT_START,
    "did not find expected alphabetic or numeric character": "cannot start with & or *; " + _IN_QUOTES,
    "did not find the expected '>'": "cannot start with !; " + _IN_QUOTES,
    "did not find expected tag URI": "cannot start with !; " + _IN_QUOTES,
    "found undefined tag handle": "cannot start with !; " + _IN_QUOTES,
    "found a tab character": "starts with a tab; indent with spaces",
    "found unknown escape character": _ESCAPE,
    "did not find expected hexdecimal number": _ESCAPE,
    "found invalid Unicode character escape code": _ESCAPE,
    "found unexpected end of stream": "opens a quotation mark that is never closed",
    "found unexpected document indicator": "opens a quotation mark that is never closed",
    "did not find expected ',' or ']'": "opens a list with [; put commas between its values and ] at its end",
    "did not find expected ',' or '}'": "opens a mapping with {{; put commas between its fields "
    "and }} at its end",
    "did not find expected key": _MISPLACED,
    "did not find expected '-' indicator": 'does not belong to the list before it; begin values with "- "',
    "could not find expected ':'": "is no field; write a name, a colon, a space and a value",
    "block sequence entries are not allowed": 'begins a list with "- "; write [a, b], '
    "or begin it on the next line",
    "mapping keys are not allowed": "cannot start with ?; " + _IN_QUOTES,
    "did not find expected comment or line break": "has text behind | or >; begin it on the next line",
}
_OTHER = "cannot be read; put text with special characters in quotes"

# Where these begin is of more use than where their end was missed.
_OPENED = ("while scanning a quoted scalar", "while parsing a flow", "while scanning a simple key")

# A value that begins with what has a closing counterpart.
_ENCLOSED = re.compile(r"""^[ -]*\w+ *: +(["'[{])""")
_CLOSING = {'"': '"', "'": "'", "[": "]", "{": "}"}

_FIELD = re.compile(r"[ {-]*(\w{1,40}) *:(?: |$)")


def describe(error: yaml.YAMLError, text: str) -> tuple[int, str, str]:
    """The line (from 0) of what is wrong in ``text``, the field that begins there, and what it is."""
    problem, context = (str(getattr(error, name, None) or "") for name in ("problem", "context"))
    mark = getattr(error, "problem_mark", None)
    if context.startswith(_OPENED):
        mark = getattr(error, "context_mark", None) or mark
    number, column = (mark.line, mark.column) if mark else (0, 0)
    line = [*text.split("\n"), ""][number]
    if line[: column + 1].strip() == "" and line[column : column + 1] == "\t":
        problem = "found a tab character"
    said = next((said for begin, said in _PROBLEMS.items() if problem.startswith(begin)), _OTHER)
    character = shown(line[column : column + 1], quote="")
    if text.startswith("%"):
        number, line, said = 0, "", "cannot start with %; remove the line"
    elif problem.startswith("did not find expected <document start>"):
        said = _BEHIND_THE_END if "..." in text.split("\n")[:number] else _MISPLACED
    elif said is _MISPLACED and (opened := _ENCLOSED.search(line)):
        said, character = _GOES_ON, _CLOSING[opened[1]]
    elif not character and said is _CANNOT_START:
        number = max(at for at, each in enumerate(text.split("\n")) if "[" in each or "{" in each)
        line, said = text.split("\n")[number], _NEVER_CLOSED
    return number, field_of(line), said.format(character=character)


def field_of(line: str) -> str:
    """The name of the field that a line of YAML begins with, or nothing."""
    found = _FIELD.match(line)
    return found[1] if found else ""
