"""Melody files: untrusted audio that a prompt names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gallery.errors.messages import Wording
from gallery.utils.audio import ACCEPTED, NotAudio, opened

if TYPE_CHECKING:
    from gallery.config import Limits

SUFFIXES = (".flac", ".mp3", ".ogg", ".wav")

# Silence packs well: a small file of many channels or samples could fill the memory.
MOST_CHANNELS = 2
RATES = (8_000, 96_000)

# libsndfile's number of samples for a length that no header tells is far over this.
_UNKNOWN = 1 << 48

_MAY_HOLD_NAN = ("FLOAT", "DOUBLE")
_BLOCK = 1 << 16


def melody_problem(folder: Path, name: str, prompts: Path, limits: Limits) -> str:
    """What is wrong with the melody file that a prompt file in ``folder`` names, or nothing."""
    if Path(name).suffix.lower() not in SUFFIXES:
        return Wording.NO_MELODY_FILE.format(suffixes=", ".join(SUFFIXES))
    try:
        path = folder / name
        return _file_problem(path, prompts, limits.melody_bytes) or _audio_problem(
            path, limits.melody_seconds
        )
    except (OSError, RuntimeError, ValueError):  # a name that no file can have, a loop of links
        return "cannot be opened; put the file beside the prompt file"


def _file_problem(path: Path, prompts: Path, most: int) -> str:
    if not path.resolve().is_relative_to(prompts.resolve()):
        return Wording.MELODY_OUTSIDE
    if not path.is_file():
        return "does not exist; put the file beside the prompt file"
    if path.stat().st_size > most:
        return f"is larger than {most:,} bytes"
    return ""


def _audio_problem(path: Path, longest: float) -> str:
    import numpy as np

    try:
        with path.open("rb") as file, opened(file) as audio:
            if audio.channels > MOST_CHANNELS:
                return f"has {audio.channels} channels; accepted: mono and stereo"
            if not RATES[0] <= audio.samplerate <= RATES[1]:
                return f"has {audio.samplerate:,} samples a second; accepted: {RATES[0]:,} to {RATES[1]:,}"
            if not audio.frames:
                return "is empty"
            if audio.frames > _UNKNOWN:
                return "does not say how long it is; save it anew"
            if audio.frames > longest * audio.samplerate:
                seconds = audio.frames / audio.samplerate
                return f"is {seconds:.1f} s long; accepted: up to {longest:g} s"
            if audio.subtype in _MAY_HOLD_NAN:
                for block in audio.blocks(_BLOCK, dtype="float32"):
                    if not np.isfinite(block).all():
                        return "holds samples that are no numbers"
    except NotAudio:
        return f"is no audio that can be read; accepted: {ACCEPTED}"
    return ""
