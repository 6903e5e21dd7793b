"""The drums: one-shots in several kits, kept once made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gallery.engines.sketch.tables import Kit, tables
from gallery.engines.sketch.waves import (
    Wave,
    as_wave,
    decay,
    fade_out,
    shaped_noise,
    sine,
    smooth,
    stream,
    sweep,
    time,
)

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class _Stroke:
    """What a drum is struck with, and what its sound is made of."""

    kit: Kit
    rate: int
    dice: np.random.Generator

    def noise(self, seconds: float, *points: tuple[float, float]) -> Wave:
        return shaped_noise(self.dice, int(seconds * self.rate), self.rate, points)

    def skin(self, hz: float, seconds: float, punch: float) -> Wave:
        """A sine that falls to ``hz``, from ``punch`` times as much."""
        samples = int(seconds * 1.2 * self.rate)
        fall = np.exp(time(samples, self.rate) * np.float32(-1 / 0.022))
        pitch = np.float32(hz) * (1 + np.float32(punch - 1) * fall)
        return sweep(pitch, self.rate) * decay(samples, self.rate, seconds * 1.4)

    def tone(self, hz: float, seconds: float, samples: int) -> Wave:
        return sine(hz, samples, self.rate) * decay(samples, self.rate, seconds)

    def knock(self, hz: float, seconds: float) -> Wave:
        return self.tone(hz, seconds, int(0.12 * self.rate))

    def cymbal(self, hz: float, seconds: float) -> Wave:
        """Hiss around ``hz``, never far above what the sample rate holds."""
        hz = min(hz, 0.36 * self.rate)
        shape = ((hz * 0.25, -40), (hz * 0.7, -8), (hz, 0), (hz * 1.5, -6), (hz * 2.2, -18))
        return self.hit(self.noise(seconds * 1.2, *shape), seconds * 1.3)

    def hit(self, wave: Wave, seconds: float) -> Wave:
        """A noise that dies away."""
        return wave * decay(len(wave), self.rate, seconds)

    def swish(self, wave: Wave, attack: float, fall: float) -> Wave:
        """A noise that rises before it dies away."""
        seconds = time(len(wave), self.rate)
        return as_wave(wave * np.minimum(seconds / attack, 1) * np.exp(-seconds / fall))


def place(name: str) -> float:
    """Where a drum stands, -1 left to 1 right."""
    return DRUMS[name].pan


@lru_cache(maxsize=160)
def strike(name: str, kit_name: str, rate: int) -> Wave:
    """One stroke [samples], peak at the drum's level, its room included."""
    kit = tables().kits[kit_name]
    wave = DRUMS[name].sound(_Stroke(kit, rate, stream("drum", name, kit_name)))
    if kit.room:
        wave = _in_room(wave, kit.room, rate)
    if kit.dull:
        wave = smooth(wave, rate, kit.dull)
    wave *= DRUMS[name].level / (np.abs(wave).max() + 1e-9)
    fade_out(wave, min(len(wave), rate // 40))
    wave.flags.writeable = False
    return wave


def _in_room(wave: Wave, level: float, rate: int) -> Wave:
    """A few soft early reflections; cheaper than a reverb and enough for drums."""
    taps = [int(rate * seconds) for seconds in (0.013, 0.021, 0.034, 0.049, 0.067, 0.091, 0.12)]
    result = np.pad(wave, (0, taps[-1]))
    soft = smooth(wave, rate, 3000)
    for index, tap in enumerate(taps):
        result[tap : tap + len(wave)] += soft * np.float32(level * 0.8**index * (-1) ** index)
    return result


def _kick(at: _Stroke) -> Wave:
    wave = as_wave(np.tanh(1.6 * at.skin(at.kit.kick, at.kit.kick_seconds, at.kit.punch)))
    click = at.noise(0.02, (300, 0), (3000, -4), (7000, -20))
    wave[: len(click)] += at.hit(click, 0.012) * np.float32(0.12)
    return wave


def _snare(at: _Stroke) -> Wave:
    seconds = at.kit.snare_seconds
    noise = at.noise(seconds * 1.3, (200, -14), (1200, 0), (5000, 0), (9000, -8), (14000, -20))
    noise *= decay(len(noise), at.rate, seconds * 1.3) * np.float32(0.4 * at.kit.rattle)
    body = at.skin(at.kit.snare, seconds * 0.7, 1.4)[: len(noise)]
    noise[: len(body)] += np.float32(0.7) * body
    return as_wave(np.tanh(1.5 * noise))


def _clap(at: _Stroke) -> Wave:
    wave = at.noise(0.28, (400, -24), (1000, 0), (2200, 0), (6000, -12))
    seconds = time(len(wave), at.rate)
    level = 0.5 * np.exp(-(seconds / 0.05).clip(0))
    for hand in (0.0, 0.011, 0.023):
        level += np.where(seconds >= hand, np.exp(-(seconds - hand).clip(0) / 0.006), 0)
    return as_wave(np.tanh(0.6 * wave * level))


def _ride(at: _Stroke) -> Wave:
    wave = at.cymbal(at.kit.hat * 0.7, 0.9)
    return wave + at.tone(at.kit.hat * 0.42, 0.5, len(wave)) * np.float32(0.12)


def _tambourine(at: _Stroke) -> Wave:
    wave = at.cymbal(6800, 0.16)
    for hz in (5200.0, 6700.0):
        wave += at.tone(hz, 0.15, len(wave)) * np.float32(0.2)
    return wave


def _taiko(at: _Stroke) -> Wave:
    wave = as_wave(np.tanh(1.4 * at.skin(62, 0.8, 1.8)))
    stick = at.noise(0.05, (200, 0), (1200, -4), (4000, -24))
    wave[: len(stick)] += at.hit(stick, 0.05) * np.float32(0.2)
    return wave


def _timpani(at: _Stroke) -> Wave:
    wave = at.skin(82, 1.0, 1.1)
    for ratio, level in ((1.5, 0.4), (1.98, 0.25)):
        wave += np.float32(level) * sine(82 * ratio, len(wave), at.rate) * decay(len(wave), at.rate, 0.8)
    return wave


def _tabla(at: _Stroke) -> Wave:
    wave = at.skin(280, 0.3, 0.8)
    return wave + np.float32(0.4) * sine(560, len(wave), at.rate) * decay(len(wave), at.rate, 0.22)


class _Drum(NamedTuple):
    level: float  # beside the kick's
    pan: float  # -1 left to 1 right
    sound: Callable[[_Stroke], Wave]


DRUMS = {
    "kick": _Drum(0.75, 0, _kick),
    "snare": _Drum(0.7, 0, _snare),
    "clap": _Drum(0.58, 0.08, _clap),
    "rim": _Drum(0.45, -0.12, lambda at: at.knock(820, 0.06) + at.knock(1720, 0.03)),
    "hat": _Drum(0.23, 0.3, lambda at: at.cymbal(at.kit.hat, at.kit.hat_seconds)),
    "open": _Drum(0.22, 0.3, lambda at: at.cymbal(at.kit.hat * 0.95, at.kit.hat_seconds * 5)),
    "ride": _Drum(0.2, -0.35, _ride),
    "crash": _Drum(0.28, -0.25, lambda at: at.cymbal(at.kit.hat * 0.6, 1.8)),
    "shaker": _Drum(
        0.16, 0.5, lambda at: at.swish(at.noise(0.11, (2500, -30), (5500, 0), (9000, -10)), 0.025, 0.025)
    ),
    "tambourine": _Drum(0.18, -0.45, _tambourine),
    "tom": _Drum(0.55, -0.3, lambda at: at.skin(95, 0.4, 1.6)),
    "high": _Drum(0.5, 0.25, lambda at: at.skin(140, 0.32, 1.6)),
    "conga": _Drum(0.38, -0.4, lambda at: at.skin(200, 0.24, 1.15)),
    "bongo": _Drum(0.34, 0.4, lambda at: at.skin(330, 0.14, 1.15)),
    "slap": _Drum(
        0.34, -0.2, lambda at: at.hit(at.noise(0.1, (300, -10), (900, 0), (3000, -6), (7000, -24)), 0.07)
    ),
    "cowbell": _Drum(
        0.22, 0.35, lambda at: as_wave(np.tanh(1.5 * (at.knock(560, 0.25) + at.knock(845, 0.2))))
    ),
    "clave": _Drum(0.25, -0.5, lambda at: at.knock(2300, 0.07)),
    "block": _Drum(0.25, 0.45, lambda at: at.knock(1050, 0.07)),
    "taiko": _Drum(0.8, 0, _taiko),
    "timpani": _Drum(0.7, 0.1, _timpani),
    "tabla": _Drum(0.45, 0.2, _tabla),
    "snap": _Drum(
        0.35, -0.15, lambda at: at.hit(at.noise(0.14, (900, -20), (2000, 0), (2800, 0), (6000, -16)), 0.08)
    ),
    "brush": _Drum(
        0.26,
        0.15,
        lambda at: at.swish(at.noise(0.3, (800, -14), (3000, 0), (6000, -6), (10000, -20)), 0.06, 0.07),
    ),
}
