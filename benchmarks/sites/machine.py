"""The machine that figures are of."""

from __future__ import annotations

import platform
from pathlib import Path


def processor() -> str:
    """The processor's name and number of cores, as far as the system tells: figures differ by it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} cores of {names[0]}" if names else platform.processor() or platform.machine()
