"""How loud audio is, and how high it peaks between its samples (ITU-R BS.1770-4).

Audio is float32, [samples, channels]. Both measures are kept for each step of
`STEP` samples: that is all that matching the loudness and limiting need, at a
thirtieth of the work. A last step that is not full is filled with silence.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP = 32  # samples

# One gating block of BS.1770-4, in seconds: what is shorter has no loudness.
GATING_BLOCK = 0.4

OVERSAMPLING = 4

# Input samples to either side that the interpolation filter looks at.
_REACH = 10

# Steps in one matrix product: few enough for BLAS to do it in this thread. Its own
# threads take more CPU time for products of this size, and clips run in parallel anyway.
_BLOCK = 32

# Blocks that are interpolated at a time, so that their 4-fold samples stay in the cache.
_BATCH = 64

# pyloudnorm mutes numpy with `warnings.catch_warnings`; two threads that enter and
# leave that in turn would leave it muted for good.
_gating = threading.Lock()


def decibels(amplitude: float) -> float:
    """An amplitude relative to full scale in dB; -inf for 0."""
    return 20 * float(np.log10(amplitude)) if amplitude > 0 else -np.inf


def amplitudes(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Levels in dB as factors, or as amplitudes relative to full scale."""
    return np.asarray(np.power(10, levels / 20))


def weighted_steps(audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float64]:
    """The root mean squares [steps, channels] of the audio behind pyloudnorm's K-weighting filters."""
    from pyloudnorm import Meter
    from scipy.signal import sosfilt

    # Both filters in one pass: quicker than pyloudnorm's own two.
    sections = [[*stage.b, *stage.a] for stage in Meter(sample_rate)._filters.values()]
    squares = []
    for channel in audio.T:
        filled = np.pad(np.square(sosfilt(sections, channel)), (0, -len(channel) % STEP))
        squares.append(filled.reshape(-1, STEP).mean(axis=1))
    return np.asarray(np.sqrt(np.stack(squares, axis=1)))


def gated_loudness(steps: NDArray[np.float64], sample_rate: int) -> float | None:
    """Integrated loudness in LUFS of what `weighted_steps` returned, through pyloudnorm's gates.

    None for what is shorter than a gating block, and for what is below the absolute
    gate of -70 LUFS throughout. Gating looks at mean squares only, so it may be given
    the steps in the place of samples: a gating block is a whole number of them at
    16, 24, 32 and 48 kHz, and within 0.01 LU of that at other rates.
    """
    from pyloudnorm import Meter

    rate = sample_rate / STEP
    if len(steps) < GATING_BLOCK * rate:
        return None
    with _gating:
        loudness = float(Meter(rate, filter_class="custom").integrated_loudness(steps))
    return loudness if np.isfinite(loudness) else None


def loudness(audio: NDArray[np.float32], sample_rate: int) -> float | None:
    """Integrated loudness in LUFS; None where there is none (see `gated_loudness`)."""
    return gated_loudness(weighted_steps(audio, sample_rate), sample_rate)


def peak_steps(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """The highest amplitude [steps] of any channel, 4-times oversampled (BS.1770-4, annex 2)."""
    steps = -(-len(audio) // STEP)
    blocks = -(-steps // _BLOCK)
    highest = np.zeros((blocks, _BLOCK), dtype=np.float32)
    for channel in audio.T:
        filled = np.pad(channel, (_REACH, _REACH + blocks * _BLOCK * STEP - len(channel)))
        rows = np.lib.stride_tricks.sliding_window_view(filled, STEP + 2 * _REACH)[::STEP]
        for start in range(0, blocks, _BATCH):
            batch = rows[start * _BLOCK : (start + _BATCH) * _BLOCK].reshape(-1, _BLOCK, rows.shape[1])
            here = highest[start : start + _BATCH]
            np.maximum(here, np.abs(batch @ _interpolation()).max(axis=2), out=here)
    return highest.ravel()[:steps]


def true_peak(audio: NDArray[np.float32]) -> float | None:
    """The true peak in dBTP; None for digital silence."""
    highest = float(peak_steps(audio).max())
    return decibels(highest) if highest > 0 else None


@cache
def _interpolation() -> NDArray[np.float32]:
    """The matrix that turns a step and its neighbourhood into `OVERSAMPLING` times the step's samples.

    Each column is one polyphase branch of the filter that `scipy.signal.resample_poly`
    uses by default, scaled so that the samples themselves come through unchanged. As a
    matrix product it takes less time.
    """
    from scipy.signal import firwin

    taps = firwin(2 * _REACH * OVERSAMPLING + 1, 1 / OVERSAMPLING, window=("kaiser", 5.0))
    taps /= taps[_REACH * OVERSAMPLING]
    given = OVERSAMPLING * np.arange(STEP + 2 * _REACH)[:, None]
    wanted = OVERSAMPLING * _REACH + np.arange(OVERSAMPLING * STEP)
    tap = wanted - given + _REACH * OVERSAMPLING
    inside = (tap >= 0) & (tap < len(taps))
    return np.where(inside, taps[tap.clip(0, len(taps) - 1)], 0).astype(np.float32)
