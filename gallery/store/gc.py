"""Finding what no prompt asks for any more, and how much of it may go at once."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING

from gallery.errors import GalleryError
from gallery.errors.text import shown
from gallery.store.owner import refuse_others
from gallery.store.places import Stores
from gallery.store.records import SUFFIXES
from gallery.utils.git import Repository
from gallery.utils.progress import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Set
    from pathlib import Path

    from gallery.config import Config
    from gallery.prompts.prompt import Reading
    from gallery.store.clips import Store
    from gallery.store.records import Record
    from gallery.store.sync import Sync

# A record goes first: what is left half removed is no clip.
_CLIP = tuple(reversed(SUFFIXES))
_LOSSLESS = (".json", ".wav")

_KEY = re.compile(r"[0-9a-f]{32}")

_DAY = 86_400  # seconds


@dataclass(frozen=True)
class Orphan:
    """Files that nothing refers to, here and in a store elsewhere, and their size in bytes together."""

    place: str
    what: str
    bytes: int
    files: tuple[Path, ...]
    elsewhere: tuple[str, ...] = ()
    sync: Sync | None = None

    def describe(self) -> str:
        """One line: what it is and where it lies."""
        return f"{self.place}: {self.what}"

    def remove(self) -> None:
        """Remove the files, the record first; elsewhere before here, so that none comes back."""
        for name in self.elsewhere:
            if self.sync:
                self.sync.remote.remove(name)
        for path in self.files:
            path.unlink(missing_ok=True)


@dataclass
class Orphans:
    """What may be removed: ``clips``, each with its lossless render, and ``leftovers``, which cost no GPU.

    ``left`` says of clips without a prompt that stay nevertheless why they do; ``young`` counts those
    that stay since they came just now. ``too_many`` says that of all clips, or of all lossless renders,
    less than half would remain.
    """

    clips: list[Orphan] = field(default_factory=list)
    leftovers: list[Orphan] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    young: int = 0
    too_many: bool = False

    def __iter__(self) -> Iterator[Orphan]:
        yield from self.clips
        yield from self.leftovers

    def __len__(self) -> int:
        return len(self.clips) + len(self.leftovers)

    @property
    def bytes(self) -> int:
        """The size of all of it."""
        return sum(orphan.bytes for orphan in self)


def find_orphans(
    config: Config, reading: Reading, kept: Set[str] = frozenset(), sync: Sync | None = None
) -> Orphans:
    """Clips of no prompt, in the store and on this machine, sketches that a render replaced, and the like.

    ``kept`` are keys that others ask for. Raises GalleryError where prompt files have faults, since
    their clips would look like orphans, and where a store elsewhere is another gallery's.
    """
    if reading.faults:
        faults = "\n".join(str(fault) for fault in reading.faults)
        raise GalleryError(f"mend these first, or their clips would pass for orphans:\n{faults}")
    wanted = {key for outline in reading.prompts.outlines for key in outline.keys} | kept
    if sync:
        refuse_others(sync.remote, config.gallery_id)
        sync.look(take=True)
    return _Search(config, wanted, sync).orphans()


def remove(orphans: Orphans, config: Config, number: int | None = None, sync: Sync | None = None) -> None:
    """Remove what was found; ``number`` is the number of clips that somebody has seen listed.

    Raises GalleryError, with nothing removed, where that is another, where too much would go without
    a number, and where nobody knows whose a store elsewhere is.
    """
    clips = len(orphans.clips)
    if number is not None and number != clips:
        raise GalleryError(f"{count(clips, 'clip')} listed, not {number}; nothing was removed")
    if number is None and orphans.too_many:
        raise GalleryError(
            "less than half of all clips would remain, so nothing was removed; if that is meant, "
            f"run `gallery store gc --remove {clips}`"
        )
    if sync:
        if not config.gallery_id:
            raise GalleryError(
                f"{sync.remote.url} could be another gallery's, too: put a name of this one into "
                'gallery.toml, as in [store] id = "octocat/gallery"; nothing was removed'
            )
        sync.claim()
    for orphan in orphans:
        orphan.remove()


class _Search:
    """A look at everything that is kept, here and elsewhere, for what is not ``wanted``."""

    def __init__(self, config: Config, wanted: Set[str], sync: Sync | None) -> None:
        self._wanted, self._sync = wanted, sync
        self._stores = Stores.of(config)
        self._store: Store = self._stores.store
        self._grace = config.store.grace_days * _DAY
        self._elsewhere = sync.listing if sync else {}
        self._found = Orphans()

    def orphans(self) -> Orphans:
        store, renders = self._store, self._stores.lossless.folder
        here = {*store, *(name[:32] for name in self._elsewhere)}
        lossless = {path.stem for path in renders.glob("*.wav") if _KEY.fullmatch(path.stem)}
        clips = {key for key in here if self._has_record(key)}
        gone = {key for key in sorted((clips | lossless) - self._wanted) if self._may_go(key, key in clips)}
        for key in sorted(here - clips - self._wanted):
            self._leftover(key, store.folder, "files without a record")
        for key in sorted(here & self._wanted) if self._sync else ():
            if f"{key}.json" not in self._elsewhere:
                self._leftover(key, None, "files without a record")
        for key in self._stores.sketches:
            if key not in self._wanted or store.get(key):
                reason = "a sketch that a render replaced" if key in self._wanted else "a sketch of no prompt"
                self._leftover(key, self._stores.sketches.folder, reason)
        self._found.too_many = any(2 * len(all_ - gone) < len(all_) for all_ in (clips, lossless))
        return self._found

    def _has_record(self, key: str) -> bool:
        return self._store.path(key, ".json").exists() or f"{key}.json" in self._elsewhere

    def _may_go(self, key: str, has_record: bool) -> bool:
        """Whether a clip that no prompt asks for may be removed; it is noted, or why it stays is."""
        record = self._store.get(key) if has_record else None
        if has_record and (not record or (self._sync and key in self._sync.faulty)):
            # It may be of a later version of this tool, which knows who asks for it.
            self._found.left.append(f"{self._place(key)}: not a clip that can be read, so it stays")
            return False
        if time.time() - self._since(key, record) < self._grace:
            self._found.young += 1
            return False
        what = (
            f"no prompt asks for {shown(record.request.prompt)}"
            if record
            else "a lossless render of no prompt"
        )
        files = [self._store.path(key, suffix) for suffix in _CLIP]
        files += [self._stores.lossless.folder / f"{key}{suffix}" for suffix in _LOSSLESS]
        self._found.clips.append(self._orphan(key, files, what))
        return True

    def _since(self, key: str, record: Record | None) -> float:
        """When a clip came, in seconds since 1970: the latest of all that is known of it.

        The times of files that git has are of their checkout and tell nothing, nor do those of a
        mirror; but what git has can be had back. Where nothing is known, it came just now.
        """
        times = [*_read_date(record.provenance.date or "")] if record else []
        name = f"{key}.json"
        if entry := self._elsewhere.get(name):
            times += [entry.modified] if entry.modified is not None else []
        elif record:
            times.append(0.0 if name in self._tracked else _modified(self._store.path(key, ".json")))
        if (render := self._stores.lossless.folder / f"{key}.wav").exists():
            times.append(_modified(render))
        return max(times, default=inf)

    @cached_property
    def _tracked(self) -> set[str]:
        """Names of the store's files that git has."""
        try:
            return Repository(self._store.folder).tracked()
        except GalleryError:
            return set()  # no repository, or none that can be read: then their times count

    def _leftover(self, key: str, folder: Path | None, what: str) -> None:
        files = [folder / f"{key}{suffix}" for suffix in _CLIP] if folder else []
        self._found.leftovers.append(self._orphan(key, files, what))

    def _orphan(self, key: str, places: list[Path], what: str) -> Orphan:
        files = tuple(path for path in places if path.is_file())
        mine = not places or places[0].parent == self._store.folder
        names = tuple(name for suffix in _CLIP if mine and (name := f"{key}{suffix}") in self._elsewhere)
        size = sum(path.lstat().st_size for path in files)
        size += sum(self._elsewhere[name].size for name in names)
        place = f"{self._sync.remote.url}/{names[0]}" if self._sync and names else str(files[0])
        return Orphan(place, what, size, files, names, self._sync if names else None)

    def _place(self, key: str) -> str:
        path = self._store.path(key, ".json")
        return f"{self._sync.remote.url}/{path.name}" if self._sync and not path.exists() else str(path)


def _read_date(text: str) -> list[float]:
    """A record's date, in seconds since 1970; nothing where it is none."""
    try:
        read = datetime.fromisoformat(text)
        return [(read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()]
    except (ValueError, OverflowError):
        return []


def _modified(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return inf
