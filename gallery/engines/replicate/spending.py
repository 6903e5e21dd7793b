"""What rendering on Replicate costs: estimated, agreed to, counted, and kept under a maximum."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, NamedTuple

import click

from gallery.errors import GalleryError
from gallery.utils.progress import count, say

if TYPE_CHECKING:
    from gallery.engines import Payment
    from gallery.settings import ReplicateSettings

# USD that sums of prices may be off by.
_ROUNDING = 1e-9

# Several predictions are in flight only while the rest of the maximum would be enough for them at
# so many times what is expected: where one of them is dearer than all before, the others still fit.
_MARGIN = 2.0


class TooDear(Exception):
    """Why a prediction is not asked for: what it may cost would pass the maximum."""


class Task(NamedTuple):
    """What decides what a prediction costs, as far as that is known: its model, its seconds of audio."""

    model: str
    version: str  # of the program that runs the model
    seconds: float


def unset_prices(settings: ReplicateSettings) -> str:
    """What keeps costs from being estimated, and what to do about it; nothing if they can be."""
    names = ("price_per_second", "compute_per_audio_second")
    unset = [name for name in names if getattr(settings, name) is None]
    return f"set {' and '.join(unset)} in [replicate] of gallery.toml, see docs/replicate.md" if unset else ""


def agree(estimate: str, payment: Payment) -> None:
    """Have the curator agree to paying. Raises GalleryError where nobody does."""
    limit = "no maximum is set" if payment.max_cost is None else f"at most USD {payment.max_cost:.2f}"
    say(f"{estimate}; {limit}")
    if payment.confirmed:
        return
    if not sys.stdin.isatty():
        raise GalleryError(
            "this costs money, and nobody is here to be asked: add --yes, best with --max-cost"
        )
    if not click.confirm("Pay for it?", err=True):
        raise GalleryError("nothing was paid for, and nothing rendered")


class Ledger:
    """The predictions of one build: what they cost, and what those in flight will cost.

    Safe to use from several threads.
    """

    def __init__(self, settings: ReplicateSettings, max_cost: float | None = None) -> None:
        self._price = settings.price_per_second or 0.0
        self._rate = settings.compute_per_audio_second or 0.0
        self._max_cost = max_cost
        # The most seconds of compute that like predictions took, and those of them that made a clip.
        self._took: dict[Task, float] = {}
        self._made: set[Task] = set()
        # By clip: on the way, and those that this build cannot see to their end, with the seconds of
        # compute that were expected when they were asked for.
        self._in_flight: dict[str, tuple[Task, float]] = {}
        self._open: dict[str, tuple[Task, float]] = {}
        self._asked = self._refused = 0
        self._spent = 0.0  # seconds of compute
        self._lock = threading.Lock()

    def estimate(self, seconds: float) -> tuple[float, float]:
        """Seconds of compute that so many seconds of audio take by gallery.toml, and their price in USD."""
        return seconds * self._rate, seconds * self._rate * self._price

    def expected(self, task: Task) -> float:
        """Seconds of compute that a prediction will take, by those of its model.

        No fewer than gallery.toml expects, nor than one that is as long or shorter took. Else
        no more than a longer one took, nor more a second of audio than a shorter one.
        """
        known = {other: took for other, took in self._took.items() if other[:2] == task[:2]}
        least = [took for other, took in known.items() if other.seconds <= task.seconds]
        most = [
            took * max(1.0, task.seconds / other.seconds)
            for other, took in known.items()
            if other in self._made
        ]
        return max(self._rate * task.seconds, max(least, default=0.0), min(most, default=0.0))

    def is_first(self, task: Task) -> bool:
        """Whether there is a maximum, and nothing yet that tells what predictions of this model cost."""
        return self._max_cost is not None and not any(made[:2] == task[:2] for made in self._made)

    def reserve(self, key: str, task: Task) -> bool:
        """Count a clip's prediction as in flight; False while others first have to tell what they cost.

        Raises TooDear where nothing is in flight any more.
        """
        with self._lock:
            expected = self.expected(task)
            if self._max_cost is not None:
                running = [other for other, _ in self._in_flight.values()]
                unsettled = self._spent + _MARGIN * self._pending(self._open)
                if running:
                    coming = self._pending(self._in_flight) + expected
                    if any(map(self.is_first, (task, *running))) or (
                        (unsettled + _MARGIN * coming) * self._price > self._max_cost
                    ):
                        return False
                else:
                    self._refuse(unsettled * self._price, expected * self._price, self._max_cost)
            self._in_flight[key] = task, expected
            return True

    def _refuse(self, committed: float, cost: float, max_cost: float) -> None:
        """Raise TooDear where a prediction may not run even alone."""
        if any(self.is_first(task) for task, _ in self._open.values()):
            raise TooDear(
                "not asked for: with --max-cost the first prediction of a model has to tell what one costs, "
                "and what became of it is not known yet"
            )
        if committed + cost > max_cost + _ROUNDING:
            raise TooDear(
                f"not asked for: about USD {cost:.2f} more than the USD {committed:.2f} "
                f"of this build so far would pass --max-cost {max_cost:g}"
            )

    def count(self, *, refused: bool = False) -> None:
        """Count an attempt to ask for a prediction; or one that Replicate certainly did not take."""
        with self._lock:
            if refused:
                self._refused += 1
            else:
                self._asked += 1

    def settle(self, key: str, task: Task, compute: float | None, *, made: bool) -> None:
        """Count a prediction that ended after ``compute`` seconds.

        One whose compute is not told is counted as estimated. One that an earlier build
        asked for is not paid for in this one, but tells how long predictions take.
        """
        with self._lock:
            ours = self._in_flight.pop(key, None) or self._open.pop(key, None)
            if ours is not None:
                self._spent += self.expected(task) if compute is None else compute
            if compute is not None:
                self._took[task] = max(self._took.get(task, 0.0), compute)
                if made:
                    self._made.add(task)

    def leave(self, key: str, *, may_cost: bool) -> None:
        """What is in flight for a clip is left: it never began, or may cost what is estimated."""
        with self._lock:
            left = self._in_flight.pop(key, None)
            if left is not None and may_cost:
                self._open[key] = left

    def forget(self, key: str) -> None:
        """What was counted for a clip turned out not to have been taken."""
        with self._lock:
            if self._in_flight.pop(key, None) or self._open.pop(key, None):
                self._refused += 1

    def summary(self) -> str:
        """What this build cost, in one line; nothing where nothing was asked for."""
        if not self._asked:
            return ""
        told = f"Replicate: {count(self._asked, 'prediction')} asked for"
        if self._refused:
            told += f", {self._refused} of them not taken"
        compute = self._spent + self._pending(self._open)
        told += f", {compute:.0f} s of compute, about USD {compute * self._price:.2f}"
        if self._open:
            told += (
                f"; {len(self._open)} of them not settled, counted as estimated: "
                "build again to see what came of them"
            )
        return told

    def _pending(self, predictions: dict[str, tuple[Task, float]]) -> float:
        """Seconds of compute of predictions that have not told: as expected by now, or at their asking."""
        return sum(max(expected, self.expected(task)) for task, expected in predictions.values())
