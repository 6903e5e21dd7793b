"""Building the gallery, once or at every change."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from gallery.cli.messages import findings, report, tell_failures, tell_flaws, unusable
from gallery.cli.options import (
    CLUSTER,
    DEVICE,
    ENGINE,
    FAULTY,
    INCOMPLETE,
    JOBS,
    OUTPUT,
    PATHS,
    QUIET,
    SKETCHES,
    WORKERS,
    config_of,
)
from gallery.errors.text import shown
from gallery.state.outcome import asked_for, outcome_at_once
from gallery.utils.progress import conclude, count, say
from gallery.utils.root import find_root, workspace_of

if TYPE_CHECKING:
    from pathlib import Path

    from gallery.state.outcome import Outcome


@click.command()
@PATHS
@ENGINE
@OUTPUT
@click.option("--dry-run", is_flag=True, help="Say what would be rendered, by model, and change nothing.")
@click.option(
    "--since",
    metavar="REF",
    help="With --dry-run: say only what is new against a commit, branch or tag of git.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "markdown")),
    help="With --dry-run: in which form, e.g. for the summary of a job on GitHub.  [default: text]",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Take warnings for errors, and clips of the store that cannot be used; then build nothing.",
)
@click.option(
    "--max-cost",
    type=click.FloatRange(min=0, min_open=True),
    metavar="USD",
    help="Replicate: the most that this build may cost; one prediction may pass it.  [default: no maximum]",
)
@click.option("--yes", is_flag=True, help="Replicate: pay without being asked.")
@DEVICE
@CLUSTER
@WORKERS
@JOBS
@SKETCHES
@QUIET
@click.pass_context
def build(
    ctx: click.Context,
    paths: tuple[Path, ...],
    engine: str,
    output: Path | None,
    dry_run: bool,
    since: str | None,
    form: str | None,
    strict: bool,
    max_cost: float | None,
    yes: bool,
    device: str,
    cluster: str | None,
    workers: int | None,
    jobs: int,
    sketches: bool,
) -> None:
    """Render what was never rendered, and write the site.

    With PATHS, only prompts at or below them are rendered; the site always shows all.

    Exits with 0 when all went well, 1 when a file has faults (the others are built, and
    its last good content stands for it), 2 when the command is used wrongly, 3 when clips
    failed or files of others lie in the place of the site's (they stay, and the rest is
    written), 130 when interrupted.
    """
    if engine != "replicate" and (yes or max_cost is not None):
        raise click.UsageError("--max-cost and --yes are for --engine replicate; nothing else costs money")
    for option, value, other, there in (
        ("--since", since, "--dry-run", dry_run),
        ("--format", form, "--dry-run", dry_run),
        ("--workers", workers, "--cluster", cluster),
    ):
        if value is not None and not there:
            raise click.UsageError(f"{option} goes with {other}")
    if since is not None and paths:
        raise click.UsageError("--since compares the whole gallery; leave out PATHS")
    _refuse_device(device, engine)
    if cluster:
        _refuse_cluster(cluster, engine, device)
    root = find_root(ctx.obj)
    output = (output or root / "site").resolve()
    if not dry_run and not cluster:
        asked = asked_for(output, engine, paths, sketches=sketches, strict=strict)
        if outcome := outcome_at_once(workspace_of(root), output, asked):
            _tell(outcome, root, output)
            ctx.exit(FAULTY if strict and outcome.warnings else 0)
    from gallery.build import Options
    from gallery.build import build as build_gallery
    from gallery.config import load_config
    from gallery.engines import Payment
    from gallery.engines.cluster import Cluster

    config = load_config(root)
    options = Options(
        output=output,
        paths=paths,
        engine=engine,
        payment=Payment(max_cost, confirmed=yes),
        cluster=Cluster(cluster, workers) if cluster else None,
        sketches=sketches,
        strict=strict,
        jobs=jobs,
        device=device,
    )
    if dry_run:
        from gallery.cli.dryrun import say_plan

        if config.store.remote:
            say(f"what {config.store.url} holds, as last seen by a build or `gallery store pull`")
        ctx.exit(say_plan(config, options, since, form or "text"))
    outcome = build_gallery(config, options)
    _tell(outcome, root, output)
    if outcome.faults or (strict and (outcome.warnings or outcome.flaws)):
        ctx.exit(FAULTY)
    if outcome.failures or (outcome.written and outcome.written.blocked):
        ctx.exit(INCOMPLETE)


def _refuse_device(device: str, engine: str) -> None:
    if device != "auto" and engine not in ("auto", "musicgen"):
        raise click.UsageError(f"--device is for MusicGen, and nothing renders with it here ({engine})")


def _refuse_cluster(cluster: str, engine: str, device: str) -> None:
    if engine not in ("auto", "musicgen"):
        raise click.UsageError(f"--cluster renders with MusicGen; leave out --engine {engine}")
    if ":" in device:
        raise click.UsageError(f"--cluster gives each worker a GPU of its own; leave out --device {device}")
    if cluster != "auto" and not re.fullmatch(r"[^/]+:\d+", cluster):
        raise click.UsageError(
            "--cluster takes auto or host:port of a cluster that this machine is part of: see docs/scale.md"
        )


@click.command()
@ENGINE
@DEVICE
@OUTPUT
@JOBS
@SKETCHES
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port to listen on."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--allow-host",
    "allowed",
    multiple=True,
    metavar="NAME",
    help="A name that the site is asked for by, beside that of --host; may be given several times.",
)
@click.option("--open", "opens", is_flag=True, help="Open the site in the browser.")
@click.pass_context
def serve(
    ctx: click.Context,
    engine: str,
    device: str,
    output: Path | None,
    jobs: int,
    sketches: bool,
    port: int,
    host: str,
    allowed: tuple[str, ...],
    opens: bool,
) -> None:
    """Build, serve the site, and build again whenever a file changes; open pages reload.

    Renders nothing with MusicGen unless --engine says so: a saved file should not start a GPU.

    Answers only who asks for it by the name of --host, on the loopback by localhost too, so that
    no website can read drafts under a name of its own. With --host 0.0.0.0 or ::, every address
    in numbers is such a name.
    """
    import webbrowser

    from gallery.build import Options
    from gallery.serve import name_of, serve_gallery

    if wrong := next((name for name in allowed if not name_of(name)), None):
        raise click.UsageError(f"--allow-host takes a name such as box.lan, and not {shown(wrong)}")
    if engine == "replicate":
        raise click.UsageError("serve builds at every change; use --engine replicate with build")
    config = config_of(ctx)
    if ctx.get_parameter_source("engine") is click.core.ParameterSource.DEFAULT:
        engine = "sketch"
    _refuse_device(device, engine)
    options = Options(
        (output or config.root / "site").resolve(),
        engine=engine,
        sketches=sketches,
        jobs=jobs,
        device=device,
    )
    serve_gallery(
        config.root,
        options,
        host,
        port,
        allowed,
        lambda outcome: _tell(outcome, config.root, options.output),
        webbrowser.open if opens else None,
    )


# What the site has of clips, in words.
_COUNTED = {
    "render": "rendered",
    "sketch": "sketched",
    "pending": "pending",
    "damaged": "damaged",
    "newer": "of a newer version",
    "lost": "lost",
}


def _tell(outcome: Outcome, root: Path, output: Path) -> None:
    report(outcome, root)
    tell_flaws(outcome.flaws)
    tell_failures(outcome.failures)
    conclude(_summary(outcome, output))


def _summary(outcome: Outcome, output: Path) -> str:
    if not outcome.written:
        return f"nothing built; {findings(outcome)}{unusable(outcome.flaws)}"
    states, written = outcome.states, outcome.written
    clips = ", ".join(f"{states[state]} {word}" for state, word in _COUNTED.items() if states[state])
    lines = [
        f"{count(outcome.prompts, 'prompt')}, {count(states.total(), 'clip')} "
        f"({clips or 'none'}); {findings(outcome)}",
        f"{written.written} files written, {written.unchanged} unchanged, {written.removed} removed",
    ]
    if written.blocked:
        lines.append(f"{count(written.blocked, 'file')} left out: what lies in the way is named above")
    if outcome.failures:
        lines.append(f"{count(len(outcome.failures), 'clip')} failed; the next build tries again")
    if outcome.outdated:
        older = count(outcome.outdated, "preview")
        lines.append(f"{older} of older preview settings: the lossless renders are not on this machine")
    lines.append(f"the site is {output / 'index.html'}")
    return "\n".join(lines)
