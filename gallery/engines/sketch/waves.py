"""Sound's raw material: seeded random streams, oscillators, envelopes, noise.

Waves are float32, shaped [samples], or [channels, samples] where a stereo image
matters. Frequencies are in Hz, times in seconds.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Wave = NDArray[np.float32]

# One cycle of an oscillator. Tables are read without interpolation; at this size
# the error stays some 70 dB under the tone.
_TABLE_BITS = 14

# Noise repeats after this many samples: too long to notice, short enough to be quick.
LOOP = 1 << 18


def stream(*labels: object) -> np.random.Generator:
    """Random numbers that depend on ``labels`` and on nothing else, in any process."""
    text = "\x1f".join(str(label) for label in labels)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))


def as_wave(values: ArrayLike) -> Wave:
    """Any numbers as float32."""
    return np.asarray(values, dtype=np.float32)


def time(samples: int, rate: int) -> Wave:
    """Seconds since the first sample, for each sample."""
    return np.arange(samples, dtype=np.float32) * np.float32(1 / rate)


def cycle(amplitudes: ArrayLike) -> Wave:
    """One cycle, as a table for `oscillate`, of harmonics 1, 2, 3… with these amplitudes.

    Harmonic phases are spread (after Schroeder), which sounds the same as aligned
    ones and has lower peaks.
    """
    levels = np.asarray(amplitudes, dtype=np.float64)
    size = 1 << _TABLE_BITS
    order = np.arange(1, len(levels) + 1)
    spectrum = np.zeros(size // 2 + 1, dtype=np.complex64)
    spectrum[1 : len(levels) + 1] = levels * np.exp(-1j * np.pi * order**2 / max(len(levels), 2)) * (size / 2)
    return as_wave(np.fft.irfft(spectrum, size))


SINE = cycle([1])


def oscillate(table: Wave, hz: float, samples: int, rate: int, sway: Wave | None = None) -> Wave:
    """A table read over and over, ``hz`` times a second; ``sway`` adds to its phase, in cycles.

    Phase is counted in 32-bit integers, which wrap around by themselves.
    """
    phase = np.arange(samples, dtype=np.uint32)
    phase *= np.uint32(round(hz / rate * 2**32) % 2**32)
    if sway is not None:
        phase += (sway.astype(np.float64) * 2**32).astype(np.int64).astype(np.uint32)
    phase >>= np.uint32(32 - _TABLE_BITS)
    return table[phase]


def sweep(hz: Wave, rate: int) -> Wave:
    """A sine at the frequencies ``hz`` over the last axis, from phase 0 on."""
    return np.sin(as_wave(np.cumsum(hz, axis=-1, dtype=np.float64) * (2 * np.pi / rate) % (2 * np.pi)))


def decay(samples: int, rate: int, seconds: float) -> Wave:
    """From 1 down by 60 dB in ``seconds``, exponentially."""
    return as_wave(np.exp(time(samples, rate) * np.float32(-6.908 / seconds)))


def fade(wave: Wave, rise: int, fall: int) -> None:
    """Let ``wave`` begin and end softly within so many samples, in place; over its last axis."""
    rise, fall = min(rise, wave.shape[-1]), min(fall, wave.shape[-1])
    wave[..., :rise] *= _slope(rise)
    wave[..., wave.shape[-1] - fall :] *= _slope(fall)[::-1]


@lru_cache(maxsize=64)
def _slope(samples: int) -> Wave:
    return as_wave(0.5 - 0.5 * np.cos(np.pi * np.arange(samples) / max(samples, 1)))


def noise(dice: np.random.Generator, samples: int, rate: int, band: tuple[float, float]) -> Wave:
    """Noise between two frequencies, RMS 1; it loops without a seam."""
    size = min(LOOP, 1 << max(8, (samples - 1).bit_length()))
    shape = _band(size, rate, *band)
    draws = dice.standard_normal(2 * len(shape), dtype=np.float32)
    loop = as_wave(np.fft.irfft(draws.view(np.complex64) * shape, size))
    loop /= np.sqrt(np.mean(loop**2)) + 1e-9
    return np.resize(loop, samples)


@lru_cache(maxsize=64)
def _band(size: int, rate: int, low: float, high: float) -> Wave:
    """Levels of a spectrum's bins: 18 dB an octave down on both sides."""
    bins = np.maximum(np.fft.rfftfreq(size, 1 / rate), 1.0)
    return as_wave(((1 + (low / bins) ** 6) * (1 + (bins / high) ** 6)) ** -0.5)


def smooth(wave: Wave, rate: int, hz: float) -> Wave:
    """A cheap lowpass for one-shots: two moving averages, -3 dB near ``hz``."""
    box = np.full(max(1, round(0.32 * rate / hz)), 1, dtype=np.float32)
    box = np.convolve(box, box) / np.float32(len(box) ** 2)
    return as_wave(np.convolve(wave, box, "same"))


def lay(bus: Wave, wave: Wave, start: int, gains: Wave) -> None:
    """Add a wave to ``bus`` [channels, samples] from a sample on; what reaches over the end is lost.

    It is mono or as wide as the bus; ``gains`` are [channels, 1].
    """
    length = min(wave.shape[-1], bus.shape[1] - start)
    if length > 0:
        bus[:, start : start + length] += gains * wave[..., :length]


def gains(level: float, pan: float, channels: int) -> Wave:
    """A gain for each channel [channels, 1]; equal power from ``pan`` -1, left, to 1, right."""
    if channels == 1:
        return as_wave([[level]])
    angle = (pan + 1) * np.pi / 4
    return as_wave([[np.cos(angle)], [np.sin(angle)]]) * np.float32(level * 2**0.5)
