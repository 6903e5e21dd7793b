"""Fetching what a prediction points to, warily: the address is somebody else's."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

from gallery.importers.found import Unusable
from gallery.importers.untrusted import clean_line

if TYPE_CHECKING:
    from pathlib import Path

# Hosts that may be asked without TLS and in this network: none but a test's own server.
PLAIN_HOSTS: frozenset[str] = frozenset()

SOCKET_TIMEOUT = 20  # seconds without a byte
DEADLINE = 120  # seconds altogether

_CHUNK = 1 << 16


def fetch(url: str, target: Path, limit: int) -> None:
    """Write what is at ``url`` to ``target``. Raises Unusable for what is not to be had.

    Accepted are https, and data URLs.
    """
    refuse_address(url)
    end, size = time.monotonic() + DEADLINE, 0
    try:
        with build_opener(_Redirects).open(url, timeout=SOCKET_TIMEOUT) as answer, target.open("wb") as file:
            # What is there, not a whole chunk: one that comes byte by byte would outlast the deadline.
            while chunk := answer.read1(_CHUNK):
                size += len(chunk)
                if size > limit:
                    raise Unusable(f"what is at its address is larger than {limit / 1e6:g} MB")
                if time.monotonic() > end:
                    raise Unusable(f"its address took longer than {DEADLINE} s to answer")
                file.write(chunk)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unusable(f"what is at its address cannot be had: {clean_line(error)}") from error


class _Redirects(HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        refuse_address(newurl, redirected=True)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def refuse_address(url: str, *, redirected: bool = False) -> None:
    """Raise Unusable for all but https to the outside world."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as error:
        raise Unusable("its address is none") from error
    if host in PLAIN_HOSTS or (parts.scheme == "data" and not redirected):
        return
    if parts.scheme != "https" or not host or parts.username:
        raise Unusable(
            f"its address is of the kind {clean_line(parts.scheme, 20) or 'none'}; only https is fetched"
        )
    try:
        found = socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return  # a proxy may know the host, and if not, opening it tells why
    if any(not ipaddress.ip_address(address[0]).is_global for *_, address in found):
        raise Unusable("its address is in a private network")
