"""Notes and guides: Markdown -> HTML that can do no harm."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from xml.etree.ElementTree import Element

    from markdown import Markdown
    from nh3 import Cleaner

# Notes stand under a page's h1 and a section's h2.
_SHIFT = 2

_SCHEMES = {"http", "https", "mailto"}
_REL = "nofollow noopener ugc"

# A link that lost its address. HTML allows it no rel then.
_LED_NOWHERE = re.compile(rf'<a( title="[^"]*")? rel="{_REL}">')

_TAGS = {
    *("a", "em", "i", "strong", "b", "del", "ins", "s", "code", "kbd", "sub", "sup", "br"),
    *("p", "hr", "pre", "blockquote", "h3", "h4", "h5", "h6"),
    *("ul", "ol", "li", "dl", "dt", "dd"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}

# Elements that take what stands after them along where they are not closed: to HTML it is a script, a
# style sheet, a drawing. (All of it ASCII: to Python a long s is an S in the other case.)
_CLOSED = ("script", "style")
_OPENED = re.compile(
    rf"<({'|'.join(_CLOSED)}|template|svg|math|m[inos]|mtext|annotation-xml|desc|foreignobject)(?=[\s/>])",
    re.IGNORECASE | re.ASCII,
)
_END = {name: re.compile(rf"</{name}(?=[\s/>])[^>]*>", re.IGNORECASE | re.ASCII) for name in _CLOSED}

# Stands after a note where it is tried whether something in it swallows the rest.
_END_OF_NOTE = "the end of the note"

# So many texts are in memory as HTML, of a few KB each: notes are made ready for many pages at once, and
# servers build guides again and again.
_MOST_TEXTS = 256


@lru_cache(_MOST_TEXTS)
def _to_raw_html(text: str, shift: int = 0) -> str:
    """Markdown as HTML that is not to be trusted yet, headings so many levels lower."""
    try:
        return _converter(shift).reset().convert(text)
    except RecursionError:
        # Lists in lists in lists, a hundred deep: shown as they are written. What is left
        # of them in the converter would spoil the notes that come after.
        _converter.cache_clear()
        return f"<pre>{escape(text)}</pre>"


@cache
def _converter(shift: int) -> Markdown:
    # Slow to import and not needed by a build that writes no page with Markdown in it.
    from markdown import Markdown
    from markdown.extensions.fenced_code import FencedCodeExtension
    from markdown.extensions.sane_lists import SaneListExtension
    from markdown.extensions.tables import TableExtension
    from markdown.treeprocessors import Treeprocessor

    from gallery.site.theme.github import GitHub

    class Headings(Treeprocessor):
        def run(self, root: Element) -> None:
            for element in root.iter():
                if element.tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
                    element.tag = f"h{min(int(element.tag[1]) + shift, 6)}"

    # By their names, every installed distribution would be looked through for them.
    extensions = [TableExtension(), FencedCodeExtension(), SaneListExtension(), GitHub()]
    markdown = Markdown(extensions=extensions, output_format="html")
    markdown.treeprocessors.register(Headings(markdown), "headings", 0)
    return markdown


@lru_cache(_MOST_TEXTS)
def to_html(text: str) -> str:
    """Markdown as HTML: an allow list of tags, links to http, https and mailto, no pictures, no ids."""
    return _LED_NOWHERE.sub(r"<a\1>", _clean(text, _SHIFT, _note_cleaner()))


def prepare(texts: Iterable[str]) -> None:
    """Have notes ready for the pages that ask for them next, one after the other."""
    for text in texts:
        to_html(text)


def to_page_html(text: str, href: Callable[[str], str | None]) -> str:
    """Markdown that is a page of its own: the same, from h2 on.

    ``href`` says where a link leads; one that leads nowhere stays as words.
    """

    def attribute(_element: str, name: str, value: str) -> str | None:
        return href(value) if name == "href" else value

    cleaner = _cleaner(
        tags=_TAGS | {"h2"}, attribute_filter=attribute, url_relative="pass_through", link_rel=None
    )
    return _clean(text, 0, cleaner)


@cache
def _note_cleaner() -> Cleaner:
    return _cleaner(tags=_TAGS, url_relative="deny", link_rel=_REL)


def _cleaner(**allowed: Any) -> Cleaner:
    from nh3 import Cleaner

    attributes = {"a": {"href", "title"}, "ol": {"start"}}
    return Cleaner(attributes=attributes, url_schemes=_SCHEMES, **allowed)


def _clean(text: str, shift: int, cleaner: Cleaner) -> str:
    if not text.strip():
        return ""
    html = _to_raw_html(text, shift)
    if "<" in text:
        import nh3

        html = _without_swallowing(html)
        if _END_OF_NOTE not in nh3.clean(html + _END_OF_NOTE):
            html = f"<pre>{escape(text)}</pre>"  # a comment or a quote without its end: as it is written
    return cleaner.clean(html)


def _without_swallowing(html: str) -> str:
    """HTML in which nothing hides what comes after it.

    A script or a style sheet goes, as nh3 would have it go; the tag of one that is not closed, and of
    what else swallows, is words.
    """
    last = {
        name: max((found.start() for found in end.finditer(html)), default=-1) for name, end in _END.items()
    }
    pieces, start = [], 0
    for opened in _OPENED.finditer(html):
        if opened.start() < start:
            continue  # within what goes
        pieces.append(html[start : opened.start()])
        name = opened[1].lower()
        end = _END[name].search(html, opened.end()) if last.get(name, -1) >= opened.end() else None
        # A space, so that what stood on either side makes no other tag together.
        pieces.append(" " if end else "&lt;")
        start = end.end() if end else opened.start() + 1
    return "".join((*pieces, html[start:]))
