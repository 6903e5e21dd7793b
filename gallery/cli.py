"""The commands: options in, messages out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gallery import __version__
from gallery.config import Config, find_root, load_config
from gallery.engines.choice import ENGINES
from gallery.progress import count, say
from gallery.validation import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gallery.build import Options, Outcome
    from gallery.errors import Fault
    from gallery.prompts import Reading

# Exit codes, beside click's own 2 for a command that is used wrongly.
FAULTY = 1
INCOMPLETE = 3
INTERRUPTED = 130

_PATHS = click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
_OUTPUT = click.option(
    "--output", type=click.Path(path_type=Path, file_okay=False), help="Folder of the site.  [default: site]"
)
_ENGINE = click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="auto",
    show_default=True,
    help="What renders: MusicGen where it can run (auto), MusicGen or an error (musicgen), "
    "sketches only (sketch), nothing (none).",
)
_SKETCHES = click.option(
    "--sketches/--no-sketches",
    default=True,
    show_default=True,
    help="Make stand-ins for clips that MusicGen has not rendered, or leave them without audio.",
)
_JOBS = click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    default=lambda: os.cpu_count() or 1,
    show_default="one a core",
    help="Previews to encode at once.",
)


class _Interruptible(click.Group):
    """Ends cleanly on Ctrl-C, and says what is kept."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            say("\nInterrupted. Every finished clip is kept; run the same command to go on.")
            ctx.exit(INTERRUPTED)


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


def _config(ctx: click.Context) -> Config:
    return load_config(find_root(ctx.obj))


@main.command()
@_PATHS
@_ENGINE
@_OUTPUT
@click.option("--dry-run", is_flag=True, help="Say what would be rendered, by model, and change nothing.")
@click.option("--strict", is_flag=True, help="Take warnings for errors, and then build nothing.")
@_JOBS
@_SKETCHES
@click.pass_context
def build(
    ctx: click.Context,
    paths: tuple[Path, ...],
    engine: str,
    output: Path | None,
    dry_run: bool,
    strict: bool,
    jobs: int,
    sketches: bool,
) -> None:
    """Render what was never rendered, and write the site.

    With PATHS, only prompts at or below them are rendered; the site always shows all.

    Exits with 0 when all went well, 1 when a file has faults (the others are built, and
    what was published of it stays), 2 when the command is used wrongly, 3 when clips
    failed, 130 when interrupted.
    """
    from gallery.build import Options
    from gallery.build import build as build_gallery

    config = _config(ctx)
    options = Options(
        output=(output or config.root / "site").resolve(),
        paths=paths,
        engine=engine,
        sketches=sketches,
        strict=strict,
        jobs=jobs,
    )
    if dry_run:
        ctx.exit(_dry_run(config, options))
    outcome = build_gallery(config, options)
    _tell(outcome, options)
    if outcome.reading.faults or (strict and outcome.reading.warnings):
        ctx.exit(FAULTY)
    if outcome.failures:
        ctx.exit(INCOMPLETE)


def _dry_run(config: Config, options: Options) -> int:
    from gallery.build import describe_plan

    reading, rows, plan = describe_plan(config, options)
    _report(reading)
    for row in rows:
        click.echo(f"{row['model']:20} {row['clips']:5} clips {row['seconds']:8.1f} s of audio")
    seconds = sum(row["seconds"] for row in rows)
    click.echo(f"{'to render':20} {len(plan.render):5} clips {seconds:8.1f} s of audio")
    if plan.encode:
        click.echo(f"{'to encode anew':20} {len(plan.encode):5} clips")
    return FAULTY if reading.faults or (options.strict and reading.warnings) else 0


@main.command()
@_PATHS
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
@click.pass_context
def check(ctx: click.Context, paths: tuple[Path, ...], strict: bool) -> None:
    """Read prompt files and report every mistake in them. Needs no GPU and renders nothing.

    Exits with 1 when a file has faults.
    """
    from gallery.prompts import read_prompts

    reading = read_prompts(_config(ctx), paths)
    _report(reading)
    clips = sum(len(prompt.clips) for prompt in reading.prompts)
    click.echo(
        f"{count(len(reading.prompts), 'prompt')} in order, {count(clips, 'clip')}; {_findings(reading)}"
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


@main.command()
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

    config = _config(ctx)
    answers = {name: value for name, value in fields.items() if value not in (None, ())}
    if "prompt" not in answers:
        answers = ask(config, answers)
    path = write_prompt(config, answers)
    click.echo(f"wrote {path.relative_to(config.root).as_posix()}; `gallery build` makes its page")


@main.command()
@_ENGINE
@_OUTPUT
@_JOBS
@_SKETCHES
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port to listen on."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.pass_context
def serve(
    ctx: click.Context, engine: str, output: Path | None, jobs: int, sketches: bool, port: int, host: str
) -> None:
    """Build, serve the site, and build again whenever a file changes; open pages reload.

    Renders nothing with MusicGen unless --engine says so: a saved file should not start a GPU.
    """
    from gallery.build import Options
    from gallery.serve import serve_gallery

    config = _config(ctx)
    if ctx.get_parameter_source("engine") is click.core.ParameterSource.DEFAULT:
        engine = "sketch"
    options = Options((output or config.root / "site").resolve(), engine=engine, sketches=sketches, jobs=jobs)
    serve_gallery(config.root, options, host, port, lambda outcome: _tell(outcome, options))


@main.command("import")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--into",
    default="imported",
    show_default=True,
    metavar="FOLDER",
    help="Folder in prompts/ for the new prompt files.",
)
@click.option("--dry-run", is_flag=True, help="Say what would come, fetch nothing, and change nothing.")
@_JOBS
@click.pass_context
def import_(ctx: click.Context, sources: tuple[Path, ...], into: str, dry_run: bool, jobs: int) -> None:
    """Bring in clips that other tools made, with their parameters and their audio as it is.

    SOURCES are files or folders: outputs of TTS-WebUI, predictions of Replicate (JSON), and
    MP3s of a gallery. What is there already is left as it is.

    Exits with 3 when a file was refused; all others are brought in.
    """
    from gallery.importers import import_clips

    imported = import_clips(_config(ctx), sources, into, dry_run, jobs)
    for refusal in imported.refused:
        say(f"refused: {refusal}")
    for entry in imported.added if dry_run else ():
        click.echo(f"{entry.request.key[:8]} {shown(entry.request.prompt)} from {entry.clip.source.name}")
    for file in imported.files:
        click.echo(f"{'would write' if dry_run else 'wrote'} {file}")
    click.echo(
        f"{count(len(imported.added), 'clip')} {'would come' if dry_run else 'imported'}, "
        f"{len(imported.present)} there already, {len(imported.refused)} refused"
    )
    if imported.refused:
        ctx.exit(INCOMPLETE)


@main.group()
def store() -> None:
    """Look after the store of rendered clips."""


@store.command()
@click.pass_context
def verify(ctx: click.Context) -> None:
    """Check every file of the store against its record. Exits with 1 where one is wrong."""
    from gallery.build import Shelves

    shelf = Shelves.of(_config(ctx)).store
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

    config = _config(ctx)
    with build_lock(config):
        orphans = find_orphans(config)
        for orphan in orphans:
            click.echo(orphan.describe())
            if remove:
                orphan.remove()
    size = sum(orphan.bytes for orphan in orphans) / 1e6
    done = "removed" if remove else "could be removed with --remove"
    click.echo(f"{count(len(orphans), 'orphan')}, {size:.1f} MB" + (f", {done}" if orphans else ""))


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


def _report(reading: Reading) -> None:
    _say_all("", reading.faults)
    _say_all("warning: ", reading.warnings)


def _say_all(kind: str, findings: Iterable[Fault]) -> None:
    for finding in findings:
        say(f"{kind}{finding}")


def _tell(outcome: Outcome, options: Options) -> None:
    _report(outcome.reading)
    for failure in outcome.failures:
        say(f"failed: {shown(failure.request.prompt)} ({failure.request.model}): {failure.reason}")
    click.echo(_summary(outcome, options))


def _summary(outcome: Outcome, options: Options) -> str:
    if not outcome.written:
        return f"nothing built; {_findings(outcome.reading)}"
    states, written = outcome.states, outcome.written
    clips = ", ".join(
        f"{states[state]} {word}"
        for state, word in (("render", "rendered"), ("sketch", "sketched"), ("pending", "pending"))
        if states[state]
    )
    lines = [
        f"{count(len(outcome.reading.prompts), 'prompt')}, {count(states.total(), 'clip')} "
        f"({clips or 'none'}); {_findings(outcome.reading)}",
        f"{written.written} files written, {written.unchanged} unchanged, {written.removed} removed",
    ]
    if outcome.failures:
        lines.append(f"{count(len(outcome.failures), 'clip')} failed; the next build tries again")
    if outcome.outdated:
        older = count(outcome.outdated, "preview")
        lines.append(f"{older} of older preview settings: the lossless renders are not on this machine")
    lines.append(f"the site is {options.output / 'index.html'}")
    return "\n".join(lines)


def _findings(reading: Reading) -> str:
    return f"{count(len(reading.faults), 'fault')}, {count(len(reading.warnings), 'warning')}"


__all__ = ["main"]
