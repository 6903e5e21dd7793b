"""A gain that brings a clip to a loudness and keeps its peaks under a ceiling.

The gain is one number for each step of `gallery.preview.measure.STEP` samples, all
channels alike, in dB until it is applied.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from gallery.preview.measure import STEP, amplitudes, gated_loudness, peak_steps, weighted_steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NEAR_ENOUGH = 0.05  # LU


@dataclass(frozen=True)
class Limiter:
    """How a limiter moves.

    It lowers the gain within ``look_ahead`` seconds before a peak, holds it as long
    behind, and lets it back at ``release`` dB a second. ``makeup`` is the most gain,
    in dB, that may be spent on the loudness that it takes away.
    """

    look_ahead: float
    release: float
    makeup: float


# From the gentlest, which follows neither the waves of a bass note (that would be
# distortion) nor ducks the music for long, to one for single footsteps: their loudness is
# all in their peaks, so the gain has to return between one and the next. 10 ms leave a
# drum's beat its shape, and what is lowered no earlier is covered by the beat itself.
LIMITERS = (
    Limiter(look_ahead=0.010, release=60, makeup=6),
    Limiter(look_ahead=0.010, release=200, makeup=9),
    Limiter(look_ahead=0.010, release=800, makeup=12),
    Limiter(look_ahead=0.001, release=2000, makeup=24),
)


@dataclass(frozen=True)
class Signal:
    """What is known of audio before its gain is decided.

    ``loudness`` is in LUFS, or None. ``weighted`` [steps, channels] are amplitudes,
    ``peaks`` [steps] are in dBTP: see `gallery.preview.measure`.
    """

    sample_rate: int
    loudness: float | None
    weighted: NDArray[np.float64]
    peaks: NDArray[np.float64]

    def true_peak_with(self, gain: NDArray[np.float64] | float = 0.0) -> float:
        """The true peak in dBTP that it has with a gain [steps] in dB; -inf for digital silence."""
        return float((self.peaks + gain).max())


def listen(audio: NDArray[np.float32], sample_rate: int) -> Signal:
    """Measure ``audio`` [samples, channels]."""
    weighted = weighted_steps(audio, sample_rate)
    with np.errstate(divide="ignore"):
        peaks = 20 * np.log10(peak_steps(audio), dtype=np.float64)
    return Signal(sample_rate, gated_loudness(weighted, sample_rate), weighted, peaks)


def limiting_gain(
    signal: Signal, gain: float, ceiling: float, limiter: Limiter = LIMITERS[0]
) -> NDArray[np.float64]:
    """``gain`` in dB, lowered wherever ``signal`` would peak over ``ceiling`` (dBTP) with it; [steps].

    The reduction that each step needs falls off at the release's pace, is held through
    the window of a smoothing filter, and is smoothed. An average of values that are all
    large enough is large enough: no peak gets through, and the gain has no corners.
    """
    from scipy.ndimage import maximum_filter1d

    over = np.maximum(signal.peaks + gain - ceiling, 0)
    if not over.any():
        return np.full(len(over), gain)
    fall = limiter.release * STEP / signal.sample_rate * np.arange(len(over))
    released = np.maximum.accumulate(over + fall) - fall
    reach = max(1, round(limiter.look_ahead * signal.sample_rate / STEP))
    # One step more than the filter needs, since the gain is interpolated between steps.
    held = maximum_filter1d(released, 2 * (reach + 1) + 1, mode="nearest")
    window = np.hanning(2 * reach + 3)[1:-1]
    return gain - np.convolve(np.pad(held, reach, mode="edge"), window / window.sum(), mode="valid")


def matching_gain(signal: Signal, target: float, ceiling: float) -> NDArray[np.float64]:
    """The gain [steps] in dB that brings ``signal`` to ``target`` LUFS under ``ceiling`` dBTP.

    The gentlest limiter does it that gets there within its makeup; where none does,
    the one that comes nearest. ``signal`` must have a loudness.
    """
    if signal.loudness is None:
        raise ValueError("a clip without a loudness cannot be matched to one")
    least = target - signal.loudness
    nearest, missing = limiting_gain(signal, least, ceiling), np.inf
    if signal.true_peak_with(least) <= ceiling:
        return nearest
    for limiter in LIMITERS:
        gain, shortfall = _makeup(signal, limiter, target, ceiling, least)
        if shortfall < missing - _NEAR_ENOUGH:
            nearest, missing = limiting_gain(signal, gain, ceiling, limiter), shortfall
        if missing < _NEAR_ENOUGH:
            break
    return nearest


def _makeup(
    signal: Signal, limiter: Limiter, target: float, ceiling: float, least: float
) -> tuple[float, float]:
    """The gain, ``least`` or more, that takes ``limiter`` to ``target``, and the LU still missing with it."""
    from scipy.optimize import brentq

    @cache
    def shortfall(gain: float) -> float:
        curve = limiting_gain(signal, gain, ceiling, limiter)
        reached = gated_loudness(signal.weighted * amplitudes(curve)[:, None], signal.sample_rate)
        return np.inf if reached is None else target - reached

    most = least + limiter.makeup
    if shortfall(least) < _NEAR_ENOUGH:
        return least, 0.0
    if shortfall(most) > 0:
        return most, shortfall(most)
    return float(brentq(shortfall, least, most, xtol=_NEAR_ENOUGH)), 0.0


def with_gain(audio: NDArray[np.float32], gain: NDArray[np.float64]) -> NDArray[np.float32]:
    """``audio`` [samples, channels] with ``gain`` [steps] in dB, interpolated between the steps' middles."""
    factors = amplitudes(gain)
    if np.ptp(factors) == 0:
        return audio * np.float32(factors[0])
    middles = np.arange(len(factors)) * STEP + (STEP - 1) / 2
    each = np.interp(np.arange(len(audio)), middles, factors).astype(np.float32)
    return audio * each[:, None]
