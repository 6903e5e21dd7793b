"""Engines and traffic."""

from __future__ import annotations

import numpy as np

from gallery.engines.sketch.scenery import Scene, burst, pulses, ring
from gallery.engines.sketch.waves import oscillate, sine_cycle, time


def _motor(at: Scene, name: str, low: float, high: float, sharpness: float, hiss: float) -> None:
    hz = at.drift(name, 1.8, low, high)
    at.hum(0.5, pulses(at.rate, hz, sharpness))
    at.hum(0.25, pulses(at.rate, hz * 0.5, sharpness * 2))
    at.bed(name, hiss, (50, 0), (200, -2), (900, -12), (4000, -26))


def _engine(at: Scene) -> None:
    _motor(at, "engine", 38, 85, 4, 0.06)


def _motorcycle(at: Scene) -> None:
    _motor(at, "motorcycle", 70, 160, 9, 0.05)


def _traffic(at: Scene) -> None:
    at.bed("city", 0.04, (40, 0), (150, -3), (800, -14), (4000, -30))
    for car in range(3):
        near = at.drift(f"car {car}", 1.4) ** 3
        at.bed(f"car {car}", 0.08, (70, -4), (400 + 200 * car, 0), (1500, -10), (6000, -28), motion=near)


def _helicopter(at: Scene) -> None:
    seconds = time(at.samples, at.rate)
    chop = np.exp(6 * (np.sin(seconds * np.float32(2 * np.pi * 11)) - 1))
    at.bed("blades", 0.2, (50, 0), (200, -2), (900, -14), (4000, -30), motion=0.12 + chop)
    at.hum(0.12, pulses(at.rate, np.full(at.samples, 66, dtype=np.float32), 5))


def _airplane(at: Scene) -> None:
    at.bed("jet", 0.1, (60, 0), (250, -2), (1200, -8), (6000, -18), motion=at.drift("jet", 3, 0.6))
    turbine = oscillate(sine_cycle(), 2300, at.samples, at.rate, 40 * at.drift("turbine", 4))
    at.hum(0.02, turbine)


def _train(at: Scene) -> None:
    at.bed("rails", 0.05, (40, 0), (150, -2), (700, -14), (4000, -28), motion=at.drift("rails", 1.2, 0.7))
    dice = at.dice("train")
    clack = burst(dice, at.rate, 0.12, ((80, 0), (400, -2), (2500, -10), (7000, -26)))
    second = 0.05
    while second < at.seconds:
        for beat in (0, 0.13, 0.42, 0.55):
            at.lay(clack, second + beat, float(dice.uniform(0.7, 1)))
        second += 0.95


def _machine(at: Scene) -> None:
    dice = at.dice("machine")
    hz = float(dice.uniform(45, 75))
    at.hum(0.2, pulses(at.rate, np.full(at.samples, hz, dtype=np.float32), 6))
    at.bed("machine", 0.04, (60, 0), (400, -6), (2000, -10), (7000, -24))
    clank = ring(at.rate, 0.25, ((310, 1), (770, 0.6), (1640, 0.4), (2900, 0.2)))
    at.every("machine", float(dice.uniform(0.3, 0.6)), lambda _: clank, 0.6, 0)


EFFECTS = {
    "engine": _engine,
    "motorcycle": _motorcycle,
    "traffic": _traffic,
    "helicopter": _helicopter,
    "airplane": _airplane,
    "train": _train,
    "machine": _machine,
}
