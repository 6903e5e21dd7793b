"""Replicate's HTTP API through its official client: the few calls that rendering needs.

Each call tries again, later and later, where that may help, and waits as long as
Replicate says. Asking for a prediction alone is tried once: who asks must know whether
it was taken.
"""

from __future__ import annotations

import math
import os
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import httpx
from replicate.client import Client

from gallery.engines.replicate.trouble import Trouble, Wire, one_line, unanswered

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

ATTEMPTS = 8

# Longest wait that an answer may ask for, in seconds.
LONGEST_WAIT = 600.0

# Attempts at what a build that is being stopped still has to do.
LAST_ATTEMPTS = 3

# Pages of 100 predictions that are looked through for one.
_PAGES = 100

_ID = re.compile(r"[A-Za-z0-9]{1,64}")
_RUNNING = ("starting", "processing")
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)

_Told = TypeVar("_Told")


class Stopped(Exception):
    """The build is being stopped."""


@dataclass(frozen=True)
class Prediction:
    """A prediction as Replicate tells of it; ``predict_time`` is its seconds of compute."""

    id: str
    version: str
    status: str
    input: dict[str, Any]
    output: Any
    logs: str
    error: str
    predict_time: float | None
    created_at: str
    completed_at: str

    @property
    def ended(self) -> bool:
        """Whether its status will not change any more."""
        return self.status not in _RUNNING


class Service:
    """Replicate for one account. Every call raises Trouble, or Stopped once ``stop`` is set.

    Safe to use from several threads.
    """

    def __init__(self, token: str, stop: threading.Event) -> None:
        self._stop, wire = stop, Wire()
        self._client = Client(api_token=token, transport=wire, timeout=_TIMEOUT)
        self._api = urlsplit(os.environ.get("REPLICATE_BASE_URL") or "https://api.replicate.com")
        self._authorization = {"Authorization": f"Bearer {token}"}
        self._files = httpx.Client(
            transport=wire,
            timeout=_TIMEOUT,
            follow_redirects=True,
            event_hooks={"request": [self._refuse_address]},
        )
        # Seconds between the first two looks at a prediction; REPLICATE_POLL_INTERVAL sets them.
        self.interval: float = max(self._client.poll_interval, 0.01)

    def ask(self, model: str, version: str, given: dict[str, Any]) -> Prediction:
        """Ask for a prediction, once. This is what costs money."""
        name = f"{model}:{version}"
        return _once(lambda: _told(self._client.predictions.create(version=name, input=given)))

    def get(self, prediction: str) -> Prediction:
        """A prediction as it is now."""
        return self._persist(lambda: _told(self._client.predictions.get(prediction)))

    def find(self, version: str, given: dict[str, Any], since: datetime) -> Prediction | None:
        """The latest prediction of this input that is of use, made after a point in time."""
        page = self._persist(lambda: self._client.predictions.list())
        for _ in range(_PAGES):
            for item in map(_told, page.results):
                if _time(item.created_at) < since:
                    return None
                of_use = item.status == "succeeded" or not item.ended
                if of_use and item.version == version and item.input == given:
                    return item
            after = page.next
            if not after:
                return None
            page = self._persist(partial(self._client.predictions.list, after))
        raise Trouble("Replicate lists too many predictions to look through", 400)

    def cancel(self, prediction: str) -> Prediction:
        """Cancel a prediction, and say how it ended, if it has by now. Works while stopping, too."""
        now = self._persist(lambda: _told(self._client.predictions.cancel(prediction)), to_the_end=True)
        for _ in range(LAST_ATTEMPTS):
            if now.ended:
                break
            time.sleep(self.interval)
            now = self._persist(lambda: _told(self._client.predictions.get(prediction)), to_the_end=True)
        return now

    def upload(self, path: Path) -> str:
        """Upload a file for predictions to read; returns its address."""
        return self._persist(lambda: str(self._client.files.create(path).urls["get"]))

    def download(self, address: str, limit: int) -> bytes:
        """What lies at an output's address: at most ``limit`` bytes. Works while stopping, too."""
        return self._persist(lambda: self._download(address, limit), to_the_end=True)

    def pause(self, attempt: int, trouble: Trouble) -> None:
        """Wait after so many attempts. Raises the trouble itself where that would take too long."""
        wait = trouble.pause(attempt, self.interval)
        if wait > LONGEST_WAIT:
            raise trouble
        if self._stop.wait(wait):
            raise Stopped

    def close(self) -> None:
        """Close all connections."""
        self._files.close()

    def _persist(self, call: Callable[[], _Told], *, to_the_end: bool = False) -> _Told:
        """Try again where that may help; ``to_the_end`` a few times even while stopping."""
        attempt = 0
        while True:
            try:
                return _once(call)
            except Trouble as trouble:
                stopping = to_the_end and self._stop.is_set()
                attempt += 1
                if not trouble.passing or attempt >= (LAST_ATTEMPTS if stopping else ATTEMPTS):
                    raise
                if stopping:
                    time.sleep(self.interval)
                    continue
                try:
                    self.pause(attempt, trouble)
                except Stopped:
                    if not to_the_end:
                        raise

    def _download(self, address: str, limit: int) -> bytes:
        data = bytearray()
        # Outputs want the token, and nobody else is to have it.
        headers = self._authorization if self._is_theirs(address) else {}
        with self._files.stream("GET", address, headers=headers) as response:
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > limit:
                    raise Trouble(f"its audio is larger than {limit} bytes", 413)
        return bytes(data)

    def _is_theirs(self, address: str) -> bool:
        parts = urlsplit(address)
        host = f".{parts.hostname}"
        theirs = parts.scheme == "https" and host.endswith((".replicate.com", ".replicate.delivery"))
        return theirs or self._is_api(address)

    def _is_api(self, address: str) -> bool:
        parts = urlsplit(address)
        return (parts.scheme, parts.netloc) == (self._api.scheme, self._api.netloc)

    def _refuse_address(self, request: httpx.Request) -> None:
        """Called before every request for an output, redirected ones too."""
        if request.url.scheme != "https" and not self._is_api(str(request.url)):
            raise Trouble(f"its audio is not at https but at {one_line(request.url.scheme)}", 400)


def _once(call: Callable[[], _Told]) -> _Told:
    try:
        return call()
    except (httpx.RequestError, httpx.InvalidURL) as error:
        raise unanswered(error) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Trouble("Replicate answered something that its client does not understand", 502) from error


def _told(given: Any) -> Prediction:
    """A prediction of the client's, with nothing in it but what can be used."""
    metrics = given.metrics if isinstance(given.metrics, dict) else {}
    seconds: Any = metrics.get("predict_time")
    timed = type(seconds) in (int, float) and 0 <= seconds < math.inf
    if not _ID.fullmatch(given.id):
        raise ValueError("no id")
    return Prediction(
        id=given.id,
        version=one_line(given.version, 64),
        status=given.status,
        input=given.input or {},
        output=given.output,
        logs=given.logs or "",
        error=one_line(given.error or ""),
        predict_time=seconds if timed else None,
        created_at=one_line(given.created_at or "", 40),
        completed_at=one_line(given.completed_at or "", 40),
    )


def _time(text: str) -> datetime:
    """A point in time in ISO 8601; one that cannot be read is taken for the latest."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.max.replace(tzinfo=UTC)
