"""One prompt file -> a prompt, or faults with line and field.

A prompt file is untrusted input: whatever is in it, reading it ends in a `Prompt`
or in faults.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from gallery.errors import Fault, did_you_mean
from gallery.errors.messages import Wording
from gallery.errors.text import field_name, printable, shown
from gallery.errors.validation import explain
from gallery.prompts import frontmatter
from gallery.prompts.fields import Changes, FrontMatter, Preset
from gallery.prompts.forms import (
    DIGEST_PREFIX,
    FILE_NAME,
    HIDDEN,
    MELODY_DIGEST,
    NAME_FORM,
    name_meant,
)
from gallery.prompts.input import read_input, text_of
from gallery.prompts.melody import melody_problem
from gallery.prompts.prompt import Clip, Findings, Prompt
from gallery.prompts.request import MOST_MARKS, Parameters, Request, is_piled, normalise_text

if TYPE_CHECKING:
    from pathlib import Path

    from gallery.config import Config
    from gallery.errors.text import Location

PRESETS_NAME = "presets.yaml"

# Sets of parameters by their names.
Presets = dict[str, dict[str, Any]]

MOST_FOLDERS = 8
MOST_FAULTS = 100

# Of a note. Markdown takes time that grows with the square of these.
MOST_LINES = 1000
MOST_SIGNS = 500
COSTLY_SIGNS = ("[", "<")

TITLE_LENGTH = 60

# Fields whose text may hold anything.
_TEXTS = ("prompt", "title")
# What stands for the words of a prompt that has a melody and none.
WORDLESS = "(a melody, without words)"

# Looked up once: pydantic takes as long to tell them as to check a clip.
_PARAMETERS = frozenset(Parameters.model_fields)
_REQUEST = frozenset(Changes.model_fields)


def read_presets(config: Config, findings: Findings, data: bytes | None = None) -> Presets:
    """The fields of each preset by its name; what is wrong with the file goes into the findings.

    ``data`` is what to read in place of the file's content.
    """
    path = config.prompts / PRESETS_NAME
    if data is None and not path.exists():
        return {}
    file = relative(path, config)
    try:
        document = frontmatter.load(text_of(read_input(path, config.prompts) if data is None else data))
    except frontmatter.Unreadable as error:
        findings.faults.append(Fault(file, error.line, error.name, error.message))
        return {}
    presets: Presets = {}
    faults: list[Fault] = []
    for name, values in document.values.items():
        try:
            preset = Preset.model_validate(values)
        except ValidationError as error:
            faults += explain(error, Preset, file, document.line_of, within=name)
            preset = Preset()
        presets[name] = preset.model_dump(include=preset.model_fields_set - {"description"})
    findings.faults += _told(faults)
    return presets


def read_file(
    file: Path, config: Config, presets: Presets, data: bytes | None = None
) -> tuple[Prompt | None, Findings]:
    """Read a prompt file of the gallery: its prompt, if the file is in order, and what there is to say.

    ``data`` is what to read in place of the file's content.
    """
    reader = _PromptFile(config, presets, file, data)
    return reader.read(), reader.findings


def relative(path: Path, config: Config) -> str:
    """A file as messages name it: from the gallery's root on."""
    return printable(path.relative_to(config.root).as_posix())


class _PromptFile:
    """One file on its way to a `Prompt`; what is wrong with it goes into the findings."""

    def __init__(self, config: Config, presets: Presets, file: Path, data: bytes | None) -> None:
        self.config, self.presets, self.data, self.findings = config, presets, data, Findings()
        self.path = file
        self.file = relative(file, config)
        self.address = file.relative_to(config.prompts).with_suffix("").as_posix()
        self.document = frontmatter.Document({})
        self.faults: list[Fault] = []
        # More than clips can have are not looked at: that they are too many is told anyway.
        self.melodies_left = config.limits.clips_per_prompt + 1

    def read(self) -> Prompt | None:
        prompt = self._read()
        if prompt and not self.faults:
            return prompt
        self.findings.broken.add(self.address)
        self.findings.faults += _told(self.faults)
        return None

    def _fault(self, loc: Location, message: str) -> None:
        # A parameter that the file itself doesn't have comes from its preset.
        preset = loc[0] in Parameters.model_fields and loc[0] not in self.document.values
        line = self.document.line_of(("preset",) if preset else loc)
        self.faults.append(Fault(self.file, line, field_name(loc), message))

    def _read(self) -> Prompt | None:
        try:
            self._check_name()
            data = read_input(self.path, self.config.prompts) if self.data is None else self.data
            self.document = frontmatter.split(text_of(data))
        except frontmatter.Unreadable as error:
            self.faults.append(Fault(self.file, error.line, error.name, error.message))
            return None
        self._warn_of_plain_text()
        self._check_characters((), self.document.values)
        try:
            matter = FrontMatter.model_validate(self.document.values)
        except ValidationError as error:
            self.faults += explain(error, FrontMatter, self.file, self.document.line_of)
            return None
        self._check_presentation(matter)
        self._check_notes()
        self._check_values()
        if self.faults:
            return None
        # In the file's order, which a set of fields has lost.
        names = self.document.values["vary"] if matter.vary else ()
        axes = tuple((name, tuple(getattr(matter.vary, name))) for name in names)
        clips = self._clips(matter, axes)
        if not clips:
            return None
        text = normalise_text(matter.prompt) or clips[0].request.prompt or WORDLESS
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

    def _check_name(self) -> None:
        if self.address.count("/") > MOST_FOLDERS:
            raise frontmatter.Unreadable(0, Wording.MANY_FOLDERS.format(count=MOST_FOLDERS))
        *folders, stem = self.address.split("/")
        for name, ending in (*((folder, "") for folder in folders), (stem, ".md")):
            if not FILE_NAME.fullmatch(name):
                # Some editors add an ending to the one that is there.
                offer = name_meant(re.sub(r"(\.(md|markdown|te?xt))+$", "", name, flags=re.IGNORECASE))
                form = Wording.RENAME.format(name=offer + ending) if offer else NAME_FORM
                raise frontmatter.Unreadable(0, Wording.NO_NAME.format(name=shown(name), form=form))
        if self.path.suffix != ".md":
            form = Wording.RENAME.format(name=f"{stem}.md")
            raise frontmatter.Unreadable(0, Wording.NO_NAME.format(name=shown(self.path.name), form=form))

    def _warn_of_plain_text(self) -> None:
        """Text that YAML changes without a word. Behind numbers and the like, a comment is one."""
        for loc, what in self.document.unlike.items():
            name = next((part for part in reversed(loc) if isinstance(part, str)), "")
            if name in _TEXTS:
                line = self.document.line_of(loc)
                self.findings.warnings.append(Fault(self.file, line, field_name(loc), what))

    def _check_characters(self, loc: Location, value: Any) -> None:
        """Refuse control characters: they have no business in a prompt and can deceive."""
        if isinstance(value, dict):
            for name, item in value.items():
                self._check_characters((*loc, name), item)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self._check_characters((*loc, index), item)
        elif isinstance(value, str) and (found := HIDDEN.search(value)):
            self._fault(loc, Wording.HIDDEN.format(character=_code(found)))
        elif isinstance(value, str) and is_piled(value):
            self._fault(loc, Wording.PILED.format(count=MOST_MARKS))

    def _check_presentation(self, matter: FrontMatter) -> None:
        most = self.config.limits.tags
        if len(matter.tags) > most:
            self._fault(("tags",), Wording.MANY_TAGS.format(count=len(matter.tags), limit=most))
        if len(set(matter.tags)) < len(matter.tags):
            place = self.document.line_of(("tags",))
            self.findings.warnings.append(Fault(self.file, place, "tags", "a tag stands twice"))
        if matter.preset and matter.preset not in self.presets:
            near = did_you_mean(matter.preset, self.presets)
            known = ", ".join(self.presets) or "none"
            self._fault(("preset",), f"{shown(matter.preset)} is not a preset{near}; known: {known}")

    def _check_notes(self) -> None:
        body, most = self.document.body, self.config.limits.note_length

        def fault(message: str, line: int = 0) -> None:
            self.faults.append(Fault(self.file, self.document.body_line + line, "notes", message))

        if len(body) > most:
            fault(Wording.LONG_NOTES.format(count=len(body), limit=most))
        if (lines := body.count("\n") + 1) > MOST_LINES:
            fault(Wording.MANY_LINES.format(count=lines, limit=MOST_LINES))
        for sign in COSTLY_SIGNS:
            if (count := body.count(sign)) > MOST_SIGNS:
                fault(Wording.MANY_SIGNS.format(count=count, sign=sign, limit=MOST_SIGNS))
        if found := HIDDEN.search(body):
            message = Wording.HIDDEN_IN_NOTES.format(character=_code(found))
            fault(message, body.count("\n", 0, found.start()))

    def _check_values(self) -> None:
        """Models, prompts and melodies wherever the file names them."""
        plain = self.document.values
        grid, takes = plain.get("vary") or {}, plain.get("takes") or []
        values: list[tuple[Location, str, Any]] = [((name,), name, value) for name, value in plain.items()]
        values += [(("vary", name, i), name, each) for name in grid for i, each in enumerate(grid[name])]
        values += [(("takes", i, name), name, take[name]) for i, take in enumerate(takes) for name in take]
        for place, name, value in values:
            if name == "model" and value not in self.config.models:
                near = did_you_mean(value, self.config.models)
                known = ", ".join(self.config.models)
                self._fault(place, Wording.NO_MODEL.format(value=shown(value), near=near, known=known))
            elif name == "prompt" and not is_piled(value):
                self._check_prompt(place, normalise_text(value))
            elif name == "melody" and value is not None:
                self._check_melody(place, value)
            elif name == "audio" and value is not None and not MELODY_DIGEST.fullmatch(value):
                self._fault(place, Wording.NO_DIGEST.format(value=shown(value), prefix=DIGEST_PREFIX))
        in_takes = takes and all("prompt" in take for take in takes)
        if not ("prompt" in plain or "prompt" in grid or in_takes or plain.get("melody")):
            self._fault(("prompt",), Wording.MISSING)

    def _check_prompt(self, loc: Location, text: str) -> None:
        limit = self.config.limits.prompt_length
        if not text:
            self._fault(loc, "is empty; say what the clip should sound like")
        elif len(text) > limit:
            self._fault(loc, Wording.TOO_LONG.format(count=len(text), limit=limit))

    def _check_melody(self, loc: Location, name: str) -> None:
        if name.startswith(DIGEST_PREFIX):
            if not MELODY_DIGEST.fullmatch(name):
                self._fault(loc, Wording.NO_DIGEST.format(value=shown(name), prefix=DIGEST_PREFIX))
            return
        self.melodies_left -= 1
        folder, config = self.path.parent, self.config
        if self.melodies_left >= 0 and (
            problem := melody_problem(folder, name, config.prompts, config.limits)
        ):
            self._fault(loc, f"{shown(name)} {problem}")

    def _clips(self, matter: FrontMatter, axes: tuple[tuple[str, tuple[Any, ...]], ...]) -> list[Clip]:
        if matter.vary is not None and "takes" in matter.model_fields_set:
            self._fault(("takes",), "a prompt has a grid (vary) or a list (takes), not both")
            return []
        limit = self.config.limits.clips_per_prompt
        count = math.prod(len(values) for _, values in axes) if axes else len(matter.takes)
        if count > limit:
            self._fault(("vary" if axes else "takes",), Wording.MANY_CLIPS.format(count=count, limit=limit))
            return []
        if axes:
            cells = itertools.product(*([(name, value) for value in values] for name, values in axes))
            changes = [dict(cell) for cell in cells]
        else:
            changes = [take.model_dump(include=take.model_fields_set) for take in matter.takes] or [{}]
        written = matter.model_dump(include=matter.model_fields_set & _REQUEST)
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
        parameters = Parameters.model_validate({k: v for k, v in fields.items() if k in _PARAMETERS})
        duration, stride, melody = parameters.duration, parameters.extend_stride, fields.get("melody")
        longest = min(model.max_duration, limits.duration)
        if stride is not None and stride >= model.window:
            message = Wording.LONG_STRIDE.format(stride=f"{stride:g}", model=name, window=f"{model.window:g}")
            self._fault(loc("extend_stride"), message)
        elif melody and not model.takes_melody:
            able = [known for known, other in self.config.models.items() if other.takes_melody]
            which = ", ".join(able) or "none"
            self._fault(loc("melody"), Wording.MODEL_WITHOUT_MELODY.format(model=name, models=which))
        elif not (melody or normalise_text(fields.get("prompt", ""))):
            self._fault(("prompt",), Wording.MISSING)
        else:
            decided = {
                "extend_stride": (stride or model.stride) if duration > model.window else None,
                "model": model.hub,
                "prompt": normalise_text(fields.get("prompt", "")),
                "melody": self._digest(melody) if melody else None,
                "audio": audio.removeprefix(DIGEST_PREFIX) if (audio := fields.get("audio")) else None,
            }
            clip = Clip.of(Request(**(parameters.model_dump() | decided)), name, changes)
            if duration <= longest or self._has_audio(clip.key):
                return clip
            short = model.max_duration < limits.duration
            wording = Wording.LONG_FOR_MODEL if short else Wording.LONG_FOR_GALLERY
            message = wording.format(duration=f"{duration:g}", model=name, longest=f"{longest:g}")
            self._fault(loc("duration"), message)
        return None

    def _has_audio(self, key: str) -> bool:
        """Whether the store has a clip that is too long to be rendered here: it was made elsewhere."""
        record = self.config.store_folder / f"{key}.json"
        if there := record.is_file() and not record.is_symlink():
            self.findings.longer.add(key)
        return there

    def _digest(self, melody: str) -> str:
        if melody.startswith(DIGEST_PREFIX):
            return melody.removeprefix(DIGEST_PREFIX)
        path = self.path.parent / melody
        for known, file in self.findings.melodies.items():
            if file == path:
                return known
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.findings.melodies[digest] = path
        return digest


def _told(faults: list[Fault]) -> list[Fault]:
    """Each fault of a file once, for clips of a grid share theirs; of very many, the first ones."""
    told = sorted(set(faults))
    if len(told) > MOST_FAULTS:
        here, more = told[MOST_FAULTS], len(told) - MOST_FAULTS
        told[MOST_FAULTS:] = [Fault(here.file, here.line, "", f"{more:,} more mistakes from here on")]
    return told


def _code(found: re.Match[str]) -> str:
    """A character as ``U+202E``."""
    return f"U+{ord(found[0]):04X}"


def _beginning(text: str) -> str:
    """The beginning of a text, cut between words."""
    line = " ".join(text.split())
    if len(line) <= TITLE_LENGTH:
        return line
    cut = line[:TITLE_LENGTH].rsplit(" ", 1)[0].rstrip(" ,;:")
    return f"{cut[:TITLE_LENGTH]}…"
