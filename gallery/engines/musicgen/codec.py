"""Tokens to audio, with the model's own EnCodec, one clip at a time.

On the CPU a clip is decoded whole, as audiocraft decodes it. On a GPU what follows
the decoder's LSTM, which takes nearly all the memory, is done in chunks of one
shape. Then a clip's audio takes the same memory however long it is, and the same
tokens give the same samples however much memory is free.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from gallery.engines.musicgen.memory import ensure_free

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from gallery.engines.musicgen.checkpoint import Checkpoint
    from gallery.engines.musicgen.generation import Generation

# Frames of one chunk, those around it that it needs included: 5 s.
CHUNK = 256

# Memory of a GPU that has to be free: for a chunk, and for each of the clip's frames in the first layers.
# It is looked at beforehand: where cuDNN finds too little for the way it prefers, it doesn't fail, but
# takes another, which rounds differently.
ROOM, ROOM_OF_FRAME = 384 << 20, 48 << 10


@torch.no_grad()
def decode(
    checkpoint: Checkpoint, clips: Sequence[Generation]
) -> Iterator[tuple[Generation, NDArray[np.float32]]]:
    """Each clip with its audio [samples, channels]."""
    device = torch.device(checkpoint.device)
    for clip in clips:
        tokens = clip.tokens[None].to(device)
        if device.type == "cpu":
            audio = checkpoint.codec.decode(tokens, None)
        else:
            ensure_free(device, ROOM + clip.frames * ROOM_OF_FRAME)
            audio = decode_in_chunks(checkpoint.codec, tokens)
        samples = audio[0, :, : clip.frames * checkpoint.hop].float().cpu()
        yield clip, np.ascontiguousarray(samples.T.numpy())


@torch.no_grad()
def decode_in_chunks(codec: Any, tokens: Tensor, chunk: int = CHUNK) -> Tensor:
    """The audio [1, channels, samples] of tokens [1, codebooks, frames], on the CPU.

    It is what ``codec.decode`` makes of them, but for the last bits. A codec whose
    layers look further than a few frames decodes them whole.
    """
    if hasattr(codec, "get_left_right_codes"):  # stereo: a mono codec for each side
        sides = codec.get_left_right_codes(tokens)
        return torch.cat([decode_in_chunks(codec.model, side, chunk) for side in sides], 1)
    # Full precision, and the same way each time: as audiocraft's CPU does it.
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        layers = _decoder_layers(codec)
        recurrent = [place for place, layer in enumerate(layers) if _has(layer, nn.LSTM)]
        first = recurrent[-1] + 1 if recurrent else 1
        head, tail = nn.Sequential(*layers[:first]), nn.Sequential(*layers[first:])
        if _has(tail, nn.GroupNorm) or chunk <= 2 * _reach(tail):
            whole: Tensor = codec.decode(tokens, None)
            return whole.cpu()
        return _in_chunks(tail, head(codec.decode_latent(tokens)).contiguous(), chunk)


def _decoder_layers(codec: Any) -> list[nn.Module]:
    """The layers of an EnCodec's decoder: audiocraft's own, or transformers' in audiocraft's wrapper."""
    decoder = codec.decoder if hasattr(codec, "decoder") else codec.model.decoder
    return list(decoder.layers if hasattr(decoder, "layers") else decoder.model)


def _has(layer: nn.Module, kind: type[nn.Module]) -> bool:
    return any(isinstance(module, kind) for module in layer.modules())


def _in_chunks(tail: nn.Sequential, x: Tensor, chunk: int) -> Tensor:
    """What the last layers make of frames [1, width, frames]; a clip shorter than a chunk is its own.

    The first chunk begins and the last one ends with the clip, where layers pad it.
    """
    frames, context = x.shape[-1], _reach(tail)
    size = min(chunk, frames)
    parts, done = [], 0
    while done < frames:
        start = min(max(done - context, 0), frames - size)
        end = frames if start + size == frames else start + size - context
        made = tail(x[..., start : start + size].contiguous())
        hop = made.shape[-1] // size
        parts.append(made[..., (done - start) * hop : (end - start) * hop].cpu())
        done = end
    return torch.cat(parts, -1)


def _reach(layers: nn.Module) -> int:
    """How many frames before and after a frame decide its samples, at most."""
    reach, rate = 0.0, 1
    for layer in layers.modules():
        if isinstance(layer, nn.Conv1d):
            reach += (layer.kernel_size[0] - 1) * layer.dilation[0] / rate
        elif isinstance(layer, nn.ConvTranspose1d):
            reach += (layer.kernel_size[0] / layer.stride[0] - 1) / rate
            rate *= layer.stride[0]
    return ceil(reach)
