"""Bells, horns and alarms, and what goes off with a bang."""

from __future__ import annotations

import numpy as np

from gallery.engines.sketch.scenery import Scene, burst, calls, chirp, contour, ring, shaped, throat
from gallery.engines.sketch.waves import Wave, sine, time


def _clock(at: Scene) -> None:
    def tick(number: int) -> Wave:
        hz = 2100.0 if number % 2 else 2600.0
        return ring(at.rate, 0.05, ((hz, 1), (hz * 1.7, 0.5), (600, 0.3)))

    at.every("clock", 0.5, tick, looseness=0)


def _bell(at: Scene) -> None:
    hz = float(at.dice("bell").uniform(190, 290))
    modes = tuple(
        (hz * ratio, level)
        for ratio, level in ((0.5, 0.5), (1, 1), (1.19, 0.6), (1.5, 0.3), (2, 0.5), (2.66, 0.25), (4.1, 0.1))
    )
    at.every("bell", 1.9, lambda _: ring(at.rate, 4.5, modes), 0.7, 0.01)


def _ring(at: Scene) -> None:
    seconds = time(at.samples, at.rate)
    gate = (np.clip(8 * np.sin(seconds * np.float32(2 * np.pi / 2.4) + 0.2) + 2, 0, 1)) * (
        0.6 + 0.4 * sine(20, at.samples, at.rate)
    )
    at.hum(0.4, (sine(1320, at.samples, at.rate) + sine(1580, at.samples, at.rate)) * gate)


def _siren(at: Scene) -> None:
    seconds = time(at.samples, at.rate)
    sweep_seconds = float(at.dice("siren").uniform(1.6, 3.2))
    hz = 900 + 330 * np.sin(seconds * np.float32(2 * np.pi / sweep_seconds) - np.float32(1.2))
    at.hum(0.4, throat(at.rate, hz, ((1000, 1.5), (2400, 0.7))) * at.drift("siren", 2.5, 0.55))
    at.bed("street", 0.02, (50, 0), (300, -8), (2000, -20))


def _alarm(at: Scene) -> None:
    seconds = time(at.samples, at.rate)
    hz = float(at.dice("alarm").uniform(1000, 2000))
    gate = np.clip(40 * np.sin(seconds * np.float32(2 * np.pi / 0.5) + 0.1), 0, 1)
    at.hum(0.4, np.tanh(2 * sine(hz, at.samples, at.rate)) * gate)


def _horn(at: Scene) -> None:
    dice = at.dice("horn")
    second = 0.05
    while second < at.seconds:
        length = float(dice.choice((0.25, 0.5, 1.1)))
        for hz in (415.0, 522.0):
            wave = throat(at.rate, contour(at.rate, length, hz, hz), ((900, 1.5), (1900, 1)))
            at.lay(shaped(wave, 0, 1, 1, 1, 1, 1, 1, 1, 0), second, 0.5)
        second += length + float(dice.uniform(0.15, 1.1))
    at.bed("street", 0.02, (50, 0), (300, -8), (2000, -20))


def _blasts(
    at: Scene, name: str, seconds: float, gap: float, points: tuple[tuple[float, float], ...]
) -> None:
    dice = at.dice(name)
    second = 0.08
    while second < at.seconds:
        wave = burst(dice, at.rate, seconds, points, 0.002)
        at.lay(np.tanh(3 * wave), second, float(dice.uniform(0.6, 1)), float(dice.uniform(-0.5, 0.5)))
        second += gap * float(dice.uniform(0.5, 1.5))


def _explosion(at: Scene) -> None:
    _blasts(at, "explosion", 2.2, 2.4, ((30, 0), (100, -1), (500, -12), (4000, -30)))


def _gunshot(at: Scene) -> None:
    _blasts(at, "gunshot", 0.4, 0.8, ((80, -2), (400, 0), (2500, -6), (9000, -18)))


def _fireworks(at: Scene) -> None:
    _blasts(at, "fireworks", 0.9, 0.7, ((50, 0), (250, -4), (2000, -12), (8000, -22)))
    dice = at.dice("sparks")
    at.scatter(
        "sparks", [burst(dice, at.rate, 0.02, ((1500, -10), (5000, 0))) for _ in range(4)], 25, (0.05, 0.4)
    )


def _glass(at: Scene) -> None:
    dice = at.dice("glass")
    shards = [
        ring(
            at.rate,
            float(dice.uniform(0.2, 0.7)),
            tuple((float(hz), 0.5) for hz in np.sort(dice.uniform(1800, 6500, 3))),
        )
        for _ in range(10)
    ]
    second = 0.06
    while second < at.seconds:
        at.lay(burst(dice, at.rate, 0.25, ((1000, -20), (4000, 0), (8000, -4))), second, 1.4)
        for _ in range(12):
            at.lay(
                shards[int(dice.integers(10))],
                second + float(dice.exponential(0.16)),
                float(dice.uniform(0.1, 0.5)),
            )
        second += float(dice.uniform(1.4, 2))


def _laser(at: Scene) -> None:
    at.bed("ship", 0.015, (60, 0), (180, -6), (900, -26))

    def zap(dice: np.random.Generator) -> Wave:
        high = float(dice.uniform(1500, 3500))
        return shaped(chirp(at.rate, float(dice.uniform(0.15, 0.5)), high, high / 12, 0.4), 1, 1, 0)

    calls(at, "laser", zap, 0.3, 3)


EFFECTS = {
    "clock": _clock,
    "bell": _bell,
    "ring": _ring,
    "siren": _siren,
    "alarm": _alarm,
    "horn": _horn,
    "glass": _glass,
    "explosion": _explosion,
    "gunshot": _gunshot,
    "fireworks": _fireworks,
    "laser": _laser,
}
