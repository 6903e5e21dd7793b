"""Whose a store elsewhere is: a file in it names its gallery, as that gallery's settings do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gallery.errors import GalleryError
from gallery.errors.text import shown

if TYPE_CHECKING:
    from gallery.store.remote import Remote

OWNER_NAME = "gallery-id.txt"

_LONGEST = 400  # bytes


def refuse_others(remote: Remote, gallery: str) -> bool:
    """Raise GalleryError where the store is another gallery's. Returns whether it is anybody's by now."""
    try:
        owner = remote.read(OWNER_NAME, _LONGEST).decode(errors="replace").strip()
    except FileNotFoundError:
        return False
    if owner != gallery:
        who = f"this one is {shown(gallery)}" if gallery else "this one has no [store] id in gallery.toml"
        raise GalleryError(
            f"{remote.url} belongs to the gallery {shown(owner)}, and {who}; name another place in [store] "
            f"url, or, where both are one gallery, put its id into [store] id"
        )
    return True


def claim(remote: Remote, gallery: str) -> None:
    """Make the store this gallery's, if it is nobody's yet; one without an id claims none.

    Raises GalleryError where it is another's.
    """
    if refuse_others(remote, gallery) or not gallery:
        return
    if not remote.create(OWNER_NAME, f"{gallery}\n".encode()):
        refuse_others(remote, gallery)  # somebody else has been first
