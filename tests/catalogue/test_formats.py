"""Requests in the words of other tools: whole, or not at all."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.catalogue.formats import Takeaway, audiocraft, front_matter, takeaways
from gallery.config import Model, load_config
from gallery.prompts.folder import read_prompts
from gallery.prompts.forms import HIDDEN
from gallery.prompts.request import Parameters, Request
from support.galleries import Gallery

SMALL = Model(hub="facebook/musicgen-small", kind="musicgen")
LARGE = Model(hub="facebook/musicgen-large", kind="musicgen")
MELODY = Model(hub="facebook/musicgen-melody-large", kind="melody")
SOUNDS = Model(hub="facebook/audiogen-medium", kind="audiogen")


def taken(model: Model, **fields: Any) -> dict[str, Takeaway]:
    request = Request(**{"model": model.hub, "prompt": "lofi piano", **fields})
    found = takeaways(request, "name", model)
    assert [tool.tool for tool in found] == [
        "Python for audiocraft", "Transformers in Python", "Replicate input", "TTS-WebUI parameters",
        "Prompt file",
    ]  # fmt: skip
    assert all(bool(tool.text) != bool(tool.reason) for tool in found)
    return {tool.tool.split()[0]: tool for tool in found}


def calls(program: str) -> dict[str, dict[str, Any]]:
    """What a program calls by name: the function's name -> its arguments that are plain values."""
    found = {}
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            plain = [ast.literal_eval(arg) for arg in node.args if not _names(arg)]
            named = {keyword.arg: ast.literal_eval(keyword.value) for keyword in node.keywords if keyword.arg}
            found[node.func.attr] = {"": plain, **named}
    return found


def _names(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Name) for part in ast.walk(node))


def test_audiocraft() -> None:
    program = taken(SMALL, seed=7, duration=12.5, top_p=0.9, cfg_coef=4.5)["Python"].text
    assert calls(program)["get_pretrained"] == {"": ["facebook/musicgen-small"]}
    assert calls(program)["set_generation_params"] == {
        "": [], "duration": 12.5, "temperature": 1, "top_k": 250, "top_p": 0.9, "cfg_coef": 4.5,
    }  # fmt: skip
    assert calls(program)["manual_seed"] == {"": [7]} and calls(program)["generate"] == {"": [["lofi piano"]]}
    assert "AudioGen.get_pretrained" in taken(SOUNDS)["Python"].text


def test_audiocraft_with_a_melody_and_a_stride() -> None:
    program = taken(MELODY, melody="ab" * 32, duration=45, extend_stride=10)["Python"].text
    assert f"# melody.wav is the file with SHA-256 {'ab' * 32}" in program
    assert calls(program)["set_generation_params"]["extend_stride"] == 10
    assert "generate_with_chroma" in calls(program)


@given(st.text(max_size=60))
def test_no_prompt_breaks_out_of_a_program(text: str) -> None:
    program = audiocraft(Request(model="a/b", prompt=text), SMALL)
    assert calls(program)["generate"] == {"": [[text]]}


def test_replicate() -> None:
    fields = json.loads(taken(LARGE, seed=7, duration=12, cfg_coef=4)["Replicate"].text)
    assert fields == {
        "model_version": "large", "prompt": "lofi piano", "duration": 12, "temperature": 1, "top_k": 250,
        "top_p": 0, "classifier_free_guidance": 4, "seed": 7, "normalization_strategy": "peak",
        "output_format": "wav",
    }  # fmt: skip
    assert json.loads(taken(MELODY, melody="ab" * 32)["Replicate"].text)["input_audio"]


@pytest.mark.parametrize(
    ("tool", "model", "fields", "reason"),
    [
        ("Replicate", SMALL, {"seed": 0}, "Replicate has no facebook/musicgen-small; it has"),
        ("Replicate", LARGE, {"cfg_coef": 3.5}, "Replicate takes whole numbers for cfg_coef, not 3.5"),
        ("Replicate", LARGE, {"duration": 7.5}, "Replicate takes whole numbers for duration, not 7.5"),
        ("Replicate", LARGE, {"seed": 0}, "Replicate takes the seed 0 for a random one"),
        ("Replicate", LARGE, {"duration": 40, "extend_stride": 5}, "Replicate cannot set the stride"),
        ("TTS-WebUI", SMALL, {"duration": 0.5}, "TTS-WebUI takes a duration of 1 to 360 s, not 0.5 s"),
        (
            "TTS-WebUI",
            SMALL,
            {"duration": 361, "extend_stride": 18},
            "TTS-WebUI takes a duration of 1 to 360",
        ),
        ("TTS-WebUI", SMALL, {"temperature": 1.6}, "TTS-WebUI takes a temperature of 0 to 1.5, not 1.6"),
        ("TTS-WebUI", SMALL, {"cfg_coef": 11}, "TTS-WebUI takes a guidance of 0 to 10, not 11"),
        ("Transformers", SOUNDS, {}, "transformers has no AudioGen"),
        ("Transformers", MELODY, {"melody": "ab" * 32}, "transformers follows a melody in another way"),
        ("Transformers", SMALL, {"duration": 31, "extend_stride": 18}, "transformers makes 30 s at most"),
        ("Transformers", SMALL, {"cfg_coef": 0.5}, "transformers takes a guidance of 0.5 for none"),
        ("TTS-WebUI", SMALL, {"seed": 0}, "TTS-WebUI takes the seed 0 for a random one"),
        ("TTS-WebUI", SMALL, {"duration": 40, "extend_stride": 5}, "TTS-WebUI cannot set the stride"),
    ],
)
def test_what_a_tool_cannot_do_is_said(tool: str, model: Model, fields: dict[str, Any], reason: str) -> None:
    found = taken(model, **fields)[tool]
    assert found.reason.startswith(reason) and not found.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, {"do_sample": True, "temperature": 1, "top_k": 250}),
        ({"top_p": 1.5}, {"do_sample": True, "temperature": 1, "top_k": 0, "top_p": 1}),
        ({"temperature": 0}, {"do_sample": False}),
    ],
)
def test_transformers(fields: dict[str, Any], said: dict[str, Any]) -> None:
    found = taken(SMALL, seed=7, **fields)["Transformers"]
    called = calls(found.text)
    assert called["generate"].pop("") == []
    assert called["generate"] == {"max_new_tokens": 503, "guidance_scale": 3, **said}
    assert called["manual_seed"] == {"": [7]}
    assert "MusicgenMelodyForConditionalGeneration" in taken(MELODY)["Transformers"].text
    assert "Sounds different" in found.where and "combines it with top-p" in found.where


def test_the_nearest_model_of_replicate_is_marked_as_another_sound() -> None:
    found = taken(SMALL, seed=7)["Replicate"]
    assert json.loads(found.text)["model_version"] == "large"
    assert found.where.startswith("Replicate has no facebook/musicgen-small; it has")
    assert "This asks for large, which makes another sound." in found.where


def test_replicates_audiogen_takes_no_seed() -> None:
    found = taken(SOUNDS, seed=7, cfg_coef=3.5)["Replicate"]
    assert json.loads(found.text) == {
        "prompt": "lofi piano", "duration": 10, "temperature": 1, "top_k": 250, "top_p": 0,
        "classifier_free_guidance": 3.5, "output_format": "wav",
    }  # fmt: skip
    assert "sepal/audiogen" in found.where and "another sound each time" in found.where


def test_where_blocks_go_is_said() -> None:
    assert all(tool.where for tool in taken(LARGE, seed=7).values() if tool.text)
    found = taken(MELODY, seed=7, melody="ab" * 32)
    assert "JSON tab" in found["Replicate"].where and "form" in found["TTS-WebUI"].where
    # TTS-WebUI's digest is of samples, the gallery's of a file.
    assert json.loads(found["TTS-WebUI"].text)["melody"] is None
    assert f"the file with SHA-256 {'ab' * 32}" in found["TTS-WebUI"].where


def test_a_seed_that_does_nothing_is_no_hindrance() -> None:
    assert json.loads(taken(LARGE, seed=0, temperature=0)["Replicate"].text)["temperature"] == 0


def test_tts_webui() -> None:
    fields = json.loads(taken(SMALL, seed=7)["TTS-WebUI"].text)
    assert fields["model_name"] == "facebook/musicgen-small" and fields["seed"] == "7"
    assert {"text", "melody", "duration", "topk", "topp", "temperature", "cfg_coef"} <= fields.keys()


def test_a_prompt_file_says_only_what_is_not_usual() -> None:
    request = Request(model=SMALL.hub, prompt="lofi", seed=7, duration=45, extend_stride=18)
    assert front_matter(request, "small", SMALL) == (
        "---\nprompt: lofi\nmodel: small\nduration: 45\nseed: 7\n---\n"
    )
    assert "extend_stride: 10" in front_matter(
        request.model_copy(update={"extend_stride": 10.0}), "small", SMALL
    )


# What prompt files refuse is not written into them.
WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=80).filter(
    lambda text: not HIDDEN.search(text)
)


@settings(max_examples=60)
@given(
    text=WORDS.filter(lambda text: text.strip()),
    name=st.sampled_from(["small", "melody", "audiogen"]),
    duration=st.sampled_from([0.5, 10, 12.34, 30]),
    seed=st.integers(0, 2**32 - 1),
    temperature=st.sampled_from([0, 0.85, 1, 5]),
    top_k=st.sampled_from([0, 1, 250, 2048]),
    top_p=st.sampled_from([0, 0.3, 1.5]),
    cfg_coef=st.sampled_from([0, 1, 3, 7.5]),
    melodic=st.booleans(),
)
def test_a_prompt_file_asks_for_the_same_clip(
    gallery: Gallery, text: str, name: str, melodic: bool, **fields: Any
) -> None:
    config = load_config(gallery.root)
    model = config.models[name]
    stride = model.stride if fields["duration"] > model.window else None
    request = Request(
        **Parameters(**fields, extend_stride=stride).model_dump(),
        model=model.hub,
        prompt=text,
        melody="ab" * 32 if melodic and model.takes_melody else None,
    )
    gallery.write("prompts/back.md", front_matter(request, name, model))
    reading = read_prompts(config)
    assert reading.faults == []
    assert [clip.key for prompt in reading.prompts for clip in prompt.clips] == [request.key]
