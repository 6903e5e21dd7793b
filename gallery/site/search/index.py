"""The scripts that searching and comparing load on demand: search/<part>.js, search/words.js, clips/<xx>.js.

Scripts rather than JSON: pages opened from disk may load scripts but not fetch.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from gallery.prompts.request import inert, request_value
from gallery.site.pages import rows
from gallery.site.search import words
from gallery.site.theme import addresses, labels
from gallery.state.database import Damaged

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from gallery.catalogue.entries import Catalogue, ClipEntry, PromptEntry
    from gallery.state.database import State

# The most that one part holds, as `size` counts it; notes add a fifth. Words that hardly compress come to
# of it, others to a third: no download exceeds 300 KB, whatever the prompts say.
PART_SIZE = 275_000

# Parameters that the filters offer a range of: the first of those whose values are packed.
RANGES = words.PARAMETERS[:5]

# The script that says how people write words, and what can be asked for by name.
WORDS = "search/words.js"

# Of what a prompt takes up in its part, the share that its notes may add.
_NOTES_SHARE = 0.2

_STATES = list(rows.STATES)

# Rows of the state: what searching knows of a prompt, by its path, and what playing a clip takes.
FOUND, CLIP = "found", "clip"

# Of notes: what is no word of theirs, and words that are worth finding them by.
_ADDRESS = re.compile(r"https?://\S+|\]\([^)\s]*\)|<[^>]*>")
_WORD = re.compile(r"[^\W_]+")
_SHORTEST = 3

# What searching knows of a clip, in this order.
_PLAYED = ("key", "state", "length", "facts", "label", "audio", "cover")


def size(entry: PromptEntry) -> int:
    """About what a prompt takes up in its part: its words, and for each clip a key and a few facts."""
    written = [entry["text"], entry["path"], entry["title"], *entry["tags"]]
    clips = min(len(entry["clips"]), rows.MOST_TAKES)
    return sum(len(text.encode(errors="replace")) for text in written) + 60 * (1 + clips)


def parts(sizes: Iterable[int], most: int = PART_SIZE) -> list[slice]:
    """Cuts a list of prompts of these sizes into parts of ``most`` together, or of one that is larger."""
    cuts, held, count = [0], 0, 0
    for count, each in enumerate(sizes, 1):
        if held and held + each > most:
            cuts.append(count - 1)
            held = 0
        held += each
    return [slice(start, end) for start, end in zip(cuts, [*cuts[1:], count], strict=True)]


def ranges(entry: PromptEntry) -> list[list[float | None]]:
    """The parameters of a prompt's clips that can be searched by range, each combination once."""
    found = []
    for values in _settings(entry):
        if values[:-1] not in found:
            found.append(values[:-1])
    return found


def _settings(entry: PromptEntry) -> list[list[float | None]]:
    """What a prompt's clips have for `words.PARAMETERS`, each once; nothing where it is not used."""
    found = []
    for clip in entry["clips"]:
        unused = inert(clip["request"])
        values = [
            round(rows.length_of(clip), 1)
            if field == "duration"
            else None
            if field in unused
            else request_value(clip["request"], field)
            for field in words.PARAMETERS
        ]
        if values not in found:
            found.append(values)
    return found


def found(entry: PromptEntry, row: Mapping[str, Any]) -> str:
    """What searching knows of a prompt, as JSON; ``row`` is what lists show of it."""
    facets = rows.facets(entry)
    takes = row["takes"] or [row["clip"]]
    told = [
        row["title"],
        entry["text"],
        entry["tags"],
        entry["author"],
        facets["model"],
        facets["length"],
        facets["compares"],
        facets["state"],
        rows.tempo(entry["text"]),
        _settings(entry),
        row["line"],
        [[clip.get(name, "") for name in _PLAYED] for clip in takes],
        [clip["key"] for clip in takes].index(row["clip"]["key"]),
    ]
    return _json([*told, _noted(entry, int(size(entry) * _NOTES_SHARE))])


def _noted(entry: PromptEntry, most: int) -> str:
    """The words of a prompt's notes that nothing else of it says, each once: at most so many bytes."""
    said = set(_WORD.findall(" ".join([entry["title"], entry["text"], *entry["tags"]]).lower()))
    kept: list[str] = []
    for word in _WORD.findall(_ADDRESS.sub(" ", entry["notes"]).lower()):
        if word in said or len(word) < _SHORTEST:
            continue
        said.add(word)
        most -= len(word.encode(errors="replace")) + 1
        if most < 0:
            break
        kept.append(word)
    return " ".join(kept)


def search_script(part: int, paths: Sequence[str], state: State, alone: Container[str] = ()) -> bytes:
    """One part of the prompts, in the order of the lists, without what can be worked out from the rest.

    Tags in ``alone`` have no page of their own.
    """
    tables = {name: _Numbers() for name in ("tags", "models", "authors", "compares", "ranges")}
    known = state.some(FOUND, paths)
    homes: dict[str, list[str]] = {}
    table = []
    for path in paths:
        if path not in known:
            raise Damaged
        told = json.loads(known[path].value)
        title, text, tags, author, models, lengths, compares, states, tempo, settings, line, takes = told[:12]
        start, noted = told[12:]
        seeds = [values[-1] for values in settings]
        spans = [tables["ranges"][_without_end(values[:-1])] for values in settings]
        if len(set(seeds)) == 1:
            seeds, spans = seeds[0], [*dict.fromkeys(spans)]
        table.append(
            [
                path,
                title,
                text,
                [tables["tags"][tag] for tag in tags],
                tables["authors"][author],
                [tables["models"][model] for model in models],
                [list(rows.LENGTHS).index(name) for name in lengths],
                [tables["compares"][name] for name in compares],
                [_STATES.index(name) for name in states],
                tempo,
                spans,
                line,
                [_compact(take, homes) for take in takes],
                seeds,
                *([start, noted] if noted else [start] if start else []),
            ]
        )
    data = {
        "part": part,
        **{name: list(numbers) for name, numbers in tables.items()},
        "tags": [[tag, "" if tag in alone else addresses.segment(tag)] for tag in tables["tags"]],
        "lengths": list(rows.LENGTHS),
        "states": _STATES,
        "homes": dict(sorted(homes.items())),
        "rows": table,
    }
    return f"(window.GALLERY=window.GALLERY||[]).push({_json(data)});\n".encode(errors="replace")


def words_script(filters: Sequence[str], own: Sequence[Sequence[str]]) -> bytes:
    """How people write words, ``own`` being the gallery's, and what can be asked for by name."""
    told = {"forms": words.forms(own), "fields": words.fields(filters)}
    return f"window.GALLERY_WORDS={_json(told)};\n".encode(errors="replace")


def clips_parts(catalogue: Catalogue) -> dict[str, dict[str, str]]:
    """Every clip, in parts by the key's first two digits: address -> key -> its prompt's path.

    A clip that several prompts ask for belongs to the first of them.
    """
    found: dict[str, dict[str, str]] = {}
    for path in catalogue.paths:
        for key in catalogue.keys(path):
            found.setdefault(f"clips/{key[:2]}.js", {}).setdefault(key, path)
    return {address: dict(sorted(part.items())) for address, part in sorted(found.items())}


def clip_name(path: str, key: str) -> str:
    """The name of a prompt's clip in the state."""
    return f"{key} {path}"


def clips(entry: PromptEntry) -> dict[str, str]:
    """All that playing, comparing and keeping a prompt's clips takes: JSON by their keys."""
    return {clip["key"]: _json(_known(clip, entry)) for clip in entry["clips"]}


def clips_script(name: str, part: Mapping[str, str], state: State) -> bytes:
    """One part of the clips: of those with these keys what the prompts with these paths say."""
    known = state.some(CLIP, [clip_name(path, key) for key, path in part.items()])
    try:
        told = ",".join(f'"{key}":{known[clip_name(path, key)].value}' for key, path in part.items())
    except KeyError as error:
        raise Damaged from error
    return f'(window.GALLERY_CLIPS=window.GALLERY_CLIPS||{{}})["{name}"]={{{told}}};\n'.encode(
        errors="replace"
    )


def _known(clip: ClipEntry, entry: PromptEntry) -> dict[str, Any]:
    there = rows.playable(clip)
    changed = [field for field in labels.FIELD_ORDER if field in clip["changes"] and field != "prompt"]
    return {
        "path": entry["path"],
        "title": rows.own_title(entry["title"], entry["text"]),
        "text": clip["request"]["prompt"],
        "label": ", ".join(labels.named(field, clip["changes"][field]) for field in changed),
        "state": rows.state_of(clip),
        **({"sound": clip["sound"]} if there and clip["sound"] else {}),
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


def _compact(take: list[Any], homes: dict[str, list[str]]) -> list[Any]:
    """A clip without its addresses, where they are its key between what ``homes`` says of its state."""
    key, state, length, facts, label, audio, cover = take
    fields = [key, _STATES.index(state), length, facts, label]
    if audio:
        home = _home(key, audio, cover)
        if not home or homes.setdefault(state, home) != home:
            fields += [audio, cover]
    return fields


def _home(key: str, audio: str, cover: str) -> list[str]:
    """What stands before the key in the addresses of a clip's files; nothing where they don't follow it."""
    before, found, rest = audio.partition(key)
    cover_before, cover_found, cover_rest = cover.partition(key)
    whole = found == cover_found == key and (rest, cover_rest) == (".mp3", ".webp")
    return [before, cover_before] if whole else []


def _without_end(values: list[Any]) -> tuple[Any, ...]:
    """Values without what is not used at their end, as most strides are."""
    return tuple(values if values[-1] is not None else values[:-1])


class _Numbers(dict[Any, int]):
    """What is told once and then called by number."""

    def __missing__(self, name: Any) -> int:
        return self.setdefault(name, len(self))
