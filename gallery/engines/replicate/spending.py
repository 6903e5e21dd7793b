"""What rendering on Replicate costs: estimated, agreed to, counted, and kept under a maximum."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import click

from gallery.errors import GalleryError
from gallery.utils.progress import count, say

if TYPE_CHECKING:
    from gallery.config import ReplicateSettings
    from gallery.engines import Payment

# USD that sums of prices may be off by.
_ROUNDING = 1e-9


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

    Estimates begin with the seconds of compute that gallery.toml expects for a second of
    audio, and follow what finished predictions took. Safe to use from several threads.
    """

    def __init__(self, settings: ReplicateSettings, max_cost: float | None = None) -> None:
        self._price = settings.price_per_second or 0.0
        self._expected = settings.compute_per_audio_second or 0.0
        self._max_cost = max_cost
        self._in_flight: dict[str, float] = {}
        self._asked = 0
        self._spent_compute = self._measured_compute = self._measured_audio = 0.0
        self._lock = threading.Lock()

    def estimate(self, seconds: float) -> tuple[float, float]:
        """Seconds of compute that so many seconds of audio take, and their price in USD."""
        rate = self._measured_compute / self._measured_audio if self._measured_audio else self._expected
        return seconds * rate, seconds * rate * self._price

    def reserve(self, key: str, seconds: float) -> str:
        """Count a clip of so many seconds as in flight; or the reason why that would cost too much."""
        with self._lock:
            committed = self._spent_compute * self._price + self.estimate(sum(self._in_flight.values()))[1]
            cost = self.estimate(seconds)[1]
            if self._max_cost is not None and committed + cost > self._max_cost + _ROUNDING:
                return (
                    f"not asked for: about USD {cost:.2f} more than the USD {committed:.2f} "
                    f"of this build so far would pass --max-cost {self._max_cost:g}"
                )
            self._in_flight[key] = seconds
            self._asked += 1
            return ""

    def release(self, key: str) -> None:
        """Take a reservation back: nothing was asked for."""
        with self._lock:
            if self._in_flight.pop(key, None) is not None:
                self._asked -= 1

    def settle(self, key: str, compute: float | None, *, made: float) -> None:
        """Count a prediction that ended: ``compute`` seconds, ``made`` seconds of audio.

        One whose compute is not told is counted as estimated. One that an earlier build
        asked for is not paid for in this one, but tells how long predictions take.
        """
        with self._lock:
            seconds = self._in_flight.pop(key, None)
            if seconds is not None:
                self._spent_compute += self.estimate(seconds)[0] if compute is None else compute
            if compute is not None and made:
                self._measured_compute += compute
                self._measured_audio += made

    def summary(self) -> str:
        """What this build cost, in one line; nothing where nothing was asked for."""
        if not self._asked:
            return ""
        spent = f"{self._spent_compute:.0f} s of compute, about USD {self._spent_compute * self._price:.2f}"
        told = f"Replicate: {count(self._asked, 'prediction')} asked for, {spent}"
        if self._in_flight:
            told += (
                f"; {count(len(self._in_flight), 'prediction')} still in flight, build again to fetch them"
            )
        return told
