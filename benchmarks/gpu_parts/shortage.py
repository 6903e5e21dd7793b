"""What becomes of clips where a card's memory is short: decoding to audio, and all of it."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from unittest.mock import patch

import numpy as np
import torch

from gallery.engines.musicgen import schedule
from gallery.engines.musicgen.batch import Batch
from gallery.engines.musicgen.codec import decode
from gallery.engines.musicgen.generation import generation_of
from gallery.prompts.request import FRAME_RATE
from gpu_parts import Finding
from gpu_parts.networks import Made, equal, exact, make, mates, request, tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from gallery.engines.musicgen.generation import Generation
    from gpu_parts.networks import Bench

T = TypeVar("T")

MEGABYTE = 1 << 20

# How far chunks may be from whole decoding, of the loudest sample.
NEAR = 1e-5

# What the engine wants to see free before it decodes a clip to audio, and some more.
SPARE = 640 * MEGABYTE

# What is left where nothing is to be left: CUDA itself sometimes takes a little.
LAST = 8 * MEGABYTE

# Shares of what the largest batch takes that memory is held down to.
SHARES = (0.1, 0.2, 0.3, 0.5, 0.7)

# Where it may end: the capture of a graph is part of the first tick.
PLACES = (("admission", Batch, "admit"), ("the first tick", Batch, "tick"), ("the codec", schedule, "decode"))

# How torch says that memory has run out.
SHORTAGES = (torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("can't allocate memory: 12 bytes"))


def codec(bench: Bench) -> Iterator[Finding]:
    """Memory of decoding, and equality: with whole decoding, twice, beside others, and short of memory."""
    for seconds in (1, 3) if bench.quick else (30, 120):
        clip, other = (_clip(bench, seconds * FRAME_RATE, seed) for seed in (0, 1))
        alone, taken = _peak(bench, lambda clip=clip: _audio(bench, clip))
        if bench.on_gpu:
            size = taken / MEGABYTE
            found = f"{size:.0f} MiB, {size / seconds:.1f} for each second"
            yield Finding(f"{seconds} s: memory", found, value=size)
        yield _against_whole(bench, seconds, clip, alone)
        yield _same(f"{seconds} s: twice", _audio(bench, clip), alone)
        yield _same(f"{seconds} s: beside another clip", _audio(bench, clip, other), alone)
        if bench.on_gpu:
            tidy(bench)
            with held_down(int(1.1 * taken) + SPARE):
                yield _same(f"{seconds} s: with no more memory than that", _audio(bench, clip), alone)


def memory(bench: Bench) -> Iterator[Finding]:
    """Memory that ends in admission, in the tick and in the codec, and memory held down to a tenth."""
    model, frames = bench.main, 25 if bench.quick else 100
    requests = mates(6 if bench.quick else 70, frames)
    free, taken = _peak(bench, lambda: make(model, requests))
    yield _all_there("as it is", free, free)
    few, expected = requests[:6], Made(free.tokens[:6])
    for place, owner, name in PLACES:
        for error in SHORTAGES:
            short = _first(getattr(owner, name), partial(_raise, error))
            with patch.object(owner, name, short):
                made = make(model, few, 4)
            yield _all_there(f"{type(error).__name__} in {place}", made, expected)
    if not bench.on_gpu:
        return
    for place, owner, name in PLACES:
        tidy(bench)
        with held_down(None) as hold:
            last = _first(getattr(owner, name), partial(hold, LAST))
            with patch.object(owner, name, last):
                made = make(model, requests)
        yield _all_there(f"no more memory from {place} on", made, free)
    _, one = _peak(bench, lambda: make(model, requests[:1], 1))
    least = int(1.2 * one) + SPARE
    for room in sorted({max(int(share * taken), least) for share in SHARES}):
        tidy(bench)
        with held_down(room):
            made = make(model, requests)
        yield _all_there(f"{room / MEGABYTE:.0f} of {taken / MEGABYTE:.0f} MiB", made, free)
    tidy(bench)
    tenth = torch.cuda.mem_get_info()[1] // 10
    with held_down(max(tenth - torch.cuda.memory_reserved(), least)):
        made = make(model, requests)
    yield _all_there("a tenth of the card", made, free)


@contextmanager
def held_down(room: int | None) -> Iterator[Callable[[int], None]]:
    """Leave only so many bytes of the card free; what is yielded does it later on, once.

    What is not free is held by a tensor, as another program might hold it.
    """
    ballast = []

    def hold(room: int) -> None:
        torch.cuda.empty_cache()
        size = torch.cuda.mem_get_info()[0] - room
        if size > 0:
            ballast.append(torch.empty(size, dtype=torch.uint8, device="cuda"))

    try:
        if room is not None:
            hold(room)
        yield hold
    finally:
        ballast.clear()
        torch.cuda.empty_cache()


def _peak(bench: Bench, work: Callable[[], T]) -> tuple[T, int]:
    """What some work returns, and the bytes of the card that it takes at most."""
    tidy(bench)
    if not bench.on_gpu:
        return work(), 0
    before = torch.cuda.memory_reserved()
    torch.cuda.reset_peak_memory_stats()
    result = work()
    return result, torch.cuda.max_memory_reserved() - before


def _clip(bench: Bench, frames: int, seed: int) -> Generation:
    """A clip of random tokens, to be decoded."""
    generator, model = torch.Generator().manual_seed(seed), bench.main
    clip = generation_of(request(frames, seed=seed), frames, frames)
    clip.parts.append(torch.randint(model.lm.card, (model.lm.n_q, frames), generator=generator))
    return clip


def _audio(bench: Bench, *clips: Generation) -> NDArray[np.float32]:
    """The first clip's audio, decoded with the others."""
    return next(audio for clip, audio in list(decode(bench.main, clips)) if clip is clips[0])


def _against_whole(bench: Bench, seconds: int, clip: Generation, audio: NDArray[np.float32]) -> Finding:
    what = f"{seconds} s: against whole decoding"
    tokens = clip.tokens[None].to(bench.device)
    try:
        with exact(), torch.no_grad():
            whole = bench.main.codec.decode(tokens, None)[0].float().cpu().T.numpy()[: len(audio)]
    except torch.OutOfMemoryError:
        return Finding(what, "the card has no memory for that")
    off = float(np.abs(audio - whole).max() / np.abs(whole).max())
    return Finding(what, f"off by {off:.1e} of the loudest sample at most", off <= NEAR, off)


def _same(what: str, audio: NDArray[np.float32], expected: NDArray[np.float32]) -> Finding:
    same = np.array_equal(audio, expected)
    return Finding(what, "the same samples" if same else "other samples", same)


def _all_there(what: str, made: Made, expected: Made) -> Finding:
    """No clip is lost, and each is what it is with memory to spare."""
    lost = sum(tokens is None for tokens in made.tokens)
    same = sum(equal(*pair) for pair in zip(made.tokens, expected.tokens, strict=True)) / len(made.tokens)
    sizes = ", ".join(map(str, sorted(made.sizes, reverse=True))) or "none"
    reasons = "".join(f"; {reason}" for reason in sorted(set(made.reasons)))
    count = len(made.tokens)
    found = f"{lost} of {count} clips lost, {same:.2%} of the tokens are equal; slots: {sizes}{reasons}"
    return Finding(what, found, lost == 0 and same == 1)


def _first(function: Callable[..., Any], act: Callable[[], object]) -> Callable[..., Any]:
    """A function, and something that happens before the first time that it has something to do."""
    left = [act]

    def acting(*arguments: Any, **named: Any) -> Any:
        if left and arguments[1:2] != ([],):
            left.pop()()
        return function(*arguments, **named)

    return acting


def _raise(error: Exception) -> None:
    raise error
