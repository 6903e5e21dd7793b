"""Places to put beneath music, where a prompt names one: rain, a shore, birds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gallery.engines.sketch.waves import (
    Wave,
    as_wave,
    decay,
    drift,
    fade_in,
    fade_out,
    lay,
    shaped_noise,
    sine,
    stream,
    sweep,
    time,
)

# How loud a place is beneath music.
_LEVEL = 0.22


def atmosphere(name: str, seed: int, samples: int, rate: int, channels: int) -> Wave:
    """A place, [channels, samples]."""
    at = _Place(rate, samples, channels, seed)
    ATMOSPHERES[name](at)
    rms = float(np.sqrt(np.mean(at.audio**2))) + 1e-9
    peak = float(np.abs(at.audio).max()) + 1e-9
    # Drops and calls are pressed, so that they can be as loud as a bed without clipping.
    drive = min(max(peak / rms / 5, 1), 5)
    if drive > 1:
        at.audio = np.tanh(at.audio * np.float32(drive / peak))
        rms, peak = float(np.sqrt(np.mean(at.audio**2))), float(np.tanh(drive))
    # Beds are matched by their power, single sounds by their peaks.
    return np.float32(_LEVEL) * (at.audio * np.float32(1 / max(rms / 0.12, peak / 0.9)))


@dataclass
class _Place:
    """What a place's sounds are added to: ``audio`` is [channels, samples]."""

    rate: int
    samples: int
    channels: int
    seed: int
    audio: Wave = field(init=False)

    def __post_init__(self) -> None:
        self.audio = np.zeros((self.channels, self.samples), dtype=np.float32)
        self.seconds = self.samples / self.rate

    def dice(self, name: str) -> np.random.Generator:
        return stream("effect", name, self.seed)

    def drift(self, name: str, seconds: float, low: float = 0.0) -> Wave:
        """A slow random curve [samples] from ``low`` to 1."""
        curve = drift(self.dice(f"{name} drift"), self.samples, self.rate, seconds)
        return np.float32(low) + np.float32(1 - low) * curve

    def bed(self, name: str, level: float, *points: tuple[float, float], motion: Wave | None = None) -> None:
        """Noise from beginning to end, wide in stereo; ``motion`` [samples] is its level over time."""
        shared = shaped_noise(self.dice(name), self.samples, self.rate, points)
        for channel in range(self.channels):
            noise = shared
            if self.channels > 1:
                own = shaped_noise(self.dice(f"{name} {channel}"), self.samples, self.rate, points)
                noise = 0.5 * shared + 0.85 * own
            self.audio[channel] += np.float32(level) * (noise if motion is None else noise * motion)

    def lay(self, wave: Wave, second: float, level: float, pan: float) -> None:
        """A single sound [n] at a time; ``pan`` from -1 left to 1 right."""
        sides = (-1, 1) if self.channels == 2 else (0,)
        gains = as_wave([[level * (1 + pan * side)] for side in sides])
        lay(self.audio, wave, int(second * self.rate), gains)

    def scatter(self, name: str, sounds: list[Wave], per_second: float, low: float, high: float) -> None:
        """Sounds at random times, places and levels; one at the very beginning."""
        dice = self.dice(f"{name} scatter")
        count = max(1, int(per_second * self.seconds))
        times = np.sort(dice.random(count)) * self.seconds
        times[0] = 0.02
        choices = dice.integers(len(sounds), size=count)
        gains = low + (high - low) * dice.random(count) ** 2
        pans = dice.uniform(-0.8, 0.8, count)
        for second, choice, gain, pan in zip(times, choices, gains, pans, strict=True):
            self.lay(sounds[int(choice)], float(second), float(gain), float(pan))

    def burst(self, dice: np.random.Generator, seconds: float, *points: tuple[float, float]) -> Wave:
        """Noise that dies away."""
        samples = int(seconds * self.rate)
        wave = shaped_noise(dice, samples, self.rate, points) * decay(samples, self.rate, seconds)
        fade_in(wave, int(0.001 * self.rate))
        fade_out(wave, samples // 10)
        return wave * np.float32(0.3)

    def chirp(self, seconds: float, start: float, end: float) -> Wave:
        """A whistle from one frequency to another, swelling and fading."""
        samples = int(seconds * self.rate)
        wave = sweep(start + (end - start) * np.linspace(0, 1, samples, dtype=np.float32), self.rate)
        return wave * np.hanning(samples).astype(np.float32)


def _rain(at: _Place) -> None:
    at.bed("rain", 0.1, (100, -22), (800, -6), (3000, 0), (8000, -4), (14000, -14))
    dice = at.dice("drops")
    drops = [at.burst(dice, 0.02, (600, -20), (hz, 0), (9000, -12)) for hz in dice.uniform(1500, 5000, 8)]
    at.scatter("drops", drops, 45, 0.08, 0.7)


def _wind(at: _Place) -> None:
    at.bed("wind", 0.09, (60, -6), (250, 0), (700, -12), (3000, -34), motion=at.drift("low", 1.6, 0.35))
    at.bed("gust", 0.05, (200, -40), (500, 0), (650, 0), (1200, -40), motion=at.drift("gust", 1.1) ** 2)
    at.bed("howl", 0.03, (500, -50), (900, 0), (1000, 0), (1800, -50), motion=at.drift("howl", 0.9) ** 3)


def _waves(at: _Place) -> None:
    seconds = time(at.samples, at.rate)
    turn = float(at.dice("waves").uniform(0, 1))
    swell = 0.5 - 0.5 * np.cos(seconds * np.float32(2 * np.pi / 5.5) + np.float32(turn))
    at.bed("surf", 0.11, (80, -6), (500, 0), (2500, -10), (8000, -24), motion=0.2 + 0.8 * swell**2)
    at.bed("foam", 0.06, (1000, -24), (4000, 0), (9000, -8), motion=swell**4)


def _stream(at: _Place) -> None:
    at.bed("stream", 0.06, (150, -12), (600, -2), (2500, 0), (7000, -14), motion=at.drift("stream", 0.4, 0.6))
    dice = at.dice("bubbles")
    pitches = dice.uniform(400, 1300, 8).tolist()
    bubbles = [at.chirp(float(dice.uniform(0.03, 0.09)), hz, hz * 1.5) for hz in pitches]
    at.scatter("gurgle", bubbles, 40, 0.03, 0.3)


def _fire(at: _Place) -> None:
    at.bed("fire", 0.03, (60, 0), (250, -4), (1200, -14), (6000, -20), motion=at.drift("fire", 0.5, 0.6))
    dice = at.dice("embers")
    snaps = [at.burst(dice, 0.015, (500, -16), (hz, 0), (9000, -8)) for hz in dice.uniform(1500, 5000, 8)]
    at.scatter("embers", snaps, 22, 0.05, 0.9)


def _birds(at: _Place) -> None:
    at.bed("leaves", 0.006, (200, -10), (2000, 0), (7000, -10))
    dice = at.dice("birds")
    for bird in range(4):
        hz, pan = float(dice.uniform(2300, 5200)), float(dice.uniform(-0.8, 0.8))
        starts, ends, gaps = (
            dice.uniform(*span, 5).tolist() for span in ((0.8, 1.3), (0.8, 1.3), (0.08, 0.2))
        )
        song = [
            (at.chirp(float(dice.uniform(0.05, 0.16)), hz * start, hz * end), gap)
            for start, end, gap in zip(starts, ends, gaps, strict=True)
        ]
        second = 0.03 if bird == 0 else float(dice.uniform(0.3, 1.8))
        while second < at.seconds:
            for wave, gap in song[: int(dice.integers(2, 6))]:
                at.lay(wave, second, 0.7 - 0.12 * bird, pan)
                second += gap
            second += float(dice.uniform(0.5, 2.2))


def _crickets(at: _Place) -> None:
    at.bed("night", 0.004, (100, 0), (800, -12), (5000, -14))
    seconds = time(at.samples, at.rate)
    dice = at.dice("crickets")
    for _ in range(3):
        hz, trill = float(dice.uniform(3900, 4900)), float(dice.uniform(0.55, 0.9))
        turn = np.float32(dice.uniform(0, 6))
        gate = np.clip(6 * np.sin(seconds * np.float32(2 * np.pi / trill) + turn), 0, 1)
        beats = 0.5 + 0.5 * sine(31, at.samples, at.rate)
        at.audio += np.float32(0.12) * (sine(hz, at.samples, at.rate) * gate * beats)


ATMOSPHERES = {
    "rain": _rain,
    "wind": _wind,
    "waves": _waves,
    "stream": _stream,
    "fire": _fire,
    "birds": _birds,
    "crickets": _crickets,
}
