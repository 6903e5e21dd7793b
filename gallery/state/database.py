"""One table of what was found out once: kind, name, what decided it, and the value.

It lies in one SQLite file in the workspace. What decides a row is a digest of its inputs; the tool
itself is an input of every row, so that rows which another version of it left are dropped. Losing
the file, or any damage in it, costs time and the last good contents of files that are broken now;
nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import zlib
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self
from weakref import WeakSet

from gallery.errors import GalleryError
from gallery.errors.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

STATE_NAME = "state.sqlite"

# Changes with the form of the table: another form's is not read.
_FORM = "1"

# What follows from files alone, whichever version of the tool looks at them.
FILE, CONTENT = "file", "content"
_LASTING = (FILE, CONTENT)

_META = "state"

# SQLite's files beside the first.
_SUFFIXES = ("", "-wal", "-shm")

_ONE = "SELECT decided_by, value, checksum FROM derived WHERE kind = ? AND name = ?"
_AT_ONCE = 1000

# Several processes of one build write; each waits for its turn.
_PATIENCE = 60.0


class Row(NamedTuple):
    """A value, and the digest of what decided it."""

    decided_by: str
    value: str


class Damaged(Exception):
    """The file is not as it was written. The state begins anew."""


class State:
    """Rows by kind and name. Where a process forks, both open the file for themselves from then on."""

    def __init__(self, path: Path | None, tool: str | None = None) -> None:
        """``path`` is None for one without a name, which goes with this object.

        ``tool`` is the digest of the tool (see `gallery.state.tool`), None to take it as it was.

        Raises Damaged for a file that holds no such table; `discard` makes place for another.
        """
        self._path, self._tool = path, tool
        self._connection: sqlite3.Connection | None = None
        with _telling(path):
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._prepare()

    @property
    def path(self) -> Path:
        """The file."""
        return self._path or Path()

    @property
    def tool(self) -> str:
        """The digest of the tool that it was opened for; empty where it was taken as it was."""
        return self._tool or ""

    @classmethod
    def temporary(cls) -> Self:
        """A state of this process alone, which nobody reads again."""
        return cls(None)

    def _prepare(self) -> None:
        base = self._base
        base.execute(
            "CREATE TABLE IF NOT EXISTS derived (kind TEXT, name TEXT, decided_by TEXT, value TEXT, "
            "checksum INTEGER, PRIMARY KEY (kind, name))"
        )
        # A file that came with a clone or a pull request was made elsewhere, by whomever.
        own = Row(_FORM, _place(self._path) if self._path else "")
        if not base.execute("SELECT 1 FROM derived").fetchone():
            self.put(_META, {"place": own, "tool": Row("", self._tool or "")})
        if self.get(_META, "place") != own:
            raise Damaged
        if self._tool is not None and self.value(_META, "tool") != self._tool:
            self.forget()
            self.put(_META, {"tool": Row("", self._tool)})

    @property
    def _base(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(self._path or "", _PATIENCE, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=OFF")  # a state that is lost is no loss
            if self._path:
                _OPEN.add(self)
        return self._connection

    def each(self, kind: str) -> Iterator[tuple[str, str, str]]:
        """All rows of a kind by name: name, what decided it, value. There may be many."""
        with _telling(self._path), closing(self._base.cursor()) as rows:
            rows.arraysize = _AT_ONCE
            rows.execute("SELECT name, decided_by, value, checksum FROM derived WHERE kind = ?", (kind,))
            while found := rows.fetchmany():
                for name, decided_by, value, checksum in found:
                    if checksum != _checksum(name, decided_by, value):
                        raise Damaged
                    yield name, decided_by, value

    def some(self, kind: str, names: Sequence[str]) -> dict[str, Row]:
        """The rows of a kind with these names."""
        with _telling(self._path):
            rows = self._base.execute(
                "SELECT name, decided_by, value, checksum FROM derived"
                " WHERE kind = ? AND name IN (SELECT value FROM json_each(?))",
                (kind, json.dumps(names)),
            )
            return {name: _checked(name, *row) for name, *row in rows}

    def get(self, kind: str, name: str) -> Row | None:
        """One row, or None."""
        try:  # not by `_telling`: asked a hundred thousand times a build
            base = self._base
            if not base.in_transaction:
                # Until the next row is put: taking and giving back locks takes longer than to read a row.
                base.execute("BEGIN")
            row = base.execute(_ONE, (kind, name)).fetchone()
        except sqlite3.Error as error:
            raise _told(error, self._path) from error
        return _checked(name, *row) if row else None

    def value(self, kind: str, name: str, decided_by: str | None = None) -> str | None:
        """The value of one row; with ``decided_by``, only where that decided it."""
        row = self.get(kind, name)
        return row.value if row and decided_by in (None, row.decided_by) else None

    def load(self, kind: str) -> dict[str, Row]:
        """All rows of a kind by name."""
        return {name: Row(decided_by, value) for name, decided_by, value in self.each(kind)}

    def names(self, kind: str) -> set[str]:
        """The names of all rows of a kind."""
        with _telling(self._path):
            return {
                name for (name,) in self._base.execute("SELECT name FROM derived WHERE kind = ?", (kind,))
            }

    def put(self, kind: str, rows: Mapping[str, Row], gone: Iterable[str] = ()) -> None:
        """Keep rows of a kind, and remove those that nobody asks for any more."""
        self.put_all({kind: rows}, {kind: gone})

    def put_all(
        self, rows: Mapping[str, Mapping[str, Row]], gone: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        """Keep rows of several kinds: all of them or none."""
        with _telling(self._path), self._base as base:  # commits, or rolls back
            self._base.commit()  # ends reading
            base.execute("BEGIN IMMEDIATE")
            for kind, some in rows.items():
                base.executemany(
                    "INSERT OR REPLACE INTO derived VALUES (?, ?, ?, ?, ?)",
                    ((kind, name, *row, _checksum(name, *row)) for name, row in some.items()),
                )
            for kind, names in (gone or {}).items():
                base.executemany(
                    "DELETE FROM derived WHERE kind = ? AND name = ?", ((kind, name) for name in names)
                )

    def rename(self, kind: str, other: str) -> None:
        """Make rows of one kind those of another, in place of what that has by their names."""
        with _telling(self._path):
            self._base.commit()  # ends reading
            self._base.execute("UPDATE OR REPLACE derived SET kind = ? WHERE kind = ?", (other, kind))

    def forget(self) -> None:
        """Drop everything that the tool decided, and keep what follows from files alone."""
        with _telling(self._path):
            self._base.commit()  # ends reading
            marks = ", ".join("?" * len(_LASTING))
            self._base.execute(
                f"DELETE FROM derived WHERE kind NOT IN ({marks}, ?)",  # noqa: S608 - marks and no values
                (*_LASTING, _META),
            )

    def is_of(self, tool: str) -> bool:
        """Whether the rows in the file are those of this tool."""
        return self.value(_META, "tool") == tool

    def is_outdated(self, tool: str) -> bool:
        """Whether the tool is another by now than this was opened for."""
        return self._tool != tool

    def discard(self) -> None:
        """Remove the file, whatever it is, and begin anew."""
        self.close()
        remove_state(self.path)
        with _telling(self._path):
            self._prepare()

    def close(self) -> None:
        """Let go of the file, until it is asked for again."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# SQLite's own notes on what it has locked would come along with a fork, and mislead the other process.
_OPEN: WeakSet[State] = WeakSet()


def _close_all() -> None:
    for state in list(_OPEN):
        with suppress(sqlite3.ProgrammingError):  # another thread's, which no fork takes along
            state.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_close_all)


def remove_state(path: Path) -> None:
    """Remove a state's file, or what lies in its place."""
    for suffix in _SUFFIXES:
        place = path.with_name(path.name + suffix)
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)


def _checked(name: str, decided_by: str, value: str, checksum: int) -> Row:
    if checksum != _checksum(name, decided_by, value):
        raise Damaged
    return Row(decided_by, value)


def _checksum(name: str, decided_by: str, value: str) -> int:
    return zlib.crc32(f"{name}\0{decided_by}\0{value}".encode(errors="surrogatepass"))


@contextmanager
def _telling(path: Path | None) -> Iterator[None]:
    """Tells damage from what the disk refuses."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError, TypeError) as error:
        raise _told(error, path) from error


def _told(error: Exception, path: Path | None) -> Exception:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOMEM:
        return MemoryError()
    if code in _REFUSED or (code == sqlite3.SQLITE_CANTOPEN and path and _are_files(path)):
        place = path or Path(tempfile.gettempdir())
        return GalleryError(f"{place.parent.name}/{place.name} cannot be used: {printable(str(error))}")
    return Damaged()


def _are_files(path: Path) -> bool:
    """Whether a state's files are all there is in their places, so that opening them is not allowed."""
    return path.exists() and all(
        place.is_file() for suffix in _SUFFIXES if (place := path.with_name(path.name + suffix)).exists()
    )


# A full or failing disk, a folder that may not be written to, another process that doesn't end: no damage.
_REFUSED = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PERM,
}


def _place(path: Path) -> str:
    """This file on this machine: no other has its number here."""
    machine = b""
    with suppress(OSError):
        machine = Path("/etc/machine-id").read_bytes()
    status = path.stat()
    where = f"{path.resolve()} {status.st_dev} {status.st_ino}"
    return hashlib.sha256(machine + where.encode(errors="surrogateescape")).hexdigest()
