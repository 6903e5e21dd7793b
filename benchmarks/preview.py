"""What a preview costs: python benchmarks/preview.py

Seconds a clip by stage, then whole previews with one and with two threads, and the
CPU seconds that go into one, ffmpeg's included, and what its MP3 and its cover weigh. The clips are
synthetic, 32 kHz, mono.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table
from sites.machine import processor

from gallery.config import PreviewSettings
from gallery.preview import make_preview
from gallery.preview.limiter import listen, matching_gain, with_gain
from gallery.preview.measure import loudness, peak_steps, true_peak, weighted_steps
from gallery.preview.mp3 import decode_mp3, encode_mp3, with_tags
from gallery.preview.picture import cover, peaks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SAMPLE_RATE = 32_000
SETTINGS = PreviewSettings()
TAGS = {
    "title": "Rainy window",
    "artist": "musicgen-small",
    "comment": "lofi, seed 1",
    "gallery_request": "{}",
}
ROUNDS = 5


def bursts(seconds: int) -> NDArray[np.float32]:
    """Noise that comes and goes twice a second, on a quiet floor."""
    time_s = np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE
    noise = np.random.default_rng(1).standard_normal(len(time_s))
    return (0.3 * noise * (np.exp(-8 * (time_s % 0.5)) + 0.01)).astype(np.float32)[:, None]


def tones(seconds: int) -> NDArray[np.float32]:
    """A chord that changes each second, peaking over full scale."""
    time_s = np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE
    root = 110 * 2 ** ((time_s // 1 * 5 % 12) / 12)
    chord = sum(np.sin(2 * np.pi * ratio * root * time_s) / ratio for ratio in (1, 1.5, 2.5, 4, 6))
    return (0.6 * np.asarray(chord)).astype(np.float32)[:, None]


def knocks(seconds: int) -> NDArray[np.float32]:
    """Steps on a wooden floor: little but peaks, 25 dB over their loudness."""
    audio = 0.003 * np.random.default_rng(2).standard_normal(seconds * SAMPLE_RATE)
    knock = np.exp(-np.arange(3200) / 500) * np.random.default_rng(3).standard_normal(3200)
    for start in range(0, len(audio) - len(knock), 9_600):
        audio[start : start + len(knock)] += 0.4 * knock
    return audio.astype(np.float32)[:, None]


def seconds_of(work: Callable[[], object]) -> float:
    """The shortest of some runs."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def stages(audio: NDArray[np.float32]) -> dict[str, float]:
    """Seconds that each stage of one preview takes, as far as its first encode."""
    clip = listen(audio, SAMPLE_RATE)
    aim, ceiling = SETTINGS.loudness, SETTINGS.true_peak - 1
    gain = matching_gain(clip, aim, ceiling)
    limited = with_gain(audio, gain)
    mp3 = encode_mp3(limited, SAMPLE_RATE, SETTINGS.quality)
    decoded, _ = decode_mp3(mp3)
    return {
        "loudness": seconds_of(lambda: weighted_steps(audio, SAMPLE_RATE)),
        "true peak": seconds_of(lambda: peak_steps(audio)),
        "find gain": seconds_of(lambda: matching_gain(clip, aim, ceiling)),
        "apply gain": seconds_of(lambda: with_gain(audio, gain)),
        "encode": seconds_of(lambda: encode_mp3(limited, SAMPLE_RATE, SETTINGS.quality)),
        "decode": seconds_of(lambda: decode_mp3(mp3)),
        "measure": seconds_of(lambda: (loudness(decoded, SAMPLE_RATE), true_peak(decoded))),
        "peaks": seconds_of(lambda: peaks(decoded)),
        "cover": seconds_of(lambda: cover(audio, SAMPLE_RATE)),
        "tags": seconds_of(lambda: with_tags(mp3, TAGS)),
    }


def whole(audio: NDArray[np.float32], threads: int) -> tuple[float, float]:
    """Wall and CPU seconds a preview, of eight in ``threads`` threads; the best of some runs."""
    runs = []
    for _ in range(3):
        cpu, start = sum(os.times()[:4]), time.perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda _: make_preview(audio, SAMPLE_RATE, SETTINGS, TAGS), range(8)))
        runs.append(((time.perf_counter() - start) / 8, (sum(os.times()[:4]) - cpu) / 8))
    return min(runs)


def main() -> None:
    console = Console(width=180)
    table = Table(title=f"milliseconds a clip; {processor()}")
    for number, kind in enumerate((bursts, tones, knocks)):
        for seconds in (10, 30):
            audio = kind(seconds)
            preview = make_preview(audio, SAMPLE_RATE, SETTINGS, TAGS)  # and imports, filters and caches
            weights = {"MP3, KB": len(preview.mp3), "cover, KB": len(preview.cover)}
            row = stages(audio)
            one, two = whole(audio, 1), whole(audio, 2)
            row |= {"1 thread": one[0], "2 threads": two[0], "CPU": two[1]}
            if not table.columns:
                for name in ("clip", *row, *weights):
                    table.add_column(name, justify="left" if name == "clip" else "right")
            table.add_row(
                f"{kind.__name__} {seconds} s",
                *(f"{1000 * value:.1f}" for value in row.values()),
                *(f"{size / 1000:.1f}" for size in weights.values()),
                end_section=number < 2 and seconds == 30,
            )
    console.print(table)


if __name__ == "__main__":
    main()
