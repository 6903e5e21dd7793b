"""The commands: options in, messages out."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import click

from gallery import __version__
from gallery.cli import building, contributing, init, store
from gallery.cli.options import FAULTY, INTERRUPTED
from gallery.errors import GalleryError
from gallery.errors.text import printable
from gallery.utils.progress import say


class _Interruptible(click.Group):
    """Ends cleanly on Ctrl-C, and says what is kept."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            say("\nInterrupted. Every finished clip is kept; run the same command to go on.")
            ctx.exit(INTERRUPTED)
        except OSError as error:
            if error.errno == errno.EPIPE or not error.filename:
                raise
            # A full disk, a folder that may not be written to, a file in the place of a folder.
            raise GalleryError(f"{printable(str(error.filename))}: {error.strerror}") from error


@click.group(cls=_Interruptible, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gallery")
@click.option(
    "--gallery",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path(),
    help="Folder of the gallery, or one inside it.  [default: the current folder]",
)
@click.pass_context
def main(ctx: click.Context, folder: Path) -> None:
    """Make a catalogue of what MusicGen makes of prompts and their parameters."""
    ctx.obj = folder


@main.command()
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


for _command in (
    building.build,
    contributing.check,
    contributing.new,
    contributing.schema,
    building.serve,
    init.init,
    store.import_,
    store.store,
):
    main.add_command(_command)

__all__ = ["main"]
