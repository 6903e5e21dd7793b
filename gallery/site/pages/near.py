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
        self._places = {item.path: place for place, item in enumerate(items)}
        self._folders: dict[str, list[int]] = defaultdict(list)
        self._tags: dict[str, list[int]] = defaultdict(list)
        self._at: dict[tuple[str, int], int] = {}
        for place, item in enumerate(items):
            for name, group in [*self._groups(item)]:
                self._at[name, place] = len(group)
                group.append(place)

    def _groups(self, item: Item) -> Iterator[tuple[str, list[int]]]:
        """The lists that a prompt is in, by names that no two have."""
        if item.facets.folder:
            yield f"/{item.facets.folder[-1]}", self._folders[item.facets.folder[-1]]
        for tag in item.facets.tag:
            yield f"#{tag}", self._tags[tag]

    def of(self, place: int) -> list[Neighbour]:
        """The neighbours of the prompt in this place of the list, nearest first, each once."""
        item, found = self._items[place], dict[int, str]()
        for path in self._catalogue.kin_paths(item.path)[:_MOST_KIN]:
            found[self._places[path]] = "the same but for one thing"
        own = set(item.facets.tag)
        groups = sorted(self._groups(item), key=lambda each: (each[0][0] != "/", len(each[1]), each[0]))
        for name, group in groups:
            if len(found) >= MOST:
                break
            at = self._at[name, place]
            near = [other for other in group[max(0, at - _REACH) : at + _REACH + 1] if other != place]
            near.sort(
                key=lambda other: (-len(own.intersection(self._items[other].facets.tag)), abs(other - place))
            )
            for other in near:
                found.setdefault(other, f"also in {name[1:]}" if name[0] == "/" else f"also {name}")
        return [Neighbour(*each) for each in [*found.items()][:MOST]]
