"""What a branch adds to a gallery: prompts that come, change and go, and what is to be rendered for them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gallery.plan import make_plan
from gallery.review.baseline import read_baseline
from gallery.store.places import Stores
from gallery.utils.git import Repository

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gallery.config import Config
    from gallery.prompts.prompt import Clip, Prompt, Reading
    from gallery.state.database import State
    from gallery.store.survey import Flaw

# What people read of a prompt. A change of it is no reason to render.
_READ = ("title", "text", "tags", "author", "license", "date", "notes")


@dataclass
class Change:
    """What becomes of one prompt, which is new where it was not ``known``.

    ``said`` names what reads differently. Of the clips that it did not ask for before,
    ``new`` are to be rendered, ``rendered`` are in the store, ``lost`` are not and nobody can make them,
    and ``shared`` are asked for by other prompts, whose files it counts. ``gone`` are those that nobody
    asks for any more.
    """

    file: str
    title: str
    known: bool
    said: list[str] = field(default_factory=list)
    new: list[Clip] = field(default_factory=list)
    rendered: int = 0
    lost: int = 0
    shared: Counter[str] = field(default_factory=Counter)
    gone: int = 0


@dataclass
class Proposal:
    """A gallery's prompts against those of ``commit``; files that are ``faulty`` are left out.

    ``flaws`` tell of their clips in the store that are damaged or of a newer version.
    """

    commit: str
    added: list[Change] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    removed: list[Change] = field(default_factory=list)
    faulty: int = 0
    flaws: list[Flaw] = field(default_factory=list)

    @property
    def new(self) -> list[Clip]:
        """The clips to render, each once."""
        return [clip for change in (*self.added, *self.changed) for clip in change.new]


def propose(config: Config, reading: Reading, ref: str, state: State) -> Proposal:
    """Compare the prompts that lie in the gallery's folder with those of a commit.

    ``state`` has what is known of the store.

    Raises GalleryError where git, the repository or the commit is not to be had.
    """
    repository = Repository(config.root)
    commit = repository.commit(ref)
    before = read_baseline(repository, commit, reading)
    asked = {key for outline in reading.prompts.outlines for key in outline.keys}
    changes, fresh = _compare(reading.prompts, before, asked)
    clips, stores = {clip.key: clip for _, clip in fresh}, Stores.of(config, state)
    plan = make_plan(clips, stores, config, reading.melodies)
    to_render = {clip.key for clip in plan.render}
    for change, clip in fresh:
        if clip.key in to_render:
            change.new.append(clip)
        elif clip.key in plan.lost:
            change.lost += 1
        else:
            change.rendered += 1
    there = {outline.path for outline in reading.prompts.outlines} | reading.broken
    return Proposal(
        commit,
        added=[change for change in changes if not change.known],
        changed=[change for change in changes if change.known],
        removed=[_removed(prompt, asked) for path, prompt in before.items() if path not in there],
        faulty=len(reading.broken),
        flaws=plan.flaws,
    )


def _compare(
    prompts: Iterable[Prompt], before: dict[str, Prompt], asked: set[str]
) -> tuple[list[Change], list[tuple[Change, Clip]]]:
    """The prompts that differ, and their clips that nobody asked for before, each once."""
    owners: dict[str, str] = {}
    for prompt in before.values():
        for clip in prompt.clips:
            owners.setdefault(clip.key, prompt.file)
    changes: list[Change] = []
    fresh: list[tuple[Change, Clip]] = []
    for prompt in prompts:
        old = before.get(prompt.path)
        if old == prompt:
            continue
        had = {clip.key for clip in old.clips} if old else set()
        has = {clip.key: clip for clip in prompt.clips}
        change = Change(prompt.file, prompt.title, old is not None, gone=len(had - asked))
        if old:
            change.said = _differences(old, prompt)
        for key in [key for key in has if key not in had]:
            if owner := owners.get(key):
                change.shared[owner] += 1
            else:
                owners[key] = prompt.file
                fresh.append((change, has[key]))
        if not old or change.said or had != set(has):
            changes.append(change)
    return changes, fresh


def _differences(old: Prompt, new: Prompt) -> list[str]:
    """What reads differently, and nothing that is heard."""
    differing = [name for name in _READ if getattr(old, name) != getattr(new, name)]
    names = ["prompt" if name == "text" else name for name in differing]
    before, after = [clip.key for clip in old.clips], [clip.key for clip in new.clips]
    return [*names, "order of clips"] if before != after and set(before) == set(after) else names


def _removed(prompt: Prompt, asked: set[str]) -> Change:
    gone = {clip.key for clip in prompt.clips} - asked
    return Change(prompt.file, prompt.title, known=True, gone=len(gone))
