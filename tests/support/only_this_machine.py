"""No request of a test leaves this machine: what tries to is refused, and written down.

Also runs in the processes that tests start, as their sitecustomize.
"""

import os
import socket
from pathlib import Path

FILE = "REFUSED_CONNECTIONS"

_connect, _look_up = socket.socket.connect, socket.getaddrinfo


def _allow(host):
    if host not in ("127.0.0.1", "localhost"):
        with Path(os.environ[FILE]).open("a") as file:
            file.write(f"{host}\n")
        raise OSError(f"a test may not reach {host}")


def connect(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6):
        _allow(address[0])
    return _connect(self, address)


def look_up(host, *args, **kwargs):
    _allow(host)
    return _look_up(host, *args, **kwargs)


def install():
    socket.socket.connect, socket.getaddrinfo = connect, look_up


def remove():
    socket.socket.connect, socket.getaddrinfo = _connect, _look_up


if __name__ == "sitecustomize":
    install()
