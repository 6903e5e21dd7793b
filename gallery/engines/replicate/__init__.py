"""The engine `replicate`: renders requests on Replicate's MusicGen, which costs money.

| module | its one job |
|---|---|
| prediction | a request as a prediction's input, its output as a render: exactly, or not at all |
| spending | what it costs: estimated, agreed to, counted |
| journal | what was asked for and not yet handed over, on the disk |
| client | the HTTP API: calls, errors, waits |
| pool | one clip's way from question to audio, and many clips at once |

Nothing here imports Replicate's client before there is something to render.
"""

from __future__ import annotations

import importlib.util
import os
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gallery.engines import Failure
from gallery.engines.replicate.journal import DamagedEntry, Journal
from gallery.engines.replicate.prediction import CannotAsk, Job, prediction_input
from gallery.engines.replicate.spending import Ledger, agree, unset_prices
from gallery.utils.distribution import setup_advice
from gallery.utils.progress import count, say

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

    from gallery.config import Config, Model
    from gallery.engines import Payment, Render
    from gallery.prompts.request import Request
    from gallery.settings import ReplicateSettings

__all__ = ["Quote", "ReplicateEngine", "availability", "quote"]

# The environment variable with the account's token: the only place that it is read from.
_VARIABLE = "REPLICATE_API_TOKEN"


@dataclass
class Quote:
    """What would become of requests: to be paid for, paid for by an earlier build, refused."""

    to_pay: list[Job] = field(default_factory=list)
    paid: list[Job] = field(default_factory=list)
    refused: list[Failure] = field(default_factory=list)

    def describe(self, settings: ReplicateSettings) -> str:
        """What it would cost, in one line."""
        seconds = sum(job.request.duration for job in self.to_pay)
        text = f"Replicate: {count(len(self.to_pay), 'prediction')} to pay for, {seconds:g} s of audio"
        if unset := unset_prices(settings):
            text += f", cost unknown: {unset}"
        else:
            compute, cost = Ledger(settings).estimate(seconds)
            text += f": about {compute:.0f} s of compute, USD {cost:.2f}"
        if unsettled := sum(job.entry is not None for job in self.to_pay):
            text += f"; {unsettled} of them may have been paid for before, which is found out first"
        return text + (f"; {len(self.paid)} paid for before" if self.paid else "")


class ReplicateEngine:
    """Renders requests on Replicate, several at once, for what ``payment`` allows.

    ``melodies`` are the melody files by their digests.
    """

    name = "replicate"

    def __init__(self, config: Config, melodies: Mapping[str, Path], payment: Payment) -> None:
        self._config, self._melodies, self._payment = config, melodies, payment

    def render(self, requests: Sequence[Request]) -> Generator[Render | Failure, None, None]:
        """Agree on what it costs, then render every request, each paid for at most once.

        The curator is asked when this is called, before the first clip is. Raises
        GalleryError where nobody agrees to pay.
        """
        offered = quote(requests, self._config, self._melodies)
        if offered.to_pay:
            agree(offered.describe(self._config.replicate), self._payment)
        return self._render(offered)

    def _render(self, offered: Quote) -> Generator[Render | Failure, None, None]:
        yield from offered.refused
        # What was paid for comes first: Replicate keeps it for an hour.
        jobs = offered.paid + offered.to_pay
        if not jobs:
            return
        from gallery.engines.replicate.client import ReplicateClient
        from gallery.engines.replicate.pool import Runner, WorkerPool

        settings, stop = self._config.replicate, threading.Event()
        journal, ledger = _journal(self._config), Ledger(settings, self._payment.max_cost)
        journal.remove_leftovers()
        client = ReplicateClient(os.environ[_VARIABLE].strip(), stop)
        try:
            runner = Runner(client, journal, ledger, settings, stop)
            yield from WorkerPool(runner, journal, stop).run(jobs, settings.concurrency)
        finally:
            client.close()
            if told := ledger.summary():
                say(told)


def quote(requests: Sequence[Request], config: Config, melodies: Mapping[str, Path]) -> Quote:
    """What would become of requests, found out without asking Replicate anything."""
    models = {model.hub: model for model in config.models.values()}
    journal, offered = _journal(config), Quote()
    for request in requests:
        try:
            job = _job(request, models[request.model], journal, melodies)
        except CannotAsk as reason:
            offered.refused.append(Failure(request, str(reason)))
        else:
            (offered.paid if job.entry and job.entry.prediction else offered.to_pay).append(job)
    return offered


def _job(request: Request, model: Model, journal: Journal, melodies: Mapping[str, Path]) -> Job:
    given = prediction_input(request, model, "")
    melody = melodies.get(request.melody or "") if "input_audio" in given else None
    if "input_audio" in given and not melody:
        raise CannotAsk("its melody is not among the prompt files")
    try:
        entry = journal.get(request.key)
    except DamagedEntry as error:
        raise CannotAsk(
            f"{journal.name(request.key)} cannot be read, and this may have been paid for: "
            "remove it to ask and pay for it anew"
        ) from error
    if entry and entry.refused:
        raise CannotAsk(f"{entry.refused}; {journal.paid(request.key)}")
    return Job(request, model, given, melody, entry)


def availability(settings: ReplicateSettings) -> str | None:
    """None where this engine can render, otherwise what is missing and the one thing to do."""
    if importlib.util.find_spec("replicate") is None:
        return f"its client is not installed: {setup_advice('replicate')}"
    token = os.environ.get(_VARIABLE, "").strip()
    if not re.fullmatch(r"[!-~]+", token):
        state = "holds what no token does" if token else "is not set"
        return f"{_VARIABLE} {state}: put your token of replicate.com/account/api-tokens into it"
    return unset_prices(settings) or None


def _journal(config: Config) -> Journal:
    return Journal(config.workspace / "replicate")
