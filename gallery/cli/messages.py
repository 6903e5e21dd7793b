"""What commands say of prompt files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import click

from gallery.errors import Fault, FaultyFile
from gallery.errors.text import printable, shown
from gallery.review.annotations import annotation, error_annotation
from gallery.utils.progress import count, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gallery.errors import GalleryError
    from gallery.state.outcome import Failed


class Told(Protocol):
    """What was found in prompt files: by a command that reads them, or by a build."""

    faults: list[Fault]
    warnings: list[Fault]


def report(told: Told) -> None:
    """Every fault and every warning, one a line."""
    for fault in told.faults:
        say(printable(str(fault)))
    for warning in told.warnings:
        say(printable(f"warning: {warning}"))


def annotate(told: Told, folder: str) -> None:
    """Every fault and every warning as GitHub's annotation; ``folder`` is the gallery's in its repository."""
    for fault in told.faults:
        click.echo(annotation("error", fault, folder))
    for warning in told.warnings:
        click.echo(annotation("warning", warning, folder))


def annotate_error(error: GalleryError, folder: str) -> None:
    """What stopped a command, as GitHub's annotation."""
    if isinstance(error, FaultyFile):
        for fault in error.faults:
            click.echo(annotation("error", fault, folder))
    else:
        click.echo(error_annotation(error.message))


def tell_failures(failures: Iterable[Failed]) -> None:
    """Every clip that could not be made, and why, one a line."""
    for failure in failures:
        say(f"failed: {shown(failure.request.prompt)} ({failure.request.model}): {failure.reason}")


def findings(told: Told) -> str:
    """How many there are, as ``2 faults, 1 warning``."""
    return f"{count(len(told.faults), 'fault')}, {count(len(told.warnings), 'warning')}"
