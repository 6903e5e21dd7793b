"""The drums: one-shots in several kits, kept once made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

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


@dataclass(frozen=True)
class Kit:
    """What tells one drum kit from another."""

    kick: float = 52.0  # Hz, where the kick's pitch settles
    kick_seconds: float = 0.35
    punch: float = 3.0  # how many times that the kick starts at
    snare: float = 190.0  # Hz
    snare_seconds: float = 0.22
    rattle: float = 0.8  # snare wires against drum
    hat: float = 7500.0  # Hz
    hat_seconds: float = 0.07
    room: float = 0.12  # level of the room around it
    dull: float = 0.0  # lowpass over everything, Hz; 0: none


KITS: dict[str, Kit] = {
    "acoustic": Kit(),
    "rock": Kit(56, 0.3, 3.5, 180, 0.28, 0.9, 6500, 0.1, room=0.22),
    "metal": Kit(62, 0.2, 5, 200, 0.22, 0.9, 7000, 0.09, room=0.15),
    "brush": Kit(58, 0.25, 2, 200, 0.16, 0.9, 6500, 0.06, room=0.15, dull=6000),
    "dusty": Kit(55, 0.28, 2.5, 175, 0.18, 0.7, 5500, 0.05, room=0.08, dull=4200),
    "house": Kit(50, 0.38, 4.5, 210, 0.18, 0.9, 8500, 0.06, room=0.06),
    "808": Kit(44, 0.6, 3, 200, 0.16, 0.8, 9000, 0.045, room=0.05),
    "hard": Kit(48, 0.3, 6, 220, 0.2, 0.9, 8000, 0.06, room=0.12),
    "chip": Kit(70, 0.14, 6, 260, 0.12, 1, 8000, 0.04, room=0),
    "hand": Kit(60, 0.35, 2, 210, 0.15, 0.5, 6500, 0.06, room=0.18),
    "hall": Kit(45, 0.7, 2, 150, 0.4, 0.8, 6000, 0.09, room=0.4),
}

# Each drum's level beside the kick's, and where it stands, -1 left to 1 right.
_PLACES: dict[str, tuple[float, float]] = {
    "kick": (0.75, 0),
    "snare": (0.7, 0),
    "clap": (0.58, 0.08),
    "rim": (0.45, -0.12),
    "hat": (0.23, 0.3),
    "open": (0.22, 0.3),
    "ride": (0.2, -0.35),
    "crash": (0.28, -0.25),
    "shaker": (0.16, 0.5),
    "tambourine": (0.18, -0.45),
    "tom": (0.55, -0.3),
    "high": (0.5, 0.25),
    "conga": (0.38, -0.4),
    "bongo": (0.34, 0.4),
    "slap": (0.34, -0.2),
    "cowbell": (0.22, 0.35),
    "clave": (0.25, -0.5),
    "block": (0.25, 0.45),
    "taiko": (0.8, 0),
    "timpani": (0.7, 0.1),
    "tabla": (0.45, 0.2),
    "snap": (0.35, -0.15),
    "brush": (0.26, 0.15),
}


@dataclass(frozen=True)
class _Stroke:
    """What a drum is struck with: its kit, the sample rate, its own dice."""

    kit: Kit
    rate: int
    dice: np.random.Generator


def place(name: str) -> float:
    """Where a drum stands, -1 left to 1 right."""
    return _PLACES[name][1]


@lru_cache(maxsize=160)
def strike(name: str, kit_name: str, rate: int) -> Wave:
    """One stroke [samples], peak at the drum's level, its room included."""
    kit = KITS[kit_name]
    wave = DRUMS[name](_Stroke(kit, rate, stream("drum", name, kit_name)))
    if kit.room:
        wave = _in_room(wave, kit.room, rate)
    if kit.dull:
        wave = smooth(wave, rate, kit.dull)
    wave *= _PLACES[name][0] / (np.abs(wave).max() + 1e-9)
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


def _noise(at: _Stroke, seconds: float, *points: tuple[float, float]) -> Wave:
    return shaped_noise(at.dice, int(seconds * at.rate), at.rate, points)


def _thump(hz: float, seconds: float, punch: float, rate: int) -> Wave:
    """A drum's skin: a sine that falls to ``hz``."""
    samples = int(seconds * 1.2 * rate)
    fall = np.exp(time(samples, rate) * np.float32(-1 / 0.022))
    pitch = np.float32(hz) * (1 + np.float32(punch - 1) * fall)
    return sweep(pitch, rate) * decay(samples, rate, seconds * 1.4)


def _kick(at: _Stroke) -> Wave:
    wave = as_wave(np.tanh(1.6 * _thump(at.kit.kick, at.kit.kick_seconds, at.kit.punch, at.rate)))
    click = _noise(at, 0.02, (300, 0), (3000, -4), (7000, -20))
    wave[: len(click)] += click * decay(len(click), at.rate, 0.012) * np.float32(0.12)
    return wave


def _snare(at: _Stroke) -> Wave:
    seconds = at.kit.snare_seconds
    noise = _noise(at, seconds * 1.3, (200, -14), (1200, 0), (5000, 0), (9000, -8), (14000, -20))
    noise *= decay(len(noise), at.rate, seconds * 1.3) * np.float32(0.4 * at.kit.rattle)
    body = _thump(at.kit.snare, seconds * 0.7, 1.4, at.rate)[: len(noise)]
    noise[: len(body)] += np.float32(0.7) * body
    return as_wave(np.tanh(1.5 * noise))


def _clap(at: _Stroke) -> Wave:
    wave = _noise(at, 0.28, (400, -24), (1000, 0), (2200, 0), (6000, -12))
    seconds = time(len(wave), at.rate)
    level = 0.5 * np.exp(-(seconds / 0.05).clip(0))
    for hand in (0.0, 0.011, 0.023):
        level += np.where(seconds >= hand, np.exp(-(seconds - hand).clip(0) / 0.006), 0)
    return as_wave(np.tanh(0.6 * wave * level))


def _hat(at: _Stroke) -> Wave:
    return _cymbal(at.kit.hat, at.kit.hat_seconds, at)


def _open(at: _Stroke) -> Wave:
    return _cymbal(at.kit.hat * 0.95, at.kit.hat_seconds * 5, at)


def _ride(at: _Stroke) -> Wave:
    wave = _cymbal(at.kit.hat * 0.7, 0.9, at)
    ping = sine(at.kit.hat * 0.42, len(wave), at.rate) * decay(len(wave), at.rate, 0.5)
    return wave + ping * np.float32(0.12)


def _crash(at: _Stroke) -> Wave:
    return _cymbal(at.kit.hat * 0.6, 1.8, at)


def _cymbal(hz: float, seconds: float, at: _Stroke) -> Wave:
    """Hiss around ``hz``, never far above what the sample rate holds."""
    hz = min(hz, 0.36 * at.rate)
    shape = ((hz * 0.25, -40), (hz * 0.7, -8), (hz, 0), (hz * 1.5, -6), (hz * 2.2, -18))
    wave = _noise(at, seconds * 1.2, *shape)
    return wave * decay(len(wave), at.rate, seconds * 1.3)


def _shaker(at: _Stroke) -> Wave:
    wave = _noise(at, 0.11, (2500, -30), (5500, 0), (9000, -10))
    seconds = time(len(wave), at.rate)
    return as_wave(wave * np.minimum(seconds / 0.025, 1) * np.exp(-seconds / 0.025))


def _tambourine(at: _Stroke) -> Wave:
    wave = _cymbal(6800, 0.16, at)
    for hz in (5200.0, 6700.0):
        wave += sine(hz, len(wave), at.rate) * decay(len(wave), at.rate, 0.15) * np.float32(0.2)
    return wave


def _rim(at: _Stroke) -> Wave:
    return _knock(820, 0.06, at.rate) + _knock(1720, 0.03, at.rate)


def _knock(hz: float, seconds: float, rate: int) -> Wave:
    samples = int(0.12 * rate)
    return sine(hz, samples, rate) * decay(samples, rate, seconds)


def _tom(at: _Stroke) -> Wave:
    return _thump(95, 0.4, 1.6, at.rate)


def _high(at: _Stroke) -> Wave:
    return _thump(140, 0.32, 1.6, at.rate)


def _conga(at: _Stroke) -> Wave:
    return _thump(200, 0.24, 1.15, at.rate)


def _bongo(at: _Stroke) -> Wave:
    return _thump(330, 0.14, 1.15, at.rate)


def _tabla(at: _Stroke) -> Wave:
    wave = _thump(280, 0.3, 0.8, at.rate)
    return wave + np.float32(0.4) * sine(560, len(wave), at.rate) * decay(len(wave), at.rate, 0.22)


def _slap(at: _Stroke) -> Wave:
    wave = _noise(at, 0.1, (300, -10), (900, 0), (3000, -6), (7000, -24))
    return wave * decay(len(wave), at.rate, 0.07)


def _snap(at: _Stroke) -> Wave:
    wave = _noise(at, 0.14, (900, -20), (2000, 0), (2800, 0), (6000, -16))
    return wave * decay(len(wave), at.rate, 0.08)


def _brush(at: _Stroke) -> Wave:
    wave = _noise(at, 0.3, (800, -14), (3000, 0), (6000, -6), (10000, -20))
    seconds = time(len(wave), at.rate)
    return as_wave(wave * np.minimum(seconds / 0.06, 1) * np.exp(-seconds / 0.07))


def _cowbell(at: _Stroke) -> Wave:
    wave = _knock(560, 0.25, at.rate) + _knock(845, 0.2, at.rate)
    return as_wave(np.tanh(1.5 * wave))


def _clave(at: _Stroke) -> Wave:
    return _knock(2300, 0.07, at.rate)


def _block(at: _Stroke) -> Wave:
    return _knock(1050, 0.07, at.rate)


def _taiko(at: _Stroke) -> Wave:
    wave = as_wave(np.tanh(1.4 * _thump(62, 0.8, 1.8, at.rate)))
    stick = _noise(at, 0.05, (200, 0), (1200, -4), (4000, -24))
    wave[: len(stick)] += stick * decay(len(stick), at.rate, 0.05) * np.float32(0.2)
    return wave


def _timpani(at: _Stroke) -> Wave:
    wave = _thump(82, 1.0, 1.1, at.rate)
    for ratio, level in ((1.5, 0.4), (1.98, 0.25)):
        wave += np.float32(level) * sine(82 * ratio, len(wave), at.rate) * decay(len(wave), at.rate, 0.8)
    return wave


DRUMS = {
    "kick": _kick,
    "snare": _snare,
    "clap": _clap,
    "rim": _rim,
    "hat": _hat,
    "open": _open,
    "ride": _ride,
    "crash": _crash,
    "shaker": _shaker,
    "tambourine": _tambourine,
    "tom": _tom,
    "high": _high,
    "conga": _conga,
    "bongo": _bongo,
    "slap": _slap,
    "cowbell": _cowbell,
    "clave": _clave,
    "block": _block,
    "taiko": _taiko,
    "timpani": _timpani,
    "tabla": _tabla,
    "snap": _snap,
    "brush": _brush,
}
