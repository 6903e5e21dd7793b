"""What each prompt comes to on the pages that tell of many: derived once, from its entry.

All builds ask for the little that is in an `Item`; the rest lies in the state, for the page that is due.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from gallery.site import feeds
from gallery.site.pages import front, hear, rows
from gallery.site.search import index
from gallery.site.theme.theme import ROW
from gallery.state.database import Row
from gallery.utils.digest import digest
from gallery.utils.parallel import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from gallery.catalogue.entries import Catalogue, PromptEntry
    from gallery.site.theme.theme import Theme
    from gallery.state.database import State


# Rows of the state: what is asked of a prompt in every build, by its path.
_ITEM = "item"


class Facets(NamedTuple):
    """What the filters ask of a prompt: the values of each that fit it."""

    folder: tuple[str, ...]
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
    it; ``comparison``, ``asks`` and ``takes`` are what the front page asks: see its module; ``size`` is
    about what it takes up in the search index.
    """

    path: str
    date: str
    digest: str
    facets: Facets
    comparison: str
    asks: bool
    takes: int
    ranges: tuple[tuple[float | None, ...], ...]
    size: int


def make_items(catalogue: Catalogue, theme: Theme, state: State) -> list[Item]:
    """The catalogue's prompts, newest first; what else there is to tell of each goes into the state."""
    decided = {path: f"{catalogue.digest(path)} {theme.digest}" for path in catalogue.paths}
    items: dict[str, Item] = {}
    shared: dict[Any, Any] = {}
    known: set[str] = set()
    for path, decided_by, text in state.each(_ITEM):
        known.add(path)
        if decided.get(path) == decided_by:
            items[path] = _item(path, decided_by, text, shared)

    def derive(paths: Sequence[str]) -> dict[str, str]:
        """Keeps what these prompts come to. Returns what is asked in every build."""
        derived = _derived([catalogue.entry(path) for path in paths], theme)
        kept = {kind: {name: Row(decided[path], text) for name, path, text in some} for kind, some in derived}
        state.put_all(kept)
        return {path: row.value for path, row in kept[_ITEM].items()}

    due = [path for path in catalogue.paths if path not in items]
    for found in spread(derive, due):
        for path, text in found.items():
            items[path] = _item(path, decided[path], text, shared)
    if due or len(known) > len(items):
        _forget(catalogue, state, known - items.keys())
    return [items[path] for path in catalogue.paths]


def tags_alone(items: Sequence[Item], fewest: int) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The tags of fewer prompts than ``fewest``: the newest prompt of each, and those of each prompt."""
    counts = Counter(tag for item in items for tag in item.facets.tag)
    homes: dict[str, str] = {}
    alone: dict[str, list[str]] = defaultdict(list)
    for item in items:
        for tag in item.facets.tag:
            if counts[tag] < fewest:
                homes.setdefault(tag, item.path)
                alone[item.path].append(tag)
    return homes, {**alone}


def listed_digests(
    items: Sequence[Item], homes: Mapping[str, str], alone: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """A digest for each prompt of how lists show it, where its tags without a page lead included."""
    return {
        item.path: digest(item.digest, *(f"{tag}\0{homes[tag]}" for tag in alone[item.path]))
        if item.path in alone
        else item.digest
        for item in items
    }


def _derived(
    entries: Sequence[PromptEntry], theme: Theme
) -> Iterator[tuple[str, Iterator[tuple[str, str, str]]]]:
    """What is kept of prompts: each kind, and of it the name, its prompt's path and the text.

    One kind of work for all of them, and then the next, is done sooner than prompt after prompt.
    """
    shown = {entry["path"]: rows.row(entry) for entry in entries}
    makers: dict[str, Callable[[PromptEntry], str]] = {
        _ITEM: _facts,
        ROW: lambda entry: theme.row(shown[entry["path"]]),
        index.FOUND: lambda entry: index.found(entry, shown[entry["path"]]),
        feeds.LINE: feeds.line,
        hear.PAIRS: hear.candidates,
    }
    for kind, make in makers.items():
        yield kind, ((entry["path"], entry["path"], make(entry)) for entry in entries)
    yield (
        index.CLIP,
        (
            (index.clip_name(entry["path"], key), entry["path"], text)
            for entry in entries
            for key, text in index.clips(entry).items()
        ),
    )


def _facts(entry: PromptEntry) -> str:
    """What is asked of a prompt in every build, as JSON."""
    facets = Facets(**{name: tuple(values) for name, values in rows.facets(entry).items()})
    offers = [front.comparison(entry), front.asks(entry["title"]), len(entry["clips"])]
    facts = [entry["date"], facets, offers, index.ranges(entry), index.size(entry)]
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


def _forget(catalogue: Catalogue, state: State, gone: Collection[str]) -> None:
    """Forget what is kept of prompts that are ``gone``, and of clips that are no more."""
    state.put_all({}, dict.fromkeys((_ITEM, ROW, index.FOUND, feeds.LINE, hear.PAIRS), gone))
    names = {index.clip_name(path, key) for path in catalogue.paths for key in catalogue.keys(path)}
    state.put(index.CLIP, {}, state.names(index.CLIP) - names)


def _item(path: str, decided_by: str, text: str, shared: dict[Any, Any]) -> Item:
    """``shared`` keeps values that many prompts have in memory once."""

    def once(value: Any) -> Any:
        return shared.setdefault(value, value)

    date, facets, (comparison, asks, takes), ranges, size = json.loads(text)
    return Item(
        path,
        once(date),
        decided_by.partition(" ")[0],
        Facets._make([once(tuple(values)) for values in facets]),
        once(comparison),
        asks,
        takes,
        once(tuple(map(tuple, ranges))),
        size,
    )
