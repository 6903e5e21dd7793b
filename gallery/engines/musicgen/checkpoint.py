"""A model of gallery.toml -> its language model and its codec, loaded.

A checkpoint is two files in audiocraft's format, ``state_dict.bin`` (the language
model) and ``compression_state_dict.bin`` (EnCodec), from the hub at the pinned
revision, from the hub's cache where there is no network, or from a local folder.

Checkpoints name other models of the hub: the text encoder (``t5-base``), and in
some the codec (``facebook/encodec_32khz``), which come the same way, at revisions of
their own. A local folder may hold copies of them in folders named like the last part
of their names (``t5-base``, ``encodec_32khz``) and is then complete: nothing is looked
up on the hub.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from gallery.engines.musicgen import files
from gallery.engines.musicgen.files import CODEC_FILE, LM_FILE
from gallery.engines.musicgen.melody_audio import separator_stood_in
from gallery.engines.musicgen.package import CannotLoad, configuration_of, read_package
from gallery.engines.musicgen.standins import import_audiocraft, placed
from gallery.errors.text import one_line, shown
from gallery.prompts.request import FRAME_RATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gallery.config import Model
    from gallery.engines.musicgen.files import Need

__all__ = ["CannotLoad", "Checkpoint", "load", "text_encoder_known"]

# Settings of training, which audiocraft's builders would apply to a model that is loaded.
_TRAINING_ONLY = (
    "conditioners.self_wav.chroma_stem.cache_path",
    "conditioners.args.merge_text_conditions_p",
    "conditioners.args.drop_desc_p",
)

# Large models lie on the hub in several files.
_SHARDS = ("model.safetensors.index.json", "model-*.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """A model in memory."""

    lm: Any
    codec: Any
    device: str
    dtype: torch.dtype
    window: int  # frames that the model makes at once
    frame_rate: int
    sample_rate: int
    channels: int
    revision: str  # the hub's commit; empty for a local folder
    text_encoder: str  # its name, with its commit where it came from the hub
    codec_source: str  # the same of the codec; empty where the checkpoint holds its own

    @property
    def hop(self) -> int:
        """Samples of one frame."""
        return self.sample_rate // self.frame_rate


def load(model: Model, root: Path, device: str) -> Checkpoint:
    """Load a model onto ``device``. Raises CannotLoad."""
    try:
        return _load(model, root, device)
    except (CannotLoad, torch.OutOfMemoryError):
        raise
    except Exception as error:
        raise CannotLoad(f"{model.hub} cannot be loaded: {one_line(error)}") from error


def _load(model: Model, root: Path, device: str) -> Checkpoint:
    folder = root / model.folder if model.folder else None
    lm_path, codec_path = _find(model, folder, LM_FILE), _find(model, folder, CODEC_FILE)
    dtype = dtype_of(model, device)
    import_audiocraft()
    with _quiet():
        lm, config, text_encoder = _load_lm(model, lm_path, root, device, dtype)
        codec, codec_source = _load_codec(model, codec_path, root, config, device)
    _check(model, codec)
    return Checkpoint(
        lm=lm,
        codec=codec,
        device=device,
        dtype=dtype,
        window=int(config.dataset.segment_duration * codec.frame_rate),
        frame_rate=round(codec.frame_rate),
        sample_rate=codec.sample_rate,
        channels=codec.channels,
        revision="" if folder else _commit(model, lm_path),
        text_encoder=text_encoder,
        codec_source=codec_source,
    )


def dtype_of(model: Model, device: str) -> torch.dtype:
    """What a model is computed in: the type that its device is fast with, or what gallery.toml asks for."""
    fast = torch.float32 if device == "cpu" else torch.float16
    return fast if model.precision == "auto" else torch.float32


def _find(model: Model, folder: Path | None, name: str) -> Path:
    if folder is not None:
        path = folder / name
        if not path.is_file():
            raise CannotLoad(f"{model.hub} cannot be loaded: {model.folder} has no {name}")
        return path
    import huggingface_hub

    try:
        return Path(huggingface_hub.hf_hub_download(model.hub, name, revision=model.revision or None))
    except (OSError, ValueError, huggingface_hub.errors.HfHubHTTPError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise CannotLoad(f"{model.hub} cannot be fetched from the hub: {reason}") from error


def _commit(model: Model, path: Path) -> str:
    return path.parent.name if path.parent.parent.name == "snapshots" else model.revision


def _named(model: Model, need: Need, root: Path) -> tuple[Path, str]:
    """Where what a checkpoint names lies, fetched if need be, and what records call it."""
    folder = need.find(root)
    if folder is None and need.folder:
        raise CannotLoad(files.problem_of(model, [need]))
    if not need.folder and not files.HUB_ID.fullmatch(need.hub):
        raise CannotLoad(f"{model.hub} names {shown(need.hub)} as its {need.purpose}: no model of the hub")
    if folder is None or not (need.folder or need.revision):  # the newest, which the hub knows
        folder = _fetch(model, need)
        if need.find(root) is None:
            raise CannotLoad(files.problem_of(model, [need]))
    if need.folder:
        return folder, folder.name
    return folder, f"{need.hub}@{folder.name}"


def _fetch(model: Model, need: Need) -> Path:
    import huggingface_hub

    patterns, revision = [*need.files, *_SHARDS], need.revision or None
    try:
        return Path(huggingface_hub.snapshot_download(need.hub, revision=revision, allow_patterns=patterns))
    except (OSError, ValueError, huggingface_hub.errors.HfHubHTTPError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise CannotLoad(
            f"{model.hub} needs the {need.purpose} {need.hub}, which cannot be fetched from the hub: {reason}"
        ) from error


def _load_lm(model: Model, path: Path, root: Path, device: str, dtype: torch.dtype) -> tuple[Any, Any, str]:
    from audiocraft.models import builders
    from omegaconf import OmegaConf
    from transformers import T5Config

    package = read_package(model, path)
    if "xp.cfg" not in package or "best_state" not in package:
        raise CannotLoad(f"{model.hub} cannot be loaded: {path.name} is not an audiocraft checkpoint")
    config = configuration_of(package)
    if config.lm_model != "transformer_lm":
        raise CannotLoad(f"{model.hub} is no MusicGen or AudioGen model ({config.lm_model}): not supported")
    for name in _TRAINING_ONLY:
        parent, _, key = name.rpartition(".")
        table = OmegaConf.select(config, parent)
        if table is not None and key in table:
            del table[key]
    # Every weight is loaded: drawing random ones first would only take time.
    config.transformer_lm |= {"weight_init": None, "depthwise_init": None, "zero_bias_init": False}
    config.device, config.dtype = device, str(dtype).removeprefix("torch.")
    text = config.conditioners.get("description")
    if text is None or text.model != "t5":
        raise CannotLoad(f"{model.hub} has no T5 text encoder: not supported")
    encoder, told = _named(model, files.text_encoder(model, root, text.t5.name), root)
    width = T5Config.from_pretrained(encoder).d_model
    text.t5.name = str(encoder)
    with text_encoder_known(text.t5.name, width), placed(), separator_stood_in():
        lm = builders.get_lm_model(config)
    lm.load_state_dict(package["best_state"])
    if "self_wav" in config.conditioners:
        melody: Any = lm.condition_provider.conditioners["self_wav"]
        melody.match_len_on_eval, melody._use_masking = True, False
    lm.cfg = config
    return lm.eval(), config, told


def _load_codec(model: Model, path: Path, root: Path, config: Any, device: str) -> tuple[Any, str]:
    from audiocraft.models import builders
    from audiocraft.models.encodec import HFEncodecCompressionModel
    from transformers import EncodecModel

    package = read_package(model, path)
    codec: Any
    told = ""
    if "pretrained" in package:
        place, told = _named(model, files.codec(model, root, package["pretrained"]), root)
        codec = HFEncodecCompressionModel(EncodecModel.from_pretrained(place))
        codec.to(device)
    else:
        codec_config = configuration_of(package)
        codec_config.device = device
        codec = builders.get_compression_model(codec_config)
        codec.load_state_dict(package["best_state"])
    return builders.get_wrapped_compression_model(codec.eval(), config).eval(), told


def _check(model: Model, codec: Any) -> None:
    for name in ("sample_rate", "channels"):
        said, found = getattr(model, name), getattr(codec, name)
        if said != found:
            raise CannotLoad(f"{model.hub} has {name} = {found}; gallery.toml says {said}: correct it there")
    if codec.frame_rate != FRAME_RATE:
        raise CannotLoad(
            f"{model.hub} has a codec of {codec.frame_rate:g} frames a second: "
            f"only codecs of {FRAME_RATE} are supported"
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the libraries' progress bars and their advice to audiocraft's authors."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if shown:
            logging.enable_progress_bar()


@contextmanager
def text_encoder_known(name: str, width: int) -> Iterator[None]:
    """Let audiocraft take a text encoder from a folder; of itself it takes only names that it knows.

    A ``width`` of 0 changes nothing.
    """
    from audiocraft.modules.conditioners import T5Conditioner

    known, widths = T5Conditioner.MODELS, T5Conditioner.MODELS_DIMS
    if width:
        T5Conditioner.MODELS, T5Conditioner.MODELS_DIMS = [*known, name], {**widths, name: width}
    try:
        yield
    finally:
        T5Conditioner.MODELS, T5Conditioner.MODELS_DIMS = known, widths
