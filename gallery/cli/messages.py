"""What commands say of prompt files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gallery.progress import count, say

if TYPE_CHECKING:
    from gallery.prompts import Reading


def report(reading: Reading) -> None:
    """Every fault and every warning, one a line."""
    for fault in reading.faults:
        say(str(fault))
    for warning in reading.warnings:
        say(f"warning: {warning}")


def findings(reading: Reading) -> str:
    """How many there are, as ``2 faults, 1 warning``."""
    return f"{count(len(reading.faults), 'fault')}, {count(len(reading.warnings), 'warning')}"
