"""The site: pages, search, feeds and data made from the catalogue's entries (stage 6: write)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gallery.site.pages.pages import Pages
from gallery.site.theme.theme import Theme
from gallery.site.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gallery.catalogue.entries import Catalogue
    from gallery.config import Config
    from gallery.prompts.file import Presets
    from gallery.site.pages.guides import Guides
    from gallery.state.database import State
    from gallery.state.outcome import Written


def write_site(
    catalogue: Catalogue,
    files: Mapping[str, Path],
    config: Config,
    output: Path,
    state: State,
    presets: Presets | None = None,
    guides: Guides | None = None,
) -> Written:
    """Bring ``output`` to show the catalogue, touching only what changed.

    ``files`` maps site-relative addresses to the files that belong there, previews
    above all; those that are in place already are left alone. What earlier builds
    wrote and nothing asks for any more is removed; what other hands put into the
    folder stays, and so does the store. ``state`` keeps what was found out for it. ``guides`` are
    the gallery's; if not given, they are read here.
    """
    pages = Pages(catalogue, config, Theme(config, state), state, files, presets, guides)
    return Writer.of(config, output, state).write(pages, files)
