"""Finding what no prompt asks for any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gallery.errors import GalleryError
from gallery.errors.text import shown
from gallery.prompts.folder import read_prompts
from gallery.store.places import Stores
from gallery.store.records import SUFFIXES

if TYPE_CHECKING:
    from pathlib import Path

    from gallery.config import Config
    from gallery.store.sync import Sync

# A record goes first: what is left half removed is no clip.
_CLIP = tuple(reversed(SUFFIXES))


@dataclass(frozen=True)
class Orphan:
    """Files of a clip that nothing refers to, here and in a store elsewhere."""

    files: tuple[Path, ...]
    what: str
    elsewhere: tuple[str, ...] = ()
    sync: Sync | None = None

    @property
    def bytes(self) -> int:
        """Size of the files together."""
        elsewhere = sum(self.sync.listing[name].size for name in self.elsewhere) if self.sync else 0
        return elsewhere + sum(path.stat().st_size for path in self.files if path.is_file())

    def describe(self) -> str:
        """One line: what it is and where it lies."""
        place = f"{self.sync.remote.url}/{self.elsewhere[0]}" if self.sync else str(self.files[0])
        return f"{place}: {self.what}"

    def remove(self) -> None:
        """Remove the files, the record first; elsewhere before here, so that none comes back."""
        for name in self.elsewhere:
            if self.sync:
                self.sync.remote.remove(name)
        for path in self.files:
            path.unlink(missing_ok=True)


def find_orphans(config: Config, sync: Sync | None = None) -> list[Orphan]:
    """Clips of no prompt, in the store and on this machine, and sketches that a render replaced.

    In a store elsewhere also files without a record, which an interrupted push leaves.

    Raises GalleryError where prompt files have faults: their clips would look like orphans.
    """
    reading = read_prompts(config)
    if reading.faults:
        faults = "\n".join(str(fault) for fault in reading.faults)
        raise GalleryError(f"mend these first, or their clips would pass for orphans:\n{faults}")
    wanted = {key for outline in reading.prompts.outlines for key in outline.keys}
    if sync:
        sync.look(take=True)
    stores = Stores.of(config)
    orphans = []
    here, strays = set(stores.store), sync.strays() if sync else {}
    there = {name[:32] for name in sync.listing} if sync else set()
    for key in sorted(here | there):
        if key not in wanted:
            if stores.store.is_newer(key) or (sync and sync.is_newer(key)):
                continue  # who made it may know a prompt that asks for it
            record = stores.store.get(key)
            prompt = shown(record.request.prompt) if record else "an unreadable record"
            what = "files without a record" if key in strays else f"no prompt asks for {prompt}"
            orphans.append(_orphan(stores.store.folder, key, _CLIP, what, sync))
        elif key in strays:
            orphans.append(_orphan(stores.store.folder, key, (), "files without a record", sync))
    for key in stores.sketches:
        if key not in wanted or stores.store.get(key):
            reason = "a sketch that a render replaced" if key in wanted else "a sketch of no prompt"
            orphans.append(_orphan(stores.sketches.folder, key, _CLIP, reason))
    renders = stores.lossless.folder
    orphans += [
        _orphan(renders, path.stem, (".json", ".wav"), "a lossless render of no prompt")
        for path in sorted(renders.glob("*.wav"))
        if path.stem not in wanted
    ]
    return orphans


def _orphan(folder: Path, key: str, suffixes: tuple[str, ...], what: str, sync: Sync | None = None) -> Orphan:
    files = tuple(path for suffix in suffixes if (path := folder / f"{key}{suffix}").is_file())
    names = tuple(name for suffix in _CLIP if sync and (name := f"{key}{suffix}") in sync.listing)
    return Orphan(files, what, names, sync if names else None)
