"""Which of the found clips are new, and keeping those."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.engines import Failure, Render
from gallery.errors import GalleryError
from gallery.importers.audio import MAX_BYTES, Sound, read_sound
from gallery.importers.drafts import Entry, make_draft, make_drafts
from gallery.importers.fetch import fetch
from gallery.importers.found import Refusal, Unusable, refusing
from gallery.importers.own_mp3 import finished_preview, is_matched
from gallery.importers.untrusted import clean_line
from gallery.prompts.folder import read_prompts
from gallery.store.keep import keep_all
from gallery.store.places import Stores
from gallery.utils.files import write_atomic
from gallery.utils.progress import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gallery.config import Config
    from gallery.engines.provenance import Provenance
    from gallery.importers.drafts import Draft, TrialGallery
    from gallery.importers.found import Finds, ImportedClip
    from gallery.prompts.prompt import Prompt
    from gallery.prompts.request import Request


@dataclass
class Imported:
    """What came of an import.

    ``added`` are clips that are new, ``present`` those that were there already, ``files``
    the prompt files that were written, by their paths in the gallery.
    """

    added: list[Entry] = field(default_factory=list)
    present: list[ImportedClip] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


def keep_clips(
    config: Config, finds: Finds, trial: TrialGallery, folder: Path, scratch: Path, dry_run: bool, jobs: int
) -> Imported:
    """Keep what is new: audio first, prompt files last, so that no file asks for what isn't there."""
    imported = Imported(refused=list(finds.refused))
    homes = _homes(config)
    store = _ImportStore(config, scratch, fetches=not dry_run)
    new = _new(_entries(finds.clips, trial, imported), store, homes, imported)
    missing = [entry for entry in new if entry.request.key not in homes]
    drafts = list(make_drafts(missing, trial, folder, config.limits.clips_per_prompt))
    if not dry_run:
        owners = homes | {entry.request.key: draft.prompt for draft in drafts for entry in draft.entries}
        wanting = [entry for entry in new if store.provenance(entry.request.key) is None]
        lost = store.keep(wanting, owners, jobs, imported)
        new = [entry for entry in new if entry.request.key not in lost]
        drafts = [kept for draft in drafts if (kept := _without(lost, draft, trial))]
        for draft in drafts:
            write_atomic(draft.path, draft.text.encode(), sync=True)
    imported.added = new
    imported.files = [draft.path.relative_to(config.root).as_posix() for draft in drafts]
    imported.refused.sort(key=lambda refusal: str(refusal.path))
    return imported


def _homes(config: Config) -> dict[str, Prompt]:
    """The gallery's prompts by the keys that they ask for."""
    if not config.prompts.is_dir():
        return {}
    reading = read_prompts(config)
    if reading.faults:
        faults = "\n".join(str(fault) for fault in reading.faults)
        raise GalleryError(f"mend these first, or what they ask for might be imported twice:\n{faults}")
    homes: dict[str, Prompt] = {}
    for prompt in reading.prompts:
        for clip in prompt.clips:
            homes.setdefault(clip.key, prompt)
    return homes


def _entries(clips: Iterable[ImportedClip], trial: TrialGallery, imported: Imported) -> list[Entry]:
    """The clips whose request the gallery can make, the oldest first."""
    entries = []
    for clip in sorted(clips, key=lambda clip: (clip.date, str(clip.source))):
        with refusing(imported.refused, clip.source):
            entries.append(Entry(clip, trial.request(clip)))
    return entries


def _new(
    entries: Sequence[Entry], store: _ImportStore, homes: Mapping[str, Prompt], imported: Imported
) -> list[Entry]:
    """The entries that are new. Their audio is read once here, so that nothing is promised of it."""
    new: dict[str, Entry] = {}
    if not entries:
        return []
    with Stage("reading", len(entries), sum(entry.request.duration for entry in entries)) as stage:
        for entry in entries:
            key, clip = entry.request.key, entry.clip
            twin = _with_file_name(new[key].clip) if key in new else store.provenance(key)
            with refusing(imported.refused, clip.source):
                if flaw := store.stores.store.flawed([key]).get(key):
                    raise Unusable(f"the store has this clip, {flaw.state}: {flaw}")
                if twin is not None and not clip.reproducible and not _is_same(clip, twin):
                    other = clean_line(twin.file or "another clip")
                    raise Unusable(f"its seed is not known, and {other} already stands for its parameters")
                if twin is None:
                    entry = Entry(store.checked(entry), entry.request)
                if key in new or (twin is not None and key in homes):
                    imported.present.append(clip)
                else:
                    new[key] = entry
            stage.finish(entry.request.duration)
    return list(new.values())


def _with_file_name(clip: ImportedClip) -> Provenance:
    return clip.provenance.with_fields(file=_file_name(clip))


def _is_same(clip: ImportedClip, other: Provenance) -> bool:
    """Whether two clips of unknown seeds are one: by what their tool calls them, or else by their names."""
    own, theirs = clip.provenance.original, other.original
    if own and theirs:
        return own == theirs
    return Path(_file_name(clip)).stem == Path(other.file or "").stem


def _file_name(clip: ImportedClip) -> str:
    return clean_line((clip.files[0] if clip.files else clip.source).name)


def _without(lost: set[str], draft: Draft, trial: TrialGallery) -> Draft | None:
    entries = tuple(entry for entry in draft.entries if entry.request.key not in lost)
    if len(entries) == len(draft.entries):
        return draft
    return make_draft(entries, trial, draft.path) if entries else None


class _ImportStore:
    """The gallery's store, as an import sees it."""

    def __init__(self, config: Config, scratch: Path, *, fetches: bool) -> None:
        self.config, self.scratch, self.fetches = config, scratch, fetches
        self.stores = Stores.of(config)
        self.models = {model.hub: model for model in config.models.values()}

    def provenance(self, key: str) -> Provenance | None:
        """Where the clip of a key came from, or None where there is none."""
        store = self.stores.store
        record = store.get(key)
        if record and (self.config.store.audio_url or store.has_audio(key)):
            return record.provenance
        render = self.stores.lossless.get(key) if self.stores.lossless.has(key) else None
        return render.provenance if render else None

    def checked(self, entry: Entry) -> ImportedClip:
        """The clip, its files those whose audio is what its request says. Raises Unusable."""
        clip = entry.clip
        if clip.url:
            if not self.fetches:
                return clip
            target = self.scratch / entry.request.key
            fetch(clip.url, target, MAX_BYTES)
            clip = replace(clip, files=(target,))
        reasons = []
        for index, path in enumerate(clip.files):
            try:
                self._sound(path, entry.request)
                return replace(clip, files=clip.files[index:])
            except Unusable as error:
                reasons.append(error)
        raise reasons[0]

    def keep(
        self, entries: Sequence[Entry], owners: Mapping[str, Prompt], jobs: int, imported: Imported
    ) -> set[str]:
        """Put clips into the store. Returns the keys of those that failed, which are refused."""
        if not entries:
            return set()
        sources = {entry.request.key: entry.clip.source for entry in entries}
        renders = (self._render(entry) for entry in entries if not entry.clip.finished)
        store, lossless, settings = self.stores.store, self.stores.lossless, self.config.preview
        with Stage("importing", len(entries), sum(entry.request.duration for entry in entries)) as stage:
            failures = keep_all(renders, store, lossless, owners, settings, jobs, stage.finish)
            failures += self._keep_finished((entry for entry in entries if entry.clip.finished), stage)
        imported.refused += [
            Refusal(sources[failure.request.key], clean_line(failure.reason, 500)) for failure in failures
        ]
        return {failure.request.key for failure in failures}

    def _keep_finished(self, entries: Iterable[Entry], stage: Stage) -> Iterator[Failure]:
        settings = self.config.preview
        for entry in entries:
            clip, request = entry.clip, entry.request
            try:
                sound = self._sound(clip.files[0], request)
                preview = finished_preview(clip.files[0], sound)
            except Unusable as error:
                yield Failure(request, str(error))
            else:
                provenance = _provenance(clip, sound)
                # One of other settings is of none: builds then say that it is not like the rest.
                digest = settings.digest if is_matched(preview, settings) else ""
                self.stores.store.put(request, provenance.engine, provenance, preview, digest)
            stage.finish(request.duration)

    def _render(self, entry: Entry) -> Render | Failure:
        try:
            sound = self._sound(entry.clip.files[0], entry.request)
        except Unusable as error:
            return Failure(entry.request, str(error))
        return Render(entry.request, sound.audio, sound.sample_rate, _provenance(entry.clip, sound))

    def _sound(self, path: Path, request: Request) -> Sound:
        return read_sound(path, request.duration, self.models[request.model])


def _provenance(clip: ImportedClip, sound: Sound) -> Provenance:
    """What the record says: where the clip came from, and what cannot be known of it."""
    said = clip.provenance.with_fields(
        file=clean_line(clip.source.name) if clip.url else _file_name(clip),
        sha256=sound.sha256,
        note="; ".join(note for note in (clip.provenance.note, sound.note) if note),
    )
    return said.without_empty()
