"""The recipe: read, plan, render, encode, keep, join, write."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gallery.catalogue.again import irreproducible
from gallery.catalogue.entries import Catalogue
from gallery.catalogue.kin import kin_of
from gallery.engines import Payment
from gallery.engines.choice import can_appear, choose_engine, sketch_engine
from gallery.engines.work import Work
from gallery.plan import Plan, SketchMarks, chosen, costs, flaw_of, make_plan, sketched, stored, told_lost
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
from gallery.utils.progress import Stage, count, inform, say

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence
    from pathlib import Path

    from gallery.config import Config
    from gallery.engines import Failure, Render
    from gallery.engines.cluster import Cluster
    from gallery.prompts.prompt import Clip, Reading
    from gallery.site.pages.guides import Guides
    from gallery.state.database import State
    from gallery.store.clips import Store
    from gallery.store.lossless import LosslessStore
    from gallery.store.survey import Flaw, Kept
    from gallery.store.sync import Sync

# Where previews and covers lie in the site, renders and sketches apart.
_AUDIO, _SKETCHES = "audio/", "sketches/"


@dataclass(frozen=True)
class Options:
    """What one build is asked to do.

    ``paths`` limits rendering to prompts at or below them; the site always shows all.
    ``payment`` is what may be spent on an engine that costs money. A ``cluster`` renders
    in place of this machine. ``device`` is what MusicGen renders on, one of
    `gallery.engines.DEVICES`.
    """

    output: Path
    paths: tuple[Path, ...] = ()
    engine: str = "auto"
    payment: Payment = field(default_factory=Payment)
    cluster: Cluster | None = None
    sketches: bool = True
    strict: bool = False
    jobs: int = 1
    device: str = "auto"

    @property
    def asked(self) -> str:
        """What decides what there is to do, and not how it is done."""
        return asked_for(self.output, self.engine, self.paths, sketches=self.sketches, strict=self.strict)


def build(config: Config, options: Options) -> Outcome:
    """Render what is missing, then write the site. Raises GalleryError where nothing can be done."""
    from gallery.site.place import refuse_place

    refuse_place(config, options.output)
    with build_lock(config), open_state(config.workspace) as state:
        try:
            return _build(config, options, state)
        except Damaged:
            # What was rendered is kept, and not in the state.
            say_damaged(state.path)
            state.discard()
            return _build(config, options, state)


def _build(config: Config, options: Options, state: State) -> Outcome:
    with sync_of(config, state) as remote:
        if remote:
            remote.look(take=True)
        asked = options.asked + (config.store.url if remote else "")
        stores = Stores.of(config, state)
        inputs = Inputs([*config.inputs, *stores.folders])
        inputs.read_as(config.file, config.stamp)
        if not (remote and remote.lacks()) and (known := last_outcome(state, options.output, asked, inputs)):
            return known
        begin(state)
        with without_collecting():
            reading = read_prompts(config, state=state)
        guides = _read_guides(config, reading)
        outcome = Outcome(len(reading.prompts), reading.faults, reading.warnings)
        if options.strict and (reading.warnings or reading.faults):
            return outcome
        stores.remove_leftovers()
        recipe = _Recipe(config, options, stores, reading, guides, Clips(reading.prompts), outcome)
        if remote:
            recipe.take_along(remote)
        recipe.plan()
        if options.strict and (outcome.flaws or outcome.warnings):
            return outcome
        made = recipe.render(), recipe.sketch()
        if remote:
            remote.remote.close()
        recipe.publish(state)
        if remote:
            remote.told.update(outcome.flaws)
            remote.push(recipe.clips)
        keep_read(state, reading)
        if state.is_outdated(tool_digest()):
            # Some of this was made by another version of the tool than it began with.
            state.forget()
            recipe.forget_sketches()
        # What was made is looked at by the next build; where clips wait for an engine, it looks for one.
        # What is damaged is told by every build.
        elif not (any(made) or reading.faults or outcome.flaws or recipe.waits()):
            keep_outcome(state, asked, inputs, outcome)
        return outcome


def _read_guides(config: Config, reading: Reading) -> Guides:
    """The gallery's guides. What is wrong with them joins what is wrong with its prompt files."""
    from gallery.site.pages.front import missing
    from gallery.site.pages.guides import read_guides

    guides = read_guides(config)
    paths = [outline.path for outline in reading.prompts.outlines]
    reading.faults += guides.faults
    reading.warnings += [*guides.missing(paths), *missing(config, paths)]
    return guides


@dataclass
class _Recipe:
    """One build at work. What comes of it goes into ``outcome``."""

    config: Config
    options: Options
    stores: Stores
    reading: Reading
    guides: Guides
    clips: Clips
    outcome: Outcome
    todo: Plan = field(default_factory=Plan)
    sketched: list[str] = field(default_factory=list)

    def take_along(self, remote: Sync) -> None:
        """Bring what the site needs of a store elsewhere, and have every new clip go there."""
        self.stores.store, self.stores.elsewhere = remote.store, remote.faulty
        if not self.config.store.audio_url:
            remote.fetch(self.clips)
        self.stores.store.when_kept = remote.offer

    def plan(self) -> None:
        """What is left to do for the clips that may be rendered."""
        self.marks = SketchMarks(self.clips, self.config)
        self.wanted = chosen(self.config, self.options.paths, self.clips)
        with without_collecting():
            self.todo = make_plan(self.wanted, self.stores, self.config, self.reading.melodies)
            mended = {clip.key for clip in self.todo.encode}
            self._tell_flaws(flaw for key, flaw in self._flaws().items() if key not in mended)
        self.outcome.outdated = self.todo.outdated
        self.outcome.warnings += told_lost(self.todo, self.wanted)

    def _flaws(self) -> dict[str, Flaw]:
        """What is wrong with the clips that prompts ask for."""
        suspects = self.stores.store.survey().flawed.keys() | self.stores.elsewhere.keys()
        found = {key: flaw_of(key, self.stores, self.config) for key in self.clips if key in suspects}
        return {key: flaw for key, flaw in found.items() if flaw}

    def _tell_flaws(self, flaws: Iterable[Flaw]) -> None:
        self.outcome.flaws = [f"{flaw.state}: {flaw}" for flaw in flaws]

    def render(self) -> bool:
        """Encode and render what is planned. Returns whether there was anything to keep."""
        engine, options, stores = None, self.options, self.stores
        if encode := self.todo.encode:
            # Older builds left these lossless and without a preview of today's settings.
            refuse_renders(self.config)
            renders = (stores.lossless.load(clip.request) for clip in encode)
            self._keep(renders, _stage("encoding", encode), stores.store)
        if render := self.todo.render:
            stage, melodies = _stage("rendering", render), self.reading.melodies
            engine, self.outcome.note = choose_engine(
                options.engine,
                self.config,
                melodies,
                stage.make,
                options.payment,
                options.cluster,
                options.device,
                stage.loading,
            )
            if self.outcome.note:
                say(self.outcome.note + (self._cpu_time(render) if engine else ""))
            if engine:
                refuse_renders(self.config)  # what was asked of an engine before may lie there, paid for
                # Before progress is shown: an engine that costs money asks here.
                renders, work = engine.render([clip.request for clip in render]), Work()
                try:
                    self._keep(renders, stage, stores.store, stores.lossless, count=work.add)
                finally:
                    # After Ctrl-C, too: what the GPU has worked is paid for.
                    if told := work.tell(stage.loaded):
                        inform(told)
        return bool(encode or engine)

    def _cpu_time(self, clips: Sequence[Clip]) -> str:
        """How long rendering on the CPU will take, as far as records of the CPU tell."""
        known = [cost for cost in costs(clips, self.config, self.stores.store, cpu=True) if cost.pace]
        if not known:
            return ""
        minutes = sum(cost.minutes or 0 for cost in known)
        took = count(sum(cost.clips for cost in known), "clip")
        return f": about {minutes:,.0f} minutes for {took}, by what it took before"

    def sketch(self) -> bool:
        """Stand-ins for the clips that have no render yet. Returns whether any was missing."""
        if not self.options.sketches or self.options.engine == "none":
            return False
        there = self._playable(self.wanted).keys() | self._flaws().keys()
        there |= self.todo.lost.keys()
        missing = [self.wanted[key] for key in self.wanted if key not in there]
        if missing:
            for key in self.stores.sketches.survey().flawed.keys() & {clip.key for clip in missing}:
                self.stores.sketches.remove(key)
            renders = sketch_engine(self.config).render([clip.request for clip in missing])
            self._keep(renders, _stage("sketching", missing), self.stores.sketches, mark=self.marks)
        self.sketched = [clip.key for clip in missing]
        return bool(missing)

    def forget_sketches(self) -> None:
        """Remove the sketches that were made."""
        for key in self.sketched:
            self.stores.sketches.remove(key)

    def waits(self) -> bool:
        """Whether there are clips for which the next build may find an engine, or another try."""
        return bool(self.outcome.failures or (self.todo.render and can_appear(self.options.engine)))

    def publish(self, state: State) -> None:
        """Write the site: all prompts, with whatever audio they have by now."""
        from gallery.site import write_site

        with without_collecting():
            playable, flaws = self._playable(self.clips), self._flaws()
            self._tell_flaws(flaws.values())
            flawed = {key: flaw.state for key, flaw in flaws.items()}
            kept = {key: known for key, (known, _) in playable.items()}
            places = {key: place for key, (_, place) in playable.items()}
            kin, model_name = kin_of(self.clips, state), self.config.model_name
            silent = (key for key in self.clips if key not in kept)
            unmakeable = {key: why for key in silent if (why := self._unmakeable(key))}
            catalogue = Catalogue(self.clips, kin, kept, places, flawed, unmakeable, model_name)
            self.outcome.states = Counter(
                catalogue.state(key) for path in catalogue.paths for key in catalogue.keys(path)
            )
            files = Published(places, {_AUDIO: self.stores.store, _SKETCHES: self.stores.sketches})
            self.outcome.written = write_site(
                catalogue, files, self.config, self.options.output, state, self.reading.presets, self.guides
            )

    def _playable(self, keys: Iterable[str]) -> dict[str, tuple[Kept, str]]:
        """Of these clips those that can be played: what is known of each, and where in the site it lies."""
        sketches = self.stores.sketches.survey()
        audio = self.config.store.audio_url or _AUDIO
        found = {}
        for key in keys:
            if known := stored(key, self.stores, self.config):
                found[key] = known, audio
            elif flaw_of(key, self.stores, self.config):
                continue
            elif (
                self.options.sketches
                and (known := sketched(key, sketches, self.marks))
                and not self._unmakeable(key)
            ):
                found[key] = known, _SKETCHES
        return found

    def _unmakeable(self, key: str) -> str:
        """Why nobody can make a clip of which no record tells; nothing where an engine can."""
        return irreproducible(self.clips[key].fields, melodies=self.reading.melodies)

    def _keep(
        self,
        renders: Generator[Render | Failure, None, None],
        stage: Stage,
        store: Store,
        lossless: LosslessStore | None = None,
        mark: SketchMarks | None = None,
        count: Callable[[Render], None] | None = None,
    ) -> None:
        owners, preview, jobs = self.clips.homes, self.config.preview, self.options.jobs
        with stage:
            self.outcome.failures += keep_all(
                renders, store, lossless, owners, preview, jobs, stage.finish, mark, count
            )


def _stage(label: str, clips: Sequence[Clip]) -> Stage:
    return Stage(label, len(clips), sum(clip.duration for clip in clips))
