"""Predictions of meta/musicgen and sepal/audiogen on Replicate: JSON, with audio beside it or an address."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from gallery.engines.provenance import Provenance
from gallery.engines.replicate.prediction import seed_in
from gallery.errors.text import shown
from gallery.importers.fetch import fetch, refuse_address
from gallery.importers.found import ImportedClip, Unusable
from gallery.importers.untrusted import (
    RANDOM_SEED,
    clean_line,
    iso_date,
    model_name,
    number_of,
    seed_of,
    text_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from gallery.config import Config

ORIGIN = "Replicate"
AUDIO_SUFFIXES = (".wav", ".mp3")

MUSICGEN, AUDIOGEN = "meta/musicgen", "sepal/audiogen"

# Predictions that were kept long ago name a version alone.
_VERSIONS = {
    "671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb": MUSICGEN,
    "7be0f12c54a8d033a0fbd14418c9af98962da9a86f5ff7811f9b3423a1f0b7d7": MUSICGEN,
    "b05b1dff1d8c6dc63d14b0cdb42135378dcb87f6373b0d3d341ede46e59e2b38": MUSICGEN,
    "7a76a8258b23fae65c5a22debb8841d1d7e816b75c2f24218cd2bd8573787906": MUSICGEN,
    "154b3e5141493cb1b8cec976d9aa90f2b691137e39ad906d2421b74c2a8c52b8": AUDIOGEN,
}

# A prediction lists only the inputs that were given; these are the others.
_DEFAULTS = {
    "duration": ("duration", 8),
    "temperature": ("temperature", 1),
    "top_k": ("top_k", 250),
    "top_p": ("top_p", 0),
    "cfg_coef": ("classifier_free_guidance", 3),
}
_AUDIOGEN_DURATION = 3
_DEFAULT_MODEL = "stereo-melody-large"

_COMMON_INPUTS = {"prompt", "output_format", *(theirs for theirs, _ in _DEFAULTS.values())}
_INPUTS = {
    AUDIOGEN: _COMMON_INPUTS,
    MUSICGEN: _COMMON_INPUTS
    | {"model_version", "input_audio", "seed", "normalization_strategy", "multi_band_diffusion"}
    | {"continuation", "continuation_start", "continuation_end", "replicate_weights"}
    | {"description", "melody", "strategy"},  # of older versions
}

_ID = re.compile(r"[A-Za-z0-9]{1,64}")

UNKNOWN_SEED = "its log, which tells the seed, was not kept"


def predictions_in(data: Any) -> list[dict[str, Any]] | None:
    """The predictions of a JSON value: one, a list, or a page of the API's list. None if it has none."""
    if isinstance(data, dict) and isinstance(data.get("results"), list):
        data = data["results"]
    found = data if isinstance(data, list) else [data]
    return found if found and all(_is_prediction(item) for item in found) else None


def _is_prediction(item: Any) -> bool:
    return isinstance(item, dict) and "input" in item and not {"status", "output", "logs"}.isdisjoint(item)


def audio_beside(prediction: dict[str, Any], source: Path, *, alone: bool) -> tuple[Path, ...]:
    """A prediction's audio beside its JSON: named like it, or after the prediction's id."""
    names = [source.stem] if alone else []
    if isinstance(prediction.get("id"), str) and _ID.fullmatch(prediction["id"]):
        names.append(prediction["id"])
    paths = (source.with_name(name + suffix) for name in names for suffix in AUDIO_SUFFIXES)
    return tuple(path for path in paths if path.is_file() and not path.is_symlink())


def read_clip(
    config: Config, prediction: dict[str, Any], source: Path, files: tuple[Path, ...], scratch: Path | None
) -> ImportedClip:
    """The clip that a prediction made. ``scratch`` is for a melody; without it none is fetched.

    Raises Unusable.
    """
    _refuse_unfinished(prediction)
    given = prediction["input"]
    if not isinstance(given, dict):
        raise Unusable("its input is none")
    if not given and prediction.get("data_removed"):
        raise Unusable("Replicate has deleted what it was asked for")
    service = _service(prediction)
    if unknown := next(
        (name for name in given if name not in _INPUTS[service] and given[name] is not None), None
    ):
        raise Unusable(f"{service} was given {shown(unknown)}, an input that is not known here")
    if given.get("multi_band_diffusion") not in (None, False):
        raise Unusable(
            "decoded by multi-band diffusion, which no prompt file can ask for: it sounds different"
        )
    if given.get("continuation") not in (None, False):
        raise Unusable("goes on from other audio, which no prompt file can ask for")
    if given.get("replicate_weights"):
        raise Unusable("made by fine-tuned weights, which no prompt file can ask for")
    seed, why = _seed(prediction, given)
    fields = {
        "prompt": text_of(given, "prompt") or text_of(given, "description"),
        "model": _model(config, service, given),
        **{own: number_of(given, theirs, default) for own, (theirs, default) in _DEFAULTS.items()},
    }
    if service == AUDIOGEN:
        fields["duration"] = number_of(given, "duration", _AUDIOGEN_DURATION)
    if melody := text_of(given, "input_audio") or text_of(given, "melody"):
        fields["melody"] = f"sha256:{_melody_digest(config, given, melody, scratch)}"
    strategy = given.get("normalization_strategy") or given.get("strategy") or "loudness"
    if service == AUDIOGEN:
        strategy = ""  # it doesn't say what it does to the loudness
    provenance = Provenance(
        engine="replicate",
        engine_version=clean_line(prediction.get("version"), 64),
        service=service,
        imported_from=ORIGIN,
        date=iso_date(prediction.get("completed_at") or prediction.get("created_at")),
        original=clean_line(prediction.get("id"), 64),
        normalization=clean_line(strategy, 20),
    )
    unseeded = seed is None and fields["temperature"] != 0
    if not unseeded:
        fields["seed"] = seed or 0
    else:
        provenance = provenance.with_fields(reproducible=False, note=why)
    url = "" if files else _output(prediction)
    unfetched = melody if scratch is None else ""
    return ImportedClip(source, fields, provenance, files, url, unfetched, unseeded=unseeded)


def _refuse_unfinished(prediction: dict[str, Any]) -> None:
    status = prediction.get("status", "succeeded")
    if status == "succeeded":
        return
    if status == "failed":
        error = clean_line(str(prediction.get("error") or "it gives no reason").split("\n")[0])
        raise Unusable(f"the prediction failed: {error}")
    if status in ("canceled", "aborted"):
        raise Unusable("the prediction was canceled")
    if status in ("starting", "processing"):
        raise Unusable("the prediction was not finished when this was saved; save it again")
    raise Unusable(f"the prediction's status is {shown(status)}, not succeeded")


def _service(prediction: dict[str, Any]) -> str:
    """The model on Replicate that was asked. Raises Unusable for all but those that are known here."""
    name, version = prediction.get("model"), prediction.get("version")
    known = _VERSIONS.get(version) if isinstance(version, str) else None
    if name in (None, "") and known:
        return known
    if name in (None, ""):
        said = f"version {shown(version)}" if version else "neither model nor version"
        raise Unusable(f"says {said}, and no model that is known here: {MUSICGEN}, {AUDIOGEN}")
    if not isinstance(name, str) or name not in _INPUTS or known not in (None, name):
        raise Unusable(f"made by {shown(name)}, not by {MUSICGEN} or {AUDIOGEN}")
    return name


def _model(config: Config, service: str, given: dict[str, Any]) -> str:
    if service == AUDIOGEN:
        return model_name(config, "audiogen-medium")
    version = text_of(given, "model_version") or _DEFAULT_MODEL
    if version == "encode-decode":
        raise Unusable("encode-decode makes nothing; it passes audio through the codec")
    return model_name(config, version)


def _seed(prediction: dict[str, Any], given: dict[str, Any]) -> tuple[int | None, str]:
    """The seed that was used: the log's, or the one that was asked for. None and why for an unknown one."""
    told = seed_in(prediction.get("logs"))
    seed, why = seed_of(given if told is None else {"seed": told}, random=(0, -1), missing=UNKNOWN_SEED)
    return seed, UNKNOWN_SEED if why == RANDOM_SEED else why


def _melody_digest(config: Config, given: dict[str, Any], address: str, scratch: Path | None) -> str:
    """The SHA-256 of the melody file: what this gallery, too, knows a melody by.

    Where it isn't to be fetched, something stands for it.
    """
    if given.get("continuation_start") or given.get("continuation_end") not in (None, -1):
        raise Unusable("follows a part of its melody, which no prompt file can ask for")
    if scratch is None:
        refuse_address(address)
        return hashlib.sha256(address.encode()).hexdigest()
    target = scratch / "melody"
    try:
        fetch(address, target, config.limits.melody_bytes)
    except Unusable as error:
        raise Unusable(f"follows a melody that cannot be told: {error}") from error
    return hashlib.sha256(target.read_bytes()).hexdigest()


def _output(prediction: dict[str, Any]) -> str:
    output = prediction.get("output")
    if isinstance(output, list) and len(output) == 1:
        output = output[0]
    if isinstance(output, str) and output:
        return output
    if prediction.get("data_removed"):
        raise Unusable("Replicate has deleted its audio, and there is none beside it")
    raise Unusable("names no audio, and there is none beside it")
