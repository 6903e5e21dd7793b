"""A melody's audio: read from its file, and the separator that takes drums and bass out of it.

audiocraft separates stems with demucs and builds it together with the model. Here
demucs is loaded with the first melody instead: a melody model renders prompts
without a melody even where demucs is not installed.
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from gallery.engines.musicgen.standins import Standin, swapped
from gallery.errors import GalleryError
from gallery.errors.text import one_line
from gallery.utils.distribution import setup_advice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEPARATOR = "htdemucs"
SOURCES = ["drums", "bass", "other", "vocals"]


class BadMelody(GalleryError):
    """A melody that cannot be used, and why, in one line."""


class _LaterSeparator:
    """Takes the separator's place in a model that is being built."""

    sources = SOURCES

    def to(self, _device: object) -> _LaterSeparator:
        """Stay where it is: there is nothing to move."""
        return self


@contextmanager
def separator_stood_in() -> Iterator[None]:
    """Build melody models without loading demucs, or having it."""
    pretrained = Standin("demucs.pretrained", {"get_model": lambda _name: _LaterSeparator()})
    demucs = Standin("demucs", {"pretrained": pretrained})
    with swapped({demucs.__name__: demucs, pretrained.__name__: pretrained}):
        yield


def load_separator(conditioner: Any, device: str) -> None:
    """Give a melody model its separator, once. Raises BadMelody where demucs is missing."""
    if not isinstance(conditioner.demucs, _LaterSeparator):
        return
    try:
        from demucs import pretrained
    except (ImportError, OSError) as error:
        raise BadMelody(
            f"a melody needs demucs, which cannot be imported ({one_line(error)}): {setup_advice('melody')}"
        ) from error
    try:
        separator = pretrained.get_model(SEPARATOR)
    except Exception as error:
        raise BadMelody(f"demucs cannot load its model {SEPARATOR}: {one_line(error)}") from error
    separator.to(device).eval()
    wanted = [separator.sources.index("vocals"), separator.sources.index("other")]
    conditioner.__dict__["demucs"] = separator
    conditioner.stem_indices = torch.tensor(wanted, device=device)


@contextmanager
def fixed_shifts() -> Iterator[None]:
    """Let demucs shift a melody by the same random amount each time: one melody, one result."""
    state = random.getstate()
    random.seed(0)
    try:
        yield
    finally:
        random.setstate(state)


def read_melody(path: Path, sample_rate: int, channels: int) -> torch.Tensor:
    """A melody file as [channels, samples], resampled and mixed as the model wants it."""
    import soundfile
    from audiocraft.data.audio_utils import convert_audio

    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise BadMelody(f"melody {path.name} cannot be read: {one_line(error)}") from error
    if not len(samples):
        raise BadMelody(f"melody {path.name} is empty")
    wave = torch.from_numpy(samples.T.copy())
    if wave.shape[0] > 2:
        wave = wave.mean(0, keepdim=True)
    converted: torch.Tensor = convert_audio(wave, rate, sample_rate, channels)
    return converted
