"""Tiny checkpoints, what stock audiocraft makes of them, and what the engine makes of them."""

from __future__ import annotations

import random
import sys
from functools import cache
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from gallery.config import Model
from support.tiny_checkpoints import KINDS, import_everything, write_checkpoint
from support.tiny_engine import HUB, Tiny

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import torch


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Tiny]:
    """Makes tiny checkpoints, each once: ``tiny("stereo")``, ``tiny("mono", window=2)``."""
    root = tmp_path_factory.mktemp("tiny")
    import_everything()

    @cache
    def make(kind: str, window: float | None = None) -> Tiny:
        from gallery.engines.musicgen.checkpoint import load

        folder = f"{kind}-{window or 'whole'}"
        write_checkpoint(root / folder, kind, window=window)
        shape = KINDS[kind]
        model = Model(
            hub=HUB,
            folder=folder,
            kind=shape.model_kind,
            sample_rate=shape.sample_rate,
            channels=2 if shape.stereo else 1,
        )
        return Tiny(kind, root, model, load(model, root, "cpu"))

    return make


@pytest.fixture(scope="session")
def melody(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A melody of 3 s, stereo, at 44.1 kHz: neither the models' rate nor, for all, their channels."""
    import numpy as np
    import soundfile

    seconds = np.arange(44100 * 3) / 44100
    pitches = 220 * 2 ** (np.floor(seconds * 4) % 7 / 12)
    left = 0.4 * np.sin(2 * np.pi * np.cumsum(pitches) / 44100)
    path = tmp_path_factory.mktemp("melodies") / "scale.wav"
    soundfile.write(path, np.stack([left, 0.5 * np.roll(left, 3000)], 1).astype("float32"), 44100)
    return path


@pytest.fixture
def demucs(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Stands in for demucs: its voice is half the melody, its drums are noise.

    Like demucs it shifts by a random amount, if ``shifts`` is set.
    """
    import torch

    from gallery.engines.musicgen.standins import import_audiocraft

    import_audiocraft()
    from audiocraft.data.audio_utils import convert_audio

    settings = SimpleNamespace(shifts=False)
    separator = SimpleNamespace(
        sources=["drums", "bass", "other", "vocals"], samplerate=44100, audio_channels=2
    )
    separator.to = lambda _device: separator
    separator.eval = lambda: separator

    def apply_model(_model: object, mix: torch.Tensor, device: object = None) -> torch.Tensor:
        shift = random.randint(0, 20000) if settings.shifts else 0
        voice = torch.roll(mix, shift, -1) / 2
        drums = torch.ones_like(mix).cumsum(-1).sin()
        return torch.stack([drums, drums, torch.zeros_like(mix), voice], 1)

    parts = {
        "demucs": {},
        "demucs.pretrained": {"get_model": lambda _name: separator},
        "demucs.apply": {"apply_model": apply_model},
        "demucs.audio": {"convert_audio": convert_audio},
    }
    for name, content in parts.items():
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)
        if "." in name:
            setattr(sys.modules["demucs"], name.partition(".")[2], module)
    return settings
