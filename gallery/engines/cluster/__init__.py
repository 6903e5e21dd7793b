"""The engine `musicgen` on a Ray cluster: a worker for each GPU, which holds a model and renders with it.

| module | its one job |
|---|---|
| session | Ray: connected to, or started here |
| worker | what runs on the cluster's machines |
| queues | which clips a worker is given next |
| dispatcher | workers started, given clips, listened to and replaced |

Requests and melodies travel to the workers, audio comes back; weights don't travel.
Nothing here imports Ray before there is something to render.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

    from gallery.config import Config
    from gallery.engines import Failure, Render
    from gallery.prompts.request import Request

__all__ = ["Cluster", "ClusterEngine", "availability"]


@dataclass(frozen=True)
class Cluster:
    """Where to render: a Ray cluster's address, or ``auto``, which is this machine.

    ``workers`` is how many there are to be; by default one a GPU, or one a machine where
    the cluster has no GPU.
    """

    address: str
    workers: int | None = None


class ClusterEngine:
    """Renders requests on a Ray cluster. ``melodies`` are the melody files by their digests.

    ``device`` is ``cpu``, ``cuda`` or ``auto``: its GPUs where it has any.
    """

    name = "musicgen"

    def __init__(
        self, cluster: Cluster, config: Config, melodies: Mapping[str, Path], device: str = "auto"
    ) -> None:
        self._cluster, self._config, self._melodies, self._device = cluster, config, melodies, device

    def render(self, requests: Sequence[Request]) -> Generator[Render | Failure, None, None]:
        """Render every request, each exactly once. Raises GalleryError where the cluster cannot be used."""
        from gallery.engines.cluster.dispatcher import Dispatcher
        from gallery.engines.cluster.session import connected

        with connected(self._cluster.address, self._cluster.workers) as (ray, scratch):
            dispatcher = Dispatcher(
                ray, self._cluster.workers, self._config, self._melodies, scratch, self._device
            )
            yield from dispatcher.render(requests)


def availability() -> str | None:
    """None where Ray is installed, otherwise what to do."""
    if importlib.util.find_spec("ray") is None:
        return "Ray is not installed: run `pip install ray`"
    return None
