"""What a prompt's words ask for.

Known words are turned into wishes; all others are kept, since they steer by chance.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from gallery.engines.sketch.tables import tables

# The longest phrases of words.toml, in words.
_LONGEST = 4

# How many words "no" reaches ahead ("no heavy rock drums").
_REACH = 3

_SLOWEST, _FASTEST = 30.0, 300.0

_BPM = re.compile(
    r"(?<!\d)(\d{2,3}(?:\.\d+)?)\s*-?\s*(?:bpm\b|beats per minute)"
    r"|\b(?:bpm|tempo)\W{0,3}(?:of )?(\d{2,3})(?!\d)"
)
_KEY = re.compile(r"\b(?:key of )?([a-g])[ -]?(sharp|flat|[#♯♭b])?[ -]?(major|minor|maj|min)\b(?! key)")
_THREE = re.compile(r"\b(?:3|6)\s?/\s?(?:4|8)\b|\bwaltz time\b|\btriple meter\b")

_TONICS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}


@dataclass(frozen=True)
class Wishes:
    """What a prompt asks for. Names are those of the tables; words are the prompt's own."""

    bpm: float | None
    tonic: int | None  # semitones above C
    three: bool  # a bar in three
    solo: bool
    genres: tuple[str, ...]
    genre_words: tuple[str, ...]
    instruments: tuple[str, ...]
    drums: tuple[str, ...]
    colours: tuple[str, ...]
    moods: tuple[str, ...]  # the words of colours that touch on harmony
    atmospheres: tuple[str, ...]
    banned: tuple[str, ...]  # instruments and drums that are not to play
    nuances: tuple[str, ...]  # less usual words for instruments, which tell "viola" from "violin"
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class _Meaning:
    kind: str
    name: str
    usual: bool  # the first word of its row


def understand(prompt: str) -> Wishes:
    """What a prompt for music asks for."""
    text = _plain(prompt)
    bpm, text = _tempo(text)
    tonic, mode, text = _key(text)
    three = bool(_THREE.search(text))
    found, unknown, banned = _meanings(_tokens(_THREE.sub(" ", text)))

    def names(kind: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(meaning.name for _, meaning in found if meaning.kind == kind))

    colours = names("colours") + ((mode,) if mode else ())
    return Wishes(
        bpm=bpm,
        tonic=tonic,
        three=three,
        solo=_is_solo([meaning.kind for _, meaning in found]),
        genres=names("genres"),
        genre_words=tuple(phrase for phrase, meaning in found if meaning.kind == "genres"),
        instruments=names("instruments"),
        drums=names("drums"),
        colours=colours,
        moods=tuple(
            phrase for phrase, meaning in found if meaning.kind == "colours" and _is_mood(meaning.name)
        ),
        atmospheres=names("atmospheres"),
        banned=tuple(banned),
        nuances=tuple(
            phrase
            for phrase, meaning in found
            if meaning.kind in ("instruments", "drums") and not meaning.usual
        ),
        unknown=tuple(unknown),
    )


def _plain(prompt: str) -> str:
    return unicodedata.normalize("NFKC", prompt).casefold().replace("'", "").replace("’", "")


def _tokens(text: str) -> list[str]:
    """Words and, since they may be all there is, symbols; no punctuation."""
    tokens = re.findall(r"[^\W_]+|[^\w\s]", text)
    return [_stem(token) for token in tokens if unicodedata.category(token[0])[0] != "P"]


def _stem(word: str) -> str:
    """Without a plural s."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _tempo(text: str) -> tuple[float | None, str]:
    match = _BPM.search(text)
    if not match:
        return None, text
    bpm = float(match[1] or match[2])
    return min(max(bpm, _SLOWEST), _FASTEST), _BPM.sub(" ", text)


def _key(text: str) -> tuple[int | None, str | None, str]:
    match = _KEY.search(text)
    if not match:
        return None, None, text
    accidental = match[2] or ""
    shift = 1 if accidental in ("sharp", "#", "♯") else -1 if accidental else 0
    mode = "major" if match[3].startswith("maj") else "minor"
    return (_TONICS[match[1]] + shift) % 12, mode, _KEY.sub(" ", text)


def _meanings(tokens: list[str]) -> tuple[list[tuple[str, _Meaning]], list[str], list[str]]:
    """The known phrases with their meanings, the unknown words, and the names after a "no"."""
    found: list[tuple[str, _Meaning]] = []
    unknown: list[str] = []
    banned: list[str] = []
    reach = 0
    position = 0
    while position < len(tokens):
        meaning, length = _match(tokens, position)
        phrase = "".join(tokens[position : position + length])
        position += length
        reach -= 1
        if meaning is None:
            unknown.append(phrase)
        elif meaning.kind == "absent":
            reach = _REACH
            banned += ["all"] if phrase == "drumless" else []
        elif reach > 0 and meaning.kind in ("instruments", "drums"):
            banned.append(meaning.name)
            reach = _REACH if tokens[position : position + 1] == ["or"] else 0
        elif meaning.kind != "silent":
            found.append((phrase, meaning))
    return found, unknown, banned


def _is_solo(kinds: list[str]) -> bool:
    """Whether one instrument plays alone: "solo flute" says so; "flute solo" only where it is all."""
    if "solo" not in kinds:
        return False
    before = kinds[: kinds.index("solo")]
    return before[-1:] != ["instruments"] or (kinds.count("instruments") == 1 and "genres" not in kinds)


def _match(tokens: list[str], position: int) -> tuple[_Meaning | None, int]:
    """The longest known phrase at a position, and how many words it has."""
    for length in range(_LONGEST, 0, -1):
        phrase = tuple(tokens[position : position + length])
        if phrase in _words():
            return _words()[phrase], len(phrase)
    return None, 1


@cache
def _words() -> dict[tuple[str, ...], _Meaning]:
    """Every phrase that prompts may have."""
    table = tables().words
    kinds = {
        "genres": table.genres,
        "instruments": table.instruments,
        "drums": table.drums,
        "atmospheres": table.atmospheres,
        "colours": {name: colour.words for name, colour in table.colours.items()},
    }
    rows = [(kind, name, words) for kind, named in kinds.items() for name, words in named.items()]
    rows += [(kind, kind, words) for kind, words in table.other.items()]
    phrases: dict[tuple[str, ...], _Meaning] = {}
    for kind, name, words in rows:
        for index, phrase in enumerate(_phrases(words)):
            phrases.setdefault(phrase, _Meaning(kind, name, index == 0))
    return phrases


def _phrases(words: str) -> list[tuple[str, ...]]:
    return [tuple(_tokens(_plain(phrase))) for phrase in words.split(",")]


def _is_mood(name: str) -> bool:
    change = tables().words.colours[name].change
    return bool(change.modes or change.energy)
