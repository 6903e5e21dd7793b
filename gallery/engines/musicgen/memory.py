"""How many clips fit into memory at once."""

from __future__ import annotations

import os

import torch

# Batch sizes that are tried, the largest that fits: few shapes, so that clips that
# are rendered at different times mostly have the same.
LARGEST = {"cuda": 64, "cpu": 4}

# Share of what is free that keys and values may take; the rest is for everything else.
SHARE = 0.7


def batch_size(device: torch.device, slot_bytes: int, clips: int) -> int:
    """The batch size for clips that take ``slot_bytes`` each.

    On a GPU it doesn't depend on how many clips there are, on the CPU it is no
    larger than that.
    """
    largest = LARGEST[device.type]
    size = 1
    while size * 2 <= largest and size * 2 * slot_bytes <= SHARE * free_bytes(device):
        size *= 2
    return size if device.type == "cuda" else min(size, clips)


def free_bytes(device: torch.device) -> int:
    """Memory that is free on a device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        free: int = torch.cuda.mem_get_info(device)[0]
        return free
    if "SC_AVPHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 4 << 30


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether an error says that memory has run out: torch says so in two ways."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
