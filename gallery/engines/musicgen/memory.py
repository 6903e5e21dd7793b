"""How many clips fit into memory at once, and how it is said that one more did not."""

from __future__ import annotations

import errno
import gc
import re

import torch

from gallery.utils.memory import available_memory

# Clips that are decoded at once at most: as many as the rows of one product have room for.
LARGEST = {"cuda": 64, "cpu": 4}

# What keys and values leave free on a GPU: for CUDA itself, the text encoder, the codec at work.
RESERVE = 1536 << 20

# Share of a computer's available memory that keys and values may take.
SHARE = 0.7

# What torch and the libraries beneath it call it, beside `torch.OutOfMemoryError`. cuBLAS is "not
# initialised" where its workspace doesn't fit. A graph that is being recorded when memory runs out
# ends with an error that doesn't speak of memory at all.
_SHORTAGE = re.compile(
    r"out of memory|(can't|cannot) allocate memory|not enough memory|bad_alloc|cudaErrorMemoryAllocation"
    r"|CU[A-Z]+_(STATUS_)?(\w+_)?ALLOC\w*_FAILED|CUBLAS_STATUS_NOT_INITIALIZED"
    r"|stream is capturing|capturing (blocking )?stream|during capture|capture was invalidated"
    r"|Capture(Status)?Invalidated",
    re.IGNORECASE,
)


def batch_size(device: torch.device, slot_bytes: int, weight_bytes: int, clips: int) -> int:
    """The batch size for clips that take ``slot_bytes`` each, beside a model's ``weight_bytes``.

    A power of two. On a GPU it follows from all its memory, whatever is free of it, so that
    it is the same each time. On the CPU, where it changes no clip, it follows from what is
    available, and is no larger than the number of clips.
    """
    if device.type == "cpu":
        room = SHARE * available_memory()
    else:
        room = torch.cuda.mem_get_info(device)[1] - weight_bytes - RESERVE
    size = 1
    while size * 2 <= LARGEST[device.type] and size * 2 * slot_bytes <= room:
        size *= 2
    return min(size, clips) if device.type == "cpu" else size


def ensure_free(device: torch.device, size: int) -> None:
    """See to it that so many bytes of a GPU are free. Raises torch.OutOfMemoryError."""
    if torch.cuda.mem_get_info(device)[0] >= size:
        return
    torch.cuda.empty_cache()
    free = torch.cuda.mem_get_info(device)[0]
    if free < size:
        raise torch.OutOfMemoryError(f"{free >> 20} MB of the GPU are free, {size >> 20} are needed")


def release(device: torch.device) -> None:
    """Give back what is not in use any more."""
    gc.collect()
    if device.type == "cuda":
        # A recording that failed leaves its stream behind as the current one.
        torch.cuda.set_stream(torch.cuda.default_stream(device))
        torch.cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, or one that led to it, says that memory has run out."""
    seen: set[int] = set()
    following: list[BaseException | None] = [error]
    while following:
        one = following.pop()
        if one is None or id(one) in seen:
            continue
        if _says_so(one):
            return True
        seen.add(id(one))
        following += [one.__cause__, one.__context__]
    return False


def _says_so(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and bool(_SHORTAGE.search(str(error)))
