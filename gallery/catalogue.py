"""The catalogue: prompts and what is known of their clips, as plain data.

Pages, search, feeds and catalogue.json are all made from these entries and from
nothing else. They are JSON as they stand, so what was published once can be read
back from a site's catalogue.json.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict

from gallery.kin import word_changes
from gallery.store import SKETCH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gallery.config import Config
    from gallery.kin import Kin
    from gallery.prompts import Clip, Prompt
    from gallery.request import Request
    from gallery.store import Record

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


def make_catalogue(
    prompts: Sequence[Prompt],
    kin: Mapping[str, Sequence[Kin]],
    records: Mapping[str, Record],
    addresses: Mapping[str, str],
    config: Config,
) -> list[PromptEntry]:
    """The catalogue's entries.

    ``records`` holds what is known of clips by key, sketches included; ``addresses``
    the place of each of their previews, without its suffix.
    """
    homes: dict[str, tuple[Prompt, Clip]] = {}
    for prompt in prompts:
        for clip in prompt.clips:
            homes.setdefault(clip.key, (prompt, clip))
    return [_prompt_entry(prompt, homes, kin, records, addresses, config) for prompt in prompts]


def _prompt_entry(
    prompt: Prompt,
    homes: Mapping[str, tuple[Prompt, Clip]],
    kin: Mapping[str, Sequence[Kin]],
    records: Mapping[str, Record],
    addresses: Mapping[str, str],
    config: Config,
) -> PromptEntry:
    own = {clip.key: clip for clip in reversed(prompt.clips)}  # of twins, the first
    entries = []
    for key in dict.fromkeys(clip.key for clip in prompt.clips):
        relatives = [
            _kin_entry(
                own[key].request, relative, prompt if relative.key in own else homes[relative.key][0], config
            )
            for relative in kin.get(key, ())
        ]
        entries.append(_clip_entry(own[key], records.get(key), addresses.get(key, ""), relatives))
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
        "clips": entries,
        "grid": {
            "axes": [{"field": field, "values": list(values)} for field, values in prompt.axes],
            "cells": [clip.key for clip in prompt.clips],
        }
        if prompt.axes
        else None,
    }


def refresh(
    entries: Sequence[PromptEntry], records: Mapping[str, Record], addresses: Mapping[str, str]
) -> list[PromptEntry]:
    """Entries that were published before, with what is known of their clips today."""
    return [
        {
            **entry,
            "clips": [
                {
                    **clip,
                    **_known(
                        clip["request"]["duration"], records.get(clip["key"]), addresses.get(clip["key"], "")
                    ),
                }
                for clip in entry["clips"]
            ],
        }
        for entry in entries
    ]


def _clip_entry(clip: Clip, record: Record | None, address: str, kin: list[KinEntry]) -> ClipEntry:
    return {
        "key": clip.key,
        "id": clip.key[:8],
        "model": clip.model,
        "request": clip.request.model_dump(mode="json", exclude_none=True),
        "changes": clip.changes,
        **_known(clip.request.duration, record, address),
        "kin": kin,
    }


def _known(duration: float, record: Record | None, address: str) -> Audio:
    if not record:
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
    preview = record.preview
    return {
        "state": "sketch" if record.engine == SKETCH else "render",
        "engine": record.engine,
        "provenance": record.provenance,
        "audio": f"{address}.mp3",
        "cover": f"{address}.webp",
        "peaks": preview.peaks,
        "bytes": preview.bytes,
        "length": preview.duration,
        "loudness": preview.loudness_before,
    }


def _kin_entry(request: Request, kin: Kin, prompt: Prompt, config: Config) -> KinEntry:
    entry: KinEntry = {
        "field": kin.field,
        "key": kin.key,
        "prompt": prompt.path,
        "title": prompt.title,
        "value": config.model_name(kin.value) if kin.field == "model" else kin.value,
    }
    if kin.field == "prompt":
        entry["words"] = word_changes(request.prompt, kin.value)
    return entry
