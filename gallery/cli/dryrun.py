"""What a dry run says, as text and as Markdown: what would be rendered, and what a branch adds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from gallery.cli.messages import report, tell_failures, tell_flaws
from gallery.cli.options import FAULTY
from gallery.errors.text import printable
from gallery.utils.progress import count, minutes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gallery.build import Options
    from gallery.config import Config
    from gallery.plan import Cost
    from gallery.review.changes import Change, Proposal

# So many of the other prompts that ask for a prompt's clips are named.
_MOST_OWNERS = 3

NO_ESTIMATE = "no estimate: no record of a render on a GPU"
NO_CPU_ESTIMATE = "no estimate: no record of a render on the CPU"
NO_FIGURE = ", and no published figure of {}"

# What records call the attention of a GPU, in words.
_ATTENTION = {"kernel": ", attention by the kernel", "torch": ", attention by torch"}


@dataclass(frozen=True)
class _Form:
    """How it is written. ``quote`` makes others' text harmless; ``most`` is the longest list of prompts."""

    heading: str
    item: str
    quote: Callable[[str], str]
    header: tuple[str, ...]
    row: Callable[[str, int, float, str], str]
    most: int


def say_plan(config: Config, options: Options, since: str | None, form: str) -> int:
    """Say what a build would render, or only what is new against ``since``; returns the exit code.

    Raises GalleryError where git cannot tell what is in ``since``.
    """
    from gallery.plan import costs, describe_plan
    from gallery.prompts.folder import read_prompts
    from gallery.review.changes import propose
    from gallery.state.opening import borrow_state
    from gallery.store.places import Stores

    chosen = _FORMS[form]
    if since is None:
        with borrow_state(config.workspace, "renders") as state:
            reading, plan = describe_plan(config, options.paths, state)
        clips, encode, found = plan.render, len(plan.encode), plan.flaws
        report(reading, config.root)
    else:
        reading, encode = read_prompts(config), 0
        report(reading, config.root)
        with borrow_state(config.workspace, "renders") as state:
            proposal = propose(config, reading, since, state)
        clips, found = proposal.new, proposal.flaws
    flaws = [f"{flaw.state}: {flaw}" for flaw in found]
    tell_flaws(flaws)
    if since is not None:
        click.echo("\n".join(_proposal(proposal, chosen)))
    cpu = options.device == "cpu"
    click.echo("\n".join(_table(costs(clips, config, Stores.of(config).store, cpu=cpu), chosen, cpu)))
    if encode:
        click.echo(chosen.item.format(f"{count(encode, 'clip')} to encode anew"))
    if options.engine == "replicate":
        from gallery.engines.replicate import quote

        offered = quote([clip.request for clip in clips], config, reading.melodies)
        tell_failures(offered.refused)
        click.echo(chosen.item.format(offered.describe(config.replicate)))
    return FAULTY if reading.faults or (options.strict and (reading.warnings or flaws)) else 0


def _proposal(proposal: Proposal, form: _Form) -> Iterator[str]:
    yield form.heading.format(f"Compared with commit {proposal.commit[:12]}")
    lists = {"added": proposal.added, "changed": proposal.changed, "removed": proposal.removed}
    yield form.item.format(
        ", ".join(f"{count(len(changes), 'prompt')} {what}" for what, changes in lists.items())
    )
    if proposal.faulty:
        yield form.item.format(f"{count(proposal.faulty, 'file')} with faults, not counted")
    for what, changes in lists.items():
        if changes:
            yield form.heading.format(what.capitalize())
        for change in changes[: form.most]:
            free = "" if change.new or what == "removed" else "; costs nothing"
            yield form.item.format(_line(change, form.quote) + free)
        if len(changes) > form.most:
            yield form.item.format(f"and {len(changes) - form.most} more")
    yield form.heading.format("To render")


def _line(change: Change, quote: Callable[[str], str]) -> str:
    parts = [", ".join(change.said)] if change.said else []
    if change.new:
        parts.append(f"{count(len(change.new), 'clip')} to render")
    if change.rendered:
        parts.append(f"{count(change.rendered, 'clip')} rendered already")
    if change.lost:
        parts.append(f"{count(change.lost, 'clip')} that nobody can make again")
    parts += _shared(change, quote)
    if change.gone:
        parts.append(f"{count(change.gone, 'clip')} no longer asked for")
    told = "; ".join(parts) or "others ask for its clips"
    return f"{quote(change.file)} ({quote(change.title)}): {told}"


def _shared(change: Change, quote: Callable[[str], str]) -> list[str]:
    """Clips that other prompts ask for as well."""
    if len(change.shared) > _MOST_OWNERS:
        clips = count(change.shared.total(), "clip")
        return [f"{clips} asked for already by {len(change.shared)} other prompts"]
    return [
        f"{count(clips, 'clip')} asked for already by {quote(owner)}"
        for owner, clips in change.shared.items()
    ]


def _table(costs: Sequence[Cost], form: _Form, cpu: bool) -> Iterator[str]:
    yield from form.header
    for cost in costs:
        yield form.row(form.quote(cost.model), cost.clips, cost.seconds, _estimate(cost, form.quote, cpu))
    clips, seconds = sum(cost.clips for cost in costs), sum(cost.seconds for cost in costs)
    yield form.row("to render", clips, seconds, _total(costs, cpu))


def _text_row(name: str, clips: int, seconds: float, estimate: str) -> str:
    return f"{name:20} {clips:5} clips {seconds:8.1f} s of audio   {estimate}".rstrip()


def _markdown_row(name: str, clips: int, seconds: float, estimate: str) -> str:
    # A table is split at every | that has no backslash before it, even within code.
    cells = (cell.replace("|", "\\|") for cell in (name, str(clips), f"{seconds:.1f}", estimate))
    return f"| {' | '.join(cells)} |"


def _estimate(cost: Cost, quote: Callable[[str], str], cpu: bool) -> str:
    """How long rendering takes, and of what device that is known from what."""
    if cost.minutes is None or cost.pace is None:
        nor = NO_FIGURE.format(quote(cost.card)) if cost.card else ""
        return NO_CPU_ESTIMATE if cpu else NO_ESTIMATE + nor
    pace = cost.pace
    source = f"median of {count(pace.records, 'record')}" if pace.records else "published figure"
    source += f", {quote(pace.device)}{_ATTENTION.get(pace.attention, '')}"
    other = f", not of {quote(cost.card)}, which is here" if cost.card not in ("", pace.device) else ""
    return f"{_about(cost.minutes, cpu)} ({source}{other})"


def _total(costs: Sequence[Cost], cpu: bool) -> str:
    known = [cost.minutes for cost in costs if cost.minutes is not None]
    unknown = [cost.model for cost in costs if cost.minutes is None]
    if not known:
        return ""
    without = f", without {', '.join(unknown)}" if unknown else ""
    return f"{_about(sum(known), cpu)}{without}"


def _about(number: float, cpu: bool) -> str:
    told = minutes(number, "CPU minutes" if cpu else "GPU minutes")
    return told if told.startswith("less") else f"about {told}"


def _code(text: str) -> str:
    """Text as Markdown's code, in which nothing is a link, a mention or a tag."""
    text = printable(text)
    runs = re.findall("`+", text)
    if not runs and text == text.strip():
        return f"`{text}`"
    fence = "`" * (max(map(len, runs), default=0) + 1)
    return f"{fence} {text} {fence}"


_HEADER = ("| model | clips | seconds of audio | estimate |", "|---|--:|--:|---|")

_FORMS = {
    "text": _Form("{}:", "  {}", printable, (), _text_row, most=10_000),
    # GitHub drops a job's summary of more than 1 MiB.
    "markdown": _Form("\n### {}\n", "- {}", _code, _HEADER, _markdown_row, most=200),
}
