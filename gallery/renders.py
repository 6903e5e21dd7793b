"""Lossless renders on this machine, so that previews can be encoded anew without rendering anew.

A render is ``<key>.wav`` (32-bit float, as the engine made it) and ``<key>.json``
(request and provenance), which is written last.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from pydantic import ValidationError

from gallery.engines import Render
from gallery.files import remove_leftovers, write_atomic
from gallery.request import Request

if TYPE_CHECKING:
    from pathlib import Path


class Renders:
    """Renders in a folder that is not published."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, render: Render) -> None:
        """Keep a render: its audio first, what it is last."""
        import soundfile

        key, audio = render.request.key, io.BytesIO()
        soundfile.write(audio, render.audio, render.sample_rate, format="WAV", subtype="FLOAT")
        about = {
            "request": render.request.model_dump(mode="json", exclude_none=True),
            "provenance": render.provenance,
        }
        write_atomic(self.folder / f"{key}.wav", audio.getvalue(), sync=True)
        write_atomic(self.folder / f"{key}.json", json.dumps(about, ensure_ascii=False).encode(), sync=True)

    def has(self, key: str) -> bool:
        """Whether the whole render of a request is here."""
        return (self.folder / f"{key}.json").is_file() and (self.folder / f"{key}.wav").is_file()

    def get(self, key: str) -> Render | None:
        """The render of a request, or None where there is none that can be read."""
        import soundfile

        try:
            about = json.loads((self.folder / f"{key}.json").read_bytes())
            audio, sample_rate = soundfile.read(self.folder / f"{key}.wav", dtype="float32", always_2d=True)
            request = Request.model_validate(about["request"])
        except (OSError, ValueError, KeyError, soundfile.LibsndfileError, ValidationError):
            return None
        return Render(request, audio, sample_rate, about["provenance"]) if request.key == key else None

    def remove_leftovers(self) -> None:
        """Remove what a killed build left half-written."""
        remove_leftovers(self.folder)
