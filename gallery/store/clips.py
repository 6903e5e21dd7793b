"""The store: previews and their records, under the keys of their requests.

A clip is three files: ``<key>.mp3``, ``<key>.webp`` (its cover) and ``<key>.json``
(its record). The record is written last, and a clip is there when its record is.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gallery.engines.provenance import Provenance
from gallery.errors import GalleryError
from gallery.errors.text import printable, shown
from gallery.prompts.request import Request
from gallery.state.database import Damaged, Row, State
from gallery.state.inputs import JUST_NOW, stamp
from gallery.utils.files import remove_leftovers, write_atomic
from gallery.utils.parallel import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence, Set
    from pathlib import Path

    from gallery.preview import Preview

SUFFIXES = (".mp3", ".webp", ".json")
SKETCH = "sketch"
ENGINES = ("musicgen", "replicate", SKETCH)

# A record is some 2 KB.
MAX_RECORD_BYTES = 100_000

# Publishing a site follows links: one that came with a pull request could lead anywhere.
_A_LINK = "a link, which no clip is"

_KEY = re.compile(r"[0-9a-f]{32}")

# Rows of the state: what is known of the clips of a store, by what it holds.
_ROWS = {"render": "renders", "sketch": "sketches"}

# Stands between texts and in none of them.
_BETWEEN = "\x1f"

_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PreviewFacts(_Strict):
    """What is known of a preview: digests of its files, seconds, LUFS, dBTP, 200 peaks."""

    settings: str
    audio_sha256: _Digest
    cover_sha256: _Digest
    bytes: Annotated[int, Field(ge=0, lt=2**53)]
    duration: Annotated[float, Field(ge=0, le=1000)]
    loudness_before: float | None
    loudness_after: float | None
    true_peak_before: float | None
    true_peak_after: float | None
    peaks: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{200}$")]

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each file, by its suffix."""
        return {".mp3": self.audio_sha256, ".webp": self.cover_sha256}


class Record(_Strict):
    """How a clip came to be, beside its preview. The store is shared: records are checked when read."""

    version: Literal[1] = 1
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    request: Request
    engine: Annotated[str, Field(pattern=rf"^({'|'.join(ENGINES)})$")]
    provenance: Provenance
    preview: PreviewFacts

    def to_json(self) -> bytes:
        """The record as it is written: readable, one order, the same bytes each time."""
        fields = self.model_dump(mode="json")
        fields["request"] = self.request.model_dump(mode="json", exclude_none=True)
        return (json.dumps(fields, ensure_ascii=False, indent=1) + "\n").encode()


class Kept(NamedTuple):
    """What pages are made from and builds planned with, of a record: little, as there may be many.

    ``bytes`` is the preview's size; ``digest`` is one of the whole record. The rest lies in ``rows``.
    """

    key: str
    state: Literal["render", "sketch"]
    settings: str
    bytes: int
    digest: str
    rows: State

    @property
    def shown(self) -> dict[str, Any]:
        """What the catalogue says of the clip."""
        essence = self.rows.value(_ROWS[self.state], self.key)
        if essence is None:
            raise Damaged
        shown: dict[str, Any] = json.loads(essence.rpartition(_BETWEEN)[2])
        return shown


def _essence(record: Record, data: bytes) -> str:
    """What there is to keep of a record that was read from these bytes: `_kept` reads it back.

    Not all of it is JSON, which would take four times as long to read.
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
    parts = (state, preview.settings, str(preview.bytes), digest, json.dumps(shown))
    return _BETWEEN.join(parts)


def _kept(key: str, essence: str, rows: State) -> Kept:
    """What `_essence` wrote."""
    state, settings, size, digest, _ = essence.split(_BETWEEN, 4)
    # Most clips have their settings in common: one text in memory does for all.
    settings = sys.intern(settings)
    return Kept(key, "sketch" if state == "sketch" else "render", settings, int(size), digest, rows)


@dataclass(frozen=True)
class Survey:
    """What lies in a store: what is known of each clip, and the clips that can be played from there."""

    kept: Mapping[str, Kept]
    playable: Set[str]


@dataclass(frozen=True)
class Problem:
    """Something wrong in the store: which file, what, and what to do about it."""

    path: Path
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class Store:
    """Clips in a folder. ``holds`` tells real renders from sketches: neither is ever taken for the other.

    ``mirror`` is a copy of a store elsewhere, in which records may come without their audio.
    ``when_kept`` is told the key of each clip that was put here, by the thread that put it.
    """

    def __init__(
        self,
        folder: Path,
        holds: Literal["renders", "sketches"],
        state: State | None = None,
        *,
        mirror: bool = False,
    ) -> None:
        self.folder, self.holds, self.mirror, self._state = folder, holds, mirror, state
        self.when_kept: Callable[[str], None] | None = None
        self._survey: Survey | None = None

    def path(self, key: str, suffix: str) -> Path:
        """Where one of a clip's files is kept."""
        return self.folder / f"{key}{suffix}"

    def get(self, key: str) -> Record | None:
        """A clip's record, or None where there is none, or none that can be used."""
        try:
            return self._read(key)
        except (OSError, GalleryError):
            return None

    def has_audio(self, key: str) -> bool:
        """Whether the clip's preview and cover lie here."""
        return all(_is_own(self.path(key, suffix)) for suffix in (".mp3", ".webp"))

    def survey(self) -> Survey:
        """Look at everything here at once. Records that are as they were are not read again."""
        if not self._survey:
            self._state = self._state or State.temporary()
            self._survey = self._look(self._state)
        return self._survey

    def _look(self, state: State) -> Survey:
        names: dict[str, set[str]] = {suffix: set() for suffix in SUFFIXES}
        stamps: dict[str, str] = {}
        limit = time.time_ns() - JUST_NOW
        for entry in os.scandir(self.folder) if self.folder.is_dir() else ():
            key, _, suffix = entry.name.partition(".")
            if f".{suffix}" in names and _KEY.fullmatch(key) and entry.is_file(follow_symlinks=False):
                names[f".{suffix}"].add(key)
                if suffix == "json":
                    status = entry.stat()
                    stamps[key] = "" if status.st_mtime_ns > limit else stamp(status)
        kept, gone = {}, []
        for key, stamped, essence in state.each(self.holds):
            if stamped and stamps.get(key) == stamped:
                kept[key] = _kept(key, essence, state)
            elif key not in stamps:
                gone.append(key)
        for found in spread(self._essences, sorted(stamps.keys() - kept.keys())):
            state.put(self.holds, {key: Row(stamps[key], essence) for key, essence in found.items()})
            kept |= {key: _kept(key, essence, state) for key, essence in found.items()}
        state.put(self.holds, {}, gone)
        return Survey(kept, names[".mp3"] & names[".webp"])

    def _essences(self, keys: Sequence[str]) -> dict[str, str]:
        """What can be used of these records."""
        found = {}
        for key in keys:
            with suppress(OSError, GalleryError):
                data = self.read_record(key)
                found[key] = _essence(self.parse(key, data), data)
        return found

    def put(
        self, request: Request, engine: str, provenance: Provenance, preview: Preview, settings: str
    ) -> Record:
        """Keep a clip: audio first, record last, each whole."""
        self._check_engine(engine)
        record = Record(
            key=request.key,
            request=request,
            engine=engine,
            provenance=provenance,
            preview=PreviewFacts(
                settings=settings,
                audio_sha256=hashlib.sha256(preview.mp3).hexdigest(),
                cover_sha256=hashlib.sha256(preview.cover).hexdigest(),
                bytes=len(preview.mp3),
                duration=preview.duration,
                loudness_before=preview.loudness_before,
                loudness_after=preview.loudness_after,
                true_peak_before=preview.true_peak_before,
                true_peak_after=preview.true_peak_after,
                peaks=preview.peaks,
            ),
        )
        self._survey = None
        sync = self.holds == "renders"
        write_atomic(self.path(record.key, ".mp3"), preview.mp3, sync=sync)
        write_atomic(self.path(record.key, ".webp"), preview.cover, sync=sync)
        write_atomic(self.path(record.key, ".json"), record.to_json(), sync=sync)
        if self.when_kept:
            self.when_kept(record.key)
        return record

    def adopt(self, key: str, files: Mapping[str, bytes]) -> None:
        """Keep files of a clip, by their suffixes, as another store has them: the record last."""
        self._survey = None
        for suffix in SUFFIXES:
            if suffix in files:
                write_atomic(self.path(key, suffix), files[suffix], sync=suffix != ".json")

    def __iter__(self) -> Iterator[str]:
        """Keys of everything that lies here, whole or not, in order."""
        if self.folder.is_dir():
            names = {path.name for path in self.folder.iterdir() if path.suffix in SUFFIXES}
            yield from sorted({name.split(".")[0] for name in names if _KEY.fullmatch(name.split(".")[0])})

    def remove(self, key: str) -> int:
        """Remove a clip, its record first. Returns the bytes that this freed."""
        self._survey, freed = None, 0
        for suffix in reversed(SUFFIXES):
            path = self.path(key, suffix)
            if path.is_file():
                freed += path.stat().st_size
                path.unlink()
        return freed

    def remove_leftovers(self) -> None:
        """Remove what a killed build left half-written."""
        remove_leftovers(self.folder)

    def verify(self) -> list[Problem]:
        """Read everything here and compare it with its record."""
        return [problem for key in self for problem in self._problems(key)]

    def _problems(self, key: str) -> Iterator[Problem]:
        restore = "remove it, then `gallery store pull`" if self.mirror else "restore it from git"
        path = self.path(key, ".json")
        if not path.is_file():
            yield Problem(path, "missing; build again, or remove the clip with `gallery store gc`")
            return
        try:
            record = self._read(key)
        except OSError as error:
            yield Problem(path, f"cannot be read: {error.strerror}")
            return
        except GalleryError as error:
            yield Problem(path, f"{error}; {restore}")
            return
        for suffix, digest in record.preview.digests.items():
            path = self.path(key, suffix)
            if path.is_symlink():
                yield Problem(path, f"{_A_LINK}; {restore}")
            elif not path.is_file():
                if not self.mirror:
                    yield Problem(path, f"missing; {restore}")
            else:
                try:
                    wrong = hashlib.sha256(path.read_bytes()).hexdigest() != digest
                except OSError as error:
                    # A disk that fails says nothing of the file.
                    yield Problem(path, f"cannot be read: {error.strerror}")
                    continue
                if wrong:
                    yield Problem(path, f"not what its record says; {restore}")

    def _read(self, key: str) -> Record:
        return self.parse(key, self.read_record(key))

    def read_record(self, key: str) -> bytes:
        """A record's file. Raises OSError where there is none, and GalleryError where it is no record."""
        path = self.path(key, ".json")
        if path.is_symlink():
            raise GalleryError(_A_LINK)
        if path.stat().st_size > MAX_RECORD_BYTES:
            raise GalleryError(f"larger than {MAX_RECORD_BYTES // 1000} KB")
        return path.read_bytes()

    def parse(self, key: str, data: bytes) -> Record:
        """The record that these bytes are. Raises GalleryError where they are not one of this key."""
        try:
            record = Record.model_validate_json(data)
        except ValidationError as error:
            finding = error.errors(include_url=False)[0]
            place = shown(".".join(str(part) for part in finding["loc"]), quote="")
            raise GalleryError(f"not a record ({place}: {printable(finding['msg'])})") from error
        if record.key != key or record.request.key != key:
            raise GalleryError("the record of another request")
        self._check_engine(record.engine)
        return record

    def _check_engine(self, engine: str) -> None:
        if (engine == SKETCH) != (self.holds == "sketches"):
            raise GalleryError(f"a clip of the engine {engine} does not belong among {self.holds}")


def _is_own(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
