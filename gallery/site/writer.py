"""Writing a site so that only what changed is touched, and nothing that others put there.

What builds wrote into an output folder is listed there, in `LIST_NAME`: address and SHA-256. What
decided each file, its stamp and its SHA-256 lie in the state. Both may be lost or tampered with:
without the state all is made again, and no line of the list ever leads out of the folder. A file is
replaced or removed only if one of the two names the digest that it has. What else lies in the place
of a page stays, and is told.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from stat import S_ISDIR, S_ISLNK, S_ISREG
from typing import TYPE_CHECKING, Any

from gallery.errors.text import printable
from gallery.site.earlier import earlier_list, forget_earlier_list
from gallery.state.database import Row
from gallery.state.outcome import Written
from gallery.state.output import LIST_NAME, kind_of, stamp_at, stamp_in
from gallery.utils.files import draft, remove_leftovers, write_changed
from gallery.utils.parallel import spread
from gallery.utils.progress import Tally, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from gallery.config import Config
    from gallery.state.database import State
    from gallery.utils.files import Draft

# What the list says of a file that is about to come: no digest yet, so that it gives no leave to touch it.
_INTENDED = ""

_quoted = json.JSONEncoder(ensure_ascii=False).encode

# So many things that are in the way are named.
_MOST_TOLD = 20

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Page:
    """A file of the site, the digest of all that decides its content, and how to make it ``of`` what.

    What is large may be made piece by piece. Where pages are made ``together``, ``make`` takes a list of
    what several of them are ``of``, and returns as many contents: one kind of work for all of them, and then
    the next, is done sooner than page after page.
    """

    address: str
    digest: str
    make: Callable[..., Any]
    of: tuple[Any, ...] = ()
    together: bool = False


class Writer:
    """The files that builds write into one output folder."""

    def __init__(self, output: Path, state: State, protected: Iterable[Path], workspace: Path) -> None:
        """Nothing in ``protected`` is removed; ``workspace`` has the lists of earlier versions."""
        self._output = output.resolve()
        self._state, self._kind, self._workspace = state, kind_of(self._output), workspace
        # Only within the output: nothing outside it is ever touched in any case.
        inside = [folder.resolve() for folder in protected]
        self._protected = [folder for folder in inside if self._output in folder.parents]
        self._listed: dict[str, str] = {}
        self._folders: dict[Path, Path] = {}
        self._inner: dict[str, bool] = {}

    @classmethod
    def of(cls, config: Config, output: Path, state: State) -> Writer:
        """The writer of a gallery's site."""
        return cls(output, state, [config.store_folder], config.workspace)

    def write(self, pages: Iterable[Page], files: Mapping[str, Path]) -> Written:
        """Bring the output folder to hold these pages and files, and no earlier ones.

        What no build wrote stays, even in the place of one of them: that is told, and counted.
        """
        before, whole = self._before()
        gone, wanted = {*before, *self._listed}, 0
        due: dict[str, Page] = {}
        for page in itertools.chain(pages, self._copies(files)):
            gone.discard(page.address)
            wanted += 1
            # A source that is gone has no digest, and leaves its copy as it is.
            if page.digest and before.get(page.address) != f"{page.digest} {self._stamp(page.address)}":
                due[page.address] = page
        if not whole:
            folders = {
                (self._output / name).parent for name in {*before, *self._listed} if self._inside(name)
            }
            for folder in sorted(folders):
                remove_leftovers(folder)
        if due or gone:
            # Until this build has ended, what lies here may be half of it.
            self._state.put(self._kind, {}, [LIST_NAME])
        known = {address: sha256 for address, sha256 in self._listed.items() if address not in before}
        if new := [address for address in due if address not in before]:
            # Told before they are written: where a killed build was at work is known to the next one.
            self._save(dict.fromkeys(new, _INTENDED) | known, whole=False)
        try:
            written, blocked = self._write_pages(due)
            removed = sum(self._remove(address) for address in sorted(gone))
            if removed and blocked:
                # A page may have been in the way of what is a folder now.
                more, blocked = self._write_pages({address: due[address] for address in blocked})
                written += more
        except BaseException:
            with suppress(Exception):  # the state, which knows it too, may be lost before the next build
                self._save(known, whole=False)
            raise
        if due or gone or not whole:
            self._state.put(self._kind, {}, gone & before.keys())
            left = {address: known[address] for address in blocked if address in known}
            self._save(left, whole=not blocked)
            forget_earlier_list(self._workspace)
        self._tell(blocked)
        return Written(written, wanted - written - len(blocked), removed, len(blocked))

    def _copies(self, files: Mapping[str, Path]) -> Iterator[Page]:
        """The files that lie elsewhere, as pages: copied, since what changes a copy must not change them."""
        for address, source in files.items():
            if not self._is_there(address, source):
                yield Page(address, _stamp_of(source), _pieces, (source,))

    def _write_pages(self, due: Mapping[str, Page]) -> tuple[int, list[str]]:
        """Write pages. Returns how many files changed, and the pages that something is in the way of."""
        written, blocked = 0, list[str]()
        self._inner.clear()
        with Tally("writing", len(due), "file") as tally:
            for number, changed, stopped in spread(self._put_all, list(due.values())):
                written += changed
                blocked += stopped
                tally.add(number)
        return written, blocked

    def _put_all(self, pages: Sequence[Page]) -> tuple[int, int, list[str]]:
        """Write pages, and keep what to know of each.

        Returns how many there are, how many files changed, and the pages that something is in the way of.
        """
        known = self._state.some(self._kind, [page.address for page in pages])
        stamps = {page.address: self._lies(page.address) for page in pages}
        rows: dict[str, Row] = {}
        drafts: list[Draft] = []
        try:
            for page, content in _contents([page for page in pages if stamps[page.address] is not None]):
                row = known.get(page.address)
                if drafted := self._draft(page, content, stamps[page.address], row.value if row else ""):
                    drafts.append(drafted[0])
                    rows[page.address] = drafted[1]
            changed = sum(bool(made.temporary) for made in drafts)
            # Known before they have their names: what a killed build leaves is seen to be a build's.
            self._state.put(self._kind, rows)
            for made in drafts:
                made.publish()
        finally:
            for made in drafts:
                made.discard()
        return len(pages), changed, [page.address for page in pages if page.address not in rows]

    def _draft(
        self, page: Page, content: bytes | Iterator[bytes], stamp: str | None, known: str
    ) -> tuple[Draft, Row] | None:
        """A page as it is going to be and what to know of it; None where another's file is in its way."""
        own = self._own(page.address, stamp or "", known)
        made = draft(f"{self._output}/{page.address}", content)
        if stamp and not own and made.temporary:
            made.discard()
            return None
        digests = f"{own},{made.sha256}" if own not in ("", made.sha256) else made.sha256
        return made, Row(page.digest, f"{stamp_at(made.temporary or made.path)} {digests}")

    def _lies(self, address: str) -> str | None:
        """The stamp of the file at an address, nothing where there is none.

        None for what no page can take the place of: a link, a folder, what lies on the way there.
        """
        if not self._inside(address):
            return None
        try:
            status = os.lstat(f"{self._output}/{address}")
        except (OSError, ValueError):
            return ""
        return f"{status.st_size} {status.st_mtime_ns}" if S_ISREG(status.st_mode) else None

    def _own(self, address: str, stamp: str, known: str) -> str:
        """The SHA-256 of the file at an address, if that is one that a build wrote there; else nothing.

        ``known`` is what the state has of it: a stamp, the file's SHA-256, and where that is a later
        one before it the one of the file in whose place it came.
        """
        if not stamp:
            return ""
        stamped, _, digests = known.rpartition(" ")
        named = digests.split(",")
        if stamp == stamped:
            return named[-1]
        found = _sha256_of(f"{self._output}/{address}")
        return found if found in {*named, self._listed.get(address)} else ""

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

    def _inside(self, address: str) -> bool:
        """Whether an address, links followed, lies in the output folder."""
        folder, _, name = address.rpartition("/")
        # No absolute path, no drive, no other separator.
        if address.startswith("/") or any(sign in address for sign in "\\:\0") or name in ("", ".", ".."):
            return False
        return not folder or self._is_inner(folder)

    def _is_inner(self, folder: str) -> bool:
        """Whether an address, links followed, is that of a folder in the output, or of nothing yet."""
        if folder not in self._inner:
            above, _, name = folder.rpartition("/")
            inner = bool(name) and name not in (".", "..") and (not above or self._is_inner(above))
            if inner:
                try:
                    mode = os.lstat(f"{self._output}/{folder}").st_mode
                    inner = S_ISDIR(mode) or (S_ISLNK(mode) and self._leads_inside(folder))
                except FileNotFoundError:
                    pass
                except (OSError, ValueError):  # a name that is none
                    inner = False
            self._inner[folder] = inner
        return self._inner[folder]

    def _leads_inside(self, link: str) -> bool:
        folder = self._real(self._output / link)
        return folder.is_dir() and folder.is_relative_to(self._output)

    def _remove(self, address: str) -> bool:
        """Remove a file that a build wrote and nobody has changed since. Returns whether it was there."""
        path = self._output / address
        if not (stamp := self._lies(address)):
            return False
        if any(self._real(path.parent).is_relative_to(kept) for kept in self._protected):
            return False
        if not self._own(address, stamp, self._state.value(self._kind, address) or ""):
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

    def _tell(self, blocked: Sequence[str]) -> None:
        """Name what lies where pages belong, or on the way there."""
        there = [*dict.fromkeys(map(self._obstacle, blocked))]
        for address in there[:_MOST_TOLD]:
            path = printable(str(self._output / address))
            say(f"{path}: in the way; no build wrote it as it is, so it stays: move it away or delete it")
        if len(there) > _MOST_TOLD:
            say(f"and {len(there) - _MOST_TOLD} more")

    def _obstacle(self, address: str) -> str:
        """The first that is no folder on the way to an address, or what lies there."""
        parts = address.split("/")
        ways = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
        return next((way for way in ways if not self._is_inner(way)), address)

    def _before(self) -> tuple[dict[str, str], bool]:
        """What the state knows of the files that earlier builds wrote: what decided each, and its stamp.

        And whether all are there that it knows of: whether the last build came to its end, and the
        output's list is its own. Else that list is read.
        """
        files, mark = {}, ""
        for address, decided_by, value in self._state.each(self._kind):
            stamp = value.rpartition(" ")[0]
            if address == LIST_NAME:
                mark = stamp
            else:
                files[address] = f"{decided_by} {stamp}"
        whole = bool(mark) and mark == self._stamp(LIST_NAME)
        self._listed = {} if whole else self._read_list()
        return files, whole

    def _read_list(self) -> dict[str, str]:
        """What the output's own list says; that of earlier versions where it has none yet."""
        if self._lies(LIST_NAME) is None:
            return {}  # a link, a pipe
        try:
            files = json.loads((self._output / LIST_NAME).read_bytes())["files"]
            if not all(isinstance(sha256, str) for sha256 in files.values()):
                raise TypeError
        except FileNotFoundError:
            stamps = earlier_list(self._workspace, self._output)
            return {
                address: _sha256_of(f"{self._output}/{address}") if self._lies(address) == stamp else ""
                for address, stamp in stamps.items()
            }
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            # Unreadable: as if nothing had been written yet. Nothing is removed for it.
            return {}
        return dict(files)

    def _save(self, more: Mapping[str, str], *, whole: bool) -> None:
        """Write the output's list: what the state has, and ``more``."""
        write_changed(f"{self._output}/{LIST_NAME}", self._lines(more, whole))
        if whole:
            self._state.put(self._kind, {LIST_NAME: Row("", f"{self._stamp(LIST_NAME)} ")})

    def _lines(self, more: Mapping[str, str], whole: bool) -> Iterator[bytes]:
        yield f'{{"version": 1, "whole": {json.dumps(whole)}, "files": {{'.encode()
        between = "\n"
        known = (
            (address, value.rpartition(" ")[2].rpartition(",")[2])
            for address, _, value in self._state.each(self._kind)
            if address != LIST_NAME and address not in more
        )
        for address, sha256 in itertools.chain(known, more.items()):
            line = f"{between}{_quoted(address)}: {_quoted(sha256)}"
            yield line.encode(errors="surrogatepass")
            between = ",\n"
        yield b"\n}}\n"


def _contents(pages: Iterable[Page]) -> Iterator[tuple[Page, bytes | Iterator[bytes]]]:
    """What is in each of these pages, those that are made together first."""
    together: dict[Callable[..., Any], list[Page]] = {}
    alone: list[Page] = []
    for page in pages:
        (together.setdefault(page.make, []) if page.together else alone).append(page)
    for make, some in together.items():
        yield from zip(some, make([page.of for page in some]), strict=True)
    for page in alone:
        yield page, page.make(*page.of)


def _stamp_of(source: Path) -> str:
    try:
        status = source.stat()
    except OSError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"


def _pieces(source: Path) -> Iterator[bytes]:
    with source.open("rb") as file:
        while piece := file.read(_CHUNK):
            yield piece


def _sha256_of(path: str) -> str:
    with suppress(OSError), open(path, "rb") as file:  # noqa: PTH123 - ten thousand times a build
        return hashlib.file_digest(file, "sha256").hexdigest()
    return ""
