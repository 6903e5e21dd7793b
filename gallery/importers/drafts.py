"""Imported clips -> prompt files: the clips of one prompt are its takes.

A file is tried in a scratch gallery with the same settings before it goes where the
gallery's files are: so whatever `gallery check` would refuse, the importer
refuses first, and a request is what the gallery will read out of the file.
"""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import TYPE_CHECKING, Any

import yaml

from gallery.importers.found import Unusable
from gallery.prompts.folder import of_any_length, read_prompts
from gallery.prompts.request import normalise_text, parameter_fields, plain_number
from gallery.utils.files import write_atomic
from gallery.utils.slug import slug

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from gallery.config import Config
    from gallery.importers.found import ImportedClip
    from gallery.prompts.prompt import Prompt
    from gallery.prompts.request import Request

# What an imported prompt may be used for, nobody said: not what a prompt file means unasked.
LICENSE = "NOASSERTION"

# Written even where they are what the gallery would take: settings may change, clips don't.
_ALWAYS = ("model", "duration", "seed")

_NAME_LENGTH = 40

_NO_NAMES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d|readme)")


@dataclass(frozen=True)
class Entry:
    """A clip and the request that the gallery makes of it."""

    clip: ImportedClip
    request: Request


@dataclass(frozen=True)
class Draft:
    """A prompt file to be written, with the clips in it."""

    path: Path
    text: str
    prompt: Prompt
    entries: tuple[Entry, ...]


class TrialGallery:
    """A scratch gallery in which drafted prompt files are read as the gallery will read them.

    The limits on a clip's length spare GPUs: they don't hold for audio that is there.
    ``scratch`` is a folder for it, ``into`` the folder in prompts/.
    """

    def __init__(self, config: Config, scratch: Path, into: str) -> None:
        self._config = of_any_length(config).model_copy(update={"root": scratch / "trial"})
        self._folder = self._config.prompts / into
        self._folder.mkdir(parents=True)

    def request(self, clip: ImportedClip) -> Request:
        """The request that a clip's fields make. Raises Unusable for what no prompt file can ask for."""
        if clip.unseeded and "audio" not in clip.fields:
            raise Unusable("its seed is not known, and neither is its audio")
        request = self.read("clip", clip.fields, "")[1].clips[0].request
        if clip.key and request.key != clip.key:
            raise Unusable("its request is none that a prompt file of this gallery can make")
        return request

    def read(self, name: str, matter: dict[str, Any], note: str) -> tuple[str, Prompt]:
        """The text of a prompt file, and what the gallery reads in it. Raises Unusable."""
        text = f"---\n{_front(matter)}---\n{note}\n"
        file = self._folder / f"{name}.md"
        write_atomic(file, text.encode("utf-8", "replace"))
        reading = read_prompts(self._config, [file])
        if reading.faults:
            fault = reading.faults[0]
            raise Unusable(f"{fault.field}: {fault.message}" if fault.field else fault.message)
        return text, reading.prompts[0]


def _front(matter: dict[str, Any]) -> str:
    """Front matter as people write it: a field a line, a take a line."""
    wordless = not matter["prompt"] and matter.get("melody")
    left_out = ("takes", "prompt") if wordless else ("takes",)
    plain = {name: value for name, value in matter.items() if name not in left_out}
    lines = yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, width=1000)
    if takes := matter.get("takes"):
        flow = (yaml.safe_dump(take, default_flow_style=True, sort_keys=False, width=1000) for take in takes)
        lines += "takes:\n" + "".join(f"  - {take}" for take in flow)
    return lines


def make_drafts(entries: Sequence[Entry], trial: TrialGallery, folder: Path, limit: int) -> Iterator[Draft]:
    """Prompt files for clips: a file a prompt, of at most ``limit`` clips each, under free names."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(normalise_text(entry.request.prompt), []).append(entry)
    taken: set[Path] = set()
    for text, group in groups.items():
        for start in range(0, len(group), limit):
            clips = tuple(group[start : start + limit])
            path = _free_path(folder, text, clips[0].request.key, taken)
            taken.add(path)
            yield make_draft(clips, trial, path)


def make_draft(entries: tuple[Entry, ...], trial: TrialGallery, path: Path) -> Draft:
    """One prompt file. Raises Unusable if it can't be made, which its clips' requests should have told."""
    matter, note, name = _matter(entries), _note(entries), path.stem
    text, prompt = trial.read(name, matter, note)
    for hint in ("title", "author", "license"):
        said = next((value for entry in entries if (value := getattr(entry.clip, hint))), "")
        if said and said != getattr(prompt, hint):
            hinted = _with_hint(matter, hint, normalise_text(said))
            try:
                text, prompt = trial.read(name, hinted, note)
            except Unusable:
                continue  # a tag of an MP3 can say anything
            matter = hinted
    if [clip.key for clip in prompt.clips] != [entry.request.key for entry in entries]:
        raise Unusable("its clips cannot be written as one prompt file")
    return Draft(path, text, prompt, entries)


def _with_hint(matter: dict[str, Any], hint: str, value: str) -> dict[str, Any]:
    """Front matter with a title or an author: they stand around the prompt, before all others."""
    hinted = {**matter, hint: value}
    return {name: hinted[name] for name in ("title", "prompt", "author") if name in hinted} | hinted


def _matter(entries: Sequence[Entry]) -> dict[str, Any]:
    """Front matter: what the clips share first, then what sets each apart."""
    defaults = {name: info.default for name, info in parameter_fields().items()}
    defaults |= {"melody": None, "audio": None}
    all_fields = [entry.clip.fields for entry in entries]
    shared: dict[str, Any] = {}
    takes: list[dict[str, Any]] = [{} for _ in entries]
    for name in ("model", *defaults):
        values = [plain_number(fields.get(name, defaults.get(name))) for fields in all_fields]
        if name == "seed":
            values = [
                None if entry.clip.unseeded else value for entry, value in zip(entries, values, strict=True)
            ]
        common = None if None in values else Counter(values).most_common(1)[0][0]
        if name == "audio" and len(set(values)) > 1:
            common = None
        if common is not None and (name in _ALWAYS or common != plain_number(defaults[name])):
            shared[name] = common
        for take, value in zip(takes, values, strict=True):
            if value != common:
                take[name] = value
    matter: dict[str, Any] = {"prompt": normalise_text(all_fields[0]["prompt"]), "license": LICENSE}
    days = sorted(filter(None, (_day(entry.clip) for entry in entries)))
    if days:
        matter["date"] = days[0]
    matter |= shared
    if len(entries) > 1:
        matter["takes"] = takes
    return matter


def _note(entries: Sequence[Entry]) -> str:
    origins = sorted({entry.clip.provenance.imported_from or "a gallery's MP3" for entry in entries})
    note = f"Imported from {' and '.join(origins)}."
    if any(entry.request.is_unseeded for entry in entries):
        note += (
            " Where `audio` stands in the place of a seed, nobody knows it: that clip cannot be made again."
        )
    if any(entry.request.audio and not entry.request.is_unseeded for entry in entries):
        note += " Where `audio` stands at temperature 0, another engine made the clip: audiocraft cannot."
    return note


def _day(clip: ImportedClip) -> date | None:
    """The day of a clip's prompt, or else its own."""
    for said in (clip.day, clip.date[:10]):
        with suppress(ValueError):
            return date.fromisoformat(said)
    return None


def _free_path(folder: Path, text: str, key: str, taken: Collection[Path]) -> Path:
    """A file named after a prompt: lowercase ASCII words with hyphens, numbered where it is taken."""
    name = slug(text, _NAME_LENGTH)
    if not name or _NO_NAMES.fullmatch(name):
        name = f"prompt-{key[:8]}"
    numbered = (folder / f"{name}{'' if number == 1 else f'-{number}'}.md" for number in count(1))
    return next(path for path in numbered if path not in taken and not path.exists())
