"""The way through the house: prompts -> clips -> renders -> previews -> pages."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gallery.catalogue.entries import Catalogue, refresh
from gallery.catalogue.kin import kin_of
from gallery.engines import SKETCH_VERSION, Failure
from gallery.engines.choice import choose_engine, sketch_engine
from gallery.engines.replicate import Payment
from gallery.errors import Fault
from gallery.plan import chosen, make_plan, stored
from gallery.prompts.folder import read_prompts
from gallery.prompts.prompt import Clip, Clips, Reading
from gallery.site.writer import Written, site_in_place
from gallery.state.database import Cache
from gallery.state.fingerprint import Standing
from gallery.state.published import published_before
from gallery.store.keep import keep_all
from gallery.store.lock import build_lock
from gallery.store.places import Stores
from gallery.store.tracked import refuse_renders
from gallery.utils.parallel import without_collecting
from gallery.utils.progress import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    from gallery.config import Config
    from gallery.engines import Render
    from gallery.engines.cluster import Cluster
    from gallery.plan import Plan
    from gallery.prompts.prompt import Clip, Outline
    from gallery.store.clips import Kept, Store, Survey
    from gallery.store.lossless import LosslessStore
    from gallery.store.sync import Exchange


# Where previews and covers lie in the site, renders and sketches apart.
_AUDIO, _SKETCHES = "audio/", "sketches/"


@dataclass(frozen=True)
class Options:
    """What one build is asked to do.

    ``paths`` limits rendering to prompts at or below them; the site always shows all.
    ``payment`` is what may be spent on an engine that costs money. A ``cluster`` renders
    in place of this machine.
    """

    output: Path
    paths: tuple[Path, ...] = ()
    engine: str = "auto"
    payment: Payment = field(default_factory=Payment)
    cluster: Cluster | None = None
    sketches: bool = True
    strict: bool = False
    jobs: int = 1


@dataclass
class Outcome:
    """What came of a build."""

    reading: Reading
    prompts: int
    failures: list[Failure] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    outdated: int = 0
    written: Written | None = None

    def to_json(self) -> dict[str, Any]:
        """What a build that changes nothing would say again."""
        warnings = [astuple(warning) for warning in self.reading.warnings]
        return {
            "prompts": self.prompts,
            "states": self.states,
            "outdated": self.outdated,
            "warnings": warnings,
        }

    @classmethod
    def again(cls, kept: dict[str, Any], files: int) -> Self:
        """The outcome of a build that found everything as `to_json` told it, and all files in place."""
        reading = Reading(warnings=[Fault(*warning) for warning in kept["warnings"]])
        written = Written(written=0, unchanged=files, removed=0)
        return cls(reading, kept["prompts"], [], Counter(kept["states"]), kept["outdated"], written)


def build(config: Config, options: Options) -> Outcome:
    """Render what is missing, then write the site. Raises GalleryError where nothing can be done."""
    with build_lock(config), _exchange(config) as exchange:
        if exchange:
            exchange.look(take=True)
        standing = Standing(config, options)
        kept = standing.last_result()
        files = site_in_place(config, options.output) if kept else 0
        if kept and files and not (exchange and exchange.lacks()):
            return Outcome.again(kept, files)
        with Cache(config.workspace / "cache.sqlite") as cache:
            return _build(config, options, standing, cache, exchange)


def _exchange(config: Config) -> AbstractContextManager[Exchange | None]:
    if not config.store.remote:
        return nullcontext()
    # Imported late: most galleries' store is a folder.
    from gallery.store.sync import exchange_of

    return exchange_of(config)


def _build(
    config: Config, options: Options, standing: Standing, cache: Cache, exchange: Exchange | None
) -> Outcome:
    stores = Stores.of(config)
    with without_collecting():
        reading = read_prompts(config, cache=cache)
        clips = Clips(reading.prompts)
        wanted = chosen(config, options.paths, clips)
    outcome = Outcome(reading, len(reading.prompts))
    if options.strict and (reading.warnings or reading.faults):
        return outcome
    stores.remove_leftovers()
    if exchange:
        stores.store = exchange.store
        if not config.store.audio_url:
            exchange.fetch(clips)
        stores.store.when_kept = exchange.offer
    with without_collecting():
        plan = make_plan(wanted, stores, config, cache)
    outcome.outdated = plan.outdated
    _render(plan, clips.homes, stores, config, options, reading, outcome)
    sketched = False
    if options.sketches and options.engine != "none":
        sketched = _sketch(wanted, clips.homes, stores, config, options, outcome, cache)
    if exchange:
        exchange.remote.close()
    with without_collecting():
        _publish(clips, stores, config, options, outcome, cache)
    if exchange:
        exchange.push(clips)
    # Where clips still wait for an engine, the next build looks for one again.
    waiting = plan.render and options.engine not in ("none", "sketch")
    if not (reading.faults or outcome.failures or waiting):
        standing.keep(outcome.to_json(), changed=sketched or bool(plan.render or plan.encode))
    return outcome


def _render(
    plan: Plan,
    owners: Mapping[str, Outline],
    stores: Stores,
    config: Config,
    options: Options,
    reading: Reading,
    outcome: Outcome,
) -> None:
    if plan.encode:
        # Older builds left these lossless and without a preview of today's settings.
        refuse_renders(config)
        renders = (_reload(clip, stores.lossless) for clip in plan.encode)
        with Stage("encoding", len(plan.encode), _seconds(plan.encode)) as stage:
            outcome.failures += keep_all(
                renders, stores.store, None, owners, config.preview, options.jobs, stage.finish
            )
    if plan.render:
        stage = Stage("rendering", len(plan.render), _seconds(plan.render))
        engine = choose_engine(
            options.engine, config, reading.melodies, stage.make, options.payment, options.cluster
        )
        if engine:
            # Before progress is shown: an engine that costs money asks here.
            outcomes = engine.render([clip.request for clip in plan.render])
            with stage:
                outcome.failures += keep_all(
                    outcomes,
                    stores.store,
                    stores.lossless,
                    owners,
                    config.preview,
                    options.jobs,
                    stage.finish,
                )


def _reload(clip: Clip, renders: LosslessStore) -> Render | Failure:
    problem = (
        f"its lossless render cannot be read; remove {renders.folder.name}/{clip.key}.json to render it anew"
    )
    return renders.get(clip.key) or Failure(clip.request, problem)


def _sketch(
    clips: Clips,
    owners: Mapping[str, Outline],
    stores: Stores,
    config: Config,
    options: Options,
    outcome: Outcome,
    cache: Cache,
) -> bool:
    """Stand-ins for the clips that have no render yet. Returns whether any was missing."""
    store, sketches = stores.store.survey(cache), stores.sketches.survey(cache)
    missing = [
        clips[key] for key in clips if not stored(key, store, config) and not _sketched(key, sketches, config)
    ]
    if not missing:
        return False
    engine = sketch_engine(config)
    with Stage("sketching", len(missing), _seconds(missing)) as stage:
        outcomes = engine.render([clip.request for clip in missing])
        outcome.failures += keep_all(
            outcomes, stores.sketches, None, owners, config.preview, options.jobs, stage.finish
        )
    return True


def _sketched(key: str, sketches: Survey, config: Config) -> Kept | None:
    """What is known of a clip's sketch, if it is of today's making."""
    sketch = sketches.kept.get(key) if key in sketches.playable else None
    current = sketch and (sketch.engine_version, sketch.settings) == (
        str(SKETCH_VERSION),
        config.preview.digest,
    )
    return sketch if current else None


def _publish(
    clips: Clips, stores: Stores, config: Config, options: Options, outcome: Outcome, cache: Cache
) -> None:
    """Write the site: all prompts, with whatever audio they have by now."""
    from gallery.site import write_site

    reading = outcome.reading
    before = published_before(options.output, reading.broken)
    store, sketches = stores.store.survey(cache), stores.sketches.survey(cache)
    kept: dict[str, Kept] = {}
    places: dict[str, str] = {}
    for key in itertools.chain(clips, (clip["key"] for entry in before for clip in entry["clips"])):
        if known := stored(key, store, config):
            kept[key], places[key] = known, config.store.audio_url or _AUDIO
        elif options.sketches and (known := _sketched(key, sketches, config)):
            kept[key], places[key] = known, _SKETCHES
    catalogue = Catalogue(clips, kin_of(clips, cache), kept, places, config, refresh(before, kept, places))
    outcome.states = Counter(
        kept[key].state if key in kept else "pending"
        for path in catalogue.paths
        for key in catalogue.keys(path)
    )
    keep = [f"prompts/{path}/" for path in sorted(reading.broken)]
    files = _Files(places, {_AUDIO: stores.store, _SKETCHES: stores.sketches})
    outcome.written = write_site(catalogue, files, config, options.output, keep=keep, cache=cache)


class _Files(Mapping[str, Path]):
    """The previews and covers that a site carries, by their addresses: there may be many.

    ``places`` has for each clip's key what stands before it in an address, ``stores`` where the
    files of such a place lie. Those of other places are not the site's.
    """

    def __init__(self, places: Mapping[str, str], stores: Mapping[str, Store]) -> None:
        self._places, self._stores = places, stores

    def __len__(self) -> int:
        return sum(2 for place in self._places.values() if place in self._stores)

    def __iter__(self) -> Iterator[str]:
        for key, place in self._places.items():
            if place in self._stores:
                yield from (f"{place}{key}.mp3", f"{place}{key}.webp")

    def __getitem__(self, address: str) -> Path:
        folder, _, name = address.partition("/")
        key, _, suffix = name.partition(".")
        place = f"{folder}/"
        if place not in self._stores or self._places.get(key) != place or suffix not in ("mp3", "webp"):
            raise KeyError(address)
        return self._stores[place].path(key, f".{suffix}")


def _seconds(clips: Iterable[Clip]) -> float:
    return sum(clip.duration for clip in clips)
