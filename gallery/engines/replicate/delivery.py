"""What Replicate delivered: exactly what was asked for, or not a render."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from gallery.engines import Render
from gallery.engines.replicate.asking import NORMALIZATION
from gallery.engines.replicate.tickets import Facts
from gallery.prompts.request import FRAME_RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gallery.config import Model, ReplicateSettings
    from gallery.engines.replicate.asking import Order
    from gallery.engines.replicate.service import Prediction
    from gallery.engines.replicate.tickets import Ticket
    from gallery.prompts.request import Request

_SEED = re.compile(r"Using seed:? (-?\d{1,20})\b")


class NotAsked(Exception):
    """Something else than what was asked for; the text says what."""


def seed_in(logs: Any) -> int | None:
    """The seed that a prediction used, as its log tells it, or None where it doesn't."""
    found = _SEED.findall(logs[-1_000_000:]) if isinstance(logs, str) else []
    return int(found[-1]) if found else None


def facts_of(prediction: Prediction, version: str, order: Order) -> Facts:
    """What a prediction that succeeded tells of itself. Raises NotAsked."""
    if prediction.version != version:
        raise NotAsked(f"Replicate ran its version {prediction.version[:12]}, not {version[:12]}")
    for name, value in order.given.items():
        # A melody is given by whatever address it was uploaded to.
        if name != "input_audio" and prediction.input.get(name) != value:
            raise NotAsked(f"Replicate ran the prediction {prediction.id} with another {name}")
    asked, seed = order.request, seed_in(prediction.logs)
    if "seed" in asked.canonical() and seed != asked.seed:
        used = "a seed that its log does not tell" if seed is None else f"the seed {seed}"
        raise NotAsked(f"Replicate used {used}, not {asked.seed}")
    return Facts(seed=seed, predict_time=prediction.predict_time, completed_at=prediction.completed_at)


def audio_of(data: bytes, request: Request, model: Model) -> NDArray[np.float32]:
    """The samples of a delivered WAV file, [samples, channels]. Raises NotAsked."""
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            form = (file.format, file.samplerate, file.channels)
            audio: NDArray[np.float32] = file.read(dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise NotAsked("Replicate delivered no audio that can be read") from error
    wanted = ("WAV", model.sample_rate, model.channels)
    if form != wanted:
        raise NotAsked(f"Replicate delivered {_form(*form)}, not {_form(*wanted)}")
    seconds, asked = len(audio) / model.sample_rate, request.frames / FRAME_RATE
    # A codec may end a few samples early or late, but never a whole frame.
    if abs(seconds - asked) >= 1 / FRAME_RATE:
        raise NotAsked(f"Replicate delivered {seconds:.2f} s of audio, not {asked:g} s")
    return audio


def _form(kind: str, sample_rate: int, channels: int) -> str:
    return f"{kind} with {channels} channel{'s' * (channels > 1)} at {sample_rate} Hz"


def largest_file(request: Request, model: Model) -> int:
    """Bytes beyond which a file is not the clip's: 32 bits a sample, and a megabyte."""
    return int(request.duration * model.sample_rate) * model.channels * 4 + 1_000_000


def render_of(order: Order, ticket: Ticket, data: bytes, settings: ReplicateSettings) -> Render:
    """The render of a ticket that is bought, from its WAV file. Raises NotAsked."""
    facts = ticket.bought or Facts(seed=None, predict_time=None, completed_at="")
    provenance = {
        "engine": "replicate",
        "engine_version": ticket.model_version,
        "service": settings.model,
        "prediction": ticket.prediction,
        "model": order.request.model,
        "device": settings.hardware,
        "normalization": NORMALIZATION,
        "seed_in_log": facts.seed,
        "date": facts.completed_at,
        "seconds": facts.predict_time,
    }
    told = {name: value for name, value in provenance.items() if value not in ("", None)}
    return Render(order.request, audio_of(data, order.request, order.model), order.model.sample_rate, told)
