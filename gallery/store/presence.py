"""Whether there is a store elsewhere at all: a share that is not mounted looks like a store without clips.

A store is what holds a clip, or one of two files: its owner's name, or a mark where nobody owns it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gallery.errors import GalleryError
from gallery.store.owner import OWNER_NAME, claim
from gallery.utils.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from gallery.store.remote import Remote

MARK_NAME = "gallery-store.txt"

# In the workspace: addresses at which there was a store, one a line. So neither a damaged state
# nor another version of the tool makes a store that went look like one that is new.
SEEN_NAME = "stores-seen.txt"

_MOST_SEEN = 100_000  # bytes


class Presence:
    """Whether the store of ``gallery`` is there. `ensure` comes first. Its methods raise GalleryError."""

    def __init__(self, remote: Remote, gallery: str, workspace: Path) -> None:
        self._remote, self._gallery = remote, gallery
        self._seen = workspace / SEEN_NAME
        self._is_known = False
        self._witness = ""  # a file of the store, which is there as long as the store is

    def ensure(self, clips: Collection[str], *, make: bool, anew: bool) -> None:
        """Raise GalleryError where there is no store, though there should be one.

        ``clips`` are the files of clips there. ``make`` makes a store where none is known to have
        been, ``anew`` also where one was. A bucket cannot be unmounted: where none is known to have
        been in it, it is a store without clips.
        """
        self._is_known, is_local = self._remote.url in self._addresses(), self._remote.is_local
        self._witness = next(iter(clips), "")
        if is_local or not clips:
            self._witness = self._marked() or self._witness
        if not self._witness and make and (anew or (is_local and not self._is_known)):
            self._remote.make_folder()
            self.mark()
        if self._witness:
            self.remember()
        elif self._is_known or is_local:
            url, state = self._remote.url, self._remote.state()
            remedy = "mount what it lies on" if is_local else "mend [store] url in gallery.toml"
            if self._is_known:
                raise GalleryError(
                    f"{url}: the store that was there is gone, {state}; {remedy}, "
                    "or, to begin it anew there, run `gallery store push --new`"
                )
            raise GalleryError(
                f"{url}: there is no store, {state}; {remedy}, or, if it is new, run `gallery store push`"
            )

    def remember(self) -> None:
        """Note that there is a store."""
        if not self._is_known:
            self._is_known = True
            seen = self._remote.url, *self._addresses()
            write_atomic(self._seen, "".join(f"{url}\n" for url in seen).encode())

    def claim(self) -> None:
        """Make the store its gallery's before anything in it is changed."""
        self.check()
        claim(self._remote, self._gallery)
        if self._remote.is_local:
            self.mark()

    def check(self) -> None:
        """Raise GalleryError where a store in a folder was there, and is not any more."""
        if self._remote.is_local and not self._remote.has(self._witness):
            raise GalleryError(f"{self._remote.url}: the store went away meanwhile; mount what it lies on")

    def mark(self) -> None:
        """Leave a file there by which the store is known for one, though it should have no clip."""
        if not self._marked():
            claim(self._remote, self._gallery)
            if not self._marked():
                self._remote.create(MARK_NAME, b"The clips of a gallery lie here.\n")
        self._witness = self._marked()

    def _marked(self) -> str:
        return next((name for name in (OWNER_NAME, MARK_NAME) if self._remote.has(name)), "")

    def _addresses(self) -> list[str]:
        if not self._seen.is_file():
            return []
        with self._seen.open("rb") as file:
            return file.read(_MOST_SEEN).decode(errors="replace").splitlines()
