"""Replicate's HTTP API through its official client: the few calls that rendering needs.

Each call tries again, later and later, where that may help, and waits as long as
Replicate says. Asking for a prediction alone is tried once: who asks must find out first
whether it was taken.
"""

from __future__ import annotations

import email.utils
import json
import math
import os
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import httpx
from replicate.client import Client

from gallery.engines.replicate.prediction import is_marked
from gallery.errors.text import one_line

if TYPE_CHECKING:
    import ssl
    import threading
    from collections.abc import Callable, Mapping
    from pathlib import Path

ATTEMPTS = 8

# Attempts at what a build that is being stopped still has to do.
LAST_ATTEMPTS = 3

# Longest waits between attempts, in seconds: where Replicate names none, and where it does.
LONGEST_PAUSE = 60.0
LONGEST_WAIT = 600.0

# Pages of 100 predictions that are looked through for one.
_PAGES = 100

_ID = re.compile(r"[A-Za-z0-9]{1,64}")
_RUNNING = ("starting", "processing")
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)

_Answer = TypeVar("_Answer")


class Stopped(Exception):
    """The build is being stopped."""


class Forgotten(Exception):
    """Replicate has deleted what its predictions were asked for, so that none can be told from another."""


class ServiceError(Exception):
    """A call that was not answered as it should be; the text says how, in one line.

    ``status`` is the answer's HTTP status, 0 without one. ``retry_after`` is the wait
    in seconds that the answer names. ``taken`` says that the call may have been carried
    out all the same.
    """

    def __init__(
        self, text: str, status: int = 0, retry_after: float | None = None, *, taken: bool = True
    ) -> None:
        super().__init__(text)
        self.status, self.retry_after, self.taken = status, retry_after, taken

    @property
    def passing(self) -> bool:
        """Whether the same call may be answered later."""
        return self.status in (0, 408, 429) or self.status >= 500

    @property
    def concerns_all(self) -> bool:
        """Whether every other call would meet with it, too."""
        return self.passing or self.status in (401, 402, 403)


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


class ReplicateClient:
    """Replicate for one account. Every call raises ServiceError, or Stopped once ``stop`` is set.

    Safe to use from several threads.
    """

    def __init__(self, token: str, stop: threading.Event) -> None:
        self._stop, transport = stop, _Transport(verify=_certificates())
        self._client = Client(api_token=token, transport=transport, timeout=_TIMEOUT)
        self._api = urlsplit(os.environ.get("REPLICATE_BASE_URL") or "https://api.replicate.com")
        self._authorization = {"Authorization": f"Bearer {token}"}
        self._files = httpx.Client(
            transport=transport,
            timeout=_TIMEOUT,
            follow_redirects=True,
            event_hooks={"request": [self._refuse_address]},
        )
        # Seconds between the first two looks at a prediction; REPLICATE_POLL_INTERVAL sets them.
        self.interval: float = max(self._client.poll_interval, 0.01)

    def create(self, model: str, version: str, given: dict[str, Any]) -> Prediction:
        """Ask for a prediction, once. This is what costs money."""
        name = f"{model}:{version}"
        return _call(lambda: _prediction(self._client.predictions.create(version=name, input=given)))

    def get(self, prediction: str, *, to_the_end: bool = False) -> Prediction:
        """A prediction as it is now."""
        return self._persist(
            lambda: _prediction(self._client.predictions.get(prediction)), to_the_end=to_the_end
        )

    def find(self, version: str, given: dict[str, Any], since: datetime) -> Prediction | None:
        """The prediction that was made of this input, or None if the account's list has none.

        The list is read to its end, or to before a point in time. Raises Forgotten where the
        prediction may be one whose input is not kept any more.
        """
        forgotten, after = False, None
        for _ in range(_PAGES):
            items, after = self._persist(partial(self._page, after))
            for item in items:
                if _is_of(item, version, given):
                    return item
                recent = _time(item.created_at) >= since
                forgotten |= recent and item.version == version and not item.input
            if not after or any(_time(item.created_at) < since for item in items):
                break
        else:
            raise ServiceError("Replicate lists too many predictions to look through", 400)
        if forgotten:
            raise Forgotten
        return None

    def _page(self, after: str | None) -> tuple[list[Prediction], str | None]:
        """A page of the account's predictions, latest first, and where the next one is."""
        page = self._client.predictions.list(*[after] if after else [])
        return [_prediction(item) for item in page.results], page.next

    def cancel(self, prediction: str) -> Prediction:
        """Cancel a prediction, and say how it ended, if it has by now. Works while stopping, too."""
        now = self._persist(lambda: _prediction(self._client.predictions.cancel(prediction)), to_the_end=True)
        for _ in range(LAST_ATTEMPTS):
            if now.ended:
                break
            time.sleep(self.interval)
            now = self.get(prediction, to_the_end=True)
        return now

    def upload(self, path: Path) -> str:
        """Upload a file for predictions to read; returns its address."""
        return self._persist(lambda: str(self._client.files.create(path).urls["get"]))

    def download(self, address: str, limit: int) -> bytes:
        """What lies at an output's address: at most ``limit`` bytes. Works while stopping, too."""
        return self._persist(lambda: self._download(address, limit), to_the_end=True)

    def pause(self, attempt: int, error: ServiceError, *, to_the_end: bool = False) -> None:
        """Wait after so many attempts: as told, else twice as long each time.

        Raises the error itself where that would take too long, and Stopped, unless what is
        tried goes ``to_the_end``.
        """
        if to_the_end and self._stop.is_set():
            time.sleep(self.interval)
            return
        wait = min(self.interval * 2.0 ** (attempt - 1), LONGEST_PAUSE)
        if error.retry_after is not None:
            wait = max(error.retry_after, self.interval)
        if wait > LONGEST_WAIT:
            raise error
        if self._stop.wait(wait) and not to_the_end:
            raise Stopped

    def close(self) -> None:
        """Close all connections."""
        self._files.close()

    def _persist(self, call: Callable[[], _Answer], *, to_the_end: bool = False) -> _Answer:
        """Try again where that may help; ``to_the_end`` a few times even while stopping."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return _call(call)
            except ServiceError as error:
                most = LAST_ATTEMPTS if to_the_end and self._stop.is_set() else ATTEMPTS
                if not error.passing or attempt >= most:
                    raise
                self.pause(attempt, error, to_the_end=to_the_end)

    def _download(self, address: str, limit: int) -> bytes:
        data = bytearray()
        # Outputs want the token, and nobody else is to have it.
        headers = self._authorization if self._is_theirs(address) else {}
        with self._files.stream("GET", address, headers=headers) as response:
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > limit:
                    raise ServiceError(f"its audio is larger than {limit} bytes", 413)
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
            raise ServiceError(f"its audio is not at https but at {one_line(request.url.scheme)}", 400)


@cache
def _certificates() -> ssl.SSLContext:
    """Whom to trust: read once."""
    context: ssl.SSLContext = httpx.create_ssl_context()
    return context


class _Transport(httpx.HTTPTransport):
    """Raises ServiceError for every answer that is an error.

    The client's own errors lose the header that says how long to wait, and its own retries
    sleep through Ctrl-C.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if response.status_code >= 400:
            response.read()
            raise _error_in(response)
        return response


def _error_in(response: httpx.Response) -> ServiceError:
    status = response.status_code
    try:
        told = json.loads(response.content)
    except (ValueError, RecursionError):
        told = None
    fields: dict[str, Any] = told if isinstance(told, dict) else {}
    detail = one_line(str(fields.get("detail") or response.reason_phrase))
    # These may come from between the server and us, after it did what it was asked.
    return ServiceError(
        f"Replicate answered {status}: {detail}",
        status,
        _retry_after(response.headers, fields) if status in (429, 503) else None,
        taken=status >= 500 or status == httpx.codes.REQUEST_TIMEOUT,
    )


def _retry_after(headers: Mapping[str, str], told: dict[str, Any]) -> float | None:
    """The wait that an answer names: seconds or a date in its header, or seconds in its body."""
    text = headers.get("Retry-After", "").strip() or str(told.get("retry_after") or "")
    if text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        when = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max((when - datetime.now(UTC)).total_seconds(), 0.0) if when.tzinfo else None


def _call(call: Callable[[], _Answer]) -> _Answer:
    """What a call answers. Raises ServiceError for whatever the client makes of having no answer."""
    try:
        return call()
    except (httpx.RequestError, httpx.InvalidURL) as error:
        unsent = (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.InvalidURL,
            httpx.PoolTimeout,
            httpx.UnsupportedProtocol,
        )
        text = one_line(str(error)) or type(error).__name__
        raise ServiceError(
            f"Replicate cannot be reached ({text})", taken=not isinstance(error, unsent)
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ServiceError("Replicate answered something that its client does not understand", 502) from error


def _prediction(told: Any) -> Prediction:
    """A prediction of the client's, with nothing in it but what can be used."""
    metrics = told.metrics if isinstance(told.metrics, dict) else {}
    seconds: Any = metrics.get("predict_time")
    timed = type(seconds) in (int, float) and 0 <= seconds < math.inf
    if not _ID.fullmatch(told.id):
        raise ValueError("no id")
    return Prediction(
        id=told.id,
        version=one_line(told.version, 64),
        status=told.status,
        input=told.input or {},
        output=told.output,
        logs=told.logs or "",
        error=one_line(told.error or ""),
        predict_time=seconds if timed else None,
        created_at=one_line(told.created_at or "", 40),
        completed_at=one_line(told.completed_at or "", 40),
    )


def _is_of(item: Prediction, version: str, given: dict[str, Any]) -> bool:
    """Whether a prediction was made of this input.

    Where others may have the same, one that brought nothing is taken for another's.
    """
    same = all(name in item.input and item.input[name] == value for name, value in given.items())
    of_use = item.status == "succeeded" or not item.ended
    return same and (is_marked(given) or (item.version == version and of_use))


def _time(text: str) -> datetime:
    """A point in time in ISO 8601; one that cannot be read is taken for the latest."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.max.replace(tzinfo=UTC)
