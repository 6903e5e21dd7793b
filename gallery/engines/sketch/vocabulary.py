"""What a prompt's words ask for.

Known words are turned into wishes; all others, and the less usual ones for a thing, steer by chance.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from gallery.engines.sketch.tables import tables

# The longest phrases of words.toml, in words, and how many "no" reaches ahead ("no heavy rock drums").
_LONGEST, _REACH = 4, 3

_SLOWEST, _FASTEST = 30.0, 300.0

_BPM = re.compile(
    r"(?<!\d)(\d{2,3}(?:\.\d+)?)\s*-?\s*(?:bpm\b|beats per minute)"
    r"|\b(?:bpm|tempo)\W{0,3}(?:of )?(\d{2,3})(?!\d)"
)
_KEY = re.compile(r"\b(?:key of )?([a-g])[ -]?(sharp|flat|[#♯♭b])?[ -]?(major|minor|maj|min)\b(?! key)")
_THREE = re.compile(r"\b(?:3|6)\s?/\s?(?:4|8)\b|\bwaltz time\b|\btriple meter\b")

_TONICS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_ACCIDENTALS = {"sharp": 1, "#": 1, "♯": 1, "": 0}


@dataclass(frozen=True)
class Wishes:
    """What a prompt asks for. Names are those of the tables; words are the prompt's own."""

    bpm: float | None
    tonic: int | None  # semitones above C
    three: bool  # a bar in three
    found: tuple[tuple[str, str], ...]  # (kind, name)
    banned: tuple[str, ...]  # instruments and drums that are not to play
    unusual: tuple[str, ...]  # words that are not known, and those that say more: "viola", not "violin"

    def names(self, kind: str) -> tuple[str, ...]:
        """What is asked for of a kind, each once."""
        return tuple(dict.fromkeys(name for found, name in self.found if found == kind))

    @property
    def about_drums(self) -> bool:
        """Whether drums are asked for and nothing else."""
        return bool(self.names("drums")) and not self.names("instruments") and not self.names("genres")

    @property
    def solo(self) -> bool:
        """Whether one instrument plays alone: "solo flute" says so; "flute solo" only where it is all."""
        kinds = [kind for kind, _ in self.found]
        if "solo" not in kinds:
            return False
        before = kinds[: kinds.index("solo")]
        return before[-1:] != ["instruments"] or (kinds.count("instruments") == 1 and "genres" not in kinds)


def understand(prompt: str) -> Wishes:
    """What a prompt for music asks for."""
    text = _plain(prompt)
    bpm = tonic = None
    if match := _BPM.search(text):
        bpm = min(max(float(match[1] or match[2]), _SLOWEST), _FASTEST)
        text = _BPM.sub(" ", text)
    if match := _KEY.search(text):
        tonic = (_TONICS[match[1]] + _ACCIDENTALS.get(match[2] or "", -1)) % 12
        text = _KEY.sub(" ", text) + (" in major" if match[3].startswith("maj") else " in minor")
    three = bool(_THREE.search(text))
    return _meanings(_tokens(_THREE.sub(" ", text)), bpm, tonic, three)


def _plain(prompt: str) -> str:
    return unicodedata.normalize("NFKC", prompt).casefold().replace("'", "").replace("’", "")


def _tokens(text: str) -> list[str]:
    """Words without a plural s and, since they may be all there is, symbols; no punctuation."""
    tokens = re.findall(r"[^\W_]+|[^\w\s]", text)
    return [
        re.sub("(?<=..[^s])s$", "", token) for token in tokens if unicodedata.category(token[0])[0] != "P"
    ]


def _meanings(tokens: list[str], bpm: float | None, tonic: int | None, three: bool) -> Wishes:
    """The wishes of the longest known phrases, with what was found before; a "no" bans what follows."""
    found: list[tuple[str, str]] = []
    banned: list[str] = []
    unusual: list[str] = []
    reach = 0
    while tokens:
        lengths = (length for length in range(_LONGEST, 0, -1) if tuple(tokens[:length]) in _words())
        words, tokens = tokens[: (length := next(lengths, 1))], tokens[length:]
        kind, name, usual = _words().get(tuple(words), ("", "", False))
        reach -= 1
        if kind == "absent":
            reach = _REACH
            banned += ["all"] if words == ["drumless"] else []
        elif reach > 0 and kind in ("instruments", "drums"):
            banned.append(name)
            reach = _REACH if tokens[:1] == ["or"] else 0
        elif kind != "silent":
            found += [(kind, name)] if kind else []
            unusual += [] if usual else ["".join(words)]
    return Wishes(bpm, tonic, three, tuple(found), tuple(banned), tuple(unusual))


@cache
def _words() -> dict[tuple[str, ...], tuple[str, str, bool]]:
    """Every phrase that prompts may have: its kind, its name, and whether it is the usual one for it."""
    table = tables().words
    rows = [
        (kind, name, words)
        for kind in ("genres", "instruments", "drums", "places")
        for name, words in getattr(table, kind).items()
    ]
    rows += [("colours", name, colour.words) for name, colour in table.colours.items()]
    rows += [(kind, kind, words) for kind, words in table.other.items()]
    phrases: dict[tuple[str, ...], tuple[str, str, bool]] = {}
    for kind, name, words in rows:
        first, *others = _phrases(words)
        for phrase in (first, *others):
            phrases.setdefault(phrase, (kind, name, "".join(phrase) == "".join(first)))
    return phrases


def _phrases(words: str) -> list[tuple[str, ...]]:
    return [tuple(_tokens(_plain(phrase))) for phrase in words.split(",")]
