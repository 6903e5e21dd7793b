"""A batch of clips that are decoded together, each at its own position.

The state of every slot lies in tensors of fixed shape, and a tick (one token a
codebook for every slot) reads and writes nothing else: on a GPU it is recorded
once as a CUDA graph and then replayed without a word between the processor and the
GPU. Lengths are known beforehand, so nobody needs to look at the tokens.

On the GPU the batch always has the same shape, idle slots included. On the CPU
only the slots in use are computed: clips are moved together as others finish.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gallery.engines.musicgen.decoder import Decoder
from gallery.engines.musicgen.sampler import Sampler, Variant, variant_of

if TYPE_CHECKING:
    from torch import Tensor

    from gallery.engines.musicgen.conditions import Condition
    from gallery.engines.musicgen.generation import Generation
    from gallery.engines.musicgen.weights import Weights

# Steps that noise is drawn for at once in a batch of fixed shape. Otherwise it is
# drawn step by step, as audiocraft draws it: then a clip's tokens are those of audiocraft.
NOISE_STEPS = 32


@dataclass
class _Use:
    """What a slot is used for."""

    clip: Generation
    columns: int  # the last column of the clip's sequence
    column: int  # the next column to be made
    taken: int  # positions before column 0
    drawn: int = 0  # steps that noise was used for


class Batch:
    """Slots for clips; ``tick`` moves them all forward."""

    def __init__(
        self, weights: Weights, slots: int, positions: int, cross: int, *, fixed: bool | None = None
    ) -> None:
        """``fixed`` says whether all slots are always computed: on a GPU, unless told otherwise."""
        self._weights = weights
        self._device = weights.embeddings.device
        self._decoder = Decoder(weights, slots, positions, cross)
        self._sampler = Sampler(slots, weights.card, self._device)
        self._fixed = self._device.type == "cuda" if fixed is None else fixed
        self._noise_steps = NOISE_STEPS if self._fixed else 1
        self.slots = slots
        self._uses: dict[int, _Use] = {}
        self._graphs: dict[Variant, torch.cuda.CUDAGraph] = {}
        shape = (slots, weights.codebooks, self._decoder.positions + 1)
        self._sequence = torch.full(shape, weights.card, device=self._device)
        self._column = torch.ones(slots, dtype=torch.long, device=self._device)
        self._last = torch.ones_like(self._column)
        self._taken = torch.zeros_like(self._column)
        self._draw = torch.zeros_like(self._column)
        self._noise = torch.ones(
            slots, self._noise_steps, weights.codebooks, weights.card, device=self._device
        )
        self._slots = torch.arange(slots, device=self._device)
        self._delays = torch.tensor(weights.delays)

    @property
    def clips(self) -> list[Generation]:
        """The clips in it."""
        return [use.clip for use in self._uses.values()]

    @property
    def full(self) -> bool:
        """Whether there is no free slot."""
        return len(self._uses) == self.slots

    @property
    def frames(self) -> int:
        """Frames of its clips that are made by now."""
        made = 0
        for use in self._uses.values():
            window = use.clip.window
            made += use.clip.made + min(max(use.column - 1, window.known), window.length) - window.known
        return made

    @property
    def steps(self) -> int:
        """Ticks until the next clip's window is done, and until noise must be drawn at the latest."""
        left = [use.columns - use.column + 1 for use in self._uses.values()]
        noise = [self._noise_steps - use.drawn % self._noise_steps for use in self._uses.values()]
        return min(left + noise)

    def admit(self, clip: Generation, condition: Condition) -> None:
        """Begin a clip's next window in a free slot."""
        slot = next(slot for slot in range(self.slots) if slot not in self._uses)
        sequence, first = self._lay_out(clip)
        columns = sequence.shape[1] - 1
        self._sequence[slot] = self._weights.card
        self._sequence[slot, :, : columns + 1] = sequence.to(self._device)
        taken = self._decoder.admit(slot, condition, self._sequence[slot, :, : first - 1]) - (first - 1)
        self._sampler.admit(slot, clip.choice)
        self._uses[slot] = _Use(clip, columns, first, taken)
        self._column[slot], self._last[slot] = first, columns + 1
        self._taken[slot], self._draw[slot] = taken, 0

    def tick(self, count: int) -> None:
        """Make so many columns of every clip; no more than `steps`."""
        variant = variant_of([use.clip.choice for use in self._uses.values()], self._weights.card)
        for slot, use in self._uses.items():
            if use.drawn % self._noise_steps == 0 and not use.clip.choice.greedy:
                self._noise[slot].exponential_(generator=use.clip.generator)
        if self._device.type == "cuda" and self._fixed:
            graph = self._graph(variant)
            for _ in range(count):
                graph.replay()
            torch.cuda.synchronize()  # progress and seconds tell of what is done, not of what is queued
        else:
            for _ in range(count):
                self._advance(*self._shape(), variant)
        for use in self._uses.values():
            use.column += count
            use.drawn += count

    def finished(self) -> list[tuple[Generation, Tensor]]:
        """Take out the clips whose window is done, each with its tokens [codebooks, frames]."""
        done = [slot for slot, use in self._uses.items() if use.column > use.columns]
        taken = []
        for slot in done:
            use = self._uses.pop(slot)
            taken.append((use.clip, self._read(slot, use)))
            self._idle(slot)
        if not self._fixed:
            self._close_ranks()
        return taken

    def _lay_out(self, clip: Generation) -> tuple[Tensor, int]:
        """A window's sequence, -1 where a token is to be made, and the first column to make.

        Column 0 is all special tokens. Codebook k's frame t is in column t + 1 + its delay.
        """
        window, card, delays = clip.window, self._weights.card, self._weights.delays
        sequence = torch.full((len(delays), window.length + max(delays) + 1), card)
        for codebook, delay in enumerate(delays):
            sequence[codebook, 1 + delay : 1 + delay + window.length] = -1
            if clip.known is not None:
                sequence[codebook, 1 + delay : 1 + delay + window.known] = clip.known[codebook]
        return sequence, window.known + 1 + min(delays)

    def _read(self, slot: int, use: _Use) -> Tensor:
        frames = use.clip.window.length
        columns = torch.arange(frames) + 1 + self._delays[:, None]
        tokens: Tensor = self._sequence[slot].cpu().gather(1, columns)
        return tokens

    def _idle(self, slot: int) -> None:
        """Leave a slot at its first position, where it costs least."""
        self._sequence[slot] = self._weights.card
        self._column[slot] = self._last[slot] = 1
        self._taken[slot] = 0

    def _close_ranks(self) -> None:
        """Move clips from the last slots to the free ones, so that those in use come first."""
        while self._uses and max(self._uses) >= len(self._uses):
            source = max(self._uses)
            target = next(slot for slot in range(source) if slot not in self._uses)
            use = self._uses[target] = self._uses.pop(source)
            self._decoder.move(source, target, use.taken + use.column)
            self._sampler.move(source, target)
            for tensor in (self._sequence, self._column, self._last, self._taken, self._draw):
                tensor[target] = tensor[source]
            self._idle(source)

    def _shape(self) -> tuple[int, int, int]:
        """How many slots to compute, and how many positions at most: all, or what is in use."""
        if self._fixed:
            return self.slots, self._decoder.positions, self._decoder.cross_positions
        slots = len(self._uses)
        limit = max(use.taken + use.column for use in self._uses.values())
        return slots, limit, self._decoder.cross_length(slots)

    def _advance(self, slots: int, limit: int, cross_limit: int, variant: Variant) -> None:
        """One tick of the first ``slots`` slots, over tensors of fixed shape."""
        own = self._slots[:slots]
        column, sequence = self._column[:slots], self._sequence[:slots]
        before = sequence[own, :, column - 1]
        logits = self._decoder.step(before, self._taken[:slots] + column - 1, limit, cross_limit)
        noise = self._noise[own, self._draw[:slots] % self._noise_steps]
        chosen = self._sampler.choose(logits, noise, variant)
        here = sequence[own, :, column]
        sequence[own, :, column] = torch.where(here == -1, chosen, here)
        self._draw[:slots] += 1
        column.copy_(torch.minimum(column + 1, self._last[:slots]))

    def _graph(self, variant: Variant) -> torch.cuda.CUDAGraph:
        """The tick of the whole batch as a CUDA graph, recorded the first time."""
        if variant not in self._graphs:
            shape = (*self._shape(), variant)
            state = (self._sequence, self._column, self._draw)
            before = [tensor.clone() for tensor in state]
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(3):
                    self._advance(*shape)
            torch.cuda.current_stream().wait_stream(side)
            for tensor, value in zip(state, before, strict=True):
                tensor.copy_(value)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self._advance(*shape)
            self._graphs[variant] = graph
        return self._graphs[variant]
