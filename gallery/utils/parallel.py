"""Work on many small things by all cores at once."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from contextlib import contextmanager
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

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


def spread(
    work: Callable[[Sequence[T]], R], things: Sequence[T], together: Sequence[T] = (), few: int = FEW
) -> Iterator[R]:
    """``work`` on slices of ``things``, by as many processes as there are cores; results as they come.

    Things that have work in common stand in ``together`` and make up a slice of their own. Fewer
    than ``few`` are not worth a process.

    A process is a copy of this one as it stands (a fork): ``work`` and ``things`` may be
    anything, results are pickled. Where processes cannot be forked safely, or are not worth
    it, the work is done here. What ``work`` raises is raised here.
    """
    cores = os.cpu_count() or 1
    size = max(1, min(_AT_ONCE, len(things) // (4 * cores)))
    slices = [things[start : start + size] for start in range(0, len(things), size)]
    if together:
        slices.insert(0, together)
    workers = min(cores, len(slices))
    # A fork copies this thread alone, and every lock that another one holds stays locked for ever.
    alone = threading.active_count() == 1 and "fork" in multiprocessing.get_all_start_methods()
    if workers < 2 or len(things) < few or not alone:
        yield from map(work, slices)
        return
    context = multiprocessing.get_context("fork")
    turn = context.Value("l", 0)
    running: dict[Any, Any] = {}
    here: Any
    for _ in range(workers):
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_serve, args=(work, slices, turn, there), daemon=True)
        process.start()
        there.close()
        running[here] = process
    try:
        while running:
            for here in connection.wait(running):
                try:
                    result, error = here.recv()
                except EOFError:
                    process = running.pop(here)
                    process.join()
                    if process.exitcode:
                        raise ChildProcessError(
                            f"a process of this build ended with {process.exitcode}"
                        ) from None
                    continue
                if error is not None:
                    raise error
                yield result
    finally:
        for process in running.values():
            process.terminate()
            process.join()


def _serve(work: Callable[[Any], Any], slices: Sequence[Any], turn: Any, there: Connection) -> None:
    """One process: takes the next slice until there is none."""
    # Ctrl-C goes to the whole group; the process that waits for this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        with turn.get_lock():
            number = turn.value
            turn.value += 1
        if number >= len(slices):
            return
        try:
            there.send((work(slices[number]), None))
        except Exception as error:  # noqa: BLE001 - told to, and raised by, the process that waits
            there.send((None, error))
            return
