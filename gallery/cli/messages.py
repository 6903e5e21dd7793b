"""What commands say of prompt files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gallery.errors.text import printable, shown
from gallery.utils.progress import count, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gallery.errors import Fault
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


def tell_failures(failures: Iterable[Failed]) -> None:
    """Every clip that could not be made, and why, one a line."""
    for failure in failures:
        say(f"failed: {shown(failure.request.prompt)} ({failure.request.model}): {failure.reason}")


def findings(told: Told) -> str:
    """How many there are, as ``2 faults, 1 warning``."""
    return f"{count(len(told.faults), 'fault')}, {count(len(told.warnings), 'warning')}"
