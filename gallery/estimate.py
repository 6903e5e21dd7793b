"""What rendering will cost, judged by what it cost before: the store's records tell how long renders took."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from gallery.errors.validation import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gallery.config import Config
    from gallery.prompts.prompt import Clip
    from gallery.store.clips import Record, Store

# No render takes months, and a number can be too large to be divided.
_MOST_SECONDS = 10**7


@dataclass(frozen=True)
class Pace:
    """Seconds that a model took for each second of audio on a GPU: the median over ``records``."""

    seconds: float
    records: int
    device: str


@dataclass(frozen=True)
class Cost:
    """Clips to render with one model (its name in the gallery) and their seconds of audio.

    ``pace`` is None where no record tells how long the model takes on a GPU.
    """

    model: str
    clips: int
    seconds: float
    pace: Pace | None

    @property
    def minutes(self) -> float | None:
        """Estimated minutes on the GPU that the records are of."""
        return self.seconds * self.pace.seconds / 60 if self.pace else None


def costs(clips: Iterable[Clip], config: Config, store: Store) -> list[Cost]:
    """The cost of rendering these clips, by model, in the order of gallery.toml."""
    by_model: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        by_model[clip.model].append(clip)
    paces = _paces(store, {config.models[name].hub for name in by_model}) if by_model else {}
    return [
        Cost(
            model=name,
            clips=len(by_model[name]),
            seconds=sum(clip.duration for clip in by_model[name]),
            pace=paces.get(model.hub),
        )
        for name, model in config.models.items()
        if name in by_model
    ]


def _paces(store: Store, hubs: set[str]) -> dict[str, Pace]:
    """The pace of each of these models that has a record, on the GPU that most of its records are of."""
    samples: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for key in store:
        record = store.get(key)
        if record and record.request.model in hubs and (seconds := _seconds(record)):
            device = printable(str(record.provenance["device"]))
            samples[record.request.model][device].append(seconds / record.request.duration)
    return {hub: _pace_of(devices) for hub, devices in samples.items()}


def _seconds(record: Record) -> float | None:
    """How long a GPU took for a clip, its share of the batch; None where the record does not tell."""
    seconds, device = record.provenance.get("seconds"), record.provenance.get("device")
    if record.engine != "musicgen" or not isinstance(device, str) or device in ("", "cpu"):
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    return seconds if 0 < seconds < _MOST_SECONDS else None


def _pace_of(devices: dict[str, list[float]]) -> Pace:
    device, paces = max(devices.items(), key=lambda item: (len(item[1]), item[0]))
    return Pace(median(paces), len(paces), device)
