"""An engine's audio -> what the site plays: a loudness-matched MP3, its waveform and its picture."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from gallery.errors import GalleryError
from gallery.preview.limiter import Signal, limiting_gain, listen, matching_gain, with_gain
from gallery.preview.measure import loudness, true_peak
from gallery.preview.mp3 import decode_mp3, encode_mp3, find_ffmpeg, read_tags, with_tags
from gallery.preview.picture import cover, peaks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gallery.config import PreviewSettings

__all__ = ["Preview", "make_preview", "read_tags"]

# Quieter clips, in LUFS, are left as they are: gain would bring up nothing but noise.
NEAR_SILENCE = -60.0

# dB under the limit that the first encode aims at, since MP3 overshoots what it is given.
HEADROOM = 0.8

# dB that other meters may read more than ours between the samples.
METER_MARGIN = 0.2

# dB that a further encode goes lower than what was over: the next overshoot is another one.
OVERSHOOT_STEP = 0.5

CLOSE_ENOUGH = 0.5  # LU

# LU that an encode has to come nearer for another one to be tried.
WORTH_AN_ENCODE = 0.2

MOST_ENCODES = 6

# 120 dB over full scale: no engine means that, and squares soon wouldn't be numbers any more.
LOUDEST = 1e6


@dataclass(frozen=True)
class Preview:
    """A preview and what was measured of it.

    ``mp3`` has its tags; ``cover`` is a greyscale WebP of 480 x 96; ``peaks`` are 200
    characters (see `gallery.preview.picture.peaks`); ``duration`` is in seconds.
    Loudness is in LUFS, None where it is too short (0.4 s) or too quiet to have one;
    true peaks are in dBTP, None for digital silence. Before is the engine's audio,
    after is the decoded MP3.
    """

    mp3: bytes
    cover: bytes
    peaks: str
    duration: float
    loudness_before: float | None
    loudness_after: float | None
    true_peak_before: float | None
    true_peak_after: float | None


@dataclass(frozen=True)
class _Take:
    """One encode: the MP3, its decoded samples and what they measure."""

    mp3: bytes
    audio: NDArray[np.float32]
    sample_rate: int
    loudness: float | None
    true_peak: float | None


def load() -> None:
    """Load all that previews are made with, and find ffmpeg."""
    from importlib import import_module

    # By a process, which Ctrl-C would end later on. Where there is none, each preview says so.
    with suppress(GalleryError):
        find_ffmpeg()
    for name in ("mutagen.id3", "PIL._webp", "pyloudnorm", "scipy.ndimage", "scipy.optimize", "soundfile"):
        import_module(name)


def make_preview(
    audio: NDArray[np.float32], sample_rate: int, settings: PreviewSettings, tags: Mapping[str, str]
) -> Preview:
    """Make the preview of ``audio``, float32 [samples, channels] of one or two channels.

    It may exceed [-1, 1]. ``tags`` are named as ffmpeg names them (``title``,
    ``artist``, ``comment``, ...); see `gallery.preview.mp3.with_tags`. Raises
    GalleryError for audio that isn't any, and where the encoder fails.
    """
    _refuse_faulty(audio)
    signal = listen(audio, sample_rate)
    take = _encode(audio, signal, settings)
    return Preview(
        mp3=with_tags(take.mp3, tags),
        cover=cover(audio, sample_rate),
        peaks=peaks(take.audio),
        duration=len(take.audio) / take.sample_rate,
        loudness_before=signal.loudness,
        loudness_after=take.loudness,
        true_peak_before=_or_none(signal.true_peak_with()),
        true_peak_after=take.true_peak,
    )


def _refuse_faulty(audio: NDArray[np.float32]) -> None:
    """Raise GalleryError for audio that cannot be encoded, or that no engine can have meant."""
    if audio.ndim != 2 or audio.shape[1] not in (1, 2):
        raise GalleryError(f"audio of shape {audio.shape}; a clip is [samples, channels], mono or stereo")
    if len(audio) == 0:
        raise GalleryError("the clip is empty: the engine returned no samples")
    highest = float(np.abs(audio).max())
    if not np.isfinite(highest):
        raise GalleryError(f"{int((~np.isfinite(audio)).sum())} of the clip's samples are not finite numbers")
    if highest > LOUDEST:
        raise GalleryError(f"the clip's samples reach {highest:.3g}, where 1 is full scale")


def _encode(audio: NDArray[np.float32], signal: Signal, settings: PreviewSettings) -> _Take:
    """The first encode that keeps to both limits when it is decoded, or else the best of some.

    What is over the peak limit comes off the ceiling of the next one, and what is
    missing in loudness is added to its aim. Peaks count first.
    """
    matched = signal.loudness is not None and signal.loudness >= NEAR_SILENCE
    aim, ceiling = float(settings.loudness), float(settings.true_peak)
    limit = ceiling - METER_MARGIN
    if matched or signal.true_peak_with() > ceiling:
        ceiling = limit - HEADROOM
    tried: list[tuple[float, float, _Take]] = []
    for _ in range(MOST_ENCODES):
        gain = matching_gain(signal, aim, ceiling) if matched else limiting_gain(signal, 0.0, ceiling)
        take = _take(with_gain(audio, gain), signal.sample_rate, settings.quality)
        excess = max(0.0, take.true_peak - limit) if take.true_peak is not None else 0.0
        miss = settings.loudness - take.loudness if matched and take.loudness is not None else 0.0
        before = [missed for over, missed, _ in tried if over == 0]
        stalled = excess == 0 and any(abs(miss) > missed - WORTH_AN_ENCODE for missed in before)
        tried.append((excess, abs(miss), take))
        if stalled or (excess == 0 and abs(miss) <= CLOSE_ENOUGH):
            break
        if excess > 0:
            ceiling = min(ceiling, signal.true_peak_with(gain)) - excess - OVERSHOOT_STEP
        aim += miss
    return min(tried, key=itemgetter(0, 1))[2]


def _or_none(level: float) -> float | None:
    return level if np.isfinite(level) else None


def _take(audio: NDArray[np.float32], sample_rate: int, quality: int) -> _Take:
    mp3 = encode_mp3(audio, sample_rate, quality)
    decoded, rate = decode_mp3(mp3)
    return _Take(mp3, decoded, rate, loudness(decoded, rate), true_peak(decoded))
