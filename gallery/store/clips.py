"""The store: previews and their records, under the keys of their requests.

A clip is three files: ``<key>.mp3``, ``<key>.webp`` (its cover) and ``<key>.json``
(its record). The record is written last, and a clip is there when its record is.
"""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING, Literal

from gallery.errors import GalleryError
from gallery.state.database import State
from gallery.store.records import SUFFIXES, NewerRecord, PreviewFacts, Record, read_record
from gallery.store.survey import KEY, Flaw, Folder, Survey
from gallery.utils.files import remove_leftovers, write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    from gallery.engines.provenance import Provenance
    from gallery.preview import Preview
    from gallery.prompts.request import Request


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
        self._files = Folder(folder, holds, mirror)
        self._survey: Survey | None = None

    def path(self, key: str, suffix: str) -> Path:
        """Where one of a clip's files is kept."""
        return self._files.file(key, suffix)

    def get(self, key: str) -> Record | None:
        """A clip's record, or None where there is none, or none that can be used."""
        try:
            return self._files.record(key)
        except (OSError, GalleryError):
            return None

    def is_newer(self, key: str) -> bool:
        """Whether a clip's record is of a later version than this tool knows."""
        try:
            self._files.record(key)
        except NewerRecord:
            return True
        except (OSError, GalleryError):
            return False
        return False

    def has_audio(self, key: str) -> bool:
        """Whether the clip's preview and cover lie here."""
        return all(_is_own(self.path(key, suffix)) for suffix in (".mp3", ".webp"))

    def survey(self) -> Survey:
        """Look at everything here at once. Clips that are as they were are not read again."""
        if not self._survey:
            self._state = self._state or State.temporary()
            self._survey = self._files.look(self._state)
        return self._survey

    def flawed(self, keys: Collection[str]) -> dict[str, Flaw]:
        """What is wrong with these clips, as far as something is. Only they are looked at."""
        self._state = self._state or State.temporary()
        return self._files.flawed(keys, self._state)

    def put(
        self,
        request: Request,
        engine: str,
        provenance: Provenance,
        preview: Preview,
        settings: str,
        sound: str | None = None,
    ) -> Record:
        """Keep a clip: audio first, record last, each whole. ``sound`` is a digest of a sketch's samples."""
        self._files.check_engine(engine)
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
                sound=sound,
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
            yield from sorted({name.split(".")[0] for name in names if KEY.fullmatch(name.split(".")[0])})

    def remove(self, key: str) -> int:
        """Remove a clip, its record first, whatever lies in its files' places. Returns the bytes freed."""
        self._survey, freed = None, 0
        for suffix in reversed(SUFFIXES):
            path = self.path(key, suffix)
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.is_symlink() or path.exists():
                freed += path.lstat().st_size
                path.unlink()
        return freed

    def remove_leftovers(self) -> None:
        """Remove what a killed build left half-written."""
        remove_leftovers(self.folder)

    def verify(self) -> list[str]:
        """Read everything here and compare it with its record: a line for each file that is wrong."""
        return [problem for key in self for problem in self._problems(key)]

    def _problems(self, key: str) -> Iterator[str]:
        path = self.path(key, ".json")
        if path.is_symlink() or path.exists():
            yield from map(str, self._files.flaws(key))
        else:
            yield f"{path}: missing; build again, or remove the clip with `gallery store gc`"

    def read_record(self, key: str) -> bytes:
        """A record's file. Raises OSError where there is none, and GalleryError where it is no record."""
        return read_record(self.path(key, ".json"))

    def parse(self, key: str, data: bytes) -> Record:
        """The record that these bytes are. Raises GalleryError where they are not one of this key."""
        return self._files.parse(key, data)


def _is_own(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
