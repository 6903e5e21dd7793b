"""What commands say of prompt files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gallery.errors import FaultyFile
from gallery.errors.text import printable, shown
from gallery.review.annotations import annotation, error_annotation
from gallery.utils.progress import count, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gallery.engines import Failure
    from gallery.errors import GalleryError
    from gallery.prompts.prompt import Reading


def report(reading: Reading) -> None:
    """Every fault and every warning, one a line."""
    for fault in reading.faults:
        say(printable(str(fault)))
    for warning in reading.warnings:
        say(printable(f"warning: {warning}"))


def annotate(reading: Reading, folder: str) -> None:
    """Every fault and every warning as GitHub's annotation; ``folder`` is the gallery's in its repository."""
    for fault in reading.faults:
        click.echo(annotation("error", fault, folder))
    for warning in reading.warnings:
        click.echo(annotation("warning", warning, folder))


def annotate_error(error: GalleryError, folder: str) -> None:
    """What stopped a command, as GitHub's annotation."""
    if isinstance(error, FaultyFile):
        for fault in error.faults:
            click.echo(annotation("error", fault, folder))
    else:
        click.echo(error_annotation(error.message))


def tell_failures(failures: Iterable[Failure]) -> None:
    """Every clip that could not be made, and why, one a line."""
    for failure in failures:
        say(f"failed: {shown(failure.request.prompt)} ({failure.request.model}): {failure.reason}")


def findings(reading: Reading) -> str:
    """How many there are, as ``2 faults, 1 warning``."""
    return f"{count(len(reading.faults), 'fault')}, {count(len(reading.warnings), 'warning')}"
