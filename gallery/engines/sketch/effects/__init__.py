"""Sound effects, for models that make sounds instead of music.

Each effect adds itself to a `Scene`. None is a recording; each has what tells it from
the others: rain is a hiss with drops in it, a siren goes up and down.
"""

from __future__ import annotations

import numpy as np

from gallery.engines.sketch import vocabulary
from gallery.engines.sketch.effects import animals, machines, people, signals, weather
from gallery.engines.sketch.scenery import Scene, ring
from gallery.engines.sketch.waves import Wave, stream

EFFECTS = {
    **weather.EFFECTS,
    **animals.EFFECTS,
    **people.EFFECTS,
    **signals.EFFECTS,
    **machines.EFFECTS,
}

# A scene of this many effects is still heard as one.
_MOST = 3

# Levels of a scene's first, second and third effect.
_LEVELS = (1.0, 0.7, 0.5)

# How loud a place is beneath music.
_UNDER_MUSIC = 0.22


def scene(prompt: str, seed: int, samples: int, rate: int, channels: int) -> Wave:
    """The sounds that a prompt names, [channels, samples], not yet mastered.

    A prompt that names none gets a place and an event that its words choose.
    """
    names = vocabulary.effects(prompt)[:_MOST]
    labels = (seed, prompt.casefold())
    if names:
        audio = sum(
            (
                level * _made(name, labels, samples, rate, channels)
                for name, level in zip(names, _LEVELS, strict=False)
            ),
            start=np.zeros((channels, samples), dtype=np.float32),
        )
    else:
        audio = _unknown(prompt, labels, samples, rate, channels)
    # Air: no place is wholly silent between its events.
    air = Scene(rate, samples, channels, labels)
    air.bed("air", 0.01, (50, 0), (300, -8), (3000, -24))
    return (audio + air.audio).astype(np.float32)


def atmosphere(name: str, seed: int, samples: int, rate: int, channels: int) -> Wave:
    """A place to put beneath music, [channels, samples]."""
    return np.float32(_UNDER_MUSIC) * _made(name, (seed,), samples, rate, channels)


def _made(name: str, labels: tuple[object, ...], samples: int, rate: int, channels: int) -> Wave:
    """One effect, brought to the common level."""
    at = Scene(rate, samples, channels, labels)
    EFFECTS[name](at)
    rms = float(np.sqrt(np.mean(at.audio**2))) + 1e-9
    peak = float(np.abs(at.audio).max()) + 1e-9
    # Clicks and knocks are pressed, so that they can be as loud as a bed without clipping.
    drive = min(max(peak / rms / 5, 1), 5)
    if drive > 1:
        at.audio = np.tanh(at.audio * np.float32(drive / peak))
        rms, peak = float(np.sqrt(np.mean(at.audio**2))), float(np.tanh(drive))
    # Beds are matched by their power, single events by their peaks.
    return at.audio * np.float32(1 / max(rms / 0.12, peak / 0.9))


def _unknown(prompt: str, labels: tuple[object, ...], samples: int, rate: int, channels: int) -> Wave:
    """A hum and a hiss of their own colours, and a struck thing: chosen by the words alone."""
    at = Scene(rate, samples, channels, labels)
    dice = stream("unknown effect", prompt.casefold())
    colour = tuple((hz, float(dice.uniform(-30, 0))) for hz in (80, 250, 700, 2000, 5000))
    at.bed("unknown", 0.08, *colour, motion=at.drift("unknown", float(dice.uniform(0.2, 2.5)), 0.35))
    lowest = float(dice.uniform(120, 900))
    modes = tuple((lowest * float(ratio), 0.5) for ratio in np.sort(dice.uniform(1, 6, 5)))
    struck = [ring(rate, float(dice.uniform(0.15, 1.2)), modes)]
    at.scatter("unknown", struck, float(dice.uniform(0.8, 4)), (0.1, 0.35))
    return at.audio
