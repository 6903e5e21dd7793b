"""Predictions of meta/musicgen on Replicate: their input from a request, a render from their output.

Exactly what was asked for, or nothing. The model's public source, cog-musicgen, has four models,
takes whole numbers for the duration and for the guidance, takes the seeds 0 and -1 for a random
one, and leaves the stride between windows at audiocraft's 18 s. It bounds neither duration nor
top_k, top_p or temperature, so that our own ranges hold.
"""

from __future__ import annotations

import io
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gallery.engines import Render
from gallery.engines.provenance import Provenance
from gallery.engines.replicate.journal import Facts
from gallery.prompts.request import FRAME_RATE, plain_number

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from gallery.config import Model
    from gallery.engines.replicate.client import Prediction
    from gallery.engines.replicate.journal import JournalEntry
    from gallery.prompts.request import Request
    from gallery.settings import ReplicateSettings

MODELS = ("stereo-melody-large", "stereo-large", "melody-large", "large")

# Of its four ways to write a clip's audio the only one that does no more than turn it up or
# down: the others may cut its peaks off.
NORMALIZATION = "peak"

# An input that only counts where there is input_audio. In clips without a melody a random number in
# it tells our prediction from every other of the account; those with one have their melody's address.
MARK = "continuation_start"

_HUB_PREFIX = "facebook/musicgen-"

_SEED = re.compile(r"Using seed:? (-?\d{1,20})\b")


class CannotAsk(Exception):
    """Replicate cannot make the clip; the text says why."""


class WrongOutput(Exception):
    """A prediction brought something else than what was asked for; the text says what."""


@dataclass(frozen=True)
class Job:
    """A clip to have made.

    ``input`` is its prediction's but for its mark and the address of its ``melody``; ``entry`` is what
    the journal has of it, if anything. ``doubt`` says why it is not known whether it was asked for,
    once that has been looked into in vain.
    """

    request: Request
    model: Model
    input: dict[str, Any]
    melody: Path | None
    entry: JournalEntry | None
    doubt: str = ""


def prediction_input(request: Request, model: Model, melody: str) -> dict[str, Any]:
    """The input that makes the clip; ``melody`` is the address of the request's melody, if it has one.

    What cannot change the sound is sent as the key knows it: a prompt that guidance 0
    ignores is empty. Raises CannotAsk.
    """
    version = request.model.removeprefix(_HUB_PREFIX)
    if version not in MODELS:
        raise CannotAsk(f"Replicate has no {request.model}; it has {', '.join(MODELS)}")
    for name in ("cfg_coef", "duration"):
        value = getattr(request, name)
        if not float(value).is_integer():
            raise CannotAsk(f"Replicate takes whole numbers for {name}, not {value:g}")
    heard = request.canonical()
    if heard.get("seed") == 0:
        raise CannotAsk("Replicate takes the seed 0 for a random one")
    if request.extend_stride is not None and request.extend_stride != model.stride:
        raise CannotAsk(f"Replicate cannot set the stride, which is {request.extend_stride:g} s here")
    fields = {
        "model_version": version,
        "prompt": heard["prompt"],
        "duration": request.duration,
        "temperature": request.temperature,
        "top_k": request.top_k,
        "top_p": min(request.top_p, 1.0),
        "classifier_free_guidance": request.cfg_coef,
        "seed": request.seed,
        "normalization_strategy": NORMALIZATION,
        "output_format": "wav",
    }
    if "melody" in heard:
        fields |= {"input_audio": melody, "continuation": False}
    return {name: plain_number(value) for name, value in fields.items()}


def marked(given: dict[str, Any]) -> dict[str, Any]:
    """An input that tells its prediction from all others, and makes the same clip."""
    return given if "input_audio" in given else given | {MARK: 1 + secrets.randbelow(2**31 - 1)}


def is_marked(given: dict[str, Any]) -> bool:
    """Whether no other prediction can have this input: a melody's address is new in each build."""
    return MARK in given or "input_audio" in given


def seed_in(logs: Any) -> int | None:
    """The seed that a prediction used, as its log tells it, or None where it doesn't."""
    found = _SEED.findall(logs[-1_000_000:]) if isinstance(logs, str) else []
    return int(found[-1]) if found else None


def facts_of(prediction: Prediction, version: str, job: Job) -> Facts:
    """What a prediction that succeeded tells of itself. Raises WrongOutput."""
    if prediction.version != version:
        raise WrongOutput(f"Replicate ran its version {prediction.version[:12]}, not {version[:12]}")
    for name, value in job.input.items():
        # A melody is given by whatever address it was uploaded to.
        if name != "input_audio" and prediction.input.get(name) != value:
            raise WrongOutput(f"Replicate ran the prediction {prediction.id} with another {name}")
    asked, seed = job.request, seed_in(prediction.logs)
    if "seed" in asked.canonical() and seed != asked.seed:
        used = "a seed that its log does not tell" if seed is None else f"the seed {seed}"
        raise WrongOutput(f"Replicate used {used}, not {asked.seed}")
    return Facts(seed=seed, predict_time=prediction.predict_time, completed_at=prediction.completed_at)


def largest_file(job: Job) -> int:
    """Bytes beyond which a file is not the clip's: 32 bits a sample, and a megabyte."""
    return int(job.request.duration * job.model.sample_rate) * job.model.channels * 4 + 1_000_000


def render_of(job: Job, entry: JournalEntry, wave: bytes, settings: ReplicateSettings) -> Render:
    """The render of a prediction whose WAV file is here. Raises WrongOutput."""
    facts = entry.bought or Facts(seed=None, predict_time=None, completed_at="")
    provenance = Provenance(
        engine="replicate",
        engine_version=entry.model_version,
        service=settings.model,
        prediction=entry.prediction,
        model=job.request.model,
        device=settings.hardware,
        normalization=NORMALIZATION,
        seed_in_log=facts.seed,
        date=facts.completed_at,
        seconds=facts.predict_time,
    )
    audio = _samples(wave, job)
    return Render(job.request, audio, job.model.sample_rate, provenance.without_empty())


def _samples(wave: bytes, job: Job) -> NDArray[np.float32]:
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(wave)) as file:
            form = (file.format, file.samplerate, file.channels)
            audio: NDArray[np.float32] = file.read(dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise WrongOutput("Replicate delivered no audio that can be read") from error
    wanted = ("WAV", job.model.sample_rate, job.model.channels)
    if form != wanted:
        raise WrongOutput(f"Replicate delivered {_form(*form)}, not {_form(*wanted)}")
    seconds, asked = len(audio) / job.model.sample_rate, job.request.frames / FRAME_RATE
    # A codec may end a few samples early or late, but never a whole frame.
    if abs(seconds - asked) >= 1 / FRAME_RATE:
        raise WrongOutput(f"Replicate delivered {seconds:.2f} s of audio, not {asked:g} s")
    return audio


def _form(kind: str, sample_rate: int, channels: int) -> str:
    return f"{kind} with {channels} channel{'s' * (channels > 1)} at {sample_rate} Hz"
