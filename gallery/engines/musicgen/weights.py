"""The weights of audiocraft's transformer, as our decoder wants them: shared, not copied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from gallery.engines.musicgen.checkpoint import CannotLoad

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


@dataclass(frozen=True)
class Affine:
    """A linear layer, or a norm's scale and shift."""

    weight: Tensor
    bias: Tensor | None


@dataclass(frozen=True)
class Cross:
    """Cross-attention."""

    norm: Affine
    query: Affine
    keys_values: Affine
    out: Affine


@dataclass(frozen=True)
class Layer:
    """One layer: self-attention, cross-attention where there is one, feed-forward."""

    norm1: Affine
    qkv: Affine
    out: Affine
    norm2: Affine
    up: Affine
    down: Affine
    activation: Callable[[Tensor], Tensor]
    cross: Cross | None


@dataclass(frozen=True)
class Weights:
    """A language model's weights and shape.

    ``embeddings`` holds all codebooks' tables one after the other, ``heads`` all
    output heads.
    """

    layers: tuple[Layer, ...]
    embeddings: Tensor
    heads: Affine
    out_norm: Affine
    codebooks: int
    card: int
    width: int
    attention_heads: int
    delays: tuple[int, ...]
    positional_scale: float
    max_period: float
    eps: float
    dtype: torch.dtype

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.width // self.attention_heads


def weights_of(lm: Any, dtype: torch.dtype) -> Weights:
    """A language model's weights. Raises CannotLoad for one that our decoder doesn't know."""
    transformer, first = lm.transformer, lm.transformer.layers[0]
    _check(lm)
    biases = [head.bias for head in lm.linears]
    return Weights(
        layers=tuple(_layer(layer, dtype) for layer in transformer.layers),
        embeddings=torch.cat([table.weight for table in lm.emb]).detach().to(dtype),
        heads=Affine(
            torch.cat([head.weight for head in lm.linears]).detach().to(dtype),
            None if biases[0] is None else torch.cat(biases).detach().to(dtype),
        ),
        out_norm=_norm(lm.out_norm),
        codebooks=lm.n_q,
        card=lm.card,
        width=lm.dim,
        attention_heads=first.self_attn.num_heads,
        delays=tuple(lm.pattern_provider.delays),
        positional_scale=transformer.positional_scale,
        max_period=transformer.max_period,
        eps=first.norm1.eps,
        dtype=dtype,
    )


def _check(lm: Any) -> None:
    from audiocraft.modules.codebooks_patterns import DelayedPatternProvider

    first, pattern = lm.transformer.layers[0], lm.pattern_provider
    attention, cross = first.self_attn, first.cross_attention
    faults = {
        "its codebook pattern": not isinstance(pattern, DelayedPatternProvider)
        or pattern.flatten_first != 0
        or pattern.empty_initial != 0,
        "its position embedding": lm.transformer.positional_embedding != "sin",
        "post-norm layers": not first.norm_first,
        "a limited past": attention.past_context is not None,
        "shared keys": attention.kv_repeat != 1,
        "normalised queries": attention.qk_layer_norm or (cross is not None and cross.qk_layer_norm),
        "scaled layers": not isinstance(first.layer_scale_1, nn.Identity),
        "biased cross-attention": cross is not None and _projections(cross).in_proj_bias is not None,
    }
    found = [fault for fault, present in faults.items() if present]
    if found:
        raise CannotLoad(f"the model has {' and '.join(found)}: not supported")


def _projections(attention: Any) -> Any:
    return attention if attention.custom else attention.mha


def _layer(layer: Any, dtype: torch.dtype) -> Layer:
    own = _projections(layer.self_attn)
    return Layer(
        norm1=_norm(layer.norm1),
        qkv=Affine(own.in_proj_weight.detach().to(dtype), _detached(own.in_proj_bias, dtype)),
        out=_affine(own.out_proj, dtype),
        norm2=_norm(layer.norm2),
        up=_affine(layer.linear1, dtype),
        down=_affine(layer.linear2, dtype),
        activation=layer.activation,
        cross=None if layer.cross_attention is None else _cross(layer, dtype),
    )


def _cross(layer: Any, dtype: torch.dtype) -> Cross:
    projections = _projections(layer.cross_attention)
    width = layer.norm1.weight.numel()
    query, keys_values = projections.in_proj_weight.detach().to(dtype).tensor_split([width])
    out = _affine(projections.out_proj, dtype)
    return Cross(_norm(layer.norm_cross), Affine(query, None), Affine(keys_values, None), out)


def _affine(module: Any, dtype: torch.dtype) -> Affine:
    return Affine(module.weight.detach().to(dtype), _detached(module.bias, dtype))


def _norm(module: Any) -> Affine:
    return _affine(module, torch.float32)


def _detached(tensor: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    return None if tensor is None else tensor.detach().to(dtype)
