"""How a build tells what it is doing: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

# On plain output, a line every so many seconds.
_PLAIN_INTERVAL = 5.0


class Advance(Protocol):
    """Called for each finished clip, with its length in seconds."""

    def __call__(self, seconds: float) -> None:
        """Count one clip."""
        ...


def say(text: str) -> None:
    """Tell the user something."""
    click.echo(text, err=True)


@contextmanager
def stage(label: str, clips: int, seconds: float) -> Iterator[Advance]:
    """Progress over a number of clips that make up so many seconds of audio."""
    if sys.stderr.isatty():
        with _bar(label, clips, seconds) as advance:
            yield advance
    else:
        yield _PlainStage(label, clips, seconds)


class _PlainStage:
    def __init__(self, label: str, clips: int, seconds: float) -> None:
        self.label, self.clips, self.seconds = label, clips, seconds
        self.done, self.made = 0, 0.0
        self.start = self.told = time.monotonic()
        say(f"{label}: {clips} clips, {seconds:.0f} s of audio")

    def __call__(self, seconds: float) -> None:
        self.done += 1
        self.made += seconds
        now = time.monotonic()
        if now - self.told >= _PLAIN_INTERVAL:
            self.told = now
            rate = self.made / (now - self.start)
            left = (self.seconds - self.made) / rate if rate else 0.0
            pace = f"{rate:.1f} s of audio a second, {clock(left)} left"
            say(f"{self.label}: {self.done} of {self.clips} clips, {pace}")


@contextmanager
def _bar(label: str, clips: int, seconds: float) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[done]} of {task.fields[clips]} clips"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=seconds, done=0, clips=clips, rate="")
        start, state = time.monotonic(), {"done": 0, "made": 0.0}

        def advance(seconds: float) -> None:
            state["done"] += 1
            state["made"] += seconds
            rate = state["made"] / max(time.monotonic() - start, 1e-6)
            progress.update(task, advance=seconds, done=state["done"], rate=f"{rate:.1f} s of audio/s")

        yield advance


def clock(seconds: float) -> str:
    """A duration to read: ``0:07``, ``12:40``, ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
