"""What people know of GitHub's Markdown and Python-Markdown reads otherwise: an extension of it.

Lists and tables may follow a paragraph at once; lists are nested by what stands above, numbered with
``1)`` too, and hold code in fences; ``~~struck~~``, bare links, ``- [ ]`` tasks, ``#7`` in words, lines
that a backslash breaks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from markdown.blockprocessors import HashHeaderProcessor
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor, SubstituteTagInlineProcessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

if TYPE_CHECKING:
    from markdown import Markdown

_ITEM = re.compile(r"( *)([-*+]|\d{1,9}[.)])( +)(?=\S)")
_RULE = re.compile(r" {0,3}(?:(?:- *){3,}|(?:\* *){3,})$")
_FENCE = re.compile(r" *(`{3,}|~{3,})[^`]*$")
_DELIMITER = re.compile(r" {0,3}(?=[^|]*\|)\|?(?: *:?-+:? *(?:\||$))+ *")
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
        md.inlinePatterns.register(SubstituteTagInlineProcessor(r"\\\n", "br"), "github-break", 185)
        md.inlinePatterns.register(_Links(_LINK, md), "github-links", 75)


class _Lists(Preprocessor):
    """Writes lists, and what stands in them, as Python-Markdown has them; tables are set off."""

    def run(self, lines: list[str]) -> list[str]:
        self.written: list[str] = []
        self.contents: list[int] = []  # where the text of each open item begins
        self.fence = ""  # of code within an item
        before = ""
        began: int | None = None  # how deep the item lies that the block of these lines begins with, if any
        for number, line in enumerate(lines):
            text = line.expandtabs(4)
            indent = len(text) - len(text.lstrip(" "))
            item = None if _RULE.fullmatch(text) else _ITEM.match(text)
            if self.fence:
                if not self._ends(text, indent):
                    continue
                before = ""
            if not text:
                self.written.append("")
            elif item and indent < (self.contents[-1] if self.contents else 0) + 4:
                if not self.contents and before and item[2][0].isdigit() and item[2][:-1] != "1":
                    self.written.append(line)
                    before = text
                    continue
                while self.contents and indent < self.contents[-1]:
                    self.contents.pop()
                level = len(self.contents)
                if before and (began is None or level < began):
                    self.written.append("")
                    before = ""
                began = began if before else level
                self._open(item, text, indent)
            elif self.contents and (indent >= self.contents[0] or before):
                began = began if before else None
                self._go_on(text, indent, before)
            else:
                self.contents.clear()
                began = None
                if before and "|" in text and _DELIMITER.fullmatch("".join(lines[number + 1 : number + 2])):
                    self.written.append("")
                self.written.append(line)
            before = text
        return self.written

    def _open(self, item: re.Match[str], text: str, indent: int) -> None:
        marker, rest = item[2], text[indent + len(item[2]) :]
        self.written.append(_STEP * len(self.contents) + marker.replace(")", ".") + rest)
        self.contents.append(indent + len(marker) + min(len(item[3]), 4))

    def _go_on(self, text: str, indent: int, before: str) -> None:
        level = sum(content <= indent for content in self.contents)
        opened = _FENCE.match(text)
        if not before or opened:
            del self.contents[level:]
        if opened and level:
            self.written.append("")
            self.fence = opened[1]
            return
        inner = text[self.contents[level - 1] :] if level else text
        self.written.append(_STEP * level + inner)

    def _ends(self, text: str, indent: int) -> bool:
        """Take a line of code within an item; true for one that stands behind the item's end."""
        if text and indent < self.contents[-1]:
            self.fence = ""
            self.written.append("")
            return True
        if text.strip().startswith(self.fence) and set(text.strip()) == {self.fence[0]}:
            self.fence = ""
            self.written.append("")
        else:
            self.written.append(_STEP * (len(self.contents) + 1) + text[self.contents[-1] :])
        return False


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
