"""Animals."""

from __future__ import annotations

import numpy as np

from gallery.engines.sketch.scenery import Scene, calls, chirp, contour, ring, shaped, throat
from gallery.engines.sketch.waves import Wave, sine, time


def _birds(at: Scene) -> None:
    at.bed("leaves", 0.006, (200, -10), (2000, 0), (7000, -10))
    dice = at.dice("birds")
    for bird in range(4):
        hz, pan = float(dice.uniform(2300, 5200)), float(dice.uniform(-0.8, 0.8))
        song = [
            (chirp(at.rate, float(dice.uniform(0.05, 0.16)), hz * float(a), hz * float(b)), float(gap))
            for a, b, gap in zip(
                dice.uniform(0.8, 1.3, 5), dice.uniform(0.8, 1.3, 5), dice.uniform(0.08, 0.2, 5), strict=True
            )
        ]
        second = 0.03 if bird == 0 else float(dice.uniform(0.3, 1.8))
        while second < at.seconds:
            for wave, gap in song[: int(dice.integers(2, 6))]:
                at.lay(wave, second, 0.7 - 0.12 * bird, pan)
                second += gap
            second += float(dice.uniform(0.5, 2.2))


def _dog(at: Scene) -> None:
    def bark(dice: np.random.Generator) -> Wave:
        hz = float(dice.uniform(0.9, 1.1))
        wave = throat(
            at.rate,
            contour(at.rate, 0.19, 320 * hz, 520 * hz, 260 * hz),
            ((750, 2), (1600, 1.4), (2900, 0.5)),
            0.3,
        )
        return shaped(wave, 0, 1, 0.7, 0.25, 0)

    calls(at, "dog", bark, 0.8, 3)


def _cat(at: Scene) -> None:
    def meow(dice: np.random.Generator) -> Wave:
        length = float(dice.uniform(0.55, 0.85))
        wave = throat(at.rate, contour(at.rate, length, 480, 720, 680, 430), ((900, 2), (2200, 1.2)))
        return shaped(wave, 0, 0.8, 1, 0.6, 0)

    calls(at, "cat", meow, 1.1)


def _cow(at: Scene) -> None:
    def low(dice: np.random.Generator) -> Wave:
        length = float(dice.uniform(1.1, 1.7))
        wave = throat(
            at.rate, contour(at.rate, length, 110, 150, 145, 100), ((320, 2.5), (700, 1.2), (2300, 0.2)), 0.15
        )
        return shaped(wave, 0, 0.9, 1, 0.8, 0)

    calls(at, "cow", low, 0.9)


def _crow(at: Scene) -> None:
    def caw(dice: np.random.Generator) -> Wave:
        wave = throat(
            at.rate,
            contour(at.rate, float(dice.uniform(0.24, 0.36)), 520, 560, 430),
            ((1300, 2), (1900, 1.5)),
            0.7,
        )
        return shaped(wave, 0, 1, 0.8, 0)

    calls(at, "crow", caw, 0.8, 3)


def _owl(at: Scene) -> None:
    def hoot(dice: np.random.Generator) -> Wave:
        return chirp(at.rate, float(dice.uniform(0.3, 0.5)), 400, 360)

    calls(at, "owl", hoot, 0.9, 3)


def _rooster(at: Scene) -> None:
    def crow(dice: np.random.Generator) -> Wave:
        pitches = contour(at.rate, float(dice.uniform(1.2, 1.6)), 500, 750, 620, 900, 950, 880, 520)
        return shaped(throat(at.rate, pitches, ((1100, 2), (2600, 1))), 0, 1, 0.3, 1, 0.2, 1, 1, 0.7, 0)

    calls(at, "rooster", crow, 1.0)


def _frog(at: Scene) -> None:
    at.bed("pond", 0.006, (200, -10), (3000, 0), (6000, -12))

    def croak(dice: np.random.Generator) -> Wave:
        wave = throat(
            at.rate, contour(at.rate, float(dice.uniform(0.2, 0.32)), 110, 130), ((600, 2), (1500, 1.5))
        )
        return shaped(wave * (0.5 + 0.5 * sine(26, len(wave), at.rate)), 0, 1, 1, 0)

    calls(at, "frog", croak, 0.5, 3)


def _crickets(at: Scene) -> None:
    at.bed("night", 0.004, (100, 0), (800, -12), (5000, -14))
    seconds = time(at.samples, at.rate)
    dice = at.dice("crickets")
    for _ in range(3):
        hz, trill = float(dice.uniform(3900, 4900)), float(dice.uniform(0.55, 0.9))
        gate = np.clip(
            6 * np.sin(seconds * np.float32(2 * np.pi / trill) + np.float32(dice.uniform(0, 6))), 0, 1
        )
        at.hum(0.12, sine(hz, at.samples, at.rate) * gate * (0.5 + 0.5 * sine(31, at.samples, at.rate)))


def _bee(at: Scene) -> None:
    wander = at.drift("bee", 0.5)
    wave = throat(at.rate, 190 + 60 * wander, ((500, 1.5), (1400, 1)), 0.1)
    at.hum(0.5, wave * at.drift("near", 0.9, 0.2))


def _horse(at: Scene) -> None:
    dice = at.dice("horse")
    hooves = [ring(at.rate, 0.08, ((float(hz), 1), (float(hz) * 2.3, 0.4))) for hz in (430, 520, 390, 600)]
    second = 0.05
    while second < at.seconds:
        for beat, hoof in zip((0, 0.11, 0.24), hooves, strict=False):
            at.lay(hoof, second + beat, float(dice.uniform(0.6, 1)))
        second += 0.46


EFFECTS = {
    "birds": _birds,
    "crow": _crow,
    "owl": _owl,
    "rooster": _rooster,
    "crickets": _crickets,
    "bee": _bee,
    "frog": _frog,
    "dog": _dog,
    "cat": _cat,
    "cow": _cow,
    "horse": _horse,
}
