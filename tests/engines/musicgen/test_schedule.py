"""Slots: filled, refilled, halved; every clip comes out, as soon as it is done."""

from __future__ import annotations

import errno
import gc
import weakref
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from support.tiny_engine import Tiny

    MakeTiny = Callable[..., Tiny]


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The batches that are made, in order."""
    from gallery.engines.musicgen import schedule
    from gallery.engines.musicgen.batch import Batch

    made: list[Any] = []

    class Watched(Batch):
        most = 0
        rows = 0  # steps of single clips

        def __init__(self, *shape: Any) -> None:
            super().__init__(*shape)
            made.append(self)

        def tick(self, count: int) -> None:
            self.most = max(self.most, len(self.clips))
            self.rows += count * len(self.clips)
            super().tick(count)

    monkeypatch.setattr(schedule, "Batch", Watched)
    return made


def clips_of(model: Tiny, count: int, **fields: Any) -> list[Any]:
    from gallery.engines.musicgen.generation import generation_of

    requests = [model.request(seed=seed, duration=0.5 + seed / 5, **fields) for seed in range(count)]
    return [generation_of(request, model.checkpoint.window, 900) for request in requests]


def test_clips_that_are_done_make_room_and_nothing_grows(tiny: MakeTiny, batches: list[Any]) -> None:
    model = tiny("mono")
    requests = [model.request(seed=seed, duration=0.5 + seed / 10) for seed in range(9)]
    model.tokens(requests, size=3)
    assert len(batches) == 1
    assert batches[0].most == 3
    held = [cache.data_ptr() for cache in batches[0]._decoder._cache]
    shapes = {tuple(cache.shape) for cache in batches[0]._decoder._cache}
    batches[0].admit(clips_of(model, 1)[0], model_condition(model))
    assert held == [cache.data_ptr() for cache in batches[0]._decoder._cache]
    assert shapes == {(2, 6, 4, 1536, 16)}  # the whole window of 30 s, whatever the clips' lengths


def model_condition(model: Tiny) -> Any:
    from gallery.engines.musicgen.conditions import Conditions

    return Conditions(model.checkpoint, {}).encode("drums", None, None)


def test_a_clip_comes_out_the_moment_it_is_done(tiny: MakeTiny) -> None:
    from gallery.engines.musicgen.schedule import Done, Schedule

    model = tiny("mono")
    clips = clips_of(model, 4)
    ticks = 0
    came: list[tuple[int, int]] = []
    for event in Schedule(model.checkpoint, clips, {}, 4).run():
        if isinstance(event, Done):
            came.append((event.clip.frames, ticks))
        else:
            ticks += 1
    # A window of n frames takes n steps and 3 more, the delay of its last codebook.
    assert came == [(frames, frames + 3) for frames in sorted(clip.frames for clip in clips)]


def test_the_longest_clips_come_first(tiny: MakeTiny, batches: list[Any]) -> None:
    from gallery.engines.musicgen.schedule import Schedule

    model = tiny("mono")
    schedule = Schedule(model.checkpoint, clips_of(model, 5), {}, 2)
    next(schedule.run())
    assert [clip.request.seed for clip in batches[0].clips] == [4, 3]


# What torch and the libraries beneath it say when memory is short.
SHORTAGES: dict[str, Callable[[], Exception]] = {
    "torch": lambda: _torch().OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "CUDA": lambda: RuntimeError("CUDA error: out of memory"),
    "cuBLAS": lambda: RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"),
    "cuDNN": lambda: RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    "Linux": lambda: RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 MB"),
    "Windows": lambda: RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 MB"),
    "Python": MemoryError,
    "the system": lambda: OSError(errno.ENOMEM, "Cannot allocate memory"),
    "a recording": lambda: RuntimeError("CUDA error: operation not permitted when stream is capturing"),
}


def _torch() -> Any:
    import torch

    return torch


def behind_another() -> Exception:
    """A shortage while a graph is recorded, of which the last error says nothing."""
    error = RuntimeError("CUDA error: an illegal instruction was encountered")
    error.__context__ = ValueError("the recording ended")
    error.__context__.__cause__ = MemoryError()
    return error


@pytest.fixture
def decoder_fails(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], Exception | None]], None]:
    """Have the transformer's norms fail: told how many there were, a function gives the error, or None."""
    import torch.nn.functional

    norm, calls = torch.nn.functional.layer_norm, count(1)

    def fail(error_of: Callable[[int], Exception | None]) -> None:
        def failing(*arguments: Any) -> Any:
            error = error_of(next(calls))
            if error:
                raise error
            return norm(*arguments)

        monkeypatch.setattr(torch.nn.functional, "layer_norm", failing)

    return fail


@pytest.fixture
def codec_fails(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Exception, int], list[int]]:
    """Have the codec fail, for clips of so many frames, so often; gives the lengths that it was asked for."""
    import torch.nn.functional

    elu, asked = torch.nn.functional.elu, []

    def fail(frames: int, error: Exception, times: int) -> list[int]:
        def failing(x: Any, *arguments: Any, **named: Any) -> Any:
            length = x.shape[-1]
            if length < 640:  # the first of its layers, where a frame is one number
                asked.append(length)
                if length == frames and asked.count(length) <= times:
                    raise error
            return elu(x, *arguments, **named)

        monkeypatch.setattr(torch.nn.functional, "elu", failing)
        return asked

    return fail


@pytest.mark.parametrize("make", [*SHORTAGES.values(), behind_another], ids=[*SHORTAGES, "behind another"])
def test_whatever_a_shortage_is_called_the_batch_is_halved(
    tiny: MakeTiny,
    batches: list[Any],
    decoder_fails: Callable[..., None],
    make: Callable[[], Exception],
) -> None:
    model = tiny("mono")
    requests = [model.request(seed=seed, duration=0.5) for seed in range(3)]
    expected = model.tokens(requests, size=1)
    batches.clear()
    decoder_fails(lambda call: make() if call == 40 else None)
    made = model.tokens(requests, size=2)
    assert [batch.slots for batch in batches] == [2, 1]
    for tokens, whole in zip(made, expected, strict=True):
        assert tokens.equal(whole)


def test_recordings_that_fail_cost_one_clip_at_most(
    tiny: MakeTiny, batches: list[Any], decoder_fails: Callable[..., None]
) -> None:
    decoder_fails(lambda _call: SHORTAGES["a recording"]() if len(batches) <= 2 else None)
    failed, done = outcomes(tiny("mono"), 3)
    assert [batch.slots for batch in batches] == [2, 1, 1]
    assert failed.keys() == {2}
    assert "stream is capturing" in failed[2]
    assert done == {0, 1}


def test_what_is_no_shortage_is_told_as_it_is(tiny: MakeTiny, decoder_fails: Callable[..., None]) -> None:
    from gallery.engines.musicgen.schedule import Schedule

    model = tiny("mono")
    decoder_fails(lambda _call: RuntimeError("CUDA error: device-side assert triggered"))
    with pytest.raises(RuntimeError, match="device-side"):
        list(Schedule(model.checkpoint, clips_of(model, 3), {}, 2).run())


def test_short_of_memory_the_batch_is_halved_and_no_clip_is_lost(
    tiny: MakeTiny, batches: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from gallery.engines.musicgen.decoder import Decoder

    model = tiny("mono", window=1)
    requests = [model.request(seed=seed, duration=0.5 + seed / 4, extend_stride=0.5) for seed in range(5)]
    expected = [model.stock(request)[0] for request in requests]
    step, steps = Decoder.step, 0

    def short(self: Decoder, *arguments: Any) -> torch.Tensor:
        nonlocal steps
        steps += 1
        if self.slots > 1 and steps % 30 == 0:
            raise torch.OutOfMemoryError
        return step(self, *arguments)

    monkeypatch.setattr(Decoder, "step", short)
    made = model.tokens(requests, size=4)
    assert [batch.slots for batch in batches] == [4, 2, 1]
    for tokens, whole in zip(made, expected, strict=True):
        assert tokens.equal(whole)


def test_a_clip_that_never_fits_fails_alone(
    tiny: MakeTiny, batches: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from gallery.engines.musicgen.batch import Batch

    admit = Batch.admit

    def never(self: Batch, clip: Any, condition: Any) -> None:
        if clip.request.seed == 2:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp] . DefaultCPUAllocator: can't allocate memory")
        admit(self, clip, condition)

    monkeypatch.setattr(Batch, "admit", never)
    failed, done = outcomes(tiny("mono"), 4)
    assert failed.keys() == {2}
    assert failed[2].startswith("out of memory even as the only clip of its batch (RuntimeError: [enforce")
    assert failed[2].endswith("end other programs that use it, or take a smaller model than tests/tiny")
    assert done == {0, 1, 3}


def outcomes(model: Tiny, count: int) -> tuple[dict[int, str], set[int]]:
    """What a batch of two makes of so many clips: by seed, why some failed; and the others."""
    from gallery.engines import Failure
    from gallery.engines.musicgen.schedule import Done, Schedule

    events = [event for event in Schedule(model.checkpoint, clips_of(model, count), {}, 2).run() if event]
    failed = {event.request.seed: event.reason for event in events if isinstance(event, Failure)}
    done = [event.clip.request.seed for event in events if isinstance(event, Done)]
    assert len(failed) + len(done) == len(events) == count
    return failed, set(done)


@pytest.mark.parametrize(("times", "sizes"), [(1, [2]), (2, [2, 1])])
def test_short_of_memory_for_the_codec_the_tokens_are_kept(
    tiny: MakeTiny, batches: list[Any], codec_fails: Callable[..., list[int]], times: int, sizes: list[int]
) -> None:
    """It is tried again, then once more when the batch is done and gone; no step is made twice."""
    model = tiny("mono")
    outcomes(model, 5)
    [undisturbed] = batches
    batches.clear()
    frames = clips_of(model, 5)[3].frames  # complete while the longest still runs, and others wait
    asked = codec_fails(frames, MemoryError(), times)
    assert outcomes(model, 5) == ({}, {0, 1, 2, 3, 4})
    assert asked.count(frames) == times + 1
    assert [batch.slots for batch in batches] == sizes
    assert sum(batch.rows for batch in batches) == undisturbed.rows


def test_a_clip_whose_audio_never_fits_fails_alone(
    tiny: MakeTiny, codec_fails: Callable[..., list[int]]
) -> None:
    model = tiny("mono")
    codec_fails(clips_of(model, 4)[2].frames, RuntimeError("CUDNN_STATUS_ALLOC_FAILED"), 99)
    failed, done = outcomes(model, 4)
    assert done == {0, 1, 3}
    told = "(RuntimeError: CUDNN_STATUS_ALLOC_FAILED)"
    assert failed == {2: f"out of memory for the clip's audio {told}; ask for a shorter clip"}


def test_slots_do_not_depend_on_what_is_rendered_together(tiny: MakeTiny, batches: list[Any]) -> None:
    """Neither their length nor their number: only prompts of uncommon length have batches of their own."""
    model = tiny("mono")
    common = [model.request(duration=0.5, seed=seed, prompt="drums" * seed) for seed in (1, 9)]
    uncommon = [model.request(duration=duration, prompt="drums" * 90) for duration in (0.7, 0.5)]
    alone = model.tokens(common[:1], size=2)
    together = model.tokens([uncommon[0], *common, uncommon[1]], size=2)
    assert together[1].equal(alone[0])
    made = [(batch.slots, batch._decoder.positions, batch._decoder.cross_positions) for batch in batches]
    assert made == [(2, 1536, 256), (2, 1536, 256), (2, 1536, 512)]
    model = tiny("audiogen")
    batches.clear()
    model.tokens([model.request(duration=0.5)], size=1)
    assert batches[0]._decoder.positions == 512


def test_a_prompt_is_encoded_once(tiny: MakeTiny, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny("mono")
    from audiocraft.modules.conditioners import ConditioningProvider

    encoded: list[int] = []
    forward = ConditioningProvider.forward

    def counted(self: Any, tokenized: Any) -> Any:
        encoded.append(len(tokenized["description"]["input_ids"]))
        return forward(self, tokenized)

    monkeypatch.setattr(ConditioningProvider, "forward", counted)
    sweep = [
        model.request(seed=seed, prompt=prompt) for seed in range(4) for prompt in ("one", "another one")
    ]
    model.tokens(sweep, size=3)
    assert encoded == [2, 2]  # a prompt and its empty twin, never with another prompt


def test_one_model_is_in_memory_at_a_time(tiny: MakeTiny, monkeypatch: pytest.MonkeyPatch) -> None:
    from gallery.engines.musicgen import MusicGenEngine, checkpoint

    loaded: list[weakref.ref[Any]] = []
    real = checkpoint.load

    def watched(*arguments: Any) -> Any:
        assert not any(reference() for reference in loaded)
        made = real(*arguments)
        loaded.append(weakref.ref(made.lm))
        return made

    first, second = tiny("mono"), tiny("stereo")
    monkeypatch.setattr(checkpoint, "load", watched)
    other = second.model.model_copy(update={"hub": "tests/other"})
    engine = MusicGenEngine({"a": first.model, "b": other}, root=first.root, device="cpu")
    requests = [
        first.request(duration=0.5, seed=seed, model=hub)
        for seed in range(3)
        for hub in ("tests/tiny", "tests/other")
    ]
    rendered = [result.request for result in engine.render(requests)]
    assert [request.model for request in rendered] == ["tests/tiny"] * 3 + ["tests/other"] * 3
    assert len(loaded) == 2
    del engine  # which keeps its last model for as long as it is there
    gc.collect()
    assert not any(reference() for reference in loaded)
