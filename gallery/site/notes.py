"""Notes: untrusted Markdown -> HTML that can do no harm."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Notes stand under a page's h1 and a section's h2.
_SHIFT = 2

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
def _renderer() -> Callable[[str], str]:
    # Both are slow to import and not needed by a build that writes no prompt's page.
    import nh3
    from markdown import Markdown
    from markdown.treeprocessors import Treeprocessor

    class Headings(Treeprocessor):
        def run(self, root):  # type: ignore[no-untyped-def]
            for element in root.iter():
                if element.tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
                    element.tag = f"h{min(int(element.tag[1]) + _SHIFT, 6)}"

    markdown = Markdown(extensions=["tables", "fenced_code", "sane_lists"], output_format="html")
    markdown.treeprocessors.register(Headings(markdown), "headings", 0)

    def render(text: str) -> str:
        return nh3.clean(
            markdown.reset().convert(text),
            tags=_TAGS,
            attributes={"a": {"href", "title"}, "ol": {"start"}},
            url_schemes={"http", "https", "mailto"},
            url_relative="deny",
            link_rel="nofollow noopener ugc",
        )

    return render


def to_html(text: str) -> str:
    """Markdown as HTML: an allow list of tags, links to http, https and mailto, no pictures, no ids."""
    return _renderer()(text) if text.strip() else ""
