"""Writing a site so that only what changed is touched, and nothing that others put there.

What builds wrote into an output folder is listed there, in `LIST_NAME`: address and SHA-256. What
decided each page, and the stamp of its file, lie in the state. Both may be lost or tampered with:
without the state all is made again, and no line of the list ever leads out of the folder, or to a
file that is not what the list says.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gallery.errors import GalleryError
from gallery.errors.text import printable
from gallery.site.earlier import earlier_list, forget_earlier_list
from gallery.state.database import Row
from gallery.state.outcome import Written
from gallery.state.output import LIST_NAME, kind_of, stamp_in
from gallery.utils.files import link_or_copy, remove_leftovers, write_changed
from gallery.utils.parallel import FEW, spread
from gallery.utils.progress import Tally, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from gallery.config import Config
    from gallery.state.database import State

# What is known of a page that is about to be written: it stands as no page can.
_INTENDED = ""

# Where a site has so many pages, few of them may still be much work: those that tell of all prompts.
_MANY = 5000


@dataclass(frozen=True, slots=True)
class Page:
    """A file of the site, the digest of all that decides its content, and how to make it ``of`` what.

    What is large may be made piece by piece.
    """

    address: str
    digest: str
    make: Callable[..., bytes | Iterator[bytes]]
    of: tuple[Any, ...] = ()


class Writer:
    """The files that builds write into one output folder."""

    def __init__(self, output: Path, state: State, protected: Iterable[Path], workspace: Path) -> None:
        """Nothing in ``protected`` is removed; ``workspace`` has the lists of earlier versions."""
        self._output = output.resolve()
        self._state, self._kind, self._workspace = state, kind_of(self._output), workspace
        # Only within the output: nothing outside it is ever touched in any case.
        inside = [folder.resolve() for folder in protected]
        self._protected = [folder for folder in inside if self._output in folder.parents]
        self._folders: dict[Path, Path] = {}
        self._inner: dict[str, bool] = {}

    @classmethod
    def of(cls, config: Config, output: Path, state: State) -> Writer:
        """The writer of a gallery's site."""
        return cls(output, state, [config.store_folder], config.workspace)

    def write(self, pages: Iterable[Page], files: Mapping[str, Path]) -> Written:
        """Bring the output folder to hold these pages and files, and no earlier ones."""
        before, listed, whole = self._before()
        gone, wanted = {*before, *listed}, 0
        due: dict[str, Page] = {}
        for page in pages:
            gone.discard(page.address)
            wanted += 1
            if before.get(page.address) != f"{page.digest} {self._stamp(page.address)}":
                due[page.address] = page
        copies = {address: source for address, source in files.items() if not self._is_there(address, source)}
        gone -= copies.keys()
        sources = {address: _stamp_of(source) for address, source in copies.items()}
        missing = [
            address
            for address, source in sources.items()
            # A source that is gone leaves the copy as it is.
            if source and before.get(address) != f"{source} {self._stamp(address)}"
        ]
        if not whole:
            folders = {(self._output / name).parent for name in {*before, *listed} if self._inside(name)}
            for folder in sorted(folders):
                remove_leftovers(folder)
        if any(address not in before for address in (*due, *missing)):
            # Told before they are written: what a killed build leaves is known to the next one.
            self._save(dict.fromkeys([*due, *missing], _INTENDED) | listed, whole=False)
        written = self._write_pages(due, wanted)
        for address in missing:
            self._copy(address, copies[address], sources[address])
        removed = sum(self._remove(address, before, listed) for address in sorted(gone))
        if due or missing or gone or not whole:
            self._state.put(self._kind, {}, gone)
            self._save({}, whole=True)
        return Written(written + len(missing), wanted + len(copies) - written - len(missing), removed)

    def _write_pages(self, due: Mapping[str, Page], wanted: int) -> int:
        """Write pages. Returns how many files changed."""
        few, written = 2 if wanted > _MANY else FEW, 0
        with Tally("writing", len(due), "page") as tally:
            for count, changed in spread(self._put_all, list(due.values()), few=few):
                written += changed
                tally.add(count)
        return written

    def _put_all(self, pages: Sequence[Page]) -> tuple[int, int]:
        """Write pages, and keep what to know of each. Returns how many there are, and how many changed."""
        rows, written = {}, 0
        for page in pages:
            self._check(page.address)
            changed, sha256 = write_changed(f"{self._output}/{page.address}", page.make(*page.of))
            rows[page.address] = Row(page.digest, f"{self._stamp(page.address)} {sha256}")
            written += changed
        self._state.put(self._kind, rows)
        return len(rows), written

    def _copy(self, address: str, source: Path, stamp: str) -> None:
        self._check(address)
        link_or_copy(source, self._output / address)
        sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
        self._state.put(self._kind, {address: Row(stamp, f"{self._stamp(address)} {sha256}")})

    def _stamp(self, address: str) -> str:
        return stamp_in(str(self._output), address)

    def _is_there(self, address: str, source: Path) -> bool:
        """Whether a file already lies where it belongs. A link to it elsewhere is still our copy."""
        target = self._output / address
        return source.name == target.name and self._real(source.parent) == self._real(target.parent)

    def _real(self, folder: Path) -> Path:
        if folder not in self._folders:
            self._folders[folder] = folder.resolve()
        return self._folders[folder]

    def _check(self, address: str) -> None:
        if not self._inside(address):
            raise GalleryError(f"{address} would not be in the site: a folder on its way there is a link")

    def _inside(self, address: str) -> bool:
        """Whether an address, links followed, lies in the output folder."""
        folder, _, name = address.rpartition("/")
        # No absolute path, no drive, no other separator.
        if address.startswith("/") or any(sign in address for sign in "\\:\0") or name in ("", ".", ".."):
            return False
        return not folder or self._is_inner(folder)

    def _is_inner(self, folder: str) -> bool:
        if folder not in self._inner:
            above, _, name = folder.rpartition("/")
            whole = bool(name) and name not in (".", "..") and (not above or self._is_inner(above))
            path = f"{self._output}/{folder}"
            if whole and os.path.islink(path):  # noqa: PTH114 - ten thousand times a build
                whole = self._real(self._output / folder).is_relative_to(self._output)
            self._inner[folder] = whole
        return self._inner[folder]

    def _remove(self, address: str, before: Mapping[str, str], listed: Mapping[str, str]) -> bool:
        """Remove a file that a build wrote and nobody has changed since. Returns whether it was there."""
        path = self._output / address
        if not self._inside(address) or path.is_symlink() or not path.is_file():
            return False
        if any(self._real(path.parent).is_relative_to(kept) for kept in self._protected):
            return False
        is_own = before.get(address, "").endswith(f" {self._stamp(address)}")
        known = self._state.value(self._kind, address) or ""
        told = listed.get(address, known.rpartition(" ")[2])
        if not is_own and told not in (_INTENDED, _sha256_of(path)):
            say(f"{printable(str(path))}: no page any more, but not what a build wrote; left alone")
            return False
        path.unlink()
        for folder in path.parents:
            if folder == self._output or not self._real(folder).is_relative_to(self._output):
                break
            try:
                folder.rmdir()
            except OSError:
                # Not empty: something else lives here.
                break
        return True

    def _before(self) -> tuple[dict[str, str], dict[str, str], bool]:
        """The files that earlier builds wrote, and whether the last one came to its end.

        Those that the state knows with what decided each and its stamp; and if the output's list is
        not the one that the last build wrote here, what it says.
        """
        files, mark = {}, ""
        for address, decided_by, value in self._state.each(self._kind):
            stamp = value.rpartition(" ")[0]
            if address == LIST_NAME:
                mark = stamp
            else:
                files[address] = f"{decided_by} {stamp}"
        if mark and mark == self._stamp(LIST_NAME):
            return files, {}, True
        return files, *self._read_list()

    def _read_list(self) -> tuple[dict[str, str], bool]:
        """What the output's own list says; that of earlier versions where it has none yet."""
        try:
            told = json.loads((self._output / LIST_NAME).read_bytes())
            files = told["files"]
            if not all(isinstance(sha256, str) for sha256 in files.values()):
                raise TypeError
            return files, bool(told["whole"])
        except FileNotFoundError:
            return earlier_list(self._workspace, self._output)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            # Unreadable: as if nothing had been written yet. Nothing is removed for it.
            return {}, False

    def _save(self, more: Mapping[str, str], *, whole: bool) -> None:
        """Write the output's list: what the state has, and ``more``."""
        write_changed(f"{self._output}/{LIST_NAME}", self._lines(more, whole))
        if whole:
            forget_earlier_list(self._workspace)
            self._state.put(self._kind, {LIST_NAME: Row("", f"{self._stamp(LIST_NAME)} ")})

    def _lines(self, more: Mapping[str, str], whole: bool) -> Iterator[bytes]:
        yield f'{{"version": 1, "whole": {json.dumps(whole)}, "files": {{'.encode()
        between = "\n"
        known = (
            (address, value.rpartition(" ")[2])
            for address, _, value in self._state.each(self._kind)
            if address != LIST_NAME and address not in more
        )
        for address, sha256 in itertools.chain(known, more.items()):
            yield f"{between}{json.dumps(address, ensure_ascii=False)}: {json.dumps(sha256)}".encode()
            between = ",\n"
        yield b"\n}}\n"


def _stamp_of(source: Path) -> str:
    try:
        status = source.stat()
    except OSError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"


def _sha256_of(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
