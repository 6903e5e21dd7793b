"""The site: pages, search, feeds and data made from the catalogue's entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gallery.site.pages.pages import Pages
from gallery.site.theme.theme import Theme
from gallery.site.writer import Writer, Written

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from gallery.catalogue.entries import Catalogue
    from gallery.config import Config
    from gallery.state.database import Cache

__all__ = ["Written", "write_site"]


def write_site(
    catalogue: Catalogue,
    files: Mapping[str, Path],
    config: Config,
    output: Path,
    *,
    keep: Collection[str] = (),
    cache: Cache | None = None,
) -> Written:
    """Bring ``output`` to show the catalogue, touching only what changed.

    ``files`` maps site-relative addresses to the files that belong there, previews
    above all; those that are in place already are left alone. What earlier builds
    wrote and nothing asks for any more is removed, except below the addresses in
    ``keep``; what other hands put into the folder stays, and so does the store.
    """
    from filelock import FileLock

    writer = Writer.of(config, output)
    writer.lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(writer.lock):
        return writer.write(Pages(catalogue, config, Theme(config), files, cache), files, keep)
