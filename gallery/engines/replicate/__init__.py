"""The engine `replicate`: renders requests on Replicate's MusicGen, which costs money.

| module | its one job |
|---|---|
| asking | a request as Replicate's input, exactly or not at all |
| money | what it costs: estimated, agreed to, counted |
| tickets | what was asked for and not yet handed over, on the disk |
| trouble, service | the HTTP API: calls, errors, waits |
| delivery | whether what came is what was asked for |
| purchase | one clip's way from question to audio |
| crew | many clips at once |

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
from gallery.engines.replicate.asking import CannotAsk, Order, prediction_input
from gallery.engines.replicate.money import Ledger, Payment, agree
from gallery.engines.replicate.tickets import DamagedTicket, Tickets
from gallery.utils.progress import count, say

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

    from gallery.config import Config, Model, ReplicateSettings
    from gallery.engines import Render
    from gallery.prompts.request import Request

__all__ = ["Payment", "Quote", "ReplicateEngine", "availability", "quote"]

# The environment variable with the account's token: the only place that it is read from.
_VARIABLE = "REPLICATE_API_TOKEN"


@dataclass
class Quote:
    """What would become of requests: to be paid for, paid for by an earlier build, refused."""

    to_pay: list[Order] = field(default_factory=list)
    paid: list[Order] = field(default_factory=list)
    refused: list[Failure] = field(default_factory=list)

    def describe(self, settings: ReplicateSettings) -> str:
        """What it would cost, in one line."""
        seconds = sum(order.request.duration for order in self.to_pay)
        text = f"Replicate: {count(len(self.to_pay), 'prediction')} to pay for, {seconds:g} s of audio"
        if unset := unset_prices(settings):
            text += f", cost unknown: {unset}"
        else:
            compute, cost = Ledger(settings).estimate(seconds)
            text += f": about {compute:.0f} s of compute, USD {cost:.2f}"
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
        orders = offered.paid + offered.to_pay
        if not orders:
            return
        from gallery.engines.replicate.crew import Crew
        from gallery.engines.replicate.purchase import Purchases
        from gallery.engines.replicate.service import Service

        settings, stop = self._config.replicate, threading.Event()
        tickets, ledger = tickets_of(self._config), Ledger(settings, self._payment.max_cost)
        tickets.remove_leftovers()
        service = Service(os.environ[_VARIABLE].strip(), stop)
        try:
            purchases = Purchases(service, tickets, ledger, settings, stop)
            yield from Crew(purchases, tickets, stop).make(orders, settings.concurrency)
        finally:
            service.close()
            if told := ledger.summary():
                say(told)


def quote(requests: Sequence[Request], config: Config, melodies: Mapping[str, Path]) -> Quote:
    """What would become of requests, found out without asking Replicate anything."""
    models = {model.hub: model for model in config.models.values()}
    tickets, offered = tickets_of(config), Quote()
    for request in requests:
        model = models[request.model]
        try:
            order = _order(request, model, tickets, melodies)
        except CannotAsk as reason:
            offered.refused.append(Failure(request, str(reason)))
        else:
            (offered.paid if order.ticket and order.ticket.prediction else offered.to_pay).append(order)
    return offered


def _order(request: Request, model: Model, tickets: Tickets, melodies: Mapping[str, Path]) -> Order:
    given = prediction_input(request, model, "")
    melody = melodies.get(request.melody or "") if "input_audio" in given else None
    if "input_audio" in given and not melody:
        raise CannotAsk("its melody is not among the prompt files")
    name = tickets.name(request.key)
    try:
        ticket = tickets.get(request.key)
    except DamagedTicket as error:
        raise CannotAsk(
            f"{name} cannot be read, and this may have been paid for: remove it to ask and pay for it anew"
        ) from error
    if ticket and ticket.refused:
        raise CannotAsk(f"{ticket.refused}; {tickets.paid(request.key)}")
    return Order(request, model, given, melody, ticket)


def availability(settings: ReplicateSettings) -> str | None:
    """None where this engine can render, otherwise what is missing and the one thing to do."""
    if importlib.util.find_spec("replicate") is None:
        return "its client is not installed: run `pip install replicate`"
    token = os.environ.get(_VARIABLE, "").strip()
    if not re.fullmatch(r"[!-~]+", token):
        state = "holds what no token does" if token else "is not set"
        return f"{_VARIABLE} {state}: put your token of replicate.com/account/api-tokens into it"
    return unset_prices(settings) or None


def unset_prices(settings: ReplicateSettings) -> str:
    """What keeps costs from being estimated, and what to do about it; nothing if they can be."""
    names = ("price_per_second", "compute_per_audio_second")
    unset = [name for name in names if getattr(settings, name) is None]
    return f"set {' and '.join(unset)} in [replicate] of gallery.toml, see docs/replicate.md" if unset else ""


def tickets_of(config: Config) -> Tickets:
    """The gallery's tickets."""
    return Tickets(config.workspace / "replicate")
