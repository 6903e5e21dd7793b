"""What lies in a store: which clips are there, and which are damaged or of a newer version.

A clip without a record is absent. Any other is read whole and compared with its record once; then
the stamps of its three files tell, build by build, that it is as it was.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from gallery.errors import GalleryError
from gallery.state.database import Damaged, Row, State
from gallery.state.inputs import JUST_NOW, stamp
from gallery.store.records import (
    MAX_COVER_BYTES,
    SKETCH,
    SUFFIXES,
    NewerRecord,
    Record,
    no_file,
    parse_record,
    read_record,
)
from gallery.utils.parallel import spread
from gallery.utils.progress import Tally

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence, Set
    from pathlib import Path

KEY = re.compile(r"[0-9a-f]{32}")

# Rows of the state: what is known of the clips of a store, by what it holds.
_ROWS = {"render": "renders", "sketch": "sketches"}

# Stands between texts and in none of them.
_BETWEEN = "\x1f"

# In the place of a file's stamp: there is none.
_NONE = "-"

_POINTER = b"version https://git-lfs"


class Kept(NamedTuple):
    """What pages are made from and builds planned with, of a record: little, as there may be many.

    ``bytes`` is the preview's size; ``digest`` is one of the whole record; ``sound`` is the same for
    sketches that sound alike, and empty for renders. The rest lies in ``rows``.
    """

    key: str
    state: Literal["render", "sketch"]
    settings: str
    bytes: int
    digest: str
    sound: str
    rows: State

    @property
    def shown(self) -> dict[str, Any]:
        """What the catalogue says of the clip."""
        essence = self.rows.value(_ROWS[self.state], self.key)
        if essence is None:
            raise Damaged
        shown: dict[str, Any] = json.loads(essence.rpartition(_BETWEEN)[2])
        return shown


@dataclass(frozen=True)
class Flaw:
    """Why a clip that has a record cannot be used, in one line.

    It is left as it is: only a lossless render mends what is damaged, and only `gallery store remove`
    gives a clip up. ``place`` is the file; ``remedy`` is what else can be done.
    """

    key: str
    state: Literal["damaged", "newer"]
    place: str
    what: str
    remedy: str

    @classmethod
    def of(cls, key: str, place: str, error: Exception, remedy: str) -> Flaw:
        """What an error says of a file."""
        if isinstance(error, NewerRecord):
            return cls(key, "newer", place, str(error), "update `gallery`")
        what = f"cannot be read: {error.strerror or error}" if isinstance(error, OSError) else str(error)
        return cls(key, "damaged", place, what, remedy)

    def __str__(self) -> str:
        return (
            f"{self.place}: {self.what}; {self.remedy}, or give the clip up: gallery store remove {self.key}"
        )


@dataclass(frozen=True)
class Survey:
    """What lies in a store.

    ``kept`` has what is known of each clip that is in order, ``playable`` those of them whose audio
    lies here, ``flawed`` what is wrong with all others.
    """

    kept: Mapping[str, Kept]
    playable: Set[str]
    flawed: Mapping[str, Flaw]


@dataclass(frozen=True)
class Folder:
    """A folder of clips, and what it holds. Of a ``mirror``, records may come without their audio."""

    path: Path
    holds: Literal["renders", "sketches"]
    mirror: bool

    @property
    def remedy(self) -> str:
        """How a damaged file may come back."""
        return "`gallery store pull` if it is whole elsewhere" if self.mirror else "restore it from git"

    def file(self, key: str, suffix: str) -> Path:
        """Where one of a clip's files is kept."""
        return self.path / f"{key}{suffix}"

    def record(self, key: str) -> Record:
        """A clip's record. Raises OSError or GalleryError where there is none that can be used."""
        return self.parse(key, read_record(self.file(key, ".json")))

    def parse(self, key: str, data: bytes) -> Record:
        """The record that these bytes are. Raises GalleryError where they are none that belongs here."""
        record = parse_record(data, key)
        self.check_engine(record.engine)
        return record

    def check_engine(self, engine: str) -> None:
        """Neither renders nor sketches are ever taken for the other: raises GalleryError."""
        if (engine == SKETCH) != (self.holds == "sketches"):
            raise GalleryError(f"a clip of the engine {engine} does not belong among {self.holds}")

    def flaws(self, key: str) -> Iterator[Flaw]:
        """All that is wrong with a clip; nothing where it has no record."""
        _, flaws = self._examine(key)
        yield from flaws

    def look(self, state: State) -> Survey:
        """Look at everything here at once. What is as it was is not read again."""
        stamps, whole = self._stamps()
        kept, gone = {}, []
        for key, decided_by, essence in state.each(self.holds):
            if decided_by and stamps.get(key) == decided_by:
                kept[key] = _kept(key, essence, state)
            elif key not in stamps:
                gone.append(key)
        flawed: dict[str, Flaw] = {}
        for essences, flaws in self._read(sorted(stamps.keys() - kept.keys())):
            state.put(self.holds, {key: Row(stamps[key], essence) for key, essence in essences.items()})
            kept |= {key: _kept(key, essence, state) for key, essence in essences.items()}
            flawed |= flaws
        state.put(self.holds, {}, [*gone, *flawed])
        return Survey(kept, whole & kept.keys(), flawed)

    def flawed(self, keys: Collection[str], state: State) -> dict[str, Flaw]:
        """What is wrong with some clips. What the state knows is not read again; nothing is kept."""
        known, due = state.some(self.holds, list(keys)), []
        for key in keys:
            marks = [_mark(self.file(key, suffix)) for suffix in SUFFIXES]
            decided_by = _decided_by(marks)
            is_known = decided_by and key in known and known[key].decided_by == decided_by
            if marks[-1] != _NONE and not is_known:
                due.append(key)
        flawed: dict[str, Flaw] = {}
        for _, flaws in self._read(sorted(due)):
            flawed |= flaws
        return flawed

    def _stamps(self) -> tuple[dict[str, str], set[str]]:
        """What decides each clip that has a record, the stamps of its files; and those with all files."""
        marks: dict[str, dict[str, str]] = {suffix: {} for suffix in SUFFIXES}
        limit = time.time_ns() - JUST_NOW
        for entry in os.scandir(self.path) if self.path.is_dir() else ():
            key, dot, suffix = entry.name.partition(".")
            if dot + suffix in marks and KEY.fullmatch(key):
                status = entry.stat(follow_symlinks=False)
                marks[dot + suffix][key] = _stamp(status, limit)
        stamps = {
            key: _decided_by([marks[suffix].get(key, _NONE) for suffix in SUFFIXES]) for key in marks[".json"]
        }
        return stamps, marks[".mp3"].keys() & marks[".webp"].keys()

    def _read(self, keys: Sequence[str]) -> Iterator[tuple[dict[str, str], dict[str, Flaw]]]:
        """What there is to keep of these clips, and what is wrong with the others, some at a time."""
        with Tally("checking", len(keys), "clip") as tally:
            for count, essences, flaws in spread(self._read_some, keys):
                tally.add(count)
                yield essences, flaws

    def _read_some(self, keys: Sequence[str]) -> tuple[int, dict[str, str], dict[str, Flaw]]:
        essences, flawed = {}, {}
        for key in keys:
            essence, flaws = self._examine(key)
            if flaws:
                flawed[key] = flaws[0]
            elif essence:
                essences[key] = essence
        return len(keys), essences, flawed

    def _examine(self, key: str) -> tuple[str, list[Flaw]]:
        """What there is to keep of a clip, and all that is wrong with it; neither where it has no record."""
        path = self.file(key, ".json")
        try:
            data = read_record(path)
            record = self.parse(key, data)
        except FileNotFoundError:
            return "", []
        except (OSError, GalleryError) as error:
            return "", [Flaw.of(key, str(path), _pointer(path) or error, self.remedy)]
        flaws = []
        for suffix, digest in record.preview.digests.items():
            path = self.file(key, suffix)
            try:
                _check(path, digest, record.preview.bytes if suffix == ".mp3" else None)
            except FileNotFoundError:
                if not self.mirror:
                    flaws.append(Flaw(key, "damaged", str(path), "missing", self.remedy))
            except (OSError, GalleryError) as error:
                flaws.append(Flaw.of(key, str(path), _pointer(path) or error, self.remedy))
        return _essence(record, data), flaws


def _check(path: Path, digest: str, size: int | None) -> None:
    """Raises OSError or GalleryError where a file is not what its record says."""
    status = path.lstat()
    if problem := no_file(status.st_mode):
        raise GalleryError(problem)
    if size is not None and status.st_size != size:
        raise GalleryError(f"not what its record says: {status.st_size:,} bytes in place of {size:,}")
    if size is None and status.st_size > MAX_COVER_BYTES:
        raise GalleryError(f"larger than {MAX_COVER_BYTES // 1_000_000} MB")
    if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        raise GalleryError("not what its record says")


def _pointer(path: Path) -> GalleryError | None:
    """What to say of a file of which Git LFS left only the pointer."""
    try:
        status = path.lstat()
        if no_file(status.st_mode) or status.st_size > 1000 or not path.read_bytes().startswith(_POINTER):
            return None
    except OSError:
        return None
    return GalleryError("a Git LFS pointer and not the file; `git lfs pull` brings it")


def _stamp(status: os.stat_result, limit: int) -> str:
    """A file's stamp; nothing for one that may change again without a trace, or that is none."""
    return "" if status.st_mtime_ns > limit or no_file(status.st_mode) else stamp(status)


def _mark(path: Path) -> str:
    try:
        return _stamp(path.lstat(), time.time_ns() - JUST_NOW)
    except OSError:
        return _NONE


def _decided_by(marks: Sequence[str]) -> str:
    return _BETWEEN.join(marks) if all(marks) else ""


def _essence(record: Record, data: bytes) -> str:
    """What there is to keep of a record that was read from these bytes: `_kept` reads it back.

    Not all of it is JSON, which would take longer to read.
    """
    preview = record.preview
    state = "sketch" if record.engine == SKETCH else "render"
    shown = {
        "state": state,
        "engine": record.engine,
        "provenance": record.provenance.to_dict(),
        "peaks": preview.peaks,
        "bytes": preview.bytes,
        "length": preview.duration,
        "loudness": preview.loudness_before,
    }
    digest = hashlib.sha256(data).hexdigest()[:32]
    sound = (preview.sound or "")[:32]
    parts = (state, preview.settings, str(preview.bytes), digest, sound, json.dumps(shown))
    return _BETWEEN.join(parts)


def _kept(key: str, essence: str, rows: State) -> Kept:
    """What `_essence` wrote."""
    state, settings, size, digest, sound, _ = essence.split(_BETWEEN, 5)
    # Clips have these in common: one text in memory does for all.
    settings, sound = sys.intern(settings), sys.intern(sound)
    return Kept(key, "sketch" if state == "sketch" else "render", settings, int(size), digest, sound, rows)
