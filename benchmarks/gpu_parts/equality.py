"""What a clip's tokens must not depend on: the kernel, the library, other clips, the batch size, graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import torch
from torch.nn import functional

from gallery.engines.musicgen.attention import attend, has_kernel
from gallery.engines.musicgen.batch import Batch
from gallery.engines.musicgen.standins import usable
from gpu_parts import Finding, shares
from gpu_parts.networks import equal, exact, make, mates, request, tidy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpu_parts.networks import Bench, Made

LONGEST = 1503  # positions of 30 s
HEADS, WIDTH = 4, 64  # of attention: every published model's heads are as wide
ROWS = 64

# How far attention may be from torch's in float32, by the type that it computes in.
NEAR = {torch.float32: 1e-5, torch.float16: 4e-3}

# Every way of sampling, none, and a clip of several windows.
WAYS: list[dict[str, Any]] = [
    {"frames": 75, "seed": 3},
    {"frames": 50, "temperature": 0, "prompt": "solo flute"},
    {"frames": 60, "top_p": 0.7, "cfg_coef": 6, "prompt": "rain"},
    {"frames": 50, "top_k": 0, "temperature": 1.4, "prompt": ""},
    {"frames": 40, "top_k": 500, "cfg_coef": 1, "seed": 2**32 - 1, "prompt": "b " * 60},
    {"frames": 170, "seed": 5, "cfg_coef": 2.5, "prompt": "two pianos, far off"},
]
WINDOW = 2.0  # seconds


def kernel(bench: Bench) -> Iterator[Finding]:
    """Attention at every length against torch's, and whether a row depends on the others."""
    if bench.on_gpu:
        served = "is used" if has_kernel(WIDTH) else "cannot be used here: torch's attention takes its place"
        yield Finding("the kernel", served)
    generator = torch.Generator().manual_seed(0)
    positions = 1536
    shape = (2, ROWS, HEADS, positions, WIDTH)
    past = torch.randn(shape, generator=generator).to(bench.device, bench.dtype)
    queries = torch.randn(ROWS, HEADS, WIDTH, generator=generator).to(bench.device, bench.dtype)
    lengths = torch.arange(1, LONGEST + 1)
    if bench.quick:
        lengths = lengths[torch.tensor([0, 1, 63, 64, 255, 256, 511, LONGEST - 1])]
    worst, same = 0.0, True
    with exact():
        for part in lengths.to(bench.device).split(ROWS):
            rows = len(part)
            found = attend(queries[:rows], past[:, :rows], part)
            mask = (torch.arange(positions, device=bench.device) < part[:, None])[:, None, None]
            keys, values = past[:, :rows].float()
            expected = functional.scaled_dot_product_attention(
                queries[:rows, :, None].float(), keys, values, mask
            )
            worst = max(worst, (found - expected.flatten(1)).abs().max().item())
            # The other way round, and beside others: every second row has another length.
            others = part.clone()
            others[1::2] = LONGEST + 1 - others[1::2]
            again = attend(queries[:rows].flip(0), past[:, :rows].flip(1), others.flip(0))
            same &= bool((again.flip(0)[::2] == found[::2]).all())
    whole = f"{len(lengths)} lengths from {lengths[0]} to {lengths[-1]}"
    yield Finding(f"attention at {whole}", f"off by {worst:.1e} at most", worst < NEAR[bench.dtype], worst)
    bits = "the same bits" if same else "other bits"
    # A CPU's threads share a row's positions by where the row stands; only a GPU promises bits.
    yield Finding("a row elsewhere, beside other lengths", bits, same if bench.on_gpu else None)


def stock(bench: Bench) -> Iterator[Finding]:
    """Tiny models in float32 on the device against stock audiocraft on the CPU, token for token."""
    kinds = ["stereo"] if bench.quick else ["mono", "stereo", "audiogen"]
    if usable("librosa") and not bench.quick:
        kinds.append("melody")  # without one, but with its long prefix
    for kind in kinds:
        tiny, there = bench.float32(kind, WINDOW)
        requests = [request(**way) for way in (WAYS[-2:] if bench.quick else WAYS)]
        with exact():
            made = make(there, requests)
        found = [equal(made.tokens[i], tiny.stock(asked)[0]) for i, asked in enumerate(requests)]
        yield shares(f"{kind}, {len(requests)} clips against audiocraft", sum(found) / len(found))


def independence(bench: Bench) -> Iterator[Finding]:
    """One clip in several slots, with other mates, twice, at all batch sizes, and without graphs."""
    frames = 30 if bench.quick else 100
    sizes = [1, 4] if bench.quick else [1, 64, 8, 2, 4, 16, 32]  # the most telling ones first
    model, clip = bench.main, request(frames, seed=7)
    alone = make(model, [clip], 1).tokens[0]
    other = make(model, [request(frames, seed=8)], 1).tokens[0]
    apart = equal(other, alone)
    yield Finding("another seed", f"{apart:.2%} of the tokens are equal", apart < 0.5, apart)
    for size in sizes:
        # Longer clips come first: the clip stands in the first slot, in the last one, and between them;
        # the last time there are more clips than slots.
        half = size // 2
        companies = [(0, size - 1), (size - 1, 0), (half, size - 1 - half), (half, size + 1), (0, size - 1)]
        found = []
        for number, (longer, shorter) in enumerate(companies):
            first = 200 * (number % 4)  # the last company is the first one once more
            before, after = mates(longer, frames + 4, first), mates(shorter, frames - 4, first + 100)
            found.append(_middle(make(model, [*before, clip, *after], size), longer))
        tokens = [tokens for tokens, _ in found]
        used = max(size for _, sizes in found for size in sizes)
        among = sum(equal(one, tokens[0]) for one in tokens) / len(tokens)
        name = f"{size} at once" if used == size else f"{size} at once, which became {used}"
        yield shares(f"{name}: other slots, other mates, twice", among)
        yield shares(f"{name}: against alone", equal(tokens[0], alone))
        tidy(bench)
    if bench.on_gpu:
        company = [clip, *mates(7, frames - 4)]
        graph = make(model, company, 8).tokens[0]
        with patch.object(Batch, "_graph", lambda batch, variant: _Eager(batch, variant)):
            eager = make(model, company, 8).tokens[0]
        yield shares("8 at once: CUDA graph against eager", equal(graph, eager))


def _middle(made: Made, place: int) -> tuple[torch.Tensor | None, set[int]]:
    return made.tokens[place], made.sizes


class _Eager:
    """A batch's tick in place of its graph, each step anew."""

    def __init__(self, batch: Batch, variant: Any) -> None:
        self._batch, self._variant = batch, variant

    def replay(self) -> None:
        self._batch._advance(self._variant)
