"""What was asked of Replicate and not yet handed over: one file a clip, in .gallery/replicate/.

A ticket is written before its prediction is asked for, gets the prediction's id from the
answer, and is removed when its clip is a render. So a build that was killed at any moment
leaves what the next one needs to fetch what was paid for instead of paying again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from gallery.utils.files import remove_leftovers, write_atomic

if TYPE_CHECKING:
    from pathlib import Path

# How long Replicate keeps the inputs, logs and outputs of predictions that its API was asked for.
RETENTION = timedelta(hours=1)

_ID = r"^[A-Za-z0-9]{0,64}$"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Facts(_Strict):
    """What a prediction that succeeded tells of itself: the seed of its log, its seconds of compute."""

    seed: int | None
    predict_time: Annotated[float, Field(ge=0)] | None
    completed_at: Annotated[str, Field(max_length=40)]


class Ticket(_Strict):
    """A prediction that was asked for.

    ``prediction`` is its id, empty while there is no answer. ``bought`` says that its audio
    lies beside the ticket, ``refused`` why what was paid for cannot be used.
    """

    version: Literal[1] = 1
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    model_version: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    input: dict[str, Any]
    asked_at: AwareDatetime
    prediction: Annotated[str, Field(pattern=_ID)] = ""
    bought: Facts | None = None
    refused: Annotated[str, Field(max_length=1000)] = ""

    def expired(self, now: datetime) -> bool:
        """Whether Replicate has forgotten by now what it was asked for."""
        return now - self.asked_at > RETENTION


class DamagedTicket(Exception):
    """A file that is no ticket, or another clip's."""


class Tickets:
    """The tickets in a folder that is not published."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def name(self, key: str) -> str:
        """What messages call a clip's ticket: its path in the gallery."""
        return f"{self._folder.parent.name}/{self._folder.name}/{key}.json"

    def paid(self, key: str) -> str:
        """What to do about a clip that was paid for in vain."""
        return f"it was paid for: to ask and pay for it again, remove {self.name(key)}"

    def has(self, key: str) -> bool:
        """Whether a clip has a ticket, be it damaged."""
        return self._path(key).exists()

    def get(self, key: str) -> Ticket | None:
        """A clip's ticket, if it has one. Raises DamagedTicket, since it may have been paid for."""
        try:
            ticket = Ticket.model_validate_json(self._path(key).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise DamagedTicket(key) from error
        if ticket.key != key or (ticket.bought and not self._audio(key).is_file()):
            raise DamagedTicket(key)
        return ticket

    def put(self, ticket: Ticket) -> Ticket:
        """Keep a ticket, in the place of the clip's earlier one."""
        write_atomic(self._path(ticket.key), ticket.model_dump_json(indent=1).encode() + b"\n", sync=True)
        return ticket

    def put_bought(self, ticket: Ticket, facts: Facts, audio: bytes) -> Ticket:
        """Keep what a prediction made: its audio first, what it is last."""
        write_atomic(self._audio(ticket.key), audio, sync=True)
        return self.put(ticket.model_copy(update={"bought": facts}))

    def refuse(self, ticket: Ticket, reason: str) -> None:
        """Remember why what was paid for cannot be used."""
        self.put(ticket.model_copy(update={"refused": reason, "bought": None}))
        self._audio(ticket.key).unlink(missing_ok=True)

    def audio(self, key: str) -> bytes:
        """The WAV file of a ticket that is bought."""
        return self._audio(key).read_bytes()

    def remove(self, key: str) -> None:
        """Forget a ticket: nothing was paid for, or its clip is handed over."""
        self._path(key).unlink(missing_ok=True)
        self._audio(key).unlink(missing_ok=True)

    def remove_leftovers(self) -> None:
        """Remove what a killed build left half-written."""
        remove_leftovers(self._folder)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    def _audio(self, key: str) -> Path:
        return self._folder / f"{key}.wav"
