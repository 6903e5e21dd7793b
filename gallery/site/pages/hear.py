"""The daily listening test: pairs of rendered clips that differ in one thing.

Which five of them a day has is chosen in the browser: a site is not built every day.
"""

from __future__ import annotations

import heapq
import json
from typing import TYPE_CHECKING, NamedTuple

from gallery.site.pages import rows
from gallery.site.theme import labels
from gallery.site.theme.theme import as_json
from gallery.site.writer import Page
from gallery.utils.digest import digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gallery.catalogue.entries import Catalogue, PromptEntry
    from gallery.site.theme.theme import Theme
    from gallery.state.database import State

ADDRESS = "hear/index.html"
PAIRS_ADDRESS = "hear/pairs.js"

# Rounds a day. With fewer pairs there is no test.
ROUNDS = 5

# A visitor downloads all pairs that a day may choose from.
MOST_PAIRS = 500
_MOST_OF_PROMPT = 8

# Rows of the state: the pairs that a prompt's clips may make, by its path.
PAIRS = "pairs"

# What most prompts have.
_NONE = "[]"

# Where one clip is the beginning of the other there may be nothing to hear.
_UNFAIR = ("duration",)


class Pair(NamedTuple):
    """Two clips that differ in one field alone, by their keys in order."""

    a: str
    b: str
    field: str


def candidates(entry: PromptEntry) -> str:
    """The pairs that a prompt's rendered clips make with their kin, rendered or not, as JSON."""
    found = {
        Pair(min(clip["key"], kin["key"]), max(clip["key"], kin["key"]), kin["field"])
        for clip in entry["clips"]
        if clip["state"] == "render" and rows.playable(clip)
        for kin in clip["kin"]
        if kin["field"] not in _UNFAIR
    }
    return json.dumps(heapq.nsmallest(_MOST_OF_PROMPT, found, key=_order), separators=(",", ":"))


def pairs(catalogue: Catalogue, state: State) -> list[Pair]:
    """The gallery's pairs; nothing where there are fewer than a day has rounds."""
    found = {
        pair
        for _, _, text in state.each(PAIRS)
        if text != _NONE
        for pair in map(Pair._make, json.loads(text))
        if catalogue.state(pair.a) == catalogue.state(pair.b) == "render"
    }
    return heapq.nsmallest(MOST_PAIRS, found, key=_order) if len(found) >= ROUNDS else []


def _order(pair: Pair) -> str:
    """By chance, and always the same: so no prompt's pairs and no field's come first."""
    return digest(*pair)


def hear_pages(found: Sequence[Pair], theme: Theme) -> Iterator[Page]:
    """The test's page and the script with its pairs."""
    if not found:
        return
    told = [[pair.a, pair.b, labels.label(pair.field)] for pair in found]
    script = f"window.GALLERY_PAIRS={json.dumps(told, separators=(',', ':'))};\n".encode()
    version = digest(script)
    yield Page(PAIRS_ADDRESS, version, lambda: script)
    data = {"here": "listen", "rounds": ROUNDS, "pairs": f"{PAIRS_ADDRESS}?v={version[:10]}"}
    yield Page(ADDRESS, digest(theme.digest, as_json(data)), theme.render, ("hear.html", ADDRESS, data))
