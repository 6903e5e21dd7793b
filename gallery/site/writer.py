"""Writing a site so that only what changed is touched, and nothing that others put there.

The manifest in the workspace remembers what earlier builds wrote: address -> digest
of what decided the page, size and modification time of the file. It is untrusted: a
line in it never leads to a removal outside the site's folder.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from gallery.errors import GalleryError
from gallery.utils.digest import digest
from gallery.utils.files import link_or_copy, remove_leftovers, write_atomic, write_changed
from gallery.utils.parallel import FEW, spread
from gallery.utils.progress import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from gallery.config import Config

# What is known of a page that is about to be written: it stands as no page can.
_INTENDED = ""

# Where a site has so many pages, few of them may still be much work: those that tell of all prompts.
_MANY = 5000


@dataclass(frozen=True, slots=True)
class Page:
    """A file of the site, the digest of all that decides its content, and how to make it ``of`` what.

    What is large may be made piece by piece. ``lists``: the page shows rows of prompts, which other
    lists show as well.
    """

    address: str
    digest: str
    make: Callable[..., bytes | Iterator[bytes]]
    of: tuple[Any, ...] = ()
    lists: bool = False


@dataclass(frozen=True)
class Written:
    """What a build did to the site's files."""

    written: int
    unchanged: int
    removed: int


def site_in_place(config: Config, output: Path) -> int:
    """How many files of a site earlier builds wrote, if all are as they were written; else 0."""
    return Writer.of(config, output).in_place()


class Writer:
    """The files that builds write into one output folder."""

    def __init__(self, output: Path, workspace: Path, protected: Iterable[Path]) -> None:
        self._output = output.resolve()
        # Only within the output: nothing outside it is ever touched in any case.
        inside = [folder.resolve() for folder in protected]
        self._protected = [folder for folder in inside if self._output in folder.parents]
        self._path = workspace / "pages" / f"{digest(str(self._output))}.json"
        self._folders: dict[Path, Path] = {}
        self._inner: dict[str, bool] = {}

    @classmethod
    def of(cls, config: Config, output: Path) -> Self:
        """The writer of a gallery's site."""
        return cls(output, config.workspace, protected=[config.store_folder])

    def in_place(self) -> int:
        """How many files earlier builds wrote, if all are as they were written; else 0."""
        files, whole = self._read()
        stands = whole and all(known.endswith(f" {self._stamp(address)}") for address, known in files.items())
        return len(files) if stands else 0

    @property
    def lock(self) -> Path:
        """What a build holds while it writes here."""
        return self._path.with_suffix(".lock")

    def write(self, pages: Iterable[Page], files: Mapping[str, Path], keep: Collection[str]) -> Written:
        """Bring the output folder to hold these pages and files, and no earlier ones but those to keep."""
        before, whole = self._read()
        gone, wanted = set(before), 0
        due: dict[str, Page] = {}
        for page in pages:
            gone.discard(page.address)
            wanted += 1
            if before.get(page.address) != f"{page.digest} {self._stamp(page.address)}":
                due[page.address] = page
        copies = {address: source for address, source in files.items() if not self._is_there(address, source)}
        sources = {address: self._digest_of(source) for address, source in copies.items()}
        missing = [
            address for address in copies if not self._same(address, sources[address], before.get(address))
        ]
        stale = [address for address in gone if address not in copies and not address.startswith(tuple(keep))]
        after = {**before}
        for address in stale:
            del after[address]
        if due or missing or stale or not whole:
            # Told before they are written: what a killed build leaves is known to the next one.
            self._save({**before, **dict.fromkeys([*due, *missing], _INTENDED)}, whole=False)
            if not whole:
                for folder in sorted(
                    {(self._output / address).parent for address in before if self._inside(address)}
                ):
                    remove_leftovers(folder)
        written = 0
        others = [page for page in due.values() if not page.lists]
        lists = [page for page in due.values() if page.lists]
        few = 2 if wanted > _MANY else FEW
        with Tally("writing", len(due), "page") as tally:
            for made in spread(self._put_all, others, together=lists, few=few):
                for address, known, changed in made:
                    after[due[address].address] = known  # that very text: there may be many
                    written += changed
                tally.add(len(made))
        for address in missing:
            self._check(address)
            link_or_copy(copies[address], self._output / address)
        for address in copies:
            after[address] = f"{sources[address]} {self._stamp(address)}"
        removed = sum(self._remove(address) for address in sorted(stale) if address not in files)
        if not whole or due or missing or stale or after != before:
            self._save(after, whole=True)
        return Written(written + len(missing), wanted + len(copies) - written - len(missing), removed)

    def _stamp(self, address: str) -> str:
        """A file's size and modification time; nothing where there is none."""
        try:
            status = os.stat(f"{self._output}/{address}")  # noqa: PTH116 - ten thousand times a build
        except (OSError, ValueError):
            return ""
        return f"{status.st_size} {status.st_mtime_ns}"

    def _digest_of(self, source: Path) -> str:
        try:
            status = source.stat()
        except OSError:
            return ""
        return f"{status.st_size} {status.st_mtime_ns}"

    def _same(self, address: str, source: str, known: str | None) -> bool:
        """Whether a copy is what its source was. A source that is gone leaves the copy as it is."""
        stamp = self._stamp(address)
        return source in ("", stamp) or known == f"{source} {stamp}"

    def _is_there(self, address: str, source: Path) -> bool:
        """Whether a file already lies where it belongs. A link to it elsewhere is still our copy."""
        target = self._output / address
        return source.name == target.name and self._real(source.parent) == self._real(target.parent)

    def _real(self, folder: Path) -> Path:
        if folder not in self._folders:
            self._folders[folder] = folder.resolve()
        return self._folders[folder]

    def _put_all(self, pages: Sequence[Page]) -> list[tuple[str, str, bool]]:
        """Write pages. Returns for each its address, what to know of it, and whether its file changed."""
        put = [(page, self._put(page)) for page in pages]
        return [
            (page.address, f"{page.digest} {self._stamp(page.address)}", changed) for page, changed in put
        ]

    def _put(self, page: Page) -> bool:
        """Write a page, unless these bytes are there. Returns whether it was written."""
        self._check(page.address)
        return write_changed(f"{self._output}/{page.address}", page.make(*page.of))

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

    def _is_protected(self, folder: Path) -> bool:
        return any(self._real(folder).is_relative_to(kept) for kept in self._protected)

    def _remove(self, address: str) -> bool:
        path = self._output / address
        if not self._inside(address) or self._is_protected(path.parent):
            return False
        if path.is_symlink() or not path.is_file():
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

    def _read(self) -> tuple[dict[str, str], bool]:
        """What earlier builds wrote, and whether the last one came to its end."""
        try:
            manifest = json.loads(self._path.read_bytes())
            files = manifest["files"]
            if not all(isinstance(known, str) for known in files.values()):
                raise TypeError
            return files, bool(manifest["whole"])
        except FileNotFoundError:
            return {}, True
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            # Unreadable: as if nothing had been written yet. Nothing is removed for it.
            return {}, False

    def _save(self, files: dict[str, str], *, whole: bool) -> None:
        manifest = {"output": str(self._output), "whole": whole, "files": dict(sorted(files.items()))}
        write_atomic(self._path, json.dumps(manifest, ensure_ascii=False, separators=(",", ":")).encode())
