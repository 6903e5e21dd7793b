"""A clip's request in the words of the tools that people take it to.

The parameters' names and defaults come from `gallery.request`; what a tool cannot do is
said, never approximated. Facts on the tools: audiocraft 1.3, meta/musicgen on Replicate
(no small or medium model, whole-number guidance, seed 0 means a random one) and
TTS-WebUI (0 and -1 mean a random seed).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from gallery.prompts import DIGEST_PREFIX
from gallery.request import Parameters, Request, plain_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from gallery.config import Model

_REPLICATE_VERSIONS = ("stereo-melody-large", "stereo-large", "melody-large", "large")
_HUB_PREFIX = "facebook/musicgen-"

# libyaml's dumper is several times as fast; PyYAML can be built without it.
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass(frozen=True)
class Takeaway:
    """A request for one tool: ``text`` to copy, or ``reason`` why the tool cannot make the clip."""

    tool: str
    language: str
    text: str = ""
    reason: str = ""


def takeaways(request: Request, name: str, model: Model) -> list[Takeaway]:
    """The request for every tool; ``name`` is the gallery's own for its model."""
    return [
        Takeaway("Python for audiocraft", "python", audiocraft(request, model)),
        _attempt("Replicate input", replicate, request, model),
        _attempt("TTS-WebUI parameters", tts_webui, request, model),
        Takeaway("Prompt file", "yaml", front_matter(request, name, model)),
    ]


class _CannotError(Exception):
    """A tool cannot make the clip; the text says why."""


def _attempt(
    tool: str, write: Callable[[Request, Model], dict[str, Any]], request: Request, model: Model
) -> Takeaway:
    try:
        return Takeaway(tool, "json", json.dumps(write(request, model), ensure_ascii=False, indent=2))
    except _CannotError as reason:
        return Takeaway(tool, "json", reason=str(reason))


def audiocraft(request: Request, model: Model) -> str:
    """A Python program for stock audiocraft that makes the clip and writes it to clip.wav.

    On the CPU it makes it token for token; a GPU's arithmetic may part from it.
    """
    kind = "AudioGen" if model.kind == "audiogen" else "MusicGen"
    settings = {
        name: plain_number(value)
        for name, value in request.model_dump(include=set(Parameters.model_fields)).items()
        if name != "seed" and value is not None
    }
    arguments = ", ".join(f"{name}={value!r}" for name, value in settings.items())
    lines = [
        "import soundfile",
        "import torch",
        f"from audiocraft.models import {kind}",
        "",
        f"model = {kind}.get_pretrained({request.model!r})",
        f"model.set_generation_params({arguments})",
    ]
    if request.melody:
        lines += [
            f"# melody.wav is the file with SHA-256 {request.melody}",
            "melody, rate = soundfile.read('melody.wav', dtype='float32', always_2d=True)",
            "melody = torch.from_numpy(melody.T)",
        ]
    lines.append(f"torch.manual_seed({request.seed})")
    if request.melody:
        lines.append(f"audio = model.generate_with_chroma([{request.prompt!r}], melody[None], rate)")
    else:
        lines.append(f"audio = model.generate([{request.prompt!r}])")
    lines.append("soundfile.write('clip.wav', audio[0].cpu().float().numpy().T, model.sample_rate, 'FLOAT')")
    return "\n".join(lines) + "\n"


def replicate(request: Request, model: Model) -> dict[str, Any]:
    """The input of meta/musicgen on Replicate."""
    version = request.model.removeprefix(_HUB_PREFIX)
    if version not in _REPLICATE_VERSIONS:
        raise _CannotError(f"Replicate has no {request.model}; it has {', '.join(_REPLICATE_VERSIONS)}")
    for name in ("cfg_coef", "duration"):
        value = getattr(request, name)
        if not float(value).is_integer():
            raise _CannotError(f"Replicate takes whole numbers for {name}, not {value:g}")
    if request.seed == 0 and "seed" in request.canonical():
        raise _CannotError("Replicate takes the seed 0 for a random one")
    if request.extend_stride is not None and request.extend_stride != model.stride:
        raise _CannotError(f"Replicate cannot set the stride, which is {request.extend_stride:g} s here")
    fields = {
        "model_version": version,
        "prompt": request.prompt,
        "duration": int(request.duration),
        "temperature": request.temperature,
        "top_k": request.top_k,
        "top_p": request.top_p,
        "classifier_free_guidance": int(request.cfg_coef),
        "seed": request.seed,
        "output_format": "wav",
    }
    if request.melody:
        fields["input_audio"] = "the address of the melody file"
    return {name: plain_number(value) for name, value in fields.items()}


def tts_webui(request: Request, model: Model) -> dict[str, Any]:
    """The parameters as TTS-WebUI writes them beside its clips."""
    if request.seed == 0 and "seed" in request.canonical():
        raise _CannotError("TTS-WebUI takes the seed 0 for a random one")
    if request.extend_stride is not None and request.extend_stride != model.stride:
        raise _CannotError(f"TTS-WebUI cannot set the stride, which is {request.extend_stride:g} s here")
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


def front_matter(request: Request, name: str, model: Model, **presentation: Any) -> str:
    """The fields of a prompt file that asks for this clip; what is at its default stays out.

    ``presentation`` holds more fields to write, such as a title.
    """
    fields: dict[str, Any] = {**presentation, "prompt": request.prompt, "model": name}
    usual = {parameter: info.default for parameter, info in Parameters.model_fields.items()}
    usual["extend_stride"] = model.stride if request.duration > model.window else None
    for parameter, default in usual.items():
        value = getattr(request, parameter)
        if value != default:
            fields[parameter] = plain_number(value)
    if request.melody:
        fields["melody"] = DIGEST_PREFIX + request.melody
    text = yaml.dump(fields, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10_000)
    return f"---\n{text}---\n"
