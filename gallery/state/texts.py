"""Many texts in a file without a name: they take no memory, and processes forked later read them too."""

from __future__ import annotations

import os
import tempfile
import weakref
from array import array
from typing import IO

# Texts wait in memory until there are so many bytes of them.
_AT_ONCE = 1 << 20


class Texts:
    """Texts by number. One process adds to them; those that are forked from it read what was there."""

    def __init__(self) -> None:
        self._ends = array("Q", [0])
        self._waiting = bytearray()
        self._written = 0
        self._file: IO[bytes] | None = None

    def add(self, text: str) -> int:
        """Keep a text. Returns its number."""
        self._waiting += text.encode(errors="surrogatepass")
        self._ends.append(self._written + len(self._waiting))
        if len(self._waiting) >= _AT_ONCE:
            self._write()
        return len(self._ends) - 2

    def __getitem__(self, number: int) -> str:
        start, end = self._ends[number], self._ends[number + 1]
        if self._file and start < self._written:
            data = _read(self._file, start, end - start)
        else:
            data = bytes(self._waiting[start - self._written : end - self._written])
        return data.decode(errors="surrogatepass")

    def _write(self) -> None:
        if not self._file:
            # Unbuffered, so that what is written can be read by its place at once.
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with this object
            weakref.finalize(self, self._file.close)
        self._file.write(self._waiting)
        self._written += len(self._waiting)
        self._waiting.clear()


def _read(file: IO[bytes], start: int, size: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(file.fileno(), size, start)
    # Such a system forks no processes, which would share the place in the file.
    file.seek(start)
    data = file.read(size)
    file.seek(0, os.SEEK_END)
    return data
