"""A model of gallery.toml -> its language model and its codec, loaded.

A checkpoint is two files in audiocraft's format, ``state_dict.bin`` (the language
model) and ``compression_state_dict.bin`` (EnCodec), from the hub at the pinned
revision, from the hub's cache where there is no network, or from a local folder.

Checkpoints name other models of the hub: the text encoder (``t5-base``), and in
some the codec (``facebook/encodec_32khz``). A local folder may hold copies of them
in folders named like the last part of their names (``t5-base``, ``encodec_32khz``)
and is then complete: nothing is looked up on the hub.
"""

from __future__ import annotations

import pickle
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from gallery.engines.musicgen import CODEC_FILE, LM_FILE
from gallery.engines.musicgen.melody_audio import separator_stood_in
from gallery.engines.musicgen.standins import import_audiocraft, placed
from gallery.errors import GalleryError
from gallery.errors.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gallery.config import Model

# Settings of training, which audiocraft's builders would apply to a model that is loaded.
_TRAINING_ONLY = (
    "conditioners.self_wav.chroma_stem.cache_path",
    "conditioners.args.merge_text_conditions_p",
    "conditioners.args.drop_desc_p",
)


class CannotLoad(GalleryError):
    """A model that cannot be loaded, and why, in one line."""


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
    text_encoder: str  # the text encoder's name, with its commit where it came from the hub

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
        lm, config = _load_lm(model, lm_path, folder, device, dtype)
        codec = _load_codec(model, codec_path, folder, config, device)
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
        text_encoder=_text_encoder(lm),
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


def _read(model: Model, path: Path) -> dict[str, Any]:
    try:
        package = torch.load(path, map_location="cpu", weights_only=not model.unpickle)
    except pickle.UnpicklingError as error:
        if model.unpickle:
            raise
        raise CannotLoad(
            f"{model.hub} needs unpickling ({path.name}), which runs code of whoever made it; "
            f"if you trust its source, set `unpickle = true` for this model in gallery.toml"
        ) from error
    if not isinstance(package, dict):
        raise CannotLoad(f"{model.hub} cannot be loaded: {path.name} is not an audiocraft checkpoint")
    return package


def _load_lm(
    model: Model, path: Path, folder: Path | None, device: str, dtype: torch.dtype
) -> tuple[Any, Any]:
    from audiocraft.models import builders
    from omegaconf import OmegaConf
    from transformers import T5Config

    package = _read(model, path)
    if "xp.cfg" not in package or "best_state" not in package:
        raise CannotLoad(f"{model.hub} cannot be loaded: {path.name} is not an audiocraft checkpoint")
    config: Any = OmegaConf.create(package["xp.cfg"])
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
    local = _copy_of(text.t5.name, folder)
    width = T5Config.from_pretrained(local).d_model if local else 0
    text.t5.name = str(local or text.t5.name)
    with text_encoder_known(text.t5.name, width), placed(), separator_stood_in():
        lm = builders.get_lm_model(config)
    lm.load_state_dict(package["best_state"])
    if "self_wav" in config.conditioners:
        melody: Any = lm.condition_provider.conditioners["self_wav"]
        melody.match_len_on_eval, melody._use_masking = True, False
    lm.cfg = config
    return lm.eval(), config


def _load_codec(model: Model, path: Path, folder: Path | None, config: Any, device: str) -> Any:
    from audiocraft.models import builders
    from audiocraft.models.encodec import HFEncodecCompressionModel
    from omegaconf import OmegaConf
    from transformers import EncodecModel

    package = _read(model, path)
    codec: Any
    if "pretrained" in package:
        name = package["pretrained"]
        codec = HFEncodecCompressionModel(EncodecModel.from_pretrained(_copy_of(name, folder) or name))
        codec.to(device)
    else:
        codec_config: Any = OmegaConf.create(package["xp.cfg"])
        codec_config.device = device
        codec = builders.get_compression_model(codec_config)
        codec.load_state_dict(package["best_state"])
    return builders.get_wrapped_compression_model(codec.eval(), config).eval()


def _check(model: Model, codec: Any) -> None:
    for name in ("sample_rate", "channels"):
        said, found = getattr(model, name), getattr(codec, name)
        if said != found:
            raise CannotLoad(f"{model.hub} has {name} = {found}; gallery.toml says {said}: correct it there")


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


def _copy_of(name: str, folder: Path | None) -> Path | None:
    """The copy of a hub model that a checkpoint's folder holds, if it does."""
    copy = folder / name.rpartition("/")[2] if folder else None
    return copy if copy and copy.is_dir() else None


def _text_encoder(lm: Any) -> str:
    import huggingface_hub

    name = lm.condition_provider.conditioners["description"].name
    if Path(name).is_dir():
        return Path(name).name
    cached = huggingface_hub.try_to_load_from_cache(name, "config.json")
    return f"{name}@{Path(cached).parent.name}" if isinstance(cached, str) else str(name)


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
