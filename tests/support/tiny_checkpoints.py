"""Tiny checkpoints in audiocraft's own format, with random weights, made in about a second.

`write_checkpoint(folder, kind)` fills a folder that gallery.toml can point to:

    [models.tiny]
    hub = "tests/tiny"
    folder = "tiny"
    kind = "musicgen"

and `SNIPPETS[kind]` is that table for each kind. The folder also holds the text
encoder that the checkpoint names, under its own name, so nothing is fetched.

The networks are random, but not dull: output heads and conditions are scaled up,
so that logits are far from uniform and clips depend on their prompt, on guidance
and on what came before. Otherwise a wrong sampler or mask would go unnoticed.
"""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

# The folder where all processes of a run of the tests find the checkpoints that one of them has made.
KEPT: list[Path] = []

TEXT_ENCODER = "t5-base"
CARD = 512  # tokens of one codebook: top_k = 250 must leave some out


@dataclass(frozen=True)
class Kind:
    """What sets a kind of checkpoint apart."""

    model_kind: str
    sample_rate: int = 32000
    ratios: tuple[int, ...] = (8, 5, 4, 4)
    stereo: bool = False
    melody: bool = False
    window: float = 30.0

    @property
    def delays(self) -> list[int]:
        """The published models' delays: one codebook after the other, stereo in pairs."""
        return [0, 0, 1, 1, 2, 2, 3, 3] if self.stereo else [0, 1, 2, 3]


KINDS = {
    "mono": Kind("musicgen"),
    "stereo": Kind("musicgen", stereo=True),
    "melody": Kind("melody", melody=True),
    "stereo-melody": Kind("melody", stereo=True, melody=True),
    "audiogen": Kind("audiogen", sample_rate=16000, ratios=(8, 5, 4, 2), window=10.0),
}

SNIPPETS = {
    name: f"""\
[models.tiny-{name}]
hub = "tests/tiny-{name}"
folder = "tiny-{name}"
kind = "{kind.model_kind}"
sample_rate = {kind.sample_rate}
channels = {2 if kind.stereo else 1}
"""
    for name, kind in KINDS.items()
}


@cache
def import_everything() -> None:
    """Import audiocraft, once. The engine looks for garbage often, and nothing that was imported is any."""
    from gallery.engines.musicgen.standins import import_audiocraft

    import_audiocraft()
    gc.freeze()


def write_checkpoint(
    folder: Path, kind: str = "mono", *, window: float | None = None, text_width: int = 32, seed: int = 0
) -> Path:
    """Write a checkpoint of one of `KINDS` and return its folder.

    ``window`` is the longest stretch it makes at once; by default its kind's.
    ``text_width`` is its text encoder's (768 for one that the hub calls t5-base).
    In a run of the tests, what one has had made is copied for the next: that needs no torch.
    """
    if not KEPT:
        return _make_checkpoint(folder, kind, window, text_width, seed)
    kept = KEPT[0] / f"{kind}-{window}-{text_width}-{seed}"
    if not kept.exists():
        part = _make_checkpoint(kept.with_name(f"{kept.name}.{os.getpid()}"), kind, window, text_width, seed)
        with contextlib.suppress(OSError):  # another process was faster
            part.rename(kept)
    return shutil.copytree(kept, folder, dirs_exist_ok=True)


def _make_checkpoint(folder: Path, kind: str, window: float | None, text_width: int, seed: int) -> Path:
    import torch
    from omegaconf import OmegaConf

    from gallery.engines.musicgen.checkpoint import text_encoder_known
    from gallery.engines.musicgen.melody_audio import separator_stood_in
    from gallery.engines.musicgen.standins import placed

    shape = KINDS[kind]
    folder.mkdir(parents=True, exist_ok=True)
    import_everything()
    from audiocraft.models import builders

    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    try:
        _write_text_encoder(folder / TEXT_ENCODER, text_width)
        codec_config = _codec_config(shape)
        codec = builders.get_compression_model(codec_config)
        for name, buffer in codec.named_buffers():
            if name.endswith(".inited"):
                buffer.fill_(1)
            elif name.endswith((".embed", ".embed_avg")):
                buffer.normal_()
        _save(folder / "compression_state_dict.bin", codec, codec_config)

        config = _lm_config(shape, window or shape.window)
        encoder = str(folder / TEXT_ENCODER)
        named = OmegaConf.merge(config, {"conditioners": {"description": {"t5": {"name": encoder}}}})
        with text_encoder_known(encoder, text_width), placed(), separator_stood_in():
            lm = builders.get_lm_model(named)
        _enliven(lm)
        _save(folder / "state_dict.bin", lm, config)
    finally:
        torch.random.set_rng_state(state)
    return folder


def _save(path: Path, model: torch.nn.Module, config: Any) -> None:
    import torch
    from omegaconf import OmegaConf

    torch.save(
        {
            "best_state": model.state_dict(),
            "xp.cfg": OmegaConf.to_yaml(config),
            "version": "1.3.0",
            "exported": True,
        },
        path,
    )


def _enliven(lm: Any) -> None:
    import torch

    with torch.no_grad():
        for head in lm.linears:
            head.weight.mul_(1.5)
        for conditioner in lm.condition_provider.conditioners.values():
            conditioner.output_proj.weight.mul_(4)
            conditioner.output_proj.bias.normal_()
        for layer in lm.transformer.layers:
            if layer.cross_attention is not None:
                layer.cross_attention.in_proj_weight.mul_(3)
                layer.cross_attention.out_proj.weight.mul_(3)


def _write_text_encoder(folder: Path, width: int) -> None:
    from transformers import T5Config, T5EncoderModel, T5Tokenizer

    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,'-"
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    tokenizer = T5Tokenizer(vocab=pieces + [(letter, -3.0) for letter in letters], extra_ids=0)
    tokenizer.save_pretrained(folder)
    config = T5Config(
        vocab_size=len(tokenizer), d_model=width, d_kv=8, d_ff=64, num_layers=2, num_heads=4, dropout_rate=0.0
    )
    T5EncoderModel(config).eval().save_pretrained(folder)


def _codec_config(shape: Kind) -> Any:
    from omegaconf import OmegaConf

    return OmegaConf.create(
        {
            "compression_model": "encodec",
            "device": "cpu",
            "encodec": {
                "autoencoder": "seanet",
                "quantizer": "rvq",
                "sample_rate": shape.sample_rate,
                "channels": 1,
                "causal": False,
                "renormalize": False,
            },
            "seanet": {
                "dimension": 16,
                "channels": 1,
                "causal": False,
                "n_filters": 2,
                "n_residual_layers": 1,
                "ratios": list(shape.ratios),
                "norm": "weight_norm",
                "lstm": 1,
                "encoder": {},
                "decoder": {"trim_right_ratio": 1.0},
            },
            "rvq": {"n_q": 4, "q_dropout": False, "bins": CARD},
        }
    )


def _lm_config(shape: Kind, window: float) -> Any:
    from omegaconf import OmegaConf

    conditioners: dict[str, Any] = {
        "args": {"merge_text_conditions_p": 0.25, "drop_desc_p": 0.5},
        "description": {
            "model": "t5",
            "t5": {
                "name": TEXT_ENCODER,
                "finetune": False,
                "word_dropout": 0.3,
                "normalize_text": False,
                "autocast_dtype": "float32",
            },
        },
    }
    fuser: dict[str, Any] = {
        "cross_attention_pos_emb": False,
        "cross_attention_pos_emb_scale": 1,
        "sum": [],
        "prepend": [],
        "cross": ["description"],
        "input_interpolate": [],
    }
    if shape.melody:
        conditioners["self_wav"] = {
            "model": "chroma_stem",
            "chroma_stem": {
                "sample_rate": shape.sample_rate,
                "n_chroma": 12,
                "radix2_exp": 12,
                "argmax": True,
                "match_len_on_eval": False,
                "eval_wavs": None,
                "n_eval_wavs": 0,
                "cache_path": None,
            },
        }
        fuser |= {"prepend": ["self_wav", "description"], "cross": []}
    return OmegaConf.create(
        {
            "device": "cpu",
            "dtype": "float32",
            "lm_model": "transformer_lm",
            "dataset": {"segment_duration": window},
            "transformer_lm": {
                "dim": 64,
                "num_heads": 4,
                "num_layers": 2,
                "hidden_scale": 4,
                "n_q": len(shape.delays),
                "card": CARD,
                "dropout": 0.0,
                "norm": "layer_norm",
                "norm_first": True,
                "bias_ff": False,
                "bias_attn": False,
                "bias_proj": False,
                "activation": "gelu",
                "past_context": None,
                "causal": True,
                "custom": False,
                "memory_efficient": True,
                "attention_as_float32": False,
                "positional_embedding": "sin",
                "cross_attention": False,
                "weight_init": "gaussian",
                "depthwise_init": "current",
                "zero_bias_init": True,
            },
            "codebooks_pattern": {
                "modeling": "delay",
                "delay": {"delays": shape.delays, "flatten_first": 0, "empty_initial": 0},
            },
            "classifier_free_guidance": {"training_dropout": 0.3, "inference_coef": 3.0},
            "attribute_dropout": {},
            "conditioners": conditioners,
            "fuser": fuser,
            "interleave_stereo_codebooks": {"use": shape.stereo, "per_timestep": False},
            "compression_model_n_q": 4,
        }
    )
