"""A clip's numbers: the same to the last bit in any company; its noise; what is not a number."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from gallery.engines import Failure, Render

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from support.tiny_engine import Tiny

    MakeTiny = Callable[..., Tiny]

WAYS: list[dict[str, Any]] = [
    {}, {"top_p": 0.8}, {"temperature": 0}, {"top_k": 40, "cfg_coef": 5}, {"top_k": 0, "temperature": 1.3},
]  # fmt: skip


def logits_in_company(
    model: Tiny, monkeypatch: pytest.MonkeyPatch, *, size: int, place: int, mates: int, fixed: bool
) -> torch.Tensor:
    """One clip's logits in each of 12 steps, in a batch of ``size``, after ``place`` of its ``mates``."""
    import torch

    from gallery.engines.musicgen.batch import Batch
    from gallery.engines.musicgen.conditions import Conditions
    from gallery.engines.musicgen.decoder import Decoder
    from gallery.engines.musicgen.generation import generation_of

    seen: list[torch.Tensor] = []
    step = Decoder.step

    def watched(self: Decoder, *arguments: torch.Tensor) -> torch.Tensor:
        logits = step(self, *arguments)
        seen.append(logits[place].clone())
        return logits

    conditions = Conditions(model.checkpoint, {})
    weights = weights_of_tiny(model)
    longest = 128 + 64 * mates  # of the company, which the clip's own length has nothing to do with
    batch = Batch(weights, size, longest, 128, fixed=fixed)
    company = [
        model.request(seed=number, duration=1.1 + number % 3, prompt="ab " * (number % 9), **WAYS[number % 5])
        for number in range(mates)
    ]
    for request in [*company[:place], model.request(seed=99), *company[place:]]:
        clip = generation_of(request, 128, 64)
        batch.admit(clip, conditions.encode(clip.prompt, None, None))
    with monkeypatch.context() as patch, torch.no_grad():
        patch.setattr(Decoder, "step", watched)
        while len(seen) < 12:
            batch.tick(min(batch.steps, 12 - len(seen)))
    return torch.stack(seen)


def weights_of_tiny(model: Tiny) -> Any:
    from gallery.engines.musicgen.weights import weights_of

    return weights_of(model.checkpoint.lm, model.checkpoint.dtype)


@pytest.mark.parametrize(
    ("fixed", "companies"),
    [
        (False, [(1, 0, 0), (2, 1, 1), (3, 0, 1), (4, 2, 3), (4, 0, 0), (7, 5, 6), (9, 0, 8)]),
        (True, [(1, 0, 0), (2, 1, 1), (3, 0, 2), (5, 4, 4), (16, 0, 0), (64, 9, 12), (70, 66, 66)]),
    ],
    ids=["cpu", "as on a gpu"],
)
def test_a_clips_numbers_are_the_same_in_any_company(
    tiny: MakeTiny,
    monkeypatch: pytest.MonkeyPatch,
    fixed: bool,
    companies: list[tuple[int, int, int]],
) -> None:
    """Batch sizes up to 70, other slots, other mates, empty slots: the same logits, bit for bit."""
    model = tiny("mono")
    found = [
        logits_in_company(model, monkeypatch, size=size, place=place, mates=mates, fixed=fixed)
        for size, place, mates in companies
    ]
    for company, logits in zip(companies, found, strict=True):
        same = logits.equal(found[0])
        assert same, company


class TestNoise:
    """Noise drawn ahead, in blocks, is the noise of single draws."""

    def test_blocks_hold_the_numbers_of_single_draws(self) -> None:
        import torch

        from gallery.engines.musicgen.noise import BLOCK, RING, Noise, drawing_pool

        noise = Noise(5, (2, 16), drawing_pool())
        ring, taken = torch.zeros(RING, 2, 16), []
        for count in (1, 30, 7, 32, 32, 1, 19, 32, 3):
            used = noise.used
            if noise.begun:  # as where a window begins in another slot
                ring.zero_()
                place, block = noise.begun
                ring[place] = block
            if begun := noise.go_on(count):
                place, block = begun
                ring[place] = block
            taken += [ring[step % RING].clone() for step in range(used, used + count)]
        generator = torch.Generator().manual_seed(5)
        single = [torch.empty(2, 16).exponential_(generator=generator) for _ in taken]
        assert torch.stack(taken).equal(torch.stack(single))
        assert len(taken) > 4 * BLOCK

    def test_it_is_drawn_beside_what_uses_it_by_one_thread_at_a_time(
        self, tiny: MakeTiny, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import torch

        drawing, most, threads = 0, 0, set()
        exponential = torch.Tensor.exponential_

        def watched(self: torch.Tensor, **options: Any) -> torch.Tensor:
            nonlocal drawing, most
            if options.get("generator") is not None:
                drawing, most = drawing + 1, max(most, drawing + 1)
                threads.add(threading.current_thread().name)
                time.sleep(0.001)
                exponential(self, **options)
                drawing -= 1
                return self
            return exponential(self, **options)

        monkeypatch.setattr(torch.Tensor, "exponential_", watched)
        model = tiny("mono")
        model.tokens([model.request(duration=2)])
        assert most == 1
        assert all(name.startswith("noise") for name in threads)

    def test_no_thread_is_left_when_all_is_rendered(self, tiny: MakeTiny) -> None:
        """A process with threads cannot be copied, and pages are made by copies."""
        model = tiny("mono")
        before = set(threading.enumerate())  # those of other tests' batches, too
        model.tokens([model.request(duration=0.5, seed=seed) for seed in range(3)])
        until = time.monotonic() + 5
        while any(thread.name.startswith("noise") for thread in {*threading.enumerate()} - before):
            assert time.monotonic() < until
            time.sleep(0.01)

    def test_a_clip_begun_anew_begins_with_its_seed(self, tiny: MakeTiny) -> None:
        from gallery.engines.musicgen.batch import Batch
        from gallery.engines.musicgen.conditions import Conditions
        from gallery.engines.musicgen.generation import generation_of

        model = tiny("mono")
        condition = Conditions(model.checkpoint, {}).encode("drums", None, None)
        request = model.request(duration=1, prompt="drums")
        clip = generation_of(request, 128, 64)
        for steps in (20, 100):
            batch = Batch(weights_of_tiny(model), 1, 128, 64, fixed=True)
            batch.admit(clip, condition)
            while steps and batch.clips:
                count = min(steps, batch.steps)
                batch.tick(count)
                steps -= count
                for done, tokens in batch.finished():
                    assert tokens.equal(model.stock(request)[0])
                    done.add(tokens)
            clip.forget() if not clip.done else None
        assert clip.done


def spoiled(monkeypatch: pytest.MonkeyPatch, prompt: str) -> None:
    """What is encoded of a prompt is not a number in one place."""
    from gallery.engines.musicgen.conditions import Conditions

    encode = Conditions._encode

    def spoil(self: Conditions, text: str, *others: Any) -> Any:
        condition = encode(self, text, *others)
        if text == prompt:
            part = condition.prefix if condition.cross is None else condition.cross
            part.flatten()[5] = float("nan")
        return condition

    monkeypatch.setattr(Conditions, "_encode", spoil)


class TestNoNumber:
    """Where a model computes NaN, the clip fails with a line and no other does."""

    @pytest.mark.parametrize(("kind", "fixed"), [("mono", True), ("melody", False)])
    def test_in_one_clip(
        self, tiny: MakeTiny, monkeypatch: pytest.MonkeyPatch, kind: str, fixed: bool
    ) -> None:
        from functools import partial

        from gallery.engines.musicgen import MusicGenEngine, schedule
        from gallery.engines.musicgen.batch import Batch

        monkeypatch.setattr(schedule, "Batch", partial(Batch, fixed=fixed))
        model = tiny(kind)
        prompts = ["drums", "broken", "flute", "rain", "broken", "march"]
        requests = [
            model.request(prompt=prompt, seed=seed, duration=0.5 + 0.02 * (seed % 3))
            for seed, prompt in enumerate(prompts)
        ]
        engine = MusicGenEngine({"tiny": model.model}, root=model.root, device="cpu", batch_size=2)
        whole = {result.request.seed: result for result in engine.render(requests)}
        spoiled(monkeypatch, "broken")
        results = {result.request.seed: result for result in engine.render(requests)}
        for seed, prompt in enumerate(prompts):
            result, before = results[seed], whole[seed]
            assert isinstance(before, Render)
            if prompt == "broken":
                assert isinstance(result, Failure)
                assert result.reason == (
                    "what the model computed is no number (NaN or infinite); "
                    "the weights of tests/tiny may be damaged: fetch them anew"
                )
            else:
                assert isinstance(result, Render)
                assert (result.audio == before.audio).all()

    def test_nothing_of_it_is_left_to_the_next_clip_in_its_slot(
        self, tiny: MakeTiny, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On a GPU without the kernel, attention reads past the end of a clip, masked; NaN shines through."""
        import torch

        from gallery.engines.musicgen.batch import Batch
        from gallery.engines.musicgen.conditions import Conditions
        from gallery.engines.musicgen.generation import generation_of

        model = tiny("mono")
        spoiled(monkeypatch, "broken")
        batch = Batch(weights_of_tiny(model), 2, 128, 64)
        for prompt in ("broken", "drums"):
            clip = generation_of(model.request(prompt=prompt), 128, 64)
            batch.admit(clip, Conditions(model.checkpoint, {}).encode(prompt, None, None))
        with torch.no_grad():
            batch.tick(1)
        assert [clip.prompt for clip in batch.broken()] == ["broken"]
        assert [clip.prompt for clip in batch.clips] == ["drums"]
        held = [*batch._decoder._cache, *batch._decoder._cross]
        assert all(bool(tensor.isfinite().all()) for tensor in held)

    def test_in_the_weights(self, tiny: MakeTiny, monkeypatch: pytest.MonkeyPatch) -> None:
        from gallery.engines.musicgen import MusicGenEngine

        model = tiny("mono")
        engine = MusicGenEngine({"tiny": model.model}, root=model.root, device="cpu")
        weight = engine.hold(model.model.hub).lm.transformer.layers[1].linear1.weight
        weight.data[3, 3] = float("inf")
        results = list(engine.render([model.request(seed=seed, duration=0.5) for seed in range(3)]))
        assert len(results) == 3
        for result in results:
            assert isinstance(result, Failure)
            assert "no number" in result.reason


class TestPrecision:
    """`precision` of a model in gallery.toml."""

    @pytest.mark.parametrize(
        ("precision", "device", "dtype"),
        [
            ("auto", "cpu", "float32"), ("auto", "cuda", "float16"), ("auto", "cuda:1", "float16"),
            ("float32", "cpu", "float32"), ("float32", "cuda", "float32"),
        ],
    )  # fmt: skip
    def test_what_a_model_is_computed_in(
        self, tiny: MakeTiny, precision: str, device: str, dtype: str
    ) -> None:
        from gallery.engines.musicgen.checkpoint import dtype_of

        model = tiny("mono").model.model_copy(update={"precision": precision})
        assert str(dtype_of(model, device)) == f"torch.{dtype}"

    def test_it_is_what_to_try_where_float16_makes_no_number(self) -> None:
        import torch

        from gallery.engines.musicgen.schedule import no_number

        said = no_number("tests/tiny", torch.float16)
        assert said.endswith('set precision = "float32" for tests/tiny in gallery.toml')

    def test_tf32_is_off(self, tiny: MakeTiny) -> None:
        import torch

        from gallery.engines.musicgen import MusicGenEngine

        products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn
        before = products.allow_tf32, convolutions.allow_tf32
        model = tiny("mono")
        try:
            products.allow_tf32 = convolutions.allow_tf32 = True
            MusicGenEngine({"tiny": model.model}, root=model.root, device="cpu").hold(model.model.hub)
            assert not products.allow_tf32
            assert not convolutions.allow_tf32
        finally:
            products.allow_tf32, convolutions.allow_tf32 = before
