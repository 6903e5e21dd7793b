"""A worker: the process on one of the cluster's machines that holds a model and renders with it."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from gallery import __version__
from gallery.engines import Render
from gallery.engines.musicgen import MusicGenEngine, availability, device_problem
from gallery.errors.text import one_line
from gallery.prompts.request import Request
from gallery.utils.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gallery.config import Model
    from gallery.engines import Failure


@dataclass(frozen=True)
class WorkerStatus:
    """What a worker says of itself: its machine, gallery's version there, what keeps it from rendering."""

    host: str
    version: str
    problem: str | None


class Worker:
    """Renders with one model at a time, which it keeps until it is given another.

    ``root`` is what the models' folders are relative to, on this machine as on the
    builder's. Melodies lie below ``scratch`` (by default the system's temporary
    folder) while they are needed.
    """

    def __init__(
        self,
        models: Mapping[str, Model],
        root: Path,
        device: str,
        scratch: str | None,
        batch_size: int | None = None,
    ) -> None:
        # What a machine lacks is told, not fetched behind everyone's back by each of its workers.
        os.environ["HF_HUB_OFFLINE"] = "1"
        self._models, self._root, self._scratch = models, root, scratch
        self._device = device
        self._host = socket.gethostname()
        self._melodies: dict[str, Path] = {}
        self._engine = MusicGenEngine(
            models, root=root, melodies=self._melodies, device=device, batch_size=batch_size
        )

    def status(self) -> WorkerStatus:
        """What there is to know before it is given anything to do."""
        problem = availability(self._models, self._root) or device_problem(self._device)
        return WorkerStatus(self._host, __version__, problem)

    def hold(self, hub: str) -> str | None:
        """Load a model, and return what keeps it from that, or None."""
        model = next(model for model in self._models.values() if model.hub == hub)
        problem = availability({hub: model}, self._root)
        if problem:
            return problem
        try:
            self._engine.hold(hub)
        except Exception as error:  # noqa: BLE001 - whatever a checkpoint raises, another machine may do better
            return one_line(error)
        return None

    def render(
        self, clips: Sequence[tuple[int, dict[str, Any]]], melodies: Mapping[str, tuple[str, bytes]]
    ) -> Iterator[tuple[int, Render | Failure]]:
        """Render requests, given as JSON-ready data, each with its number, which its result bears.

        ``melodies`` are the melody files that they need, by their digests: suffix and content.
        """
        requests = [Request.model_validate(fields) for _, fields in clips]
        numbers = {id(request): number for request, (number, _) in zip(requests, clips, strict=True)}
        with TemporaryDirectory(prefix="gallery-", dir=self._scratch) as folder:
            for digest, (suffix, content) in melodies.items():
                path = Path(folder, digest + suffix)
                write_atomic(path, content)
                self._melodies[digest] = path
            for result in self._engine.render(requests):
                number = numbers[id(result.request)]
                if isinstance(result, Render):
                    provenance = result.provenance.with_fields(host=self._host)
                    result = replace(result, provenance=provenance)
                yield number, result
        self._melodies.clear()
