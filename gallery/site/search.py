"""search.js and its neighbours: what the search field looks through, as scripts that set one constant."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gallery.site import addresses, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gallery.catalogue import ClipEntry, PromptEntry

_STATES = list(rows.STATES)


def search_script(entries: Sequence[PromptEntry], shown: Sequence[dict[str, Any]]) -> bytes:
    """Every prompt in the order of the lists, without what can be worked out from the rest.

    A script rather than JSON: pages opened from disk may load scripts but not fetch.
    """
    tags, models, authors, labels = _Numbers(), _Numbers(), _Numbers(), _Numbers()
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
                [tags.of(tag) for tag in entry["tags"]],
                authors.of(entry["author"]),
                [models.of(model) for model in facets["model"]],
                entry["date"],
                [list(rows.LENGTHS).index(name) for name in facets["length"]],
                [labels.of(name) for name in facets["compares"]],
                [_STATES.index(name) for name in facets["state"]],
                row["line"],
                [_compact(clip, homes) for clip in takes],
            ]
        )
    data = {
        "tags": [[tag, addresses.slug(tag)] for tag in tags.names],
        "models": models.names,
        "authors": authors.names,
        "compares": labels.names,
        "lengths": list(rows.LENGTHS),
        "states": _STATES,
        "homes": homes,
        "rows": table,
    }
    return _script("GALLERY", data)


def peaks_scripts(entries: Sequence[PromptEntry]) -> dict[str, dict[str, str]]:
    """Waveforms of every clip, in sixteen parts by the key's first digit: address -> key -> peaks."""
    parts: dict[str, dict[str, str]] = {}
    for entry in entries:
        for clip in entry["clips"]:
            if rows.playable(clip) and clip["peaks"]:
                parts.setdefault(f"peaks/{clip['key'][:1]}.js", {})[clip["key"]] = clip["peaks"]
    return {address: dict(sorted(part.items())) for address, part in sorted(parts.items())}


def peaks_script(address: str, part: dict[str, str]) -> bytes:
    """One part of the waveforms."""
    return _script(f"GALLERY_PEAKS_{address[6]}", part)


def _script(name: str, data: Any) -> bytes:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # U+2028 and U+2029 end a line in the scripts of older browsers.
    text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return f"var {name}={text};\n".encode(errors="replace")


def _homes(entries: Sequence[PromptEntry]) -> dict[str, list[str]]:
    """Where the clips of each state lie: state -> what stands before the key for audio and for covers."""
    homes: dict[str, list[str]] = {}
    for entry in entries:
        for clip in entry["clips"]:
            if rows.playable(clip) and clip["state"] not in homes and _at_home(clip, ["", ""]) is not None:
                homes[clip["state"]] = [
                    clip["audio"].split(clip["key"])[0],
                    clip["cover"].split(clip["key"])[0],
                ]
    return dict(sorted(homes.items()))


def _at_home(clip: ClipEntry | dict[str, Any], home: list[str]) -> bool | None:
    """Whether a clip's files are where ``home`` says; None where their names don't follow the key."""
    if not (clip["audio"].endswith(f"{clip['key']}.mp3") and clip["cover"].endswith(f"{clip['key']}.webp")):
        return None
    return bool(
        clip["audio"] == f"{home[0]}{clip['key']}.mp3" and clip["cover"] == f"{home[1]}{clip['key']}.webp"
    )


def _compact(clip: dict[str, Any], homes: dict[str, list[str]]) -> list[Any]:
    fields = [
        clip["key"],
        clip["id"],
        _STATES.index(clip["state"]),
        clip["length"],
        clip["facts"],
        clip.get("label", ""),
    ]
    if clip["audio"] and not _at_home(clip, homes.get(clip["state"], ["", ""])):
        fields += [clip["audio"], clip["cover"]]
    return fields


class _Numbers:
    """Names that are told once and then called by number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, name: str) -> int:
        return self._numbers.setdefault(name, len(self._numbers))

    @property
    def names(self) -> list[str]:
        return list(self._numbers)
