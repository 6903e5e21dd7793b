"""A prompt as one row of a list: what lists, tag pages and search results show of it."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

from gallery.catalogue.sounds import by_sound
from gallery.prompts.request import inert, is_unseeded, parameter_fields, request_value
from gallery.site.pages.stops import stop
from gallery.site.theme import addresses, labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gallery.catalogue.entries import ClipEntry, PromptEntry

# Takes are offered in the row itself, up to this many.
MOST_TAKES = 12
_MOST_ALIKE = 3

# Stands in a take's label for what does not matter there: the seed at temperature 0.
_NOT_USED = "–"
_MOST_KIN = 4

# Beats a minute that a prompt names, or what its words come to; the first that is found counts.
_BEATS = re.compile(r"\b(\d{2,3})\s*-?\s*(?:bpm|beats per minute)\b", re.IGNORECASE)
_TEMPO_WORDS = (
    (re.compile(r"\b(very slow|grave|largo|drone|beatless|ambient)\b", re.IGNORECASE), 50),
    (re.compile(r"\b(slow|slowly|adagio|lento|ballad|downtempo)\b", re.IGNORECASE), 70),
    (re.compile(r"\b(mid-?tempo|andante|moderate|walking)\b", re.IGNORECASE), 100),
    (re.compile(r"\b(very fast|presto|frantic|breakneck)\b", re.IGNORECASE), 175),
    (re.compile(r"\b(fast|quick|allegro|vivace|up-?tempo|upbeat|driving|energetic)\b", re.IGNORECASE), 140),
)

# Values of these that are not worth telling, and what kin in these fields are called.
_USUAL = {"temperature": 1, "top_p": 0}
_OTHERS = {"prompt": "other words", "seed": "another seed", "melody": "another melody"}

LENGTHS = {"short": "under 5 s", "medium": "5 to 15 s", "long": "over 15 s"}
STATES = {
    "render": "rendered",
    "sketch": "sketch",
    "pending": "not rendered yet",
    "damaged": "damaged",
    "newer": "made by a newer version",
    "lost": "lost",
}
_PLAYED = ("render", "sketch")


def length_of(clip: ClipEntry) -> float:
    """Seconds of a clip: its preview's, or what was asked for while there is none."""
    return float(clip["length"] or request_value(clip["request"], "duration"))


def playable(clip: ClipEntry) -> bool:
    """Whether there is something to hear."""
    return clip["state"] in _PLAYED and bool(clip["audio"])


def state_of(clip: ClipEntry) -> str:
    """A clip's state; a clip that should be played and cannot be is pending."""
    return clip["state"] if playable(clip) or clip["state"] not in _PLAYED else "pending"


def facts(clip: ClipEntry) -> list[list[str]]:
    """What is worth knowing of a clip in one line: pairs of a label, or nothing, and a value."""
    request = clip["request"]
    unused = inert(request)
    pairs = [["", clip["model"]], ["", labels.quantity("duration", round(length_of(clip), 1))]]
    if is_unseeded(request):
        pairs.append([labels.label("seed"), "not known"])
    for field in ("seed", "cfg_coef", "temperature", "top_p"):
        value = request_value(request, field)
        if field not in unused and (field not in _USUAL or value != _USUAL[field]):
            pairs.append([labels.label(field), labels.number(value)])
    return pairs


def facts_line(pairs: Iterable[Sequence[str]]) -> str:
    """Facts as a line of text."""
    return " · ".join(" ".join(filter(None, pair)) for pair in pairs)


def shared_facts(clips: Sequence[ClipEntry]) -> dict[str, Any]:
    """What may be told of one sound that stands for several clips: what holds for all of them."""
    others = [facts(clip) for clip in clips[1:]]
    pairs = [pair for pair in facts(clips[0]) if all(pair in other for other in others)]
    return {"facts": pairs, "line": facts_line(pairs)}


def played(clip: ClipEntry, path: str, name: str) -> dict[str, Any]:
    """What the player needs of a clip; ``name`` is what it calls it."""
    return {
        "key": clip["key"],
        "id": clip["id"],
        "state": state_of(clip),
        "audio": clip["audio"] if playable(clip) else "",
        "cover": clip["cover"] if playable(clip) else "",
        "length": round(length_of(clip), 2),
        "name": name,
        "facts": (pairs := facts(clip)),
        "line": facts_line(pairs),
        "page": f"{addresses.prompt_page(path)}#{clip['id']}",
    }


def varied(entry: PromptEntry) -> list[str]:
    """Fields in which a prompt's clips differ, in the order of ``labels.FIELD_ORDER``."""
    if entry["grid"]:
        fields = {axis["field"] for axis in entry["grid"]["axes"] if len(axis["values"]) > 1}
    else:
        fields = {
            field
            for field in {name for clip in entry["clips"] for name in clip["changes"]}
            if len({labels.number(take_value(clip, field)) for clip in entry["clips"]}) > 1
        }
    return sorted(fields, key=labels.place)


def heard(entry: PromptEntry) -> list[str]:
    """Those of the fields in which a prompt's clips differ whose effect can be heard: not all is rendered."""
    sounds, fields = by_sound(entry["clips"]), varied(entry)
    if len(sounds) == len(entry["clips"]):
        return fields
    return [
        field for field in fields if len({labels.number(take_value(each[0], field)) for each in sounds}) > 1
    ]


def compares(entry: PromptEntry) -> list[str]:
    """Fields that a visitor can compare here: among the prompt's clips, or with their kin."""
    kin = {kin["field"] for clip in entry["clips"] for kin in clip["kin"]}
    return sorted(kin.union(heard(entry)), key=labels.place)


def told_takes(entry: PromptEntry) -> str:
    """How many takes a prompt has, and how many sketches where they share some: 5 takes, one sketch."""
    clips, sounds = entry["clips"], by_sound(entry["clips"])
    amount = labels.count(len(clips), "take")
    if len(sounds) == len(clips) or not all(clip["sound"] for clip in clips):
        return amount
    return f"{amount}, {'one sketch' if len(sounds) == 1 else f'{len(sounds)} sketches'}"


def take_value(clip: ClipEntry, field: str) -> Any:
    """A clip's value of a field, models by the gallery's names."""
    return clip["model"] if field == "model" else request_value(clip["request"], field)


def row(entry: PromptEntry) -> dict[str, Any]:
    """What a row shows, as plain data: pages are made from it, and search results too.

    ``clip`` is the take that plays first, ``takes`` are those that are offered beside each other.
    """
    fields, sounds = varied(entry), by_sound(entry["clips"])
    text, first, line = labels.excerpt(entry["text"]), _first(entry, fields, sounds), _line(entry)
    takes: list[dict[str, Any]] = []
    if len(sounds) > 1 and fields:
        shown = sounds[:MOST_TAKES]
        if first not in shown:
            shown[-1] = first
        for alike in shown:
            label = {"label": _label(entry, alike, fields)}
            takes.append(played(alike[0], entry["path"], text) | shared_facts(alike) | label)
        if len(shown) < len(sounds):
            line.append(f"all {len(sounds)}")
    return {
        "path": entry["path"],
        "title": own_title(entry["title"], entry["text"]),
        "text": text,
        "tags": entry["tags"],
        "clip": played(first[0], entry["path"], text) | shared_facts(first),
        "takes": takes,
        "line": line,
    }


def _first(entry: PromptEntry, fields: Sequence[str], sounds: list[list[ClipEntry]]) -> list[ClipEntry]:
    """What plays first: of what can be heard the take that has most parameters at their defaults."""
    heard = [alike for alike in sounds if playable(alike[0])] or sounds
    return max(heard, key=lambda alike: max(_defaults(entry, clip, fields) for clip in alike))


def _defaults(entry: PromptEntry, clip: ClipEntry, fields: Sequence[str]) -> int:
    """How many of the fields have their default, or the prompt's own words."""
    known = {field: info.default for field, info in parameter_fields().items()} | {"prompt": entry["text"]}
    return sum(field in known and take_value(clip, field) == known[field] for field in fields)


def _label(entry: PromptEntry, alike: Sequence[ClipEntry], fields: Sequence[str]) -> str:
    """What sets a take apart, in the order of the fields; of one sound of several, what sets each."""
    names = [
        " · ".join(
            _NOT_USED
            if len(fields) > 1 and field in inert(clip["request"])
            else stop(field, take_value(clip, field), entry)
            if field in ("prompt", "melody")
            else labels.number(take_value(clip, field))
            for field in fields
        )
        for clip in alike
    ]
    if len(fields) > 1 and len(names) > _MOST_ALIKE:
        names[_MOST_ALIKE - 1 :] = ["…"]
    return ", ".join(names)


def tempo(text: str) -> int:
    """Beats a minute, as the prompt says or as its words suggest; 0 where it says nothing."""
    if beats := _BEATS.search(text):
        return int(beats[1])
    return next((guess for pattern, guess in _TEMPO_WORDS if pattern.search(text)), 0)


def own_title(title: str, text: str) -> str:
    """A prompt's title, empty where it only repeats how the prompt begins."""
    begins = " ".join(text.split()).casefold()
    beginning = title.rstrip(" …").strip()
    return "" if begins.startswith(" ".join(beginning.split()).casefold()) else title


def _line(entry: PromptEntry) -> list[Any]:
    """The line on what there is to compare: its lead, and what stands in the accent."""
    clip = entry["clips"][0]
    if len(entry["clips"]) > 1:
        amount, fields = told_takes(entry), heard(entry)
        if len(by_sound(entry["clips"])) == 1:
            return [f"{amount}: waiting to be rendered", []]
        return [
            f"{amount}:" if fields else amount,
            [" × ".join(labels.label(field) for field in fields)] if fields else [],
        ]
    items: dict[str, None] = {}
    for kin in sorted(clip["kin"], key=lambda kin: (labels.place(kin["field"]), labels.number(kin["value"]))):
        field = kin["field"]
        items[_OTHERS.get(field, labels.named(field, kin["value"]))] = None
    shown = list(items)[:_MOST_KIN] + (["…"] if len(items) > _MOST_KIN else [])
    return ["the same but for", shown] if shown else ["", []]


def facets(entry: PromptEntry) -> dict[str, list[str]]:
    """What the filters ask of a prompt: filter -> values that fit it."""
    clips = entry["clips"]
    return {
        "folder": folders(entry["path"]),
        "model": sorted({clip["model"] for clip in clips}),
        "tag": sorted(set(entry["tags"])),
        "author": [entry["author"].lower()] if entry["author"] else [],
        "length": sorted({_length_class(length_of(clip)) for clip in clips}),
        "compares": [labels.label(field) for field in compares(entry)],
        "state": sorted({state_of(clip) for clip in clips}),
    }


def folders(path: str) -> list[str]:
    """The folders that a prompt lies in: edm, edm/trance."""
    return list(itertools.accumulate(path.split("/")[:-1], "{}/{}".format))


def _length_class(seconds: float) -> str:
    return "short" if seconds < 5 else "medium" if seconds <= 15 else "long"
