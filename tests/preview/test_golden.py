"""Previews as they have always been: refactoring doesn't change them.

A preview's bytes are pinned. Its input is made of integers, its gains are rounded to single
precision and LAME reads 32-bit integers, so that processors make no difference; libraries do. Where
a digest changes with what `PINNED_WITH` names, or on purpose, raise PREVIEW_VERSION in
gallery/config.py, so that no store mixes old previews with new ones, and pin what is printed here.
Where it changes for no reason, previews have changed: find out why.
"""

from __future__ import annotations

import hashlib
import os
import platform
from typing import TYPE_CHECKING

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import features

from gallery.config import PreviewSettings
from gallery.preview import make_preview
from gallery.preview.mp3 import encode_mp3

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Audio = NDArray[np.float32]

PINNED_WITH = {"ffmpeg": "n9.0.2-17-g2a571b6068-20260930", "libwebp": "1.6.0"}
WHAT_TO_DO = "previews have other bytes than before; the head of this file says what to do"

# Other platforms have another ffmpeg in their wheel; IMAGEIO_FFMPEG_EXE names another one too.
where_pinned = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64") or "IMAGEIO_FFMPEG_EXE" in os.environ,
    reason="digests are pinned for imageio-ffmpeg's own binary on Linux, x86-64",
)


def triangle(samples: int, period: int, height: float = 0.25) -> NDArray[np.float64]:
    position = np.arange(samples) % (2 * period)
    return np.abs(position - period) * (2 / period * height) - height


def noise(samples: int, height: float = 1.0) -> NDArray[np.float64]:
    """Wang's integer hash of each sample's number."""
    number = np.arange(samples, dtype=np.uint32)
    number = (number ^ np.uint32(61) ^ (number >> np.uint32(16))) * np.uint32(9)
    number = (number ^ (number >> np.uint32(4))) * np.uint32(0x27D4EB2D)
    number ^= number >> np.uint32(15)
    return ((number >> np.uint32(16)).astype(np.float64) / 2**15 - 1) * height


def knocks(samples: int) -> NDArray[np.float64]:
    """Sparse peaks that are far over the loudness, so that the limiter has work."""
    return noise(samples) * np.where(np.arange(samples) % 8000 < 400, 1, 0.01)


SIGNALS: dict[str, tuple[list[NDArray[np.float64]], int]] = {
    "mono": ([triangle(32_000, 73)], 32_000),
    "stereo": ([triangle(32_000, 73), triangle(32_000, 97) + noise(32_000, 2**-6)], 32_000),
    "16 kHz": ([triangle(16_000, 40) + noise(16_000, 2**-5)], 16_000),
    "quiet": ([noise(32_000, 2**-9)], 32_000),
    "knocks": ([knocks(48_000)], 32_000),
    "over full scale": ([triangle(32_000, 61, 1.75)], 32_000),
    "silence": ([np.zeros(32_000)], 32_000),
    "short": ([triangle(3200, 50)], 32_000),
    "44.1 kHz": ([triangle(44_100, 99)], 44_100),
    "20 kHz": ([triangle(20_000, 45)], 20_000),
}


def signal(name: str) -> tuple[Audio, int]:
    channels, rate = SIGNALS[name]
    return np.stack(channels, axis=1).astype(np.float32), rate


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


TAGS = {"title": "夜の雨", "artist": "AC/DC; a=b", "comment": "two\nlines", "gallery_request": '{"seed": 1}'}

PREVIEWS = {
    "mono": ("6435af6e3de537c1", "4c7c1b30fec7a661", "a27fea8ae4d8c954"),
    "stereo": ("afc8d082fd361ba0", "58971c45ee4825eb", "78a16bd3363e36cd"),
    "16 kHz": ("ec7081add72b0e62", "53bbf9374a7d6ee5", "fbd70e7b50052496"),
    "quiet": ("1659d1ff7d0dfa42", "241a507f78084c74", "1cb72424bf898cfc"),
    "knocks": ("5dd1c0b4cc51ad82", "ffc32c2f784d4812", "fd65a5747d1ff230"),
    "over full scale": ("ceb0f02e274a5224", "3fe5bb2548c68608", "3059df2e8ec75e8b"),
    "silence": ("5feec6838cdc2e71", "cb9a7a979018a7ee", "70d3bf8b0b9d83a6"),
    "short": ("1d3b627c41b169e8", "487d3403b9951393", "58fb7e561a07cd5d"),
    "44.1 kHz": ("31158f4e038a75e9", "7867cb4811f052e9", "607da6e812d6f619"),
    "20 kHz": ("a023b2fbe9def313", "bcabc1a9fd3a7861", "226f36667402bf64"),
}

MP3S = {
    ("mono", 2): "feede9878e8f3f9e",
    ("stereo", 2): "152eb4dd475a7e27",
    ("stereo", 7): "8421bae90a78b840",
    ("16 kHz", 5): "8314053064be144c",
    ("over full scale", 2): "c170b98836c6f5d9",
    ("silence", 2): "9d873b03085da192",
    ("short", 0): "e55c72cc60b0e79e",
    ("44.1 kHz", 2): "dbd8aa40e8731b98",
    ("20 kHz", 2): "0bf2faa2520c580b",
}


@where_pinned
def test_the_digests_are_of_these_libraries() -> None:
    found = {"ffmpeg": imageio_ffmpeg.get_ffmpeg_version(), "libwebp": features.version("webp")}
    assert found == PINNED_WITH, WHAT_TO_DO


@where_pinned
@pytest.mark.parametrize("name", SIGNALS)
def test_previews_are_the_same_bytes_as_before(name: str) -> None:
    """MP3 with its tags, cover and waveform, as the store keeps them."""
    preview = make_preview(*signal(name), PreviewSettings(), TAGS)
    found = digest(preview.mp3), digest(preview.cover), digest(preview.peaks.encode())
    assert found == PREVIEWS[name], WHAT_TO_DO


@where_pinned
@pytest.mark.parametrize(("name", "quality"), MP3S)
def test_mp3s_are_the_same_bytes_as_before(name: str, quality: int) -> None:
    """The encoder alone, of samples that nothing has been done to."""
    assert digest(encode_mp3(*signal(name), quality)) == MP3S[name, quality], WHAT_TO_DO
