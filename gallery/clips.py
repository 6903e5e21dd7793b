"""Prompts and their clips, as prompt files ask for them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

from gallery.request import Request

if TYPE_CHECKING:
    from pathlib import Path

    from gallery.errors import Fault


@dataclass(frozen=True, slots=True)
class Clip:
    """One piece of audio that a prompt asks for.

    ``fields`` are those of its request, as JSON holds them and without those that are
    not used; ``key`` is the request's. ``changes`` holds what sets the clip apart from
    the prompt's others, as written in the prompt file; ``model`` is the gallery's name
    of the request's.
    """

    key: str
    fields: dict[str, Any]
    model: str
    changes: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, request: Request, model: str, changes: dict[str, Any]) -> Self:
        """The clip of a request."""
        return cls(request.key, request.model_dump(mode="json", exclude_none=True), model, changes)

    @property
    def request(self) -> Request:
        """What decides how it sounds."""
        return Request.model_validate(self.fields)

    @property
    def duration(self) -> float:
        """Its length in seconds."""
        return float(self.fields["duration"])


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt file, read. ``path`` is its address: ``lofi/rainy-window``.

    ``axes`` are the fields of its grid with their values, in the file's order;
    ``clips`` then are the grid's cells, the last axis running fastest. ``digest``
    is one of all else.
    """

    path: str
    file: str
    title: str
    text: str
    tags: tuple[str, ...]
    author: str
    license: str
    date: str
    notes: str
    clips: tuple[Clip, ...]
    axes: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    digest: str = ""

    def to_json(self) -> str:
        """The prompt as one line of text; `from_json` makes the same prompt of it."""
        parts = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "digest"}
        parts["clips"] = [[clip.key, clip.fields, clip.model, clip.changes] for clip in self.clips]
        return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The prompt that `to_json` wrote."""
        parts = json.loads(text)
        parts["tags"] = tuple(parts["tags"])
        parts["clips"] = tuple(Clip(*clip) for clip in parts["clips"])
        parts["axes"] = tuple((name, tuple(values)) for name, values in parts["axes"])
        return cls(**parts, digest=hashlib.sha256(text.encode()).hexdigest()[:32])


@dataclass
class Reading:
    """What came of reading prompt files.

    ``broken`` holds the paths of prompts whose files have faults; ``melodies``
    maps the digests in the clips' requests to the files.
    """

    prompts: list[Prompt] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    melodies: dict[str, Path] = field(default_factory=dict)

    def add(self, other: Reading) -> None:
        """Take in what came of reading other files."""
        self.prompts += other.prompts
        self.faults += other.faults
        self.warnings += other.warnings
        self.broken |= other.broken
        self.melodies |= other.melodies
