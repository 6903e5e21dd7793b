"""What one clip does to the others, and what rendering does to what a build does after it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import torch

from gallery.engines import Failure, Render
from gallery.engines.musicgen import MusicGenEngine
from gallery.prompts.request import FRAME_RATE
from gallery.utils.parallel import spread
from gpu_parts import Finding
from gpu_parts.networks import request

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gallery.prompts.request import Request
    from gpu_parts.networks import Bench

FRAMES = 50


def nan(bench: Bench) -> Iterator[Finding]:
    """A text encoder that gives no numbers for one letter, and so for one of three prompts."""
    prompts = ["rain", "quiet rain", "two pianos"]
    requests = [request(FRAMES, seed=seed, prompt=prompt) for seed, prompt in enumerate(prompts)]
    engine = _engine(bench)
    sound = _rendered(engine, [requests[0], requests[2]])
    conditioner = engine.hold(requests[0].model).lm.condition_provider.conditioners["description"]
    letter = conditioner.t5_tokenizer.convert_tokens_to_ids("q")
    with torch.no_grad():
        conditioner.t5.get_input_embeddings().weight[letter] = float("nan")
    outcomes = {outcome.request.prompt: outcome for outcome in engine.render(requests)}
    planted = outcomes.pop("quiet rain")
    failed = isinstance(planted, Failure)
    yield Finding(
        "the clip that has it", planted.reason if failed else "is rendered as if nothing were wrong", failed
    )
    same = all(
        isinstance(outcome, Render) and np.array_equal(outcome.audio, sound[prompt].audio)
        for prompt, outcome in outcomes.items()
    )
    yield Finding(
        "its mates", "are what they are without it" if same else "are not what they are without it", same
    )


def previews(bench: Bench) -> Iterator[Finding]:
    """Previews by threads and work by copies of this process, after the card was used; then clips again."""
    try:
        from gallery.config import PreviewSettings
        from gallery.preview import load, make_preview
    except ImportError as error:
        yield Finding("previews", f"left out: {error}")
        return
    requests = [request(FRAMES, prompt=prompt) for prompt in ("rain", "two pianos")]
    engine = _engine(bench)
    before = _rendered(engine, requests)
    load()

    def encode(clip: Render) -> float:
        return make_preview(clip.audio, clip.sample_rate, PreviewSettings(), {}).duration

    with ThreadPoolExecutor(2) as pool:
        lengths = list(pool.map(encode, before.values()))
    right = all(abs(length - FRAMES / FRAME_RATE) < 0.001 for length in lengths)
    yield Finding("previews by threads", f"of {' and '.join(f'{length:.3f} s' for length in lengths)}", right)
    parts = list(spread(lambda part: (sum(part), os.getpid()), range(1000)))
    copies = len({process for _, process in parts} - {os.getpid()})
    done = sum(total for total, _ in parts) == sum(range(1000))
    yield Finding("work by copies of this process", f"done by {copies} of them", done)
    after = _rendered(engine, requests)
    same = all(np.array_equal(after[name].audio, clip.audio) for name, clip in before.items())
    yield Finding("the same clips after that", "are the same" if same else "are others", same)


def _engine(bench: Bench) -> MusicGenEngine:
    return MusicGenEngine({"tiny": bench.model()}, root=bench.folder, device=bench.device)


def _rendered(engine: MusicGenEngine, requests: Sequence[Request]) -> dict[str, Render]:
    """Requests' renders, by their prompts. Raises RuntimeError where one fails."""
    renders = {}
    for outcome in engine.render(requests):
        if isinstance(outcome, Failure):
            raise RuntimeError(outcome.reason)
        renders[outcome.request.prompt] = outcome
    return renders
