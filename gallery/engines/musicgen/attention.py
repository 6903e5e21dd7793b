"""Attention of one new position to a slot's past, and of many at once as a clip begins.

On a GPU a kernel reads each row's own past and no more (`gallery.engines.musicgen.kernel`):
what a row costs, and its result to the last bit, don't depend on the other rows.
Where the kernel can't be had, torch's attention reads the whole cache at its full,
fixed length, which is slower but as independent.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from gallery.errors.text import one_line

if TYPE_CHECKING:
    from torch import Tensor


def attend(queries: Tensor, past: Tensor, lengths: Tensor, limit: int) -> Tensor:
    """Attention of ``queries`` [rows, heads, width] to each row's first ``lengths`` [rows] positions.

    ``past`` holds keys and values, [2, rows, heads, positions, width]; no row has
    more than ``limit`` positions. Returns [rows, heads * width].
    """
    if queries.is_cuda and has_kernel(queries.shape[2]):
        from gallery.engines.musicgen.kernel import attend_rows

        return attend_rows(queries, past, lengths)
    keys, values = past[:, :, :, :limit]
    mask = torch.arange(limit, device=queries.device) < lengths[:, None]
    attended = functional.scaled_dot_product_attention(queries[:, :, None], keys, values, mask[:, None, None])
    return attended.flatten(1)


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
