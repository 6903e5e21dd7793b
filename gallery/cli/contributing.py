"""Writing prompt files, bringing in those of other tools' clips, and knowing whether they are right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from gallery.cli.messages import findings, report, tell_flaws, unusable
from gallery.cli.options import FAULTY, INCOMPLETE, JOBS, PATHS, QUIET, config_of
from gallery.errors import FaultyFile, GalleryError
from gallery.errors.text import printable, shown
from gallery.review.annotations import annotation, error_annotation, folder_in_repository
from gallery.utils import progress
from gallery.utils.progress import conclude, count, say
from gallery.utils.root import find_root

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gallery.importers import Imported
    from gallery.importers.found import Refusal
    from gallery.prompts.prompt import Reading


@click.command()
@PATHS
@click.option("--strict", is_flag=True, help="Take warnings for errors, and clips that cannot be used.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json", "sarif", "github")),
    default="text",
    show_default=True,
    help="Lines for people; JSON or SARIF 2.1.0 for programs; or commands that have GitHub show each mistake "
    "at its line in a pull request.",
)
@QUIET
@click.pass_context
def check(ctx: click.Context, paths: tuple[Path, ...], strict: bool, form: str) -> None:
    """Read prompt files and report every mistake in them. Needs no GPU and renders nothing.

    Also tells of the clips that they ask for and that are in the store, but damaged or of a newer
    version; with --strict that is an error.

    PATHS are folders and files in prompts/. With presets.yaml or gallery.toml among them,
    on which every prompt depends, all are read; melodies are looked at by themselves, files
    with the wrong name are told, and others are passed over.

    Exits with 1 when a file has faults.
    """
    from gallery.config import load_config
    from gallery.prompts.prompt import Reading
    from gallery.review.check import check_clips, check_files

    root = find_root(ctx.obj)
    try:
        config = load_config(root)
        reading, passed_over = check_files(config, paths)
        flaws = check_clips(config, reading)
    except GalleryError as error:
        if form == "text":
            raise
        faults = error.faults if isinstance(error, FaultyFile) else []
        _write(form, root, Reading(faults=faults), [] if faults else [error.message], strict=True)
        ctx.exit(error.exit_code)
    if form == "text":
        report(reading, root)
    else:
        _write(form, root, reading, flaws, strict=strict)
    if form == "text" or (form == "github" and not strict):
        tell_flaws(flaws)
    if form in ("text", "github"):
        for name in passed_over if not progress.quiet else ():
            say(f"passed over, no prompt file: {name}")
        prompts = count(len(reading.prompts), "prompt")
        conclude(
            f"{prompts} in order, {count(_clips(reading), 'clip')}; {findings(reading)}{unusable(flaws)}"
        )
    if reading.faults or (strict and (reading.warnings or flaws)):
        ctx.exit(FAULTY)


def _clips(reading: Reading) -> int:
    return sum(len(outline.keys) for outline in reading.prompts.outlines)


def _write(form: str, root: Path, reading: Reading, others: Iterable[str], *, strict: bool) -> None:
    """What was found, for other programs. ``others`` have no place in a file."""
    from gallery.review import formats

    folder = folder_in_repository(root)
    if form == "github":
        for fault in reading.faults:
            click.echo(annotation("error", fault, folder))
        for warning in reading.warnings:
            click.echo(annotation("warning", warning, folder))
        for line in others if strict else ():
            click.echo(error_annotation(line))
        return
    found = formats.findings_of("error", reading.faults, root)
    found += formats.findings_of("warning", reading.warnings, root)
    level: Literal["error", "warning"] = "error" if strict else "warning"
    found += [formats.Finding(level, "", 0, 0, "", printable(line)) for line in others]
    document = (
        formats.as_sarif(found, folder)
        if form == "sarif"
        else formats.as_json(found, len(reading.prompts), _clips(reading))
    )
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


@click.command()
@click.option("--presets", is_flag=True, help="Of prompts/presets.yaml instead.")
@click.pass_context
def schema(ctx: click.Context, presets: bool) -> None:
    """Print the JSON Schema of a prompt file's front matter, for editors and other tools.

    In a gallery it has that gallery's models, presets and limits. What it refuses,
    `gallery check` refuses too, but for clips of the store that are longer than may be rendered;
    `gallery check` sees more.
    """
    from gallery.config import load_config
    from gallery.prompts.json_schema import presets_schema, prompt_schema

    try:
        root = find_root(ctx.obj)
    except GalleryError:
        config = None  # outside of galleries: what any of them could accept
    else:
        config = load_config(root)
    document = presets_schema() if presets else prompt_schema(config)
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


class _WithParameters(click.Command):
    """Has an option for each parameter, from its one description, which takes a while to import."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        from gallery.prompts.request import parameter_fields

        given = super().get_params(ctx)
        parameters = [
            click.Option(
                [f"--{name.replace('_', '-')}", name],
                metavar="INTEGER" if info.annotation is int else "FLOAT",
                help=info.description,
            )
            for name, info in parameter_fields().items()
        ]
        # Before the note and --help.
        return [*given[:-2], *parameters, *given[-2:]]


@click.command(cls=_WithParameters)
@click.option("--prompt", help="What it should sound like; asked for if left out, with all the rest.")
@click.option("--folder", help="Folder in prompts/, usually the genre; prompts/ itself if left out.")
@click.option("--title", help="Name of its page; the prompt's beginning if left out.")
@click.option("--tag", "tags", multiple=True, help="A word to find it by; may be repeated.")
@click.option("--author", help="Your GitHub handle.")
@click.option("--model", help="A model's name in gallery.toml.")
@click.option("--note", help="A few words on it, in Markdown.")
@click.pass_context
def new(ctx: click.Context, /, **fields: Any) -> None:
    """Write a new prompt file: asks for what it needs, or takes it from options."""
    from gallery.prompts.new import ask, write_prompt

    config = config_of(ctx)
    answers = {name: value for name, value in fields.items() if value not in (None, ())}
    if "prompt" not in answers:
        answers = ask(config, answers)
    path = write_prompt(config, answers)
    click.echo(f"wrote {path.relative_to(config.root).as_posix()}; `gallery build` makes its page")


@click.command("import")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--into",
    default="imported",
    show_default=True,
    metavar="FOLDER",
    help="Folder in prompts/ for the new prompt files.",
)
@click.option(
    "--model",
    default="",
    help="The model that made those clips of which nothing says it, as gallery.toml or the hub names it.",
)
@click.option("--dry-run", is_flag=True, help="Say what would come, fetch nothing, and change nothing.")
@click.option(
    "--manifest",
    is_flag=True,
    help="Import nothing: write clips.csv into the folder, a row for each audio file without settings, to "
    "fill in and to import.",
)
@JOBS
@click.pass_context
def import_(
    ctx: click.Context,
    sources: tuple[Path, ...],
    into: str,
    model: str,
    dry_run: bool,
    manifest: bool,
    jobs: int,
) -> None:
    """Bring in clips that other tools made, with their parameters and their audio as it is.

    SOURCES are files or folders: outputs of TTS-WebUI, AudioCraft Plus and audiocraft-webui,
    predictions of Replicate (JSON), MP3s of a gallery, audio with its prompt in a .txt beside it
    (with --model), and manifests (CSV or JSON lines) that say what nothing beside the audio
    does. What is there already is left as it is.

    Exits with 3 when a file was refused; all others are brought in.
    """
    from gallery.importers import import_clips, make_manifest

    if manifest:
        if len(sources) != 1 or not sources[0].is_dir() or dry_run:
            raise click.UsageError("--manifest takes one folder, and no --dry-run")
        written, rows = make_manifest(config_of(ctx), sources[0])
        click.echo(f"wrote {printable(str(written))}: {count(rows, 'row')} to fill in, then import that file")
        return
    imported = import_clips(config_of(ctx), sources, into, dry_run, jobs, model)
    _tell_refusals(imported)
    for entry in imported.added if dry_run else ():
        clip, key, condition = entry.clip, f"{entry.request.key[:8]} ", ""
        if clip.url or clip.melody_url:
            key, condition = "", ", if what is at its address can be had"
        click.echo(f"{key}{shown(entry.request.prompt)} from {printable(clip.source.name)}{condition}")
    for file in imported.files:
        click.echo(f"{'would write' if dry_run else 'wrote'} {file}")
    click.echo(
        f"{count(len(imported.added), 'clip')} {'would come' if dry_run else 'imported'}, "
        f"{len(imported.present)} there already, {len(imported.refused)} refused"
    )
    if imported.refused:
        ctx.exit(INCOMPLETE)


# So many refusals of one kind are told one by one.
_MOST_ALIKE = 30


def _tell_refusals(imported: Imported) -> None:
    """Why files were refused: many of one kind in one line."""
    kinds: dict[str, list[Refusal]] = {}
    for refusal in imported.refused:
        kinds.setdefault(refusal.reason, []).append(refusal)
    for alike in kinds.values():
        for refusal in alike if len(alike) <= _MOST_ALIKE else alike[:1]:
            more = f" (and {len(alike) - 1} more like it)" if len(alike) > _MOST_ALIKE else ""
            say(f"refused: {refusal}{more}")
    for advice in sorted({refusal.advice for refusal in imported.refused if refusal.advice}):
        say(f"to have clips of this model, add to gallery.toml:\n{advice}")
    if over := imported.passed_over:
        kinds_over = ", ".join(f"{number} {ending}" for ending, number in over.most_common(8))
        say(f"passed over, of no kind that is imported: {count(over.total(), 'file')} ({kinds_over})")
