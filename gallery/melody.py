"""Melody files: untrusted audio that a prompt names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gallery.config import Config

SUFFIXES = (".flac", ".mp3", ".ogg", ".wav")


def melody_problem(folder: Path, name: str, config: Config) -> str:
    """What is wrong with the melody file that a prompt file in ``folder`` names, or nothing."""
    if Path(name).suffix.lower() not in SUFFIXES:
        return f"is no melody file; accepted: {', '.join(SUFFIXES)}"
    try:
        return _file_problem(folder / name, config) or _audio_problem(
            folder / name, config.limits.melody_seconds
        )
    except (OSError, RuntimeError, ValueError):  # a name that no file can have, a loop of links
        return "cannot be opened; put the file beside the prompt file"


def _file_problem(path: Path, config: Config) -> str:
    if not path.resolve().is_relative_to(config.prompts.resolve()):
        return "lies outside prompts/; put the file beside the prompt file"
    if not path.is_file():
        return "does not exist; put the file beside the prompt file"
    if path.stat().st_size > config.limits.melody_bytes:
        return f"is larger than {config.limits.melody_bytes:,} bytes"
    return ""


def _audio_problem(path: Path, longest: float) -> str:
    import soundfile

    try:
        info = soundfile.info(str(path))
    except soundfile.LibsndfileError:
        return "is no audio that can be read"
    if not info.frames or info.frames > longest * info.samplerate:
        return f"is {info.duration:.1f} s long; accepted: up to {longest:g} s"
    return ""
