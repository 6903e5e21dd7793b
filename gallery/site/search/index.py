"""The scripts that searching and comparing load on demand: search/<part>.js and clips/<xx>.js.

Scripts rather than JSON: pages opened from disk may load scripts but not fetch.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gallery.prompts.request import inert, request_value
from gallery.site.pages import rows
from gallery.site.theme import addresses, labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gallery.catalogue.entries import Catalogue, ClipEntry, PromptEntry

# The most that one part holds, as `size` counts it. Words that hardly compress come to three quarters
# of it, others to a third: no download exceeds 300 KB, whatever the prompts say.
PART_SIZE = 330_000

# Parameters that can be searched by range, in the order of the packed values.
RANGES = ("cfg_coef", "temperature", "top_k", "top_p", "duration")

_STATES = list(rows.STATES)


def size(entry: PromptEntry) -> int:
    """About what a prompt takes up in its part: its words, and for each clip a key and a few facts."""
    written = [entry["text"], entry["path"], entry["title"], *entry["tags"]]
    clips = min(len(entry["clips"]), rows.MOST_TAKES)
    return sum(len(text.encode(errors="replace")) for text in written) + 60 * (1 + clips)


def parts(sizes: Iterable[int]) -> list[slice]:
    """Cuts a list of prompts, whose data has these sizes, into parts of at most `PART_SIZE`."""
    cuts, held, count = [0], 0, 0
    for count, each in enumerate(sizes, 1):
        if held and held + each > PART_SIZE:
            cuts.append(count - 1)
            held = 0
        held += each
    return [slice(start, end) for start, end in zip(cuts, [*cuts[1:], count], strict=True)]


def ranges(entry: PromptEntry) -> list[list[float | None]]:
    """The parameters of a prompt's clips that can be searched by range, each combination once."""
    found = []
    for clip in entry["clips"]:
        unused = inert(clip["request"])
        values = [None if field in unused else request_value(clip["request"], field) for field in RANGES[:-1]]
        values.append(round(rows.length_of(clip), 1))
        if values not in found:
            found.append(values)
    return found


def search_script(part: int, entries: Sequence[PromptEntry], shown: Sequence[dict[str, Any]]) -> bytes:
    """One part of the prompts, in the order of the lists, without what can be worked out from the rest."""
    tables = {name: _Numbers() for name in ("tags", "models", "authors", "compares", "ranges")}
    homes = _homes(entries)
    table = []
    for entry, row in zip(entries, shown, strict=True):
        facets = rows.facets(entry)
        takes = row["takes"] or [row["clip"]]
        table.append(
            [
                entry["path"],
                row["title"],
                entry["text"],
                [tables["tags"][tag] for tag in entry["tags"]],
                tables["authors"][entry["author"]],
                [tables["models"][model] for model in facets["model"]],
                [list(rows.LENGTHS).index(name) for name in facets["length"]],
                [tables["compares"][name] for name in facets["compares"]],
                [_STATES.index(name) for name in facets["state"]],
                rows.tempo(entry["text"]),
                [tables["ranges"][tuple(values)] for values in ranges(entry)],
                row["line"],
                [_compact(clip, homes) for clip in takes],
            ]
        )
    data = {
        "part": part,
        **{name: list(numbers) for name, numbers in tables.items()},
        "tags": [[tag, addresses.segment(tag)] for tag in tables["tags"]],
        "lengths": list(rows.LENGTHS),
        "states": _STATES,
        "homes": homes,
        "rows": table,
    }
    return f"(window.GALLERY=window.GALLERY||[]).push({_json(data)});\n".encode(errors="replace")


def clips_parts(catalogue: Catalogue) -> dict[str, dict[str, str]]:
    """Every clip, in parts by the key's first two digits: address -> key -> its prompt's path.

    A clip that several prompts ask for belongs to the first of them.
    """
    found: dict[str, dict[str, str]] = {}
    for path in catalogue.paths:
        for key in catalogue.keys(path):
            found.setdefault(f"clips/{key[:2]}.js", {}).setdefault(key, path)
    return {address: dict(sorted(part.items())) for address, part in sorted(found.items())}


def clips_script(name: str, catalogue: Catalogue, part: Mapping[str, str]) -> bytes:
    """One part of the clips: all that playing, comparing and keeping them takes."""
    known = {}
    for key, path in part.items():
        if clip := catalogue.get(key):
            known[key] = _known(clip, path, *catalogue.heading(path))
    return f'(window.GALLERY_CLIPS=window.GALLERY_CLIPS||{{}})["{name}"]={_json(known)};\n'.encode(
        errors="replace"
    )


def _known(clip: ClipEntry, path: str, title: str, text: str) -> dict[str, Any]:
    there = rows.playable(clip)
    changed = [field for field in labels.FIELD_ORDER if field in clip["changes"] and field != "prompt"]
    return {
        "path": path,
        "title": rows.own_title(title, text),
        "text": clip["request"]["prompt"],
        "label": ", ".join(labels.named(field, clip["changes"][field]) for field in changed),
        "state": clip["state"] if there else "pending",
        **{name: clip[name] if there else "" for name in ("audio", "cover", "peaks")},
        "length": round(rows.length_of(clip), 2),
        "facts": rows.facts(clip),
        "values": _values(clip),
        "request": dict(sorted(clip["request"].items())),
    }


def _values(clip: ClipEntry) -> list[list[str]]:
    """All that can set a clip apart but its wording, as people read it; what is not used is left out."""
    unused = inert(clip["request"])
    return [
        [labels.label(field), labels.quantity(field, rows.take_value(clip, field))]
        for field in labels.FIELD_ORDER
        if field != "prompt" and field not in unused and rows.take_value(clip, field) is not None
    ]


def _json(data: Any) -> str:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # U+2028 and U+2029 end a line in the scripts of older browsers.
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _homes(entries: Sequence[PromptEntry]) -> dict[str, list[str]]:
    """Where the clips of each state lie: state -> what stands before the key for audio and for covers."""
    homes: dict[str, list[str]] = {}
    for entry in entries:
        for clip in entry["clips"]:
            if clip["state"] not in homes and rows.playable(clip) and (home := _home(clip)):
                homes[clip["state"]] = home
    return dict(sorted(homes.items()))


def _home(clip: ClipEntry | dict[str, Any]) -> list[str]:
    """What stands before the key in the addresses of a clip's files; nothing where they don't follow it."""
    audio, key, rest = clip["audio"].partition(clip["key"])
    cover, cover_key, cover_rest = clip["cover"].partition(clip["key"])
    whole = key == cover_key == clip["key"] and (rest, cover_rest) == (".mp3", ".webp")
    return [audio, cover] if whole else []


def _compact(clip: dict[str, Any], homes: dict[str, list[str]]) -> list[Any]:
    fields = [clip["key"], _STATES.index(clip["state"]), clip["length"], clip["facts"], clip.get("label", "")]
    if clip["audio"] and _home(clip) != homes.get(clip["state"]):
        fields += [clip["audio"], clip["cover"]]
    return fields


class _Numbers(dict[Any, int]):
    """What is told once and then called by number."""

    def __missing__(self, name: Any) -> int:
        return self.setdefault(name, len(self))
