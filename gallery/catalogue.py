"""The catalogue: prompts and what is known of their clips, as plain data.

Pages, search, feeds and catalogue.json are all made from these entries and from
nothing else. They are JSON as they stand, so what was published once can be read
back from a site's catalogue.json.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Literal, NotRequired

from typing_extensions import TypedDict  # pydantic wants it until Python 3.12, and brings it along

from gallery.kin import word_changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gallery.clips import Clip, Prompt
    from gallery.config import Config
    from gallery.kin import Kin
    from gallery.store import Kept

State = Literal["render", "sketch", "pending"]


class KinEntry(TypedDict):
    """Another clip that differs from this one in ``field`` alone.

    ``value`` is the other's value of the field. For wording, ``words`` is the way
    from this prompt to the other: ["=", text], ["-", text], ["+", text] in order.
    """

    field: str
    key: str
    prompt: str
    title: str
    value: Any
    words: NotRequired[list[list[str]]]


class Audio(TypedDict):
    """What is known of a clip's audio.

    ``audio`` and ``cover`` are addresses relative to the site's root or absolute, empty
    while the clip is pending. ``length`` is the preview's, in seconds; ``loudness`` the
    render's own before matching, in LUFS.
    """

    state: State
    engine: str
    provenance: dict[str, Any]
    audio: str
    cover: str
    peaks: str
    bytes: int
    length: float
    loudness: float | None


class ClipEntry(Audio):
    """One clip of a prompt.

    ``id`` is its fragment on the prompt's page. ``request`` is what decides its
    sound (``model`` there is the hub id); ``changes`` is what sets it apart from the
    prompt's other clips, as written.
    """

    key: str
    id: str
    model: str
    request: dict[str, Any]
    changes: dict[str, Any]
    kin: list[KinEntry]


class AxisEntry(TypedDict):
    """One axis of a grid: a field of the request and its values, in order."""

    field: str
    values: list[Any]


class GridEntry(TypedDict):
    """A grid: its axes, and the key of each cell, the last axis running fastest."""

    axes: list[AxisEntry]
    cells: list[str]


class PromptEntry(TypedDict):
    """One prompt. ``path`` is its address: its page is ``prompts/<path>/index.html``.

    ``notes`` is Markdown as written, untrusted. ``clips`` holds each key once.
    """

    path: str
    file: str
    title: str
    text: str
    tags: list[str]
    author: str
    license: str
    date: str
    notes: str
    clips: list[ClipEntry]
    grid: GridEntry | None


class Catalogue:
    """A gallery's entries, newest first. Each is made when it is asked for: there may be many."""

    def __init__(
        self,
        prompts: Sequence[Prompt] = (),
        kin: Mapping[str, Sequence[Kin]] | None = None,
        kept: Mapping[str, Kept] | None = None,
        places: Mapping[str, str] | None = None,
        config: Config | None = None,
        published: Iterable[PromptEntry] = (),
    ) -> None:
        """``kept`` holds what is known of clips by key, sketches included.

        ``places`` has what stands before each of their keys in their previews' addresses. ``published``
        are entries as they stand: those of prompts that cannot be read now.
        """
        self._kin, self._kept, self._places = kin or {}, kept or {}, places or {}
        self._config = config
        self._prompts = {prompt.path: prompt for prompt in prompts}
        self._published = {entry["path"]: entry for entry in published}
        self._homes: dict[str, tuple[Prompt, Clip]] = {}
        for prompt in prompts:
            for clip in prompt.clips:
                self._homes.setdefault(clip.key, (prompt, clip))
        self._published_clips: dict[str, ClipEntry] = {}
        for entry in self._published.values():
            for published_clip in entry["clips"]:
                self._published_clips.setdefault(published_clip["key"], published_clip)
        self._keys = {
            prompt.path: list(dict.fromkeys(clip.key for clip in prompt.clips)) for prompt in prompts
        } | {path: [clip["key"] for clip in entry["clips"]] for path, entry in self._published.items()}
        self.paths = self._newest_first()

    def _newest_first(self) -> list[str]:
        """Newest first, those of one day by path, undated ones last."""
        dates = {path: prompt.date for path, prompt in self._prompts.items()}
        dates |= {path: entry["date"] for path, entry in self._published.items()}
        return sorted(sorted(dates), key=dates.__getitem__, reverse=True)

    def title(self, path: str) -> str:
        """A prompt's title."""
        prompt = self._prompts.get(path)
        return prompt.title if prompt else self._published[path]["title"]

    def author(self, path: str) -> str:
        """A prompt's author."""
        prompt = self._prompts.get(path)
        return prompt.author if prompt else self._published[path]["author"]

    def keys(self, path: str) -> list[str]:
        """The keys of a prompt's clips, each once."""
        return self._keys[path]

    def kin_keys(self, path: str) -> list[str]:
        """The keys of the kin of a prompt's clips."""
        if path in self._published:
            return sorted({kin["key"] for clip in self._published[path]["clips"] for kin in clip["kin"]})
        return sorted({kin.key for key in self.keys(path) for kin in self._kin.get(key, ())})

    def entry(self, path: str) -> PromptEntry:
        """A prompt's entry."""
        prompt = self._prompts.get(path)
        if not prompt:
            return self._published[path]
        own = {clip.key: clip for clip in reversed(prompt.clips)}  # of twins, the first
        return {
            "path": prompt.path,
            "file": prompt.file,
            "title": prompt.title,
            "text": prompt.text,
            "tags": list(prompt.tags),
            "author": prompt.author,
            "license": prompt.license,
            "date": prompt.date,
            "notes": prompt.notes,
            "clips": [
                self._clip_entry(own[key], self._kin_of(own[key], own, prompt)) for key in self.keys(path)
            ],
            "grid": {
                "axes": [{"field": field, "values": list(values)} for field, values in prompt.axes],
                "cells": [clip.key for clip in prompt.clips],
            }
            if prompt.axes
            else None,
        }

    def get(self, key: str) -> ClipEntry | None:
        """A clip without its kin, or nothing where no prompt asks for it."""
        if key in self._homes:
            return self._clip_entry(self._homes[key][1], [])
        return self._published_clips.get(key)

    def digest(self, path: str) -> str:
        """A digest of all that the entry is made from."""
        prompt = self._prompts.get(path)
        if not prompt:
            return digest_of(json.dumps(self._published[path], sort_keys=True))
        parts = [prompt.digest]
        for key in self.keys(path):
            parts.append(self.clip_digest(key))
            for kin in self._kin.get(key, ()):
                other = self._homes[kin.key][0]
                parts += (kin.field, kin.key, other.path, other.title)
        return digest_of(*parts)

    def clip_digest(self, key: str) -> str:
        """A digest of all that a clip is made from, its kin apart."""
        if key not in self._homes:
            return json.dumps(self._published_clips.get(key), sort_keys=True)
        kept = self._kept.get(key)
        model, place = self._homes[key][1].model, self._places.get(key, "")
        return f"{key} {model} {place} {kept.digest if kept else ''}"

    def _clip_entry(self, clip: Clip, kin: list[KinEntry]) -> ClipEntry:
        known = known_audio(clip.key, clip.duration, self._kept.get(clip.key), self._places.get(clip.key, ""))
        return {
            "key": clip.key,
            "id": clip.key[:8],
            "model": clip.model,
            "request": clip.fields,
            "changes": clip.changes,
            **known,
            "kin": kin,
        }

    def _kin_of(self, clip: Clip, own: Mapping[str, Clip], prompt: Prompt) -> list[KinEntry]:
        """A clip's kin; those that the prompt itself asks for are taken to be its own."""
        return [
            self._kin_entry(clip, kin, prompt if kin.key in own else self._homes[kin.key][0])
            for kin in self._kin.get(clip.key, ())
        ]

    def _kin_entry(self, clip: Clip, kin: Kin, prompt: Prompt) -> KinEntry:
        value = kin.value
        if kin.field == "model" and self._config:
            value = self._config.model_name(value)
        entry: KinEntry = {
            "field": kin.field,
            "key": kin.key,
            "prompt": prompt.path,
            "title": prompt.title,
            "value": value,
        }
        if kin.field == "prompt":
            entry["words"] = word_changes(clip.fields["prompt"], kin.value)
        return entry


def known_audio(key: str, duration: float, kept: Kept | None, place: str) -> Audio:
    """What is known of a clip that should last so many seconds; its files are at ``place``."""
    if kept:
        known: Audio = json.loads(kept.shown)
        return {**known, "audio": f"{place}{key}.mp3", "cover": f"{place}{key}.webp"}
    return {
        "state": "pending",
        "engine": "",
        "provenance": {},
        "audio": "",
        "cover": "",
        "peaks": "",
        "bytes": 0,
        "length": duration,
        "loudness": None,
    }


def refresh(
    entries: Iterable[PromptEntry], kept: Mapping[str, Kept], places: Mapping[str, str]
) -> list[PromptEntry]:
    """Entries that were published before, with what is known of their clips today."""

    def known(clip: ClipEntry) -> ClipEntry:
        key = clip["key"]
        return {**clip, **known_audio(key, clip["request"]["duration"], kept.get(key), places.get(key, ""))}

    return [{**entry, "clips": [known(clip) for clip in entry["clips"]]} for entry in entries]


def digest_of(*parts: str) -> str:
    """One digest of several texts, each kept apart from the next."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode(errors="surrogatepass")
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()[:32]
