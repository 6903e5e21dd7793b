"""Where a gallery's clips are kept: the store, the sketches, the lossless renders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gallery.store.clips import Store
from gallery.store.lossless import LosslessStore

if TYPE_CHECKING:
    from gallery.config import Config


@dataclass
class Stores:
    """Where clips are kept: the store (real renders), sketches, and lossless renders."""

    store: Store
    sketches: Store
    lossless: LosslessStore

    @classmethod
    def of(cls, config: Config) -> Stores:
        """The gallery's own."""
        return cls(
            Store(config.store_folder, "renders", mirror=config.store.remote),
            Store(config.workspace / "sketches", "sketches"),
            LosslessStore(config.workspace / "renders"),
        )

    def remove_leftovers(self) -> None:
        """Remove what a killed build left half-written."""
        for place in (self.store, self.sketches, self.lossless):
            place.remove_leftovers()
