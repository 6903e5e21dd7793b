"""What people know of GitHub's Markdown and Python-Markdown reads otherwise: an extension of it.

Lists may follow a paragraph at once and are nested by what stands above, ``~~struck~~``, bare links,
``- [ ]`` tasks, ``#7`` in words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from markdown.blockprocessors import HashHeaderProcessor
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

if TYPE_CHECKING:
    from markdown import Markdown

_ITEM = re.compile(r"( *)([-*+]|\d{1,9}[.)])( +)(?=\S)")
_RULE = re.compile(r" {0,3}(?:(?:- *){3,}|(?:\* *){3,})$")
_TASK = re.compile(r"\[([ xX])\][ \n]")

# How Python-Markdown nests.
_STEP = " " * 4

# Struck text is short; without an end, every ~~ would be followed to the end of the note.
_STRUCK = r"(?<!~)(~{1,2})(?![\s~])(.{1,500}?)(?<![\s~])\1(?!~)"
# Stashed parts of the text stand between \x02 and \x03.
_LINK = r"(?<![\w@/.])(?:https?://|www\.)[^\s<>\x02\x03]+"


class GitHub(Extension):
    """Markdown as GitHub's readers write it."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - as Markdown calls it
        """Register all of it. Code in fences and HTML are put aside before lists are looked at."""
        md.preprocessors.register(_Lists(md), "github-lists", 15)
        md.parser.blockprocessors.register(_Headings(md.parser), "hashheader", 70)
        md.treeprocessors.register(_Tasks(md), "github-tasks", 25)
        md.inlinePatterns.register(_Struck(_STRUCK, md), "github-struck", 76)
        md.inlinePatterns.register(_Links(_LINK, md), "github-links", 75)


class _Lists(Preprocessor):
    def run(self, lines: list[str]) -> list[str]:
        written: list[str] = []
        contents: list[int] = []  # where the text of each open item begins
        before = ""
        for line in lines:
            text = line.expandtabs(4)
            indent = len(text) - len(text.lstrip(" "))
            item = None if _RULE.fullmatch(text) else _ITEM.match(text)
            if not text:
                written.append("")
            elif item and indent < (contents[-1] if contents else 0) + 4:
                while contents and indent < contents[-1]:
                    contents.pop()
                if not contents and before and not self._goes_on(written):
                    if item[2][0].isdigit() and item[2][:-1] != "1":
                        written.append(line)
                        before = text
                        continue
                    written.append("")
                written.append(_STEP * len(contents) + text[indent:])
                contents.append(indent + len(item[2]) + min(len(item[3]), 4))
            elif contents and (indent >= contents[0] or before):
                level = sum(content <= indent for content in contents)
                if not before:
                    del contents[level:]
                inner = text[contents[level - 1] :] if level else text
                written.append(_STEP * level + inner)
            else:
                contents.clear()
                written.append(line)
            before = text
        return written

    @staticmethod
    def _goes_on(written: list[str]) -> bool:
        return bool(written) and bool(_ITEM.match(written[-1]))


class _Headings(HashHeaderProcessor):
    """``#7`` and ``#lofi`` are words: a space stands before a heading's text."""

    RE = re.compile(
        r"(?:^|\n)(?P<level>#{1,6})(?=[ \n]|$)(?P<header>(?:\\.|[^\\#]|#+(?=[^#\n]))*?)#*(?:\n|$)"
    )


class _Tasks(Treeprocessor):
    def run(self, root: Element) -> None:
        for item in root.iter("li"):
            holder = item if (item.text or "").strip() or not len(item) else item[0]
            if found := _TASK.match((holder.text or "").lstrip()):
                sign = "☐" if found[1] == " " else "☑"
                holder.text = f"{sign} {(holder.text or '').lstrip()[found.end() :]}"


class _Struck(InlineProcessor):
    def handleMatch(self, m: re.Match[str], data: str) -> tuple[Element, int, int]:  # type: ignore[override]  # noqa: N802, ARG002
        struck = Element("del")
        struck.text = m[2]
        return struck, m.start(), m.end()


class _Links(InlineProcessor):
    ANCESTOR_EXCLUDES = ("a",)

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[Element, int, int]:  # type: ignore[override]  # noqa: N802, ARG002
        address = m[0].rstrip("?!.,:;*_~'\"")
        while address.endswith(")") and address.count("(") < address.count(")"):
            address = address[:-1].rstrip("?!.,:;*_~'\"")
        link = Element("a", href=address if "://" in address else f"http://{address}")
        link.text = AtomicString(address)
        return link, m.start(), m.start() + len(address)
