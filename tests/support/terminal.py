"""A person at a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def at_terminal(
    command: Sequence[object], answers: str, cwd: Path, environment: Mapping[str, str]
) -> tuple[int, str]:
    """Run a command that asks; its exit code, and what stands on the screen then."""
    ours, theirs = pty.openpty()
    os.write(ours, answers.encode())
    with subprocess.Popen(
        list(map(str, command)), cwd=cwd, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as asks:
        os.close(theirs)
        screen = b""
        while True:
            try:
                more = os.read(ours, 10_000)
            except OSError:  # as Linux tells that nobody writes any more
                break
            if not more:
                break
            screen += more
    os.close(ours)
    return asks.returncode, screen.decode()
