"""Guides: Markdown on what each parameter does, a folder for each language.

Beside Markdown a guide has lines of its own: ``[[edm/anthem-guidance]]`` puts that
prompt's clips there to be played, ``{{parameters}}`` the table of all parameters.
Other guides are linked by their file names, as in ``[seeds](seeds.md)``.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gallery.errors import Fault
from gallery.errors.validation import bounds, explain
from gallery.prompts import frontmatter
from gallery.prompts.request import parameter_fields
from gallery.site.theme import labels, notes
from gallery.state.tool import packaged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gallery.config import Config

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]*")
_EMBED = re.compile(r"\[\[([\w./-]+)\]\]")
_TABLE = "{{parameters}}"
_FENCE = re.compile(r" {0,3}(```|~~~)")
_HEADING = re.compile(r"<h([23])>(.*?)</h\1>", re.DOTALL)

# What a guide can be about: a field of a prompt's request.
_ABOUT = {"", "model", "prompt", "melody", *parameter_fields()}


class _Matter(BaseModel):
    """A guide's front matter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1, max_length=80)
    summary: str = Field(min_length=1, max_length=300)
    order: int = 0
    parameter: str = ""


@dataclass(frozen=True)
class Part:
    """A stretch of a guide: Markdown, a prompt's clips (``text`` is its path), or the parameters' table."""

    kind: Literal["text", "clips", "parameters"]
    text: str
    line: int


@dataclass(frozen=True)
class Guide:
    """One guide in one language."""

    language: str
    slug: str
    file: str
    title: str
    summary: str
    order: int
    parameter: str
    parts: tuple[Part, ...]

    @property
    def address(self) -> str:
        """Its page."""
        return f"guides/{self.language}/{self.slug}/index.html"

    @property
    def prompts(self) -> list[str]:
        """Paths of the prompts whose clips it shows."""
        return [part.text for part in self.parts if part.kind == "clips"]


@dataclass
class Guides:
    """Every guide that can be read: the site's own language first, each language in its order.

    ``faults`` holds what is wrong with the others; ``own`` says whether they are the
    gallery's, and not those that come with this package.
    """

    own: bool
    guides: list[Guide] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def __iter__(self) -> Iterator[Guide]:
        return iter(self.guides)

    @property
    def languages(self) -> list[str]:
        """The languages that there are guides in, the site's own first."""
        return list(dict.fromkeys(guide.language for guide in self.guides))

    def of(self, language: str) -> list[Guide]:
        """The guides of one language, in their order."""
        return [guide for guide in self.guides if guide.language == language]

    def about(self) -> dict[str, str]:
        """The guide to each field of a request that has one: field -> address."""
        pages: dict[str, str] = {}
        for guide in self.guides:
            if guide.parameter:
                pages.setdefault(guide.parameter, guide.address)
        return pages

    def translations(self, guide: Guide) -> list[Guide]:
        """The same guide in every language, itself included."""
        return [other for other in self.guides if other.slug == guide.slug]

    def missing(self, paths: Iterable[str]) -> list[Fault]:
        """Where the gallery's own guides ask for clips of prompts that it doesn't have."""
        known = set(paths)
        return [
            Fault(guide.file, part.line, "", f"no prompt {part.text}")
            for guide in self.guides
            for part in guide.parts
            if self.own and part.kind == "clips" and part.text not in known
        ]


def read_guides(config: Config) -> Guides:
    """The gallery's guides, or the packaged ones where it has no folder for them.

    Where none of its own can be read, the packaged ones stand for them as well.
    """
    own = config.root / "guides"
    found = _read_folder(own, own=True) if own.is_dir() else _read_folder(packaged("guides"), own=False)
    if found.faults and not found.guides:
        found = replace(_read_folder(packaged("guides"), own=False), faults=found.faults)
    main = config.site.language.split("-")[0]
    found.guides.sort(
        key=lambda guide: (guide.language.split("-")[0] != main, guide.language, guide.order, guide.slug)
    )
    return found


def _read_folder(top: Path, *, own: bool) -> Guides:
    found = Guides(own)
    for path in sorted(top.glob("*/*.md")):
        if _LANGUAGE.fullmatch(path.parent.name):
            try:
                found.guides.append(_read(path))
            except _FaultyError as error:
                found.faults += error.faults
    return found


class _FaultyError(Exception):
    """A file that is no guide, with what is wrong in it."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__()
        self.faults = faults


def _read(path: Path) -> Guide:
    name = f"guides/{path.parent.name}/{path.name}"
    if not _SLUG.fullmatch(path.stem):
        raise _FaultyError(Fault(name, 0, "", "use lowercase letters, digits and hyphens for its name"))
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = frontmatter.split(text)
        matter = _Matter.model_validate(document.values)
    except frontmatter.Unreadable as error:
        raise _FaultyError(Fault(name, error.line, error.name, error.message)) from error
    except ValidationError as error:
        raise _FaultyError(*explain(error, _Matter, name, document.line_of)) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _FaultyError(Fault(name, line, "", "not UTF-8; save it as UTF-8")) from error
    except OSError as error:
        raise _FaultyError(Fault(name, 0, "", f"cannot be read: {error.strerror}")) from error
    if matter.parameter not in _ABOUT:
        known = ", ".join(sorted(_ABOUT - {""}))
        problem = f'"{matter.parameter}" is no field of a request; known: {known}'
        raise _FaultyError(Fault(name, document.line_of(("parameter",)), "parameter", problem))
    # The body begins with its first line that is not empty.
    lines = list(enumerate(text.splitlines(), 1))[document.body_line - 1 :]
    first = next((number for number, line in lines if line.strip()), document.body_line)
    return Guide(
        path.parent.name,
        path.stem,
        name,
        **matter.model_dump(),
        parts=tuple(_parts(document.body, first)),
    )


def _parts(body: str, first: int) -> Iterator[Part]:
    """A guide cut at its own lines. Within code those are code."""
    kept: list[str] = []
    start, fence = first, ""
    for number, line in enumerate(body.splitlines(), start=first):
        opened = _FENCE.match(line)
        if opened and (not fence or opened[1] == fence):
            fence = "" if fence else opened[1]
        embed = None if fence else _EMBED.fullmatch(line.strip())
        if embed or (line.strip() == _TABLE and not fence):
            yield Part("text", "\n".join(kept), start)
            yield Part("clips", embed[1], number) if embed else Part("parameters", "", number)
            kept, start = [], number + 1
        else:
            kept.append(line)
    yield Part("text", "\n".join(kept), start)


def to_html(guide: Guide, text: str, guides: Guides) -> str:
    """A guide's Markdown as HTML: sanitised, links to other guides led there, headings with ids."""
    known = {other.slug for other in guides.of(guide.language)}

    def href(target: str) -> str | None:
        if re.match(r"(https?|mailto):", target):
            return target
        name, _, fragment = target.partition("#")
        other = name.removesuffix(".md")
        if name and (not name.endswith(".md") or other not in known):
            return None
        page = f"../{other}/index.html" if name else ""
        return page + (f"#{fragment}" if fragment else "")

    def heading(match: re.Match[str]) -> str:
        return f'<h{match[1]} id="{anchor(match[2])}">{match[2]}</h{match[1]}>'

    return _HEADING.sub(heading, notes.to_page_html(text, href))


def anchor(heading: str) -> str:
    """A heading's id, from its words."""
    plain = re.sub(r"<[^>]+>|&[a-z#0-9]+;", "", heading).lower()
    return re.sub(r"[^\w]+", "-", plain).strip("-") or "section"


def page_data(guide: Guide, guides: Guides) -> dict[str, Any]:
    """What a guide's page shows; the prompts' clips are put into their parts by who has them."""
    own = guides.of(guide.language)
    place = own.index(guide)
    # What other languages have of it is pointed to by its own words; parameters by this language's guides.
    about = {other.parameter: other.address for other in own if other.parameter}
    parts: list[dict[str, Any]] = []
    for number, part in enumerate(guide.parts):
        shown: dict[str, Any] = {"kind": part.kind, "number": number}
        if part.kind == "text":
            shown["html"] = to_html(guide, part.text, guides)
        elif part.kind == "parameters":
            shown["table"] = parameter_table(guide.language, about)
        else:
            shown["path"] = part.text
        parts.append(shown)
    return {
        "guide": guide,
        "parts": parts,
        "lang": guide.language,
        "say": say(guide.language),
        "all": own,
        "before": own[place - 1] if place else None,
        "next": own[place + 1] if place + 1 < len(own) else None,
        "translations": [[other, say(other.language)] for other in guides.translations(guide)],
        "here": "guides",
    }


def say(language: str) -> dict[str, str]:
    """What pages in a language say: English where nobody has written it in that language."""
    words = _words()
    return words.get(language.split("-")[0], words["en"])


@cache
def _words() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path(__file__).with_name("guide_words.toml").read_text(encoding="utf-8"))


def parameter_table(language: str, about: dict[str, str]) -> list[dict[str, str]]:
    """Every parameter with its default, what is accepted and what it does, from their one description."""
    own = say(language)
    return [
        {
            "label": labels.label(name),
            "field": name,
            "default": "" if info.default is None else labels.quantity(name, info.default),
            "range": bounds(info, own, _grouped),
            "help": info.description or "",
            "page": about.get(name, ""),
        }
        for name, info in parameter_fields().items()
    ]


def _grouped(value: float) -> str:
    """A number that reads the same in every language: thousands apart by a narrow space."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}") if value >= 10_000 else labels.number(value)
