"""One clip's way through Replicate: asked for, watched, fetched, checked. Never paid for twice.

A clip's ticket stands for "this may have been paid for". It is written before anything is
asked, and goes only when it is certain that nothing was made, or when the clip is handed
over. While there is one, nothing is asked for anew.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gallery.engines.replicate.delivery import NotAsked, audio_of, facts_of, largest_file, render_of
from gallery.engines.replicate.service import ATTEMPTS, Stopped
from gallery.engines.replicate.tickets import Ticket
from gallery.engines.replicate.trouble import Trouble

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from gallery.config import ReplicateSettings
    from gallery.engines import Render
    from gallery.engines.replicate.asking import Order
    from gallery.engines.replicate.money import Ledger
    from gallery.engines.replicate.service import Prediction, Service
    from gallery.engines.replicate.tickets import Tickets

# How far this machine's clock and Replicate's may be apart.
_CLOCKS = timedelta(minutes=10)

# Growth and longest interval between looks at a prediction, the latter in first intervals.
_GROWTH, _LONGEST = 1.5, 20

_GONE = (404, 410)
_DELETED = "Replicate has deleted its audio, which it keeps for an hour"


class Declined(Exception):
    """Why a clip is not made in this build, in one line."""


class Purchases:
    """Makes orders one at a time, from as many threads as there are."""

    def __init__(
        self,
        service: Service,
        tickets: Tickets,
        ledger: Ledger,
        settings: ReplicateSettings,
        stop: threading.Event,
    ) -> None:
        self._service, self._tickets, self._ledger = service, tickets, ledger
        self._settings, self._stop = settings, stop
        # One prediction is asked for at a time: what a rate limit tells one, all of them heed.
        self._asking = threading.Lock()
        self._uploading = threading.Lock()
        self._uploaded: dict[Path, str] = {}
        self._closed = ""

    def make(self, order: Order) -> Render:
        """Have an order made, or go on where an earlier build left off. Raises Declined, Stopped."""
        ticket = order.ticket
        if ticket and not ticket.prediction:
            ticket = self._recover(ticket)
        if not ticket:
            ticket = self._ask(order)
        if not ticket.bought:
            ticket = self._fetch(order, ticket, self._watch(ticket))
        try:
            return render_of(order, ticket, self._tickets.audio(ticket.key), self._settings)
        except NotAsked as reason:
            raise self._refuse(ticket, str(reason)) from reason

    def _recover(self, ticket: Ticket) -> Ticket | None:
        """The ticket with what came of a question without an answer; None if nothing did."""
        if ticket.expired(datetime.now(UTC)):
            raise Declined(
                "an earlier build ended before Replicate answered, and by now it cannot be told whether "
                "this was paid for; look at replicate.com/predictions, then remove "
                + self._tickets.name(ticket.key)
            )
        try:
            found = self._service.find(ticket.model_version, ticket.input, ticket.asked_at - _CLOCKS)
        except Trouble as trouble:
            raise Declined(f"cannot look up whether this was asked for already: {trouble}") from trouble
        if found:
            return self._tickets.put(ticket.model_copy(update={"prediction": found.id}))
        self._tickets.remove(ticket.key)
        return None

    def _ask(self, order: Order) -> Ticket:
        given = order.given
        if order.melody:
            given = given | {"input_audio": self._address(order.melody)}
        with self._asking:
            if self._stop.is_set():
                raise Stopped
            if self._closed:
                raise Declined(self._closed)
            if reason := self._ledger.reserve(order.request.key, order.request.duration):
                raise Declined(reason)
            try:
                return self._ask_until_answered(order.request.key, given)
            except (Trouble, Stopped) as end:
                if not self._tickets.has(order.request.key):
                    self._ledger.release(order.request.key)
                if isinstance(end, Stopped):
                    raise
                raise self._decline(end) from end

    def _ask_until_answered(self, key: str, given: dict[str, Any]) -> Ticket:
        attempt = 0
        while True:
            ticket = Ticket(
                key=key, model_version=self._settings.version, input=given, asked_at=datetime.now(UTC)
            )
            self._tickets.put(ticket)
            try:
                prediction = self._service.ask(self._settings.model, ticket.model_version, given)
                return self._tickets.put(ticket.model_copy(update={"prediction": prediction.id}))
            except Trouble as trouble:
                attempt += 1
                if not trouble.taken:
                    self._tickets.remove(key)
                if not trouble.passing or attempt >= ATTEMPTS:
                    raise
                self._service.pause(attempt, trouble)
                if trouble.taken and (known := self._recover(ticket)):
                    return known

    def _watch(self, ticket: Ticket) -> Prediction:
        """The prediction once it has ended; it is cancelled when it takes too long or the build stops."""
        end, interval = time.monotonic() + self._settings.timeout, self._service.interval
        longest = _LONGEST * interval
        try:
            while not (prediction := self._service.get(ticket.prediction)).ended:
                if time.monotonic() > end or self._stop.wait(interval):
                    return self._cancel(ticket)
                interval = min(interval * _GROWTH, longest)
        except Stopped:
            return self._cancel(ticket)
        except Trouble as trouble:
            if trouble.status in _GONE:
                raise self._refuse(ticket, "Replicate has deleted the prediction") from trouble
            raise Declined(f"{trouble}; build again to fetch it") from trouble
        return prediction

    def _cancel(self, ticket: Ticket) -> Prediction:
        """What becomes of a prediction that is cancelled: it may still have been made."""
        limit = f"it took longer than the {self._settings.timeout:g} s of timeout in [replicate]"
        try:
            prediction = self._service.cancel(ticket.prediction)
        except Trouble as trouble:
            raise Declined(f"{limit}, and cannot be cancelled: {trouble}") from trouble
        if not prediction.ended:
            raise Declined(
                f"{limit}; it was cancelled, but has not ended: build again to see what came of it"
            )
        return replace(prediction, error=limit) if prediction.status == "canceled" else prediction

    def _fetch(self, order: Order, ticket: Ticket, prediction: Prediction) -> Ticket:
        """The ticket with what its prediction made beside it."""
        request, succeeded = order.request, prediction.status == "succeeded"
        self._ledger.settle(request.key, prediction.predict_time, made=request.duration if succeeded else 0)
        if not succeeded:
            self._tickets.remove(ticket.key)
            if self._stop.is_set():
                raise Stopped
            ended = "failed" if prediction.status == "failed" else "was cancelled"
            raise Declined(
                f"the prediction {prediction.id} {ended}: {prediction.error or 'Replicate gives no reason'}"
            )
        if not isinstance(prediction.output, str):
            raise self._refuse(ticket, _DELETED)
        try:
            facts = facts_of(prediction, ticket.model_version, order)
            data = self._service.download(prediction.output, largest_file(request, order.model))
            audio_of(data, request, order.model)
        except NotAsked as reason:
            raise self._refuse(ticket, str(reason)) from reason
        except Trouble as trouble:
            if trouble.status in _GONE:
                raise self._refuse(ticket, _DELETED) from trouble
            if not trouble.concerns_all:
                raise self._refuse(ticket, str(trouble)) from trouble
            raise Declined(
                f"its audio cannot be fetched: {trouble}; build again within the hour"
            ) from trouble
        return self._tickets.put_bought(ticket, facts, data)

    def _decline(self, trouble: Trouble) -> Declined:
        if trouble.concerns_all:
            # What none of so many attempts got through, the next clip's would not either.
            self._closed = str(trouble)
        return Declined(str(trouble))

    def _refuse(self, ticket: Ticket, reason: str) -> Declined:
        """What was paid for and cannot be used: remembered, so that no build pays for it again."""
        self._tickets.refuse(ticket, reason)
        return Declined(f"{reason}; {self._tickets.paid(ticket.key)}")

    def _address(self, melody: Path) -> str:
        """Where Replicate finds a melody: each file is uploaded once a build."""
        with self._uploading:
            if melody not in self._uploaded:
                try:
                    self._uploaded[melody] = self._service.upload(melody)
                except Trouble as trouble:
                    raise Declined(f"its melody cannot be uploaded: {trouble}") from trouble
                except OSError as error:
                    raise Declined(f"its melody cannot be read: {error.strerror}") from error
            return self._uploaded[melody]
