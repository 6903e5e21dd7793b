"""What decides how a clip sounds, and the key under which it is rendered once.

The parameters are described here and nowhere else: prompt files are validated
against these fields, and labels, help and tables are made from them.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.fields import FieldInfo

# Leads every canonical request. Raise it only if the meaning of a field changes:
# every key changes with it, and every clip is rendered again.
CANONICAL_VERSION = 1

# EnCodec frames a second, the same for every MusicGen and AudioGen model.
FRAME_RATE = 50

# One codebook's size: the most tokens that top-k can choose from.
CODEBOOK_SIZE = 2048

# More marks on one letter no language writes; putting them in order takes the square of their number.
MOST_MARKS = 12


def _parameter(default: Any, label: str, description: str, unit: str = "", **limits: Any) -> Any:
    """A parameter: what people call it, what it does, the unit of its values and their limits."""
    return Field(default, description=description, json_schema_extra={"label": label, "unit": unit}, **limits)


class Parameters(BaseModel):
    """The generation parameters, as audiocraft 1.3 names and applies them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    duration: float = _parameter(10.0, "duration", "Length of the clip in seconds.", "s", ge=0.5, le=600)
    seed: int = _parameter(
        1,
        "seed",
        "Starts the random numbers that choose the tokens: the same seed, the same clip.",
        ge=0,
        le=2**32 - 1,
    )
    temperature: float = _parameter(
        1.0, "temperature", "How freely tokens are drawn; 0 always takes the likeliest one.", ge=0, le=5
    )
    top_k: int = _parameter(
        250,
        "top-k",
        "Draw among this many likeliest tokens; 0 draws among all of them.",
        ge=0,
        le=CODEBOOK_SIZE,
    )
    top_p: float = _parameter(
        0.0,
        "top-p",
        "Draw among the likeliest tokens that make up this share of the probability; "
        "0 switches it off and leaves the choice to top_k.",
        ge=0,
        le=1.5,
    )
    cfg_coef: float = _parameter(
        3.0,
        "guidance",
        "Classifier-free guidance: how closely the prompt is followed; "
        "1 is no guidance, 0 ignores the prompt.",
        ge=0,
        le=20,
    )
    extend_stride: float | None = _parameter(
        None,
        "stride",
        "In clips longer than the model's window, how far each window moves on; "
        "unset, it is 18 for MusicGen and 2 for AudioGen.",
        "s",
        gt=0,
        lt=30,
    )


class Request(Parameters):
    """One request to a model: exactly what decides the sound of one clip.

    ``model`` is the hub id (``facebook/musicgen-small``), so that galleries that
    name their models differently share their clips. ``melody`` is the SHA-256 of
    the melody file; of clips that TTS-WebUI made, of the melody's samples. ``audio`` stands for what
    nobody can ask for, a seed that is not known or another engine than audiocraft: the SHA-256 of the
    clip's samples, float32, as they were imported. ``extend_stride`` is set only where a clip is longer
    than the model's window (see `gallery.config.Model.window`).
    """

    model: str
    prompt: str
    melody: str | None = None
    audio: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")

    @field_validator("prompt")
    @classmethod
    def _refuse_piles(cls, text: str) -> str:
        if is_piled(text):
            raise ValueError("piles marks on one letter")
        return text

    @property
    def frames(self) -> int:
        """EnCodec frames to generate, counted as audiocraft counts them."""
        return int(self.duration * FRAME_RATE)

    def canonical(self) -> dict[str, Any]:
        """The request without anything that cannot change the sound, in one fixed order.

        Numbers are normalised (3 and 3.0 are one guidance), inert parameters are
        left out, and a feature that is not used leaves no field.
        """
        unused = inert(self.model_dump())
        fields: dict[str, Any] = {
            "version": CANONICAL_VERSION,
            "model": self.model,
            "prompt": "" if "prompt" in unused else normalise_text(self.prompt),
            "frames": self.frames,
            "temperature": self.temperature,
            "seed": self.seed,
            "audio": self.audio,
            "top_p": min(self.top_p, 1.0) or None,  # 0 switches it off
            "top_k": self.top_k,
            "cfg_coef": self.cfg_coef,
            "extend_stride": self.extend_stride,
            "melody": self.melody,
        }
        return {
            name: plain_number(value)
            for name, value in fields.items()
            if value is not None and (name == "prompt" or name not in unused)
        }

    @property
    def is_unseeded(self) -> bool:
        """Whether it takes a seed to make the clip, and nobody knows it."""
        return is_unseeded(self.model_dump())

    @property
    def key(self) -> str:
        """The first 128 bits of the canonical request's SHA-256, in hex."""
        canonical = json.dumps(self.canonical(), ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:32]


def inert(request: Mapping[str, Any]) -> frozenset[str]:
    """Fields that cannot change how a request sounds; what it leaves out has its default.

    The rules follow audiocraft's sampling: temperature 0 is greedy; top_p above 0 takes the place of
    top_k; guidance 0 leaves only the unconditional logits. Where the audio stands for a seed that
    nobody knows, no seed counts.
    """
    unused: set[str] = set()
    if request_value(request, "temperature") == 0:
        unused |= {"seed", "top_k", "top_p"}
    elif request_value(request, "top_p") > 0:
        unused |= {"top_k"}
    if is_unseeded(request):
        unused |= {"seed"}
    if request_value(request, "cfg_coef") == 0:
        unused |= {"prompt", "melody"}
    return frozenset(unused)


def is_unseeded(request: Mapping[str, Any]) -> bool:
    """Whether the clip's audio stands for a seed that nobody knows."""
    return bool(request.get("audio")) and request_value(request, "temperature") != 0


def request_value(request: Mapping[str, Any], field: str) -> Any:
    """A field of a request, its default where it is left out."""
    value = request.get(field)
    return _defaults().get(field) if value is None else value


def normalise_text(text: str) -> str:
    """NFC-normalised and trimmed, so that text that looks the same is the same."""
    return unicodedata.normalize("NFC", text).strip()


def is_piled(text: str) -> bool:
    """Whether more than `MOST_MARKS` combining marks stand on one letter."""
    marks = 0
    for char in "" if text.isascii() else text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks > MOST_MARKS:
            return True
    return False


@cache
def parameter_fields() -> dict[str, FieldInfo]:
    """The generation parameters by name, in the order in which people read them."""
    return dict(Parameters.model_fields)


@cache
def _defaults() -> dict[str, Any]:
    return {name: info.default for name, info in parameter_fields().items()}


def parameter_label(name: str) -> str:
    """What people call a field of the request ("guidance" for ``cfg_coef``)."""
    return _extra(name).get("label", name)


def parameter_unit(name: str) -> str:
    """The unit of a parameter's values, ``s``; empty where it has none."""
    return _extra(name).get("unit", "")


def _extra(name: str) -> dict[str, str]:
    field = Parameters.model_fields.get(name)
    extra: Any = field.json_schema_extra if field else None
    return extra or {}


def plain_number(value: Any) -> Any:
    """3.0 as 3 (and -0.0 as 0), as ECMAScript writes numbers: one text for one number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
