"""Predictions in flight: each clip's way from its input to its render, and several clips at once.

Nothing is paid for twice: while a clip has an entry in the journal, nothing is asked for anew. One
without a clear answer loses its entry only to a list of the account's predictions that lacks it,
and was read long enough after the asking.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from gallery.engines import Failure, Render
from gallery.engines.replicate.client import ATTEMPTS, Forgotten, ServiceError, Stopped
from gallery.engines.replicate.journal import JournalEntry
from gallery.engines.replicate.prediction import (
    MARK,
    WrongOutput,
    facts_of,
    largest_file,
    marked,
    render_of,
)
from gallery.engines.replicate.spending import Task, TooDear
from gallery.errors.text import one_line
from gallery.utils.progress import say

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path
    from typing import Any, NoReturn

    from gallery.engines.replicate.client import Prediction, ReplicateClient
    from gallery.engines.replicate.journal import Journal
    from gallery.engines.replicate.prediction import Job
    from gallery.engines.replicate.spending import Ledger
    from gallery.settings import ReplicateSettings

# How long a build that is stopped waits for what is under way to be cancelled, in seconds.
_CANCEL_TIMEOUT = 60.0

# How long before the asking the account's list is read: this machine's clock may be set to the time
# of another zone.
_CLOCKS = timedelta(days=1)

# Looks for a prediction that may have been taken, at longer and longer intervals.
_LOOKS = 7

# Growth and longest interval between looks at a prediction, the latter in first intervals.
_GROWTH, _LONGEST = 1.5, 20

_GONE = (404, 410)
_DELETED = "Replicate has deleted its audio, which it keeps for an hour"

_log = logging.getLogger(__name__)


class NotMade(Exception):
    """Why a clip is not made in this build, in one line."""


class Unsettled(NotMade):
    """It is not known yet whether Replicate took what was asked for: ``cause`` says why."""

    def __init__(self, entry: JournalEntry, cause: str, settled: datetime) -> None:
        # The minute after, as people's clocks tell it.
        when = (settled + timedelta(minutes=1)).astimezone()
        super().__init__(
            f"{cause}: this may have been paid for, and is not asked for again before that is known; "
            f"build again at {when:%H:%M} ({when:%Y-%m-%d})"
        )
        self.entry, self.cause = entry, cause


class Runner:
    """Makes a job's prediction and what comes of it a render, from as many threads as there are."""

    def __init__(
        self,
        client: ReplicateClient,
        journal: Journal,
        ledger: Ledger,
        settings: ReplicateSettings,
        stop: threading.Event,
    ) -> None:
        self._client, self._journal, self._ledger = client, journal, ledger
        self._settings, self._stop = settings, stop
        # One prediction is asked for at a time: what a rate limit tells one, all of them heed.
        self._asking = threading.Lock()
        self._failed_in_a_row = 0
        self._marks = True
        self._uploading = threading.Lock()
        self._uploaded: dict[Path, str] = {}
        self._closed = ""

    def run(self, job: Job) -> Render:
        """Have a clip made, or go on where an earlier build left off.

        Raises Stopped, NotMade, and Unsettled: a later run of the same job in this build looks longer.
        """
        key = job.request.key
        try:
            try:
                return self._run(job)
            except Unsettled as unsettled:
                if job.entry or not self._ledger.is_first(self._task(job, unsettled.entry.model_version)):
                    raise
                # All others wait for the price of a model's first one.
                return self._run(replace(job, entry=unsettled.entry, doubt=unsettled.cause))
        finally:
            self._ledger.leave(key, may_cost=self._journal.has(key))

    def _run(self, job: Job) -> Render:
        entry = job.entry
        if entry and not entry.prediction:
            entry = self._recover(entry, job.doubt)
        if not entry:
            entry = self._ask(job)
        try:
            if not entry.bought:
                entry = self._fetch(job, entry, self._watch(entry))
            return render_of(job, entry, self._journal.audio(entry.key), self._settings)
        except WrongOutput as reason:
            # It was paid for: remembered, so that no build pays for it again.
            self._journal.refuse(entry, str(reason))
            raise NotMade(f"{reason}; {self._journal.paid(entry.key)}") from reason

    def _recover(self, entry: JournalEntry, doubt: str) -> JournalEntry | None:
        """The entry with what came of a question without a clear answer; None if nothing did.

        Raises Unsettled: at once, or where there was ``doubt`` before, after several looks.
        """
        settled = entry.asked_at + timedelta(seconds=self._settings.settle_after)
        for look in range(_LOOKS if doubt else 1):
            if look and self._stop.wait(self._client.interval * 2 ** (look - 1)):
                raise Stopped
            # Of the time before the list is read.
            late_enough = datetime.now(UTC) >= settled
            if found := self._find(entry):
                return self._journal.put(entry, prediction=found.id)
            if late_enough:
                self._journal.remove(entry.key)
                self._ledger.forget(entry.key)
                return None
        raise Unsettled(entry, doubt or "an earlier build ended before Replicate answered", settled)

    def _find(self, entry: JournalEntry) -> Prediction | None:
        try:
            return self._client.find(entry.model_version, entry.input, entry.asked_at - _CLOCKS)
        except Forgotten as error:
            raise NotMade(
                "it was asked for without a clear answer, and by now it cannot be told whether this was paid "
                f"for; look at replicate.com/predictions for {entry.asked_at:%Y-%m-%d %H:%M} UTC, then "
                f"remove {self._journal.name(entry.key)}"
            ) from error
        except ServiceError as error:
            raise NotMade(
                f"this may have been paid for, and the list that would tell cannot be read: {error}; "
                "build again"
            ) from error

    def _ask(self, job: Job) -> JournalEntry:
        given, request = job.input, job.request
        if job.melody:
            given = given | {"input_audio": self._address(job.melody)}
        with self._asking:
            self._reserve(job)
            try:
                return self._ask_until_answered(request.key, given)
            except ServiceError as error:
                if error.concerns_all:
                    # What none of so many attempts got through, the next clip's would not either.
                    self._closed = str(error)
                raise NotMade(str(error)) from error

    def _reserve(self, job: Job) -> None:
        """Wait until a prediction may be asked for. Raises Stopped, NotMade."""
        task = self._task(job, self._settings.version)
        while True:
            if self._stop.is_set():
                raise Stopped
            if self._closed:
                raise NotMade(self._closed)
            try:
                if self._ledger.reserve(job.request.key, task):
                    return
            except TooDear as reason:
                raise NotMade(str(reason)) from reason
            self._stop.wait(self._client.interval)

    def _task(self, job: Job, version: str) -> Task:
        return Task(job.request.model, version, job.request.duration)

    def _ask_until_answered(self, key: str, given: dict[str, Any]) -> JournalEntry:
        """Ask until Replicate takes it, or may have taken it: then Unsettled is raised."""
        while True:
            version, now = self._settings.version, datetime.now(UTC)
            asked = marked(given) if self._marks else given
            entry = self._journal.put(JournalEntry(key=key, model_version=version, input=asked, asked_at=now))
            self._ledger.count()
            try:
                made = self._client.create(self._settings.model, version, asked)
            except ServiceError as error:
                self._failed_in_a_row = self._failed_in_a_row + 1 if error.passing else 0
                if error.taken:
                    self._doubt(entry, error)
                self._journal.remove(key)
                self._ledger.count(refused=True)
                if MARK in asked and MARK in str(error):
                    # A version of the model without this input.
                    self._marks = False
                elif not error.passing or self._failed_in_a_row >= ATTEMPTS:
                    raise
                else:
                    self._client.pause(self._failed_in_a_row, error)
            else:
                self._failed_in_a_row = 0
                return self._journal.put(entry, prediction=made.id)

    def _doubt(self, entry: JournalEntry, error: ServiceError) -> NoReturn:
        """Leave a question without a clear answer for later, and give Replicate time."""
        try:
            if self._failed_in_a_row >= ATTEMPTS:
                raise error
            self._client.pause(self._failed_in_a_row, error)
        except ServiceError:
            self._closed = str(error)
        settled = entry.asked_at + timedelta(seconds=self._settings.settle_after)
        raise Unsettled(entry, str(error), settled) from error

    def _watch(self, entry: JournalEntry) -> Prediction:
        """The prediction once it has ended; it is cancelled when it takes too long or the build stops."""
        end, interval = time.monotonic() + self._settings.timeout, self._client.interval
        longest = _LONGEST * interval
        try:
            while not (prediction := self._client.get(entry.prediction)).ended:
                if time.monotonic() > end or self._stop.wait(interval):
                    return self._cancel(entry)
                interval = min(interval * _GROWTH, longest)
        except Stopped:
            return self._cancel(entry)
        except ServiceError as error:
            if error.status in _GONE:
                raise WrongOutput("Replicate has deleted the prediction") from error
            raise NotMade(f"{error}; build again to fetch it") from error
        return prediction

    def _cancel(self, entry: JournalEntry) -> Prediction:
        """What becomes of a prediction that is cancelled: it may still have been made."""
        limit = f"it took longer than the {self._settings.timeout:g} s of timeout in [replicate]"
        try:
            prediction = self._client.cancel(entry.prediction)
        except ServiceError as error:
            raise NotMade(f"{limit}, and cannot be cancelled: {error}") from error
        if not prediction.ended:
            raise NotMade(f"{limit}; it was cancelled, but has not ended: build again to see what came of it")
        return replace(prediction, error=limit) if prediction.status == "canceled" else prediction

    def _fetch(self, job: Job, entry: JournalEntry, prediction: Prediction) -> JournalEntry:
        """The entry with what its prediction made beside it. Raises WrongOutput."""
        request, succeeded = job.request, prediction.status == "succeeded"
        task = self._task(job, entry.model_version)
        self._ledger.settle(request.key, task, prediction.predict_time, made=succeeded)
        if not succeeded:
            self._journal.remove(entry.key)
            if self._stop.is_set():
                raise Stopped
            ended = "failed" if prediction.status == "failed" else "was cancelled"
            raise NotMade(
                f"the prediction {prediction.id} {ended}: {prediction.error or 'Replicate gives no reason'}"
            )
        if not isinstance(prediction.output, str):
            raise WrongOutput(_DELETED)
        facts = facts_of(prediction, entry.model_version, job)
        try:
            wave = self._client.download(prediction.output, largest_file(job))
        except ServiceError as error:
            if error.status in _GONE:
                raise WrongOutput(_DELETED) from error
            if not error.concerns_all:
                raise WrongOutput(str(error)) from error
            raise NotMade(f"its audio cannot be fetched: {error}; build again within the hour") from error
        return self._journal.put_audio(entry, facts, wave)

    def _address(self, melody: Path) -> str:
        """Where Replicate finds a melody: each file is uploaded once a build."""
        with self._uploading:
            if melody not in self._uploaded:
                try:
                    self._uploaded[melody] = self._client.upload(melody)
                except ServiceError as error:
                    raise NotMade(f"its melody cannot be uploaded: {error}") from error
                except OSError as error:
                    raise NotMade(f"its melody cannot be read: {error.strerror}") from error
            return self._uploaded[melody]


class WorkerPool:
    """Threads that run jobs until there are none left, or ``stop`` is set.

    They are plain threads with plain queues: Ctrl-C may hit the main thread at any step,
    and leaves these whole where it would lock an executor for ever.
    """

    def __init__(self, runner: Runner, journal: Journal, stop: threading.Event) -> None:
        self._runner, self._journal, self._stop = runner, journal, stop
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        # None for each thread that is done.
        self._outcomes: SimpleQueue[Render | Failure | None] = SimpleQueue()

    def run(self, jobs: Sequence[Job], workers: int) -> Generator[Render | Failure, None, None]:
        """Yield each clip as it comes. When interrupted or closed, cancel what is under way.

        What was finished by then is yielded before an interruption goes on.
        """
        for job in jobs:
            self._jobs.put(job)
        threads = [threading.Thread(target=self._work, daemon=True) for _ in jobs[:workers]]
        try:
            for thread in threads:
                thread.start()
            at_work = len(threads)
            while at_work:
                outcome = self._outcomes.get()
                if outcome is None:
                    at_work -= 1
                else:
                    yield from self._hand_over(outcome)
        except (KeyboardInterrupt, GeneratorExit) as end:
            self._stop_all(threads)
            if isinstance(end, KeyboardInterrupt):
                while not self._outcomes.empty():
                    if (outcome := self._outcomes.get()) is not None:
                        yield from self._hand_over(outcome)
            raise

    def _hand_over(self, outcome: Render | Failure) -> Generator[Render | Failure, None, None]:
        yield outcome
        # Whoever asks for the next clip has kept this one.
        if isinstance(outcome, Render):
            self._journal.remove(outcome.request.key)

    def _stop_all(self, threads: Sequence[threading.Thread]) -> None:
        self._stop.set()
        if any(thread.is_alive() for thread in threads):
            say("cancelling what is under way on Replicate")
        end = time.monotonic() + _CANCEL_TIMEOUT
        for thread in threads:
            if thread.ident:
                thread.join(max(end - time.monotonic(), 0))

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                job = self._jobs.get_nowait()
            except Empty:
                break
            try:
                self._outcomes.put(self._runner.run(job))
            except Stopped:
                pass
            except Unsettled as unsettled:
                if job.doubt:
                    self._outcomes.put(Failure(job.request, str(unsettled)))
                else:
                    # All others come first: the list of predictions lags behind.
                    self._jobs.put(replace(job, entry=unsettled.entry, doubt=unsettled.cause))
            except NotMade as reason:
                self._outcomes.put(Failure(job.request, str(reason)))
            except Exception as error:  # noqa: BLE001 - whatever it is, the other clips go on
                _log.debug("rendering on Replicate failed", exc_info=True)
                self._outcomes.put(Failure(job.request, one_line(error)))
        self._outcomes.put(None)
