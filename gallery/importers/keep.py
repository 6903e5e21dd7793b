"""Which of the found clips are new, and keeping those."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.engines import Failure, Render
from gallery.errors import GalleryError
from gallery.importers.audio import MAX_BYTES, Sound, is_alike, read_sound, sha256_of
from gallery.importers.drafts import Entry, make_draft, make_drafts
from gallery.importers.fetch import fetch, refuse_address
from gallery.importers.found import Refusal, Unusable, refusing
from gallery.importers.own_mp3 import ORIGIN, finished_preview, is_matched
from gallery.importers.untrusted import clean_line
from gallery.prompts.folder import read_prompts
from gallery.store.keep import keep_all
from gallery.store.places import Stores
from gallery.store.tracked import refuse_renders
from gallery.utils.files import write_atomic
from gallery.utils.progress import Stage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from gallery.config import Config, Model
    from gallery.engines.provenance import Provenance
    from gallery.importers.drafts import Draft, TrialGallery
    from gallery.importers.found import Finds, ImportedClip
    from gallery.prompts.prompt import Prompt
    from gallery.prompts.request import Request
    from gallery.store.records import Record


_SEE = "see `gallery store verify`"


@dataclass
class Imported:
    """What came of an import.

    ``added`` are clips that are new, ``present`` those that were there already, in the store and
    whole, ``files`` the prompt files that were written, by their paths in the gallery. ``passed_over``
    counts files that are of no kind that is imported, by how their names end.
    """

    added: list[Entry] = field(default_factory=list)
    present: list[Entry] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    files: list[str] = field(default_factory=list)

    def lose(self, reasons: Mapping[str, str], entries: Iterable[Entry]) -> None:
        """Refuse entries whose clips, by their keys, could not be kept after all."""
        for entry in entries:
            if reason := reasons.get(entry.request.key):
                self.refused.append(Refusal(entry.clip.source, clean_line(reason, 500)))
        self.present = [entry for entry in self.present if entry.request.key not in reasons]


def keep_clips(
    config: Config, finds: Finds, trial: TrialGallery, folder: Path, scratch: Path, dry_run: bool, jobs: int
) -> Imported:
    """Keep what is new: audio first, prompt files last, so that no file asks for what isn't there."""
    imported = Imported(refused=list(finds.refused), passed_over=finds.passed_over)
    homes = _homes(config)
    store = _ImportStore(config, scratch, fetches=not dry_run)
    new = _new(_entries(finds.clips, trial, store, imported), store, homes, imported)
    missing = [entry for entry in new if entry.request.key not in homes]
    drafts = list(make_drafts(missing, trial, folder, config.limits.clips_per_prompt))
    if not dry_run:
        owners = homes | {entry.request.key: draft.prompt for draft in drafts for entry in draft.entries}
        wanting = [entry for entry in new if not store.has(entry.request.key)]
        lost = store.keep(wanting, owners, jobs)
        imported.lose(lost, [*wanting, *imported.present])
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


def _entries(
    clips: Iterable[ImportedClip], trial: TrialGallery, store: _ImportStore, imported: Imported
) -> list[Entry]:
    """The clips whose request the gallery can make, the oldest first."""
    entries = []
    for clip in sorted(clips, key=lambda clip: (clip.date, str(clip.source))):
        with refusing(imported.refused, clip.source):
            clip = store.with_digest(clip)
            entries.append(store.as_it_came_before(Entry(clip, trial.request(clip))))
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
            with refusing(imported.refused, clip.source):
                first = new.get(key)
                twin = _with_file_name(first.clip) if first else store.provenance(key)
                if twin is None:
                    entry = Entry(store.checked(entry), entry.request)
                elif not store.is_same(entry, twin, first):
                    raise Unusable(_of_another_sound(twin))
                if first or (key in homes and store.has(key)):
                    imported.present.append(entry)
                else:
                    new[key] = entry
            stage.finish(entry.request.duration)
    return list(new.values())


def _with_file_name(clip: ImportedClip) -> Provenance:
    return clip.provenance.with_fields(file=_file_name(clip))


def _of_another_sound(first: Provenance) -> str:
    other = clean_line(first.file or "the clip in the store")
    return f"another sound than {other}, which has the same request, came first and stays"


def _is_named_alike(clip: ImportedClip, other: Provenance) -> bool:
    """Whether two clips are one by what their tool calls them, or else by their names."""
    own, theirs = clip.provenance.original, other.original or other.prediction
    if own and theirs:
        return own == theirs
    return Path(_file_name(clip)).stem == Path(other.file or "").stem


def _file_name(clip: ImportedClip) -> str:
    return clean_line((clip.files[0] if clip.files else clip.source).name)


def _without(lost: Collection[str], draft: Draft, trial: TrialGallery) -> Draft | None:
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
        self._whole: dict[str, bool] = {}

    def with_digest(self, clip: ImportedClip) -> ImportedClip:
        """The clip; one for which its audio stands has the digest of that. Raises Unusable."""
        if not clip.unseeded or "audio" in clip.fields:
            return clip
        model = self.config.models[clip.fields["model"]]
        if not clip.files and not self.fetches:  # of a dry run: what stands for audio that is not here
            digest = hashlib.sha256(clip.url.encode()).hexdigest()
        else:
            if not clip.files:
                target = self.scratch / f"audio-{hashlib.sha256(clip.url.encode()).hexdigest()}"
                fetch(clip.url, target, MAX_BYTES)
                clip = replace(clip, files=(target,))
            digest = self._first_sound(clip, clip.fields["duration"], model)[0].digest
        return replace(clip, fields={**clip.fields, "audio": f"sha256:{digest}"})

    def as_it_came_before(self, entry: Entry) -> Entry:
        """The same clip as the store has it: a seed of 0 once stood for those that nobody knows."""
        if not entry.request.audio:
            return entry
        earlier = entry.request.model_copy(update={"audio": None, "seed": 0})
        record = self.stores.store.get(earlier.key)
        told = record.provenance if record else None
        if told and told.reproducible is False and _is_named_alike(entry.clip, told):
            return Entry(entry.clip, earlier)
        return entry

    def provenance(self, key: str) -> Provenance | None:
        """Where the clip of a key came from, here or as a lossless render; None where there is none.

        Raises Unusable where its record cannot be used: nothing is put in its place.
        """
        store = self.stores.store
        record = store.get(key)
        if not record and store.path(key, ".json").exists():
            raise Unusable(f"its clip is in the store, but damaged or of a later version; {_SEE}")
        if record:
            return record.provenance
        render = self._lossless(key)
        return render.provenance if render else None

    def has(self, key: str) -> bool:
        """Whether the store has the clip of a key, its files as its record says."""
        if key not in self._whole:
            record = self.stores.store.get(key)
            self._whole[key] = bool(record and self._is_whole(record))
        return self._whole[key]

    def _is_whole(self, record: Record) -> bool:
        store, settings = self.stores.store, self.config.store
        if not (settings.audio_url or settings.remote or store.has_audio(record.key)):
            return False
        paths = {store.path(record.key, suffix): digest for suffix, digest in record.preview.digests.items()}
        try:
            return all(sha256_of(path) == digest for path, digest in paths.items() if path.exists())
        except Unusable:
            return False

    def is_same(self, entry: Entry, twin: Provenance, first: Entry | None) -> bool:
        """Whether an entry sounds like the clip of its request that came before: the one of ``twin``.

        That one is ``first``, where it came in the same import. Raises Unusable where the entry's audio
        cannot be had, or cannot mend what is damaged in the store.
        """
        key, clip = entry.request.key, entry.clip
        if clip.url and (_is_named_alike(clip, twin) or not self.fetches):
            return True
        record = None if first else self.stores.store.get(key)
        files = set() if clip.url else {sha256_of(path) for path in clip.files}
        if files & {twin.sha256, record.preview.audio_sha256 if record else None}:
            return True
        other = self._sound_of(first) if first else self._kept_sound(entry.request)
        if other is None:
            return True  # as far as anybody can tell here
        return is_alike(self._sound(self.checked(entry).files[0], entry.request), other)

    def _sound_of(self, entry: Entry) -> Sound | None:
        return self._sound(entry.clip.files[0], entry.request) if entry.clip.files else None

    def _kept_sound(self, request: Request) -> Sound | None:
        """What is kept under a request, in the best form there is; None where it is not to be had here."""
        if render := self._lossless(request.key):
            return Sound(render.audio, render.sample_rate, "")
        if not self.has(request.key):
            raise Unusable(f"its clip in the store is damaged, and came from another file; {_SEE}")
        path = self.stores.store.path(request.key, ".mp3")
        return self._sound(path, request) if path.exists() else None

    def _lossless(self, key: str) -> Render | None:
        if not self.stores.lossless.has(key):
            return None
        refuse_renders(self.config)
        return self.stores.lossless.get(key)

    def checked(self, entry: Entry) -> ImportedClip:
        """The clip, its files those whose audio is what its request says. Raises Unusable."""
        clip = entry.clip
        if clip.url and not clip.files:
            if not self.fetches:
                refuse_address(clip.url)
                return clip
            target = self.scratch / entry.request.key
            fetch(clip.url, target, MAX_BYTES)
            clip = replace(clip, files=(target,))
        _, files = self._first_sound(clip, entry.request.duration, self.models[entry.request.model])
        return replace(clip, files=files)

    def _first_sound(
        self, clip: ImportedClip, duration: float, model: Model
    ) -> tuple[Sound, tuple[Path, ...]]:
        """The best of a clip's sounds that is what was asked for, and its file before the others."""
        reasons = []
        for index, path in enumerate(clip.files):
            try:
                return read_sound(path, duration, model), clip.files[index:]
            except Unusable as error:
                reasons.append(error)
        raise reasons[0]

    def keep(self, entries: Sequence[Entry], owners: Mapping[str, Prompt], jobs: int) -> dict[str, str]:
        """Put clips into the store. Returns why some could not be kept, by their keys."""
        if not entries:
            return {}
        # A lossless render that is here already is better than any MP3.
        lossless, store, settings = self.stores.lossless, self.stores.store, self.config.preview
        finished = [entry for entry in entries if entry.clip.finished and not lossless.has(entry.request.key)]
        renders = (self._render(entry) for entry in entries if entry not in finished)
        with Stage("importing", len(entries), sum(entry.request.duration for entry in entries)) as stage:
            failures = keep_all(renders, store, lossless, owners, settings, jobs, stage.finish)
            failures += self._keep_finished(finished, stage)
        return {failure.request.key: failure.reason for failure in failures}

    def _keep_finished(self, entries: Iterable[Entry], stage: Stage) -> Iterator[Failure]:
        settings = self.config.preview
        for entry in entries:
            clip, request = entry.clip, entry.request
            try:
                sound = self._sound(clip.files[0], request)
                preview = finished_preview(clip.files[0], sound, clip.measured)
            except Unusable as error:
                yield Failure(request, str(error))
            else:
                provenance = _provenance(clip, sound)
                # One of other settings is of none: builds then say that it is not like the rest.
                digest = settings.digest if is_matched(preview, settings) else ""
                self.stores.store.put(request, provenance.engine, provenance, preview, digest)
            stage.finish(request.duration)

    def _render(self, entry: Entry) -> Render | Failure:
        if render := self._lossless(entry.request.key):
            return render  # of an import that did not come to its end, or of an engine
        try:
            sound = self._sound(entry.clip.files[0], entry.request)
        except Unusable as error:
            return Failure(entry.request, str(error))
        return Render(entry.request, sound.audio, sound.sample_rate, _provenance(entry.clip, sound))

    def _sound(self, path: Path, request: Request) -> Sound:
        return read_sound(path, request.duration, self.models[request.model])


def _provenance(clip: ImportedClip, sound: Sound) -> Provenance:
    """What the record says: where the clip came from, and what cannot be known of it."""
    if clip.finished and clip.provenance.imported_from != ORIGIN:
        return clip.provenance  # its gallery knew it: what comes along is that
    said = clip.provenance.with_fields(
        file=clean_line(clip.source.name) if clip.url else _file_name(clip),
        sha256=sound.sha256,
        note="; ".join(note for note in (clip.provenance.note, sound.note) if note),
    )
    return said.without_empty()
