"""Which clips a worker is given next: models are loaded seldom, and what kills workers is found.

Clips are known by their numbers: their places in the build's list of requests.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from gallery.prompts.request import Request

# The most clips that a worker is given at once.
MAX_CLIPS = {"cuda": 256, "cpu": 16}

# For so many clips a further worker loads a model that others hold already. A GPU decodes
# a batch with idle slots no faster than a full one, so that few clips gain nothing there.
CLIPS_PER_LOAD = {"cuda": 32, "cpu": 1}

# The clips of a worker that died are tried again in so many parts.
RETRY_PARTS = 8


@dataclass
class _Queue:
    """One model's clips: the longest first, and groups of which one clip may kill its worker."""

    clips: list[int] = field(default_factory=list)
    suspects: deque[list[int]] = field(default_factory=deque)

    def __len__(self) -> int:
        return len(self.clips) + sum(map(len, self.suspects))


class Queues:
    """The clips that no worker has been given, by model."""

    def __init__(self, requests: Sequence[Request], device: str) -> None:
        """``device`` is what the workers render on: ``cuda`` or ``cpu``."""
        self._max_clips, self._clips_per_load = MAX_CLIPS[device], CLIPS_PER_LOAD[device]
        self._frames = [request.frames for request in requests]
        self._queues: dict[str, _Queue] = {}
        self._deaths: Counter[int] = Counter()
        for number in sorted(range(len(requests)), key=lambda number: -self._frames[number]):
            self._queues.setdefault(requests[number].model, _Queue()).clips.append(number)

    @property
    def models(self) -> list[str]:
        """Models that have clips waiting."""
        return [model for model, queue in self._queues.items() if queue]

    def choose(self, held: str, holders: Mapping[str, int], refused: Collection[str]) -> str | None:
        """The model whose clips a worker does next, or None: it has nothing to do for now.

        ``held`` is the model that it has loaded, ``holders`` tells how many workers have
        each model, and ``refused`` are those that it cannot load.
        """
        models = [model for model in self.models if model not in refused]
        if held in models:
            return held
        new = [
            model
            for model in models
            if not holders.get(model) or len(self._queues[model]) >= self._clips_per_load
        ]
        # What no worker holds comes first, then where there is most to do for each of its holders.
        return max(new, key=lambda model: (not holders.get(model), self._load(model, holders)), default=None)

    def _load(self, model: str, holders: Mapping[str, int]) -> float:
        queue = self._queues[model]
        frames = sum(self._frames[number] for clips in (queue.clips, *queue.suspects) for number in clips)
        return frames / (1 + holders.get(model, 0))

    def take(self, model: str, workers: int) -> list[int]:
        """Clips for one of so many workers that could share a model's; suspects come last.

        They are dealt like cards, so that everyone gets as many long ones.
        """
        queue = self._queues[model]
        if not queue.clips:
            return queue.suspects.popleft()
        sharers = max(1, min(workers, -(-len(queue.clips) // self._clips_per_load)))
        taken = queue.clips[::sharers][: self._max_clips]
        chosen = set(taken)
        queue.clips = [number for number in queue.clips if number not in chosen]
        return taken

    def give_back(self, model: str, clips: Sequence[int]) -> list[int]:
        """Take back the clips of a worker that died; returns the one that is to blame, if found.

        They are tried again in smaller groups. A clip is to blame when its worker dies
        over it alone, and it was not the first one.
        """
        self._deaths.update(clips)
        if len(clips) == 1 and self._deaths[clips[0]] > 1:
            return list(clips)
        size = -(-len(clips) // RETRY_PARTS)
        groups = [list(clips[start : start + size]) for start in range(0, len(clips), size)]
        self._queues[model].suspects.extend(groups)
        return []

    def give_up(self, model: str) -> list[int]:
        """Take all that waits for a model."""
        queue, self._queues[model] = self._queues[model], _Queue()
        return [*queue.clips, *(number for group in queue.suspects for number in group)]
