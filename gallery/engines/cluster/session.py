"""A connection to a Ray cluster, or a cluster of this machine alone for as long as a build takes."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import socket
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gallery.errors import GalleryError
from gallery.errors.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCAL = "auto"

# Bytes of memory for results on their way; Ray moves what is more to the disk.
_OBJECT_STORE = 512 << 20


@contextmanager
def connected(address: str, workers: int | None) -> Iterator[tuple[Any, str | None]]:
    """Ray, connected, and the folder for its files where it was started here.

    ``auto`` starts Ray on this machine with room for ``workers``. At the end the build's
    workers are stopped, and with them what was started. Raises GalleryError.
    """
    scratch = None
    # Nothing is sent to Ray's makers, and nothing of its own news is shown.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    where: dict[str, Any] = {"address": address}
    if address == LOCAL:
        # Sockets have short names only, which the temporary folders of some systems are too long for.
        scratch = tempfile.mkdtemp(prefix="gallery-", dir="/tmp" if os.name == "posix" else None)  # noqa: S108
        # Ray listens on all of the machine's addresses: only who knows the token gets in.
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        where = {
            "address": "local",
            "num_cpus": max(os.cpu_count() or 1, workers or 1),
            "include_dashboard": False,
            "object_store_memory": _OBJECT_STORE,
            "_temp_dir": scratch,
            # Else Ray starts a process for every core ahead of any work; workers are few.
            "_system_config": {"prestart_worker_first_driver": False},
        }
    else:
        _refuse_unreachable(address)
    import ray  # which takes its settings from the environment, once
    from ray._private import worker as internals

    try:
        # Deaths of workers are told in the build's own words; Ray has no public way to say so.
        internals._worker_logs_enabled = False
        try:
            ray.init(**where, log_to_driver=False, logging_level=logging.ERROR)
        except (ray.exceptions.RayError, ConnectionError, OSError, RuntimeError, ValueError) as error:
            place = "on this machine" if scratch else f"at {address}"
            raise GalleryError(f"the Ray cluster {place} cannot be used: {one_line(error)}") from error
        yield ray, scratch
    finally:
        ray.shutdown()
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)


def _refuse_unreachable(address: str) -> None:
    """Find out in a moment whether there is a cluster; Ray would take long, and be loud about it."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, ValueError, OverflowError) as error:
        raise GalleryError(f"no Ray cluster answers at {address}: {one_line(error)}") from error
