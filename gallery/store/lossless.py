"""Lossless renders on this machine, so that previews can be encoded anew without rendering anew.

A render is ``<key>.wav`` (32-bit float, as the engine made it) and ``<key>.json``
(request and provenance), which is written last.
"""

from __future__ import annotations

import json
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from gallery.engines import Failure, Render
from gallery.engines.provenance import Provenance
from gallery.prompts.request import Request
from gallery.store.records import ENGINES
from gallery.utils.audio import NotAudio, opened
from gallery.utils.files import remove_leftovers, write_atomic

if TYPE_CHECKING:
    from pathlib import Path

RATES = (8_000, 48_000)  # samples a second, of every model there is
MAX_SECONDS = 1000


class _About(BaseModel):
    """What a render is. Whatever lies in the folder, it is read as if somebody else had put it there."""

    request: Request
    provenance: Provenance


def _is_sound(wave: Any) -> bool:
    """Whether an open file's samples fit into memory and are those of a clip."""
    rate, channels, frames = wave.samplerate, wave.channels, wave.frames
    return bool(RATES[0] <= rate <= RATES[1] and channels <= 2 and frames <= MAX_SECONDS * rate)


class LosslessStore:
    """Lossless renders in a folder that is not published."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, render: Render) -> None:
        """Keep a render: its audio first, what it is last."""
        import soundfile

        key, audio = render.request.key, BytesIO()
        soundfile.write(audio, render.audio, render.sample_rate, format="WAV", subtype="FLOAT")
        about = {
            "request": render.request.model_dump(mode="json", exclude_none=True),
            "provenance": render.provenance.to_dict(),
        }
        write_atomic(self.folder / f"{key}.wav", audio.getvalue(), sync=True)
        write_atomic(self.folder / f"{key}.json", json.dumps(about, ensure_ascii=False).encode(), sync=True)

    def has(self, key: str) -> bool:
        """Whether the whole render of a request is here."""
        return (self.folder / f"{key}.json").is_file() and (self.folder / f"{key}.wav").is_file()

    def get(self, key: str) -> Render | None:
        """The render of a request, or None where there is none that can be read."""
        with suppress(OSError):
            return self._get(key)
        return None

    def _get(self, key: str) -> Render | None:
        """The render of a request, or None where it is none. Raises OSError where the disk refuses it."""
        try:
            about = _About.model_validate_json((self.folder / f"{key}.json").read_bytes())
            if about.request.key != key or about.provenance.engine not in ENGINES:
                return None
            with (self.folder / f"{key}.wav").open("rb") as file, opened(file) as wave:
                if not _is_sound(wave):
                    return None
                audio, sample_rate = wave.read(dtype="float32", always_2d=True), int(wave.samplerate)
        except (ValidationError, NotAudio):
            return None
        return Render(about.request, audio, sample_rate, about.provenance)

    def load(self, request: Request) -> Render | Failure:
        """The render of a request, or why it cannot be had."""
        problem = (
            f"its lossless render cannot be read; remove {self.folder.name}/{request.key}.json "
            "to render it anew"
        )
        try:
            return self._get(request.key) or Failure(request, problem)
        except OSError as error:
            # A failing disk, a lost mount, a right that is missing: the render itself may be whole.
            said = f"its lossless render is kept, but the disk does not give it: {error.strerror or error}; "
            return Failure(request, f"{said}see to {self.folder.name}/{request.key}.*")

    def remove_leftovers(self) -> None:
        """Remove what a killed build left half-written."""
        remove_leftovers(self.folder)
