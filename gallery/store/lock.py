"""One build of a gallery at a time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from gallery.errors import GalleryError
from gallery.store.tracked import refuse_links
from gallery.utils.files import remove_leftovers, write_atomic
from gallery.utils.progress import say
from gallery.utils.root import LOCK_NAME, claim_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gallery.config import Config


@contextmanager
def build_lock(config: Config) -> Iterator[None]:
    """One build of a gallery at a time: a second one waits, then finds everything done."""
    from filelock import FileLock, Timeout

    refuse_links(config)
    config.workspace.mkdir(parents=True, exist_ok=True)
    lock = FileLock(config.workspace / LOCK_NAME)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say("another build of this gallery is running; waiting for it to end")
        lock.acquire()
    except OSError as error:  # among others, a link in its place, which is not followed
        place = f"{config.workspace.name}/{LOCK_NAME}"
        raise GalleryError(f"{place} cannot be locked: {error.strerror}") from error
    try:
        claim_workspace(config.workspace, config.root)
        # What a killed build left half-written; the stores' is removed before they are used.
        remove_leftovers(config.workspace)
        ignore = config.workspace / ".gitignore"
        if not ignore.exists():
            write_atomic(ignore, b"*\n")
        yield
    finally:
        lock.release()
