"""The sampler draws what audiocraft draws, row by row."""

from __future__ import annotations

import pytest


def stock_choice(logits, seed, temperature, top_k, top_p):
    """audiocraft's own sampling of one row's logits, with the global random numbers."""
    import torch
    from audiocraft.utils import utils

    torch.manual_seed(seed)
    if temperature <= 0:
        return logits.argmax(-1)
    probabilities = torch.softmax(logits / temperature, -1)[None]
    if top_p > 0:
        return utils.sample_top_p(probabilities, top_p)[0, :, 0]
    if top_k > 0:
        return utils.sample_top_k(probabilities, top_k)[0, :, 0]
    return utils.multinomial(probabilities, num_samples=1)[0, :, 0]


CHOICES = [
    (1.0, 250, 0.0), (0.7, 1, 0.0), (1.3, 40, 0.0), (1.0, 2048, 0.0), (1.0, 0, 0.0), (0.0, 250, 0.0),
    (1.0, 250, 0.001), (1.0, 0, 0.5), (2.0, 10, 0.9), (1.0, 250, 1.0), (5.0, 3, 0.3), (0.1, 100, 0.0),
]  # fmt: skip


@pytest.mark.parametrize("spread", [0.5, 3.0])
def test_every_row_is_drawn_as_audiocraft_draws_it(spread: float) -> None:
    import torch

    from gallery.engines.musicgen.sampler import Choice, Sampler, variant_of
    from gallery.engines.musicgen.standins import import_audiocraft

    import_audiocraft()
    torch.manual_seed(0)
    conditional, unconditional = spread * torch.randn(2, len(CHOICES), 4, 2048)
    choices = [Choice(*choice, guidance=1 + index / 2) for index, choice in enumerate(CHOICES)]
    sampler = Sampler(len(choices), 2048, torch.device("cpu"))
    noise = torch.empty(len(choices), 4, 2048)
    for index, choice in enumerate(choices):
        sampler.admit(index, choice)
        noise[index].exponential_(generator=torch.Generator().manual_seed(index))
    variant = variant_of(choices, 2048)
    found = sampler.choose(torch.stack([conditional, unconditional], 1), noise, variant)
    for index, (choice, tokens) in enumerate(zip(choices, found, strict=True)):
        logits = unconditional[index] + (conditional[index] - unconditional[index]) * choice.guidance
        expected = stock_choice(logits, index, choice.temperature, choice.top_k, choice.top_p)
        assert tokens.equal(expected), choice


def test_a_batch_computes_no_more_than_its_clips_need() -> None:
    from gallery.engines.musicgen.sampler import Choice, Variant, variant_of

    greedy, top_k = Choice(0, 0, 0, 3), Choice(1, 200, 0, 3)
    nucleus, full = Choice(1, 0, 0.9, 3), Choice(1, 0, 0, 3)
    assert variant_of([greedy, full], 2048) == Variant()
    assert variant_of([greedy, top_k], 2048) == variant_of([top_k, full], 2048) == Variant(ranks=256)
    assert variant_of([nucleus], 2048) == Variant(nucleus=True)
    assert variant_of([nucleus, top_k, Choice(1, 2048, 0, 1)], 2048) == Variant(ranks=2048, nucleus=True)
