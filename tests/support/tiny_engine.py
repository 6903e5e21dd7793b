"""Tiny checkpoints in memory: what stock audiocraft makes of them, and what the engine makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gallery.config import Model
from gallery.prompts.request import Request

if TYPE_CHECKING:
    from collections.abc import Sequence
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
