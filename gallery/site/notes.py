"""Notes and guides: Markdown -> HTML that can do no harm."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Notes stand under a page's h1 and a section's h2.
_SHIFT = 2

_SCHEMES = {"http", "https", "mailto"}

_TAGS = {
    *(
        "p",
        "br",
        "hr",
        "em",
        "strong",
        "del",
        "ins",
        "code",
        "pre",
        "blockquote",
        "a",
        "sub",
        "sup",
        "kbd",
        "s",
    ),
    *("ul", "ol", "li", "dl", "dt", "dd", "h3", "h4", "h5", "h6"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


@cache
def _converter(shift: int) -> Callable[[str], str]:
    """Markdown to HTML that is not to be trusted yet, headings so many levels lower."""
    # Slow to import and not needed by a build that writes no page with Markdown in it.
    from markdown_it import MarkdownIt

    # Its work grows with the text, not with the square of it, and its nesting has a limit:
    # a note may be 20,000 brackets.
    markdown = MarkdownIt("commonmark").enable("table")

    def accept(url: str) -> bool:  # noqa: ARG001 - nh3 judges links; refused here, they would stay as text
        return True

    markdown.validateLink = accept  # type: ignore[method-assign]

    def convert(text: str) -> str:
        tokens = markdown.parse(text)
        for token in tokens:
            if token.type in ("heading_open", "heading_close"):
                token.tag = f"h{min(int(token.tag[1]) + shift, 6)}"
        return str(markdown.renderer.render(tokens, markdown.options, {})).strip()

    return convert


def to_html(text: str) -> str:
    """Markdown as HTML: an allow list of tags, links to http, https and mailto, no pictures, no ids."""
    if not text.strip():
        return ""
    import nh3

    return nh3.clean(
        _converter(_SHIFT)(text),
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes=_SCHEMES,
        url_relative="deny",
        link_rel="nofollow noopener ugc",
    )


def to_page_html(text: str, href: Callable[[str], str | None]) -> str:
    """Markdown that is a page of its own: the same, from h2 on.

    ``href`` says where a link leads; one that leads nowhere stays as words.
    """
    if not text.strip():
        return ""
    import nh3

    def attribute(_element: str, name: str, value: str) -> str | None:
        return href(value) if name == "href" else value

    return nh3.clean(
        _converter(0)(text),
        tags=_TAGS | {"h2"},
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        attribute_filter=attribute,
        url_schemes=_SCHEMES,
        url_relative="pass_through",
        link_rel=None,
    )
