"""The sketch engine: a small synthesiser that stands in where no model can run.

A sketch is a short piece that follows the prompt's words: tempo, genre, mood,
instruments; for AudioGen, whose sounds no small synthesiser has, noise over a hum. It lets
a gallery be built, looked at and worked on without a GPU, and claims nothing about a
model: it depends on the prompt, the seed, the duration, and the model's sample rate,
channels and kind, and on nothing else. Clips that differ only in guidance, temperature,
melody or the like have the same sketch, since it can demonstrate nothing about those.

Sketches are deterministic: the same request gives the same samples on one machine, in
any process, and a longer clip begins like a shorter one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gallery.engines import Failure, Render
from gallery.engines.provenance import Provenance
from gallery.engines.sketch.composition import compose
from gallery.engines.sketch.mix import master, mix
from gallery.engines.sketch.plan import make_plan
from gallery.engines.sketch.synthesis import place
from gallery.engines.sketch.tables import Place
from gallery.engines.sketch.waves import Wave, cycle, oscillate, stream

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from numpy.typing import NDArray

    from gallery.config import Model
    from gallery.prompts.request import Request


class SketchEngine:
    """Sketches requests for the models of a gallery."""

    name = "sketch"

    def __init__(self, models: Mapping[str, Model]) -> None:
        """Take the gallery's models, by their names in it."""
        self._models = {model.hub: model for model in models.values()}

    def render(self, requests: Sequence[Request]) -> Generator[Render | Failure, None, None]:
        """Sketch every request, in order."""
        for request in requests:
            model = self._models.get(request.model)
            if model is None:
                yield Failure(request, f"the gallery has no model {request.model}")
                continue
            try:
                audio = sketch(request, model.sample_rate, model.channels, model.kind == "audiogen")
            except MemoryError:
                yield Failure(request, f"out of memory: a sketch of {request.duration:g} s")
            else:
                yield Render(request, audio, model.sample_rate, Provenance(engine=self.name))


def sketch(request: Request, sample_rate: int, channels: int, sound_effect: bool) -> NDArray[np.float32]:
    """A request's sketch, [samples, channels], peak about 0.6.

    ``sound_effect`` makes a sound instead of music, as AudioGen does.
    """
    samples = max(1, round(request.duration * sample_rate))
    # As in the key: what is inert in a request changes no sketch either.
    heard = request.canonical()
    prompt, seed = heard["prompt"], heard.get("seed", 0)
    if sound_effect:
        audio = _noise_and_hum(prompt, seed, samples, sample_rate, channels)
    else:
        plan = make_plan(prompt, seed)
        audio = mix(plan, compose(plan, request.duration), samples, sample_rate, channels)
    return np.ascontiguousarray(master(audio, sample_rate).T)


def _noise_and_hum(prompt: str, seed: int, samples: int, rate: int, channels: int) -> Wave:
    """Noise that slowly swells over a hum, [channels, samples], not yet mastered."""
    dice = stream("sound effect", seed, prompt)
    band = 10 ** dice.uniform(1.8, 2.7), 10 ** dice.uniform(3.2, 3.7)
    hum = oscillate(cycle(dice.random(8) / np.arange(1, 9)), float(dice.uniform(60, 240)), samples, rate)
    row = Place(band=band, bed=1, swell=0.8, turn=3)
    return place(row, (seed, prompt), samples, rate, channels) + hum
