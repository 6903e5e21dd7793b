"""What a prompt's page leads on to: its kin, then its folder, then what shares its tags."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gallery.catalogue.entries import Catalogue
    from gallery.site.items import Item

MOST = 4
# Kin are heard on the page itself: they leave room for others.
_MOST_KIN = 2

# So far away in the list of a folder or a tag, either way, is looked: the work is linear in the prompts, and
# a new prompt changes the pages of a few others.
_REACH = 4


class Neighbour(NamedTuple):
    """A prompt by its place in the list, and why it is near."""

    place: int
    why: str


class Neighbourhood:
    """The neighbours of each prompt of a list."""

    def __init__(self, items: Sequence[Item], catalogue: Catalogue) -> None:
        self._items, self._catalogue = items, catalogue
        self._sets = [frozenset(item.facets.tag) for item in items]
        self._places = {item.path: place for place, item in enumerate(items)}
        self._folders: dict[str, list[int]] = defaultdict(list)
        self._tags: dict[str, list[int]] = defaultdict(list)
        self._at: dict[tuple[str, int], int] = {}
        for place, item in enumerate(items):
            for name, group in [*self._folder(item), *self._tagged(item)]:
                self._at[name, place] = len(group)
                group.append(place)

    def _folder(self, item: Item) -> Iterator[tuple[str, list[int]]]:
        """The list of a prompt's folder, where it lies in one. No two lists have one name."""
        if item.facets.folder:
            yield f"/{item.facets.folder[-1]}", self._folders[item.facets.folder[-1]]

    def _tagged(self, item: Item) -> Iterator[tuple[str, list[int]]]:
        for tag in item.facets.tag:
            yield f"#{tag}", self._tags[tag]

    def _nearest_first(self, item: Item) -> Iterator[tuple[str, list[int]]]:
        yield from self._folder(item)
        yield from sorted(self._tagged(item), key=lambda each: (len(each[1]), each[0]))

    def of(self, place: int) -> list[Neighbour]:
        """The neighbours of the prompt in this place of the list, nearest first, each once."""
        item, sets, found = self._items[place], self._sets, dict[int, str]()
        for path in self._catalogue.kin_paths(item.path)[:_MOST_KIN]:
            found[self._places[path]] = "the same but for one thing"
        for name, group in self._nearest_first(item):
            if len(found) >= MOST:
                break
            at = self._at[name, place]
            around = group[max(0, at - _REACH) : at + _REACH + 1]
            near = sorted(
                (-len(sets[place] & sets[other]), abs(other - place), other)
                for other in around
                if other != place
            )
            why = f"also in {name[1:]}" if name[0] == "/" else f"also {name}"
            for _, _, other in near:
                found.setdefault(other, why)
        return [Neighbour(*each) for each in [*found.items()][:MOST]]
