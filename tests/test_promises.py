"""What README and docs say that "never" or "always" happens is held by tests: promises.toml names them."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache

import pytest

from support import ROOT

# The words of a promise without exceptions.
ABSOLUTE = re.compile(
    r"\b(never|nothing|nowhere|always|whatever happens|(none|no \w+) is lost|(not|no) (\w+ ){1,4}twice)\b",
    re.IGNORECASE,
)
NAMES_A_TEST = re.compile(r"`(test_\w+)`")

PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]

# By page and quote: the tests that hold what is quoted, or, as a text, why it promises nothing.
ENTRIES: dict[str, dict[str, list[str] | str]] = tomllib.loads((ROOT / "tests/promises.toml").read_text())


def words_of(page: str) -> str:
    """A page in one line, without those of its lines that name their tests themselves."""
    lines = (ROOT / page).read_text().splitlines()
    return " ".join(" ".join(line for line in lines if not NAMES_A_TEST.search(line)).split())


def unheld(words: str, quotes: list[str]) -> list[str]:
    """The promises in a text that lie in none of these quotes, each with what is around it."""
    spans = [found.span() for quote in quotes for found in re.finditer(re.escape(quote), words)]
    return [
        words[max(0, found.start() - 60) : found.end() + 60]
        for found in ABSOLUTE.finditer(words)
        if not any(start <= found.start() and found.end() <= end for start, end in spans)
    ]


@cache
def _tests_of(name: str) -> frozenset[str]:
    """The tests of a file in tests/; none where there is no such file."""
    path = ROOT / "tests" / name
    nodes = ast.walk(ast.parse(path.read_text())) if path.is_file() else ()
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("page", PAGES)
def test_every_promise_of_a_page_is_held(page: str) -> None:
    """Add a quote of it to promises.toml with the tests that hold it, or say what is so."""
    assert unheld(words_of(page), list(ENTRIES.get(page, {}))) == []


def test_every_quote_stands_in_its_page_and_is_a_promise() -> None:
    assert set(ENTRIES) <= set(PAGES)
    for page, quotes in ENTRIES.items():
        words = words_of(page)
        assert [quote for quote in quotes if quote not in words] == [], page
        # A quote of two words would hold whatever is written with them.
        assert [quote for quote in quotes if not ABSOLUTE.search(quote) or len(quote.split()) < 4] == [], page


def test_every_test_that_is_named_exists() -> None:
    for quotes in ENTRIES.values():
        for quote, held in quotes.items():
            assert held, quote
            for test in held if isinstance(held, list) else ():
                name, _, function = test.partition("::")
                assert function.startswith("test_") and function in _tests_of(name), (quote, test)
    every = {name for path in (ROOT / "tests").rglob("test_*.py") for name in _tests_of(str(path))}
    for page in PAGES:
        assert set(NAMES_A_TEST.findall((ROOT / page).read_text())) <= every, page


@pytest.mark.parametrize(
    "words",
    [
        "It NEVER fails.",
        "and nothing else",
        "always",
        "no clip is lost",
        "none is lost",
        "is not paid for twice",
    ],
)
def test_what_nobody_holds_is_found(words: str) -> None:
    assert unheld(f"This is held: never at all. {words}", ["This is held: never"])
    assert unheld(words, [words]) == []
