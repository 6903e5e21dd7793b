"""Tokens to audio, with the model's own EnCodec."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from gallery.engines.musicgen.checkpoint import Checkpoint
    from gallery.engines.musicgen.generation import Generation

# Clips that a GPU decodes at once: always so many, so that a clip's audio doesn't
# depend on how many others are done with it. The CPU gains nothing from it.
GPU_BATCH = 4


@torch.no_grad()
def decode(
    checkpoint: Checkpoint, clips: Sequence[Generation]
) -> Iterator[tuple[Generation, NDArray[np.float32]]]:
    """Each clip with its audio [samples, channels], clips of one length together."""
    size = 1 if checkpoint.device == "cpu" else GPU_BATCH
    for frames, group in groupby(sorted(clips, key=lambda clip: clip.frames), lambda clip: clip.frames):
        alike = list(group)
        for start in range(0, len(alike), size):
            part = alike[start : start + size]
            tokens = torch.stack([clip.tokens for clip in part])
            padding = tokens[-1:].expand(size - len(part), -1, -1)
            audio = _audio(checkpoint, torch.cat([tokens, padding]))[..., : frames * checkpoint.hop]
            for clip, samples in zip(part, audio, strict=False):
                yield clip, np.ascontiguousarray(samples.T.numpy())


def _audio(checkpoint: Checkpoint, tokens: Tensor) -> Tensor:
    decoded: Tensor = checkpoint.codec.decode(tokens.to(checkpoint.device), None)
    return decoded.float().cpu()
