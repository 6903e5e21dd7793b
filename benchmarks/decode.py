"""How fast clips are decoded: stock audiocraft beside the engine `musicgen`, in one run.

    python benchmarks/decode.py                     # on the GPU where there is one
    python benchmarks/decode.py --device cpu --sizes small --batches 1 8

The networks have the published models' dimensions and random weights, which take
as long as trained ones. Every clip is conditioned on as many text tokens. The
floor is the time that memory takes to deliver what a step must read, the weights
once and every clip's keys and values at their mean length, at the bandwidth that
copying a large tensor reaches at its best; how far copies differ is told with it.
The gain is a clip's, beside audiocraft's first row.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from sites.machine import processor

from gallery.engines.musicgen import best_device
from gallery.engines.musicgen.batch import Batch
from gallery.engines.musicgen.conditions import Condition
from gallery.engines.musicgen.generation import generation_of
from gallery.engines.musicgen.standins import import_audiocraft, placed
from gallery.engines.musicgen.weights import weights_of
from gallery.prompts.request import FRAME_RATE, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from gallery.engines.musicgen.weights import Weights

# Width, layers, attention heads.
SIZES = {
    "tiny": (64, 3, 4),
    "small": (1024, 24, 16),
    "medium": (1536, 48, 24),
    "large": (2048, 48, 32),
}
PUBLISHED = ["small", "medium", "large"]
DELAYS = [0, 1, 2, 3]
CARD = 2048


@dataclass(frozen=True)
class Row:
    """One measurement."""

    what: str
    clips: int
    seconds_a_step: float
    floor: float | None

    @property
    def seconds_a_clip(self) -> float:
        """A step's seconds for each of its clips."""
        return self.seconds_a_step / self.clips

    def cells(self) -> list[str]:
        """What the table shows of it."""
        rate = self.clips / FRAME_RATE / self.seconds_a_step
        share = f"{self.floor / self.seconds_a_step:.0%}" if self.floor else ""
        return [self.what, f"{self.seconds_a_step * 1000:.2f}", f"{rate:.2f}", share]


class FixedConditions(torch.nn.Module):
    """Conditions of a fixed length in place of a text encoder: a random one, and zeros for its twin."""

    def __init__(self, width: int, length: int, device: str) -> None:
        super().__init__()
        self.cross = torch.randn(length, width, device=device)

    def tokenize(self, inputs: list[Any]) -> int:
        """Only how many there are."""
        return len(inputs)

    def forward(self, count: int) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """Conditions of half as many clips, then their twins'."""
        tensor = self.cross.expand(count // 2, -1, -1)
        tensor = torch.cat([tensor, torch.zeros_like(tensor)])
        return {"description": (tensor, torch.ones(tensor.shape[:2], device=tensor.device))}


def build(size: str, conditions: torch.nn.Module, device: str, dtype: torch.dtype) -> Any:
    """A language model of a size with random weights, and with ``conditions`` as its conditioners."""
    from audiocraft.models.lm import LMModel
    from audiocraft.modules.codebooks_patterns import DelayedPatternProvider
    from audiocraft.modules.conditioners import ConditionFuser

    width, layers, heads = SIZES[size]
    fuser = ConditionFuser({"cross": ["description"], "prepend": [], "sum": [], "input_interpolate": []})
    with placed():
        lm = LMModel(
            DelayedPatternProvider(len(DELAYS), DELAYS), conditions, fuser,
            n_q=len(DELAYS), card=CARD, dim=width, num_heads=heads, num_layers=layers, hidden_scale=4,
            norm="layer_norm", norm_first=True, bias_proj=False, bias_ff=False, bias_attn=False, dropout=0.0,
            activation="gelu", causal=True, custom=False, memory_efficient=True, cross_attention=True,
            dtype=dtype, device=device,
        )  # fmt: skip
    return lm.to(device).eval()


def stock(lm: Any, clips: int, device: str, frames: int) -> None:
    from audiocraft.modules.conditioners import ConditioningAttributes

    conditions = [ConditioningAttributes(text={"description": ""}) for _ in range(clips)]
    kind = torch.device(device).type
    with placed(), torch.autocast(kind, torch.float16, enabled=kind != "cpu"):
        lm.generate(None, conditions, max_gen_len=frames, top_k=250, cfg_coef=3.0)


@torch.no_grad()
def ours(batch: Batch, condition: Condition, frames: int) -> None:
    for seed in range(batch.slots):
        request = Request(model="", prompt="", duration=frames / FRAME_RATE, seed=seed)
        clip = generation_of(request, frames, frames)
        batch.admit(clip, condition)
    while batch.clips:
        batch.tick(batch.steps)
        batch.finished()


def timed(
    functions: list[Callable[[int], object]],
    frames: int,
    repeats: int,
    device: str,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """Each function's seconds a step: the best of some rounds, in which they take turns."""
    for function in functions:
        function(min(frames, 30))
    best = [float("inf")] * len(functions)
    for _ in range(repeats):
        for index, function in enumerate(functions):
            synchronize(device)
            start = clock()
            function(frames)
            synchronize(device)
            best[index] = min(best[index], clock() - start)
    return [seconds / (frames + max(DELAYS)) for seconds in best]


def synchronize(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()


def bandwidths(device: str, size: int) -> list[float]:
    """Bytes a second that copying a tensor of ``size`` bytes, larger than any cache, reads and writes.

    Of several copies, the slowest first.
    """
    source = torch.zeros(size // 4, device=device)
    target = torch.zeros_like(source)  # memory that was never written is not there yet
    times = []
    for _ in range(15):
        synchronize(device)
        start = time.perf_counter()
        target.copy_(source)
        synchronize(device)
        times.append(time.perf_counter() - start)
    return [2 * source.nbytes / seconds for seconds in sorted(times, reverse=True)]


def bandwidth(device: str, size: int) -> float:
    """The best of `bandwidths`."""
    return bandwidths(device, size)[-1]


def floor(weights: Weights, clips: int, frames: int, text: int, rate: float) -> float:
    """Seconds that reading a step's weights, keys and values takes."""
    parts = [weights.heads]
    for layer in weights.layers:
        parts += [layer.qkv, layer.out, layer.up, layer.down]
        parts += [layer.cross.query, layer.cross.out] if layer.cross else []
    read = sum(part.weight.numel() for part in parts)
    entries = 2 * (frames + max(DELAYS)) / 2 + text  # two rows at their mean length; the prompt's once
    read += clips * len(weights.layers) * 2 * weights.width * entries
    return read * weights.dtype.itemsize / rate


def measure(size: str, options: argparse.Namespace, rate: float) -> list[Row]:
    device, frames, text = options.device, options.frames, options.text
    dtype = torch.float16 if device == "cuda" else torch.float32
    lm = build(size, FixedConditions(SIZES[size][0], text, device), device, dtype)
    weights = weights_of(lm, dtype)
    condition = Condition(prefix=None, cross=lm.condition_provider.cross)
    longest = frames + max(DELAYS) + 2
    functions = [partial(stock, lm, clips, device) for clips in options.stock]
    functions += [partial(ours, Batch(weights, clips, longest, text), condition) for clips in options.batches]
    clock = time.process_time if options.cpu_time else time.perf_counter
    seconds = timed(functions, frames, options.repeats, device, clock)
    names = [("audiocraft", clips) for clips in options.stock] + [
        ("gallery", clips) for clips in options.batches
    ]
    return [
        Row(
            f"{who}, {'one clip' if clips == 1 else f'{clips} clips'}",
            clips,
            spent,
            floor(weights, clips, frames, text, rate) if who == "gallery" else None,
        )
        for (who, clips), spent in zip(names, seconds, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default=best_device(), choices=["cpu", "cuda"])
    parser.add_argument(
        "--sizes", nargs="+", choices=list(SIZES), help="by default the published ones, on the CPU small"
    )
    parser.add_argument(
        "--batches", nargs="+", type=int, help="clips at once, ours: 1 8 32 64, on the CPU 1 8"
    )
    parser.add_argument("--stock", nargs="+", type=int, default=[1, 8], help="clips at once, audiocraft's")
    parser.add_argument(
        "--frames", type=int, help="length of a clip: 50 are a second; by default 1500, on the CPU 60"
    )
    parser.add_argument("--text", type=int, default=32, help="text tokens of each prompt")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--cpu-time",
        action="store_true",
        help="take this process's own CPU time, all threads together: where other programs run",
    )
    options = parser.parse_args()
    options.sizes = options.sizes or (PUBLISHED if options.device == "cuda" else ["small"])
    options.batches = options.batches or ([1, 8, 32, 64] if options.device == "cuda" else [1, 8])
    options.frames = options.frames or (1500 if options.device == "cuda" else 60)
    import_audiocraft()
    rates = bandwidths(options.device, 4 << 30 if options.device == "cuda" else 1 << 29)
    rate = rates[-1]
    name = (
        torch.cuda.get_device_name()
        if options.device == "cuda"
        else f"{processor()}, {torch.get_num_threads()} threads"
    )
    print(
        f"{name}, torch {torch.__version__}; copying {rate / 1e9:.1f} GB/s "
        f"(median of {len(rates)}: {statistics.median(rates) / 1e9:.1f}, slowest: {rates[0] / 1e9:.1f}); "
        f"{options.frames} frames, {options.text} text tokens"
    )
    for size in options.sizes:
        print(f"\n{size:24}{'ms a step':>12}{'audio s/s':>12}{'of floor':>12}{'ms a clip':>12}{'gain':>12}")
        rows = measure(size, options, rate)
        for row in rows:
            what, *cells = row.cells()
            gain = rows[0].seconds_a_clip / row.seconds_a_clip
            cells += [f"{row.seconds_a_clip * 1000:.2f}", f"{gain:.2f}"]
            print(f"{what:24}" + "".join(f"{cell:>12}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
