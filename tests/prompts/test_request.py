"""One request, one key: what cannot change the sound is not in it, what can is."""

from __future__ import annotations

import hashlib
import json

import pytest

from gallery.prompts.request import Request
from support.galleries import Gallery

BASE = {"model": "facebook/musicgen-small", "prompt": "rain", "seed": 7}


def key(**changes: object) -> str:
    return Request(**{**BASE, **changes}).key


SAME = {
    "number forms": ({"cfg_coef": 3}, {"cfg_coef": 3.0}),
    "defaults written out": ({}, {"top_k": 250, "temperature": 1, "top_p": 0, "cfg_coef": 3, "duration": 10}),
    "top_p makes top_k inert": ({"top_p": 0.9, "top_k": 5}, {"top_p": 0.9, "top_k": 500}),
    "top_p above 1": ({"top_p": 1.5}, {"top_p": 1}),
    "greedy": ({"temperature": 0, "seed": 1, "top_k": 5}, {"temperature": 0, "seed": 2, "top_p": 0.5}),
    "spaces around": ({"prompt": " rain\n"}, {"prompt": "rain"}),
    "composed letters": ({"prompt": "cafe\u0301"}, {"prompt": "caf\u00e9"}),
    "one frame": ({"duration": 2.29}, {"duration": 2.3}),
    "guidance 0 ignores the prompt": ({"cfg_coef": 0}, {"cfg_coef": 0, "prompt": "wind"}),
}

DIFFERENT = {
    "prompt": ({}, {"prompt": "Rain"}),
    "model": ({}, {"model": "facebook/musicgen-medium"}),
    "seed": ({}, {"seed": 8}),
    "duration": ({}, {"duration": 10.1}),
    "temperature": ({}, {"temperature": 1.01}),
    "top_k": ({}, {"top_k": 251}),
    "guidance": ({}, {"cfg_coef": 3.1}),
    "top_p 1 and top_k 0 draw differently": ({"top_p": 1}, {"top_k": 0}),
    "stride": ({"duration": 45, "extend_stride": 18}, {"duration": 45, "extend_stride": 10}),
    "melody": ({}, {"melody": "0" * 64}),
}


@pytest.mark.parametrize("name", SAME)
def test_same_key(name: str) -> None:
    one, other = SAME[name]
    assert key(**one) == key(**other)


@pytest.mark.parametrize("name", DIFFERENT)
def test_different_key(name: str) -> None:
    one, other = DIFFERENT[name]
    assert key(**one) != key(**other)


def test_keys_are_for_ever() -> None:
    """These keys are in published stores: a change that moves them renders everything anew."""
    assert Request(**BASE).canonical() == {
        "version": 1,
        "model": "facebook/musicgen-small",
        "prompt": "rain",
        "frames": 500,
        "temperature": 1,
        "seed": 7,
        "top_k": 250,
        "cfg_coef": 3,
    }
    written = (
        '{"version":1,"model":"facebook/musicgen-small","prompt":"rain","frames":500,'
        '"temperature":1,"seed":7,"top_k":250,"cfg_coef":3}'
    )
    assert key() == hashlib.sha256(written.encode()).hexdigest()[:32]
    long = written.replace('"frames":500', '"frames":2250').replace('"top_k":250', '"top_p":0.95')
    long = long.replace('"cfg_coef":3}', '"cfg_coef":3,"extend_stride":18}')
    assert key(top_p=0.95, duration=45, extend_stride=18) == hashlib.sha256(long.encode()).hexdigest()[:32]


def test_a_request_survives_json() -> None:
    request = Request(**BASE, top_p=0.9, duration=2.3)
    again = Request.model_validate(json.loads(json.dumps(request.model_dump(mode="json", exclude_none=True))))
    assert again == request
    assert again.key == request.key


def test_the_stride_counts_only_beyond_the_window(gallery: Gallery) -> None:
    gallery.prompt("short", "prompt: a", "duration: 30", "extend_stride: 12")
    gallery.prompt("plain", "prompt: a", "duration: 30")
    gallery.prompt("long", "prompt: a", "duration: 31")
    gallery.prompt("eighteen", "prompt: a", "duration: 31", "extend_stride: 18")
    assert [line.split(": ")[1] for line in gallery.run("check").err.splitlines()] == [
        "prompts/long.md",
        "prompts/short.md",
    ]
