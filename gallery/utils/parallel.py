"""Work on many small things by all cores at once."""

from __future__ import annotations

import gc
import itertools
import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from gallery.utils.memory import has_headroom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")
R = TypeVar("R")

# Fewer things than this are mostly done before a process has started.
FEW = 200

# So many at a time: often enough to keep all processes busy to the end, and to show progress.
_AT_ONCE = 100


@contextmanager
def without_collecting() -> Iterator[None]:
    """Leaves reference cycles alone meanwhile.

    Ten thousands of prompts in memory are no garbage; looking through them again and again
    takes longer than making pages of them.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def spread(work: Callable[[Sequence[T]], R], things: Sequence[T]) -> Iterator[R]:
    """``work`` on slices of ``things``, by as many processes as there are cores; results as they come.

    Few are not worth a process; and where memory is about to end, none is begun.

    A process is a copy of this one as it stands (a fork, which Linux alone does safely): ``work`` and
    ``things`` may be anything, results are pickled. Elsewhere, and where it is not worth it, the work
    is done here. What ``work`` raises is raised here.
    """
    cores = os.cpu_count() or 1
    size = max(1, min(_AT_ONCE, len(things) // (4 * cores)))
    slices = [things[start : start + size] for start in range(0, len(things), size)]
    workers = min(cores, len(slices))
    # A fork copies this thread alone, and every lock that another one holds stays locked for ever.
    alone = threading.active_count() == 1 and sys.platform == "linux"
    if workers < 2 or len(things) < FEW or not alone or not has_headroom():
        yield from map(work, slices)
        return
    _at_work.append((work, slices))
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("fork"), _begin)
    try:
        numbers = iter(range(len(slices)))
        running = {pool.submit(_work_on, number) for number in itertools.islice(numbers, 2 * workers)}
        while running:
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {pool.submit(_work_on, number) for number in itertools.islice(numbers, len(finished))}
            for future in finished:
                yield future.result()
    except BrokenProcessPool as error:
        # Nothing of ours ends one: where memory runs out, the system does.
        raise MemoryError from error
    finally:
        _at_work.pop()
        pool.shutdown(cancel_futures=True)


# What is being spread: the processes find it here when they begin.
_at_work: list[tuple[Callable[[Any], Any], Sequence[Any]]] = []


def _begin() -> None:
    # Ctrl-C goes to the whole group; the process that waits for this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _work_on(number: int) -> Any:
    work, slices = _at_work[-1]
    return work(slices[number])
