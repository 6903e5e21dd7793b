"""The catalogue: prompts and what is known of their clips, as plain data.

Pages, search, feeds and catalogue.json are all made from these entries and from
nothing else. They are JSON as they stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict, cast

from gallery.catalogue.again import irreproducible
from gallery.catalogue.differences import word_changes
from gallery.utils.digest import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gallery.catalogue.kin import Kinship
    from gallery.prompts.prompt import Clip, Clips, Prompt
    from gallery.store.survey import Kept

# Lost is what the store lacks and nothing makes again: see `gallery.catalogue.again`.
State = Literal["render", "sketch", "pending", "damaged", "newer", "lost"]


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
    where there is nothing to play: the clip is pending or lost, or what the store has of it is damaged or
    was made by a newer version of the tool. ``length`` is the preview's, in seconds; ``loudness`` the
    render's own before matching, in LUFS. ``sound`` is the same for sketches that sound alike, and empty
    for what is no sketch: `gallery.catalogue.sounds` tells which clips are one to the ear.
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
    sound: str


# What is known of a clip that cannot be played.
_SILENT = {
    "engine": "",
    "provenance": {},
    "audio": "",
    "cover": "",
    "peaks": "",
    "bytes": 0,
    "length": 0.0,
    "loudness": None,
    "sound": "",
}


class ClipEntry(Audio):
    """One clip of a prompt.

    ``id`` is its fragment on the prompt's page. ``request`` is what decides its
    sound (``model`` there is the hub id); ``changes`` is what sets it apart from the
    prompt's other clips, as written. ``irreproducible`` is why nobody can make it again, where that is so.
    """

    key: str
    id: str
    model: str
    request: dict[str, Any]
    changes: dict[str, Any]
    kin: list[KinEntry]
    irreproducible: NotRequired[str]


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
        clips: Clips,
        kin: Kinship,
        kept: Mapping[str, Kept],
        places: Mapping[str, str],
        flawed: Mapping[str, State],
        unmakeable: Mapping[str, str],
        model_name: Callable[[str], str],
    ) -> None:
        """``kept`` holds what is known of clips by key, sketches included.

        ``places`` has what stands before each of their keys in their previews' addresses, ``flawed``
        the state of the clips that are there and cannot be used. Of clips of which no record can be
        read, ``unmakeable`` says why nobody can make them again. ``model_name`` gives the gallery's name
        for a hub id.
        """
        self._clips, self._kin, self._kept, self._places = clips, kin, kept, places
        self._flawed, self._unmakeable, self._model_name = flawed, unmakeable, model_name
        self._outlines = {outline.path: outline for outline in clips.prompts.outlines}
        # Newest first, those of one day by path, undated ones last.
        self.paths = sorted(sorted(self._outlines), key=lambda path: self._outlines[path].date, reverse=True)

    def title(self, path: str) -> str:
        """A prompt's title."""
        return self._outlines[path].title

    def author(self, path: str) -> str:
        """A prompt's author."""
        return self._outlines[path].author

    def keys(self, path: str) -> list[str]:
        """The keys of a prompt's clips, each once."""
        return list(dict.fromkeys(self._outlines[path].keys))

    def kin_keys(self, path: str) -> list[str]:
        """The keys of the kin of a prompt's clips."""
        return sorted({kin for key in self.keys(path) for kin in self._kin.keys(key)})

    def kin_paths(self, path: str) -> list[str]:
        """Where the kin of a prompt's clips are found, elsewhere than with it: each prompt once."""
        keys = [kin for key in self.keys(path) for kin in self._kin.keys(key)]
        own = {path, *self._outlines[path].keys}
        paths = dict.fromkeys(self._clips.homes[key].path for key in keys if key not in own)
        return [other for other in paths if other != path]

    def entry(self, path: str, *, wordings: bool = True) -> PromptEntry:
        """A prompt's entry. To find out how the wordings of kin differ takes longer than all the rest."""
        prompt = self._clips.prompts.whole(self._outlines[path])
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
                self._clip_entry(own[key], self._kin_of(own[key], own, prompt, wordings))
                for key in self.keys(path)
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
        return self._clip_entry(self._clips[key], []) if key in self._clips.homes else None

    def state(self, key: str) -> str:
        """A clip's state, one of `State`; nothing where no prompt asks for it."""
        if key not in self._clips.homes:
            return ""
        return self._kept[key].state if key in self._kept else self._silent_state(key)

    def _silent_state(self, key: str) -> State:
        return self._flawed.get(key) or ("lost" if key in self._unmakeable else "pending")

    def digest(self, path: str) -> str:
        """A digest of all that the entry is made from."""
        keys = self.keys(path)
        return digest(
            self._outlines[path].digest,
            *(self.clip_digest(key) for key in keys),
            *(self._kin.digest(key) for key in keys),
            *(kin for key in keys for kin in self._kin.keys(key) if self._alike(key, kin)),
        )

    def clip_digest(self, key: str) -> str:
        """A digest of all that a clip is made from, its kin apart."""
        kept, home = self._kept.get(key), self._clips.homes[key]
        model = home.models[home.keys.index(key)]
        known = kept.digest if kept else f"{self._silent_state(key)} {self._unmakeable.get(key, '')}"
        return f"{key} {model} {self._places.get(key, '')} {known}"

    def _sound(self, key: str) -> str:
        return self._kept[key].sound if key in self._kept else ""

    def _alike(self, key: str, other: str) -> bool:
        """Whether two clips are sketches with one and the same sound."""
        return bool(sound := self._sound(key)) and sound == self._sound(other)

    def _clip_entry(self, clip: Clip, kin: list[KinEntry]) -> ClipEntry:
        kept, place = self._kept.get(clip.key), self._places.get(clip.key, "")
        known: dict[str, Any] = {**_SILENT, "state": self._silent_state(clip.key), "length": clip.duration}
        why = self._unmakeable.get(clip.key, "")
        if kept:
            files = {"audio": f"{place}{clip.key}.mp3", "cover": f"{place}{clip.key}.webp"}
            known = {**kept.shown, **files, "sound": kept.sound}
            why = irreproducible(clip.fields, known["provenance"])
        entry = {
            "key": clip.key,
            "id": clip.key[:8],
            "model": clip.model,
            "request": clip.fields,
            "changes": clip.changes,
            **known,
            "kin": kin,
            **({"irreproducible": why} if why else {}),
        }
        return cast("ClipEntry", entry)

    def _kin_of(self, clip: Clip, own: Mapping[str, Clip], prompt: Prompt, wordings: bool) -> list[KinEntry]:
        """A clip's kin; those that the prompt itself asks for are taken to be its own.

        What sounds like the clip itself lets nobody hear a difference: two sketches that are one are no kin.
        """
        entries: list[KinEntry] = []
        for kin in self._kin.of(clip.key):
            if self._alike(clip.key, kin.key):
                continue
            home = prompt if kin.key in own else self._clips.homes[kin.key]
            value = self._model_name(kin.value) if kin.field == "model" else kin.value
            entry: KinEntry = {
                "field": kin.field,
                "key": kin.key,
                "prompt": home.path,
                "title": home.title,
                "value": value,
            }
            if kin.field == "prompt" and wordings:
                other = own.get(kin.key) or self._clips[kin.key]
                entry["value"] = other.fields["prompt"]
                entry["words"] = word_changes(clip.fields["prompt"], other.fields["prompt"])
            entries.append(entry)
        return entries
