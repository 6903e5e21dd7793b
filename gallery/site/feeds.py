"""feed.xml, podcast.xml, sitemap.xml and catalogue.json: the catalogue for readers that are programs."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Any

import gallery
from gallery.site.pages import rows
from gallery.site.theme import labels
from gallery.site.theme.theme import absolute
from gallery.state.database import Damaged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gallery.catalogue.entries import Catalogue, ClipEntry, PromptEntry
    from gallery.config import Site
    from gallery.site.theme.theme import Theme
    from gallery.state.database import State

# Rows of the state: lines of the catalogue by their prompts' paths.
LINE = "line"

# So many lines of the catalogue are in memory at a time.
_AT_ONCE = 500

FEED_LENGTH = 50
PODCAST_LENGTH = 100

# Podcasts are known by the UUID of their feed's address in this namespace, wherever they move.
_PODCASTS = uuid.UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")


def feed(catalogue: Catalogue, theme: Theme) -> bytes:
    """An Atom feed of the newest prompts, with their first clip to listen to."""
    every = (catalogue.entry(path, wordings=False) for path in catalogue.paths)
    # A feed cannot do without a date.
    newest = islice((entry for entry in every if entry["date"]), FEED_LENGTH)
    entries = [
        {**entry, "summary": _summary(entry), "clip": next(filter(rows.playable, entry["clips"]), None)}
        for entry in newest
    ]
    return theme.render("feed.xml", "feed.xml", {"entries": entries})


def podcast(catalogue: Catalogue, theme: Theme) -> bytes:
    """An RSS 2.0 feed of the newest clips, each once. Never a sketch: in a player nobody sees the label."""
    items: dict[str, dict[str, Any]] = {}
    for path in catalogue.paths:
        entry = catalogue.entry(path, wordings=False)
        for clip in entry["clips"] if entry["date"] else ():
            if clip["state"] == "render" and rows.playable(clip) and clip["key"] not in items:
                items[clip["key"]] = _podcast_item(entry, clip)
        if len(items) >= PODCAST_LENGTH:
            break
    shown = list(items.values())[:PODCAST_LENGTH]
    guid = uuid.uuid5(_PODCASTS, absolute(theme.config.site.base_url, "podcast.xml").split("://", 1)[1])
    return theme.render("podcast.xml", "podcast.xml", {"items": shown, "guid": guid})


def sitemap(pages: Iterable[tuple[str, str]], base_url: str) -> Iterator[bytes]:
    """Every page for people, with the day it last changed where that is known."""
    yield b'<?xml version="1.0" encoding="utf-8"?>\n'
    yield b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    for address, date in pages:
        changed = f"<lastmod>{date}</lastmod>" if date else ""
        yield f"<url><loc>{escape(absolute(base_url, address), quote=False)}</loc>{changed}</url>\n".encode()
    yield b"</urlset>\n"


def line(entry: PromptEntry) -> str:
    """A prompt's line of the catalogue."""
    return json.dumps(entry, ensure_ascii=False, sort_keys=True)


def read_entries(paths: Sequence[str], state: State) -> dict[str, PromptEntry]:
    """The entries that prompts' lines were made of, by their paths."""
    known = {path: json.loads(row.value) for path, row in state.some(LINE, paths).items()}
    if known.keys() != {*paths}:
        raise Damaged
    return known


def catalogue(paths: Sequence[str], state: State, site: Site) -> Iterator[bytes]:
    """The catalogue as data, one prompt a line."""
    head = {
        "version": 1,
        "generator": f"gallery {gallery.__version__}",
        "title": site.title,
        "description": site.description,
    }
    yield f'{json.dumps(head, ensure_ascii=False)[:-1]}, "prompts": ['.encode()
    between = "\n"
    for start in range(0, len(paths), _AT_ONCE):
        some = paths[start : start + _AT_ONCE]
        known = state.some(LINE, some)
        for path in some:
            if path not in known:
                raise Damaged
            yield f"{between}{known[path].value}".encode(errors="replace")
            between = ",\n"
    yield b"\n]}\n"


def _summary(entry: PromptEntry) -> str:
    clips = entry["clips"]
    sketched = any(clip["state"] == "sketch" for clip in clips)
    kind = "sketch, not made by MusicGen" if sketched else ""
    told = [entry["text"], rows.told_takes(entry) if len(clips) > 1 else "", kind]
    return " · ".join(part for part in told if part)


def _podcast_item(entry: PromptEntry, clip: ClipEntry) -> dict[str, Any]:
    changes = ", ".join(
        labels.excerpt(str(value), 60) if field == "prompt" else labels.named(field, value)
        for field, value in clip["changes"].items()
    )
    facts = " · ".join(" ".join(filter(None, pair)) for pair in rows.facts(clip))
    return {
        "path": entry["path"],
        "clip": clip,
        "title": f"{entry['title']} ({changes})" if changes else entry["title"],
        "description": f"{clip['request'].get('prompt', entry['text'])} · {facts}",
        "published": format_datetime(datetime.fromisoformat(entry["date"]).replace(tzinfo=UTC), usegmt=True),
        "seconds": max(1, round(rows.length_of(clip))),
    }
