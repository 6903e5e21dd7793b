"""A clip's request in the words of the tools that people take it to.

The parameters' names and defaults come from `gallery.prompts.request`; what a tool cannot do is
said, never approximated. Facts on the tools: audiocraft 1.3, meta/musicgen on Replicate
(see `gallery.engines.replicate.prediction`) and TTS-WebUI (0 and -1 mean a random seed).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import yaml

from gallery.engines.replicate.prediction import CannotAsk, prediction_input
from gallery.prompts.forms import DIGEST_PREFIX
from gallery.prompts.request import Request, parameter_fields, plain_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gallery.config import Model

# libyaml's dumper is several times as fast; PyYAML can be built without it.
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

# Words that stand in YAML as they are, and most prompts are such: there is no need to ask it.
_PLAIN = re.compile(r"[A-Za-z]+ [A-Za-z0-9 ,.]*[a-z0-9]")

_NOT_AGAIN = "nothing makes this clip again: not all that made it is known"

_one_a_line = json.JSONEncoder(ensure_ascii=False, separators=(",\n  ", ": ")).encode


@dataclass(frozen=True)
class Takeaway:
    """A request for one tool: ``text`` to copy, or ``reason`` why the tool cannot make the clip."""

    tool: str
    language: str
    text: str = ""
    reason: str = ""


def takeaways(
    request: Request, name: str, model: Model, provenance: Mapping[str, Any] | None = None
) -> list[Takeaway]:
    """The request for every tool; ``name`` is the gallery's own for its model.

    What no tool makes again, as ``provenance`` tells, is offered to none.
    """
    if reason := withheld(request, provenance or {}):
        return [
            Takeaway("Other tools", "", reason=reason),
            Takeaway("Prompt file", "yaml", front_matter(request, name, model)),
        ]
    return [
        Takeaway("Python for audiocraft", "python", audiocraft(request, model)),
        _attempt("Replicate input", replicate, request, model),
        _attempt("TTS-WebUI parameters", tts_webui, request, model),
        Takeaway("Prompt file", "yaml", front_matter(request, name, model)),
    ]


def withheld(request: Request, provenance: Mapping[str, Any]) -> str:
    """Why nobody can make the clip again; nothing where its request says all that made it."""
    if request.is_unseeded:
        return "nobody knows its seed, so nothing makes this clip again"
    if provenance.get("reproducible") is False:
        note = provenance.get("note")
        return f"nothing makes this clip again: {note}" if note and isinstance(note, str) else _NOT_AGAIN
    return ""


def _attempt(
    tool: str, write: Callable[[Request, Model], dict[str, Any]], request: Request, model: Model
) -> Takeaway:
    try:
        return Takeaway(tool, "json", _as_json(write(request, model)))
    except CannotAsk as reason:
        return Takeaway(tool, "json", reason=str(reason))


def _as_json(fields: dict[str, Any]) -> str:
    """A field a line: as json's own indenting writes it, which takes many times as long."""
    return "{\n  " + _one_a_line(fields)[1:-1] + "\n}"


def audiocraft(request: Request, model: Model) -> str:
    """A Python program for stock audiocraft that makes the clip and writes it to clip.wav.

    On the CPU it makes it token for token; a GPU's arithmetic may part from it.
    """
    kind = "AudioGen" if model.kind == "audiogen" else "MusicGen"
    settings = {name: getattr(request, name) for name in parameter_fields() if name != "seed"}
    arguments = ", ".join(
        f"{name}={plain_number(value)!r}" for name, value in settings.items() if value is not None
    )
    lines = [
        "import soundfile",
        "import torch",
        f"from audiocraft.models import {kind}",
        "",
        f"model = {kind}.get_pretrained({request.model!r})",
        f"model.set_generation_params({arguments})",
    ]
    made = f"model.generate([{request.prompt!r}])"
    if request.melody:
        lines += [
            f"# melody.wav is the file with SHA-256 {request.melody}",
            "melody, rate = soundfile.read('melody.wav', dtype='float32', always_2d=True)",
            "melody = torch.from_numpy(melody.T)",
        ]
        made = f"model.generate_with_chroma([{request.prompt!r}], melody[None], rate)"
    lines += [
        f"torch.manual_seed({request.seed})",
        f"audio = {made}",
        "soundfile.write('clip.wav', audio[0].cpu().float().numpy().T, model.sample_rate, 'FLOAT')",
    ]
    return "\n".join(lines) + "\n"


def replicate(request: Request, model: Model) -> dict[str, Any]:
    """The input of meta/musicgen on Replicate."""
    return prediction_input(request, model, "the address of the melody file")


def tts_webui(request: Request, model: Model) -> dict[str, Any]:
    """The parameters as TTS-WebUI writes them beside its clips."""
    if request.seed == 0 and "seed" in request.canonical():
        raise CannotAsk("TTS-WebUI takes the seed 0 for a random one")
    if request.extend_stride is not None and request.extend_stride != model.stride:
        raise CannotAsk(f"TTS-WebUI cannot set the stride, which is {request.extend_stride:g} s here")
    fields = {
        "text": request.prompt,
        "melody": request.melody,
        "model_name": request.model,
        "duration": request.duration,
        "topk": request.top_k,
        "topp": request.top_p,
        "temperature": request.temperature,
        "cfg_coef": request.cfg_coef,
        "seed": str(request.seed),
        "use_multi_band_diffusion": False,
    }
    return {field: plain_number(value) for field, value in fields.items()}


def front_matter(request: Request, name: str, model: Model) -> str:
    """The front matter of a prompt file that asks for this clip."""
    lines = (_yaml_line(field, value) for field, value in prompt_fields(request, name, model).items())
    return f"---\n{''.join(lines)}---\n"


@lru_cache(maxsize=1024, typed=True)
def _yaml_line(field: str, value: Any) -> str:
    """One field of front matter. Most clips have most of theirs in common."""
    if type(value) is int or (type(value) is str and _PLAIN.fullmatch(value)):
        return f"{field}: {value}\n"
    return str(yaml.dump({field: value}, Dumper=_Dumper, allow_unicode=True, width=10_000))


def prompt_fields(request: Request, name: str, model: Model) -> dict[str, Any]:
    """The fields of a prompt file that asks for this clip; what is at its default stays out."""
    fields: dict[str, Any] = {"prompt": request.prompt, "model": name}
    usual = {parameter: info.default for parameter, info in parameter_fields().items()}
    usual["extend_stride"] = model.stride if request.duration > model.window else None
    for parameter, default in usual.items():
        value = getattr(request, parameter)
        if parameter == "seed" and request.is_unseeded:
            continue
        if value != default:
            fields[parameter] = plain_number(value)
    if request.melody:
        fields["melody"] = DIGEST_PREFIX + request.melody
    if request.audio:
        fields["audio"] = DIGEST_PREFIX + request.audio
    return fields
