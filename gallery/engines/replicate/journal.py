"""What was asked of Replicate and is no render yet: one file a clip, in .gallery/replicate/.

An entry says "this may have been paid for". It is on the disk before its prediction is asked for,
gets the prediction's id from the answer, and is removed when it is certain that nothing was made,
or when its clip is a render. Without an id it is unsettled: nobody knows yet whether Replicate took
it. So a build that was killed at any moment leaves what the next one needs to fetch what was paid
for instead of paying again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from gallery.utils.files import remove_leftovers, write_atomic

if TYPE_CHECKING:
    from pathlib import Path


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Facts(_Strict):
    """What a prediction that succeeded tells of itself: the seed of its log, its seconds of compute."""

    seed: int | None
    predict_time: Annotated[float, Field(ge=0)] | None
    completed_at: Annotated[str, Field(max_length=40)]


class JournalEntry(_Strict):
    """A prediction that was asked for.

    ``prediction`` is its id, empty while there is no answer. ``bought`` says that its audio
    lies beside the entry, ``refused`` why what was paid for cannot be used.
    """

    version: Literal[1] = 1
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    model_version: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    input: dict[str, Any]
    asked_at: AwareDatetime
    prediction: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{0,64}$")] = ""
    bought: Facts | None = None
    refused: Annotated[str, Field(max_length=1000)] = ""


class DamagedEntry(Exception):
    """A file that is no entry, or another clip's."""


class Journal:
    """The entries in a folder that is not published."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def name(self, key: str) -> str:
        """What messages call a clip's entry: its path in the gallery."""
        return f"{self._folder.parent.name}/{self._folder.name}/{key}.json"

    def paid(self, key: str) -> str:
        """What to do about a clip that was paid for in vain."""
        return f"it was paid for: to ask and pay for it again, remove {self.name(key)}"

    def has(self, key: str) -> bool:
        """Whether a clip has an entry, be it damaged."""
        return self._path(key).exists()

    def get(self, key: str) -> JournalEntry | None:
        """A clip's entry, if it has one. Raises DamagedEntry, since it may have been paid for."""
        try:
            entry = JournalEntry.model_validate_json(self._path(key).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise DamagedEntry(key) from error
        if entry.key != key or (entry.bought and not self._audio(key).is_file()):
            raise DamagedEntry(key)
        return entry

    def put(self, entry: JournalEntry, **changes: Any) -> JournalEntry:
        """Keep an entry with these changes, in the place of the clip's earlier one.

        It outlives a power cut from here on.
        """
        entry = entry.model_copy(update=changes)
        write_atomic(self._path(entry.key), entry.model_dump_json(indent=1).encode() + b"\n", sync=True)
        _sync_names(self._folder)
        _sync_names(self._folder.parent)
        return entry

    def put_audio(self, entry: JournalEntry, facts: Facts, audio: bytes) -> JournalEntry:
        """Keep what a prediction made: its audio first, what it is last."""
        write_atomic(self._audio(entry.key), audio, sync=True)
        return self.put(entry, bought=facts)

    def refuse(self, entry: JournalEntry, reason: str) -> None:
        """Remember why what was paid for cannot be used."""
        self.put(entry, refused=reason, bought=None)
        self._audio(entry.key).unlink(missing_ok=True)

    def audio(self, key: str) -> bytes:
        """The WAV file beside an entry that has one."""
        return self._audio(key).read_bytes()

    def remove(self, key: str) -> None:
        """Forget an entry: nothing was paid for, or its clip is handed over."""
        self._path(key).unlink(missing_ok=True)
        self._audio(key).unlink(missing_ok=True)

    def remove_leftovers(self) -> None:
        """Remove what a killed build left half-written."""
        remove_leftovers(self._folder)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    def _audio(self, key: str) -> Path:
        return self._folder / f"{key}.wav"


def _sync_names(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system lets a folder be opened."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
