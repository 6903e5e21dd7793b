"""A request as the input of meta/musicgen on Replicate: exactly, or not at all.

After the model's public source, cog-musicgen: it has four models, takes whole numbers for
the duration and for the guidance, takes the seeds 0 and -1 for a random one, and leaves
the stride between windows at audiocraft's 18 s. It bounds neither duration nor top_k,
top_p or temperature, so that our own ranges hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gallery.prompts.request import plain_number

if TYPE_CHECKING:
    from pathlib import Path

    from gallery.config import Model
    from gallery.engines.replicate.tickets import Ticket
    from gallery.prompts.request import Request

MODELS = ("stereo-melody-large", "stereo-large", "melody-large", "large")

# Of its four ways to write a clip's audio the only one that does no more than turn it up or
# down: the others may cut its peaks off.
NORMALIZATION = "peak"

_HUB_PREFIX = "facebook/musicgen-"


@dataclass(frozen=True)
class Order:
    """A clip to have made: its input but for the address of its ``melody``, and its ticket if it has one."""

    request: Request
    model: Model
    given: dict[str, Any]
    melody: Path | None
    ticket: Ticket | None


class CannotAsk(Exception):
    """Replicate cannot make the clip; the text says why."""


def prediction_input(request: Request, model: Model, melody: str) -> dict[str, Any]:
    """The input that makes the clip; ``melody`` is the address of the request's melody, if it has one.

    What cannot change the sound is sent as the key knows it: a prompt that guidance 0
    ignores is empty. Raises CannotAsk.
    """
    heard = request.canonical()
    version = request.model.removeprefix(_HUB_PREFIX)
    if version not in MODELS:
        raise CannotAsk(f"Replicate has no {request.model}; it has {', '.join(MODELS)}")
    for name in ("cfg_coef", "duration"):
        value = getattr(request, name)
        if not float(value).is_integer():
            raise CannotAsk(f"Replicate takes whole numbers for {name}, not {value:g}")
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
