"""Which tokens follow, for rows that each have their own parameters and their own noise.

audiocraft draws a token with ``torch.multinomial``, which is the argmax of
``probabilities / noise`` with exponential noise (`gallery.engines.musicgen.noise`).

As in audiocraft, temperature 0 takes the likeliest token; otherwise top_p above 0
takes the place of top_k, and a top_k of 0 draws among all tokens. Top-p draws among
the probabilities in descending order, so there the noise belongs to that order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


@dataclass(frozen=True)
class Choice:
    """How one clip's tokens are chosen."""

    temperature: float
    top_k: int
    top_p: float
    guidance: float

    @property
    def greedy(self) -> bool:
        """Whether nothing is drawn."""
        return self.temperature <= 0


@dataclass(frozen=True)
class Variant:
    """What must be computed for the clips of a batch; the same whatever its order."""

    ranks: int = 0  # how many of the likeliest tokens to look at for top-k
    nucleus: bool = False


def variant_of(choices: Sequence[Choice], card: int) -> Variant:
    """The least that serves all of a batch's clips."""
    drawn = [choice for choice in choices if not choice.greedy]
    ranks = max((choice.top_k for choice in drawn if not choice.top_p > 0), default=0)
    rounded = min(1 << (ranks - 1).bit_length(), card) if ranks else 0
    return Variant(ranks=rounded, nucleus=any(choice.top_p > 0 for choice in drawn))


class Sampler:
    """The parameters of every slot's clip, and the choice of its next tokens."""

    def __init__(self, slots: int, card: int, device: torch.device) -> None:
        self._card = card
        self._temperature = torch.ones(slots, device=device)
        self._top_k = torch.zeros(slots, dtype=torch.long, device=device)
        self._top_p = torch.zeros(slots, device=device)
        self._guidance = torch.ones(slots, device=device)
        self._greedy = torch.ones(slots, dtype=torch.bool, device=device)
        self._all = (self._temperature, self._top_k, self._top_p, self._guidance, self._greedy)

    def admit(self, slot: int, choice: Choice) -> None:
        """Set a slot's parameters."""
        self._temperature[slot] = 1.0 if choice.greedy else choice.temperature
        self._top_k[slot] = min(choice.top_k, self._card)
        self._top_p[slot] = choice.top_p
        self._guidance[slot] = choice.guidance
        self._greedy[slot] = choice.greedy

    def choose(self, logits: Tensor, noise: Tensor, variant: Variant) -> Tensor:
        """The tokens [slots, codebooks] that follow.

        ``logits`` are [slots, 2, codebooks, card], conditional and unconditional;
        ``noise`` is [slots, codebooks, card]. Always for all slots: how sums are
        rounded may depend on how many there are.
        """
        temperature, top_k, top_p, guidance, greedy = (
            parameter.view(-1, *(1,) * axes)
            for parameter, axes in zip(self._all, (2, 2, 2, 2, 1), strict=True)
        )
        conditional, unconditional = logits.unbind(1)
        logits = unconditional + (conditional - unconditional) * guidance
        likeliest = logits.argmax(-1)
        probabilities = torch.softmax(logits / temperature, -1)
        kept = probabilities
        if variant.ranks:
            ranked = probabilities.topk(variant.ranks, -1).values
            last = (top_k - 1).clamp(0, variant.ranks - 1).expand(-1, ranked.shape[1], 1)
            among = probabilities * (probabilities >= ranked.gather(-1, last))
            kept = torch.where(top_k > 0, among / among.sum(-1, keepdim=True), probabilities)
        drawn = (kept / noise).argmax(-1)
        if variant.nucleus:
            ordered, tokens = probabilities.sort(-1, descending=True)
            ordered = ordered * ~(ordered.cumsum(-1) - ordered > top_p)
            ordered = ordered / ordered.sum(-1, keepdim=True)
            nucleus = tokens.gather(-1, (ordered / noise).argmax(-1, keepdim=True))
            drawn = torch.where(top_p[..., 0] > 0, nucleus[..., 0], drawn)
        return torch.where(greedy, likeliest, drawn)
