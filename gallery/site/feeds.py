"""feed.xml, podcast.xml, sitemap.xml and catalogue.json: the catalogue for readers that are programs."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from itertools import islice
from typing import TYPE_CHECKING

import gallery
from gallery.site.pages import rows
from gallery.site.theme import addresses, labels
from gallery.site.theme.theme import absolute
from gallery.state.database import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gallery.catalogue.entries import Catalogue, ClipEntry, PromptEntry
    from gallery.config import Config
    from gallery.state.database import State

# Rows of the state: lines of the catalogue by their prompts' paths.
_LINE = "line"

# So many lines of the catalogue are in memory at a time.
_AT_ONCE = 500

FEED_LENGTH = 50
PODCAST_LENGTH = 100

# Podcasts are known by the UUID of their feed's address in this namespace, wherever they move.
_PODCASTS = uuid.UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")

# What XML 1.0 cannot hold, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def feed_entries(catalogue: Catalogue) -> list[PromptEntry]:
    """The newest prompts that have a date: a feed cannot do without one."""
    entries = (catalogue.entry(path, wordings=False) for path in catalogue.paths)
    return list(islice((entry for entry in entries if entry["date"]), FEED_LENGTH))


def feed(entries: Sequence[PromptEntry], config: Config) -> bytes:
    """An Atom feed of the newest prompts, with their first clip to listen to."""
    site, home = config.site, absolute(config, "")
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang={_quoted(site.language)}>',
        f"<title>{_text(site.title)}</title>",
        f"<subtitle>{_text(site.description)}</subtitle>",
        f"<id>{_text(home)}</id>",
        f"<link href={_quoted(home)}/>",
        f'<link rel="self" type="application/atom+xml" href={_quoted(absolute(config, "feed.xml"))}/>',
        f"<updated>{_moment(max((entry['date'] for entry in entries), default='1970-01-01'))}</updated>",
        f"<author><name>{_text(site.author or site.title)}</name></author>",
        f'<generator version="{gallery.__version__}">gallery</generator>',
    ]
    for entry in entries:
        page = absolute(config, addresses.prompt_page(entry["path"]))
        lines += [
            "<entry>",
            f"<title>{_text(entry['title'])}</title>",
            f"<id>{_text(page)}</id>",
            f"<link href={_quoted(page)}/>",
            f"<updated>{_moment(entry['date'])}</updated>",
            f"<summary>{_text(_summary(entry))}</summary>",
            *(f"<category term={_quoted(tag)}/>" for tag in entry["tags"]),
        ]
        if entry["author"]:
            lines.append(f"<author><name>{_text(entry['author'])}</name></author>")
        for clip in [clip for clip in entry["clips"] if rows.playable(clip)][:1]:
            audio = _quoted(absolute(config, clip["audio"]))
            lines.append(f'<link rel="enclosure" type="audio/mpeg" length="{clip["bytes"]}" href={audio}/>')
        lines.append("</entry>")
    return "\n".join([*lines, "</feed>", ""]).encode()


def podcast_clips(catalogue: Catalogue) -> list[tuple[PromptEntry, ClipEntry]]:
    """The newest clips for podcast players, each once. Never a sketch: there nobody sees the label."""
    clips: dict[str, tuple[PromptEntry, ClipEntry]] = {}
    for path in catalogue.paths:
        entry = catalogue.entry(path, wordings=False)
        for clip in entry["clips"] if entry["date"] else ():
            if clip["state"] == "render" and rows.playable(clip):
                clips.setdefault(clip["key"], (entry, clip))
        if len(clips) >= PODCAST_LENGTH:
            break
    return list(clips.values())[:PODCAST_LENGTH]


def podcast(clips: Sequence[tuple[PromptEntry, ClipEntry]], config: Config) -> bytes:
    """An RSS 2.0 feed of clips that podcast players can play."""
    site, home, own = config.site, absolute(config, ""), absolute(config, "podcast.xml")
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"'
        ' xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
        ' xmlns:podcast="https://podcastindex.org/namespace/1.0">',
        "<channel>",
        f"<title>{_text(site.title)}</title>",
        f"<link>{_text(home)}</link>",
        f"<description>{_text(site.description)}</description>",
        f"<language>{_text(site.language)}</language>",
        f"<generator>gallery {gallery.__version__}</generator>",
        f'<atom:link rel="self" type="application/rss+xml" href={_quoted(own)}/>',
        f"<itunes:author>{_text(site.author or site.title)}</itunes:author>",
        '<itunes:category text="Music"/>',
        "<itunes:explicit>false</itunes:explicit>",
        f"<itunes:image href={_quoted(absolute(config, 'podcast.jpg'))}/>",
        f"<podcast:guid>{uuid.uuid5(_PODCASTS, own.split('://', 1)[1])}</podcast:guid>",
        "<podcast:medium>music</podcast:medium>",
    ]
    for entry, clip in clips:
        page = f"{absolute(config, addresses.prompt_page(entry['path']))}#{clip['id']}"
        length = rows.length_of(clip)
        lines += [
            "<item>",
            f"<title>{_text(_clip_title(entry, clip))}</title>",
            f"<link>{_text(page)}</link>",
            f'<guid isPermaLink="false">{clip["key"]}</guid>',
            f"<pubDate>{format_datetime(_day(entry['date']), usegmt=True)}</pubDate>",
            f"<description>{_text(_told(entry, clip))}</description>",
            f"<enclosure url={_quoted(absolute(config, clip['audio']))}"
            f' length="{clip["bytes"]}" type="audio/mpeg"/>',
            f"<itunes:duration>{max(1, round(length))}</itunes:duration>",
            "<itunes:explicit>false</itunes:explicit>",
            "</item>",
        ]
    return "\n".join([*lines, "</channel>", "</rss>", ""]).encode()


def sitemap(pages: Iterable[tuple[str, str]], config: Config) -> Iterator[bytes]:
    """Every page for people, with the day it last changed where that is known."""
    yield b'<?xml version="1.0" encoding="utf-8"?>\n'
    yield b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    for address, date in pages:
        changed = f"<lastmod>{_text(date)}</lastmod>" if date else ""
        yield f"<url><loc>{_text(absolute(config, address))}</loc>{changed}</url>\n".encode()
    yield b"</urlset>\n"


def catalogue(
    catalogue: Catalogue, decided_by: Mapping[str, str], state: State, config: Config
) -> Iterator[bytes]:
    """The catalogue as data, one prompt a line. Lines are kept by what decided them."""
    head = {
        "version": 1,
        "generator": f"gallery {gallery.__version__}",
        "title": config.site.title,
        "description": config.site.description,
    }
    yield f'{json.dumps(head, ensure_ascii=False)[:-1]}, "prompts": ['.encode()
    between = "\n"
    for start in range(0, len(catalogue.paths), _AT_ONCE):
        paths = catalogue.paths[start : start + _AT_ONCE]
        known = state.some(_LINE, paths)
        fresh: dict[str, Row] = {}
        for path in paths:
            row = known.get(path)
            if not row or row.decided_by != decided_by[path]:
                line = json.dumps(catalogue.entry(path), ensure_ascii=False, sort_keys=True)
                row = fresh[path] = Row(decided_by[path], line)
            yield f"{between}{row.value}".encode(errors="replace")
            between = ",\n"
        state.put(_LINE, fresh)
    state.put(_LINE, {}, state.names(_LINE) - decided_by.keys())
    yield b"\n]}\n"


def _summary(entry: PromptEntry) -> str:
    clips = entry["clips"]
    sketched = any(clip["state"] == "sketch" for clip in clips)
    kind = "sketch, not made by MusicGen" if sketched else ""
    told = [entry["text"], labels.count(len(clips), "take") if len(clips) > 1 else "", kind]
    return " · ".join(part for part in told if part)


def _clip_title(entry: PromptEntry, clip: ClipEntry) -> str:
    changes = ", ".join(
        labels.excerpt(str(value), 60) if field == "prompt" else labels.named(field, value)
        for field, value in clip["changes"].items()
    )
    return f"{entry['title']} ({changes})" if changes else entry["title"]


def _told(entry: PromptEntry, clip: ClipEntry) -> str:
    facts = " · ".join(" ".join(filter(None, pair)) for pair in rows.facts(clip))
    return f"{clip['request'].get('prompt', entry['text'])} · {facts}"


def _day(date: str) -> datetime:
    return datetime.fromisoformat(date).replace(tzinfo=UTC)


def _moment(date: str) -> str:
    return f"{date}T00:00:00Z"


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("", text), quote=False)


def _quoted(text: str) -> str:
    return f'"{escape(_NOT_XML.sub("", text))}"'
