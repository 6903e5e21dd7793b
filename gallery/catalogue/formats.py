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
from gallery.prompts.request import Request, parameter_fields, parameter_label, plain_number

if TYPE_CHECKING:
    from gallery.config import Model

# libyaml's dumper is much faster; PyYAML can be built without it.
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

# Words that stand in YAML as they are, and most prompts are such: there is no need to ask it.
_PLAIN = re.compile(r"[A-Za-z]+ [A-Za-z0-9 ,.]*[a-z0-9]")

_OTHER_DICE = (
    "Sounds different from audiocraft with the same seed: transformers draws other random numbers. "
    "Its top-k is 50 where none is given, and it combines it with top-p."
)
_IN_AUDIOCRAFT = "A program for an environment that has audiocraft; it writes clip.wav."
_IN_A_GALLERY = "The head of a file in a gallery's folder prompts/, such as prompts/new.md."
_ON_REPLICATE = "For the JSON tab of meta/musicgen's page on Replicate, or as the input of a prediction."
_IN_TTS_WEBUI = (
    "The values for the form in TTS-WebUI's tab for MusicGen, to be set there one by one, "
    "as it writes them beside its clips."
)

# Of the models that Replicate lacks, those that come nearest to what it has.
_NEAREST = {
    f"facebook/musicgen-{kind}{size}": f"{kind}large"
    for kind in ("", "stereo-")
    for size in ("small", "medium")
} | {
    "facebook/musicgen-melody": "melody-large",
    "facebook/musicgen-stereo-melody": "stereo-melody-large",
}

# Replicate's other model, which takes no seed.
_AUDIOGEN, _SEPAL = "facebook/audiogen-medium", "sepal/audiogen"
_ON_SEPAL = f"For the JSON tab of {_SEPAL}'s page on Replicate, which takes no seed: another sound each time."

# What TTS-WebUI's form takes: of each field the least, the most, and its unit.
_TTS_WEBUI_FORM = {
    "duration": (1, 360, " s"),
    "temperature": (0, 1.5, ""),
    "top_p": (0, 1.5, ""),
    "cfg_coef": (0, 10, ""),
}

# Seconds that the positions of transformers' MusicGen last for, and the steps that it takes beyond the
# frames: its codebooks come one after the other.
_TRANSFORMERS_SECONDS = 30
_DELAY = 3


_one_a_line = json.JSONEncoder(ensure_ascii=False, separators=(",\n  ", ": ")).encode


@dataclass(frozen=True)
class Takeaway:
    """A request for one tool: ``text`` to copy, or ``reason`` why the tool cannot make the clip.

    ``where`` says where the text goes, and what of it is another sound.
    """

    tool: str
    language: str
    text: str = ""
    reason: str = ""
    where: str = ""


def takeaways(request: Request, name: str, model: Model, irreproducible: str = "") -> list[Takeaway]:
    """The request for every tool; ``name`` is the gallery's own for its model.

    What no tool makes again, and ``irreproducible`` says why, is offered to none.
    """
    if irreproducible:
        reason = f"nothing makes this clip again: {irreproducible}"
        return [Takeaway("Other tools", "", reason=reason), _prompt_file(request, name, model)]
    return [
        Takeaway("Python for audiocraft", "python", audiocraft(request, model), where=_IN_AUDIOCRAFT),
        _transformers(request, model),
        _replicate(request, model),
        _tts_webui(request, model),
        _prompt_file(request, name, model),
    ]


def _prompt_file(request: Request, name: str, model: Model) -> Takeaway:
    return Takeaway("Prompt file", "yaml", front_matter(request, name, model), where=_IN_A_GALLERY)


def _transformers(request: Request, model: Model) -> Takeaway:
    tool = "Transformers in Python"
    try:
        return Takeaway(tool, "python", transformers(request, model), where=_OTHER_DICE)
    except CannotAsk as reason:
        return Takeaway(tool, "python", reason=str(reason))


def _replicate(request: Request, model: Model) -> Takeaway:
    """Where Replicate has no such model, the nearest that it has, which is said."""
    tool = "Replicate input"
    if request.model == _AUDIOGEN:
        return Takeaway(tool, "json", _as_json(_sepal(request)), where=_ON_SEPAL)
    try:
        return Takeaway(tool, "json", _as_json(replicate(request, model)), where=_ON_REPLICATE)
    except CannotAsk as reason:
        near = _NEAREST.get(request.model)
        try:
            other = request.model_copy(update={"model": f"facebook/musicgen-{near}"})
            text = _as_json(replicate(other, model)) if near else ""
        except CannotAsk as again:
            return Takeaway(tool, "json", reason=f"{reason}; {again}")
        if not near:
            return Takeaway(tool, "json", reason=str(reason))
        told = f"{reason}. This asks for {near}, which makes another sound. {_ON_REPLICATE}"
        return Takeaway(tool, "json", text, where=told)


def _tts_webui(request: Request, model: Model) -> Takeaway:
    tool = "TTS-WebUI parameters"
    try:
        text = _as_json(tts_webui(request, model))
    except CannotAsk as reason:
        return Takeaway(tool, "json", reason=str(reason))
    melody = f" The melody is the file with SHA-256 {request.melody}." if request.melody else ""
    return Takeaway(tool, "json", text, where=_IN_TTS_WEBUI + melody)


def _as_json(fields: dict[str, Any]) -> str:
    """A field a line: as json's own indenting writes it, which takes much longer."""
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


def transformers(request: Request, model: Model) -> str:
    """A Python program for transformers, which makes a clip of the same settings. Raises CannotAsk."""
    if model.kind == "audiogen":
        raise CannotAsk("transformers has no AudioGen")
    if request.melody:
        raise CannotAsk("transformers follows a melody in another way")
    if request.duration > _TRANSFORMERS_SECONDS:
        raise CannotAsk(f"transformers makes {_TRANSFORMERS_SECONDS} s at most")
    if request.cfg_coef < 1:
        raise CannotAsk(f"transformers takes a guidance of {request.cfg_coef:g} for none")
    kind = "MusicgenMelody" if model.kind == "melody" else "Musicgen"
    settings: dict[str, Any] = {"max_new_tokens": request.frames + _DELAY, "guidance_scale": request.cfg_coef}
    if request.temperature == 0:
        settings["do_sample"] = False
    else:
        settings |= {"do_sample": True, "temperature": request.temperature}
        settings |= (
            {"top_k": 0, "top_p": min(request.top_p, 1.0)} if request.top_p else {"top_k": request.top_k}
        )
    arguments = ", ".join(f"{name}={plain_number(value)!r}" for name, value in settings.items())
    return "\n".join(
        [
            "import soundfile",
            "import torch",
            f"from transformers import AutoProcessor, {kind}ForConditionalGeneration",
            "",
            f"processor = AutoProcessor.from_pretrained({request.model!r})",
            f"model = {kind}ForConditionalGeneration.from_pretrained({request.model!r})",
            f"inputs = processor(text=[{request.prompt!r}], padding=True, return_tensors='pt')",
            f"torch.manual_seed({request.seed})",
            f"audio = model.generate(**inputs, {arguments})",
            "rate = model.config.audio_encoder.sampling_rate",
            "soundfile.write('clip.wav', audio[0].cpu().float().numpy().T, rate, 'FLOAT')",
            "",
        ]
    )


def replicate(request: Request, model: Model) -> dict[str, Any]:
    """The input of meta/musicgen on Replicate."""
    return prediction_input(request, model, "the address of the melody file")


def _sepal(request: Request) -> dict[str, Any]:
    """The input of sepal/audiogen on Replicate."""
    fields = {
        "prompt": request.prompt,
        "duration": request.duration,
        "temperature": request.temperature,
        "top_k": request.top_k,
        "top_p": request.top_p,
        "classifier_free_guidance": request.cfg_coef,
        "output_format": "wav",
    }
    return {name: plain_number(value) for name, value in fields.items()}


def tts_webui(request: Request, model: Model) -> dict[str, Any]:
    """The parameters as TTS-WebUI writes them beside its clips. Raises CannotAsk.

    It knows a melody by the digest of its samples, which nobody has here.
    """
    for name, (least, most, unit) in _TTS_WEBUI_FORM.items():
        value = getattr(request, name)
        if not least <= value <= most:
            label = parameter_label(name)
            raise CannotAsk(f"TTS-WebUI takes a {label} of {least} to {most:g}{unit}, not {value:g}{unit}")
    if request.seed == 0 and "seed" in request.canonical():
        raise CannotAsk("TTS-WebUI takes the seed 0 for a random one")
    if request.extend_stride is not None and request.extend_stride != model.stride:
        raise CannotAsk(f"TTS-WebUI cannot set the stride, which is {request.extend_stride:g} s here")
    fields = {
        "text": request.prompt,
        "melody": None,
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
        if parameter == "seed" and request.audio:
            continue
        if value != default:
            fields[parameter] = plain_number(value)
    if request.melody:
        fields["melody"] = DIGEST_PREFIX + request.melody
    if request.audio:
        fields["audio"] = DIGEST_PREFIX + request.audio
    return fields
