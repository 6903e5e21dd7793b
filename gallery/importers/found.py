"""What the importers hand on: clips of other tools, and what could not be taken."""

from __future__ import annotations

import struct
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gallery.errors.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gallery.engines.provenance import Provenance


# What mutagen lets through of files that are not what they say.
_DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, struct.error)
UNREADABLE = (*_DAMAGED, MemoryError, RecursionError)


class Unusable(Exception):
    """Why something cannot be imported, in one line. ``advice`` is what to add to gallery.toml, as TOML."""

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.advice = advice


@dataclass(frozen=True)
class ImportedClip:
    """A clip that was found, its audio not read yet.

    ``fields`` is its request as a prompt file writes it (``model`` is the gallery's name of it).
    ``files`` are its audio, the best first; where there are none it is at ``url``. A melody at
    ``melody_url`` was not fetched. ``source`` is the file that messages name. ``provenance`` is what its
    record will say. ``finished`` is an MP3 of a gallery, which is kept as it is; ``key`` is what its tags
    lead to. ``title``, ``author``, ``license`` and ``day`` are the prompt's, where they are known.
    ``measured`` is how loud the render was, in LUFS, and its true peak in dBTP, where a gallery's MP3
    says so. Of an ``unseeded`` clip nobody knows the seed, or another engine than audiocraft made it: its
    audio stands for that.
    """

    source: Path
    fields: dict[str, Any]
    provenance: Provenance
    files: tuple[Path, ...] = ()
    url: str = ""
    melody_url: str = ""
    finished: bool = False
    key: str = ""
    title: str = ""
    author: str = ""
    license: str = ""
    day: str = ""
    unseeded: bool = False
    measured: tuple[float | None, float | None] = (None, None)

    def with_provenance(self, provenance: Provenance) -> ImportedClip:
        """The same clip, of which something else is known."""
        return replace(self, provenance=provenance)

    @property
    def date(self) -> str:
        """When it was made, in ISO 8601, or nothing."""
        return self.provenance.date or ""


@dataclass(frozen=True)
class Refusal:
    """A file that was not imported, and why. ``advice`` is what to add to gallery.toml."""

    path: Path
    reason: str
    advice: str = ""

    def __str__(self) -> str:
        return printable(f"{self.path}: {self.reason}")


@contextmanager
def refusing(refused: list[Refusal], path: Path, place: str = "") -> Iterator[None]:
    """Note what is Unusable in ``refused``: it stops nothing else. ``place`` says where in the file it is."""
    try:
        yield
    except Unusable as error:
        refused.append(Refusal(path, f"{place}{error}", error.advice))


@dataclass
class Finds:
    """What is in the sources. ``passed_over`` counts files of other kinds by how their names end.

    ``bare`` is audio of which nothing that can be read says how it was made.
    """

    clips: list[ImportedClip] = field(default_factory=list)
    bare: list[Path] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
