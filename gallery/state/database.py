"""What was found out once and holds until what decided it changes: kept between builds.

One SQLite file in the workspace. Losing it costs time and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

# A text after the digest or stamp of all that decided it.
Known = tuple[str, str]

# Changes with the form of what is kept: another version's is not read.
_FORM = "5"

_AT_ONCE = 1000


class Cache:
    """Texts by kind and name, each with what decided it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        try:
            self._open()
        except sqlite3.DatabaseError:
            self._begin_anew()

    def _open(self) -> None:
        self._base = sqlite3.connect(self.path, isolation_level=None)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=OFF")  # a lost cache is no loss
        table = "kind TEXT, name TEXT, decided_by TEXT, text TEXT, PRIMARY KEY (kind, name)"
        self._base.execute(f"CREATE TABLE IF NOT EXISTS known ({table}) WITHOUT ROWID")
        own = ("place", "", _place(self.path), _FORM)
        if not self._base.execute("SELECT 1 FROM known").fetchone():
            self._base.execute("INSERT INTO known VALUES (?, ?, ?, ?)", own)
        # A file that came with a clone or a pull request was made elsewhere, by whomever.
        if own not in self._base.execute("SELECT * FROM known WHERE kind = 'place'"):
            raise sqlite3.DatabaseError

    def _begin_anew(self) -> None:
        self.close()
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        self._open()

    def each(self, kind: str) -> Iterator[tuple[str, str, str]]:
        """All that is known of one kind: names, what decided each, and its text. There may be much."""
        rows = self._base.execute("SELECT name, decided_by, text FROM known WHERE kind = ?", (kind,))
        rows.arraysize = _AT_ONCE
        while found := rows.fetchmany():
            yield from found

    def some(self, kind: str, names: Sequence[str]) -> dict[str, Known]:
        """What is known of one kind by these names."""
        rows = self._base.execute(
            "SELECT name, decided_by, text FROM known"
            " WHERE kind = ? AND name IN (SELECT value FROM json_each(?))",
            (kind, json.dumps(names)),
        )
        return {name: (decided_by, text) for name, decided_by, text in rows}

    def names(self, kind: str) -> set[str]:
        """The names of all that is known of one kind."""
        return {name for (name,) in self._base.execute("SELECT name FROM known WHERE kind = ?", (kind,))}

    def load(self, kind: str) -> dict[str, Known]:
        """All that is known of one kind, by name."""
        return {name: (decided_by, text) for name, decided_by, text in self.each(kind)}

    def update(self, kind: str, fresh: Mapping[str, Known], gone: Iterable[str] = ()) -> None:
        """Keep what was found out, and forget what nobody asks for any more."""
        # Another build that is at it, or a disk that is full, is no reason to fail.
        with suppress(sqlite3.OperationalError):
            self._base.execute("BEGIN")
            self._base.executemany(
                "INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?)",
                ((kind, name, *known) for name, known in fresh.items()),
            )
            self._base.executemany(
                "DELETE FROM known WHERE kind = ? AND name = ?", ((kind, name) for name in gone)
            )
            self._base.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        if hasattr(self, "_base"):  # where something else lies in its place, it was never opened
            self._base.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _place(path: Path) -> str:
    """This file on this machine: no other has its number here."""
    machine = b""
    with suppress(OSError):
        machine = Path("/etc/machine-id").read_bytes()
    status = path.stat()
    where = f"{path.resolve()} {status.st_dev} {status.st_ino}"
    return hashlib.sha256(machine + where.encode()).hexdigest()
