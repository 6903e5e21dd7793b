"""People, and what they do in a house."""

from __future__ import annotations

import numpy as np

from gallery.engines.sketch.scenery import Scene, burst, calls, chirp, contour, ring, shaped, throat
from gallery.engines.sketch.waves import Wave, sine


def _walk(at: Scene, period: float, weight: float) -> None:
    dice = at.dice("steps")

    def step(number: int) -> Wave:
        heel = burst(dice, at.rate, 0.11, ((50, 0), (150 + 40 * (number % 2), -2), (900, -14), (5000, -30)))
        scrape = burst(dice, at.rate, 0.09, ((400, -20), (2000, -4), (6000, -8)), 0.02)
        return heel * np.float32(weight) + np.pad(scrape, (0, len(heel) - len(scrape))) * np.float32(0.5)

    at.every("steps", period, step)


def _footsteps(at: Scene) -> None:
    _walk(at, 0.54, 1.6)


def _running(at: Scene) -> None:
    _walk(at, 0.31, 2.2)


def _heartbeat(at: Scene) -> None:
    def beat(number: int) -> Wave:
        return shaped(chirp(at.rate, 0.16, 75, 45), 1, 0.8, 0) * np.float32(0.7 if number % 2 else 1)

    for start, period in ((0.06, 0.86), (0.34, 0.86)):
        second, number = start, int(start > 0.1)
        while second < at.seconds:
            at.lay(beat(number), second)
            second += period


def _knock(at: Scene) -> None:
    dice = at.dice("knock")
    wood = ring(at.rate, 0.16, ((170, 1), (310, 0.6), (720, 0.3), (1500, 0.12)))
    second = 0.08
    while second < at.seconds:
        for number in range(int(dice.integers(3, 5))):
            at.lay(wood, second + 0.19 * number, float(dice.uniform(0.8, 1)))
        second += float(dice.uniform(1.3, 1.9))


def _door(at: Scene) -> None:
    dice = at.dice("door")
    second = 0.05
    while second < at.seconds:
        pitches = contour(at.rate, 1.1, *dice.uniform(90, 210, 6).tolist())
        at.lay(
            shaped(
                throat(at.rate, pitches, ((700, 1.5), (1600, 1.5), (2700, 0.8)), 0.6),
                0,
                0.5,
                0.2,
                0.6,
                0.1,
                0,
            ),
            second,
            0.4,
        )
        slam = burst(dice, at.rate, 0.5, ((50, 0), (180, -1), (900, -14), (4000, -26)))
        at.lay(slam, second + 1.25, 2.2)
        at.lay(ring(at.rate, 0.2, ((140, 1), (390, 0.4))), second + 1.25, 0.5)
        second += 2.7


def _typing(at: Scene) -> None:
    dice = at.dice("typing")
    keys = [
        burst(dice, at.rate, 0.035, ((300, -10), (float(hz), 0), (7000, -10)))
        for hz in dice.uniform(1800, 3800, 6)
    ]
    second = 0.05
    while second < at.seconds:
        for _ in range(int(dice.integers(3, 9))):
            at.lay(
                keys[int(dice.integers(len(keys)))],
                second,
                float(dice.uniform(0.5, 1)),
                float(dice.uniform(-0.3, 0.3)),
            )
            second += float(dice.uniform(0.07, 0.17))
        second += float(dice.uniform(0.1, 0.5))


def _syllables(at: Scene, name: str, length: tuple[float, float]) -> list[Wave]:
    """Sung or spoken scraps without words."""
    dice = at.dice(name)
    vowels = (((700, 2), (1200, 1.4)), ((350, 2), (2100, 1)), ((450, 2), (900, 1.5)), ((550, 2), (1750, 1.1)))
    scraps = []
    for number in range(14):
        hz = float(dice.uniform(95, 240))
        pitches = contour(at.rate, float(dice.uniform(*length)), hz, hz * float(dice.uniform(0.85, 1.2)))
        scraps.append(shaped(throat(at.rate, pitches, vowels[number % 4]), 0, 1, 0.8, 0))
    return scraps


def _crowd(at: Scene) -> None:
    at.bed("room", 0.015, (100, -6), (500, 0), (1500, -8), (5000, -24))
    at.scatter("crowd", _syllables(at, "crowd", (0.1, 0.28)), 26, (0.05, 0.5))


def _applause(at: Scene) -> None:
    dice = at.dice("applause")
    claps = [
        burst(dice, at.rate, 0.03, ((500, -14), (float(hz), 0), (6000, -12)))
        for hz in dice.uniform(1000, 2200, 10)
    ]
    at.scatter("applause", claps, 150, (0.1, 0.7))
    at.bed("hall", 0.03, (400, -16), (1500, 0), (5000, -12))


def _laughter(at: Scene) -> None:
    def laugh(dice: np.random.Generator) -> Wave:
        hz = float(dice.uniform(180, 300))
        scraps = [
            shaped(
                throat(at.rate, contour(at.rate, 0.13, hz * 1.2, hz), ((750, 2), (1350, 1.3))), 0, 1, 0.5, 0
            )
            for _ in range(5)
        ]
        return np.concatenate([scrap * np.float32(0.86**index) for index, scrap in enumerate(scraps)])

    calls(at, "laughter", laugh, 0.35)
    calls(at, "more laughter", laugh, 0.6)


def _whistle(at: Scene) -> None:
    at.bed("air", 0.01, (800, -20), (2500, 0), (5000, -14))

    def blow(dice: np.random.Generator) -> Wave:
        length, hz = float(dice.uniform(0.4, 1.1)), float(dice.uniform(1800, 2500))
        wave = shaped(chirp(at.rate, length, hz, hz * float(dice.uniform(0.9, 1.2))), 1, 1)
        return wave * (0.75 + 0.25 * sine(24, len(wave), at.rate))

    calls(at, "whistle", blow, 0.25, 2)


EFFECTS = {
    "footsteps": _footsteps,
    "running": _running,
    "heartbeat": _heartbeat,
    "knock": _knock,
    "door": _door,
    "typing": _typing,
    "crowd": _crowd,
    "applause": _applause,
    "laughter": _laughter,
    "whistle": _whistle,
}
