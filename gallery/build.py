"""The recipe: read, plan, render, encode, keep, join, write."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gallery.catalogue.entries import Catalogue
from gallery.catalogue.kin import kin_of
from gallery.engines.choice import can_appear, choose_engine, sketch_engine
from gallery.engines.replicate import Payment
from gallery.errors import GalleryError
from gallery.plan import SketchMarks, chosen, make_plan, sketched, stored
from gallery.prompts.folder import keep_read, read_prompts
from gallery.prompts.prompt import Clips
from gallery.state.database import Damaged
from gallery.state.inputs import Inputs
from gallery.state.opening import open_state, say_damaged
from gallery.state.outcome import Outcome, asked_for, begin, keep_outcome, last_outcome
from gallery.state.tool import tool_digest
from gallery.store.keep import keep_all
from gallery.store.lock import build_lock
from gallery.store.places import Published, Stores
from gallery.store.sync import sync_of
from gallery.store.tracked import refuse_renders
from gallery.utils.parallel import without_collecting
from gallery.utils.progress import Stage, say

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gallery.config import Config
    from gallery.engines.cluster import Cluster
    from gallery.plan import Plan
    from gallery.prompts.file import Presets
    from gallery.prompts.prompt import Clip, Reading
    from gallery.state.database import State
    from gallery.store.clips import Kept

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

    @property
    def asked(self) -> str:
        """What decides what there is to do, and not how it is done."""
        return asked_for(self.output, self.engine, self.paths, sketches=self.sketches, strict=self.strict)


def build(config: Config, options: Options) -> Outcome:
    """Render what is missing, then write the site. Raises GalleryError where nothing can be done."""
    with build_lock(config), open_state(config.workspace) as state:
        try:
            return _build(config, options, state)
        except Damaged:
            say_damaged(state.path)
            state.discard()
        try:
            # What was rendered is kept, and not in the state.
            return _build(config, options, state)
        except Damaged as error:
            place = f"{config.workspace.name}/{state.path.name}"
            raise GalleryError(f"{place} cannot be used on this disk: {error.__cause__}") from error


def _build(config: Config, options: Options, state: State) -> Outcome:
    with sync_of(config, state) as remote:
        if remote:
            remote.look(take=True)
        asked = options.asked + (config.store.url if remote else "")
        if not (remote and remote.lacks()) and (outcome := last_outcome(state, options.output, asked)):
            return outcome
        begin(state)
        stores = Stores.of(config, state)
        inputs = Inputs([*config.inputs, *stores.folders])
        inputs.read_as(config.file, config.stamp)
        with without_collecting():
            reading = read_prompts(config, state=state)
            clips = Clips(reading.prompts)
            wanted = chosen(config, options.paths, clips)
        outcome = Outcome(len(reading.prompts), reading.faults, reading.warnings)
        if options.strict and (reading.warnings or reading.faults):
            return outcome
        stores.remove_leftovers()
        if remote:
            stores.store = remote.store
            if not config.store.audio_url:
                remote.fetch(clips)
            stores.store.when_kept = remote.offer
        with without_collecting():
            plan = make_plan(wanted, stores, config)
        outcome.outdated = plan.outdated
        rendered = _render(plan, clips, stores, config, options, reading, outcome)
        sketches = _sketch(wanted, clips, stores, config, options, outcome)
        if remote:
            remote.remote.close()
        with without_collecting():
            _publish(clips, reading.presets, stores, config, options, outcome, state)
        if remote:
            remote.push(clips)
        keep_read(state, reading)
        if state.is_outdated(tool_digest()):
            # Some of this was made by another version of the tool than it began with.
            state.forget()
            for key in sketches:
                stores.sketches.remove(key)
        # What was made is looked at by the next build; where clips wait for an engine, it looks for one.
        elif not (rendered or sketches or reading.faults or (plan.render and can_appear(options.engine))):
            keep_outcome(state, asked, inputs, outcome)
        return outcome


def _render(
    plan: Plan,
    clips: Clips,
    stores: Stores,
    config: Config,
    options: Options,
    reading: Reading,
    outcome: Outcome,
) -> bool:
    """Encode and render what is planned. Returns whether there was anything to keep."""
    engine = None
    if plan.encode:
        # Older builds left these lossless and without a preview of today's settings.
        refuse_renders(config)
        renders = (stores.lossless.load(clip.request) for clip in plan.encode)
        with Stage("encoding", len(plan.encode), _seconds(plan.encode)) as stage:
            outcome.failures += keep_all(
                renders, stores.store, None, clips.homes, config.preview, options.jobs, stage.finish
            )
    if plan.render:
        stage = Stage("rendering", len(plan.render), _seconds(plan.render))
        engine, outcome.note = choose_engine(
            options.engine, config, reading.melodies, stage.make, options.payment, options.cluster
        )
        if outcome.note:
            say(outcome.note)
        if engine:
            # Before progress is shown: an engine that costs money asks here.
            renders = engine.render([clip.request for clip in plan.render])
            with stage:
                outcome.failures += keep_all(
                    renders,
                    stores.store,
                    stores.lossless,
                    clips.homes,
                    config.preview,
                    options.jobs,
                    stage.finish,
                )
    return bool(plan.encode or engine)


def _sketch(
    wanted: Clips, clips: Clips, stores: Stores, config: Config, options: Options, outcome: Outcome
) -> list[str]:
    """Stand-ins for the clips that have no render yet. Returns the keys of those that were made."""
    if not options.sketches or options.engine == "none":
        return []
    store, marks = stores.store.survey(), SketchMarks(clips, config)
    missing = [
        wanted[key]
        for key in wanted
        if not stored(key, store, config) and not sketched(key, stores.sketches.survey(), marks)
    ]
    if missing:
        renders = sketch_engine(config).render([clip.request for clip in missing])
        with Stage("sketching", len(missing), _seconds(missing)) as stage:
            outcome.failures += keep_all(
                renders,
                stores.sketches,
                None,
                clips.homes,
                config.preview,
                options.jobs,
                stage.finish,
                marks,
            )
    return [clip.key for clip in missing]


def _publish(
    clips: Clips,
    presets: Presets,
    stores: Stores,
    config: Config,
    options: Options,
    outcome: Outcome,
    state: State,
) -> None:
    """Write the site: all prompts, with whatever audio they have by now."""
    from gallery.site import write_site

    store, sketches, marks = stores.store.survey(), stores.sketches.survey(), SketchMarks(clips, config)
    kept: dict[str, Kept] = {}
    places: dict[str, str] = {}
    for key in clips:
        if known := stored(key, store, config):
            kept[key], places[key] = known, config.store.audio_url or _AUDIO
        elif options.sketches and (known := sketched(key, sketches, marks)):
            kept[key], places[key] = known, _SKETCHES
    catalogue = Catalogue(clips, kin_of(clips, state), kept, places, config)
    outcome.states = Counter(
        kept[key].state if key in kept else "pending"
        for path in catalogue.paths
        for key in catalogue.keys(path)
    )
    files = Published(places, {_AUDIO: stores.store, _SKETCHES: stores.sketches})
    outcome.written = write_site(catalogue, files, config, options.output, state, presets)


def _seconds(clips: Iterable[Clip]) -> float:
    return sum(clip.duration for clip in clips)
