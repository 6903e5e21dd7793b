"""How much memory there is for this process, and where the system limits it."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from contextlib import suppress
from mmap import mmap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What takes longer to load than this, in seconds, waits for memory that doesn't come.
_PATIENCE = 15.0


# Bytes that are free at least where threads and processes begin their work: enough for a clip of half a
# minute.
_HEADROOM = 100_000_000

# Bytes that are taken to be available where the system doesn't say: it is neither Linux nor like it.
_UNKNOWN = 4 << 30

# By the controller's name in /proc/self/cgroup: where a control group's limit and use are, and which lines
# of its `memory.stat` tell of cached files, which give way to programs. Version 2 first.
_CGROUPS = {
    "": ("", "memory.max", "memory.current", ("active_file", "inactive_file")),
    "memory": (
        "memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        ("total_active_file", "total_inactive_file"),
    ),
}


def available_memory(system: Path = Path("/")) -> int:
    """Bytes that programs can have without anything being swapped out, no more than a container's limit.

    ``system`` is the folder that has Linux's ``proc`` and ``sys``.
    """
    try:
        told = _numbers(system / "proc/meminfo")["MemAvailable"] * 1024
    except (OSError, KeyError):
        told = _UNKNOWN
    return min([told, *_room_of_cgroups(system)])


def _room_of_cgroups(system: Path) -> Iterator[int]:
    """What each limit of this process's control groups, and of those that they are in, leaves."""
    try:
        lines = (system / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for controller in {"memory", ""}.intersection(controllers.split(",")):
            place, limit, use, cached = _CGROUPS[controller]
            root = system / "sys/fs/cgroup" / place
            own = root / path.lstrip("/")
            for group in (own, *own.parents):
                with suppress(OSError, ValueError):
                    stat = _numbers(group / "memory.stat")
                    used = int((group / use).read_text()) - sum(stat.get(name, 0) for name in cached)
                    yield max(int((group / limit).read_text()) - used, 0)
                if group == root:
                    break


def _numbers(path: Path) -> dict[str, int]:
    """The numbers of a file of lines like ``name: 12 kB``."""
    lines = (line.split() for line in path.read_text().splitlines())
    return {line[0].rstrip(":"): int(line[1]) for line in lines if len(line) > 1}


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
