"""The GPU's attention of one query a row to that row's own past.

A row's past is cut into chunks of fixed length, each read by one program; a second
pass joins them. Chunks past the row's end read nothing. Every row is computed in
the same order of operations wherever it stands and whatever the other rows are,
so its result depends on them in no bit; and the grid is fixed, so that it can be
recorded in a CUDA graph while lengths change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import triton
import triton.language as tl

if TYPE_CHECKING:
    from torch import Tensor

CHUNK = 256  # positions that one program reads
BLOCK = 64  # positions that it reads at once


@triton.jit
def _attend_chunk(  # type: ignore[no-untyped-def]
    queries, keys, values, lengths, sums, tops, totals,
    query_row, query_head, past_row, past_head, scale,
    heads: tl.constexpr, chunks: tl.constexpr, chunk_length: tl.constexpr,
    block_length: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    place, chunk = tl.program_id(0), tl.program_id(1)
    row, head = place // heads, place % heads
    length = tl.load(lengths + row).to(tl.int32)
    lanes = tl.arange(0, width)
    query = tl.load(queries + row * query_row + head * query_head + lanes).to(tl.float32) * scale
    past = row.to(tl.int64) * past_row + head.to(tl.int64) * past_head
    top = tl.full([], float("-inf"), tl.float32)
    total = tl.full([], 0.0, tl.float32)
    summed = tl.zeros([width], tl.float32)
    start = chunk * chunk_length
    for block in range(start, tl.minimum(start + chunk_length, length), block_length):
        positions = block + tl.arange(0, block_length)
        inside = positions < length
        spots = past + positions[:, None] * width + lanes[None, :]
        key = tl.load(keys + spots, mask=inside[:, None], other=0.0).to(tl.float32)
        value = tl.load(values + spots, mask=inside[:, None], other=0.0).to(tl.float32)
        score = tl.where(inside, tl.sum(key * query[None, :], axis=1), float("-inf"))
        higher = tl.maximum(top, tl.max(score, axis=0))
        shrink = tl.exp(top - higher)
        weight = tl.exp(score - higher)
        total = total * shrink + tl.sum(weight, axis=0)
        summed = summed * shrink + tl.sum(weight[:, None] * value, axis=0)
        top = higher
    spot = place * chunks + chunk
    tl.store(tops + spot, top)
    tl.store(totals + spot, total)
    tl.store(sums + spot * width + lanes, summed)


@triton.jit
def _join_chunks(  # type: ignore[no-untyped-def]
    sums, tops, totals, attended,
    chunks: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    place = tl.program_id(0)
    lanes = tl.arange(0, width)
    top = tl.load(tops + place * chunks)
    for chunk in range(1, chunks):
        top = tl.maximum(top, tl.load(tops + place * chunks + chunk))
    total = tl.full([], 0.0, tl.float32)
    summed = tl.zeros([width], tl.float32)
    for chunk in range(chunks):
        spot = place * chunks + chunk
        share = tl.exp(tl.load(tops + spot) - top)
        total += tl.load(totals + spot) * share
        summed += tl.load(sums + spot * width + lanes) * share
    tl.store(attended + place * width + lanes, (summed / total).to(attended.dtype.element_ty))


def attend_rows(queries: Tensor, past: Tensor, lengths: Tensor) -> Tensor:
    """Attention of ``queries`` [rows, heads, width] to each row's first ``lengths`` [rows] positions.

    ``past`` holds keys and values, [2, rows, heads, positions, width], the last two
    axes contiguous; every length is at least 1. Returns [rows, heads * width].
    """
    rows, heads, width = queries.shape
    keys, values = past
    chunks = triton.cdiv(past.shape[3], CHUNK)
    sums = torch.empty(rows * heads, chunks, width, dtype=torch.float32, device=queries.device)
    tops, totals = torch.empty(2, rows * heads, chunks, dtype=torch.float32, device=queries.device)
    attended = torch.empty(rows, heads * width, dtype=queries.dtype, device=queries.device)
    _attend_chunk[(rows * heads, chunks)](
        queries, keys, values, lengths, sums, tops, totals,
        queries.stride(0), queries.stride(1), keys.stride(0), keys.stride(1), width**-0.5,
        heads=heads, chunks=chunks, chunk_length=CHUNK, block_length=BLOCK, width=width,
    )  # fmt: skip
    _join_chunks[(rows * heads,)](sums, tops, totals, attended, chunks=chunks, width=width, num_warps=2)
    return attended
