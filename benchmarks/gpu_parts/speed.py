"""Milliseconds a step, beside stock audiocraft and the least that memory allows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from decode import DELAYS, SIZES, FixedConditions, Row, bandwidth, build, floor, ours, stock, timed

from gallery.engines.musicgen.batch import Batch
from gallery.engines.musicgen.conditions import Condition
from gallery.engines.musicgen.weights import weights_of
from gallery.prompts.request import FRAME_RATE
from gpu_parts import Finding
from gpu_parts.networks import tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gpu_parts.networks import Bench

TEXT = 32  # text tokens of each prompt


def speed(bench: Bench) -> Iterator[Finding]:
    """Small and large, stock and ours, by clips at once."""
    copied = 1 << 22
    if bench.on_gpu and not bench.quick:
        copied = min(4 << 30, torch.cuda.mem_get_info()[0] // 4)
    rate = bandwidth(bench.device, copied)
    yield Finding("copying a large tensor", f"{rate / 1e9:.0f} GB/s", value=rate)
    frames = 25 if bench.quick else 150
    yield Finding("length of the clips", f"{frames / FRAME_RATE:g} s")
    repeats = 1 if bench.quick else 2
    for size in ["tiny"] if bench.quick else ["small", "large"]:
        tidy(bench)
        try:
            yield from _size(bench, size, frames, repeats, rate)
        except torch.OutOfMemoryError:
            yield Finding(size, "the card has no memory for it")


def _size(bench: Bench, size: str, frames: int, repeats: int, rate: float) -> Iterator[Finding]:
    lm = build(size, FixedConditions(SIZES[size][0], TEXT, bench.device), bench.device, bench.dtype)
    weights = weights_of(lm, bench.dtype)
    condition = Condition(prefix=None, cross=lm.condition_provider.cross)

    def batch(clips: int) -> Callable[[int], object]:
        return partial(ours, Batch(weights, clips, frames + max(DELAYS) + 2, TEXT), condition)

    rows = [
        ("gallery", 1),
        ("audiocraft", 1),
        ("gallery", 8),
        ("audiocraft", 8),
        ("gallery", 32),
        ("gallery", 64),
    ]
    for who, clips in rows[:4] if bench.quick else rows:
        name = f"{size}, {who}, {clips} at once"
        try:
            function = batch(clips) if who == "gallery" else partial(stock, lm, clips, bench.device)
            [seconds] = timed([function], frames, repeats, bench.device)
        except torch.OutOfMemoryError:
            yield Finding(name, "the card has no memory for it")
            continue
        finally:
            function = None
            tidy(bench)
        least = floor(weights, clips, frames, TEXT, rate) if who == "gallery" else None
        _, milliseconds, audio, share = Row(name, clips, seconds, least).cells()
        found = f"{milliseconds} ms a step, {audio} s of audio a second"
        found += f", {share} of the floor's speed" if share else ""
        yield Finding(name, found, value=float(milliseconds))
