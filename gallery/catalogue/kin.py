"""Kin: clips that differ in exactly one thing, so that its effect can be heard.

The work is linear in the number of clips: clips are grouped by everything but one
field, and a clip is held against its nearest neighbours in its group alone.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from gallery.catalogue import differences
from gallery.prompts.request import Request, is_unseeded
from gallery.state.database import Damaged, Row
from gallery.utils.digest import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gallery.prompts.prompt import Clips
    from gallery.state.database import State

# Rows of the state: clips' kin by their keys; by no key, how many clips have kin.
_KIN, _ALL = "kin", ""

# Most kin of one clip in one field; more help nobody.
MOST_KIN = 8

# Wordings are kin when at least this share of their words is the same.
LIKENESS = 0.5

# A word that more prompts than this share says little about who is alike.
_RARE = 24
_NEIGHBOURS = 6

# Where nobody knows a seed, the clip's audio stands in its place.
_FIELDS = tuple(name for name in Request.model_fields if name not in ("extend_stride", "audio"))


class Kin(NamedTuple):
    """The clip ``key`` is the same request but for ``field``, which has ``value`` there.

    Wordings are too long to be said here as well: of "prompt" the value is None.
    """

    field: str
    key: str
    value: Any


class _Row(NamedTuple):
    """What is compared of a clip: values of `_FIELDS`, and its stride where one was asked for."""

    values: tuple[Any, ...]
    stride: float | None


class Kinship:
    """The kin of each clip by its key. There may be many: they lie in ``state`` until they are asked for."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._digests: dict[str, bytes] = {}
        self._keys: dict[str, tuple[str, ...]] = {}

    def add(self, key: str, text: str, clips: Clips) -> None:
        """Take in a clip's kin, as JSON that is kept."""
        keys = [kin[1] for kin in json.loads(text)]
        homes = [clips.homes[each] for each in keys]
        told = digest(text, *(part for home in homes for part in (home.path, home.title)))
        self._digests[key] = bytes.fromhex(told)
        # Each key is in memory once, in its home.
        self._keys[key] = tuple(
            home.keys[home.keys.index(each)] for home, each in zip(homes, keys, strict=True)
        )

    def digest(self, key: str) -> bytes:
        """Of a clip's kin, where they are found, and what their prompts are called; empty without any."""
        return self._digests.get(key, b"")

    def keys(self, key: str) -> tuple[str, ...]:
        """The keys of a clip's kin."""
        return self._keys.get(key, ())

    def of(self, key: str) -> list[Kin]:
        """A clip's kin."""
        if key not in self._digests:
            return []
        text = self._state.value(_KIN, key)
        if text is None:
            raise Damaged
        return [Kin(*each) for each in json.loads(text)]


def kin_of(clips: Clips, state: State) -> Kinship:
    """What `find_kin` finds, looked for anew only where what is asked for has changed."""
    decided = digest(*(outline.asked for outline in clips.prompts.outlines))
    kin, known = Kinship(state), state.get(_KIN, _ALL)
    if known and known.decided_by == decided:
        count = 0
        for key, _, text in state.each(_KIN):
            if key != _ALL:
                kin.add(key, text, clips)
                count += 1
        if str(count) != known.value:
            raise Damaged
        return kin
    found = find_kin((clip.key, clip.fields) for clip in clips.values())
    rows = {key: Row(decided, json.dumps(each)) for key, each in found.items()}
    state.put(_KIN, {**rows, _ALL: Row(decided, str(len(rows)))}, state.names(_KIN) - rows.keys() - {_ALL})
    for key, row in rows.items():
        kin.add(key, row.value, clips)
    return kin


def find_kin(requests: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, list[Kin]]:
    """For each clip's key its kin, if it has any: field by field, nearest first, at most `MOST_KIN` a field.

    ``requests`` are keys, each once, with the fields of their requests; what is left out is not used.
    """
    common: dict[Any, Any] = {}
    rows: dict[str, _Row] = {}
    for key, request in requests:
        if request.get("audio") and not is_unseeded(request):
            continue  # of another engine: no clip differs from it in one field
        # Most values are those of many clips: each is in memory once.
        fields = {**request, "seed": request["audio"]} if is_unseeded(request) else request
        values = tuple(common.setdefault((type(value), value), value) for value in map(fields.get, _FIELDS))
        rows[key] = _Row(values, request.get("extend_stride"))
    kin: dict[str, list[Kin]] = defaultdict(list)
    for place, field in enumerate(_FIELDS):
        if len({row.values[place] for row in rows.values()}) < 2:
            continue
        for keys in _alike_but_for(place, rows):
            heard = {key: _heard(field, rows[key].values[place]) for key in keys}
            for key, other in _wordings(heard) if field == "prompt" else _neighbours(heard):
                kin[key].append(Kin(field, other, None if field == "prompt" else rows[other].values[place]))
    return dict(kin)


def _alike_but_for(place: int, rows: Mapping[str, _Row]) -> Iterator[list[str]]:
    """Keys of clips that are the same in all but one field."""
    groups: dict[Any, list[str]] = defaultdict(list)
    share = _FIELDS.index("top_p")
    for key, (values, stride) in rows.items():
        same = [*values]
        same[place] = None
        same[share] = _heard("top_p", same[share])
        # The stride follows from the duration where both are left to themselves.
        groups[(*same, None if _FIELDS[place] == "duration" else stride)].append(key)
    return (keys for keys in groups.values() if len(keys) > 1)


def _heard(field: str, value: Any) -> Any:
    """A value as it sounds: a share of more than all is all."""
    return min(value, 1.0) if field == "top_p" and value is not None else value


def _neighbours(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each clip with those that are next to it by value; those with one value are one to the ear."""
    ordered = sorted(values, key=lambda key: (str(type(values[key])), values[key] or 0, key))
    for place, key in enumerate(ordered):
        near = range(max(0, place - MOST_KIN), min(len(ordered), place + MOST_KIN + 1))
        others = [i for i in near if values[ordered[i]] != values[key]]
        closest = sorted(others, key=lambda i: abs(i - place))[:MOST_KIN]
        yield from ((key, ordered[i]) for i in sorted(closest))


def _wordings(prompts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each clip with those whose prompts share most words with its own.

    Candidates are neighbours in the order of the texts, forwards and backwards
    (a change at the end, at the beginning), and those that share a rare word.
    """
    texts = {key: prompt.casefold() for key, prompt in prompts.items()}
    numbers: dict[Any, int] = {}
    words = {
        text: tuple(numbers.setdefault(word, len(numbers)) for word in _words(text))
        for text in texts.values()
    }
    sharing: list[list[str] | None] = [[] for _ in numbers]
    for key, text in texts.items():
        for word in words[text]:
            keys = sharing[word]
            if keys is not None:
                keys.append(key)
                if len(keys) > _RARE:
                    sharing[word] = None
    orders = [
        sorted(texts, key=lambda key: (texts[key], key)),
        sorted(texts, key=lambda key: (texts[key][::-1], key)),
    ]
    places = [{key: place for place, key in enumerate(ordered)} for ordered in orders]
    for key, text in texts.items():
        candidates: set[str] = set()
        for ordered, place in zip(orders, places, strict=True):
            candidates.update(ordered[max(0, place[key] - _NEIGHBOURS) : place[key] + _NEIGHBOURS + 1])
        for word in words[text]:
            candidates.update(sharing[word] or ())
        own = frozenset(words[text])
        scored = [
            (_likeness(own, words[texts[other]]), other) for other in candidates if texts[other] != text
        ]
        best = sorted((item for item in scored if item[0] >= LIKENESS), key=lambda item: (-item[0], item[1]))
        yield from ((key, other) for _, other in best[:MOST_KIN])


def _likeness(one: frozenset[int], other: Sequence[int]) -> float:
    """The share of words that two texts have in common, of the longer one's."""
    return len(one.intersection(other)) / max(len(one), len(other), 1)


def _words(text: str) -> Iterator[tuple[str, int]]:
    """The words of a text, each with how often it stood before: repeated words count."""
    counts: Counter[str] = Counter()
    for word in differences.words(text):
        if word[0].isalnum():
            yield word, counts[word]
            counts[word] += 1
