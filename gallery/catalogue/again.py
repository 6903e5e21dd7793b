"""Whether a clip can be made again. One rule: builds, pages and what visitors take away go by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gallery.prompts.request import inert, is_unseeded

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

UNKNOWN_SEED = "nobody knows its seed"
OTHER_ENGINE = "another engine than audiocraft made it"
UNKNOWN_MELODY = "its melody is known only by a digest"


def irreproducible(
    request: Mapping[str, Any], provenance: Mapping[str, Any] | None = None, melodies: Container[str] = ()
) -> str:
    """Why nobody can make a clip again; nothing where what is known says all that makes it.

    ``provenance`` is what a record tells of the clip, ``melodies`` are the digests of the melodies whose
    files are here. A melody that is not may be known by another digest than its file's: only a record tells.
    """
    told = provenance or {}
    note = told.get("note")
    noted = note if isinstance(note, str) else ""
    if request.get("audio"):
        return noted or (UNKNOWN_SEED if is_unseeded(request) else OTHER_ENGINE)
    if told.get("reproducible") is False:
        return noted or "not all that made it is known"
    melody = request.get("melody")
    if melody and not told and melody not in melodies and "melody" not in inert(request):
        return UNKNOWN_MELODY
    return ""
