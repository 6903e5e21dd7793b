"""Where the system limits a process's memory."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from mmap import mmap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# What takes longer to load than this, in seconds, waits for memory that doesn't come.
_PATIENCE = 15.0


# Bytes that are free at least where threads and processes begin their work: about what a clip of half a
# minute takes.
_HEADROOM = 100_000_000


def has_headroom() -> bool:
    """Whether memory is not about to end. What is asked for is not touched, and costs nothing."""
    try:
        mmap(-1, _HEADROOM).close()
    except OSError:
        return False
    return True


def load_within_limits(load: Callable[[], None]) -> None:
    """Call ``load``. Raises MemoryError where the memory that this process may take is not enough for it.

    Libraries that come to the end of it while they are loaded may wait for ever, deep in C where nothing
    ends them. So where there is a limit (``ulimit -v``), a copy of this process tries it first.
    """
    # A fork is safe on Linux, with no other thread.
    if _is_limited() and sys.platform == "linux" and threading.active_count() == 1:
        copy = multiprocessing.get_context("fork").Process(target=_try, args=(load,))
        copy.start()
        copy.join(_PATIENCE)
        if copy.exitcode != 0:
            copy.kill()
            copy.join()
            raise MemoryError
    _load(load)


def _load(load: Callable[[], None]) -> None:
    load()
    if not has_headroom():
        raise MemoryError


def _is_limited() -> bool:
    try:
        import resource
    except ImportError:  # Windows has none
        return False
    kinds = (resource.RLIMIT_AS, resource.RLIMIT_DATA)
    return any(resource.getrlimit(kind)[0] != resource.RLIM_INFINITY for kind in kinds)


def _try(load: Callable[[], None]) -> None:
    # What it says of it, a library's or Python's, is no line for people.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    _load(load)
