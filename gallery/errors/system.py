"""What the system refuses in the middle of anything: the disk, its files, memory."""

from __future__ import annotations

import errno
import os

from gallery.errors.text import printable

NO_MEMORY = (
    "out of memory; what is finished is kept: "
    "close other programs, raise the limit (`ulimit -v`), or give fewer --jobs, and run this again"
)

# What the loader of libraries and the starter of threads say where memory ends.
_ENDED = ("failed to map segment", "cannot allocate memory", "can't start new thread")


def told_by_the_system(error: BaseException) -> str:
    """A line for people on an error that no code of ours is to blame for, or nothing.

    What went into a pipe that nobody reads any more is nobody's error.
    """
    if _is_memory(error):
        return NO_MEMORY
    if not isinstance(error, OSError) or error.errno in (None, errno.EPIPE):
        return ""
    said = error.strerror or os.strerror(error.errno or 0)
    # None for the console, a socket, a file that a library holds open.
    name = error.filename2 or error.filename
    if name is None:
        return f"the system refused a file or a connection, and does not say which: {said}"
    return f"{printable(os.fsdecode(name) if isinstance(name, bytes) else str(name))}: {said}"


def _is_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, ImportError | RuntimeError) and any(
        words in str(error).lower() for words in _ENDED
    )
