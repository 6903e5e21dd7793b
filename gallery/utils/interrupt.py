"""Ctrl-C where it does no harm."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator


class Interrupts:
    """Holds Ctrl-C back while threads are handed work.

    Python raises KeyboardInterrupt between any two steps of the main thread. Between the
    taking and the releasing of a thread pool's lock, that leaves the pool locked for ever.
    So it is raised only inside `allowed`, or at its next beginning.
    """

    def __init__(self) -> None:
        self._asked = self._open = False
        self._previous: Any = None

    def __enter__(self) -> Self:
        # Signals reach the main thread alone; elsewhere there is nothing to hold back.
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _handle(self, *_: object) -> None:
        if self._open:
            raise KeyboardInterrupt
        self._asked = True

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Let Ctrl-C end what happens inside."""
        self._open = True
        try:
            if self._asked:
                raise KeyboardInterrupt
            yield
        finally:
            self._open = False
