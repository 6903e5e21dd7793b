"""The front door: one comparison that plays, questions that listening answers, the catalogue's folders."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from gallery.catalogue.sounds import differ
from gallery.errors import Fault
from gallery.prompts.request import inert, parameter_fields, request_value
from gallery.site.pages import prompt, rows
from gallery.site.pages.stops import stop
from gallery.site.theme import addresses, labels, languages

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from gallery.catalogue.entries import ClipEntry, PromptEntry
    from gallery.config import Config, Site
    from gallery.site.items import Item

# A comparison that nobody has named opens the site with at most so many takes: all are loaded when one plays.
MOST_OPENING = 12

MOST_QUESTIONS = 12
MOST_ASKED = 8  # takes of a question
MOST_FOLDERS = 24
MOST_LATEST = 6

# What people call what a comparison changes, where the parameter's label won't do in a sentence.
_SUBJECTS = {"prompt": "the words", "model": "the model", "seed": "the seed", "melody": "the melody"}

# Names of stops that stay in one line of them, in letters.
_LONGEST_ROUND = 7


# ---- which prompts


def comparison(entry: PromptEntry) -> str:
    """What a prompt lets one compare among its own takes, by ear.

    "render" where all are rendered, "sketch" where all can be heard and none sounds like another;
    nothing where they differ in more than two things, or not at all.
    """
    clips, fields = entry["clips"], rows.varied(entry)
    if not 1 <= len(fields) <= 2 or not all(map(rows.playable, clips)) or not differ(clips):
        return ""
    return "render" if all(clip["state"] == "render" for clip in clips) else "sketch"


def asks(title: str) -> bool:
    """Whether a title asks something, in any script."""
    return any(
        mark in title
        for mark in "?\N{FULLWIDTH QUESTION MARK}\N{ARABIC QUESTION MARK}\N{GREEK QUESTION MARK}"
    )


def opening(items: Sequence[Item], site: Site) -> str:
    """The path of the prompt that opens the site; nothing where there is none.

    The one that the settings name; else the newest comparison that is rendered; else of sketches that
    differ; else the newest prompt that can be heard.
    """
    if any(item.path == site.opening for item in items):
        return site.opening
    fitting = [item for item in items if item.takes <= MOST_OPENING]
    ranked = itertools.chain(
        (item for item in fitting if item.comparison == "render"),
        (item for item in fitting if item.comparison == "sketch"),
        (item for item in items if {"render", "sketch"} & {*item.facets.state}),
        items,
    )
    return next((item.path for item in ranked), "")


def questions(items: Sequence[Item], site: Site, besides: str) -> list[str]:
    """The paths of comparisons that ask something: as the settings have them, else rendered ones first.

    ``besides`` is what opens the site already.
    """
    if site.questions:
        known = {item.path for item in items}
        return [path for path in dict.fromkeys(site.questions) if path in known]
    asking = [item for item in items if item.asks and item.comparison and item.path != besides]
    return [item.path for item in sorted(asking, key=lambda item: item.comparison != "render")][
        :MOST_QUESTIONS
    ]


def shelves(items: Iterable[Item]) -> dict[str, list[str]]:
    """The folders at the top and the paths of what is in them, newest first."""
    found: dict[str, list[str]] = {}
    for item in items:
        if item.facets.folder:
            found.setdefault(item.facets.folder[0], []).append(item.path)
    return dict(sorted(found.items()))


def missing(config: Config, paths: Iterable[str]) -> list[Fault]:
    """Where the settings ask for prompts that the gallery doesn't have."""
    known = {"", *paths}
    named = [("opening", config.site.opening), *(("questions", path) for path in config.site.questions)]
    return [
        Fault(config.file.name, 0, f"site.{name}", f"no prompt {path}")
        for name, path in named
        if path not in known
    ]


# ---- what the page shows of them


def stage(entry: PromptEntry, about: Mapping[str, str]) -> dict[str, Any]:
    """A prompt as an instrument: its takes, and the axes along which they are chosen.

    ``cells`` has the id of the take for each combination of the axes' places, the last axis running fastest.
    """
    takes = [
        _take(entry, clip, take)
        for clip, take in zip(entry["clips"], prompt.embed_data(entry)["takes"], strict=True)
    ]
    axes, cells = _axes(entry)
    fields = rows.varied(entry)
    first = next((take for take in takes if take["audio"]), takes[0])
    return {
        "path": entry["path"],
        "title": entry["title"],
        "own_title": rows.own_title(entry["title"], entry["text"]),
        "text": entry["text"],
        "takes": takes,
        "first": first,
        "wordings": takes if "prompt" in fields else [first],
        "axes": axes,
        "cells": cells,
        "place": _place(cells.index(first["id"]), axes),
        "same": _same(entry, fields),
        "subjects": [_SUBJECTS.get(field, labels.label(field)) for field in fields],
        "verb": _verb(fields),
        "guides": [[labels.label(field), about[field]] for field in fields if field in about],
        "size": _size(entry["text"]),
        "differs": len(takes) > 1 and differ(entry["clips"]),
    }


def _size(text: str) -> str:
    """How large the prompt can be set with the slider on the first screen."""
    return next((name for name, most in (("l", 48), ("m", 105)) if languages.room(text) <= most), "s")


def _take(entry: PromptEntry, clip: ClipEntry, take: dict[str, Any]) -> dict[str, Any]:
    words = str(clip["request"].get("prompt", "")) or entry["text"]
    stays = sum(len(text) for step, text in take["wording"] if step == "=")
    if len(words) > labels.EXCERPT_LENGTH or 4 * stays < len(words):
        take["wording"] = []  # marked throughout, it could not be read
    return take | {
        "words": words,
        "settings": settings(clip),
        "told": take["label"] or stop("prompt", words, entry),
    }


def settings(clip: ClipEntry) -> str:
    """All that decides a clip's sound but its prompt, under the names that audiocraft has, a line each."""
    request, unused = clip["request"], inert(clip["request"])
    lines = [("model", request.get("model", clip["model"]))]
    for field in parameter_fields():
        value = request_value(request, field)
        if value is not None and field not in unused:
            lines.append((field, labels.number(value)))
    if request.get("melody"):
        lines.append(("melody", request["melody"]))
    return "\n".join(f"{name}: {value}" for name, value in lines)


def _axes(entry: PromptEntry) -> tuple[list[dict[str, Any]], list[str]]:
    """Along what the takes are chosen: a grid's axes, or a list's one; and the id in each cell."""
    clips = entry["clips"]
    if len(clips) == 1:
        return [], [clips[0]["id"]]
    if entry["grid"]:
        axes = [axis for axis in entry["grid"]["axes"] if len(axis["values"]) > 1]
        named = [
            _axis(
                axis["field"], [stop(axis["field"], value, entry) for value in axis["values"]], axis["values"]
            )
            for axis in axes
        ]
        return named, [key[:8] for key in entry["grid"]["cells"]]
    fields = rows.varied(entry)
    if len(fields) == 1:
        values = [rows.take_value(clip, fields[0]) for clip in clips]
        return [_axis(fields[0], [stop(fields[0], value, entry) for value in values], values)], [
            clip["id"] for clip in clips
        ]
    stops = [
        ", ".join(labels.named(field, rows.take_value(clip, field)) for field in fields if field != "prompt")
        or f"take {number}"
        for number, clip in enumerate(clips, start=1)
    ]
    return [_axis("", stops, [])], [clip["id"] for clip in clips]


def _axis(field: str, stops: list[str], values: Sequence[Any]) -> dict[str, Any]:
    info = parameter_fields().get(field)
    usual = [info is not None and value == info.default for value in values] or [False] * len(stops)
    return {
        "field": field,
        "label": labels.label(field) if field else "takes",
        "help": _in_short(info.description or "") if info else "",
        "stops": [list(pair) for pair in zip(stops, usual, strict=True)],
        "wordy": field == "prompt" or max(map(len, stops)) > _LONGEST_ROUND,
    }


def _in_short(description: str) -> str:
    """What a parameter does, without its name before a colon, and what comes after a semicolon."""
    text = description.rpartition(": ")[2].partition(";")[0].rstrip(".")
    return text[:1].lower() + text[1:]


def _place(cell: int, axes: Sequence[Mapping[str, Any]]) -> list[int]:
    """Where a cell lies along each axis."""
    places = []
    for axis in reversed(axes):
        cell, place = divmod(cell, len(axis["stops"]))
        places.append(place)
    return places[::-1]


def _same(entry: PromptEntry, fields: Collection[str]) -> list[str]:
    """What all takes have in common that one might think differs."""
    clips = entry["clips"]
    seeds = {request_value(clip["request"], "seed") for clip in clips if "seed" not in inert(clip["request"])}
    same = [] if "prompt" in fields else ["same words"]
    return same + (["same seed"] if "seed" not in fields and len(seeds) == 1 else [])


def _verb(fields: Sequence[str]) -> str:
    if len(fields) > 1 or "prompt" in fields:
        return "change"
    return "changes" if fields and fields[0] in _SUBJECTS else "moves"


def question(entry: PromptEntry) -> dict[str, Any]:
    """A comparison's question and its takes; one take where they all are one sound."""
    fields = rows.varied(entry)
    takes = [
        take | {"stop": _short(entry, clip, fields), "peaks": ""}  # the player asks for them when it plays
        for clip, take in zip(entry["clips"], prompt.embed_data(entry)["takes"], strict=True)
    ]
    heard = [take for take in takes if take["audio"]]
    alike = len(heard) > 1 and not differ([clip for clip in entry["clips"] if rows.playable(clip)])
    return {
        "path": entry["path"],
        "title": entry["title"],
        "text": labels.excerpt(entry["text"]),
        "label": labels.label(fields[0]) if len(fields) == 1 and fields[0] not in ("prompt", "model") else "",
        "amount": len(takes),
        "takes": heard[:1] if alike else takes if len(takes) <= MOST_ASKED else [],
        "alike": alike,
        "sketch": any(take["state"] == "sketch" for take in takes),
    }


def _short(entry: PromptEntry, clip: ClipEntry, fields: Sequence[str]) -> str:
    return (
        ", ".join(
            stop(field, rows.take_value(clip, field), entry)
            if len(fields) == 1 or field == "prompt"
            else labels.named(field, rows.take_value(clip, field))
            for field in fields
        )
        or f"take {entry['clips'].index(clip) + 1}"
    )


def shelf(folder: str, amount: int, entry: PromptEntry) -> dict[str, Any]:
    """A folder with the cover of its newest prompt."""
    clip = next((clip for clip in entry["clips"] if rows.playable(clip)), entry["clips"][0])
    cover = clip["cover"] if rows.playable(clip) else ""
    page = addresses.folder_page(folder)
    return {
        "name": folder,
        "amount": amount,
        "page": page,
        "clip": {"cover": cover, "state": rows.state_of(clip)},
    }
