"""Engines turn requests into audio."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gallery.engines.provenance import Provenance
    from gallery.prompts.request import Request


# What people may ask for.
CHOICES = ("auto", "musicgen", "replicate", "sketch", "none")

# What MusicGen may be asked to render on.
DEVICES = re.compile(r"auto|cpu|cuda(:\d{1,3})?")


@dataclass(frozen=True)
class Render:
    """A clip as its engine made it.

    ``audio`` is float32, shaped [samples, channels], not normalised.
    ``provenance`` has ``engine`` and ``engine_version`` always, and whatever else
    explains the clip.
    """

    request: Request
    audio: NDArray[np.float32]
    sample_rate: int
    provenance: Provenance


@dataclass(frozen=True)
class Failure:
    """A clip that its engine could not make, and why, in one line."""

    request: Request
    reason: str


@dataclass(frozen=True)
class Payment:
    """What may be spent on an engine that costs money.

    At most so many USD (None: no maximum); ``confirmed``: without being asked again.
    """

    max_cost: float | None = None
    confirmed: bool = False


class Engine(Protocol):
    """Anything that renders requests.

    `render` yields each clip as soon as it is finished, in any order. A clip that
    fails is yielded as a `Failure` and stops no other. Closing the generator gives back
    what the engine holds; Ctrl-C inside it may yield what was finished before it goes on.
    """

    name: str

    def render(self, requests: Sequence[Request]) -> Generator[Render | Failure, None, None]:
        """Render every request, each exactly once."""
        ...
