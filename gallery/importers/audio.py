"""Audio of other tools, as it is: read within limits, and held against what was asked for."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from gallery.importers import m4a
from gallery.importers.found import Unusable
from gallery.importers.untrusted import clean_line, read_bytes
from gallery.preview import LOUDEST
from gallery.prompts.request import plain_number
from gallery.utils.audio import NotAudio, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from gallery.config import Model

MAX_BYTES = 200_000_000
MAX_SECONDS = 600
SAMPLE_RATES = (8000, 48000)

CODECS = "PCM and float in WAV, FLAC, Vorbis and Opus in OGG, MP3, AAC and ALAC in M4A"

# Codecs pad, and tools round: so much, in seconds, is no difference in length.
TOLERANCE = 0.1

_BLOCK = 10  # seconds

# Of an M4A, which is decoded whole: a little more than the longest that is taken.
_MOST_DECODED = (MAX_SECONDS + 1) * SAMPLE_RATES[1] * 2 * 4

_CHANNELS = {1: "mono", 2: "stereo"}

# Of two sounds so many seconds are compared. Their correlation is 1 where they are the same: 0.9 and
# more after any codec and the previews' limiter, and far less where they were made apart.
_COMPARED = 60
_ALIKE = 0.8


@dataclass(frozen=True)
class Sound:
    """Samples [samples, channels] as float32, and the SHA-256 of the file that held them.

    ``note`` says what is to be known about them.
    """

    audio: NDArray[np.float32]
    sample_rate: int
    sha256: str
    note: str = ""

    @property
    def digest(self) -> str:
        """The SHA-256 of the samples: the same in every lossless file of them, as TTS-WebUI tells it."""
        return hashlib.sha256(np.ascontiguousarray(self.audio, "<f4").tobytes()).hexdigest()


def read_sound(path: Path, duration: float, model: Model) -> Sound:
    """The audio of a clip of ``duration`` seconds that ``model`` made. Raises Unusable.

    One of another length is not what its request says (it was cut, or the file is not
    whole) and is refused, unless it is the label that is wrong: the samples themselves
    make up the duration at the model's own rate.
    """
    data = read_bytes(path, MAX_BYTES)
    with _decoding(data) as file:
        audio, rate = _samples(file), int(file.samplerate)
    length, note = len(audio) / rate, ""
    if abs(length - duration) > TOLERANCE:
        if abs(len(audio) / model.sample_rate - duration) > TOLERANCE:
            raise Unusable(
                f"its audio lasts {length:.2f} s where its metadata says {duration:g} s; "
                "it was cut, or the file is not whole"
            )
        note = f"labelled {rate} Hz; its samples are of {model.sample_rate} Hz"
        rate = model.sample_rate
    if audio.shape[1] != model.channels:
        other = f"{_CHANNELS[audio.shape[1]]}, where its model makes {_CHANNELS[model.channels]}"
        note = "; ".join(filter(None, (note, other)))
    highest = float(np.abs(audio).max(initial=0))
    if not highest <= LOUDEST:
        raise Unusable("its audio holds samples that are no numbers, or far over full scale")
    return Sound(audio, rate, hashlib.sha256(data).hexdigest(), note)


def length_of(path: Path) -> float:
    """The length of audio in seconds, to a hundredth of one. Raises Unusable."""
    with _decoding(read_bytes(path, MAX_BYTES)) as file:
        if not file.samplerate:
            raise Unusable("its audio cannot be decoded; the file is damaged or not whole")
        length: float = plain_number(round(file.frames / file.samplerate, 2))
    return length


@contextmanager
def _decoding(data: bytes) -> Iterator[Any]:
    """The audio of a file's bytes, open to be read. Raises Unusable."""
    if m4a.is_m4a(data):
        data = m4a.decoded(data, MAX_SECONDS + 1, _MOST_DECODED)
    try:
        with opened(BytesIO(data)) as file:
            yield file
    except NotAudio as error:
        if error.kind:
            raise Unusable(f"its audio is {clean_line(error.kind)}; accepted: {CODECS}") from error
        raise Unusable("its audio cannot be decoded; the file is damaged or not whole") from error


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file of limited size. Raises Unusable."""
    return hashlib.sha256(read_bytes(path, MAX_BYTES)).hexdigest()


def is_alike(one: Sound, other: Sound) -> bool:
    """Whether two files hold one sound, however they were encoded and how loud they are.

    What codecs and a limiter change leaves them correlated; two takes of one prompt are not.
    """
    rate = min(one.sample_rate, other.sample_rate)
    a, b = _beginning(one, rate), _beginning(other, rate)
    energy = float(np.linalg.norm(a) * np.linalg.norm(b))
    if energy == 0:
        return not a.any() and not b.any()
    size = len(a) + len(b)
    products = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    lag = round(TOLERANCE * rate)
    return float(max(products[: lag + 1].max(), products[-lag:].max())) > _ALIKE * energy


def _beginning(sound: Sound, rate: int) -> NDArray[np.float64]:
    """The beginning of a sound, its channels as one, at ``rate``."""
    mono = sound.audio[: _COMPARED * sound.sample_rate].mean(axis=1, dtype=np.float64)
    if sound.sample_rate == rate:
        return np.asarray(mono)
    from scipy.signal import resample_poly

    return np.asarray(resample_poly(mono, rate, sound.sample_rate))


def _samples(file: Any) -> NDArray[np.float32]:
    """Every sample of an open file: counted as they come, since a header can say anything."""
    rate, channels = int(file.samplerate), int(file.channels)
    if not SAMPLE_RATES[0] <= rate <= SAMPLE_RATES[1]:
        raise Unusable(
            f"its audio has {rate} samples a second; accepted: {SAMPLE_RATES[0]} to {SAMPLE_RATES[1]}"
        )
    if channels not in (1, 2):
        raise Unusable(f"its audio has {channels} channels; a clip is mono or stereo")
    blocks: list[NDArray[np.float32]] = []
    while len(block := file.read(_BLOCK * rate, dtype="float32", always_2d=True)):
        blocks.append(block)
        if len(blocks) * _BLOCK > MAX_SECONDS + _BLOCK:
            raise Unusable(f"its audio is longer than {MAX_SECONDS} s")
    if not blocks:
        raise Unusable("its audio is empty")
    return np.concatenate(blocks)
