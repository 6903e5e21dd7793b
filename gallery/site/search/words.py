"""What a search knows of words: forms of one word, and the fields that it can ask for by name."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.site.theme import labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Parameters that can be asked for by name, in the order in which the index packs their values.
PARAMETERS = ("cfg_coef", "temperature", "top_k", "top_p", "duration", "extend_stride", "seed")


def forms(own: Iterable[Sequence[str]]) -> list[list[str]]:
    """Groups of words that find each other: the gallery's own, then the packaged ones.

    A word that the gallery names belongs to its own group alone; groups of one word are none.
    """
    groups = [_spellings(group) for group in own]
    taken = {word for group in groups for word in group}
    groups += [[word for word in group if word not in taken] for group in _packaged()]
    return [group for group in groups if len(group) > 1]


def fields(filters: Iterable[str]) -> dict[str, int | str]:
    """What can be asked for as ``name:value``: a filter's name, or a parameter's place in `PARAMETERS`.

    Parameters go by their labels and by their names.
    """
    found: dict[str, int | str] = {name: name for name in filters}
    for place, field in enumerate(PARAMETERS):
        found |= dict.fromkeys((labels.label(field), field), place)
    return found


@cache
def _packaged() -> list[list[str]]:
    text = Path(__file__).with_name("words.toml").read_text(encoding="utf-8")
    return [_spellings(group) for group in tomllib.loads(text)["forms"]]


def _spellings(group: Iterable[str]) -> list[str]:
    return [*filter(None, dict.fromkeys(map(_spelled, group)))]


def _spelled(word: str) -> str:
    """A word as the search compares it: without case, hyphens and accents. See templates/assets/query.js."""
    plain = "".join(
        sign for sign in unicodedata.normalize("NFKD", word.lower()) if not "\u0300" <= sign <= "\u036f"
    )
    return " ".join(re.sub(r"['\u2019]", "", re.sub(r"[\s\-_/&.,]+", " ", plain)).split())
