"""What is wrong with text that is not YAML, in the words of this project.

libyaml tells where it stopped and what it looked for; people want to know what to change. What
they are told stands in yaml_problems.toml.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gallery.errors.text import shown

if TYPE_CHECKING:
    import yaml

# Where these begin is of more use than where their end was missed.
_OPENED = ("while scanning a quoted scalar", "while parsing a flow", "while scanning a simple key")

# A value that begins with what has a closing counterpart.
_ENCLOSED = re.compile(r"""^[ -]*\w+ *: +(["'[{])""")
_CURLY = re.compile(r"^[ -]*\w+ *: +([“”„«‘‚])")
_MENTION = re.compile(r"^author *: +@([A-Za-z0-9-]+) *$")
_CLOSING = {'"': '"', "'": "'", "[": "]", "{": "}"}

_FIELD = re.compile(r"[ {-]*(\w{1,40}) *:(?: |$)")


@cache
def _kinds() -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def describe(error: yaml.YAMLError, text: str) -> tuple[int, str, str]:
    """The line (from 0) of what is wrong in ``text``, the field that begins there, and what it is."""
    problem, context = (str(getattr(error, name, None) or "") for name in ("problem", "context"))
    mark = getattr(error, "problem_mark", None)
    if context.startswith(_OPENED):
        mark = getattr(error, "context_mark", None) or mark
    number, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.split("\n")
    line = [*lines, ""][number]
    if line[: column + 1].strip() == "" and line[column : column + 1] == "\t":
        problem = "found a tab character"
    kinds = _kinds()
    kind = next((name for name in kinds if problem.startswith(tuple(kinds[name]["problems"]))), "other")
    character = shown(line[column : column + 1], quote="")
    if text.startswith("%"):
        number, line, kind = 0, "", "directive"
    elif problem.startswith("did not find expected <document start>"):
        kind = "behind-the-end" if "..." in lines[:number] else "misplaced"
    elif kind in ("colon", "misplaced") and (opened := _CURLY.search(line)):
        kind, character = "curly", opened[1]
    elif kind == "misplaced" and (opened := _ENCLOSED.search(line)):
        kind, character = "goes-on", _CLOSING[opened[1]]
    elif kind == "cannot-start" and (mentioned := _MENTION.search(line)):
        kind, character = "mention", shown(mentioned[1], quote="")
    elif not character and kind == "cannot-start":
        number = max(at for at, each in enumerate(lines) if "[" in each or "{" in each)
        line, kind = lines[number], "bracket-never-closed"
    return number, field_of(line), kinds[kind]["told"].format(character=character)


def field_of(line: str) -> str:
    """The name of the field that a line of YAML begins with, or nothing."""
    found = _FIELD.match(line)
    return found[1] if found else ""
