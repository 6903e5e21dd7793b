"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import filecmp
import hashlib
import os
import secrets
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_TEMPORARY_SUFFIX = ".tmp"


def write_atomic(path: Path | str, data: bytes, *, sync: bool = False) -> None:
    """Write a file whole or not at all: under a temporary name beside it, then renamed.

    ``sync`` has the data on the disk before the file gets its name, so that even a
    power cut leaves no half of what cannot be made again cheaply.
    """
    with _temporary(path) as temporary:
        _write(temporary, (data,), sync=sync)
        os.replace(temporary, path)  # noqa: PTH105 - as all of this: ten thousand times a build


def write_changed(path: str, data: bytes | Iterator[bytes]) -> None:
    """Write a file in the same way, unless these bytes are in it."""
    made = draft(path, data)
    try:
        made.publish()
    finally:
        made.discard()


@dataclass(slots=True)
class Draft:
    """A file as it is going to be: written beside its place, and nameless until it is published.

    ``temporary`` is what it is called so far; nothing where the file has these bytes already.
    """

    path: str
    sha256: str
    temporary: str = ""

    def publish(self) -> None:
        """Give the file its name, in place of what bears it."""
        if self.temporary:
            os.replace(self.temporary, self.path)  # noqa: PTH105 - ten thousand times a build
            self.temporary = ""

    def discard(self) -> None:
        """Remove it, unless it is published."""
        if self.temporary:
            with suppress(FileNotFoundError):
                os.unlink(self.temporary)  # noqa: PTH108


def draft(path: str, data: bytes | Iterator[bytes]) -> Draft:
    """What ``data`` would make of a file. The caller publishes or discards it."""
    if isinstance(data, bytes):
        sha256 = hashlib.sha256(data).hexdigest()
        if _holds(path, data):
            return Draft(path, sha256)
        with _temporary(path) as temporary:
            _write(temporary, (data,))
        return Draft(path, sha256, temporary)
    found = hashlib.sha256()

    def pieces() -> Iterator[bytes]:
        for piece in data:
            found.update(piece)
            yield piece

    with _temporary(path) as temporary:
        _write(temporary, pieces())
        if _is_alone(path) and filecmp.cmp(path, temporary, shallow=False):
            os.unlink(temporary)  # noqa: PTH108
            return Draft(path, found.hexdigest())
    return Draft(path, found.hexdigest(), temporary)


def _write(path: str, pieces: Iterable[bytes], *, sync: bool = False) -> None:
    """Fill a new file: whatever is written passes here."""
    with _create(path) as file:
        for piece in pieces:
            file.write(piece)
        if sync:
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def _temporary(path: Path | str) -> Iterator[str]:
    """A name beside a file. What is left under it when things go wrong is removed.

    What the disk refuses is told of the file itself: `write` names none, and nobody knows the other.
    """
    folder, name = os.path.split(path)
    temporary = f"{folder}/.{name}.{secrets.token_hex(4)}{_TEMPORARY_SUFFIX}"
    try:
        yield temporary
    except BaseException as error:
        with suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        if isinstance(error, OSError) and error.errno and error.filename in (None, temporary):
            raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
        raise


def _holds(path: str, data: bytes) -> bool:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - ten thousand times a build
            status = os.fstat(file.fileno())
            return status.st_nlink == 1 and status.st_size == len(data) and file.read() == data
    except OSError:
        return False


def _is_alone(path: str) -> bool:
    """Whether a file is there under this name alone: what has two would change under both."""
    try:
        return os.stat(path).st_nlink == 1  # noqa: PTH116
    except OSError:
        return False


def _create(path: str) -> BinaryIO:
    """A new file, its folder made where it is missing."""
    try:
        return open(path, "xb")  # noqa: PTH123 - the caller closes it
    except FileNotFoundError:
        folder = os.path.dirname(path)  # noqa: PTH120
        try:
            os.mkdir(folder)  # noqa: PTH102 - mostly the one above is there
        except (FileNotFoundError, FileExistsError):
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103
        return open(path, "xb")  # noqa: PTH123 - the caller closes it


def remove_leftovers(folder: Path) -> None:
    """Remove what writers that were killed left in a folder. Only where nobody is writing."""
    if folder.is_dir():
        for path in folder.glob(f".*{_TEMPORARY_SUFFIX}"):
            path.unlink(missing_ok=True)
