"""What differs between two wordings, word by word.

templates/assets/differences.js does the same in the browser, line by line; both are held to the
pairs in tests/support/differences.json, and to each other.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

# Words of one wording times those of the other, beyond which all that differs is one change: some 500
# words each. The work grows with their product.
MOST_PAIRS = 250_000

# Written out, since Python and each browser know letters and spaces of other Unicode versions.
_SPACES = r"\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_SIGNS = (
    r"!-/:-@\[-\^`{-~\xa1-\xa8\xab-\xad\xaf-\xb1\xb4\xb6-\xb8\xbb\xbf\xd7\xf7"
    r"\u055a-\u055f\u0589\u058a\u05be\u05c0\u05c3\u05f3\u05f4\u060c\u060d\u061b\u061d-\u061f\u066a-\u066d\u06d4"
    r"\u0964\u0965\u2010-\u2027\u2030-\u203b\u203d-\u2048\u204a-\u205e\u20a0-\u20cf\u2e00-\u2e7f"
    r"\u3001-\u3004\u3008-\u3020\u30a0\u30fb\ufe10-\ufe1f\ufe30-\ufe6f"
    r"\uff01-\uff0f\uff1a-\uff20\uff3b-\uff3e\uff40\uff5b-\uff65"
)
_PICTURES = r"\xa9\xae\u203c\u2049\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
# Chinese, Japanese, Korean, Thai, Lao: each character is a word, as no spaces tell where words end.
_UNSPACED = (
    r"\u0e01-\u0eff\u3005-\u3007\u3021-\u302f\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u9fff"
    r"\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
# What belongs to the character before it: accents, vowel signs, colours of skin, styles.
_MARKS = (
    r"\u0300-\u036f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u200c\u20d0-\u20ff\u302a-\u302f"
    r"\u3099\u309a\uff9e\uff9f\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\U000e0100-\U000e01ef"
)
_PICTURE = f"[{_PICTURES}][{_MARKS}]*"
_LETTER = f"[^{_SPACES}{_SIGNS}{_PICTURES}{_UNSPACED}]"
_MORE = f"{_LETTER}*(?:[-'’&]{_LETTER}+)*"  # lo-fi, don't, r&b
# What stands between two words has neither: re.split gives both in turns, words at odd places.
_WORDS = (
    f"([A-Za-z]+{_MORE}"  # what most words are; the rest would find them, too, but not as fast
    "|[0-9]+(?:[.,:/][0-9]+)+"  # 0.5, 3/4
    f"|{_LETTER}{_MORE}"
    f"|[{_UNSPACED}][{_MARKS}]*"
    "|[\U0001f1e6-\U0001f1ff]{2}|[#*]\ufe0f?\u20e3"  # flags, keys
    rf"|{_PICTURE}(?:\u200d{_PICTURE})*)"
)
# What parts the items of a list.
_PARTING = rf"([,;:.!?\u060c\u061b\u061f][{_SPACES}]+|[\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f])"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Takes a moment, which nobody waits for who shows no wordings."""
    return re.compile(pattern)


def _split(pattern: str, text: str) -> list[str]:
    """What stands between matches, and the matches, in turns."""
    return _compiled(pattern).split(text)


class _Change(NamedTuple):
    """A part of one text and what stands in its place in the other: from where to where.

    In words and in characters; of places in the second text the names begin with ``new``.
    """

    word: int
    word_end: int
    new_word: int
    new_word_end: int
    at: int
    end: int
    new_at: int
    new_end: int

    @property
    def words(self) -> int:
        """How many words it holds on its longer side."""
        return max(self.word_end - self.word, self.new_word_end - self.new_word)

    def on_to(self, other: _Change) -> _Change:
        """One change from the beginning of this one to the end of a later one."""
        return self._replace(
            word_end=other.word_end, new_word_end=other.new_word_end, end=other.end, new_end=other.new_end
        )


def words(text: str) -> list[str]:
    """The words of a text; pictures, and characters of scripts without spaces, are words as well."""
    return _split(_WORDS, text)[1::2]


def word_changes(before: str, after: str) -> list[list[str]]:
    """The way from one wording to another: ["=", text], ["-", text], ["+", text] in order."""
    steps: list[list[str]] = []
    told = 0
    for change in _changes(_split(_WORDS, before), _split(_WORDS, after)):
        _add(steps, "=", before[told : change.at])
        _tell(steps, before[change.at : change.end], after[change.new_at : change.new_end])
        told = change.end
    _add(steps, "=", before[told:])
    return steps


def _changes(old: list[str], new: list[str]) -> list[_Change]:
    """What changes, in order. Both texts are given in turns: what stands between words, a word, and so on."""
    # Most differ in a word or two: what both begin and end with is no work.
    shorter = min(len(old), len(new)) - 1
    start = next((at for at in range(shorter) if old[at] != new[at]), shorter) & ~1
    rest = shorter - start
    tail = next((at for at in range(rest) if old[-1 - at] != new[-1 - at]), rest) & ~1
    at = new_at = len("".join(old[:start]))
    old, new = old[start : len(old) - tail], new[start : len(new) - tail]

    changes: list[_Change] = []
    word = new_word = 0
    for stays, new_stays in [*_longest(old[1::2], new[1::2]), (len(old) // 2, len(new) // 2)]:
        gone, come = old[2 * word : 2 * stays + 1], new[2 * new_word : 2 * new_stays + 1]
        length, new_length = len("".join(gone)), len("".join(come))
        end, new_end = at + length, new_at + new_length
        if gone != come:
            # Of what stands between words, all that is the same stays.
            head = _alike(gone[0], come[0])
            tail = _alike(gone[-1][::-1], come[-1][::-1], min(length, new_length) - head)
            change = _Change(
                word, stays, new_word, new_stays, at + head, end - tail, new_at + head, new_end - tail
            )
            # What stays between two changes has to hold a word, and as many as the smaller of the two:
            # crumbs between them are harder to read than one change.
            while changes and change.word - changes[-1].word_end < max(
                1, min(changes[-1].words, change.words)
            ):
                change = changes.pop().on_to(change)
            changes.append(change)
        at, new_at = end, new_end
        if stays < len(old) // 2:
            at, new_at = at + len(old[2 * stays + 1]), new_at + len(old[2 * stays + 1])
        word, new_word = stays + 1, new_stays + 1
    return changes


def _longest(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    """The places of the words of a longest common subsequence.

    Where both go on with the same word it stays; else the old word goes if no fewer can stay
    then, else the new one comes.
    """
    if len(old) * len(new) > MOST_PAIRS:
        return []
    # Hyyrö's bit-parallel search, from the end. Bit n of a row stands for the nth old word from
    # the end, and is 0 where one word more can stay because of it.
    places: dict[str, int] = {}
    for place, word in enumerate(reversed(old)):
        places[word] = places.get(word, 0) | 1 << place
    row = -1
    rows = [row]
    for word in reversed(new):
        same = row & places.get(word, 0)
        row = (row + same) | (row - same)
        rows.append(row)
    pairs = []
    left, coming = len(old), len(new)
    while left and coming:
        if old[-left] == new[-coming]:
            pairs.append((len(old) - left, len(new) - coming))
            left, coming = left - 1, coming - 1
        elif rows[coming] >> (left - 1) & 1:
            left -= 1
        else:
            coming -= 1
    return pairs


def _alike(one: str, other: str, most: int | None = None) -> int:
    """How many characters two texts begin with alike."""
    shorter = min(len(one), len(other)) if most is None else min(len(one), len(other), most)
    return next((at for at in range(shorter) if one[at] != other[at]), shorter)


def _tell(steps: list[list[str]], gone: str, come: str) -> None:
    """Adds a change; one list in the place of another, with as many items, item by item."""
    items, others = _split(_PARTING, gone), _split(_PARTING, come)
    if items[1::2] != others[1::2]:
        items, others = [gone], [come]
    for one, other in zip(items, others, strict=True):
        if one == other:
            _add(steps, "=", one)
        else:
            _add(steps, "-", one)
            _add(steps, "+", other)


def _add(steps: list[list[str]], kind: str, text: str) -> None:
    if text and steps and steps[-1][0] == kind:
        steps[-1][1] += text
    elif text:
        steps.append([kind, text])
