"""How a build tells what it is doing: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any, Self

import click

# On plain output, a line every so many seconds.
_PLAIN_INTERVAL = 5.0


def say(text: str) -> None:
    """Tell the user something."""
    click.echo(text, err=True)


class Stage:
    """Progress over a number of clips that make up so many seconds of audio.

    Shows clips done, seconds of audio a second, and the time left.
    """

    def __init__(self, label: str, clips: int, seconds: float) -> None:
        self._label, self._clips, self._seconds = label, clips, seconds
        self._done, self._finished, self._made = 0, 0.0, 0.0
        self._bar: Any = None

    def __enter__(self) -> Self:
        self._start = self._told = time.monotonic()
        if sys.stderr.isatty():
            self._bar = _bar()
            self._bar.start()
            self._task = self._bar.add_task(self._label, total=self._seconds, clips="", rate="")
            self._show()
        else:
            say(f"{self._label}: {count(self._clips, 'clip')}, {self._seconds:.0f} s of audio")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def finish(self, seconds: float) -> None:
        """Count a clip of so many seconds as done."""
        self._done += 1
        self._finished += seconds
        self._show()

    def make(self, seconds: float) -> None:
        """Tell how much audio is made by now, of unfinished clips too."""
        self._made = seconds
        self._show()

    def _show(self) -> None:
        made = max(self._finished, self._made)
        now = time.monotonic()
        rate = made / max(now - self._start, 1e-6)
        clips, pace = f"{self._done} of {count(self._clips, 'clip')}", f"{rate:.1f} s of audio a second"
        if self._bar:
            self._bar.update(self._task, completed=made, clips=clips, rate=pace)
        elif now - self._told >= _PLAIN_INTERVAL:
            self._told = now
            left = clock((self._seconds - made) / rate) if rate else "unknown time"
            say(f"{self._label}: {clips}, {pace}, {left} left")


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[clips]}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)


def clock(seconds: float) -> str:
    """A duration to read: ``0:07``, ``12:40``, ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def count(number: int, noun: str) -> str:
    """``1 clip``, ``2 clips``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
