"""A command as it runs on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Sequence


def on_a_terminal(command: Sequence[object]) -> str:
    """What a command tells where it is looked at."""
    here, there = pty.openpty()
    process = subprocess.Popen([*map(str, command)], stdin=there, stdout=there, stderr=there)
    os.close(there)
    told = b""
    while True:
        try:
            some = os.read(here, 4096)
        except OSError:  # how Linux tells that nobody is there any more
            break
        if not some:
            break
        told += some
    process.wait()
    os.close(here)
    return told.decode().replace("\r\n", "\n")
