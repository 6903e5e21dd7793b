"""Between a store elsewhere and its mirror on this machine: what is missing goes over, checked by digest.

A clip is there when its record is, so a record goes last, and comes off first. Where both
sides have another record of one clip, the one elsewhere stands for everybody.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from gallery.errors import GalleryError
from gallery.state.database import Row
from gallery.state.inputs import stamp
from gallery.store.clips import Store
from gallery.store.presence import Presence
from gallery.store.records import MAX_AUDIO_BYTES, MAX_COVER_BYTES, MAX_RECORD_BYTES, SUFFIXES
from gallery.store.remote import Entry, Remote
from gallery.store.survey import Flaw
from gallery.store.tracked import refuse_renders
from gallery.utils.interrupt import Interrupts
from gallery.utils.progress import Transfer, count, say

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from gallery.config import Config
    from gallery.state.database import State
    from gallery.store.records import Record
    from gallery.store.survey import Survey

R = TypeVar("R")

# Transfers at once. Most of the time of small files is waiting for the other side.
_AT_ONCE = 16

# A store full of rubbish doesn't fill the screen.
_MOST_LINES = 20


class _Unusable(Exception):
    """What lies elsewhere is not a whole clip: says which of its files is wrong, and why."""

    def __init__(self, suffix: str, why: str | GalleryError) -> None:
        self.suffix, self.why = suffix, why


@contextmanager
def sync_of(config: Config, state: State) -> Iterator[Sync | None]:
    """The gallery's exchange with its store elsewhere; None where the store is a folder here."""
    if not config.store.remote:
        yield None
        return
    refuse_renders(config)  # those of the mirror among them, which would be pushed
    with Remote(config.store.url) as remote:
        yield Sync(config, remote, state)


class Sync:
    """A mirror and the store that it mirrors. `look` comes first.

    ``faulty`` says of clips why what lies elsewhere cannot be used: it is damaged, or of a newer
    version, and stays as it is. ``differing`` are the clips of which there is another record, by what
    became of them. ``conflicts`` says of clips why they were not pushed.
    """

    def __init__(self, config: Config, remote: Remote, state: State) -> None:
        self.remote, self.store = remote, Store(config.store_folder, "renders", state, mirror=True)
        self.listing: dict[str, Entry] = {}
        self.faulty: dict[str, Flaw] = {}
        self.differing: dict[str, str] = {}
        self.conflicts: dict[str, str] = {}
        self.told: set[str] = set()  # lines that nobody needs to read again
        self._state = state
        self._known: dict[str, Row] = {}
        self._same: set[str] = set()
        self._newer: set[str] = set()
        self._unreachable = False
        self._presence, self._is_claimed = Presence(remote, config.gallery_id, config.workspace), False

    def look(self, *, take: bool, make: bool = False, anew: bool = False) -> int:
        """Compare both sides' records; only those that changed are fetched.

        ``take`` keeps those that are missing here, and those that differ with their audio.
        ``make`` and ``anew`` make a store where there is none: see `Presence.ensure`.
        Returns how many were kept.
        """
        kind = f"store {self.remote.url}"
        self._known, survey = self._state.load(kind), self.store.survey()
        with self.remote:
            self.listing = self.remote.listing()
            self._presence.ensure(self.listing, make=make, anew=anew)
            verdicts = self._compare_all(survey, take)
        equal = [key for key, verdict in verdicts.items() if verdict in ("same", "new", "replaced")]
        told = {key: Row(self.listing[f"{key}.json"].version, self._stamp(key)) for key in equal}
        self._state.put(kind, told, [key for key in self._known if f"{key}.json" not in self.listing])
        self._same.update(equal)
        if take:
            self._drop_copies()
        place = "has taken its place here" if take else "stays there; `gallery store pull` brings it here"
        for key, verdict in verdicts.items():
            if verdict in ("differs", "replaced"):
                name = f"{self.remote.url}/{key}.json"
                self.differing[key] = f"{name}: another render of this clip, which {place}"
        self._tell(self.differing.values())
        return sum(verdict in ("new", "replaced") for verdict in verdicts.values())

    def _compare_all(self, survey: Survey, take: bool) -> dict[str, str]:
        """What came of every record elsewhere that is not known to be the same here."""
        due: dict[str, int] = {}
        for name, entry in self.listing.items():
            key, _, suffix = name.partition(".")
            if suffix != "json":
                continue
            if key in survey.kept and self._known.get(key) == (entry.version, self._stamp(key)):
                self._same.add(key)
                self._check_files(key, survey.kept[key].bytes)
            else:
                due[key] = entry.size
        return dict(_in_parallel(lambda key: (key, self._compare(key, take)), due, "comparing records"))

    def fetch(self, wanted: Collection[str] | None = None) -> int:
        """Bring the audio and covers of these clips, or of all, that are missing here. Returns how many."""
        survey = self.store.survey()
        # What is damaged here is mended too, where its record is the same.
        lacking = (survey.kept.keys() - survey.playable | survey.flawed.keys()) & self._same
        due = {
            key: self.listing[f"{key}.mp3"].size
            for key in sorted(lacking)
            if (wanted is None or key in wanted) and self._is_there(key)
        }
        with self.remote:
            return sum(_in_parallel(self._fetch, due, "pulling"))

    def push(self, wanted: Collection[str] | None = None) -> int:
        """Take these clips, or all, there where they are missing. Returns how many."""
        survey = self.store.survey()
        if wanted is None:  # a build tells of those of its prompts itself
            left = {key: flaw for key, flaw in survey.flawed.items() if not self._is_there(key)}
            self.conflicts |= {key: f"{flaw.state}: {flaw}" for key, flaw in left.items()}
        due = {
            key: kept.bytes
            for key, kept in survey.kept.items()
            if key in survey.playable
            and (wanted is None or key in wanted)
            and (key in self._newer or not self._is_there(key))
        }
        try:
            with self.remote:
                if due:
                    self.claim()
                went = sum(_in_parallel(self._push, due, "pushing"))
        except GalleryError as error:
            waiting = count(sum(not self._is_there(key) for key in due), "clip")
            raise GalleryError(
                f"{error.format_message()}\n{waiting} still to be pushed, all kept in {self.store.folder}; "
                "`gallery store push` goes on"
            ) from error
        self._tell(self.conflicts.values())
        return went

    def tell_faulty(self) -> None:
        """Say of each clip elsewhere that cannot be used what is wrong with it."""
        self._tell(f"{flaw.state}: {flaw}" for flaw in self.faulty.values())

    def _tell(self, lines: Iterable[str]) -> None:
        fresh = sorted(set(lines) - self.told)
        self.told.update(fresh)
        for line in fresh[:_MOST_LINES]:
            say(line)
        if len(fresh) > _MOST_LINES:
            say(f"and {len(fresh) - _MOST_LINES} more like these")

    def offer(self, key: str) -> None:
        """Push a clip that was just finished, unless the store could not be reached just now."""
        if key in self._same:
            self._newer.add(key)
        if self._unreachable:
            return
        try:
            self.claim()
            self._push(key)
        except GalleryError:
            # Rendering goes on; the push at the end tries again, and says what is wrong.
            self._unreachable = True

    def claim(self) -> None:
        """Make the store this gallery's before anything in it is changed. Raises GalleryError."""
        if not self._is_claimed:
            self._presence.claim()
            self._is_claimed = True

    def lacks(self) -> bool:
        """Whether a clip that is here is missing elsewhere."""
        playable = self.store.survey().playable
        return any(not self._is_there(key) for key in playable)

    def strays(self) -> dict[str, list[str]]:
        """Names of files elsewhere that have no record, by their keys."""
        found: dict[str, list[str]] = {}
        for name in sorted(self.listing):
            if f"{name[:32]}.json" not in self.listing:
                found.setdefault(name[:32], []).append(name)
        return found

    def _is_there(self, key: str) -> bool:
        return f"{key}.json" in self.listing and key not in self.faulty

    def _stamp(self, key: str) -> str:
        try:
            return stamp(self.store.path(key, ".json").lstat())
        except OSError:
            return ""

    def _check_files(self, key: str, audio_bytes: int) -> None:
        """Mark a clip as faulty where its files' sizes cannot be right."""
        for suffix, most in ((".mp3", MAX_AUDIO_BYTES), (".webp", MAX_COVER_BYTES)):
            entry = self.listing.get(f"{key}{suffix}")
            if entry is None:
                self._fault(key, _Unusable(suffix, _MISSING))
            elif not 0 < entry.size <= most or (suffix == ".mp3" and entry.size != audio_bytes):
                self._fault(key, _Unusable(suffix, f"not what its record says: {entry.size:,} bytes"))

    def _fault(self, key: str, found: _Unusable) -> None:
        why = found.why if isinstance(found.why, GalleryError) else GalleryError(found.why)
        is_missing = found.why == _MISSING
        remedy = "`gallery store push` from a machine that has it" if is_missing else "restore it there"
        self.faulty[key] = Flaw.of(key, f"{self.remote.url}/{key}{found.suffix}", why, remedy)

    def _compare(self, key: str, take: bool) -> str:
        try:
            data, record = self._record(key)
            self._check_files(key, record.preview.bytes)
            if key in self.faulty:
                return "faulty"
            if not self.store.get(key):
                if self.store.is_newer(key):
                    return "left"
                if take:
                    self.store.remove(key)
                    self.store.adopt(key, {".json": data})
                return "new" if take else "missing"
            if self.store.read_record(key) == data:
                return "same"
            if key in self._known and self._known[key][0] == self.listing[f"{key}.json"].version:
                # Both were the same, and only ours has changed since: it was encoded anew.
                self._newer.add(key)
                return "newer"
            if take:
                files = self._files(key, record)
                self.store.remove(key)
                self.store.adopt(key, {**files, ".json": data})
            return "replaced" if take else "differs"
        except _Unusable as error:
            self._fault(key, error)
            return "faulty"

    def _record(self, key: str) -> tuple[bytes, Record]:
        if not 0 < self.listing[f"{key}.json"].size <= MAX_RECORD_BYTES:
            raise _Unusable(".json", f"a record is not empty and not over {MAX_RECORD_BYTES // 1000} KB")
        data = self._read(key, ".json", MAX_RECORD_BYTES)
        try:
            return data, self.store.parse(key, data)
        except GalleryError as error:
            raise _Unusable(".json", error) from error

    def _files(self, key: str, record: Record) -> dict[str, bytes]:
        """A clip's audio and cover, as its record says they are."""
        sizes = {".mp3": record.preview.bytes, ".webp": MAX_COVER_BYTES}
        files = {suffix: self._read(key, suffix, most) for suffix, most in sizes.items()}
        if suffix := _unlike(record, files):
            raise _Unusable(suffix, "not what its record says")
        return files

    def _read(self, key: str, suffix: str, most: int) -> bytes:
        try:
            return self.remote.read(f"{key}{suffix}", most)
        except FileNotFoundError as error:
            raise _Unusable(suffix, _MISSING) from error

    def _fetch(self, key: str) -> bool:
        record = self.store.get(key)
        if not record:
            return False
        try:
            self.store.adopt(key, self._files(key, record))
            return True
        except _Unusable as error:
            self._fault(key, error)
            return False

    def examine(self, key: str) -> Flaw | None:
        """What is wrong with a clip elsewhere, all of its files read."""
        if key not in self.faulty and f"{key}.json" in self.listing:
            try:
                self._files(key, self._record(key)[1])
            except _Unusable as error:
                self._fault(key, error)
        return self.faulty.get(key)

    def is_newer(self, key: str) -> bool:
        """Whether a clip's record elsewhere is of a later version than this tool knows."""
        return key in self.faulty and self.faulty[key].state == "newer"

    def remove(self, key: str) -> None:
        """Remove a clip elsewhere, its record first."""
        for suffix in reversed(SUFFIXES):
            self.remote.remove(f"{key}{suffix}")
            self.listing.pop(f"{key}{suffix}", None)
        if not self.listing:
            self._presence.mark()

    def _drop_copies(self) -> None:
        """Remove records that are no use any more: of clips that are neither here nor there."""
        survey = self.store.survey()
        for key in survey.kept.keys() - survey.playable:
            if f"{key}.json" not in self.listing:
                self.store.remove(key)

    def _push(self, key: str) -> bool:
        """Take a clip there. False, with a conflict, where another one is in its place."""
        self._presence.check()
        self.conflicts.pop(key, None)
        files = {suffix: self.store.path(key, suffix).read_bytes() for suffix in SUFFIXES}
        if suffix := _unlike(self.store.parse(key, files[".json"]), files):
            self.conflicts[key] = f"{self.store.path(key, suffix)}: not what its record says; not pushed"
            return False
        if key in self.faulty:
            # What is missing is put there; nothing that is there is overwritten.
            names = {
                name: data for suffix, data in files.items() if (name := f"{key}{suffix}") in self.listing
            }
            if not all(self.remote.holds(name, data) for name, data in names.items()):
                self.conflicts[key] = f"{self.faulty[key].state}: {self.faulty[key]}"
                return False
        elif key in self._newer:
            self.remove(key)
        for suffix in SUFFIXES:
            name = f"{key}{suffix}"
            if not self.remote.create(name, files[suffix]) and not self.remote.holds(name, files[suffix]):
                self.conflicts[key] = f"{self.remote.url}/{name}: {_CONFLICTS[suffix == '.json']}"
                return False
        self.listing |= {f"{key}{suffix}": Entry(len(data), "") for suffix, data in files.items()}
        self.faulty.pop(key, None)
        self._newer.discard(key)
        self._same.add(key)
        self._presence.remember()
        return True


def _unlike(record: Record, files: Mapping[str, bytes]) -> str:
    """The suffix of a file that is not what its record says; nothing where both are."""
    told = record.preview.digests.items()
    found = (suffix for suffix, digest in told if hashlib.sha256(files[suffix]).hexdigest() != digest)
    return next(found, "")


_MISSING = "missing"

_CONFLICTS = {
    False: "another file than here, and no record yet: of a push under way, or of one that was broken off "
    "and which `gallery store gc --remove` clears away",
    True: "another render of this clip came first and stays; `gallery store pull` brings it here",
}


def _in_parallel(work: Callable[[str], R], due: Mapping[str, int], label: str) -> list[R]:
    """``work`` on every key of ``due``, which says how many bytes each is. Raises what ``work`` raises.

    On Ctrl-C, what is under way is finished and nothing else is begun.
    """
    if not due:
        return []
    done: SimpleQueue[Future[R]] = SimpleQueue()
    sizes: dict[Future[R], int] = {}
    results: list[R] = []
    with Interrupts() as interrupts, ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            with Transfer(label, len(due), sum(due.values())) as progress:
                for key, size in due.items():
                    future = pool.submit(work, key)
                    sizes[future] = size
                    future.add_done_callback(done.put)
                for _ in due:
                    with interrupts.allowed():
                        future = done.get()
                    results.append(future.result())
                    progress.finish(sizes[future])
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return results
