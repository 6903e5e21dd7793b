"""What Triton needs to compile the attention's kernel; torch is not asked."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sysconfig
from pathlib import Path

# The oldest compute capability that Triton's README lists; older ones may work.
OLDEST = (8, 0)


def lacks(capability: tuple[int, int]) -> str:
    """Why Triton may not work on a card of this compute capability, and what to do; empty: it should."""
    if importlib.util.find_spec("triton") is None:
        return "Triton is not installed; PyTorch's builds for Linux bring it along"
    compiler = os.environ.get("CC", "").split()[:1] or ["gcc", "clang"]
    if not any(map(shutil.which, compiler)):
        return f"Triton finds no C compiler ({' or '.join(compiler)}): install gcc"
    # Debian's own scheme names a folder that is not there.
    scheme = sysconfig.get_default_scheme().replace("posix_local", "posix_prefix")
    headers = sysconfig.get_paths(scheme)["include"]
    if not Path(headers, "Python.h").is_file():
        return f"Triton finds no Python.h in {headers}: install Python's headers (Debian: python3-dev)"
    if capability < OLDEST:
        return "Triton's makers support compute capability 8.0 and later"
    return ""
