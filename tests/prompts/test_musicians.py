"""Prompt files as people who make music break them: what can only mean one thing is accepted or offered."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from gallery.config import load_config
from gallery.prompts.folder import read_prompts
from support import TESTS
from support.galleries import Gallery


class Case(NamedTuple):
    """A file, and what is said of it."""

    name: str
    text: str
    expected: list[str]


def _cases() -> dict[str, Case]:
    cases = {}
    for block in (TESTS / "prompts/musicians.txt").read_text().split("\n== ")[1:]:
        happened, name, *lines = block.rstrip("\n").split("\n")
        text = "".join(f"{line}\n" for line in lines if not line.startswith("> "))
        expected = [line.removeprefix("> ") for line in lines if line.startswith("> ")]
        cases[happened] = Case(name.removeprefix("@ "), text, expected)
    return cases


CASES = _cases()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What one check of a gallery with all those files says, by their names."""
    gallery = Gallery(tmp_path_factory.mktemp("musicians")).begin()
    for case in CASES.values():
        gallery.write(f"prompts/{case.name}", case.text)
    ran = gallery.run("check")
    assert ran.code == 1
    said: dict[str, list[str]] = {}
    for line in ran.err.splitlines():
        found = re.fullmatch(r"(warning: )?prompts/([^:]+)(:.*)", line)
        assert found, line
        said.setdefault(found[2], []).append(f"{found[1] or ''}{found[2]}{found[3]}")
    return said


def test_there_are_thirty_and_more() -> None:
    assert len({case.name for case in CASES.values()}) == len(CASES) >= 30


@pytest.mark.parametrize("happened", CASES)
def test_what_is_said(told: dict[str, list[str]], happened: str) -> None:
    said = [line for line in told.get(CASES[happened].name, []) if "same request" not in line]
    assert said == CASES[happened].expected


def test_what_is_accepted_is_what_was_meant(gallery: Gallery) -> None:
    gallery.prompt(
        "a",
        r'prompt: "a \ud83c\udfb5, a \\ud83c and a \uD834\uDD1E"',
        'tags: [Lo-Fi, "# Ambient ", R&B]',
        'author: "@octocat"',
        'date: "2026-11-20"',
    )
    ran = gallery.run("check", "--strict")
    assert (ran.code, ran.err) == (0, "")
    [prompt] = read_prompts(load_config(gallery.root)).prompts
    assert prompt.text == "a 🎵, a \\ud83c and a 𝄞"
    assert (prompt.tags, prompt.author, prompt.date) == (("lo-fi", "ambient", "r&b"), "octocat", "2026-11-20")


def test_a_comment_is_one_behind_what_is_no_text(gallery: Gallery) -> None:
    """Behind numbers, lists and text in quotes, or on a line of its own, nobody takes it for text."""
    gallery.prompt(
        "a", "# one", 'prompt: "rain"  # two', "seed: 7  # three", "tags: [a]  # four", "author: octocat # 5"
    )
    assert gallery.run("check").err == ""
    gallery.prompt("a", "takes:", "  - prompt: rain # soft", "  - prompt: a#b")
    assert gallery.run("check").err == (
        'warning: prompts/a.md:3: takes[1].prompt: lacks "# soft": a # begins a comment; '
        "put the text in quotes if that belongs to it\n"
    )
