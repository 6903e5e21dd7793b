"""Prompt files and presets -> prompts and their clips; every fault with file, line and field.

A prompt file is untrusted input: whatever is in it, reading it ends in a `Prompt`
or in faults.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import os
import re
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from gallery import frontmatter
from gallery.errors import Fault, GalleryError, did_you_mean
from gallery.melody import melody_problem
from gallery.request import Parameters, Request, normalise_text
from gallery.schema import Changes, FrontMatter, Preset
from gallery.validation import explain, field_name, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gallery.config import Config
    from gallery.frontmatter import Location

PRESETS_NAME = "presets.yaml"
MAX_FILE_BYTES = 1_000_000
TITLE_LENGTH = 60

# Leads the melody of an imported clip: a file that nobody here has, known by its SHA-256.
DIGEST_PREFIX = "sha256:"
_MELODY_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

# Names that are one name on every file system and in every address; no device of Windows.
_FILE_NAME = re.compile(r"(?!(?:con|prn|aux|nul|com\d|lpt\d)$)[a-z0-9][a-z0-9_-]*")

_NAME_FORM = "use lowercase letters, digits, hyphens and underscores"

# Control characters and direction overrides: nobody sees them, and they can make text
# read as what it is not.
_HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Clip:
    """One piece of audio that a prompt asks for.

    ``changes`` holds what sets it apart from the prompt's other clips, as written
    in the prompt file; ``model`` is the gallery's name of ``request.model``.
    """

    request: Request
    model: str
    changes: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        """The key of the request."""
        return self.request.key


@dataclass(frozen=True)
class Prompt:
    """One prompt file, read. ``path`` is its address: ``lofi/rainy-window``.

    ``axes`` are the fields of its grid with their values, in the file's order;
    ``clips`` then are the grid's cells, the last axis running fastest.
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


def read_prompts(config: Config, paths: Sequence[Path] = ()) -> Reading:
    """Read the gallery's prompt files, or only those at or below ``paths``.

    Raises GalleryError for a path that is no prompt file or folder of the gallery.
    """
    reading = Reading()
    presets = _read_presets(config, reading)
    for file in find_files(config, paths):
        if file.is_symlink() and file.is_dir():
            reading.warnings.append(Fault(_relative(file, config), 0, "", "a link to a folder; not read"))
        else:
            _PromptFile(config, presets, file, reading).read()
    _warn_of_duplicates(reading)
    reading.faults.sort()
    reading.warnings.sort()
    return reading


def find_files(config: Config, paths: Sequence[Path] = ()) -> list[Path]:
    """Prompt files in the order of their names, and links to folders, which are not followed.

    Raises GalleryError for a path that is not in the gallery's prompts/.
    """
    top = config.prompts.resolve()
    if not top.is_dir():
        raise GalleryError(f"no folder prompts/ in {config.root}; make it, or run `gallery new`")
    files: set[Path] = set()
    for path in paths or [top]:
        name = shown(str(path), quote="")
        if not path.exists():
            raise GalleryError(f"{name}: no such file or folder")
        if not path.resolve().is_relative_to(top):
            raise GalleryError(f"{name}: not in this gallery's prompts/")
        inside = config.prompts / path.resolve().relative_to(top)
        files.update(_walk(inside) if path.is_dir() else [inside])
    return sorted(files)


def _walk(start: Path) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(start):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        yield from (path for name in subfolders if (path := Path(folder, name)).is_symlink())
        for name in names:
            lower = name.lower()
            if lower.endswith(".md") and lower != "readme.md" and not name.startswith("."):
                yield Path(folder, name)


def _relative(path: Path, config: Config) -> str:
    return shown(path.relative_to(config.root).as_posix(), quote="")


def _read_text(path: Path, root: Path) -> str:
    """The text of a file that lies in ``root``. Raises Unreadable for any other."""
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            raise frontmatter.Unreadable(0, "a link out of the gallery; put the file itself here")
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise frontmatter.Unreadable(0, "not a file")
        if status.st_size > MAX_FILE_BYTES:
            raise frontmatter.Unreadable(0, f"larger than {MAX_FILE_BYTES // 1000} KB")
        data = path.read_bytes()
    except (OSError, RuntimeError) as error:  # Python 3.11 tells of a loop of links by the latter
        raise frontmatter.Unreadable(0, f"cannot be read: {error}") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise frontmatter.Unreadable(line, "not UTF-8; save the file as UTF-8") from error


def _read_presets(config: Config, reading: Reading) -> dict[str, dict[str, Any]]:
    path = config.prompts / PRESETS_NAME
    if not path.exists():
        return {}
    file = _relative(path, config)
    try:
        document = frontmatter.load(_read_text(path, config.prompts))
    except frontmatter.Unreadable as error:
        reading.faults.append(Fault(file, error.line, error.name, error.message))
        return {}
    presets = {}
    for name, values in document.values.items():
        try:
            preset = Preset.model_validate(values)
        except ValidationError as error:
            reading.faults += explain(error, Preset, file, document.line_of, within=name)
            preset = Preset()
        presets[name] = preset.model_dump(include=preset.model_fields_set - {"description"})
    return presets


class _PromptFile:
    """One file on its way to a `Prompt`; what is wrong with it goes into the reading."""

    def __init__(
        self, config: Config, presets: dict[str, dict[str, Any]], file: Path, reading: Reading
    ) -> None:
        self.config, self.presets, self.reading = config, presets, reading
        self.path = file
        self.file = _relative(file, config)
        self.address = file.relative_to(config.prompts).with_suffix("").as_posix()
        self.document = frontmatter.Document({})
        self.faults: list[Fault] = []

    def read(self) -> None:
        prompt = self._read()
        if prompt and not self.faults:
            self.reading.prompts.append(prompt)
        else:
            self.reading.broken.add(self.address)
            # Clips of a grid share their mistakes; each is told once.
            self.reading.faults += dict.fromkeys(self.faults)

    def _fault(self, loc: Location, message: str) -> None:
        self.faults.append(Fault(self.file, self.document.line_of(loc), field_name(loc), message))

    def _read(self) -> Prompt | None:
        for name in PurePosixPath(self.address).parts:
            if not _FILE_NAME.fullmatch(name):
                self.faults.append(Fault(self.file, 0, "", f"{shown(name)} is no name to use; {_NAME_FORM}"))
                return None
        try:
            self.document = frontmatter.split(_read_text(self.path, self.config.prompts))
        except frontmatter.Unreadable as error:
            self.faults.append(Fault(self.file, error.line, error.name, error.message))
            return None
        self._check_characters((), self.document.values)
        try:
            matter = FrontMatter.model_validate(self.document.values)
        except ValidationError as error:
            self.faults += explain(error, FrontMatter, self.file, self.document.line_of)
            return None
        self._check_presentation(matter)
        self._check_values()
        if self.faults:
            return None
        axes = self._axes(matter)
        clips = self._clips(matter, axes)
        if not clips:
            return None
        text = normalise_text(matter.prompt) or clips[0].request.prompt
        return Prompt(
            path=self.address,
            file=self.file,
            title=normalise_text(matter.title) or _beginning(text),
            text=text,
            tags=tuple(dict.fromkeys(matter.tags)),
            author=matter.author,
            license=matter.license,
            date=matter.date.isoformat() if matter.date else "",
            notes=self.document.body,
            clips=tuple(clips),
            axes=axes,
        )

    def _check_characters(self, loc: Location, value: Any) -> None:
        """Refuse control characters: they have no business in a prompt and can deceive."""
        if isinstance(value, dict):
            for name, item in value.items():
                self._check_characters((*loc, name), item)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self._check_characters((*loc, index), item)
        elif isinstance(value, str) and (found := _hidden(value)):
            self._fault(loc, f"holds the invisible character {found}; remove it")

    def _check_presentation(self, matter: FrontMatter) -> None:
        limits, body, line = self.config.limits, self.document.body, self.document.body_line
        if len(matter.tags) > limits.tags:
            self._fault(("tags",), f"{len(matter.tags)} tags; at most {limits.tags} are accepted")
        if len(set(matter.tags)) < len(matter.tags):
            place = self.document.line_of(("tags",))
            self.reading.warnings.append(Fault(self.file, place, "tags", "a tag stands twice"))
        if len(body) > limits.note_length:
            message = f"{len(body)} characters; at most {limits.note_length} are accepted"
            self.faults.append(Fault(self.file, line, "notes", message))
        if found := _hidden(body):
            message = f"hold the invisible character {found}; remove it"
            self.faults.append(Fault(self.file, line, "notes", message))
        if matter.preset and matter.preset not in self.presets:
            near = did_you_mean(matter.preset, self.presets)
            known = ", ".join(self.presets) or "none"
            self._fault(("preset",), f"{shown(matter.preset)} is not a preset{near}; known: {known}")

    def _check_values(self) -> None:
        """Models, prompts and melodies wherever the file names them."""
        varied = [
            (("vary", name, index), name, value)
            for name, values in (self.document.values.get("vary") or {}).items()
            for index, value in enumerate(values)
        ]
        taken = [
            (("takes", index, name), name, value)
            for index, take in enumerate(self.document.values.get("takes") or [])
            for name, value in take.items()
        ]
        plain = [((name,), name, value) for name, value in self.document.values.items()]
        for place, name, value in (*plain, *varied, *taken):
            if name == "model" and value not in self.config.models:
                near = did_you_mean(value, self.config.models)
                known = ", ".join(self.config.models)
                self._fault(place, f"{shown(value)} is not a model of this gallery{near}; known: {known}")
            elif name == "prompt":
                self._check_prompt(place, normalise_text(value))
            elif name == "melody" and value is not None:
                self._check_melody(place, value)
        has_prompt = "prompt" in self.document.values or "prompt" in (self.document.values.get("vary") or {})
        takes = self.document.values.get("takes") or []
        if not has_prompt and not (takes and all("prompt" in take for take in takes)):
            self._fault(("prompt",), "is missing; it is required")

    def _check_prompt(self, loc: Location, text: str) -> None:
        limit = self.config.limits.prompt_length
        if not text:
            self._fault(loc, "is empty; say what the clip should sound like")
        elif len(text) > limit:
            self._fault(loc, f"is {len(text)} characters long; at most {limit} are accepted")

    def _check_melody(self, loc: Location, name: str) -> None:
        if name.startswith(DIGEST_PREFIX):
            if not _MELODY_DIGEST.fullmatch(name):
                self._fault(loc, f"{shown(name)} is no digest; expected {DIGEST_PREFIX} and 64 hex digits")
            return
        problem = melody_problem(self.path.parent, name, self.config)
        if problem:
            self._fault(loc, f"{shown(name)} {problem}")

    def _axes(self, matter: FrontMatter) -> tuple[tuple[str, tuple[Any, ...]], ...]:
        if matter.vary is None:
            return ()
        # In the file's order, which a set of fields has lost.
        return tuple((name, tuple(getattr(matter.vary, name))) for name in self.document.values["vary"])

    def _clips(self, matter: FrontMatter, axes: tuple[tuple[str, tuple[Any, ...]], ...]) -> list[Clip]:
        if matter.vary is not None and "takes" in matter.model_fields_set:
            self._fault(("takes",), "a prompt has a grid (vary) or a list (takes), not both")
            return []
        limit = self.config.limits.clips_per_prompt
        count = math.prod(len(values) for _, values in axes) if axes else len(matter.takes)
        if count > limit:
            self._fault(("vary" if axes else "takes",), f"makes {count} clips; at most {limit} are accepted")
            return []
        if axes:
            names = [name for name, _ in axes]
            cells = itertools.product(*(values for _, values in axes))
            changes = [dict(zip(names, cell, strict=True)) for cell in cells]
        else:
            changes = [take.model_dump(include=take.model_fields_set) for take in matter.takes] or [{}]
        written = matter.model_dump(include=matter.model_fields_set & set(Changes.model_fields))
        base = {**self.presets.get(matter.preset, {}), **written}
        clips = (
            self._clip({**base, **change}, change, ("vary",) if axes else ("takes", index))
            for index, change in enumerate(changes)
        )
        return [clip for clip in clips if clip]

    def _clip(self, fields: dict[str, Any], changes: dict[str, Any], place: Location) -> Clip | None:
        def loc(name: str) -> Location:
            return (*place, name) if name in changes else (name,)

        name = fields.pop("model", "") or self.config.default_model
        model, limits = self.config.models[name], self.config.limits
        parameters = Parameters.model_validate(
            {k: v for k, v in fields.items() if k in Parameters.model_fields}
        )
        duration, stride = parameters.duration, parameters.extend_stride
        longest = min(model.max_duration, limits.duration)
        if duration > longest:
            whose = f'model "{name}"' if model.max_duration < limits.duration else "this gallery"
            self._fault(loc("duration"), f"{duration:g} s is more than {whose} makes, {longest:g} s at most")
            return None
        if stride is not None and stride >= model.window:
            message = f'{stride:g} is out of range for model "{name}", below {model.window:g}'
            self._fault(loc("extend_stride"), message)
            return None
        melody = fields.get("melody")
        if melody and not model.takes_melody:
            able = [known for known, other in self.config.models.items() if other.takes_melody]
            which = ", ".join(able) or "none"
            self._fault(loc("melody"), f'model "{name}" takes no melody; models that do: {which}')
            return None
        request = Request(
            **{
                **parameters.model_dump(),
                "extend_stride": (stride or model.stride) if duration > model.window else None,
                "model": model.hub,
                "prompt": normalise_text(fields["prompt"]),
                "melody": self._digest(melody) if melody else None,
            }
        )
        return Clip(request, name, changes)

    def _digest(self, melody: str) -> str:
        if melody.startswith(DIGEST_PREFIX):
            return melody.removeprefix(DIGEST_PREFIX)
        path = self.path.parent / melody
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.reading.melodies[digest] = path
        return digest


def _hidden(text: str) -> str:
    """The first character of a text that nobody sees and that can deceive, as ``U+202E``."""
    found = _HIDDEN.search(text)
    return f"U+{ord(found[0]):04X}" if found else ""


def _beginning(text: str) -> str:
    """The beginning of a text, cut between words."""
    line = " ".join(text.split())
    if len(line) <= TITLE_LENGTH:
        return line
    cut = line[:TITLE_LENGTH].rsplit(" ", 1)[0].rstrip(" ,;:")
    return f"{cut[:TITLE_LENGTH]}…"


def _warn_of_duplicates(reading: Reading) -> None:
    first: dict[str, Prompt] = {}
    for prompt in reading.prompts:
        seen: set[str] = set()
        for clip in prompt.clips:
            owner = first.setdefault(clip.key, prompt)
            if clip.key in seen:
                message = "two of its clips are the same request; it is rendered once"
            elif owner is not prompt:
                message = f"a clip is the same request as one of {owner.file}; it is rendered once"
            else:
                message = ""
            if message:
                warning = Fault(prompt.file, 0, "", message)
                if warning not in reading.warnings[-1:]:
                    reading.warnings.append(warning)
            seen.add(clip.key)
