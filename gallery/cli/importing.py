"""Bringing in what other tools made."""

from __future__ import annotations

from pathlib import Path

import click

from gallery.cli.options import INCOMPLETE, JOBS, config_of
from gallery.errors.text import printable, shown
from gallery.utils.progress import count, say


@click.command("import")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--into",
    default="imported",
    show_default=True,
    metavar="FOLDER",
    help="Folder in prompts/ for the new prompt files.",
)
@click.option("--dry-run", is_flag=True, help="Say what would come, fetch nothing, and change nothing.")
@JOBS
@click.pass_context
def import_(ctx: click.Context, sources: tuple[Path, ...], into: str, dry_run: bool, jobs: int) -> None:
    """Bring in clips that other tools made, with their parameters and their audio as it is.

    SOURCES are files or folders: outputs of TTS-WebUI, predictions of Replicate (JSON), and
    MP3s of a gallery. What is there already is left as it is.

    Exits with 3 when a file was refused; all others are brought in.
    """
    from gallery.importers import import_clips

    imported = import_clips(config_of(ctx), sources, into, dry_run, jobs)
    for refusal in imported.refused:
        say(f"refused: {refusal}")
    for entry in imported.added if dry_run else ():
        click.echo(
            f"{entry.request.key[:8]} {shown(entry.request.prompt)} from {printable(entry.clip.source.name)}"
        )
    for file in imported.files:
        click.echo(f"{'would write' if dry_run else 'wrote'} {file}")
    click.echo(
        f"{count(len(imported.added), 'clip')} {'would come' if dry_run else 'imported'}, "
        f"{len(imported.present)} there already, {len(imported.refused)} refused"
    )
    if imported.refused:
        ctx.exit(INCOMPLETE)
