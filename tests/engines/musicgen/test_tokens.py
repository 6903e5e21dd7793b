"""A clip's tokens are, one for one, what stock audiocraft makes of it alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import SimpleNamespace

    from gallery.prompts.request import Request
    from support.tiny_engine import Tiny

    MakeTiny = Callable[..., Tiny]

# Every way of sampling, several guidances, prompts of all lengths and none, all seeds and
# durations mixed: one batch.
MIXED: list[dict[str, Any]] = [
    {"duration": 0.6, "seed": 3},
    {"duration": 0.5, "temperature": 0, "prompt": "solo flute"},
    {
        "duration": 0.7,
        "top_k": 20,
        "cfg_coef": 1,
        "seed": 4,
        "prompt": "a march of many, many brass players, far off",
    },
    {"duration": 0.54, "top_p": 0.7, "cfg_coef": 6, "prompt": "rain"},
    {"duration": 0.56, "top_k": 0, "temperature": 1.4, "prompt": ""},
    {"duration": 0.5, "top_p": 1.5, "top_k": 1, "temperature": 0.6, "seed": 2**32 - 1},
    {"duration": 0.66, "cfg_coef": 2.5, "top_k": 500, "prompt": "two pianos"},
    {"duration": 0.5, "top_k": 1, "prompt": "no"},
    {"duration": 0.5, "cfg_coef": 0, "prompt": "", "seed": 5},
    {"duration": 0.64, "top_p": 0.05, "prompt": "b " * 60},
]


def assert_stock(tiny: Tiny, requests: list[Request], melody: Path | None = None, **options: Any) -> None:
    melodies = {request.melody: melody for request in requests if request.melody}
    for request, tokens in zip(requests, tiny.tokens(requests, melodies=melodies, **options), strict=True):
        expected, _ = tiny.stock(request, melody if request.melody else None)
        assert tokens.shape == expected.shape
        same = (tokens == expected).float().mean().item()
        assert same == 1, f"{same:.0%} of the tokens are audiocraft's for {request}"


@pytest.mark.parametrize("kind", ["mono", "stereo", "audiogen", "melody", "stereo-melody"])
def test_a_mixed_batch_is_what_audiocraft_makes_of_each_clip_alone(tiny: MakeTiny, kind: str) -> None:
    model = tiny(kind)
    assert_stock(model, [model.request(**fields) for fields in MIXED], size=10)


def test_batch_size_order_and_refilled_slots_do_not_matter(tiny: MakeTiny) -> None:
    model = tiny("mono")
    requests = [model.request(**fields) for fields in MIXED]
    together = model.tokens(requests, size=10)
    for size in (1, 3):
        refilled = model.tokens(requests[::-1], size=size)[::-1]
        for one, other in zip(together, refilled, strict=True):
            assert one.equal(other)


def test_the_networks_are_not_dull(tiny: MakeTiny) -> None:
    """Random networks that ignore their prompt or repeat one token would let mistakes through."""
    model = tiny("mono")
    base = model.request(duration=2, temperature=1.5, top_k=100)
    changes: list[dict[str, Any]] = [
        {}, {"prompt": "slow drums, warm bas"}, {"seed": 2}, {"cfg_coef": 3.5}, {"temperature": 1.4},
        {"top_k": 60}, {"top_p": 0.9}, {"top_p": 1.0}, {"top_k": 0},
    ]  # fmt: skip
    made = model.tokens([base.model_copy(update=change) for change in changes])
    for tokens in made[1:]:
        assert not tokens.equal(made[0])
    assert all(len(set(row.tolist())) > 10 for row in made[0])


# The windows and the strides that the published models have.
@pytest.mark.parametrize(("kind", "durations"), [("mono", (30.5, 1)), ("audiogen", (12.5, 0.5))])
def test_clips_longer_than_the_window_move_on_as_in_audiocraft(
    tiny: MakeTiny, kind: str, durations: tuple[float, ...]
) -> None:
    model = tiny(kind)
    assert_stock(model, [model.request(duration=duration) for duration in durations], size=2)


@pytest.mark.parametrize("kind", ["mono", "stereo", "melody"])
def test_windows_of_any_stride_share_a_batch(tiny: MakeTiny, kind: str) -> None:
    model = tiny(kind, window=1)
    # One is as long as the window, and one a frame longer.
    lengths = [(2, 0.5), (1.5, 0.25), (1, 0.75), (2.12, 0.88), (1.25, 0.62), (1.02, 0.5)]
    requests = [
        model.request(duration=duration, extend_stride=stride, seed=seed, prompt="ab " * seed)
        for seed, (duration, stride) in enumerate(lengths)
    ]
    assert_stock(model, requests, size=3)


@pytest.mark.parametrize("kind", ["melody", "stereo-melody"])
def test_melodies(tiny: MakeTiny, kind: str, melody: Path, demucs: SimpleNamespace) -> None:
    model = tiny(kind, window=1)
    requests = [
        model.request(duration=0.7, melody="aa", seed=2),
        model.request(duration=0.7, seed=2),
        model.request(duration=0.5, melody="aa", prompt="", cfg_coef=5),
        model.request(duration=1.6, extend_stride=0.5, melody="aa", prompt="organ"),
    ]
    assert_stock(model, requests, melody, size=3)
    followed, free = model.tokens(requests[:2], melodies={"aa": melody})
    assert not followed.equal(free)


def test_a_melody_is_heard_the_same_each_time(tiny: MakeTiny, melody: Path, demucs: SimpleNamespace) -> None:
    import random

    demucs.shifts = True
    model = tiny("melody", window=1)
    request = model.request(melody="aa")
    state = random.getstate()
    first = model.tokens([request], melodies={"aa": melody})
    assert random.getstate() == state
    random.seed(7)
    assert model.tokens([request], melodies={"aa": melody})[0].equal(first[0])


def test_a_tick_of_a_gpus_shape_makes_what_audiocraft_makes(
    tiny: MakeTiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every way of sampling over windows, with blocks of noise that are carried on from one to the next."""
    from functools import partial

    from gallery.engines.musicgen import schedule
    from gallery.engines.musicgen.batch import Batch
    from gallery.engines.musicgen.noise import BLOCK

    monkeypatch.setattr(schedule, "Batch", partial(Batch, fixed=True))
    model = tiny("mono", window=1)
    ways = MIXED[:4] + MIXED[6:7]
    requests = [
        model.request(**{**fields, "duration": 1.25 + number / 6}, extend_stride=0.5)
        for number, fields in enumerate(ways)
    ]
    steps = model.request(duration=1).frames + 3
    assert steps % BLOCK and steps > BLOCK  # a window ends amid a block
    assert_stock(model, requests, size=3)
