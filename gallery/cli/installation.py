"""What this installation can do, and a gallery of one's own to do it in."""

from __future__ import annotations

from pathlib import Path

import click

from gallery.cli.options import FAULTY
from gallery.utils.progress import say


@click.command()
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Tell which engine would be used and why, and what this installation consists of.

    Exits with 1 where `gallery build` could not run.
    """
    from gallery.doctor import examine

    healthy = True
    for finding in examine(ctx.obj):
        healthy &= finding.fine
        click.echo(f"{'ok ' if finding.fine else 'BAD'} {finding.subject:12} {finding.text}")
    if not healthy:
        ctx.exit(FAULTY)


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
