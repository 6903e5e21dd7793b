"""What scenes of sounds are built from: beds of noise, and single sounds laid over them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gallery.engines.sketch.waves import (
    Wave,
    as_wave,
    cycle,
    decay,
    drift,
    fade_in,
    fade_out,
    follow,
    shaped_noise,
    sine,
    stream,
    sweep,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Points = tuple[tuple[float, float], ...]


@dataclass
class Scene:
    """A stretch of sound that effects add to.

    ``audio`` is [channels, samples]. Every effect draws its chances from `dice`,
    which depend on ``labels`` and the effect's own name.
    """

    rate: int
    samples: int
    channels: int
    labels: tuple[object, ...]
    audio: Wave = field(init=False)

    def __post_init__(self) -> None:
        self.audio = np.zeros((self.channels, self.samples), dtype=np.float32)

    @property
    def seconds(self) -> float:
        """The scene's length."""
        return self.samples / self.rate

    def dice(self, name: str) -> np.random.Generator:
        """Random numbers for one effect."""
        return stream("effect", name, *self.labels)

    def bed(self, name: str, level: float, *points: tuple[float, float], motion: Wave | None = None) -> None:
        """Noise from beginning to end, wide in stereo; ``motion`` [samples] is its level over time."""
        shared = shaped_noise(self.dice(name), self.samples, self.rate, points)
        for channel in range(self.channels):
            noise = shared
            if self.channels > 1:
                own = shaped_noise(self.dice(f"{name} {channel}"), self.samples, self.rate, points)
                noise = 0.5 * shared + 0.85 * own
            self.audio[channel] += np.float32(level) * (noise if motion is None else noise * motion)

    def hum(self, level: float, wave: Wave) -> None:
        """A sound [samples] that is everywhere."""
        self.audio += np.float32(level) * wave

    def drift(self, name: str, seconds: float, low: float = 0.0, high: float = 1.0) -> Wave:
        """A slow random curve [samples] between two levels."""
        curve = drift(self.dice(f"{name} drift"), self.samples, self.rate, seconds)
        return np.float32(low) + np.float32(high - low) * curve

    def lay(self, wave: Wave, second: float, level: float = 1.0, pan: float = 0.0) -> None:
        """A single sound [n] at a time; ``pan`` from -1 left to 1 right."""
        start = int(second * self.rate)
        length = min(len(wave), self.samples - start)
        if start < 0 or length <= 0:
            return
        for channel in range(self.channels):
            side = 1.0 if self.channels == 1 else 1 + pan * (2 * channel - 1)
            self.audio[channel, start : start + length] += np.float32(level * side) * wave[:length]

    def scatter(
        self, name: str, sounds: Sequence[Wave], per_second: float, levels: tuple[float, float]
    ) -> None:
        """Sounds at random times, places and levels; one at the very beginning."""
        dice = self.dice(f"{name} scatter")
        count = max(1, int(per_second * self.seconds))
        times = np.sort(dice.random(count)) * self.seconds
        times[0] = 0.02
        choices = dice.integers(len(sounds), size=count)
        low, high = levels
        gains = low + (high - low) * dice.random(count) ** 2
        pans = dice.uniform(-0.8, 0.8, count)
        for second, choice, gain, pan in zip(times, choices, gains, pans, strict=True):
            self.lay(sounds[int(choice)], float(second), float(gain), float(pan))

    def every(
        self,
        name: str,
        period: float,
        make: Callable[[int], Wave],
        level: float = 1.0,
        looseness: float = 0.04,
    ) -> None:
        """A sound again and again, about every ``period`` seconds; ``make`` gets its number."""
        dice = self.dice(f"{name} every")
        second, number = 0.06, 0
        while second < self.seconds:
            gain = level * float(dice.uniform(0.75, 1))
            self.lay(make(number), second, gain, 0.25 * (-1) ** number)
            second += period * (1 + looseness * float(dice.uniform(-1, 1)))
            number += 1


def burst(
    dice: np.random.Generator, rate: int, seconds: float, points: Points, attack: float = 0.001
) -> Wave:
    """Noise that dies away."""
    samples = max(1, int(seconds * rate))
    wave = shaped_noise(dice, samples, rate, points) * decay(samples, rate, seconds)
    fade_in(wave, int(attack * rate))
    fade_out(wave, samples // 10)
    return wave * np.float32(0.3)


def chirp(rate: int, seconds: float, start: float, end: float, bend: float = 1.0) -> Wave:
    """A whistle from one frequency to another, swelling and fading."""
    samples = max(8, int(seconds * rate))
    way = np.linspace(0, 1, samples, dtype=np.float32) ** np.float32(bend)
    wave = sweep(start + (end - start) * way, rate)
    return wave * np.hanning(samples).astype(np.float32)


def ring(rate: int, seconds: float, modes: Points) -> Wave:
    """Something struck: modes are (Hz, level), the higher the sooner gone."""
    samples = int(seconds * rate)
    wave = np.zeros(samples, dtype=np.float32)
    lowest = modes[0][0]
    for hz, level in modes:
        if hz < 0.45 * rate:
            fading = decay(samples, rate, seconds * (lowest / hz) ** 0.5)
            wave += np.float32(level) * sine(hz, samples, rate) * fading
    fade_in(wave, rate // 1000)
    fade_out(wave, samples // 10)
    return wave


def throat(rate: int, hz: Wave, formants: Points, rough: float = 0.0) -> Wave:
    """A voice, human or not: a buzz of the pitches ``hz`` [n] through resonances (Hz, strength)."""
    order = np.arange(1, min(40, int(0.42 * rate / float(hz.max()))) + 1)
    at = order * float(hz.mean())
    gains = np.full(len(order), 0.03)
    for centre, strength in formants:
        gains += strength / (1 + ((at - centre) / (0.18 * centre)) ** 2)
    wave = follow(cycle(gains / order**0.6), hz, rate)
    if rough:
        wave *= 1 + np.float32(rough) * sine(31, len(wave), rate)
    return as_wave(wave / (np.abs(wave).max() + 1e-9))


def contour(rate: int, seconds: float, *hz: float) -> Wave:
    """Pitches gliding through the given ones in equal steps."""
    return np.interp(np.linspace(0, len(hz) - 1, max(8, int(seconds * rate))), range(len(hz)), hz).astype(
        np.float32
    )


def shaped(wave: Wave, *levels: float) -> Wave:
    """A wave under an envelope through the given levels in equal steps."""
    envelope = np.interp(np.linspace(0, len(levels) - 1, len(wave)), range(len(levels)), levels)
    return wave * envelope.astype(np.float32)


def pulses(rate: int, hz: Wave, sharpness: float) -> Wave:
    """An engine's throb: rounded pulses at ``hz`` [n]."""
    phase = np.cumsum(hz, dtype=np.float64) * (2 * np.pi / rate)
    wave = np.exp(np.float32(sharpness) * (np.cos(phase).astype(np.float32) - 1))
    return as_wave(wave - wave.mean())


def calls(
    at: Scene, name: str, call: Callable[[np.random.Generator], Wave], gap: float, group: int = 1
) -> None:
    """An animal's calls, in groups, with pauses of about ``gap`` seconds."""
    dice = at.dice(name)
    second = 0.06
    while second < at.seconds:
        for _ in range(int(dice.integers(1, group + 1))):
            wave = call(dice)
            at.lay(wave, second, float(dice.uniform(0.7, 1)), float(dice.uniform(-0.3, 0.3)))
            second += len(wave) / at.rate + float(dice.uniform(0.08, 0.2))
        second += gap * float(dice.uniform(0.7, 1.3))
