"""How a clip that is longer than its model's window is made: in windows that overlap."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """One stretch that the model makes at once, in frames.

    It begins at the clip's frame ``offset`` and is ``length`` long; its first
    ``known`` frames are the end of the window before it.
    """

    offset: int
    length: int
    known: int


def windows(frames: int, window: int, stride: int) -> list[Window]:
    """The windows of a clip of so many frames, as audiocraft moves them.

    Counted in whole frames: audiocraft's own count goes through seconds in floating
    point, and for some durations loses a frame or stops with an assertion.
    """
    plan: list[Window] = []
    offset = known = 0
    while offset + known < frames:
        length = min(frames - offset, window)
        plan.append(Window(offset, length, known))
        known = max(length - stride, 0)
        offset += stride
    return plan
