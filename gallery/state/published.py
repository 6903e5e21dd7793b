"""What an earlier build published, read back from its catalogue.json.

The file lies among others that anybody could have written: an entry that is not what a
build writes is left out, as if it had never been published.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from gallery.catalogue.entries import PromptEntry
from gallery.prompts.request import Request, is_piled

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from gallery.catalogue.entries import ClipEntry

CATALOGUE_NAME = "catalogue.json"

_ENTRY = TypeAdapter(PromptEntry)
_KEY = re.compile(r"[0-9a-f]{32}")
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})?")
_PATH = re.compile(r"[a-z0-9_-]+(/[a-z0-9_-]+)*")


def published_before(output: Path, paths: Collection[str]) -> list[PromptEntry]:
    """The entries of these prompts, by their paths, in the site that lies in ``output``."""
    if not paths:
        return []
    try:
        path = output / CATALOGUE_NAME
        found = json.loads(path.read_bytes())["prompts"] if path.is_file() else []
        return list(_sound([entry for entry in found if entry["path"] in paths]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def _sound(found: list[Any]) -> Iterator[PromptEntry]:
    for value in found:
        try:
            entry = _ENTRY.validate_python(value, strict=True)
            json.dumps(entry, allow_nan=False)
        except ValueError:  # a ValidationError is one
            continue
        if _is_sound(entry):
            yield entry


def _is_sound(entry: PromptEntry) -> bool:
    keys = [clip["key"] for clip in entry["clips"]]
    return (
        bool(keys)
        and len(set(keys)) == len(keys)
        and _DATE.fullmatch(entry["date"]) is not None
        and not is_piled(entry["text"])
        and all(_is_clip(clip) for clip in entry["clips"])
        and _is_grid(entry, keys)
    )


def _is_clip(clip: ClipEntry) -> bool:
    try:
        key = Request.model_validate(clip["request"]).key
    except ValidationError:
        return False
    return (
        clip["key"] == key
        and clip["id"] == key[:8]
        and all(_KEY.fullmatch(kin["key"]) and _PATH.fullmatch(kin["prompt"]) for kin in clip["kin"])
        and all(len(step) == 2 for kin in clip["kin"] for step in kin.get("words", ()))
    )


def _is_grid(entry: PromptEntry, keys: list[str]) -> bool:
    grid = entry["grid"]
    if grid is None:
        return True
    sizes = [len(axis["values"]) for axis in grid["axes"]]
    return math.prod(sizes) == len(grid["cells"]) and set(grid["cells"]) == set(keys)
