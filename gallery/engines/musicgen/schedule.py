"""Which clip is decoded when: slots that are filled, refilled and, short of memory, halved.

The longest clips come first, so that the last ones to finish are short. A clip leaves
the batch the moment it is done, and the next one takes its slot.

How many slots there are, and how long they are, follows from the model, the device's
memory and the settings, never from which clips happen to be rendered together. Only
prompts of uncommon length have batches of their own, with room for them.

A clip whose batch runs out of memory is begun anew in a batch of half the size: its
random numbers start from its seed again, so that nothing is lost but time. A clip
whose tokens are complete keeps them: where its audio doesn't fit beside the batch, it
waits until the batch's clips are done.
"""

from __future__ import annotations

import sys
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
from gallery.engines.musicgen.memory import batch_size, is_out_of_memory, release
from gallery.engines.musicgen.weights import weights_of
from gallery.errors.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from gallery.engines.musicgen.checkpoint import Checkpoint
    from gallery.engines.musicgen.generation import Generation


# Tokens of a prompt that every slot has room for: some hundred words.
COMMON_PROMPT = 256


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
        model = (*checkpoint.lm.parameters(), *checkpoint.codec.parameters())
        self._weight_bytes = sum(parameter.nbytes for parameter in model)
        self._window = checkpoint.window + max(self._weights.delays) + 2
        self._setting, self._limit, self._size, self._clips = size, sys.maxsize, 0, len(clips)
        self._queue = deque(sorted(clips, key=lambda clip: (self._room(clip), -clip.frames)))
        self._batch: Batch | None = None
        self._batch_room = (0, 0)
        self._running: list[Generation] = []  # the batch's clips
        self._made: list[Generation] = []  # their tokens are complete; their audio is to be decoded

    @property
    def frames(self) -> int:
        """Frames that are made of clips that are not yet done."""
        waiting = sum(clip.made for clip in [*self._queue, *self._made])
        return waiting + (self._batch.frames if self._batch else 0)

    def run(self) -> Iterator[Done | Failure | None]:
        """Make every clip and yield it as soon as it is done; between them, None after each step."""
        while self._queue or self._made or self._running:
            shortage = ""
            try:
                yield from self._round()
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                shortage = one_line(error)
            if shortage:  # the error is gone by now, and with it what its frames held
                yield from self._halve(shortage)

    @torch.no_grad()
    def _round(self) -> Iterator[Done | Failure | None]:
        """Fill the free slots, decode until a clip's tokens are complete, and make its audio."""
        waiting = bool(self._made)
        if self._batch is None and self._queue and not waiting:
            self._open()
        if self._batch:
            yield from self._fill(self._batch)
            if self._running:
                yield from self._tick(self._batch)
                yield None
        if self._batch is None or not waiting:
            yield from self._decode()
        if not self._running and (self._made or (self._queue and not self._fits(self._queue[0]))):
            if self._made:  # there is to be more room for the codec from now on
                self._limit = max(self._size // 2, 1)
            self._close()

    def _room(self, clip: Generation) -> tuple[int, int]:
        """How many positions, and how long a prompt of cross-attention, a clip's slot has room for.

        They follow from the model's whole window, and are the same for all common prompts.
        """
        prefix, cross = (
            max(COMMON_PROMPT, 1 << (length - 1).bit_length()) if length else 0
            for length in self._conditions.lengths(clip.prompt)
        )
        return self._window + prefix, cross

    def _fits(self, clip: Generation) -> bool:
        return self._room(clip) == self._batch_room

    def _open(self) -> None:
        """Make the batch for the next clips."""
        self._batch_room = self._room(self._queue[0])
        each = slot_bytes(self._weights, *self._batch_room)
        size = self._setting or batch_size(self._device, each, self._weight_bytes, self._clips)
        self._size = min(size, self._limit)
        self._batch = Batch(self._weights, self._size, *self._batch_room)

    def _close(self) -> None:
        self._batch, self._running = None, []
        release(self._device)

    def _tick(self, batch: Batch) -> Iterator[Failure]:
        start, active = time.perf_counter(), self._running
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
        self._running = batch.clips
        for clip in broken:
            yield Failure(clip.request, no_number(clip.request.model, self._weights.dtype))

    def _fill(self, batch: Batch) -> Iterator[Failure]:
        while self._queue and not batch.full and not self._made and self._fits(self._queue[0]):
            clip, start = self._queue[0], time.perf_counter()
            try:
                condition = self._conditions.encode(clip.prompt, clip.melody, clip.melody_offset)
            except BadMelody as error:
                self._queue.popleft()
                yield Failure(clip.request, str(error))
                continue
            batch.admit(clip, condition)
            self._queue.popleft()
            self._running = batch.clips
            clip.seconds += time.perf_counter() - start

    def _decode(self) -> Iterator[Done | Failure]:
        """Make the audio of complete clips; what doesn't fit beside the batch waits until that is done."""
        for clip in tuple(self._made):
            start = time.perf_counter()
            audio = self._audio(clip)
            if isinstance(audio, str) and self._batch:
                return
            self._made = [other for other in self._made if other is not clip]
            if isinstance(audio, str):
                reason = f"out of memory for the clip's audio ({audio}); ask for a shorter clip"
                yield Failure(clip.request, reason)
                continue
            clip.seconds += time.perf_counter() - start
            yield Done(clip, audio, self._size)

    def _audio(self, clip: Generation) -> NDArray[np.float32] | str:
        """A clip's audio, or what was said twice where memory is too short for it."""
        shortage = ""
        for _ in range(2):
            try:
                audio: NDArray[np.float32] = next(decode(self._checkpoint, [clip]))[1]
                return audio
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                shortage = one_line(error)
            release(self._device)
        return shortage

    def _halve(self, shortage: str) -> Iterator[Failure]:
        """Begin the batch's clips anew in a batch of half the size."""
        clips = self._running
        self._close()
        if self._size > 1:
            self._limit = self._size // 2
            for clip in reversed(clips):
                clip.forget()
                self._queue.appendleft(clip)
            return
        culprit = clips[0] if clips else self._queue.popleft()
        reason = (
            f"out of memory even as the only clip of its batch ({shortage}); "
            f"end other programs that use it, or take a smaller model than {culprit.request.model}"
        )
        yield Failure(culprit.request, reason)


def no_number(model: str, dtype: torch.dtype) -> str:
    """Why a clip fails whose logits are not finite, and what to try."""
    if dtype == torch.float32:
        advice = f"the weights of {model} may be damaged: fetch them anew"
    else:
        advice = f'set precision = "float32" for {model} in gallery.toml'
    return f"what the model computed is no number (NaN or infinite); {advice}"
