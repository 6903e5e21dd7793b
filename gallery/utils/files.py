"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import filecmp
import hashlib
import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TEMPORARY_SUFFIX = ".tmp"


def write_atomic(path: Path | str, data: bytes, *, sync: bool = False) -> None:
    """Write a file whole or not at all: under a temporary name beside it, then renamed.

    ``sync`` has the data on the disk before the file gets its name, so that even a
    power cut leaves no half of what cannot be made again cheaply.
    """
    with _temporary(path) as temporary:
        _write(temporary, (data,), sync=sync)
        os.replace(temporary, path)  # noqa: PTH105 - as all of this: ten thousand times a build


def write_changed(path: str, data: bytes | Iterator[bytes]) -> tuple[bool, str]:
    """Write a file in the same way, unless these bytes are in it.

    Returns whether it was written, and the SHA-256 of what is in it now.
    """
    if isinstance(data, bytes):
        sha256 = hashlib.sha256(data).hexdigest()
        if _holds(path, data):
            return False, sha256
        write_atomic(path, data)
        return True, sha256
    found = hashlib.sha256()

    def pieces() -> Iterator[bytes]:
        for piece in data:
            found.update(piece)
            yield piece

    with _temporary(path) as name:
        _write(name, pieces())
        temporary, target = Path(name), Path(path)
        if target.exists() and filecmp.cmp(target, temporary, shallow=False):
            temporary.unlink()
            return False, found.hexdigest()
        temporary.replace(target)
        return True, found.hexdigest()


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
            return os.fstat(file.fileno()).st_size == len(data) and file.read() == data
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


def link_or_copy(source: Path, target: Path) -> None:
    """Make ``target`` the same file as ``source``, or a copy where links can't be had.

    Safe because files here are replaced, never written into.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}{_TEMPORARY_SUFFIX}")
    try:
        temporary.hardlink_to(source)
    except OSError:
        write_atomic(target, source.read_bytes())
    else:
        temporary.replace(target)
        # Where both are one file already, replacing does nothing and leaves the name.
        temporary.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what writers that were killed left in a folder. Only where nobody is writing."""
    if folder.is_dir():
        for path in folder.glob(f".*{_TEMPORARY_SUFFIX}"):
            path.unlink(missing_ok=True)
