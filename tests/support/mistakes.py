"""Prompt files with mistakes, and what is said of each."""

from __future__ import annotations

import re
from typing import NamedTuple

from support import TESTS


class Case(NamedTuple):
    """A prompt file, and the lines that are printed of it, without its name."""

    text: str
    expected: list[str]


def _front_matter() -> dict[str, Case]:
    """The cases of prompts/broken_front_matter.txt, which says how they are written."""
    cases = {}
    table = (TESTS / "prompts/broken_front_matter.txt").read_text()
    for block in re.split(r"^(?====? )", table, flags=re.MULTILINE)[1:]:
        if block.startswith("=== "):
            continue
        name, *lines = block.removeprefix("== ").rstrip("\n").split("\n")
        written = "".join(f"{line}\n" for line in lines if not line.startswith("> "))
        written = re.sub(r"\{U\+([0-9A-F]{4,5})\}", lambda found: chr(int(found[1], 16)), written)
        written = re.sub(r"\{(.{1,2}) x (\d+)\}", lambda found: found[1] * int(found[2]), written)
        assert name not in cases
        expected = [line.removeprefix("> ") for line in lines if line.startswith("> ")]
        cases[name] = Case(f"---\n{written}---\n", expected)
    return cases


FRONT_MATTER = _front_matter()
