"""A store elsewhere: the files of a bucket or a server, by any driver of fsspec.

What lies there was written by others: only names that a clip's files have are seen, and
no more is read of a file than its place allows.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from gallery.errors import GalleryError
from gallery.errors.text import printable
from gallery.utils.distribution import setup_advice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

_NAME = re.compile(r"[0-9a-f]{32}\.(mp3|webp|json)")

# The extra that brings a protocol's driver.
_DRIVERS = {
    **dict.fromkeys(("s3", "s3a"), "s3"),
    **dict.fromkeys(("gs", "gcs"), "gcs"),
    **dict.fromkeys(("sftp", "ssh"), "sftp"),
    "hf": "hf",
}

# Where a file has its name before it is whole. Object stores show an object when it is.
_SERVERS = {"sftp", "ssh", "ftp", "smb"}
_LOCAL = {"file", "local"}
_FOLDERS = _LOCAL | _SERVERS

# Drivers of object stores try again by themselves; those of servers don't. Seconds to wait each time.
_WAITS = (1, 3, 9)

# What drivers call the time at which a file was last written.
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")

# Parts of a path that must exist already: an object store's bucket, a repository on the hub.
_GIVEN = {"hf": 3}


class Entry(NamedTuple):
    """A file there: its bytes, what changes when the file does, and when it came, if that is told.

    The latter in seconds since 1970.
    """

    size: int
    version: str
    modified: float | None = None


class Remote(AbstractContextManager["Remote"]):
    """The files of a store at an fsspec URL. Its methods may be called by many threads.

    All raise GalleryError, one line, where the store cannot be reached.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._protocol = url.partition("://")[0]
        self._lock = threading.Lock()
        self._opened: tuple[Any, str] | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine, of what is mounted there."""
        return self._protocol in _LOCAL

    def state(self) -> str:
        """What there is where no clips are, in words."""
        there = self._call(lambda system, folder: system.exists(folder))
        return "nothing of a store lies there" if there or not self.is_local else "there is no such folder"

    def make_folder(self) -> None:
        """Make the folder of a store on this machine, in one that must be there already."""

        def make(system: Any, folder: str) -> None:
            if self.is_local:
                system.mkdir(folder, create_parents=False)

        try:
            with suppress(FileExistsError):
                self._call(make)
        except FileNotFoundError as error:
            parent = self.url.rpartition("/")[0]
            raise GalleryError(
                f"{self.url}: there is no {parent}; mount it, make it, or mend [store] url in gallery.toml"
            ) from error

    def listing(self) -> dict[str, Entry]:
        """Everything there that has the name of a clip's file."""

        def look(system: Any, folder: str) -> Any:
            system.invalidate_cache()
            try:
                if self._protocol in _FOLDERS and system.isfile(folder):
                    raise GalleryError(f"{self.url} is a file; [store] url in gallery.toml names a folder")
                return system.ls(folder, detail=True)
            except FileNotFoundError:
                given = "/".join(folder.split("/")[: _GIVEN.get(self._protocol, 1)])
                if given and not system.exists(given):
                    raise GalleryError(
                        f"{self.url}: there is no {given}; make it, or mend [store] url in gallery.toml"
                    ) from None
                return []

        found = {}
        for entry in self._call(look):
            name = str(entry["name"]).rsplit("/", 1)[-1]
            if entry["type"] == "file" and _NAME.fullmatch(name):
                version = hashlib.sha256(repr(sorted(entry.items())).encode()).hexdigest()
                found[name] = Entry(int(entry["size"] or 0), version, _modified(entry))
        return found

    def read(self, name: str, most: int) -> bytes:
        """A file's first ``most`` bytes. Raises FileNotFoundError."""
        return self._call(
            lambda system, folder: bytes(system.cat_file(f"{folder}/{name}", start=0, end=most))
        )

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return bool(self._call(lambda system, folder: system.exists(f"{folder}/{name}")))

    def holds(self, name: str, data: bytes) -> bool:
        """Whether a file is exactly this."""

        def look(system: Any, folder: str) -> bool:
            path = f"{folder}/{name}"
            return bool(system.info(path)["size"] == len(data) and system.cat_file(path) == data)

        with suppress(FileNotFoundError):
            return self._call(look)
        return False

    def create(self, name: str, data: bytes) -> bool:
        """Write a file that is not there yet, whole or not at all; False where one is there.

        Of two who create the same file, an object store that can lets the first one win.
        """

        def write(system: Any, folder: str) -> None:
            path = f"{folder}/{name}"
            if self._protocol not in _FOLDERS:
                system.pipe_file(path, data, mode="create")
                return
            if system.exists(path):
                raise FileExistsError(path)
            if not self.is_local:  # where a share is unmounted, this would fill the folder below it
                system.makedirs(folder, exist_ok=True)
            temporary = f"{folder}/.{name}.{secrets.token_hex(4)}.tmp"
            try:
                system.pipe_file(temporary, data)
                system.mv(temporary, path)
            finally:
                with suppress(FileNotFoundError):
                    system.rm_file(temporary)

        try:
            self._call(write)
        except FileExistsError:
            return False
        except FileNotFoundError as error:
            raise GalleryError(f"{self.url}: {_reason(error)}") from error
        return True

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with suppress(FileNotFoundError):
            self._call(lambda system, folder: system.rm_file(f"{folder}/{name}"))

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection and of fsspec's thread: no process forks safely beside one."""
        with self._lock:
            if self._opened:
                self._opened = None
                _stop_fsspec()

    def _call(self, work: Callable[[Any, str], T]) -> T:
        for wait in (*(_WAITS if self._protocol in _SERVERS else ()), None):
            try:
                return work(*self._open())
            except (GalleryError, FileNotFoundError, FileExistsError):
                raise
            except Exception as error:  # each driver has errors of its own
                if wait is None:
                    raise GalleryError(f"{self.url} cannot be used: {_reason(error)}") from error
                self._opened = None
                time.sleep(wait)
        raise AssertionError  # the last round returns or raises

    def _open(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs

        with self._lock:
            if not self._opened:
                try:
                    self._opened = url_to_fs(self.url, skip_instance_cache=True)
                    _silence_fsspec()
                except ImportError as error:
                    extra = _DRIVERS.get(self._protocol)
                    remedy = setup_advice(extra) if extra else _reason(error)
                    raise GalleryError(f"{self.url}: its driver is not installed: {remedy}") from error
                except ValueError as error:
                    raise GalleryError(f"[store] url {self.url}: {_reason(error)}") from error
            return self._opened


def _modified(entry: Mapping[str, Any]) -> float | None:
    """When a file was last written, as its driver tells it: a time, a number or a text."""
    for told in (entry.get(name) for name in _TIMES):
        with suppress(ValueError, OverflowError):
            if isinstance(told, str):
                told = datetime.fromisoformat(told)
            if isinstance(told, datetime):
                return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
            if isinstance(told, int | float) and told > 0:
                return float(told)
    return None


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return printable(lines[0])[:300] if lines else type(error).__name__


def _silence_fsspec() -> None:
    """A driver raises what is wrong; what its loop finds besides, as open sessions, helps nobody."""
    from fsspec import asyn

    [loop] = asyn.loop
    if loop is not None:
        loop.set_exception_handler(lambda *_: None)


def _stop_fsspec() -> None:
    """End the thread in which fsspec's drivers work; the next call starts another."""
    import asyncio

    from fsspec import asyn

    [loop], [thread] = asyn.loop, asyn.iothread
    if loop is None or thread is None:
        return
    asyncio.run_coroutine_threadsafe(loop.shutdown_default_executor(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    asyn.reset_lock()
