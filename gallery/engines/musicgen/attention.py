"""Attention of one new position to a slot's past, and of many at once as a clip begins.

A row reads its own past and no more: what it costs, and its result to the last bit,
don't depend on the other rows. On a GPU a kernel does that (`gallery.engines.musicgen.kernel`),
on the CPU torch's attention, called for each length. On a GPU where the kernel can't be
had, torch's attention reads the whole cache at its full length.
"""

from __future__ import annotations

from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

import torch
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from gallery.errors.text import one_line

if TYPE_CHECKING:
    from torch import Tensor

# Which of torch's attentions takes the kernel's place: always the same, so that none is
# chosen by the number of rows. The second is for cards that the first doesn't serve.
FALLBACK = [SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]


def attend(queries: Tensor, past: Tensor, lengths: Tensor) -> Tensor:
    """Attention of ``queries`` [rows, heads, width] to each row's first ``lengths`` [rows] positions.

    ``past`` holds keys and values, [2, rows, heads, positions, width]; every length is
    at least 1. Returns [rows, heads * width].
    """
    if not queries.is_cuda:
        return _attend_by_length(queries, past, lengths)
    if has_kernel(queries.shape[2]):
        from gallery.engines.musicgen.kernel import attend_rows

        return attend_rows(queries, past, lengths)
    mask = torch.arange(past.shape[3], device=queries.device) < lengths[:, None]
    with sdpa_kernel(FALLBACK):
        return _attend(queries, past, mask[:, None, None])


def _attend_by_length(queries: Tensor, past: Tensor, lengths: Tensor) -> Tensor:
    """Rows of one length at a time: none is computed at the length of another."""
    parts, start = [], 0
    for length, alike in groupby(lengths.tolist()):
        end = start + len(list(alike))
        parts.append(_attend(queries[start:end], past[:, start:end, :, :length]))
        start = end
    return torch.cat(parts)


def _attend(queries: Tensor, past: Tensor, mask: Tensor | None = None) -> Tensor:
    keys, values = past
    return functional.scaled_dot_product_attention(queries[:, :, None], keys, values, mask).flatten(1)


def attend_causally(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attention of every position to those up to it, all [rows, positions, heads, width]."""
    queries, keys, values = (part.transpose(1, 2) for part in (queries, keys, values))
    attended = functional.scaled_dot_product_attention(queries, keys, values, is_causal=True)
    return attended.transpose(1, 2).flatten(2)


def attention_on(device: torch.device, width: int) -> str:
    """Whose attention serves heads of a width on a device, as records tell it: ``kernel`` or ``torch``."""
    return "kernel" if device.type == "cuda" and has_kernel(width) else "torch"


def has_kernel(width: int) -> bool:
    """Whether the current GPU's kernel serves heads of a width."""
    return not kernel_problem(width)


@cache
def kernel_problem(width: int) -> str:
    """Why the current GPU's kernel doesn't serve heads of a width: tried once, against torch's attention.

    Empty where it does.
    """
    try:
        from gallery.engines.musicgen.kernel import attend_rows

        generator = torch.Generator("cuda").manual_seed(0)
        queries = torch.randn(4, 2, width, generator=generator, device="cuda", dtype=torch.float16)
        past = torch.randn(2, 4, 2, 640, width, generator=generator, device="cuda", dtype=torch.float16)
        keys, values = past.float()
        lengths = torch.tensor([1, 64, 257, 640], device="cuda")
        mask = (torch.arange(640, device="cuda") < lengths[:, None])[:, None, None]
        expected = functional.scaled_dot_product_attention(queries[:, :, None].float(), keys, values, mask)
        found = attend_rows(queries, past, lengths).view_as(expected[:, :, 0])
        same = (found - expected[:, :, 0]).abs().max() < 0.01
        return "" if same else "its results are not those of torch's"
    except Exception as error:  # noqa: BLE001 - a compiler may fail in any way; torch's attention remains
        return one_line(error)
