"""What commands say of prompt files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import click

from gallery.errors.excerpt import Lines, excerpt
from gallery.errors.text import printable, shown
from gallery.utils.progress import count, say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from gallery.errors import Fault, FaultyFile
    from gallery.state.outcome import Failed


class Told(Protocol):
    """What was found in prompt files: by a command that reads them, or by a build."""

    faults: list[Fault]
    warnings: list[Fault]


def report(told: Told, root: Path) -> None:
    """Every fault and every warning, one a line, and below it the line that it is about."""
    lines = Lines(root)
    for fault in told.faults:
        _report(fault, lines, "red")
    for warning in told.warnings:
        _report(warning, lines, "yellow", "warning: ")


def tell_faulty_file(error: FaultyFile, root: Path) -> None:
    """The same of a file without which a command cannot go on."""
    lines = Lines(root)
    for number, fault in enumerate(error.faults):
        _report(fault, lines, "red", "" if number else "Error: ")


def _report(fault: Fault, lines: Lines, colour: str, before: str = "") -> None:
    place, _, rest = printable(str(fault)).partition(": ")
    led = click.style(before, fg=colour) if before else ""
    say(f"{led}{click.style(place, bold=True)}: {rest}")
    if around := excerpt(fault, lines.of(fault)):
        say(click.style(around[0], dim=True))
        say(click.style(around[1], fg=colour, bold=True))


def tell_failures(failures: Iterable[Failed]) -> None:
    """Every clip that could not be made, and why, one a line."""
    for failure in failures:
        say(f"failed: {shown(failure.request.prompt)} ({failure.request.model}): {failure.reason}")


# A store full of rubbish doesn't fill the screen.
_MOST_FLAWS = 20


def tell_flaws(lines: Collection[str]) -> None:
    """What is wrong with clips of the store, one a line."""
    for line in list(lines)[:_MOST_FLAWS]:
        say(printable(line))
    if len(lines) > _MOST_FLAWS:
        say(f"and {len(lines) - _MOST_FLAWS} more like these: gallery store verify")


def unusable(lines: Collection[str]) -> str:
    """How many clips that is, to be added to a summary; nothing where it is none."""
    return f"; {count(len(lines), 'clip')} of the store not usable" if lines else ""


def findings(told: Told) -> str:
    """How many there are, as ``2 faults, 1 warning``."""
    return f"{count(len(told.faults), 'fault')}, {count(len(told.warnings), 'warning')}"
