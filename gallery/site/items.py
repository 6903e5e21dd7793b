"""What is asked of every prompt in every build, and little of it: there may be many."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gallery.parallel import spread
from gallery.site import rows, search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gallery.cache import Cache, Known
    from gallery.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Item:
    """One prompt of the lists.

    ``digest`` is one of its whole entry; ``facets`` and ``ranges`` are what filters ask of
    it; ``size`` is about what it takes up in the search index.
    """

    path: str
    date: str
    digest: str
    facets: dict[str, tuple[str, ...]]
    ranges: tuple[list[float | None], ...]
    size: int


def make_items(catalogue: Catalogue, code: str, cache: Cache | None) -> list[Item]:
    """The catalogue's prompts, newest first. ``code`` is a digest of what works this out."""
    known = cache.load("item") if cache else {}
    decided = {path: f"{catalogue.digest(path)} {code}" for path in catalogue.paths}
    texts = {
        path: known[path][1] for path in catalogue.paths if path in known and known[path][0] == decided[path]
    }
    fresh: dict[str, Known] = {}

    def facts(paths: Sequence[str]) -> list[tuple[str, str]]:
        return [(path, _facts(catalogue, path)) for path in paths]

    for found in spread(facts, [path for path in catalogue.paths if path not in texts]):
        fresh.update((path, (decided[path], text)) for path, text in found)
    if cache and (fresh or len(known) > len(decided)):
        cache.update("item", fresh, known.keys() - decided.keys())
    texts |= {path: text for path, (_, text) in fresh.items()}
    shared: dict[Any, Any] = {}
    return [
        Item(path, date, decided[path].partition(" ")[0], _sharing(facets, shared), tuple(ranges), size)
        for path in catalogue.paths
        for date, facets, ranges, size in (json.loads(texts[path]),)
    ]


def _sharing(facets: dict[str, list[str]], shared: dict[Any, Any]) -> dict[str, tuple[str, ...]]:
    """The same, with values that other prompts have too held in memory once."""
    return {
        name: shared.setdefault(values, values) for name, each in facets.items() for values in (tuple(each),)
    }


def _facts(catalogue: Catalogue, path: str) -> str:
    entry = catalogue.entry(path)
    facts = [entry["date"], rows.facets(entry), search.ranges(entry), search.size(entry)]
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
