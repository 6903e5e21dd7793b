"""Kin differ in exactly one thing, and the words that differ are marked."""

from __future__ import annotations

import json

import pytest

from gallery.catalogue.kin import MOST_KIN, Kin, find_kin
from gallery.prompts.request import Request
from support.galleries import Gallery


def request(**changes: object) -> Request:
    return Request(**{"model": "facebook/musicgen-small", "prompt": "90bpm drums", "seed": 7, **changes})


ONE = {
    "cfg_coef": {"cfg_coef": 10},
    "temperature": {"temperature": 0.85},
    "seed": {"seed": 8},
    "model": {"model": "facebook/musicgen-medium"},
    "top_k": {"top_k": 50},
    "top_p": {"top_p": 0.9},
    "duration": {"duration": 5},
    "prompt": {"prompt": "140bpm drums"},
}


def kin_of(requests: list[Request]) -> dict[str, list[Kin]]:
    found = find_kin((r.key, r.model_dump(exclude_none=True)) for r in requests)
    return {r.key: found.get(r.key, []) for r in requests}


@pytest.mark.parametrize("field", ONE)
def test_one_difference(field: str) -> None:
    one, other = request(), request(**ONE[field])
    kin = kin_of([one, other])
    value = None if field == "prompt" else ONE[field][field]
    assert [(k.field, k.key, k.value) for k in kin[one.key]] == [(field, other.key, value)]
    assert [(k.field, k.key) for k in kin[other.key]] == [(field, one.key)]


def test_two_differences_make_no_kin() -> None:
    clips = [request(), request(seed=8, cfg_coef=4), request(prompt="140bpm drums", temperature=0.5)]
    assert all(not kin for kin in kin_of(clips).values())


def test_greedy_and_sampled_are_kin_by_temperature() -> None:
    one, greedy = request(), request(temperature=0)
    assert [k.field for k in kin_of([one, greedy])[one.key]] == ["temperature"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("dubstep", "dubstep, wav"),
        ("80 bpm drums", "90 bpm drums"),
        ("slow lofi piano, rainy night", "fast lofi piano, rainy night"),
        ("静かな雨、ピアノ", "静かな雨、ギター"),
    ],
)
def test_near_wordings_are_kin(one: str, other: str) -> None:
    a, b = request(prompt=one), request(prompt=other)
    assert [k.key for k in kin_of([a, b])[a.key]] == [b.key]


def test_other_prompts_are_not_kin() -> None:
    a, b = request(prompt="slow lofi piano, rainy night"), request(prompt="angry thrash metal, fast")
    assert not kin_of([a, b])[a.key]


def test_many_alike_stay_few() -> None:
    kin = kin_of([request(prompt=f"{n} bpm drums, take {n % 7}", seed=1) for n in range(5_000)])
    assert {len(found) for found in kin.values()} == {MOST_KIN}


def published(gallery: Gallery) -> dict[str, list[tuple]]:
    """What every build says of each prompt's kin: field, title, value and words."""
    assert gallery.run("build", "--engine", "none").code == 0
    catalogue = json.loads((gallery.root / "site/catalogue.json").read_text())
    return {
        prompt["path"]: [
            (kin["field"], kin["title"], kin["value"], kin.get("words")) for kin in prompt["clips"][0]["kin"]
        ]
        for prompt in catalogue["prompts"]
    }


def test_kin_are_those_of_today_in_every_build(gallery: Gallery) -> None:
    gallery.prompt("one", "prompt: drums, 80 bpm", "title: One", "seed: 1")
    gallery.prompt("two", "prompt: drums, 80 bpm", "title: Two", "seed: 2")
    told = {"one": [("seed", "Two", 2, None)], "two": [("seed", "One", 1, None)]}
    assert published(gallery) == told
    gallery.prompt("two", "prompt: drums, 80 bpm", "title: Second", "seed: 2")
    told["one"] = [("seed", "Second", 2, None)]
    assert published(gallery) == told
    gallery.prompt("three", "prompt: drums, 90 bpm", "title: Three", "seed: 2")
    came = published(gallery)
    words = [["=", "drums, "], ["-", "80"], ["+", "90"], ["=", " bpm"]]
    assert came["one"] == told["one"]
    assert came["two"] == [*told["two"], ("prompt", "Three", "drums, 90 bpm", words)]
    (gallery.root / "prompts/three.md").unlink()
    assert published(gallery) == told


def test_kin_follow_what_is_asked_for_even_where_the_clip_stays_the_same(gallery: Gallery) -> None:
    gallery.prompt("sampled", "prompt: drums", "title: Sampled", "seed: 1")
    gallery.prompt("greedy", "prompt: drums", "title: Greedy", "seed: 1", "temperature: 0")
    assert published(gallery)["sampled"] == [("temperature", "Greedy", 0.0, None)]
    gallery.prompt(
        "greedy", "prompt: drums", "title: Greedy", "seed: 2", "temperature: 0"
    )  # one sound, any seed
    assert published(gallery)["sampled"] == []
