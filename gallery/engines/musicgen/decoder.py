"""The transformer's step: one token a codebook for every slot, over a static cache.

A slot is a clip's place in the batch. It has two rows, side by side: the clip's
conditional row and its unconditional twin. Every slot stands at its own position,
so clips of all lengths share a batch, and a clip that is done makes room for the
next one.

How a row of a product is rounded depends on how many rows there are: libraries choose
their code by it. So there are always as many, whatever the number of slots: the step
is computed for whole products of `ROWS` rows, and attention, which each row has for
itself, for the slots.

What is computed once: the position table, and each prompt's keys and values for
cross-attention. Unconditional rows have no cross-attention: it is exactly zero.
Nothing grows: keys and values are written into place.

Residuals and norms are float32 whatever the weights' type is, as under
audiocraft's autocast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from gallery.engines.musicgen.attention import attend, attend_causally

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gallery.engines.musicgen.conditions import Condition
    from gallery.engines.musicgen.weights import Affine, Layer, Weights

# Positions and prompt lengths are rounded up to this, so that few shapes occur.
GRAIN = 64

# Rows of every product of a step, two for each clip. By calculation, a GPU waits for the weights,
# whether it multiplies 2 or 128. Some CPUs take hardly longer for 8 than for 2.
ROWS = {"cuda": 128, "cpu": 8}


def round_up(length: int) -> int:
    """The next multiple of `GRAIN`."""
    return -(-length // GRAIN) * GRAIN


def slot_bytes(weights: Weights, positions: int, cross: int) -> int:
    """Memory that one slot's keys and values take."""
    entries = 2 * 2 * round_up(positions) + 2 * round_up(max(cross, 1))
    size: int = weights.dtype.itemsize
    return len(weights.layers) * entries * weights.width * size


class Decoder:
    """A model's transformer with room for ``slots`` clips.

    ``positions`` is the longest sequence, conditions before it included, ``cross`` the
    longest prompt of cross-attention, and ``rows`` the number of rows of a product.
    ``places`` is the number of slots that steps are computed for; those past ``slots``
    are empty and attend to nothing.
    """

    def __init__(self, weights: Weights, slots: int, positions: int, cross: int, rows: int) -> None:
        self.weights = weights
        self.slots = slots
        self._products = -(-2 * slots // rows)
        self.places = self._products * rows // 2
        self.positions = round_up(positions)
        self.cross_positions = round_up(max(cross, 1))
        device = weights.embeddings.device
        heads, width = weights.attention_heads, weights.head_width
        self._cache = [
            torch.zeros(2, 2 * slots, heads, self.positions, width, dtype=weights.dtype, device=device)
            for _ in weights.layers
        ]
        self._cross = [
            torch.zeros(2, slots, heads, self.cross_positions, width, dtype=weights.dtype, device=device)
            for layer in weights.layers
            if layer.cross
        ]
        # A slot without a clip attends to one zero, so that nothing is divided by nothing.
        self._cross_lengths = torch.ones(slots, dtype=torch.long, device=device)
        self._rows = torch.arange(2 * slots, device=device)
        self._codebooks = torch.arange(weights.codebooks, device=device) * (weights.card + 1)
        self._table = _position_table(weights, self.positions, device)

    def step(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """The logits [places, 2, codebooks, card] that follow ``tokens`` [places, codebooks].

        ``positions`` [places] says where the tokens stand.
        """
        slots, places, weights = self.slots, self.places, self.weights
        x = _twice(self._embed(tokens) + self._table[positions])
        positions = _twice(positions[:slots])
        lengths = positions + 1
        for index, layer in enumerate(weights.layers):
            projected = self._product(self._norm(x, layer.norm1), layer.qkv)[: 2 * slots]
            queries, *keys_values = projected.view(2 * slots, 3, weights.attention_heads, -1).unbind(1)
            cache = self._cache[index]
            cache[:, self._rows, :, positions] = torch.stack(keys_values, 1)
            x += self._product(_padded(attend(queries, cache, lengths), 2 * places), layer.out)
            if layer.cross:
                conditional = x[::2]
                queries = self._product(self._norm(conditional, layer.cross.norm), layer.cross.query)[:slots]
                queries = queries.view(slots, weights.attention_heads, -1)
                attended = attend(queries, self._cross[index], self._cross_lengths)
                conditional += self._product(_padded(attended, places), layer.cross.out)
            x += self._feed_forward(x, layer, self._product)
        logits = self._product(self._norm(x, weights.out_norm), weights.heads).float()
        return logits.view(places, 2, weights.codebooks, weights.card)

    def _product(self, x: Tensor, layer: Affine) -> Tensor:
        """A linear layer of a step, in products of always as many rows."""
        if self._products == 1:
            return _linear(x, layer)
        return torch.cat([_linear(part, layer) for part in x.chunk(self._products)])

    def admit(self, slot: int, condition: Condition, tokens: Tensor) -> int:
        """Begin a clip in a slot: its condition and the ``tokens`` [codebooks, length] that it goes on from.

        Returns how many positions are taken.
        """
        if condition.cross is not None:
            self._admit_cross(slot, condition.cross)
        parts = [] if condition.prefix is None else [condition.prefix]
        if tokens.shape[1]:
            parts.append(self._embed(tokens.T).expand(2, -1, -1))
        if not parts:
            return 0
        x = torch.cat(parts, 1)
        length: int = x.shape[1]
        x = x + self._table[:length]
        weights = self.weights
        own = slice(2 * slot, 2 * slot + 2)
        for index, layer in enumerate(weights.layers):
            projected = _linear(self._norm(x, layer.norm1), layer.qkv)
            queries, keys, values = projected.view(2, length, 3, weights.attention_heads, -1).unbind(2)
            cache = self._cache[index]
            cache[0, own, :, :length] = keys.transpose(1, 2)
            cache[1, own, :, :length] = values.transpose(1, 2)
            x = x + _linear(attend_causally(queries, keys, values), layer.out)
            if layer.cross:
                queries = _linear(self._norm(x[0], layer.cross.norm), layer.cross.query)
                queries = queries.view(length, weights.attention_heads, -1).transpose(0, 1)
                keys, values = self._cross[index][:, slot, :, : int(self._cross_lengths[slot])]
                attended = functional.scaled_dot_product_attention(queries, keys, values)
                x[0] += _linear(attended.transpose(0, 1).flatten(1), layer.cross.out)
            x = x + self._feed_forward(x, layer, _linear)
        return length

    def _admit_cross(self, slot: int, cross: Tensor) -> None:
        length = cross.shape[0]
        self._cross_lengths[slot] = length
        for layer, kept in zip(self.weights.layers, self._cross, strict=False):
            if layer.cross:
                projected = _linear(cross.to(self.weights.dtype), layer.cross.keys_values)
                projected = projected.view(length, 2, self.weights.attention_heads, -1)
                kept[:, slot, :, :length] = projected.permute(1, 2, 0, 3)

    def clear(self, slot: int) -> None:
        """Leave nothing of a clip: what is not a number would spread to the next, masked or not."""
        for cache in self._cache:
            cache[:, 2 * slot : 2 * slot + 2] = 0
        for cross in self._cross:
            cross[:, slot] = 0
        self._cross_lengths[slot] = 1

    def _embed(self, tokens: Tensor) -> Tensor:
        return functional.embedding(tokens + self._codebooks, self.weights.embeddings).float().sum(-2)

    def _norm(self, x: Tensor, norm: Affine) -> Tensor:
        normed = functional.layer_norm(x, norm.weight.shape, norm.weight, norm.bias, self.weights.eps)
        return normed.to(self.weights.dtype)

    def _feed_forward(self, x: Tensor, layer: Layer, linear: Callable[[Tensor, Affine], Tensor]) -> Tensor:
        return linear(layer.activation(linear(self._norm(x, layer.norm2), layer.up)), layer.down)


def _twice(x: Tensor) -> Tensor:
    """Each of a tensor's rows twice in succession, in memory of its own."""
    return torch.stack([x, x], 1).flatten(0, 1)


def _padded(x: Tensor, rows: int) -> Tensor:
    """A tensor's rows, and rows of zeros after them."""
    return x if len(x) == rows else functional.pad(x, (0, 0, 0, rows - len(x)))


def _linear(x: Tensor, layer: Affine) -> Tensor:
    return functional.linear(x, layer.weight, layer.bias)


def _position_table(weights: Weights, positions: int, device: torch.device) -> Tensor:
    """Every position's embedding: cosines, then sines, of ever slower waves."""
    half = weights.width // 2
    steps = torch.arange(half, dtype=torch.float32, device=device) / (half - 1)
    period = torch.full([], weights.max_period, dtype=torch.float32, device=device)
    phase = torch.arange(positions, dtype=torch.float32, device=device)[:, None] / period**steps
    return weights.positional_scale * torch.cat([phase.cos(), phase.sin()], -1)
