"""Prompts and their clips, as prompt files ask for them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from gallery.prompts.request import Request
from gallery.state.database import Damaged, State
from gallery.utils.digest import digest

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from gallery.errors import Fault


# Rows of the state: prompts by their paths, as `Prompt.to_text` writes them.
PROMPT = "prompt"

# Each is asked for several times in a build.
_MADE_AT_A_TIME = 2000


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

    def to_text(self) -> str:
        """The prompt as two lines: its `Outline` and all of it, both as JSON. `Prompts` take it in."""
        parts = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "digest"}
        parts["clips"] = [[clip.key, clip.fields, clip.model, clip.changes] for clip in self.clips]
        whole = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
        outline = Outline(
            path=self.path,
            title=self.title,
            author=self.author,
            license=self.license,
            date=self.date,
            keys=tuple(clip.key for clip in self.clips),
            models=tuple(clip.model for clip in self.clips),
            asked=digest(json.dumps([clip.fields for clip in self.clips])),
            digest=digest(whole),
        )
        return f"{json.dumps(outline, ensure_ascii=False)}\n{whole}"

    @classmethod
    def from_text(cls, text: str, digest: str) -> Self:
        """The prompt that `to_text` wrote, and which has this digest."""
        parts = json.loads(text.partition("\n")[2])
        parts["tags"] = tuple(parts["tags"])
        parts["clips"] = tuple(Clip(*clip) for clip in parts["clips"])
        parts["axes"] = tuple((name, tuple(values)) for name, values in parts["axes"])
        return cls(**parts, digest=digest)


class Outline(NamedTuple):
    """What every build asks of every prompt.

    ``keys`` and ``models`` are its clips', in their order; ``asked`` is a digest of all that is
    asked for them, ``digest`` one of the whole prompt.
    """

    path: str
    title: str
    author: str
    license: str
    date: str
    keys: tuple[str, ...]
    models: tuple[str, ...]
    asked: str
    digest: str

    @property
    def file(self) -> str:
        """The prompt's file, from the gallery's root on."""
        return f"prompts/{self.path}.md"


class Prompts:
    """Prompts in the order of their files: there may be many, so each is read back when it is asked for.

    ``outlines`` are of the same prompts in the same order; the prompts themselves lie in ``state``.
    """

    def __init__(self, state: State | None = None) -> None:
        self.outlines: list[Outline] = []
        self.state = state or State.temporary()
        self._common: dict[Any, Any] = {}
        self._made = lru_cache(_MADE_AT_A_TIME)(self._make)

    def add(self, text: str) -> None:
        """Take in a prompt that `Prompt.to_text` wrote and that is kept, in any order; `sort` comes last."""
        path, title, *said, keys, models, asked, whole = json.loads(text.partition("\n")[0])
        # Most prompts have these in common: each is in memory once.
        author, license_, date = (self._common.setdefault(each, each) for each in said)
        models = self._common.setdefault(tuple(models), tuple(models))
        self.outlines.append(Outline(path, title, author, license_, date, tuple(keys), models, asked, whole))

    def sort(self) -> None:
        """Bring the prompts into the order of their files."""
        self.outlines.sort(key=lambda outline: outline.file.split("/"))

    def __len__(self) -> int:
        return len(self.outlines)

    def __iter__(self) -> Iterator[Prompt]:
        return map(self.whole, self.outlines)

    def __getitem__(self, place: int) -> Prompt:
        return self.whole(self.outlines[place])

    def whole(self, outline: Outline) -> Prompt:
        """The prompt of an outline."""
        return self._made(outline.path, outline.digest)

    def _make(self, path: str, digest: str) -> Prompt:
        text = self.state.value(PROMPT, path)
        if text is None:
            raise Damaged
        return Prompt.from_text(text, digest)


class Clips(Mapping[str, Clip]):
    """The clips that prompts ask for by their keys, each made when it is asked for.

    ``homes`` are the prompts that they belong to: of those that ask for the same clip, the first.
    """

    def __init__(self, prompts: Prompts, files: Container[str] | None = None) -> None:
        """With ``files``, only the clips of prompts in these."""
        self.prompts = prompts
        self.homes: dict[str, Outline] = {}
        for outline in prompts.outlines:
            if files is None or outline.file in files:
                for key in outline.keys:
                    self.homes.setdefault(key, outline)

    def __len__(self) -> int:
        return len(self.homes)

    def __iter__(self) -> Iterator[str]:
        return iter(self.homes)

    def __getitem__(self, key: str) -> Clip:
        prompt = self.prompts.whole(self.homes[key])
        return next(clip for clip in prompt.clips if clip.key == key)


@dataclass
class Findings:
    """What there is to say of prompt files.

    ``broken`` holds the paths of prompts whose files have faults; ``melodies``
    maps the digests in the clips' requests to the files. ``longer`` are keys of clips that are longer
    than they may be, and that the store has.
    """

    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    melodies: dict[str, Path] = field(default_factory=dict)
    longer: set[str] = field(default_factory=set)

    def add(self, other: Findings) -> None:
        """Take in what there is to say of other files."""
        self.faults += other.faults
        self.warnings += other.warnings
        self.broken |= other.broken
        self.melodies |= other.melodies
        self.longer |= other.longer


@dataclass
class Reading(Findings):
    """What came of reading a gallery's prompt files. ``presets`` are those that they could name."""

    prompts: Prompts = field(default_factory=Prompts)
    presets: dict[str, dict[str, Any]] = field(default_factory=dict)
