"""Slots: filled, refilled, halved; every clip comes out, as soon as it is done."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

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

        def __init__(self, *shape: Any) -> None:
            super().__init__(*shape)
            made.append(self)

        def tick(self, count: int) -> None:
            self.most = max(self.most, len(self.clips))
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
    assert shapes == {(2, 6, 4, 128, 16)}


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


def test_short_of_memory_the_batch_is_halved_and_no_clip_is_lost(
    tiny: MakeTiny, batches: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from gallery.engines.musicgen.decoder import Decoder

    model = tiny("mono", window=2)
    requests = [model.request(seed=seed, duration=1 + seed, extend_stride=1) for seed in range(5)]
    expected = [model.stock(request)[0] for request in requests]
    step, steps = Decoder.step, 0

    def short(self: Decoder, *arguments: Any) -> torch.Tensor:
        nonlocal steps
        steps += 1
        if self.slots > 1 and steps % 60 == 0:
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
    from gallery.engines import Failure
    from gallery.engines.musicgen.batch import Batch
    from gallery.engines.musicgen.schedule import Done, Schedule

    admit = Batch.admit

    def never(self: Batch, clip: Any, condition: Any) -> None:
        if clip.request.seed == 2:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp] . DefaultCPUAllocator: can't allocate memory")
        admit(self, clip, condition)

    monkeypatch.setattr(Batch, "admit", never)
    model = tiny("mono")
    events = [event for event in Schedule(model.checkpoint, clips_of(model, 4), {}, 2).run() if event]
    failed = [event for event in events if isinstance(event, Failure)]
    assert [event.request.seed for event in failed] == [2]
    assert failed[0].reason == "out of memory, even as the only clip of its batch"
    assert sorted(event.clip.request.seed for event in events if isinstance(event, Done)) == [0, 1, 3]


def test_short_of_memory_for_the_codec_the_tokens_are_kept(
    tiny: MakeTiny, batches: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from gallery.engines.musicgen import codec
    from gallery.engines.musicgen.schedule import Schedule

    real, calls = codec._audio, 0

    def short(*arguments: Any) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise torch.OutOfMemoryError
        return real(*arguments)

    monkeypatch.setattr(codec, "_audio", short)
    model = tiny("mono")
    clips = clips_of(model, 3)
    events = [event for event in Schedule(model.checkpoint, clips, {}, 2).run() if event]
    assert {id(event.clip) for event in events} == {id(clip) for clip in clips}
    assert [batch.slots for batch in batches] == [2, 1]


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


def test_batch_sizes_come_from_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from gallery.engines.musicgen import memory

    monkeypatch.setattr(memory, "free_bytes", lambda _device: 100)
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert memory.batch_size(cpu, 1, 20) == 4
    assert memory.batch_size(cpu, 1, 3) == 3
    assert memory.batch_size(cpu, 30, 20) == 2
    assert memory.batch_size(cpu, 1000, 20) == 1
    assert memory.batch_size(gpu, 1, 3) == 64
    assert memory.batch_size(gpu, 4, 3) == 16
