"""What rendering on Replicate costs: estimated, agreed to, counted, and kept under a maximum."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import click

from gallery.errors import GalleryError
from gallery.utils.progress import count, say

if TYPE_CHECKING:
    from gallery.engines import Payment
    from gallery.settings import ReplicateSettings

# USD that sums of prices may be off by.
_ROUNDING = 1e-9

# Several predictions are in flight only while the rest of the maximum would be enough for them at
# so many times the price: where one of them is dearer than all before, the others still fit.
_MARGIN = 2.0


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

    The price of a second of audio is the highest of what gallery.toml expects and of what the
    predictions took that have ended. Safe to use from several threads.
    """

    def __init__(self, settings: ReplicateSettings, max_cost: float | None = None) -> None:
        self._price = settings.price_per_second or 0.0
        self._rate = settings.compute_per_audio_second or 0.0
        self._max_cost = max_cost
        self._measured = False
        # Seconds of audio by clip: on the way, and those that this build cannot see to their end.
        self._in_flight: dict[str, float] = {}
        self._open: dict[str, float] = {}
        self._asked = self._refused = 0
        self._spent_compute = 0.0
        self._lock = threading.Lock()

    def estimate(self, seconds: float) -> tuple[float, float]:
        """Seconds of compute that so many seconds of audio take, and their price in USD."""
        return seconds * self._rate, seconds * self._rate * self._price

    @property
    def first_alone(self) -> bool:
        """Whether there is a maximum, and nothing yet that tells what predictions really cost."""
        return self._max_cost is not None and not self._measured

    def must_wait(self, seconds: float) -> bool:
        """Whether a clip of so many seconds has to wait for one in flight to tell what it cost."""
        with self._lock:
            if self._max_cost is None or not self._in_flight:
                return False
            coming = self.estimate(sum(self._in_flight.values()) + seconds)[1]
            return not self._measured or self._spent() + _MARGIN * coming > self._max_cost

    def reserve(self, key: str, seconds: float) -> str:
        """Count a clip of so many seconds as in flight; or the reason why that would cost too much."""
        with self._lock:
            if self._max_cost is not None:
                if self._open and not self._measured:
                    return (
                        "not asked for: with --max-cost the first prediction has to tell what one costs, "
                        "and what became of it is not known yet"
                    )
                committed = self._spent() + self.estimate(sum(self._in_flight.values()))[1]
                cost = self.estimate(seconds)[1]
                if committed + cost > self._max_cost + _ROUNDING:
                    return (
                        f"not asked for: about USD {cost:.2f} more than the USD {committed:.2f} "
                        f"of this build so far would pass --max-cost {self._max_cost:g}"
                    )
            self._in_flight[key] = seconds
            return ""

    def count(self, *, refused: bool = False) -> None:
        """Count an attempt to ask for a prediction; or one that Replicate certainly did not take."""
        with self._lock:
            if refused:
                self._refused += 1
            else:
                self._asked += 1

    def settle(self, key: str, seconds: float, compute: float | None, *, made: bool) -> None:
        """Count a prediction for so many seconds of audio that ended after ``compute`` seconds.

        One whose compute is not told is counted as estimated. One that an earlier build
        asked for is not paid for in this one, but tells how long predictions take.
        """
        with self._lock:
            ours = self._in_flight.pop(key, None) or self._open.pop(key, None)
            if ours is not None:
                self._spent_compute += self.estimate(seconds)[0] if compute is None else compute
            if compute is not None:
                self._rate = max(self._rate, compute / seconds)
                self._measured |= made

    def leave(self, key: str, *, may_cost: bool) -> None:
        """What is in flight for a clip is left: it never began, or may cost what is estimated."""
        with self._lock:
            seconds = self._in_flight.pop(key, None)
            if seconds is not None and may_cost:
                self._open[key] = seconds

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
        compute = self._spent_compute + self.estimate(sum(self._open.values()))[0]
        told += f", {compute:.0f} s of compute, about USD {compute * self._price:.2f}"
        if self._open:
            told += (
                f"; {len(self._open)} of them not settled, counted as estimated: "
                "build again to see what came of them"
            )
        return told

    def _spent(self) -> float:
        """USD, with what cannot be told yet as estimated."""
        return self._spent_compute * self._price + self.estimate(sum(self._open.values()))[1]
