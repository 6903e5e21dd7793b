"""Engines turn requests into audio."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gallery.prompts.request import Request


# What people may ask for.
CHOICES = ("auto", "musicgen", "replicate", "sketch", "none")


@dataclass(frozen=True)
class Render:
    """A clip as its engine made it.

    ``audio`` is float32, shaped [samples, channels], not normalised.
    ``provenance`` is JSON-ready: ``engine`` and ``engine_version`` always, then
    whatever explains the clip (model revision, library versions, device, dtype,
    batch shape, date, wall seconds).
    """

    request: Request
    audio: NDArray[np.float32]
    sample_rate: int
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """A clip that its engine could not make, and why, in one line."""

    request: Request
    reason: str


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
