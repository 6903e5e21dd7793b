"""Records: how a clip came to be, as JSON beside its preview.

The store is shared: records are read as if somebody else had written them.
"""

from __future__ import annotations

import json
from stat import S_ISLNK, S_ISREG
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError

from gallery.engines.provenance import Provenance
from gallery.errors import GalleryError
from gallery.errors.text import printable, shown
from gallery.prompts.request import Request

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = (".mp3", ".webp", ".json")
SKETCH = "sketch"
ENGINES = ("musicgen", "replicate", SKETCH)

# A record is 1 to 2 KB. Ten minutes, the longest clip there is, at 320 kbit/s make 24 MB; covers
# are some 4 KB.
MAX_RECORD_BYTES = 100_000
MAX_AUDIO_BYTES = 32_000_000
MAX_COVER_BYTES = 1_000_000

# What this tool writes, and the latest that it can read.
VERSION = 1

_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PreviewFacts(_Strict):
    """What is known of a preview: digests of its files, seconds, LUFS, dBTP, 200 peaks.

    ``sound`` is a digest of the samples as the engine made them. Sketches have one, and nothing else:
    of theirs, many are alike.
    """

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
    sound: _Digest | None = None

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each file, by its suffix."""
        return {".mp3": self.audio_sha256, ".webp": self.cover_sha256}


class Record(_Strict):
    """How a clip came to be, beside its preview."""

    version: Literal[1] = 1
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    request: Request
    engine: Annotated[str, Field(pattern=rf"^({'|'.join(ENGINES)})$")]
    provenance: Provenance
    preview: PreviewFacts

    def to_json(self) -> bytes:
        """The record as it is written: readable, one order, the same bytes each time."""
        fields = self.model_dump(mode="json")
        if self.preview.sound is None:  # earlier versions know no such field
            del fields["preview"]["sound"]
        fields["request"] = self.request.model_dump(mode="json", exclude_none=True)
        return (json.dumps(fields, ensure_ascii=False, indent=1) + "\n").encode()


class NewerRecord(GalleryError):
    """A record of a later version than this tool knows."""


class _Versioned(BaseModel):
    version: Annotated[StrictInt, Field(gt=VERSION, lt=2**53)]


def read_record(path: Path) -> bytes:
    """A record's file. Raises OSError where there is none, and GalleryError where it cannot be one."""
    status = path.lstat()
    if problem := no_file(status.st_mode):
        raise GalleryError(problem)
    if status.st_size > MAX_RECORD_BYTES:
        raise GalleryError(f"larger than {MAX_RECORD_BYTES // 1000} KB")
    return path.read_bytes()


def no_file(mode: int) -> str:
    """Why something with this mode is no file of a clip; nothing where it may be one."""
    if S_ISLNK(mode):
        # Publishing a site follows links: one that came with a pull request could lead anywhere.
        return "a link, which no clip is"
    return "" if S_ISREG(mode) else "not a file"


def parse_record(data: bytes, key: str) -> Record:
    """The record that these bytes are.

    Raises NewerRecord for one of a later version, and GalleryError where they are not one of this key.
    """
    try:
        record = Record.model_validate_json(data)
    except ValidationError as error:
        if version := _later_version(data):
            raise NewerRecord(f"a record of version {version}, of a newer version of the tool") from error
        finding = error.errors(include_url=False)[0]
        place = shown(".".join(str(part) for part in finding["loc"]), quote="")
        told = ": ".join(filter(None, (place, printable(finding["msg"]))))
        raise GalleryError(f"not a record ({told})") from error
    if record.key != key or record.request.key != key:
        raise GalleryError("the record of another request")
    return record


def _later_version(data: bytes) -> int:
    try:
        return _Versioned.model_validate_json(data).version
    except ValidationError:
        return 0
