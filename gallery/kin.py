"""Kin: clips that differ in exactly one thing, so that its effect can be heard.

The work is linear in the number of clips: clips are grouped by everything but one
field, and a clip is held against its nearest neighbours in its group alone.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gallery.request import Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    _Clip = tuple[str, Mapping[str, Any]]

# Most kin of one clip in one field; more help nobody.
MOST_KIN = 8

# Wordings are kin when at least this share of their words is the same.
LIKENESS = 0.5

# A word that more prompts than this share says little about who is alike.
_RARE = 24
_NEIGHBOURS = 6

# Pieces of one wording times those of the other that are compared one by one: the work
# grows with the square of how often they are repeated.
MOST_PAIRS = 40_000

_FIELDS = tuple(name for name in Request.model_fields if name != "extend_stride")

# Words, spaces and marks; of scripts without spaces, each character.
_PIECES = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\s+|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+|[^\w\s]"
)


@dataclass(frozen=True)
class Kin:
    """The clip ``key`` is the same request but for ``field``, which has ``value`` there."""

    field: str
    key: str
    value: Any


def find_kin(clips: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Kin]]:
    """For each clip's key its kin: field by field, nearest first, at most `MOST_KIN` a field.

    ``clips`` holds the fields of each request by its key; what is left out is not used.
    """
    rows = {key: tuple(_value(request, name) for name in _FIELDS) for key, request in clips.items()}
    kin: dict[str, list[Kin]] = {key: [] for key in clips}
    for place, field in enumerate(_FIELDS):
        if len({row[place] for row in rows.values()}) < 2:
            continue
        for group in _alike_but_for(place, rows, clips):
            pairs = _wordings(group) if field == "prompt" else _values(field, group)
            for key, other in pairs:
                kin[key].append(Kin(field, other, clips[other].get(field)))
    return kin


def word_changes(before: str, after: str) -> list[list[str]]:
    """The way from one wording to another: ["=", text], ["-", text], ["+", text] in order."""
    old, new = _pieces(before), _pieces(after)
    if len(old) * len(new) > MOST_PAIRS:
        return coarse_changes(old, new)
    changes: list[list[str]] = []
    for kind, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            changes.append(["=", "".join(old[i1:i2])])
            continue
        if i2 > i1:
            changes.append(["-", "".join(old[i1:i2])])
        if j2 > j1:
            changes.append(["+", "".join(new[j1:j2])])
    return changes


def coarse_changes(old: Sequence[str], new: Sequence[str]) -> list[list[str]]:
    """The same way for long texts: what both begin and end with, and all between as one change."""
    shorter = min(len(old), len(new))
    start = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    end = next((at for at in range(shorter - start) if old[-1 - at] != new[-1 - at]), shorter - start)
    parts = (
        ("=", old[:start]),
        ("-", old[start : len(old) - end]),
        ("+", new[start : len(new) - end]),
        ("=", old[len(old) - end :]),
    )
    return [[step, "".join(pieces)] for step, pieces in parts if pieces]


def _alike_but_for(
    place: int, rows: dict[str, tuple[Any, ...]], clips: Mapping[str, Mapping[str, Any]]
) -> Iterator[list[_Clip]]:
    groups: dict[Any, list[_Clip]] = defaultdict(list)
    for key, row in rows.items():
        # The stride follows from the duration where both are left to themselves.
        stride = None if _FIELDS[place] == "duration" else clips[key].get("extend_stride")
        groups[row[:place] + row[place + 1 :], stride].append((key, clips[key]))
    return (group for group in groups.values() if len(group) > 1)


def _value(request: Mapping[str, Any], field: str) -> Any:
    return min(request["top_p"], 1.0) if field == "top_p" else request.get(field)


def _values(field: str, group: Sequence[_Clip]) -> Iterator[tuple[str, str]]:
    """Each clip with its neighbours by value; those with one value are one to the ear."""
    ordered = sorted(
        group, key=lambda item: (str(type(_value(item[1], field))), _value(item[1], field) or 0, item[0])
    )
    for place, (key, request) in enumerate(ordered):
        near = range(max(0, place - MOST_KIN), min(len(ordered), place + MOST_KIN + 1))
        others = [i for i in near if _value(ordered[i][1], field) != _value(request, field)]
        closest = sorted(others, key=lambda i: abs(i - place))[:MOST_KIN]
        yield from ((key, ordered[i][0]) for i in sorted(closest))


def _wordings(group: Sequence[_Clip]) -> Iterator[tuple[str, str]]:
    """Each clip with those whose prompts share most words with its own.

    Candidates are neighbours in the order of the texts, forwards and backwards
    (a change at the end, at the beginning), and those that share a rare word.
    """
    texts = {key: request["prompt"].casefold() for key, request in group}
    words = {text: _words(text) for text in texts.values()}
    candidates: dict[str, set[str]] = defaultdict(set)
    for ordered in (
        sorted(texts, key=lambda k: (texts[k], k)),
        sorted(texts, key=lambda k: (texts[k][::-1], k)),
    ):
        for place, key in enumerate(ordered):
            candidates[key].update(ordered[max(0, place - _NEIGHBOURS) : place + _NEIGHBOURS + 1])
    sharing: dict[str, list[str]] = defaultdict(list)
    for key, text in texts.items():
        for word, _ in words[text]:
            sharing[word].append(key)
    for keys in sharing.values():
        if len(keys) <= _RARE:
            for key in keys:
                candidates[key].update(keys)
    for key, text in texts.items():
        own = words[text]
        scored = [
            (_likeness(own, words[texts[other]]), other) for other in candidates[key] if texts[other] != text
        ]
        best = sorted((item for item in scored if item[0] >= LIKENESS), key=lambda item: (-item[0], item[1]))
        yield from ((key, other) for _, other in best[:MOST_KIN])


def _likeness(one: frozenset[tuple[str, int]], other: frozenset[tuple[str, int]]) -> float:
    """The share of words that two texts have in common, of the longer one's."""
    return len(one & other) / max(len(one), len(other), 1)


def _words(text: str) -> frozenset[tuple[str, int]]:
    """The words of a text, each with how often it stood before: repeated words count."""
    counts: Counter[str] = Counter()
    words = []
    for piece in _pieces(text):
        if piece[0].isalnum():
            words.append((piece, counts[piece]))
            counts[piece] += 1
    return frozenset(words)


def _pieces(text: str) -> list[str]:
    return _PIECES.findall(text)
