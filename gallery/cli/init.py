"""Starting a gallery of one's own."""

from __future__ import annotations

from pathlib import Path

import click

from gallery.utils.progress import say


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Write a small, complete gallery to FOLDER, which must be new or empty.

    Settings, a few prompt files, and all that a repository on GitHub needs to take
    contributions and to publish the site. `gallery build` makes its site at once.
    """
    from gallery.scaffolding import UNKNOWN, make_gallery

    source = make_gallery(folder)
    click.echo(f"wrote a gallery to {folder}; `gallery build` makes its site, README.md tells more")
    if source == UNKNOWN:
        say("before you publish it, put this tool's address into both requirements files")
