"""feed.xml, sitemap.xml and catalogue.json: the catalogue for readers that are programs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

import gallery
from gallery.site import addresses, rows, words
from gallery.site.theme import absolute

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gallery.catalogue import PromptEntry
    from gallery.config import Config

FEED_LENGTH = 50

# What XML 1.0 cannot hold, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def feed_entries(entries: Iterable[PromptEntry]) -> list[PromptEntry]:
    """The newest prompts that have a date: a feed cannot do without one."""
    return [entry for entry in entries if entry["date"]][:FEED_LENGTH]


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


def sitemap(pages: Iterable[tuple[str, str]], config: Config) -> bytes:
    """Every page for people, with the day it last changed where that is known."""
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">',
    ]
    for address, date in pages:
        changed = f"<lastmod>{_text(date)}</lastmod>" if date else ""
        lines.append(f"<url><loc>{_text(absolute(config, address))}</loc>{changed}</url>")
    return "\n".join([*lines, "</urlset>", ""]).encode()


def catalogue(entries: Sequence[PromptEntry], config: Config) -> bytes:
    """The catalogue as data, one prompt a line."""
    head = {
        "version": 1,
        "generator": f"gallery {gallery.__version__}",
        "title": config.site.title,
        "description": config.site.description,
    }
    start = json.dumps(head, ensure_ascii=False)[:-1]
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False, sort_keys=True) for entry in entries)
    return f'{start}, "prompts": [\n{lines}\n]}}\n'.encode(errors="replace")


def _summary(entry: PromptEntry) -> str:
    clips = entry["clips"]
    sketched = any(clip["state"] == "sketch" for clip in clips)
    kind = "sketch, not made by MusicGen" if sketched else ""
    told = [entry["text"], words.count(len(clips), "take") if len(clips) > 1 else "", kind]
    return " · ".join(part for part in told if part)


def _moment(date: str) -> str:
    return f"{date}T00:00:00Z"


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("", text))


def _quoted(text: str) -> str:
    return quoteattr(_NOT_XML.sub("", text))
