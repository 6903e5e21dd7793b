"""Which language a text is in, as far as its letters and its gallery tell: it is read aloud, broken and
set by that.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from budoux import Parser

# Letters of scripts that tell the language; templates/assets/clips.js does the same, line by line.
# Of those that several languages share, the script alone is told.
_SCRIPTS = {
    "ja": "\u3041-\u30ff\uff66-\uff9f",
    "ko": "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3",
    "und-Hani": "\u3400-\u9fff\uf900-\ufaff",
    "und-Arab": "\u0620-\u06ff\u0750-\u077f",
    "he": "\u05d0-\u05ea",
    "th": "\u0e01-\u0e5b",
    "el": "\u0370-\u03ff",
    "und-Cyrl": "\u0400-\u052f",
    "und-Deva": "\u0900-\u097f",
}
# What may be told of the letters that languages are written in; of all others that is nothing.
_WRITTEN = {
    "ja": ("ja", "und-Hani"),
    "ko": ("ko",),
    **dict.fromkeys(("zh", "yue", "wuu"), ("und-Hani",)),
    **dict.fromkeys(("ar", "fa", "ur", "ps", "ckb", "sd", "ug"), ("ar", "und-Arab")),
    **dict.fromkeys(("he", "yi"), ("he",)),
    "th": ("th",),
    "el": ("el",),
    **dict.fromkeys(("ru", "uk", "be", "bg", "mk", "sr", "kk", "ky", "mn", "tg"), ("und-Cyrl",)),
    **dict.fromkeys(("hi", "mr", "ne", "sa"), ("und-Deva",)),
}
_LETTERS = {name: re.compile(f"[{letters}]") for name, letters in _SCRIPTS.items()}
_OTHERS = re.compile("[A-Za-z\u00c0-\u024f]")
# Arabic has no such letters; Persian, Urdu and others do.
_NOT_ARABIC = re.compile("[\u067e\u0686\u0688\u0691\u0698\u06a9\u06af\u06ba\u06be\u06c1\u06cc\u06d2]")


@lru_cache(maxsize=4096)
def language(text: str) -> str:
    """The language of a text as a BCP 47 tag; empty where the letters are Latin, which tell nothing."""
    if text.isascii():
        return ""
    counts = {name: len(letters.findall(text)) for name, letters in _LETTERS.items()}
    if counts["ja"]:  # which has Chinese characters, too
        counts["ja"] += counts.pop("und-Hani")
    most = max(counts, key=lambda name: counts[name])
    if counts[most] <= len(_OTHERS.findall(text)):
        return ""
    return "ar" if most == "und-Arab" and not _NOT_ARABIC.search(text) else most


def is_rtl(text: str) -> bool:
    """Whether a text runs from right to left: by its first letter, as a browser decides."""
    kinds = (unicodedata.bidirectional(character) for character in text)
    return next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") != "L"


@dataclass(frozen=True)
class Own:
    """The language that a gallery says it writes in, a BCP 47 tag.

    Texts that the tool puts in the place of what a gallery has not written are English.
    """

    tag: str
    stand_ins: Sequence[object] = ()

    @property
    def is_english(self) -> bool:
        """Whether it is that of the pages, which nothing on them has to say."""
        return _main(self.tag) == "en"

    @property
    def letters(self) -> tuple[str, ...]:
        """What `language` may say of a text in it; nothing where that is nothing."""
        return () if "-latn" in self.tag.lower() else _WRITTEN.get(_main(self.tag), ())

    def of(self, text: str) -> str:
        """The language of a text that the gallery wrote; empty for English, and where nothing tells."""
        if text in self.stand_ins:
            return ""
        known = language(text)
        is_own = known in (self.letters or ("",))
        return self.tag if is_own and not self.is_english else known

    def mark(self, text: str) -> str:
        """What the element of a text says of its language, as HTML; nothing where that is not known."""
        known = self.of(text)
        return f' lang="{known}"' if known else ""

    def attributes(self, text: str, beside: str = "") -> str:
        """The same, and its direction. A title stands at the side of the prompt ``beside`` it."""
        direction = "rtl" if is_rtl(beside) else "ltr" if beside else "auto"
        return f'dir="{direction}"{self.mark(text)}'


def _main(tag: str) -> str:
    return tag.partition("-")[0].lower()


def room(text: str) -> int:
    """How much room a text takes, in Latin letters of the narrow serif; a Chinese one is 2.5 of them wide."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + 3 * wide // 2


def phrases(text: str) -> str:
    """A text as HTML. Japanese, which has no spaces, is told where a line may end: between phrases."""
    if language(text) != "ja":
        return escape(text)
    return f'<span class="phrases">{"<wbr>".join(map(escape, _japanese().parse(text)))}</span>'


@cache
def _japanese() -> Parser:
    # Imported late: most galleries have no Japanese.
    from budoux import load_default_japanese_parser

    return load_default_japanese_parser()
