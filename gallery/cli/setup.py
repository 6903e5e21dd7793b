"""What engines and stores need, installed and fetched."""

from __future__ import annotations

import importlib.util
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import click

from gallery.cli.options import config_of
from gallery.errors import GalleryError
from gallery.setup.packages import INSTALLERS, commands, missing, run
from gallery.utils.distribution import extras, is_uv_tool
from gallery.utils.progress import say, size

if TYPE_CHECKING:
    from gallery.config import Config
    from gallery.engines.musicgen.files import Need
    from gallery.setup.weights import Asked, Files


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(tuple(extras())))
@click.option("--yes", is_flag=True, help="Install and fetch without being asked.")
@click.option("--dry-run", is_flag=True, help="Print the commands and the files to fetch; change nothing.")
@click.option(
    "--weights/--no-weights",
    default=True,
    show_default=True,
    help="musicgen: offer to fetch the weights of the models that the gallery's prompts ask for.",
)
@click.option(
    "--installer",
    type=click.Choice(INSTALLERS),
    help="What installs.  [default: uv where it is on the PATH, otherwise pip]",
)
@click.option("--reinstall", is_flag=True, help="Install anew what is there, too: it may be broken.")
@click.pass_context
def setup(
    ctx: click.Context,
    names: tuple[str, ...],
    yes: bool,
    dry_run: bool,
    weights: bool,
    installer: str | None,
    reinstall: bool,
) -> None:
    """Install what engines and stores need into the environment that this command runs in.

    NAMES are engines (musicgen, its melodies, a cluster, replicate) and stores elsewhere.
    Without any it tells what each of them lacks.

    With musicgen it offers to fetch weights: of the models that the prompts of the
    gallery ask for, the files that rendering needs and no others. It tells the sizes
    first, and goes on where it was interrupted.
    """
    if not names:
        for name in extras():
            click.echo(f"{name:10} {_state(missing([name]))}")
        return
    todo = commands(names, installer, again=reinstall)
    if not todo:
        say(f"all packages of {', '.join(names)} are installed")
    for command in todo:
        click.echo(shlex.join(command))
    if todo and not dry_run:
        if not _agrees(f"Install into {sys.prefix}?", yes=yes):
            raise GalleryError("nothing was installed")
        run(todo)
        if lacking := missing(names):
            raise GalleryError(f"still {_state(lacking)}: `gallery doctor` tells more")
        if is_uv_tool():
            say(f"`uv tool upgrade` takes this away again: then run `gallery setup {' '.join(names)}`")
    if not weights or "musicgen" not in names:
        return
    if todo and not dry_run:
        ctx.exit(_go_on(ctx, yes=yes))
    _offer_weights(ctx, yes=yes, dry_run=dry_run)


def _state(lacking: list[str]) -> str:
    return f"lacks {', '.join(lacking)}" if lacking else "installed"


def _agrees(question: str, *, yes: bool) -> bool:
    """Raises UsageError where nobody is here to be asked."""
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("nobody is here to be asked: add --yes, or --dry-run to change nothing")
    return yes or click.confirm(question, err=True)


def _go_on(ctx: click.Context, *, yes: bool) -> int:
    """Offer weights in a process that can import what was installed; its exit code."""
    program = "from gallery.cli import main; main(prog_name='gallery')"
    arguments = ["--gallery", str(ctx.obj), "setup", "musicgen", *(["--yes"] if yes else [])]
    return subprocess.run([sys.executable, "-P", "-c", program, *arguments], check=False).returncode


def _offer_weights(ctx: click.Context, *, yes: bool, dry_run: bool) -> None:
    """Fetch what the models lack that the gallery's prompts ask for, each if that is agreed to."""
    try:
        config = config_of(ctx)
    except GalleryError as error:
        say(f"no weights without a gallery: {error.format_message()}")
        return
    if importlib.util.find_spec("huggingface_hub") is None:
        say("which weights there are to fetch can be told once these packages are installed")
        return
    from gallery.setup.weights import free_bytes, lacking, models_asked_for

    models = models_asked_for(config)
    for model in models:
        for need in lacking(config, model):
            if need.folder:
                say(f"{model.name}: {need.advice}")
    due = {model.name: files for model in models if (files := _due(config, model))}
    if not due:
        say("nothing to fetch for the models that prompts ask for")
        return
    for name, files in due.items():
        for each in files:
            pinned = f" at {each.need.revision[:12]}" if each.need.revision else ""
            click.echo(f"{name}: {each.need.purpose}, {size(each.bytes)}: {each.need.hub}{pinned}")
            click.echo(f"  {', '.join(each.sizes)}")
    once = {each.need: each.bytes for files in due.values() for each in files}
    say(f"{size(sum(once.values()))} in all; the disk has {size(free_bytes())} left")
    for model in models:
        if model.name in due and not dry_run:
            _fetch(config, model, yes=yes)


def _due(config: Config, model: Asked) -> list[Files]:
    """What a model lacks that is to be fetched from the hub."""
    from gallery.setup.weights import files_of, lacking

    return [files_of(need, config.root) for need in lacking(config, model) if not need.folder]


def _fetch(config: Config, model: Asked, *, yes: bool) -> None:
    """Fetch what a model lacks, the checkpoint first: it decides what else there is to ask for."""
    from gallery.setup.weights import fetch

    agreed: set[Need] = set()
    done: set[Need] = set()
    while due := _due(config, model):
        first, new = due[0], [files for files in due if files.need not in agreed]
        if first.need in done:
            raise GalleryError(f"{model.name} still lacks {first.need.hub}: `gallery doctor` tells more")
        if new and not _agrees(f"Fetch {model.name}, {size(sum(each.bytes for each in new))}?", yes=yes):
            return
        agreed.update(files.need for files in new)
        done.add(first.need)
        fetch(first)
