"""What is asked of every prompt in every build, and little of it: there may be many."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from gallery.site.pages import rows
from gallery.site.search import index
from gallery.state.database import Row
from gallery.utils.parallel import spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gallery.catalogue.entries import Catalogue
    from gallery.state.database import State


# Rows of the state: what is asked of a prompt, by its path.
_ITEM = "item"


class Facets(NamedTuple):
    """What the filters ask of a prompt: the values of each that fit it."""

    model: tuple[str, ...]
    tag: tuple[str, ...]
    author: tuple[str, ...]
    length: tuple[str, ...]
    compares: tuple[str, ...]
    state: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One prompt of the lists.

    ``digest`` is one of its whole entry; ``facets`` and ``ranges`` are what filters ask of
    it; ``size`` is about what it takes up in the search index.
    """

    path: str
    date: str
    digest: str
    facets: Facets
    ranges: tuple[tuple[float | None, ...], ...]
    size: int


def make_items(catalogue: Catalogue, settings: str, state: State) -> list[Item]:
    """The catalogue's prompts, newest first. ``settings`` is a digest of those that have a say in it."""
    decided = {path: f"{catalogue.digest(path)} {settings}" for path in catalogue.paths}
    items: dict[str, Item] = {}
    gone: list[str] = []
    shared: dict[Any, Any] = {}
    for path, decided_by, text in state.each(_ITEM):
        if decided.get(path) == decided_by:
            items[path] = _item(path, decided_by, text, shared)
        elif path not in decided:
            gone.append(path)

    def facts(paths: Sequence[str]) -> dict[str, str]:
        return {path: _facts(catalogue, path) for path in paths}

    for found in spread(facts, [path for path in catalogue.paths if path not in items]):
        state.put(_ITEM, {path: Row(decided[path], text) for path, text in found.items()})
        for path, text in found.items():
            items[path] = _item(path, decided[path], text, shared)
    state.put(_ITEM, {}, gone)
    return [items[path] for path in catalogue.paths]


def _item(path: str, decided_by: str, text: str, shared: dict[Any, Any]) -> Item:
    """``shared`` keeps values that many prompts have in memory once."""

    def once(value: Any) -> Any:
        return shared.setdefault(value, value)

    date, facets, ranges, size = json.loads(text)
    return Item(
        path,
        once(date),
        decided_by.partition(" ")[0],
        Facets._make([once(tuple(values)) for values in facets]),
        once(tuple(map(tuple, ranges))),
        size,
    )


def _facts(catalogue: Catalogue, path: str) -> str:
    entry = catalogue.entry(path, wordings=False)
    facets = Facets(**{name: tuple(values) for name, values in rows.facets(entry).items()})
    facts = [entry["date"], facets, index.ranges(entry), index.size(entry)]
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
