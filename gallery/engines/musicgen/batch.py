"""A batch of clips that are decoded together, each at its own position.

The state of every slot lies in tensors of fixed shape, and a tick (one token a
codebook for every slot) reads and writes nothing else: on a GPU it is recorded
once as a CUDA graph and then replayed without a word between the processor and the
GPU. Lengths are known beforehand, so nobody needs to look at the tokens.

Idle slots are computed like all others, and so are places past the last slot, up to
the decoder's number of them: a tick has one shape, whatever the number of clips.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gallery.engines.musicgen.decoder import ROWS, Decoder
from gallery.engines.musicgen.noise import BLOCK, RING, Noise, drawing_pool
from gallery.engines.musicgen.sampler import Sampler, Variant, variant_of

if TYPE_CHECKING:
    from torch import Tensor

    from gallery.engines.musicgen.conditions import Condition
    from gallery.engines.musicgen.generation import Generation
    from gallery.engines.musicgen.weights import Weights


@dataclass
class _Use:
    """What a slot is used for."""

    clip: Generation
    columns: int  # the last column of the clip's sequence
    column: int  # the next column to be made


class Batch:
    """Slots for clips; ``tick`` moves them all forward."""

    def __init__(
        self, weights: Weights, slots: int, positions: int, cross: int, *, fixed: bool | None = None
    ) -> None:
        """``fixed`` says whether ticks have a GPU's shape: on a GPU, unless told otherwise."""
        self._weights = weights
        self._device = device = weights.embeddings.device
        self._fixed = device.type == "cuda" if fixed is None else fixed
        rows = ROWS["cuda" if self._fixed else "cpu"]
        self._decoder = Decoder(weights, slots, positions, cross, rows)
        self.slots, places = slots, self._decoder.places
        self._sampler = Sampler(places, weights.card, device)
        self._uses: dict[int, _Use] = {}
        self._graphs: dict[Variant, torch.cuda.CUDAGraph] = {}
        self._sequence = torch.full(
            (places, weights.codebooks, self._decoder.positions + 1), weights.card, device=device
        )
        self._places = torch.arange(places, device=device)
        self._column = torch.ones_like(self._places)
        self._last = torch.ones_like(self._places)
        self._taken = torch.zeros_like(self._places)
        self._draw = torch.zeros_like(self._places)  # step of the noise
        self._broken = torch.zeros_like(self._places, dtype=torch.bool)  # logits were not finite
        self._pool = drawing_pool()
        self._noise = torch.ones(slots, RING, weights.codebooks, weights.card, device=device)
        self._step_noise = torch.ones(places, weights.codebooks, weights.card, device=device)
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
        """Ticks until the next clip's window is done, or until there is something to tell of."""
        left = [use.columns - use.column + 1 for use in self._uses.values()]
        return min([*left, BLOCK if self._fixed else 1])

    def admit(self, clip: Generation, condition: Condition) -> None:
        """Begin a clip's next window in a free slot."""
        slot = next(slot for slot in range(self.slots) if slot not in self._uses)
        noise = self._noise_of(clip)
        sequence, first = self._lay_out(clip)
        columns = sequence.shape[1] - 1
        self._sequence[slot] = self._weights.card
        self._sequence[slot, :, : columns + 1] = sequence.to(self._device)
        taken = self._decoder.admit(slot, condition, self._sequence[slot, :, : first - 1]) - (first - 1)
        self._sampler.admit(slot, clip.choice)
        self._uses[slot] = _Use(clip, columns, first)
        self._column[slot], self._last[slot] = first, columns + 1
        self._taken[slot], self._broken[slot] = taken, False
        if noise:
            self._draw[slot] = noise.used
            if noise.begun:
                ring, block = noise.begun
                self._noise[slot, ring].copy_(block)

    def _noise_of(self, clip: Generation) -> Noise | None:
        """A clip's noise, begun with its first window. Nothing is drawn for one that is greedy."""
        if clip.noise is None and not clip.choice.greedy:
            shape = self._weights.codebooks, self._weights.card
            clip.noise = Noise(clip.seed, shape, self._pool, pinned=self._device.type == "cuda")
        return clip.noise

    def tick(self, count: int) -> None:
        """Make so many columns of every clip; no more than `steps`."""
        variant = variant_of([use.clip.choice for use in self._uses.values()], self._weights.card)
        for slot, use in self._uses.items():
            if use.clip.noise and (begun := use.clip.noise.go_on(count)):
                ring, block = begun
                self._noise[slot, ring].copy_(block, non_blocking=True)
        if self._device.type == "cuda" and self._fixed:
            graph = self._graph(variant)
            for _ in range(count):
                graph.replay()
        else:
            for _ in range(count):
                self._advance(variant)
        if self._device.type == "cuda":
            # Progress and seconds tell of what is done, not of what is queued; and noise that
            # was sent from is drawn over next time.
            torch.cuda.synchronize(self._device)
        for use in self._uses.values():
            use.column += count

    def broken(self) -> list[Generation]:
        """Take out the clips whose logits are not finite (NaN, infinity): their tokens mean nothing."""
        flags = self._broken.tolist()
        slots = [slot for slot in self._uses if flags[slot]]
        for slot in slots:
            self._decoder.clear(slot)
            self._idle(slot)
        return [self._uses.pop(slot).clip for slot in slots]

    def finished(self) -> list[tuple[Generation, Tensor]]:
        """Take out the clips whose window is done, each with its tokens [codebooks, frames]."""
        done = [slot for slot, use in self._uses.items() if use.column > use.columns]
        taken = []
        for slot in done:
            use = self._uses.pop(slot)
            taken.append((use.clip, self._read(slot, use)))
            self._idle(slot)
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

    def _advance(self, variant: Variant) -> None:
        """One tick, over tensors of fixed shape."""
        column, sequence, places = self._column, self._sequence, self._places
        before = sequence[places, :, column - 1]
        logits = self._decoder.step(before, self._taken + column - 1)
        self._broken |= ~logits.isfinite().flatten(1).all(1)
        slots = places[: self.slots]
        self._step_noise[: self.slots] = self._noise[slots, self._draw[: self.slots] % RING]
        chosen = self._sampler.choose(logits, self._step_noise, variant)
        here = sequence[places, :, column]
        sequence[places, :, column] = torch.where(here == -1, chosen, here)
        self._draw += 1
        column.copy_(torch.minimum(column + 1, self._last))

    def _graph(self, variant: Variant) -> torch.cuda.CUDAGraph:
        """The tick of the whole batch as a CUDA graph, recorded the first time."""
        if variant not in self._graphs:
            state = (self._sequence, self._column, self._draw, self._broken)
            before = [tensor.clone() for tensor in state]
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(3):
                    self._advance(variant)
            torch.cuda.current_stream().wait_stream(side)
            for tensor, value in zip(state, before, strict=True):
                tensor.copy_(value)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):  # others may work meanwhile
                self._advance(variant)
            self._graphs[variant] = graph
        return self._graphs[variant]
