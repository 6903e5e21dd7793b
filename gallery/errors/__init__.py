"""Errors for people: one line each that says what is wrong, where, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from gallery.errors.messages import Wording

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, order=True)
class Fault:
    """A mistake in a file: printed as ``prompts/edm/anthem.md:7: cfg_coef: 42 is out of range, 0 to 20``.

    ``line`` counts from 1; 0 stands for the file as a whole.
    """

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.field}: {self.message}" if self.field else f"{place}: {self.message}"


class GalleryError(click.ClickException):
    """Stops a command. Its text is shown as it is, without a traceback."""


class WrongUse(GalleryError):
    """A command was given what it cannot be used with. Its exit code is click's own for that."""

    exit_code = 2


class FaultyFile(GalleryError):
    """A file that cannot be used, with every fault that was found in it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def __reduce__(self) -> tuple[type[FaultyFile], tuple[list[Fault]]]:
        # Between processes errors travel by what they were made of.
        return FaultyFile, (self.faults,)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`` (did you mean "temperature"?)`` where a known name is near, else nothing."""
    from difflib import get_close_matches  # takes a while to import

    names = list(known)
    near = get_close_matches(name, names, n=1) or [
        other for other in names if name and other.startswith(name)
    ]
    return Wording.DID_YOU_MEAN.format(name=near[0]) if near else ""
