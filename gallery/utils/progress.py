"""How a build tells what it is doing: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

# Set where only what is wrong is to be told.
quiet = False

# On plain output, a line every so many seconds.
PLAIN_INTERVAL = 5.0

# What takes less than so many seconds needs no bar.
_MOMENT = 1.0


def say(text: str) -> None:
    """Tell the user something."""
    click.echo(text, err=True)


def inform(text: str) -> None:
    """Tell the user something that is not wrong."""
    if not quiet:
        say(text)


def conclude(text: str) -> None:
    """Tell what came of a command, on the standard output."""
    if not quiet:
        click.echo(text)


class _Progress:
    """How far something is: a bar, or now and then a line."""

    def __init__(self, label: str, total: float) -> None:
        self._label, self._total = label, total
        self._done = 0
        self._bar: Any = None

    def __enter__(self) -> Self:
        self._start = self._told = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def _tell(self, completed: float, done: str, rate: str = "", left: str = "") -> None:
        if quiet:
            return
        if sys.stderr.isatty():
            if not self._bar:
                self._bar = _bar()
                self._bar.start()
                self._task = self._bar.add_task(self._label, total=self._total, clips="", rate="")
            self._bar.update(self._task, description=self._label, completed=completed, clips=done, rate=rate)
        elif time.monotonic() - self._told >= PLAIN_INTERVAL:
            self._told = time.monotonic()
            say(f"{self._label}: " + ", ".join(part for part in (done, rate, left) if part))


class Stage(_Progress):
    """Progress over a number of clips that make up so many seconds of audio.

    Shows clips done, seconds of audio a second, and the time left; and with which model, where
    `loading` tells.
    """

    @staticmethod
    def amount(number: float, digits: int = 0) -> str:
        """So many seconds of audio, in words."""
        return f"{number:.{digits}f} s of audio"

    def __init__(self, label: str, clips: int, seconds: float) -> None:
        super().__init__(label, seconds)
        self._clips, self._finished, self._made = clips, 0.0, 0.0
        self._name = label
        self.loaded = 0.0  # seconds that loading models took

    def __enter__(self) -> Self:
        super().__enter__()
        if sys.stderr.isatty():
            self._show()
        else:
            inform(f"{self._label}: {count(self._clips, 'clip')}, {self.amount(self._total)}")
        return self

    def finish(self, seconds: float) -> None:
        """Count a clip of so many seconds as done."""
        self._done += 1
        self._finished += seconds
        self._show()

    def make(self, seconds: float) -> None:
        """Tell how much audio is made by now, of unfinished clips too."""
        self._made = seconds
        self._show()

    @contextmanager
    def loading(self, model: str) -> Iterator[None]:
        """While a model is being loaded: told at once, and no part of the pace and of the time left."""
        began, self._label = time.monotonic(), f"{self._name}: loading {model}"
        if sys.stderr.isatty():
            self._show()
        else:
            inform(self._label)
        try:
            yield
        finally:
            self.loaded += time.monotonic() - began
            self._label = f"{self._name} with {model}"

    def _show(self) -> None:
        made = max(self._finished, self._made)
        rate = made / max(time.monotonic() - self._start - self.loaded, 1e-6)
        left = clock((self._total - made) / rate) if rate else "unknown time"
        clips, pace = f"{self._done} of {count(self._clips, 'clip')}", f"{self.amount(rate, 1)} a second"
        self._tell(made, clips, pace, f"{left} left")


class Transfer(Stage):
    """Progress over a number of clips whose files are so many bytes."""

    @staticmethod
    def amount(number: float, digits: int = 1) -> str:
        """So many bytes, in words."""
        return f"{number / 1e6:.{digits}f} MB"


class Tally(_Progress):
    """Progress over many small things; nothing is said of what is done in a moment."""

    def __init__(self, label: str, total: int, noun: str) -> None:
        super().__init__(label, total)
        self._all = count(total, noun)

    def add(self, number: int) -> None:
        """Count so many more as done."""
        self._done += number
        if time.monotonic() - self._start >= _MOMENT:
            self._tell(self._done, f"{self._done:,} of {self._all}")


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


def minutes(number: float, what: str = "GPU minutes") -> str:
    """Minutes to read: ``less than 0.1 GPU minutes``, ``4.2 GPU minutes``, ``1,200 GPU minutes``."""
    if number < 0.05:
        return f"less than 0.1 {what}"
    return f"{number:.1f} {what}" if number < 10 else f"{number:,.0f} {what}"


def count(number: int, noun: str) -> str:
    """``1 clip``, ``2 clips``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size(number: int) -> str:
    """Bytes to read: ``0 KB``, ``12 KB``, ``3.4 MB``, ``5.6 GB``."""
    if number >= 10**9:
        return f"{number / 1e9:.1f} GB"
    return f"{number / 1e6:.1f} MB" if number >= 10**6 else f"{-(-number // 1000)} KB"
