"""Errors of other libraries, said in one line."""

from __future__ import annotations

from gallery.errors import GalleryError

# Longest reason that is shown; libraries may list every weight of a model.
LONGEST = 240


def one_line(error: BaseException) -> str:
    """An error in one line: its kind, unless it was made for people, and the beginning of its text."""
    text = " ".join(str(error).split())
    if not isinstance(error, GalleryError):
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
