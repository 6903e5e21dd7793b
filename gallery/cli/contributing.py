"""Writing prompt files, and knowing whether they are right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gallery.cli.messages import findings, report
from gallery.cli.options import FAULTY, PATHS, config_of
from gallery.progress import count

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@click.command()
@PATHS
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
@click.pass_context
def check(ctx: click.Context, paths: tuple[Path, ...], strict: bool) -> None:
    """Read prompt files and report every mistake in them. Needs no GPU and renders nothing.

    Exits with 1 when a file has faults.
    """
    from gallery.prompts import read_prompts

    reading = read_prompts(config_of(ctx), paths)
    report(reading)
    clips = sum(len(prompt.clips) for prompt in reading.prompts)
    click.echo(
        f"{count(len(reading.prompts), 'prompt')} in order, {count(clips, 'clip')}; {findings(reading)}"
    )
    if reading.faults or (strict and reading.warnings):
        ctx.exit(FAULTY)


def _new_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """An option for each parameter, from its one description."""
    from gallery.request import parameter_fields

    for name, info in reversed(parameter_fields().items()):
        kind: Any = int if info.annotation is int else float
        option = "--" + name.replace("_", "-")
        command = click.option(option, name, type=kind, help=info.description)(command)
    return command


@click.command()
@click.option("--prompt", help="What it should sound like; asked for if left out, with all the rest.")
@click.option("--folder", help="Folder in prompts/, usually the genre.")
@click.option("--title", help="Name of its page; the prompt's beginning if left out.")
@click.option("--tag", "tags", multiple=True, help="A word to find it by; may be repeated.")
@click.option("--author", help="Your GitHub handle.")
@click.option("--model", help="A model's name in gallery.toml.")
@_new_options
@click.option("--note", help="A few words on it, in Markdown.")
@click.pass_context
def new(ctx: click.Context, /, **fields: Any) -> None:
    """Write a new prompt file: asks for what it needs, or takes it from options."""
    from gallery.new import ask, write_prompt

    config = config_of(ctx)
    answers = {name: value for name, value in fields.items() if value not in (None, ())}
    if "prompt" not in answers:
        answers = ask(config, answers)
    path = write_prompt(config, answers)
    click.echo(f"wrote {path.relative_to(config.root).as_posix()}; `gallery build` makes its page")
