"""What a preview looks like: its waveform in 200 characters, its spectrogram as a picture."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from gallery.utils.levels import LEVELS

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

PEAKS = 200

COLUMNS, BANDS = 480, 96
LOWEST, HIGHEST = 40.0, 12_000.0  # Hz
RANGE = 62.0  # dB from black to white
WHITE = 99.7  # percentile of the picture that is white

LARGEST_COVER = 10_000  # bytes
QUALITIES = (25, 10, 5, 0)  # of the WebP; 25 is 4 KB for most music

# Seconds of the analysis window: 16 Hz from one frequency to the next, enough for the
# lowest bands, and still short enough to show a beat.
_WINDOW = 0.064


def peaks(audio: NDArray[np.float32]) -> str:
    """The highest amplitude in each 200th of ``audio`` [samples, channels], a character each.

    A is 0 and / is 63, the clip's highest amplitude; amplitudes are linear.
    """
    heights = np.abs(audio).max(axis=1)
    highest = np.maximum.reduceat(heights, np.arange(PEAKS) * len(heights) // PEAKS)
    top = highest.max()
    levels = np.rint(highest * (63 / top)).astype(int) if top > 0 else np.zeros(PEAKS, dtype=int)
    return "".join(LEVELS[level] for level in levels)


def cover(audio: NDArray[np.float32], sample_rate: int) -> bytes:
    """The mel spectrogram of ``audio`` [samples, channels] as a greyscale WebP, 480 x 96, at most 10 KB."""
    from PIL import Image

    image = Image.fromarray(shades(mel_spectrogram(audio, sample_rate)))
    for quality in QUALITIES:
        file = BytesIO()
        image.save(file, "WEBP", quality=quality, method=4)
        if file.tell() <= LARGEST_COVER:
            break
    return file.getvalue()


def shades(power: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Powers [bands, columns] as pixels: `RANGE` dB under the 99.7th percentile, low bands at the bottom."""
    top = power.max()
    if top == 0:
        return np.zeros(power.shape, dtype=np.uint8)
    levels = 10 * np.log10(np.maximum(power / top, 1e-15))
    # A lone click fills less of the picture than the percentile leaves out: stay near the maximum.
    white = max(float(np.percentile(levels, WHITE)), -RANGE / 2)
    grey = np.clip((levels - white) / RANGE + 1, 0, 1)
    return np.ascontiguousarray(np.rint(255 * grey[::-1]).astype(np.uint8))


def mel_spectrogram(audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """Power [bands, columns] of ``audio`` [samples, channels], the channels' powers added.

    A column is the mean over its stretch of time: of one window in its middle where
    windows reach over the stretch, of several at equal distances where it is longer.
    """
    size = 64 * max(1, round(_WINDOW * sample_rate / 64))
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    each = -(-2 * len(audio) // (COLUMNS * size))
    middles = (np.arange(COLUMNS * each) + 0.5) * len(audio) / (COLUMNS * each)
    starts = middles.astype(int).reshape(COLUMNS, each)
    total = np.zeros((COLUMNS, size // 2 + 1), dtype=np.float32)
    for channel in audio.T:
        # As much silence in front as brings each window's middle to its start's number.
        filled = np.pad(channel, (size // 2, size))
        windows = np.lib.stride_tricks.sliding_window_view(filled, size)
        for turn in range(each):
            spectrum = np.fft.rfft(windows[starts[:, turn]] * window)
            total += np.square(np.abs(spectrum)).astype(np.float32)
    return np.asarray(_mel_filters(sample_rate, size) @ total.T / np.float32(each))


@cache
def _mel_filters(sample_rate: int, size: int) -> csr_array[np.float32]:
    """Triangles [bands, frequencies], evenly spaced on the mel scale (O'Shaughnessy 1987).

    From 40 Hz to 12 kHz, or as far as the sample rate goes, each of one area, as
    librosa has them by default. Sparse: nine tenths of the full matrix are zeros.
    """
    from scipy.sparse import csr_array

    low, high = (2595 * np.log10(1 + end / 700) for end in (LOWEST, min(HIGHEST, sample_rate / 2)))
    corners = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    left, middle, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    frequencies = np.fft.rfftfreq(size, 1 / sample_rate)
    rising, falling = (frequencies - left) / (middle - left), (right - frequencies) / (right - middle)
    triangles = np.minimum(rising, falling).clip(0) * 2 / (right - left)
    return csr_array(triangles.astype(np.float32))
