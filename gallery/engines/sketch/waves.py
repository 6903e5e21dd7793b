"""Sound's raw material: seeded random streams, oscillators, envelopes, noise, convolution.

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

# A noise bed repeats after this many samples: too long to notice, short enough to be quick.
NOISE_LOOP = 1 << 18

_CONVOLUTION = 1 << 17


def stream(*labels: object) -> np.random.Generator:
    """Random numbers that depend on ``labels`` and on nothing else, in any process."""
    text = "\x1f".join(str(label) for label in labels)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))


def as_wave(values: ArrayLike) -> Wave:
    """Any numbers as float32."""
    return np.asarray(values, dtype=np.float32)


def frequency(pitch: float) -> float:
    """A MIDI pitch in Hz."""
    return float(440.0 * 2.0 ** ((pitch - 69) / 12))


def time(samples: int, rate: int) -> Wave:
    """Seconds since the first sample, for each sample."""
    return np.arange(samples, dtype=np.float32) * np.float32(1 / rate)


def cycle(amplitudes: NDArray[np.float64]) -> Wave:
    """One cycle, as a table for `oscillate`, of harmonics 1, 2, 3… with these amplitudes.

    Harmonic phases are spread (after Schroeder), which sounds the same as aligned
    ones and has lower peaks.
    """
    count = len(amplitudes)
    size = 1 << _TABLE_BITS
    order = np.arange(1, count + 1)
    spectrum = np.zeros(size // 2 + 1, dtype=np.complex64)
    spectrum[1 : count + 1] = amplitudes * np.exp(-1j * np.pi * order**2 / max(count, 2)) * (size / 2)
    return np.fft.irfft(spectrum, size).astype(np.float32)


@lru_cache(maxsize=1)
def sine_cycle() -> Wave:
    """One cycle of a sine, as a table for `oscillate`."""
    return as_wave(np.sin(np.arange(1 << _TABLE_BITS) * (2 * np.pi / (1 << _TABLE_BITS))))


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


def sine(hz: float, samples: int, rate: int) -> Wave:
    """A steady sine."""
    return oscillate(sine_cycle(), hz, samples, rate)


def sweep(hz: Wave, rate: int) -> Wave:
    """A sine at the frequencies ``hz`` [samples], which may change from sample to sample."""
    cycles = np.cumsum(hz, dtype=np.float64) * ((1 << _TABLE_BITS) / rate)
    return as_wave(sine_cycle()[cycles.astype(np.int64) & ((1 << _TABLE_BITS) - 1)])


def decay(samples: int, rate: int, seconds: float) -> Wave:
    """From 1 down by 60 dB in ``seconds``, exponentially."""
    return as_wave(np.exp(time(samples, rate) * np.float32(-6.908 / seconds)))


def fade_in(wave: Wave, samples: int) -> None:
    """Let ``wave`` begin softly, in place; over its last axis."""
    samples = min(samples, wave.shape[-1])
    wave[..., :samples] *= _slope(samples)


def fade_out(wave: Wave, samples: int) -> None:
    """Let ``wave`` end softly, in place; over its last axis."""
    samples = min(samples, wave.shape[-1])
    if samples:
        wave[..., -samples:] *= _slope(samples)[::-1]


@lru_cache(maxsize=64)
def _slope(samples: int) -> Wave:
    return (0.5 - 0.5 * np.cos(np.pi * np.arange(samples) / max(samples, 1))).astype(np.float32)


def shaped_noise(
    dice: np.random.Generator, samples: int, rate: int, points: tuple[tuple[float, float], ...]
) -> Wave:
    """Noise whose spectrum runs through ``points`` of (Hz, dB); RMS 1; it loops without a seam.

    Between the points the level is straight on a logarithmic frequency scale.
    """
    size = min(NOISE_LOOP, 1 << max(8, (samples - 1).bit_length()))
    shape = _noise_shape(size, rate, points)
    spectrum = np.empty(len(shape), dtype=np.complex64)
    draws = dice.standard_normal(2 * len(shape), dtype=np.float32)
    spectrum.real, spectrum.imag = draws[: len(shape)], draws[len(shape) :]
    noise = np.fft.irfft(spectrum * shape, size).astype(np.float32)
    noise /= np.sqrt(np.mean(noise**2)) + 1e-9
    return np.resize(noise, samples)


@lru_cache(maxsize=64)
def _noise_shape(size: int, rate: int, points: tuple[tuple[float, float], ...]) -> Wave:
    bins = np.maximum(np.fft.rfftfreq(size, 1 / rate), 1.0)
    levels = np.interp(np.log(bins), np.log([hz for hz, _ in points]), [level for _, level in points])
    shape = 10.0 ** (levels / 20)
    shape[0] = 0
    return as_wave(shape)


def drift(dice: np.random.Generator, samples: int, rate: int, seconds: float) -> Wave:
    """A slow random curve between 0 and 1 that turns about every ``seconds``."""
    count = int(samples / rate / seconds) + 4
    knots = dice.random(count).astype(np.float32)
    # Cosine steps between the knots, worked out on a coarse grid.
    coarse = np.linspace(0, samples / rate / seconds, max(2, samples // 64), dtype=np.float32)
    left = coarse.astype(np.int64)
    blend = 0.5 - 0.5 * np.cos(np.pi * (coarse - left))
    curve = knots[left] * (1 - blend) + knots[left + 1] * blend
    return as_wave(np.interp(np.linspace(0, len(curve) - 1, samples), np.arange(len(curve)), curve))


def smooth(wave: Wave, rate: int, hz: float) -> Wave:
    """A cheap lowpass for one-shots: two moving averages, -3 dB near ``hz``."""
    width = max(1, round(0.32 * rate / hz))
    if width == 1:
        return wave
    box = np.full(width, 1 / width, dtype=np.float32)
    return np.convolve(np.convolve(wave, box, "same"), box, "same").astype(np.float32)


def lay(bus: Wave, wave: Wave, start: int, gains: Wave) -> None:
    """Add a wave to ``bus`` [channels, samples] from a sample on; what reaches over the end is lost.

    It is mono or as wide as the bus; ``gains`` are [channels, 1].
    """
    length = min(wave.shape[-1], bus.shape[1] - start)
    if length > 0:
        bus[:, start : start + length] += gains * wave[..., :length]


def convolve(wave: Wave, response: Wave) -> Wave:
    """``wave`` [channels, samples] through ``response`` [channels, taps], cut to the wave's length.

    Overlap-add in fixed blocks, so that memory doesn't grow with the transform.
    """
    channels, samples = wave.shape
    taps = response.shape[1]
    hop = _CONVOLUTION - taps + 1
    spectrum = np.fft.rfft(response, _CONVOLUTION)
    result = np.zeros((channels, samples), dtype=np.float32)
    for start in range(0, samples, hop):
        block = np.fft.rfft(wave[:, start : start + hop], _CONVOLUTION)
        block *= spectrum
        end = min(start + _CONVOLUTION, samples)
        result[:, start:end] += np.fft.irfft(block, _CONVOLUTION)[:, : end - start]
    return result
