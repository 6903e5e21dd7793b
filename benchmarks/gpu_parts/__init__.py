"""The parts of `benchmarks/gpu.py`: what is promised of a card, each promise tried.

| module | its parts |
|---|---|
| networks | none: the networks that they share, and how clips are made of them |
| equality | `kernel`, `stock`, `independence`: what a clip's tokens must not depend on |
| shortage | `codec`, `memory`: what becomes of clips where memory is short |
| speed | `speed`: milliseconds a step, beside stock audiocraft |
| faults | `nan`, `previews`: what one clip does to the others, and rendering to what comes after it |

A part is a generator of `Finding`s. It may be cut short between any two of its lines.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was found out.

    ``holds`` says whether a promise holds; None where nothing is promised. ``value`` is the number in
    it, where there is one.
    """

    what: str
    found: str
    holds: bool | None = None
    value: float | None = None


def shares(what: str, share: float) -> Finding:
    """A finding on tokens that must all be equal."""
    return Finding(what, f"{share:.2%} of the tokens are equal", share == 1, share)
