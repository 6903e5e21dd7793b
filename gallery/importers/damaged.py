"""Metadata that lost its backslashes on the way into an audio file.

Until mid-2024 TTS-WebUI's ``"`` in a prompt breaks the embedded JSON, and an escape like
``\\u00e9`` arrives as ``u00e9``. Everything around the prompt is whole, though.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gallery.importers.found import Unusable
from gallery.importers.untrusted import load_json

if TYPE_CHECKING:
    from collections.abc import Iterator

# The prompt stands between these two, in all eras.
_BEFORE = re.compile(r'"text":\s*"')
_BEHIND = re.compile(r'",\s*"melody":')

# A prompt may itself hold such text; so many places are tried.
_MOST_PLACES = 20

_MAX_LENGTH = 100_000

_LOST = "its embedded metadata is damaged beyond recovery; put its .json beside it"

_DOUBLED = re.compile(r"(\\+\"|\\\\)")
_LOST_ESCAPES = re.compile(r"(?:u[0-9a-f]{4})+")


def recover(text: str) -> dict[str, Any]:
    """The fields of broken JSON, the prompt as ``text``. Raises Unusable.

    What stands before and behind the prompt has to be whole, and there has to be exactly
    one way to read it: a guess would put words into somebody's mouth.
    """
    if len(text) > _MAX_LENGTH:
        raise Unusable(_LOST)
    readings = []
    for behind in _places(_BEHIND, text):
        tail = _fields('{"melody":' + text[behind.end() :])
        if tail is None:
            continue
        for before in _places(_BEFORE, text[: behind.start()]):
            prompt = text[before.end() : behind.start()]
            head = _head(text[: before.start()], prompt)
            if head is not None and not head.keys() & tail.keys():
                readings.append({**head, "text": without_doubled(prompt), **tail})
    if len(readings) != 1:
        raise Unusable(_LOST)
    return readings[0]


def with_escapes(text: str) -> str:
    """A text whose ``\\u`` escapes had lost their backslashes, as it was.

    Words like "uface" stand: a lone escape without a digit is not taken for one.
    """
    return _LOST_ESCAPES.sub(lambda found: _decoded(found[0]), text)


def without_doubled(text: str) -> str:
    """A text in which quotes and backslashes were escaped once more than JSON needs it, as it was."""
    return _DOUBLED.sub(lambda found: found[1][-1], text)


def _decoded(run: str) -> str:
    codes = [int(code, 16) for code in run.split("u")[1:]]
    if (len(codes) == 1 and not re.search(r"\d", run)) or any(code < 0x80 for code in codes):
        return run
    try:
        return b"".join(code.to_bytes(2, "big") for code in codes).decode("utf-16-be")
    except UnicodeDecodeError:  # half a pair: no text that was ever written
        return run


def _places(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    for count, found in enumerate(pattern.finditer(text)):
        if count == _MOST_PLACES:
            raise Unusable(_LOST)
        yield found


def _head(text: str, prompt: str) -> dict[str, Any] | None:
    """What stands before the prompt. Early eras have the prompt there too, as ``prompt``."""
    again = re.compile(r'"prompt":\s*"' + re.escape(prompt) + r'",\s*')
    return _fields(again.sub("", text, count=1).rstrip().removesuffix(",") + "}")


def _fields(text: str) -> dict[str, Any] | None:
    try:
        fields = load_json(text)
    except Unusable:
        return None
    return fields if isinstance(fields, dict) else None
