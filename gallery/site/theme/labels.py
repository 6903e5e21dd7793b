"""Numbers, lengths and parameters as people read them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gallery.prompts.request import parameter_fields, parameter_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gallery.config import Model

# A row shows this much of a prompt; the page shows all of it.
EXCERPT_LENGTH = 220

# What a clip can differ in, in the order in which people ask for it.
FIELD_ORDER = (
    "prompt",
    "model",
    "cfg_coef",
    "temperature",
    "top_k",
    "top_p",
    "seed",
    "audio",
    "duration",
    "extend_stride",
    "melody",
)

# What models of each kind make of what.
MAKES = {"musicgen": "text to music", "melody": "text and a melody to music", "audiogen": "text to sound"}

_LABELS = {"prompt": "wording", "audio": "samples"} | {
    name: parameter_label(name) for name in parameter_fields()
}
_UNITS = {
    name: str(info.json_schema_extra.get("unit", "")) if isinstance(info.json_schema_extra, dict) else ""
    for name, info in parameter_fields().items()
}


def label(field: str) -> str:
    """What people call a field of the request."""
    return _LABELS.get(field, field)


def place(field: str, order: Sequence[str] = FIELD_ORDER) -> tuple[int, str]:
    """Where a field stands among others; those that the order has not come last, by name."""
    return (order.index(field) if field in order else len(order), field)


def unit(field: str) -> str:
    """The unit of a field's value, empty where it has none."""
    return _UNITS.get(field, "")


def number(value: Any) -> str:
    """3.0 as 3, 0.85 as 0.85; what is no number as it is."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(round(value, 6))
    return str(value)


def quantity(field: str, value: Any) -> str:
    """A field's value with its unit: 10 s."""
    if value is None:
        return "none"
    text = number(value)
    if field in ("melody", "audio", "seed") and (digest := re.fullmatch(r"(?:sha256:)?([0-9a-f]{64})", text)):
        text = digest[1][:12] if field != "seed" else "not known"
    return f"{text} {unit(field)}" if unit(field) else text


def named(field: str, value: Any) -> str:
    """A field with its value: guidance 3."""
    return f"{label(field)} {quantity(field, value)}"


def licence(name: str) -> str:
    """A licence as a page names it: nobody said which, or none was given, in words."""
    return {"NOASSERTION": "the licence is not known", "NONE": "no licence is given"}.get(name, name)


def clock(seconds: float) -> str:
    """12.4 as 0:12."""
    whole = int(seconds + 0.5)
    return f"{whole // 60}:{whole % 60:02d}"


def count(amount: int, one: str, many: str = "") -> str:
    """1 prompt, 2 prompts; thousands stand apart."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def excerpt(text: str, length: int = EXCERPT_LENGTH) -> str:
    """The beginning of a text, cut between words where it can be."""
    text = " ".join(text.split())
    if len(text) <= length:
        return text
    head = text[:length]
    return f"{head.rsplit(' ', 1)[0] if ' ' in head[length // 2 :] else head} …"


def about_model(model: Model | None) -> list[list[str]]:
    """What is known of a model: pairs of a label and a value; the first is its hub id."""
    if not model:
        return []
    sound = f"{model.sample_rate / 1000:g} kHz, {'stereo' if model.channels == 2 else 'mono'}"
    return [["hub", model.hub], ["makes", MAKES[model.kind]], ["sound", sound], ["weights", model.license]]
