"""What comes into the store, and what is kept of it."""

from __future__ import annotations

from pathlib import Path

import click

from gallery.cli.options import FAULTY, INCOMPLETE, JOBS, config_of
from gallery.progress import count, say
from gallery.validation import printable, shown


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


@click.group()
def store() -> None:
    """Look after the store of rendered clips."""


@store.command()
@click.pass_context
def verify(ctx: click.Context) -> None:
    """Check every file of the store against its record. Exits with 1 where one is wrong."""
    from gallery.build import Shelves

    shelf = Shelves.of(config_of(ctx)).store
    problems = shelf.verify()
    for problem in problems:
        say(str(problem))
    click.echo(f"{count(len(list(shelf)), 'clip')}, {count(len(problems), 'problem')}")
    if problems:
        ctx.exit(FAULTY)


@store.command()
@click.option("--remove", is_flag=True, help="Remove what is listed. Rendering it again costs GPU time.")
@click.pass_context
def gc(ctx: click.Context, remove: bool) -> None:
    """List clips that no prompt asks for any more, and remove them if told to."""
    from gallery.build import build_lock
    from gallery.housekeeping import find_orphans

    config = config_of(ctx)
    with build_lock(config):
        orphans = find_orphans(config)
        for orphan in orphans:
            click.echo(orphan.describe())
            if remove:
                orphan.remove()
    size = sum(orphan.bytes for orphan in orphans) / 1e6
    done = "removed" if remove else "could be removed with --remove"
    click.echo(f"{count(len(orphans), 'orphan')}, {size:.1f} MB" + (f", {done}" if orphans else ""))
