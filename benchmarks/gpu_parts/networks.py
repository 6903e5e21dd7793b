"""The networks that the parts share, and how clips are made of them."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from decode import SIZES, build

from gallery.config import Model
from gallery.engines import Failure
from gallery.engines.musicgen.checkpoint import Checkpoint, load
from gallery.engines.musicgen.generation import generation_of
from gallery.engines.musicgen.schedule import Done, Schedule
from gallery.engines.musicgen.standins import placed
from gallery.prompts.request import FRAME_RATE, Request
from support.tiny_checkpoints import KINDS, write_checkpoint
from support.tiny_engine import HUB, Tiny

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from torch import Tensor

# What the published 32 kHz codec has, where the tiny one has less.
CODEC = {"seanet": {"dimension": 128, "n_filters": 64, "lstm": 2}, "rvq": {"bins": 2048}}


@dataclass(frozen=True, eq=False)
class Bench:
    """Where the parts run: on ``device``, and with ``quick`` on tiny networks and a few lengths."""

    device: str
    quick: bool
    folder: Path

    @property
    def on_gpu(self) -> bool:
        """Whether the device is a GPU."""
        return torch.device(self.device).type == "cuda"

    @property
    def dtype(self) -> torch.dtype:
        """What the engine computes in."""
        return torch.float16 if self.on_gpu else torch.float32

    def model(self, kind: str = "mono", window: float | None = None) -> Model:
        """A tiny model as gallery.toml describes it, its checkpoint written."""
        name = f"{kind}-{window or 'whole'}"
        if not (self.folder / name).is_dir():
            write_checkpoint(self.folder / name, kind, window=window)
        shape = KINDS[kind]
        channels = 2 if shape.stereo else 1
        return Model(
            hub=HUB, folder=name, kind=shape.model_kind, sample_rate=shape.sample_rate, channels=channels
        )

    @cached_property
    def main(self) -> Checkpoint:
        """The model that most parts use: of small's dimensions with its codec, or tiny."""
        tiny = load(self.model(), self.folder, self.device)
        return tiny if self.quick else self._grown(tiny, "small")

    def _grown(self, tiny: Checkpoint, size: str) -> Checkpoint:
        """A tiny model with a transformer and a codec of real dimensions in place of its own."""
        torch.manual_seed(0)
        provider = tiny.lm.condition_provider
        conditioner = provider.conditioners["description"]
        width = SIZES[size][0]
        projection = torch.nn.Linear(conditioner.output_proj.in_features, width)
        torch.nn.init.normal_(projection.bias)
        conditioner.output_proj = projection.to(self.device, tiny.dtype)
        lm = build(size, provider, self.device, tiny.dtype)
        with torch.no_grad():
            for head in lm.linears:
                head.weight.mul_(4)  # otherwise any token would be nearly as likely as any other
        lm.cfg = tiny.lm.cfg
        return replace(tiny, lm=lm, codec=self._codec())

    def _codec(self) -> Any:
        from audiocraft.models import builders
        from omegaconf import OmegaConf

        package = torch.load(self.folder / self.model().folder / "compression_state_dict.bin")
        config = OmegaConf.merge(OmegaConf.create(package["xp.cfg"]), CODEC)
        with placed():
            codec = builders.get_compression_model(config)
        for name, buffer in codec.named_buffers():
            if name.endswith(".inited"):
                buffer.fill_(1)
            elif name.endswith((".embed", ".embed_avg")):
                buffer.normal_()
        return codec.eval().to(self.device)

    def float32(self, kind: str, window: float | None = None) -> tuple[Tiny, Checkpoint]:
        """A tiny model on the CPU, and the same one on the device, computing in float32."""
        model = self.model(kind, window)
        here = load(model, self.folder, "cpu")
        there = load(model.model_copy(update={"precision": "float32"}), self.folder, self.device)
        return Tiny(kind, self.folder, model, here), there


@dataclass
class Made:
    """What became of clips: their tokens in order (None: lost), why, and the batch sizes."""

    tokens: list[Tensor | None]
    reasons: list[str] = field(default_factory=list)
    sizes: set[int] = field(default_factory=set)


def make(checkpoint: Checkpoint, requests: Sequence[Request], size: int | None = None) -> Made:
    """Make clips with the engine's schedule, ``size`` at once; by default as many as fit."""
    stride = checkpoint.window // 2
    clips = [generation_of(request, checkpoint.window, stride) for request in requests]
    made = Made([None] * len(clips))
    for event in Schedule(checkpoint, clips, {}, size).run():
        if isinstance(event, Failure):
            made.reasons.append(event.reason)
        elif isinstance(event, Done):
            place = next(place for place, clip in enumerate(clips) if clip is event.clip)
            made.tokens[place] = event.clip.tokens
            made.sizes.add(event.batch_size)
    return made


def request(frames: int, **fields: Any) -> Request:
    """A request for so many frames."""
    duration = frames / FRAME_RATE
    return Request(**{"model": HUB, "prompt": "slow drums, warm bass", "duration": duration, **fields})


def mates(count: int, frames: int, first: int = 0) -> list[Request]:
    """Requests of the same length that differ in all else, numbered from ``first``."""
    ways = [{}, {"top_p": 0.8}, {"temperature": 0}, {"top_k": 40, "cfg_coef": 5}, {"temperature": 1.3}]
    return [
        request(frames, seed=number, prompt="a march " * (number % 7), **ways[number % len(ways)])
        for number in range(first, first + count)
    ]


def equal(tokens: Tensor | None, expected: Tensor | None) -> float:
    """The share of tokens that are equal."""
    if tokens is None or expected is None or tokens.shape != expected.shape:
        return 0.0
    return (tokens == expected).float().mean().item()


@contextmanager
def exact() -> Iterator[None]:
    """float32 as it is: without TF32."""
    products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn
    before = products.allow_tf32, convolutions.allow_tf32
    products.allow_tf32 = convolutions.allow_tf32 = False
    try:
        yield
    finally:
        products.allow_tf32, convolutions.allow_tf32 = before


def tidy(bench: Bench) -> None:
    """Give back what nobody holds any more."""
    gc.collect()
    if bench.on_gpu:
        torch.cuda.empty_cache()
