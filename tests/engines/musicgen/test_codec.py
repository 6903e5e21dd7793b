"""Tokens to audio: whole, or in chunks that give the same samples in little memory."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from support.tiny_engine import Tiny

    MakeTiny = Callable[..., Tiny]

CHUNK = 24


@pytest.fixture(scope="module")
def codecs(tiny: MakeTiny) -> dict[str, Any]:
    """EnCodec as audiocraft and as transformers build it, mono and stereo."""
    import torch
    from audiocraft.models.encodec import HFEncodecCompressionModel, InterleaveStereoCompressionModel
    from transformers import EncodecConfig, EncodecModel

    config = EncodecConfig(
        audio_channels=1,
        codebook_dim=16,
        codebook_size=512,
        hidden_size=16,
        normalize=False,
        num_filters=2,
        num_lstm_layers=2,
        num_residual_layers=1,
        sampling_rate=32000,
        target_bandwidths=[1.8],
        upsampling_ratios=[8, 5, 4, 4],
        use_causal_conv=False,
        use_conv_shortcut=False,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = EncodecModel(config).eval()
        for layer in model.quantizer.layers:
            layer.codebook.embed.normal_()
    wrapped = HFEncodecCompressionModel(model)
    return {
        "mono": tiny("mono").checkpoint.codec,
        "stereo": tiny("stereo").checkpoint.codec,
        "audiogen": tiny("audiogen").checkpoint.codec,
        "transformers": wrapped,
        "transformers-stereo": InterleaveStereoCompressionModel(wrapped),
    }


def tokens_of(codec: Any, frames: int) -> torch.Tensor:
    import torch

    chance = torch.Generator().manual_seed(frames)
    return torch.randint(codec.cardinality, (1, codec.num_codebooks, frames), generator=chance)


@pytest.mark.parametrize("kind", ["mono", "stereo", "audiogen", "transformers", "transformers-stereo"])
def test_chunks_come_to_what_whole_decoding_comes_to(codecs: dict[str, Any], kind: str) -> None:
    import torch

    from gallery.engines.musicgen.codec import decode_in_chunks

    codec = codecs[kind]
    lengths = (1, 2, 3, 20, *range(CHUNK - 3, CHUNK + 4), 2 * CHUNK - 4, 2 * CHUNK - 3, 5 * CHUNK + 7)
    for frames in lengths:
        tokens = tokens_of(codec, frames)
        with torch.no_grad():
            whole = codec.decode(tokens, None)
        made = decode_in_chunks(codec, tokens, CHUNK)
        assert made.shape == whole.shape
        assert (made - whole).abs().max() <= 1e-6 * whole.abs().max().clamp(min=1), frames


def test_real_chunks_too(codecs: dict[str, Any]) -> None:
    import torch

    from gallery.engines.musicgen.codec import CHUNK as REAL
    from gallery.engines.musicgen.codec import decode_in_chunks

    codec = codecs["mono"]
    tokens = tokens_of(codec, 1200)
    with torch.no_grad():
        whole = codec.decode(tokens, None)
    made = decode_in_chunks(codec, tokens)
    assert (made - whole).abs().max() <= 1e-6
    assert decode_in_chunks(codec, tokens).equal(made)
    assert 4 * REAL < 1200


def test_a_codec_that_looks_far_is_decoded_whole(codecs: dict[str, Any]) -> None:
    import torch

    from gallery.engines.musicgen.codec import decode_in_chunks

    codec = codecs["mono"]
    tokens = tokens_of(codec, 30)
    with torch.no_grad():
        assert decode_in_chunks(codec, tokens, 4).equal(codec.decode(tokens, None))


@pytest.fixture
def sizes() -> Any:
    """The largest tensor that any layer makes, in bytes."""
    import torch

    class Sizes:
        largest = 0

        def __call__(self, _module: object, _given: object, made: object) -> None:
            if isinstance(made, torch.Tensor):
                self.largest = max(self.largest, made.nbytes)

    seen = Sizes()
    hook = torch.nn.modules.module.register_module_forward_hook(seen)
    yield seen
    hook.remove()


def test_a_long_clip_takes_no_more_memory_than_a_chunk(codecs: dict[str, Any], sizes: Any) -> None:
    import torch

    from gallery.engines.musicgen.codec import decode_in_chunks

    codec, largest = codecs["mono"], []
    for frames in (50, 200, 1500):
        sizes.largest = 0
        decode_in_chunks(codec, tokens_of(codec, frames), 50)
        largest.append(sizes.largest)
    assert largest == [largest[0]] * 3
    sizes.largest = 0
    with torch.no_grad():
        codec.decode(tokens_of(codec, 200), None)
    assert sizes.largest > 3.9 * largest[0]


def test_chunks_have_one_shape(codecs: dict[str, Any]) -> None:
    """So the same tokens meet the same arithmetic, and give equal samples."""
    from gallery.engines.musicgen.codec import decode_in_chunks

    codec = codecs["mono"]
    lengths: list[int] = []
    last = codec.decoder.model[-1]
    hook = last.register_forward_hook(lambda _layer, _given, made: lengths.append(made.shape[-1]))
    decode_in_chunks(codec, tokens_of(codec, 107), CHUNK)
    decode_in_chunks(codec, tokens_of(codec, 7), CHUNK)
    hook.remove()
    assert lengths == [CHUNK * 640] * 6 + [7 * 640]


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A GPU that computes as the CPU does. It has ``free`` bytes, and what torch keeps of it is ``kept``."""
    import torch

    card, to = SimpleNamespace(free=1 << 40, kept=0), torch.Tensor.to

    def empty() -> None:
        card.free, card.kept = card.free + card.kept, 0

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (card.free, 1 << 40))
    monkeypatch.setattr(torch.cuda, "empty_cache", empty)
    there = torch.device("cuda")
    monkeypatch.setattr(torch.Tensor, "to", lambda x, where: x if where == there else to(x, where))
    return card


def test_on_a_gpu_a_clip_is_decoded_in_chunks_at_any_free_memory_or_not_at_all(
    tiny: MakeTiny, card: SimpleNamespace
) -> None:
    import torch

    from gallery.engines.musicgen.codec import ROOM, ROOM_OF_FRAME, decode, decode_in_chunks
    from gallery.engines.musicgen.generation import generation_of

    model = tiny("stereo")
    on_card = dataclasses.replace(model.checkpoint, device="cuda")
    clips = [
        generation_of(model.request(duration=duration), model.checkpoint.window, 900) for duration in (6, 1)
    ]
    for clip in clips:
        clip.add(tokens_of(model.checkpoint.codec, clip.frames)[0])
    room = ROOM + clips[0].frames * ROOM_OF_FRAME
    for free, kept in ((1 << 40, 0), (room, 0), (room // 2, room // 2)):
        card.free, card.kept = free, kept
        made = list(decode(on_card, clips))
        assert [clip for clip, _ in made] == clips
        for clip, audio in made:
            chunks = decode_in_chunks(model.checkpoint.codec, clip.tokens[None])
            assert (audio == chunks[0].T.numpy()).all()
    card.free, card.kept = room // 2, room // 2 - 1
    with pytest.raises(torch.OutOfMemoryError):
        next(decode(on_card, clips))


def test_on_the_cpu_a_clip_is_decoded_whole(tiny: MakeTiny) -> None:
    import torch

    from gallery.engines.musicgen.codec import CHUNK as REAL
    from gallery.engines.musicgen.codec import decode
    from gallery.engines.musicgen.generation import generation_of

    model = tiny("stereo")
    clip = generation_of(model.request(duration=7), model.checkpoint.window, 900)
    assert clip.frames > REAL
    clip.add(tokens_of(model.checkpoint.codec, clip.frames)[0])
    [(decoded, audio)] = decode(model.checkpoint, [clip])
    with torch.no_grad():
        whole = model.checkpoint.codec.decode(clip.tokens[None], None)[0].T.numpy()
    assert decoded is clip
    assert (audio == whole).all()
    assert audio.shape == (7 * 32000, 2)
