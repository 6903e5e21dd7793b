"""Tiny checkpoints, what stock audiocraft makes of them, and what the engine makes of them."""

from __future__ import annotations

import gc
import random
import sys
from dataclasses import dataclass
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from gallery.config import Model
from gallery.prompts.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from gallery.engines.musicgen.checkpoint import Checkpoint

HUB = "tests/tiny"


@dataclass
class Tiny:
    """A tiny checkpoint: where it is, how gallery.toml describes it, and itself in memory."""

    kind: str
    root: Path
    model: Model
    checkpoint: Checkpoint

    def request(self, **fields: Any) -> Request:
        return Request(**{"model": HUB, "prompt": "slow drums, warm bass", "duration": 1.0, **fields})

    def stock(self, request: Request, melody: Path | None = None) -> tuple[torch.Tensor, NDArray[np.float32]]:
        """What audiocraft's own `generate` makes of a request alone: tokens and audio."""
        import soundfile
        import torch
        from audiocraft.models import AudioGen, MusicGen

        from gallery.engines.musicgen.standins import placed

        maker = AudioGen if self.kind == "audiogen" else MusicGen
        codec = getattr(self.checkpoint.codec, "model", self.checkpoint.codec)
        # Its constructor insists on a window longer than the default stride.
        model = maker("tiny", codec, self.checkpoint.lm, max_duration=100)
        model.max_duration = self.checkpoint.lm.cfg.dataset.segment_duration
        parameters = {
            "duration": request.duration,
            "temperature": request.temperature,
            "top_k": request.top_k,
            "top_p": request.top_p,
            "cfg_coef": request.cfg_coef,
        }
        if request.extend_stride is not None:
            parameters["extend_stride"] = request.extend_stride
        elif model.max_duration <= model.extend_stride:
            parameters["extend_stride"] = model.max_duration / 2
        model.set_generation_params(**parameters)
        with placed():
            if melody:
                samples, rate = soundfile.read(melody, dtype="float32", always_2d=True)
                from gallery.engines.musicgen.melody_audio import load_separator

                load_separator(self.checkpoint.lm.condition_provider.conditioners["self_wav"], "cpu")
                wave = torch.from_numpy(samples.T.copy())
                torch.manual_seed(request.seed)
                audio, tokens = model.generate_with_chroma([request.prompt], [wave], rate, return_tokens=True)
            else:
                torch.manual_seed(request.seed)
                audio, tokens = model.generate([request.prompt], return_tokens=True)
        return tokens[0], audio[0].T.numpy()

    def tokens(
        self, requests: Sequence[Request], *, size: int | None = None, melodies: dict[str, Path] | None = None
    ) -> list[torch.Tensor]:
        """What the engine's schedule makes of requests together: their tokens."""
        from gallery.engines.musicgen.generation import generation_of
        from gallery.engines.musicgen.schedule import Done, Schedule

        clips = [
            generation_of(
                request, self.checkpoint.window, int(50 * (request.extend_stride or self.model.stride))
            )
            for request in requests
        ]
        made = {}
        for event in Schedule(self.checkpoint, clips, melodies or {}, size).run():
            assert event is None or isinstance(event, Done), event
            if event is not None:
                assert id(event.clip) not in made
                made[id(event.clip)] = event.clip.tokens
        return [made[id(clip)] for clip in clips]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Tiny]:
    """Makes tiny checkpoints, each once: ``tiny("stereo")``, ``tiny("mono", window=2)``."""
    from gallery.engines.musicgen.standins import import_audiocraft

    root = tmp_path_factory.mktemp("tiny")
    import_audiocraft()
    gc.freeze()  # the engine looks for garbage often, and all that was imported is none

    @cache
    def make(kind: str, window: float | None = None) -> Tiny:
        from gallery.engines.musicgen.checkpoint import load
        from musicgen.tiny_checkpoints import KINDS, write_checkpoint

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
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)
        if "." in name:
            setattr(sys.modules["demucs"], name.partition(".")[2], module)
    return settings
