"""A prompt's own page: its clips laid out as they were asked for, each with its request and kin."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from gallery.catalogue.differences import word_changes
from gallery.catalogue.sounds import by_sound
from gallery.engines.provenance import PROVENANCE_LABELS, TTS_WEBUI
from gallery.prompts.request import inert, is_unseeded, parameter_fields, request_value
from gallery.site.pages import rows
from gallery.site.theme import labels, languages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gallery.catalogue.entries import Catalogue, ClipEntry, KinEntry, PromptEntry

# Values of these are too long for the head of a column.
_WORDY = ("prompt", "model", "melody")

# Where each field of a provenance stands.
_PLACES = {name: place for place, name in enumerate(PROVENANCE_LABELS)}


class RequestLine(NamedTuple):
    """A field of a clip's request as its table shows it; ``guide`` is the address of a guide to it."""

    field: str
    label: str
    value: str
    help: str
    mark: str
    guide: str


def page_data(entry: PromptEntry, clips: Catalogue, about: Mapping[str, str] | None = None) -> dict[str, Any]:
    """All that the page of one prompt shows.

    ``clips`` knows every clip of the site, ``about`` the addresses of guides by the field that they explain.
    """
    first = {clip["key"]: _clip(entry, clip, clips, about or {}) for clip in entry["clips"]}
    sounds = _sounds(entry, list(first.values()))
    layout, grids = _layout(entry, first, sounds)
    fields = rows.varied(entry)
    shared = [field for field in ("model", "seed", "cfg_coef", "temperature") if _shared(entry, field)]
    return {
        "entry": entry,
        "title": entry["title"],
        "own_title": rows.own_title(entry["title"], entry["text"]),
        "takes": list(first.values()),
        "sounds": sounds,
        "told_takes": rows.told_takes(entry),
        "layout": layout,
        "grids": grids,
        "varied": fields,
        "differing": [labels.label(field) for field in rows.heard(entry)],
        "shared": [
            [labels.label(field), labels.number(rows.take_value(entry["clips"][0], field))]
            for field in shared
        ],
        "states": sorted({clip["state"] for clip in first.values()}),
        "lost": _lost(entry),
        "crumbs": entry["path"].split("/")[:-1],
        "size": _size(entry["text"]),
    }


def _lost(entry: PromptEntry) -> list[str]:
    """Why nobody can make the clips that are lost, each reason once."""
    why = (clip.get("irreproducible", "") for clip in entry["clips"] if clip["state"] == "lost")
    return list(dict.fromkeys(filter(None, why)))


def _size(text: str) -> str:
    """How large the prompt can be set without filling the screen."""
    return next(
        (name for name, most in (("xl", 48), ("l", 130), ("m", 320)) if languages.room(text) <= most), "s"
    )


def _shared(entry: PromptEntry, field: str) -> bool:
    unused = any(field in inert(clip["request"]) for clip in entry["clips"])
    return not unused and len({labels.number(rows.take_value(clip, field)) for clip in entry["clips"]}) == 1


def embed_data(entry: PromptEntry) -> dict[str, Any]:
    """What a page of the prompt's clips for other sites' frames shows."""
    takes = [_sound(entry, clip) for clip in entry["clips"]]
    return {
        "entry": entry,
        "title": entry["title"],
        "takes": takes,
        "sounds": _sounds(entry, takes),
        "told_takes": rows.told_takes(entry),
        "states": sorted({clip["state"] for clip in takes}),
    }


def _sounds(entry: PromptEntry, takes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What there is to hear: of takes that are one sketch the first, with all that it stands for.

    ``stands_for`` is empty for a take that sounds like no other.
    """
    told = {take["key"]: take for take in takes}
    names = {take["id"]: _name_of_take(take, number) for number, take in enumerate(takes, 1)}
    sounds = []
    for alike in by_sound(entry["clips"]):
        sound = told[alike[0]["key"]]
        if len(alike) > 1:
            label = f"{labels.count(len(alike), 'take')}, one sketch" if len(alike) < len(takes) else ""
            stands_for = [[clip["id"], names[clip["id"]]] for clip in alike]
            sound = sound | rows.shared_facts(alike) | {"label": label, "stands_for": stands_for}
        sounds.append(sound)
    return sounds


def _name_of_take(take: Mapping[str, Any], number: int) -> str:
    return take["label"] or (take["name"] if take["wording"] else f"take {number}")


def _clip(entry: PromptEntry, clip: ClipEntry, clips: Catalogue, about: Mapping[str, str]) -> dict[str, Any]:
    return _sound(entry, clip) | {
        "model": clip["model"],
        "bytes": clip["bytes"],
        "prompt": str(clip["request"].get("prompt", "")),
        "request": _request_table(clip, about),
        "settings": settings(clip),
        "provenance": _provenance(clip),
        "kin": [_kin(kin, clips) for kin in clip["kin"] if kin["prompt"] != entry["path"]],
    }


def _sound(entry: PromptEntry, clip: ClipEntry) -> dict[str, Any]:
    """What it takes to play a clip and to tell it from the prompt's others."""
    order = [axis["field"] for axis in entry["grid"]["axes"]] if entry["grid"] else labels.FIELD_ORDER
    changes = [
        [labels.label(field), labels.quantity(field, value)]
        for field, value in sorted(clip["changes"].items(), key=lambda change: labels.place(change[0], order))
        if field != "prompt"
    ]
    wording = str(clip["changes"].get("prompt", ""))
    return rows.played(clip, entry["path"], labels.excerpt(wording or entry["text"])) | {
        "peaks": clip["peaks"],
        "sketch": clip["sound"],
        "stands_for": [],
        "changes": changes,
        "wording": word_changes(entry["text"], wording) if wording else [],
        "label": ", ".join(" ".join(change) for change in changes),
    }


def _layout(
    entry: PromptEntry, clips: dict[str, dict[str, Any]], sounds: Sequence[dict[str, Any]]
) -> tuple[str, list[dict[str, Any]]]:
    """How the clips stand: alone, in rows, as a strip, or in matrices of the last two axes."""
    grid = entry["grid"]
    if len(sounds) == 1:
        return "single", []
    if not grid:
        return "takes", []
    axes = [axis for axis in grid["axes"] if len(axis["values"]) > 1]
    if len(axes) < 2:
        return ("takes" if not axes or axes[0]["field"] in _WORDY else "strip"), []
    sizes = [len(axis["values"]) for axis in axes]
    cells = dict(zip(itertools.product(*map(range, sizes)), grid["cells"], strict=True))
    down, across = axes[-2], axes[-1]
    turned = across["field"] in _WORDY and down["field"] not in _WORDY
    if turned:
        down, across = across, down
    shown: set[str] = set()
    standing = {sound["sketch"]: sound for sound in sounds if sound["stands_for"]}
    told: set[str] = set()
    matrices = []
    for leading in itertools.product(*(range(size) for size in sizes[:-2])):
        lines = []
        for row in range(len(down["values"])):
            line = []
            for column in range(len(across["values"])):
                key = cells[(*leading, *((column, row) if turned else (row, column)))]
                # Requests that sound the same share a clip: its fragment is where it stands first.
                line.append(clips[key] | {"anchor": key not in shown})
                shown.add(key)
            lines.append(line)
        matrices.append(
            {
                "leading": [
                    [labels.label(axis["field"]), labels.quantity(axis["field"], axis["values"][index])]
                    for axis, index in zip(axes, leading, strict=False)
                ],
                "down": labels.label(down["field"]),
                "across": labels.label(across["field"]),
                "wordy": down["field"] in _WORDY,
                "rows": [labels.quantity(down["field"], value) for value in down["values"]],
                "columns": [labels.quantity(across["field"], value) for value in across["values"]],
                "cells": lines,
                "tiles": [_tiles(line, standing, told) for line in lines],
            }
        )
    return "matrix", matrices


def _tiles(
    line: Sequence[dict[str, Any]], standing: Mapping[str, dict[str, Any]], told: set[str]
) -> list[dict[str, Any]]:
    """A row of a matrix as its tiles: neighbours that are one sketch are one tile as wide as they are.

    ``standing`` has the sketches that stand for several takes; ``told`` those of them that have a tile:
    elsewhere it is only said that they stand there, too.
    """
    tiles = []
    for sketch, alike in itertools.groupby(line, key=lambda clip: clip["sketch"] or clip["key"]):
        cells = list(alike)
        sound = standing.get(sketch)
        if not sound:  # what is rendered has a tile for each cell
            tiles += [_tile(cell, [cell]) for cell in cells]
            continue
        shown = {name: sound[name] for name in ("facts", "line", "label", "stands_for")}
        tiles.append(_tile(cells[0] | shown, cells) | {"is_told": sketch in told})
        told.add(sketch)
    return tiles


def _tile(clip: dict[str, Any], cells: Sequence[dict[str, Any]]) -> dict[str, Any]:
    ids = [cell["id"] for cell in cells if cell["anchor"]]
    return {"clip": clip, "width": len(cells), "ids": ids, "is_told": False}


def _request_table(clip: ClipEntry, about: Mapping[str, str]) -> list[RequestLine]:
    """Every parameter of a request, those that cannot matter marked as not used."""
    request, unused = clip["request"], inert(clip["request"])
    lines = [("model", clip["model"], str(request.get("model", "")), "")]
    unseeded = is_unseeded(request)
    if request.get("audio"):
        digest = labels.quantity("audio", request["audio"])
        why = "in the place of a seed that nobody knows" if unseeded else "since another engine made it"
        lines.append(("audio", digest, f"SHA-256 of its samples, {why}.", ""))
    for field, info in parameter_fields().items():
        value = request_value(request, field)
        if value is not None and not (unseeded and field == "seed"):
            mark = "default" if value == info.default else ""
            lines.append((field, labels.quantity(field, value), info.description or "", mark))
    if request.get("melody"):
        digest = labels.quantity("melody", request["melody"])
        of = "melody file"
        if clip["provenance"].get("imported_from") == TTS_WEBUI:
            of = "samples of the melody"
        elif clip["state"] == "lost":  # only the record told
            of = "melody, its file or its samples,"
        lines.append(("melody", digest, f"SHA-256 of the {of} that was followed.", ""))
    return [
        RequestLine(
            field,
            labels.label(field),
            value,
            meaning,
            "not used" if field in unused else mark,
            about.get(field, ""),
        )
        for field, value, meaning, mark in lines
    ]


def settings(clip: ClipEntry) -> str:
    """All that decides how a clip sounds, a line each, under the names that audiocraft has.

    What is not used is left out. Where it is known which weights made the clip, they are told, too.
    """
    request, unused = clip["request"], inert(clip["request"])
    told = {
        "prompt": " ".join(str(request.get("prompt", "")).split()),
        "model": request.get("model", clip["model"]),
    }
    if revision := clip["provenance"].get("revision"):
        told["revision"] = revision
    for field in parameter_fields():
        value = request_value(request, field)
        if value is not None and field not in unused:
            told[field] = labels.number(value)
    if is_unseeded(request):
        told["seed"] = "not known"
    if request.get("melody"):
        told["melody"] = request["melody"]
    return "\n".join(f"{name}: {value}" for name, value in told.items())


def _provenance(clip: ClipEntry) -> list[list[str]]:
    """Who made the clip, when and with what; for renders also how loud it was."""
    known = {**({"engine": clip["engine"]} if clip["engine"] else {}), **clip["provenance"]}
    lines = []
    for field in sorted(known, key=lambda name: (_PLACES.get(name, len(_PLACES)), name)):
        value = known[field]
        if value in ("", None):
            continue
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
        if isinstance(value, float):
            text = labels.number(value)
        elif re.fullmatch(r"[0-9a-f]{40,64}", text):
            text = text[:12]
        lines.append([PROVENANCE_LABELS.get(field, field.replace("_", " ")), text])
    if clip["state"] == "render" and clip["loudness"] is not None:
        lines.append(["raw loudness", f"{clip['loudness']:.1f} LUFS".replace("-", "\N{MINUS SIGN}")])
    return lines


def _kin(kin: KinEntry, clips: Catalogue) -> dict[str, Any]:
    """A clip to be heard next to this one. It is played from here if the site has it."""
    other = clips.get(kin["key"])
    steps = kin.get("words", [])
    after = labels.excerpt("".join(text for step, text in steps if step != "-")) or kin["title"]
    return {
        "change": "" if steps else labels.named(kin["field"], kin["value"]),
        "words": steps,
        "title": kin["title"],
        "page": f"prompts/{kin['prompt']}/index.html#{kin['key'][:8]}",
        "clip": rows.played(other, kin["prompt"], after) | {"label": ""} if other else None,
    }
