"""Where a gallery's clips are kept: the store, the sketches, the lossless renders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.store.clips import Store
from gallery.store.lossless import LosslessStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gallery.config import Config
    from gallery.state.database import State
    from gallery.store.survey import Flaw


@dataclass
class Stores:
    """Where clips are kept: the store (real renders), sketches, and lossless renders.

    ``elsewhere`` says what is wrong with clips in a store elsewhere, as far as something is.
    """

    store: Store
    sketches: Store
    lossless: LosslessStore
    elsewhere: Mapping[str, Flaw] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Config, state: State | None = None) -> Stores:
        """The gallery's own. ``state`` has what is known of them."""
        return cls(
            Store(config.store_folder, "renders", state, mirror=config.store.without_audio),
            Store(config.workspace / "sketches", "sketches", state),
            LosslessStore(config.workspace / "renders"),
        )

    def remove_leftovers(self) -> None:
        """Remove what a killed build left half-written."""
        for place in (self.store, self.sketches, self.lossless):
            place.remove_leftovers()

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where they lie."""
        return self.store.folder, self.sketches.folder, self.lossless.folder


class Published(Mapping[str, Path]):
    """The previews and covers that a site carries, by their addresses: there may be many.

    ``places`` has for each clip's key what stands before it in an address, ``stores`` where the
    files of such a place lie. Those of other places are not the site's.
    """

    def __init__(self, places: Mapping[str, str], stores: Mapping[str, Store]) -> None:
        self._places, self._stores = places, stores

    def __len__(self) -> int:
        return sum(2 for place in self._places.values() if place in self._stores)

    def __iter__(self) -> Iterator[str]:
        for key, place in self._places.items():
            if place in self._stores:
                yield from (f"{place}{key}.mp3", f"{place}{key}.webp")

    def __getitem__(self, address: str) -> Path:
        folder, _, name = address.partition("/")
        key, _, suffix = name.partition(".")
        place = f"{folder}/"
        if place not in self._stores or self._places.get(key) != place or suffix not in ("mp3", "webp"):
            raise KeyError(address)
        return self._stores[place].path(key, f".{suffix}")
