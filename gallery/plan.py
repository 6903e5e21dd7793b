"""What a build has to do, and what rendering will cost, judged by what it cost before or elsewhere."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from gallery.catalogue.again import irreproducible
from gallery.engines.choice import sketch_digest
from gallery.engines.measured import card_here, published
from gallery.errors import Fault
from gallery.errors.text import printable
from gallery.prompts.folder import find_files, read_prompts
from gallery.prompts.prompt import Clips
from gallery.store.places import Stores
from gallery.utils.digest import digest

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence
    from pathlib import Path

    from gallery.config import Config
    from gallery.prompts.prompt import Clip, Reading
    from gallery.state.database import State
    from gallery.store.clips import Store
    from gallery.store.records import Record
    from gallery.store.survey import Flaw, Kept, Survey

# No render takes months, and a number can be too large to be divided.
_MOST_SECONDS = 10**7


@dataclass
class Plan:
    """What a build has to make: clips to encode from lossless renders, and clips to render.

    ``outdated`` counts previews of other settings whose lossless render is not here. ``flaws`` tell
    of clips that are damaged or of a newer version, and that are left as they are. ``lost`` are absent,
    by their keys, and nobody can make them again, for this reason.
    """

    encode: list[Clip] = field(default_factory=list)
    render: list[Clip] = field(default_factory=list)
    outdated: int = 0
    flaws: list[Flaw] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)


def describe_plan(config: Config, paths: Sequence[Path], state: State) -> tuple[Reading, Plan]:
    """What was read, and what a build would do. ``state`` has what is known of the store."""
    reading = read_prompts(config)
    clips = chosen(config, paths, Clips(reading.prompts))
    plan = make_plan(clips, Stores.of(config, state), config, reading.melodies)
    reading.warnings += told_lost(plan, clips)
    return reading, plan


def chosen(config: Config, paths: Sequence[Path], clips: Clips) -> Clips:
    """Of a gallery's clips, those that this build may render."""
    if not paths:
        return clips
    files = {path.relative_to(config.root).as_posix() for path in find_files(config, paths)}
    return Clips(clips.prompts, files)


def make_plan(clips: Mapping[str, Clip], stores: Stores, config: Config, melodies: Container[str]) -> Plan:
    """Sort clips by what is left to do for them. ``melodies`` are the digests of those that are here."""
    plan, store, current = Plan(), stores.store.survey(), config.preview.digest
    for key in clips:
        record = stored(key, stores, config)
        if record and record.settings == current:
            continue
        flaw = flaw_of(key, stores, config)
        if flaw and (flaw.state == "newer" or key in store.playable):
            # Nothing that is here mends it.
            plan.flaws.append(flaw)
        elif stores.lossless.has(key):
            plan.encode.append(clips[key])
        elif flaw:
            plan.flaws.append(flaw)
        elif record:
            plan.outdated += 1
        elif why := irreproducible(clips[key].fields, melodies=melodies):
            plan.lost[key] = why
        else:
            plan.render.append(clips[key])
    # One model after the other: each is loaded once.
    names = list(config.models)
    plan.render.sort(key=lambda clip: names.index(clip.model))
    return plan


def told_lost(plan: Plan, clips: Clips) -> list[Fault]:
    """A warning for each clip that is lost, and how it comes back."""
    told = []
    for key, why in plan.lost.items():
        field = "audio" if "audio" in clips[key].fields else "melody"
        way = "bring it back with `gallery import`"
        if field == "melody":
            way += ", or put the melody's file beside the prompt file and name it"
        message = f"the clip is not in the store, and {why}: {way}"
        told.append(Fault(clips.homes[key].file, 0, field, message))
    return told


def stored(key: str, stores: Stores, config: Config) -> Kept | None:
    """What is known of a clip whose preview can be played: it lies here, or at the audio's address."""
    store = stores.store.survey()
    if config.store.audio_url:
        return store.kept.get(key) if key not in stores.elsewhere else None
    return store.kept.get(key) if key in store.playable else None


def flaw_of(key: str, stores: Stores, config: Config) -> Flaw | None:
    """Why a clip that is in the store cannot be played; None where it can, or is absent."""
    if stored(key, stores, config):
        return None
    return stores.store.survey().flawed.get(key) or stores.elsewhere.get(key)


class SketchMarks:
    """For each clip's key, what decides its sketch besides the request: records keep it.

    Its file names the prompt that asks for it, so that is part of it.
    """

    def __init__(self, clips: Clips, config: Config) -> None:
        self._clips = clips
        models = {
            name: [model.sample_rate, model.channels, model.kind] for name, model in config.models.items()
        }
        self._common = digest(sketch_digest(), config.preview.digest, json.dumps(models))

    def __call__(self, key: str) -> str:
        """The mark: 16 hex digits."""
        home, clip = self._clips.homes[key], self._clips[key]
        return digest(self._common, json.dumps([clip.fields, home.title, home.author]))[:16]


def sketched(key: str, sketches: Survey, marks: SketchMarks) -> Kept | None:
    """What is known of a clip's sketch, if it is of today's making."""
    sketch = sketches.kept.get(key) if key in sketches.playable else None
    return sketch if sketch and sketch.settings == marks(key) else None


@dataclass(frozen=True)
class Pace:
    """Seconds that a model took for each second of audio on a device.

    The median over so many ``records`` of the gallery, or a published figure, of no record.
    ``attention`` is whose attention a GPU used, ``kernel`` or ``torch``; empty where nothing tells.
    """

    seconds: float
    records: int
    device: str
    attention: str = ""


@dataclass(frozen=True)
class Cost:
    """Clips to render with one model (its name in the gallery) and their seconds of audio.

    ``pace`` is None where nothing tells how long the model takes on what it will be rendered on.
    ``card`` is the GPU of this machine, as records call it, if it has one that is to render.
    """

    model: str
    clips: int
    seconds: float
    pace: Pace | None
    card: str = ""

    @property
    def minutes(self) -> float | None:
        """Estimated minutes on the device that the pace is of."""
        return self.seconds * self.pace.seconds / 60 if self.pace else None


def costs(clips: Iterable[Clip], config: Config, store: Store, *, cpu: bool = False) -> list[Cost]:
    """The cost of rendering these clips on a GPU or the CPU, by model, in the order of gallery.toml.

    A pace is that of the GPU of this machine, by the gallery's own records or else as published;
    where neither is known, that of the GPU that most of the model's records are of.
    """
    by_model: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        by_model[clip.model].append(clip)
    card = card_here() if by_model and not cpu else ""
    hubs = {config.models[name].hub for name in by_model}
    paces = _paces(store, hubs, card, cpu) if by_model else {}
    return [
        Cost(name, len(asked), sum(clip.duration for clip in asked), paces.get(model.hub), card)
        for name, model in config.models.items()
        if (asked := by_model.get(name))
    ]


# A device, and whose attention it used.
_Maker = tuple[str, str]


def _paces(store: Store, hubs: set[str], card: str, cpu: bool) -> dict[str, Pace]:
    """The pace of each of these models of which one is known, on this card or another, or on the CPU.

    A GPU with its kernel and the same GPU without are two.
    """
    samples: dict[str, dict[_Maker, list[float]]] = defaultdict(lambda: defaultdict(list))
    for key in store:
        record = store.get(key)
        if record and record.request.model in hubs and (seconds := _seconds(record, cpu)):
            told = record.provenance
            maker = printable(told.device or ""), "" if cpu else printable(told.attention or "")
            samples[record.request.model][maker].append(seconds / record.request.duration)
    paces = {hub: _pace_of(makers, card) for hub, makers in samples.items()}
    for hub, seconds in published(card).items():
        if hub in hubs and (hub not in paces or paces[hub].device != card):
            paces[hub] = Pace(seconds, 0, card)
    return paces


def _seconds(record: Record, cpu: bool) -> float | None:
    """How long a GPU or the CPU took for a clip, its share of the batch; None where no record tells."""
    seconds, device = record.provenance.seconds, record.provenance.device
    if seconds is None or record.engine != "musicgen" or not device or (device == "cpu") != cpu:
        return None
    return seconds if 0 < seconds < _MOST_SECONDS else None


def _pace_of(makers: dict[_Maker, list[float]], card: str) -> Pace:
    here = {maker: paces for maker, paces in makers.items() if maker[0] == card}
    (device, attention), paces = max((here or makers).items(), key=lambda item: (len(item[1]), item[0]))
    return Pace(median(paces), len(paces), device, attention)
