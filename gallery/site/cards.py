"""Cards: the pictures that messengers and social networks show beside a link to a page.

The words in the display serif over the clip's spectrogram, in the colours of the
dark theme. A sketch is drawn as the pages draw it, in quiet greys, and says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from gallery.utils.digest import digest
from gallery.utils.levels import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from PIL import Image
    from PIL.ImageFont import FreeTypeFont

SIZE = (1200, 630)
SQUARE = (1400, 1400)  # the least that podcast directories take

_PAPER, _INK, _SOFT, _FAINT = (20, 17, 15), (244, 237, 226), (189, 178, 164), (147, 136, 123)
_EMBER = ((20, 17, 15), (43, 26, 61), (107, 31, 92), (194, 59, 78), (242, 132, 60), (255, 217, 138))
_PENCIL = ((26, 23, 20), (38, 36, 31), (61, 56, 51), (84, 76, 69), (102, 94, 84))

_SIZES = (104, 88, 74, 62, 52, 44, 37)
_QUALITY = 72

# More characters than any card has room for.
_MOST = 1000

_COVER = (480, 96)

# The fonts hold these characters; words in others are left to the link's own title.
_KNOWN = re.compile(
    r"[\x20-\x7e\xa0-\xff\u0131\u0152\u0153\u2013\u2014\u2018-\u201e\u2026\u20ac\u2122\u2212]*"
)
_ROMAN, _ITALIC = (f"instrument-serif-latin-400-{style}.woff2" for style in ("normal", "italic"))


# Font files by their names.
Fonts = dict[str, bytes]


@dataclass(frozen=True)
class Card:
    """What a card shows.

    ``cover`` is a grey picture of the sound; ``peaks`` is its waveform, for where there is none.
    """

    words: str
    heading: str
    facts: str
    state: str
    cover: Path | None
    peaks: str
    size: tuple[int, int] = SIZE

    def digest(self, key: str, fonts: str) -> str:
        """Of all that decides the picture; ``key`` stands for the cover's content."""
        told = (self.words, self.heading, self.facts, self.state, self.peaks, f"{self.size}")
        return digest(key, fonts, str(bool(self.cover)), *told)


def draw(card: Card, fonts: Fonts) -> bytes:
    """A card as a JPEG; the same card, the same bytes."""
    from PIL import Image, ImageDraw

    width, height = card.size
    edge, middle = width // 18, round(height * 0.62)
    image = Image.new("RGB", card.size, _PAPER)
    image.paste(_sound(card, (width, height - middle)), (0, middle))
    pen = ImageDraw.Draw(image)
    small = _font(fonts, _ITALIC, 40)
    if small and _KNOWN.fullmatch(card.heading):
        pen.text((edge, edge * 0.72), card.heading, _SOFT, small)
    if small and _KNOWN.fullmatch(card.facts):
        pen.text((width - edge, edge * 0.72), card.facts, _FAINT, small, anchor="ra")
    if _KNOWN.fullmatch(card.words):
        _write(pen, card.words, fonts, (edge, round(edge * 1.75)), (width - 2 * edge, middle - edge * 2))
    if card.state == "sketch" and small:
        _label(pen, "sketch, not made by MusicGen", small, (edge, middle + edge // 2))
    file = BytesIO()
    image.save(file, "JPEG", quality=_QUALITY, optimize=True)
    return file.getvalue()


def _sound(card: Card, size: tuple[int, int]) -> Image.Image:
    """The clip's spectrogram in colour, its waveform where there is none, nothing where there is neither."""
    from PIL import Image, ImageDraw

    if card.cover:
        try:
            # Whoever wrote the store: a cover is a small WebP, and no other decoder is started.
            with Image.open(card.cover, formats=("WEBP",)) as file:
                if file.size != _COVER:
                    raise OSError
                grey = file.convert("L")
        except OSError:
            pass
        else:
            colours = _table(_PENCIL if card.state == "sketch" else _EMBER)
            return grey.resize(size, Image.Resampling.BICUBIC).convert("RGB").point(colours)
    picture = Image.new("RGB", size, _PAPER)
    pen, (width, height) = ImageDraw.Draw(picture), size
    colour = _PENCIL[-1] if card.state == "sketch" else _EMBER[4]
    for index, peak in enumerate(card.peaks):
        half = max(2, LEVELS.find(peak) / 63 * height * 0.4)
        left = width * (index + 0.25) / len(card.peaks)
        right = left + width / len(card.peaks) / 2
        pen.rectangle((left, height / 2 - half, right, height / 2 + half), colour)
    return picture


@cache
def _table(colours: tuple[tuple[int, int, int], ...]) -> list[int]:
    """Each channel's value for each grey: straight lines from one colour to the next."""
    table = []
    for channel in zip(*colours, strict=True):
        for grey in range(256):
            place = grey / 255 * (len(channel) - 1)
            step = min(int(place), len(channel) - 2)
            table.append(round(channel[step] + (channel[step + 1] - channel[step]) * (place - step)))
    return table


def _write(pen: Any, text: str, fonts: Fonts, place: tuple[int, int], space: tuple[int, int]) -> None:
    """Text as large as it fits; what does not fit at the smallest size ends in dots."""
    for size in _SIZES:
        font = _font(fonts, _ROMAN, size)
        if not font:
            return
        lines = _wrapped(text[:_MOST], font, space[0])
        room = max(1, int(space[1] / (size * 1.08)))
        if len(lines) <= room:
            break
    else:
        lines = lines[:room]
        lines[-1] = lines[-1].rsplit(" ", 1)[0][:60] + " …"
    for number, line in enumerate(lines):
        pen.text((place[0], place[1] + number * size * 1.08), line, _INK, font)


def _wrapped(text: str, font: FreeTypeFont, width: int) -> list[str]:
    lines = [""]
    for word in _short(text.split(), font, width):
        longer = f"{lines[-1]} {word}".lstrip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _short(words: Iterable[str], font: FreeTypeFont, width: int) -> Iterator[str]:
    """The words, those that are wider than a line in parts: what is drawn beyond the edge takes long."""
    for word in words:
        rest = word
        while (length := font.getlength(rest)) > width and len(rest) > 1:
            # About as much as fits; glyphs differ, so it may take another look.
            part = max(1, int(len(rest) * width / length))
            while part > 1 and font.getlength(rest[:part]) > width:
                part = part * 9 // 10
            yield rest[:part]
            rest = rest[part:]
        yield rest


def _label(pen: Any, text: str, font: FreeTypeFont, place: tuple[int, int]) -> None:
    left, top = place
    box = (left, top, left + font.getlength(text) + 36, top + 60)
    pen.rectangle(box, _PAPER, _FAINT, 2)
    pen.text((left + 18, top + 30), text, _INK, font, anchor="lm")


@cache
def _opened(font: bytes, size: int) -> FreeTypeFont | None:
    from PIL import ImageFont

    try:
        return ImageFont.truetype(BytesIO(font), size)
    except OSError:
        # A FreeType that was built without WOFF2: the card does without words.
        return None


def _font(fonts: Fonts, name: str, size: int) -> FreeTypeFont | None:
    return _opened(fonts[name], size) if name in fonts else None
