"""Which clips are one and the same to the ear.

A sketch follows a prompt's words and claims nothing about most parameters, so that takes that wait to be
rendered often have one sketch in common. Renders are those of different requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gallery.catalogue.entries import ClipEntry


def sound_of(clip: ClipEntry) -> str:
    """The same for clips that sound alike, and for no others."""
    return clip["sound"] or clip["key"]


def by_sound(clips: Iterable[ClipEntry]) -> list[list[ClipEntry]]:
    """Clips by what they sound like, in the order in which each sound first comes."""
    groups: dict[str, list[ClipEntry]] = {}
    for clip in clips:
        groups.setdefault(sound_of(clip), []).append(clip)
    return list(groups.values())


def differ(clips: Sequence[ClipEntry]) -> bool:
    """Whether none of these clips sounds like another: they can be compared by ear."""
    return len({sound_of(clip) for clip in clips}) == len(clips)
