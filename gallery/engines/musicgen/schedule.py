"""Which clip is decoded when: slots that are filled, refilled and, short of memory, halved.

The longest clips come first, so that the last ones to finish are short, and clips
of one length finish together and share the codec's batch. A clip leaves the batch
the moment it is done, and the next one takes its slot.

A clip whose batch runs out of memory is begun anew in a batch of half the size:
its random numbers start from its seed again, so that nothing is lost but time.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gallery.engines import Failure
from gallery.engines.musicgen.batch import Batch
from gallery.engines.musicgen.codec import decode
from gallery.engines.musicgen.conditions import Conditions
from gallery.engines.musicgen.decoder import slot_bytes
from gallery.engines.musicgen.melody_audio import BadMelody
from gallery.engines.musicgen.memory import batch_size, is_out_of_memory
from gallery.engines.musicgen.weights import weights_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from gallery.engines.musicgen.checkpoint import Checkpoint
    from gallery.engines.musicgen.generation import Generation


@dataclass(frozen=True)
class Done:
    """A clip with its audio [samples, channels], and the batch shape that it was decoded in."""

    clip: Generation
    audio: NDArray[np.float32]
    batch_size: int


class Schedule:
    """Decodes one model's clips."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        clips: Sequence[Generation],
        melodies: Mapping[str, Path],
        size: int | None = None,
    ) -> None:
        self._checkpoint = checkpoint
        self._device = torch.device(checkpoint.device)
        self._weights = weights_of(checkpoint.lm, checkpoint.dtype)
        self._conditions = Conditions(checkpoint, melodies)
        self._queue = deque(sorted(clips, key=lambda clip: -clip.frames))
        lengths = [self._conditions.lengths(clip.prompt) for clip in clips]
        columns = max(window.length for clip in clips for window in clip.plan) + max(self._weights.delays) + 2
        self._positions = columns + max(prefix for prefix, _ in lengths)
        self._cross = max(cross for _, cross in lengths)
        each = slot_bytes(self._weights, self._positions, self._cross)
        self._size = size or batch_size(self._device, each, len(clips))
        self._batch: Batch | None = None
        self._made: list[Generation] = []  # their tokens are complete; their audio is to be decoded

    @property
    def frames(self) -> int:
        """Frames that are made of clips that are not yet done."""
        waiting = sum(clip.made for clip in [*self._queue, *self._made])
        return waiting + (self._batch.frames if self._batch else 0)

    def run(self) -> Iterator[Done | Failure | None]:
        """Make every clip and yield it as soon as it is done; between them, None after each step."""
        while self._queue or self._made or (self._batch and self._batch.clips):
            try:
                yield from self._round()
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                yield from self._halve()

    @torch.no_grad()
    def _round(self) -> Iterator[Done | Failure | None]:
        """Fill the free slots, decode until a clip's tokens are complete, and make its audio."""
        if self._batch is None:
            self._batch = Batch(self._weights, self._size, self._positions, self._cross)
        yield from self._fill(self._batch)
        if self._batch.clips:
            yield from self._tick(self._batch)
            yield None
        yield from self._decode()

    def _tick(self, batch: Batch) -> Iterator[Failure]:
        start, active = time.perf_counter(), batch.clips
        batch.tick(batch.steps)
        broken, finished = batch.broken(), batch.finished()
        spent = (time.perf_counter() - start) / len(active)
        for clip in active:
            clip.seconds += spent
        for clip, tokens in finished:
            clip.add(tokens)
            if clip.done:
                self._made.append(clip)
            else:
                self._queue.appendleft(clip)
        for clip in broken:
            yield Failure(clip.request, no_number(clip.request.model, self._weights.dtype))

    def _fill(self, batch: Batch) -> Iterator[Failure]:
        while self._queue and not batch.full:
            clip, start = self._queue[0], time.perf_counter()
            try:
                condition = self._conditions.encode(clip.prompt, clip.melody, clip.melody_offset)
            except BadMelody as error:
                self._queue.popleft()
                yield Failure(clip.request, str(error))
                continue
            batch.admit(clip, condition)
            self._queue.popleft()
            clip.seconds += time.perf_counter() - start

    def _decode(self) -> Iterator[Done]:
        start = time.perf_counter()
        for clip, audio in decode(self._checkpoint, self._made):
            self._made = [other for other in self._made if other is not clip]
            clip.seconds += time.perf_counter() - start
            yield Done(clip, audio, self._size)
            start = time.perf_counter()

    def _halve(self) -> Iterator[Failure]:
        """Begin the batch's clips anew in a batch of half the size."""
        clips = self._batch.clips if self._batch else []
        self._batch = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        if self._size > 1:
            self._size //= 2
            for clip in reversed(clips):
                clip.forget()
                self._queue.appendleft(clip)
            return
        culprit = clips[0] if clips else self._made.pop() if self._made else self._queue.popleft()
        yield Failure(culprit.request, "out of memory, even as the only clip of its batch")


def no_number(model: str, dtype: torch.dtype) -> str:
    """Why a clip fails whose logits are not finite, and what to try."""
    if dtype == torch.float32:
        advice = f"the weights of {model} may be damaged: fetch them anew"
    else:
        advice = f'set precision = "float32" for {model} in gallery.toml'
    return f"what the model computed is no number (NaN or infinite); {advice}"
