"""What keeps Replicate from answering, and how long to wait before asking again."""

from __future__ import annotations

import email.utils
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from gallery.errors.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

# Longest wait between attempts where Replicate names none, in seconds.
LONGEST_PAUSE = 60.0


class Trouble(Exception):
    """A request that was not answered as it should be; the text says how, in one line.

    ``status`` is the answer's HTTP status, 0 without one. ``retry_after`` is the wait
    in seconds that the answer names. ``taken`` says that the request may have been
    carried out all the same.
    """

    def __init__(
        self, text: str, status: int = 0, retry_after: float | None = None, *, taken: bool = True
    ) -> None:
        super().__init__(text)
        self.status, self.retry_after, self.taken = status, retry_after, taken

    @property
    def passing(self) -> bool:
        """Whether the same request may be answered later."""
        return self.status in (0, 429) or self.status >= 500

    @property
    def concerns_all(self) -> bool:
        """Whether every other request would meet with it, too."""
        return self.passing or self.status in (401, 402, 403)

    def pause(self, attempt: int, first: float) -> float:
        """Seconds to wait after so many attempts: as told, else twice as long each time."""
        grown = min(first * 2.0 ** (attempt - 1), LONGEST_PAUSE)
        return grown if self.retry_after is None else max(self.retry_after, first)


class Wire(httpx.BaseTransport):
    """Raises Trouble for every answer that is an error.

    The client's own errors lose the header that says how long to wait, and its own retries
    sleep through Ctrl-C.
    """

    def __init__(self) -> None:
        self._transport = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on, and an answer back."""
        response = self._transport.handle_request(request)
        if response.status_code >= 400:
            response.read()
            raise _trouble(response)
        return response

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()


def one_line(text: str, length: int = 200) -> str:
    """The beginning of a text that somebody else wrote, safe to show and to keep."""
    return printable(" ".join(text.split())[:length])[:length]


def unanswered(error: httpx.RequestError | httpx.InvalidURL) -> Trouble:
    """The trouble of a request that came to no answer."""
    before_sending = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
    text = one_line(str(error)) or type(error).__name__
    return Trouble(f"Replicate cannot be reached ({text})", taken=not isinstance(error, before_sending))


def _trouble(response: httpx.Response) -> Trouble:
    status, told = response.status_code, _json_object(response)
    detail = one_line(str(told.get("detail") or response.reason_phrase))
    # An error of the server may come from between it and us, after it did what it was asked.
    return Trouble(
        f"Replicate answered {status}: {detail}",
        status,
        _retry_after(response.headers, told) if status in (429, 503) else None,
        taken=status >= 500,
    )


def _json_object(response: httpx.Response) -> dict[str, Any]:
    try:
        told = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


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
