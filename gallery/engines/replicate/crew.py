"""Orders made by several threads at once, and what they make handed over as it comes."""

from __future__ import annotations

import logging
import threading
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from gallery.engines import Failure, Render
from gallery.engines.replicate.purchase import Declined
from gallery.engines.replicate.service import Stopped
from gallery.engines.replicate.trouble import one_line
from gallery.utils.progress import say

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from gallery.engines.replicate.asking import Order
    from gallery.engines.replicate.purchase import Purchases
    from gallery.engines.replicate.tickets import Tickets

# How long a build that is stopped waits for what is under way to be cancelled, in seconds.
_PATIENCE = 60.0

_log = logging.getLogger(__name__)


class Crew:
    """Threads that make orders until there are none left, or ``stop`` is set.

    They are plain threads with plain queues: Ctrl-C may hit the main thread at any step,
    and leaves these whole where it would lock a thread pool for ever.
    """

    def __init__(self, purchases: Purchases, tickets: Tickets, stop: threading.Event) -> None:
        self._purchases, self._tickets, self._stop = purchases, tickets, stop
        self._orders: SimpleQueue[Order] = SimpleQueue()
        # None for each thread that is done.
        self._outcomes: SimpleQueue[Render | Failure | None] = SimpleQueue()

    def make(self, orders: Sequence[Order], threads: int) -> Generator[Render | Failure, None, None]:
        """Yield each clip as it comes. When interrupted or closed, cancel what is under way.

        What was finished by then is yielded before an interruption goes on.
        """
        for order in orders:
            self._orders.put(order)
        workers = [threading.Thread(target=self._work, daemon=True) for _ in orders[:threads]]
        try:
            for worker in workers:
                worker.start()
            yield from self._hand_over(len(workers))
        except (KeyboardInterrupt, GeneratorExit) as end:
            self._stop_all(workers)
            if isinstance(end, KeyboardInterrupt):
                yield from self._left_over()
            raise

    def _hand_over(self, at_work: int) -> Generator[Render | Failure, None, None]:
        while at_work:
            outcome = self._outcomes.get()
            if outcome is None:
                at_work -= 1
            else:
                yield from self._handed_over(outcome)

    def _left_over(self) -> Generator[Render | Failure, None, None]:
        while not self._outcomes.empty():
            outcome = self._outcomes.get()
            if outcome is not None:
                yield from self._handed_over(outcome)

    def _handed_over(self, outcome: Render | Failure) -> Generator[Render | Failure, None, None]:
        yield outcome
        # Whoever asks for the next clip has kept this one.
        if isinstance(outcome, Render):
            self._tickets.remove(outcome.request.key)

    def _stop_all(self, workers: Sequence[threading.Thread]) -> None:
        self._stop.set()
        if any(worker.is_alive() for worker in workers):
            say("cancelling what is under way on Replicate")
        end = time.monotonic() + _PATIENCE
        for worker in workers:
            if worker.ident:
                worker.join(max(end - time.monotonic(), 0))

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                order = self._orders.get_nowait()
            except Empty:
                break
            outcome = self._outcome(order)
            if outcome is not None:
                self._outcomes.put(outcome)
        self._outcomes.put(None)

    def _outcome(self, order: Order) -> Render | Failure | None:
        try:
            return self._purchases.make(order)
        except Stopped:
            return None
        except Declined as reason:
            return Failure(order.request, str(reason))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other clips go on
            _log.debug("rendering on Replicate failed", exc_info=True)
            return Failure(order.request, one_line(f"{type(error).__name__}: {error}"))
