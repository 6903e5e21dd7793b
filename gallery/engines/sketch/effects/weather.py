"""Weather, water and fire."""

from __future__ import annotations

import numpy as np

from gallery.engines.sketch.scenery import Scene, burst, chirp
from gallery.engines.sketch.waves import Wave, time


def _rain(at: Scene) -> None:
    at.bed("rain", 0.1, (100, -22), (800, -6), (3000, 0), (8000, -4), (14000, -14))
    dice = at.dice("drops")
    drops = [
        burst(dice, at.rate, 0.02, ((600, -20), (float(hz), 0), (9000, -12)))
        for hz in dice.uniform(1500, 5000, 8)
    ]
    at.scatter("drops", drops, 45, (0.08, 0.7))


def _thunder(at: Scene) -> None:
    at.bed("distant", 0.02, (40, 0), (120, -6), (800, -30))
    dice = at.dice("thunder")
    second = 0.15
    while second < at.seconds:
        length = float(dice.uniform(2.5, 4))
        rumble = burst(dice, at.rate, length, ((30, 0), (90, -2), (250, -14), (1500, -38)), 0.05)
        rolling = np.interp(np.linspace(0, 9, len(rumble)), np.arange(10), dice.uniform(0.3, 1.4, 10))
        at.lay(rumble * rolling.astype(np.float32), second, 1.2, float(dice.uniform(-0.4, 0.4)))
        at.lay(burst(dice, at.rate, 0.5, ((80, 0), (600, -4), (4000, -16)), 0.004), second, 0.9)
        second += length + float(dice.uniform(0.5, 2.5))


def _wind(at: Scene) -> None:
    at.bed("wind", 0.09, (60, -6), (250, 0), (700, -12), (3000, -34), motion=at.drift("low", 1.6, 0.35))
    at.bed("gust", 0.05, (200, -40), (500, 0), (650, 0), (1200, -40), motion=at.drift("gust", 1.1) ** 2)
    at.bed("howl", 0.03, (500, -50), (900, 0), (1000, 0), (1800, -50), motion=at.drift("howl", 0.9) ** 3)


def _waves(at: Scene) -> None:
    seconds = time(at.samples, at.rate)
    turn = float(at.dice("waves").uniform(0, 1))
    swell = 0.5 - 0.5 * np.cos(seconds * np.float32(2 * np.pi / 5.5) + np.float32(turn))
    at.bed("surf", 0.11, (80, -6), (500, 0), (2500, -10), (8000, -24), motion=0.2 + 0.8 * swell**2)
    at.bed("foam", 0.06, (1000, -24), (4000, 0), (9000, -8), motion=swell**4)


def _stream(at: Scene) -> None:
    at.bed("stream", 0.06, (150, -12), (600, -2), (2500, 0), (7000, -14), motion=at.drift("stream", 0.4, 0.6))
    at.scatter("gurgle", _bubbles(at, 400, 1300), 40, (0.03, 0.3))


def _bubbles(at: Scene, low: float, high: float) -> list[Wave]:
    dice = at.dice("bubbles")
    return [
        chirp(at.rate, float(dice.uniform(0.03, 0.09)), float(hz), float(hz) * 1.5)
        for hz in dice.uniform(low, high, 8)
    ]


def _underwater(at: Scene) -> None:
    at.bed("deep", 0.07, (50, 0), (200, -6), (700, -30), motion=at.drift("deep", 0.8, 0.5))
    at.scatter("bubbles", _bubbles(at, 180, 700), 16, (0.1, 0.8))


def _drip(at: Scene) -> None:
    dice = at.dice("drip")
    for second in np.cumsum(dice.uniform(0.25, 0.75, int(at.seconds * 2.2) + 1)) - 0.2:
        hz, pan = float(dice.uniform(700, 1500)), float(dice.uniform(-0.6, 0.6))
        drop = chirp(at.rate, 0.06, hz, hz * 1.7)
        for bounce in range(5):
            at.lay(drop, float(second) + 0.11 * bounce, 0.9 * 0.45**bounce, pan * (-1) ** bounce)


def _fire(at: Scene) -> None:
    at.bed("fire", 0.03, (60, 0), (250, -4), (1200, -14), (6000, -20), motion=at.drift("fire", 0.5, 0.6))
    dice = at.dice("embers")
    snaps = [
        burst(dice, at.rate, 0.015, ((500, -16), (float(hz), 0), (9000, -8)))
        for hz in dice.uniform(1500, 5000, 8)
    ]
    at.scatter("embers", snaps, 22, (0.05, 0.9))


EFFECTS = {
    "rain": _rain,
    "thunder": _thunder,
    "wind": _wind,
    "waves": _waves,
    "stream": _stream,
    "drip": _drip,
    "bubbles": _underwater,
    "fire": _fire,
}
