"""The JSON Schema of prompt files and presets, as tools other than this one read it."""

from __future__ import annotations

import json
import re
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from gallery.prompts import frontmatter
from support import ROOT
from support.galleries import SETTINGS, Gallery


def schema(gallery: Gallery, *args: str) -> dict[str, Any]:
    ran = gallery.run("schema", *args)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def validator(document: dict[str, Any]) -> Draft202012Validator:
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document, format_checker=FormatChecker())


def front_matter(text: str) -> Any:
    """What a tool makes of it: YAML 1.2 has no dates, only text."""
    return json.loads(json.dumps(frontmatter.split(text).values, default=str))


def complaints(document: dict[str, Any], *fields: str) -> list[str]:
    matter = front_matter("\n".join(["---", *fields, "---"]))
    return [error.json_path for error in validator(document).iter_errors(matter)]


def test_every_shipped_prompt_and_preset_is_valid() -> None:
    prompts, presets = (validator(schema(Gallery(ROOT), *which)) for which in ((), ("--presets",)))
    files = sorted((ROOT / "prompts").rglob("*.md"))
    assert len(files) >= 48
    for file in files:
        matter = front_matter(file.read_text())
        assert [error.message for error in prompts.iter_errors(matter)] == [], file
    kept = frontmatter.load((ROOT / "prompts/presets.yaml").read_text()).values
    assert [error.message for error in presets.iter_errors(kept)] == []


RIGHT = {
    "everything": [
        "prompt: rain",
        "title: Rainy window",
        "tags: [lofi, r&b, drum and bass, 80s, über, 雨]",
        "author: octocat",
        "license: CC-BY-4.0",
        "date: 2026-11-20",
        "preset: faithful",
        "model: melody",
        "melody: tunes/Bach.MP3",
        "duration: 12.5",
        "extend_stride: 18",
        "vary: {seed: [1, 2], melody: [tune.wav, null]}",
    ],
    "a digest for a melody": ["prompt: rain", f"melody: sha256:{'0' * 64}"],
    "what can only mean one thing": [
        "prompt: rain",
        'tags: [Lo-Fi, "#rain", " night "]',
        'author: "@octocat"',
        'date: "2026-11-20"',
    ],
    "takes": ["prompt: rain", "takes: [{}, {temperature: 0.5}]"],
    "prompts in a grid": ["vary: {prompt: [rain, snow]}"],
    "prompts in takes": ["takes: [{prompt: rain}, {prompt: snow}]"],
    "nothing for a field that may be empty": ["prompt: rain", "date:", "melody:", "vary:", "takes: [{}]"],
}

# The lines of front matter, and the path of what is wrong.
WRONG = {
    "no prompt": (["title: a"], ["$"]),
    "empty prompt": (['prompt: ""'], ["$.prompt", "$.prompt"]),
    "blank prompt": (['prompt: "  "'], ["$.prompt"]),
    "long prompt": ([f"prompt: {'x' * 2001}"], ["$.prompt"]),
    "prompt of another kind": (["prompt: [a]"], ["$.prompt"]),
    "take without a prompt": (["takes: [{prompt: a}, {}]"], ["$"]),
    "no takes": (["takes: []"], ["$"]),
    "guidance": (["prompt: a", "cfg_coef: 42"], ["$.cfg_coef"]),
    "text for a number": (["prompt: a", "cfg_coef: loud"], ["$.cfg_coef"]),
    "seed": (["prompt: a", "seed: 1.5"], ["$.seed"]),
    "stride": (["prompt: a", "extend_stride: 30"], ["$.extend_stride"]),
    "gallery's longest": (["prompt: a", "duration: 121"], ["$.duration"]),
    "unknown field": (["prompt: a", "temprature: 1"], ["$"]),
    "model": (["prompt: a", "model: smal"], ["$.model"]),
    "model in a grid": (["prompt: a", "vary: {model: [small, huge]}"], ["$.vary"]),
    "model in takes": (["prompt: a", "takes: [{model: huge}]"], ["$.takes[0].model"]),
    "preset": (["prompt: a", "preset: faithfull"], ["$.preset"]),
    "tag": (["prompt: a", "tags: [lo_fi]"], ["$.tags[0]"]),
    "tag of a path": (["prompt: a", "tags: [../x]"], ["$.tags[0]"]),
    "long tag": (["prompt: a", f"tags: [{'x' * 31}]"], ["$.tags[0]"]),
    "many tags": (["prompt: a", f"tags: [{', '.join('abcdefghijklm')}]"], ["$.tags"]),
    "author": (["prompt: a", "author: me@here"], ["$.author"]),
    "licence": (["prompt: a", "license: all mine"], ["$.license"]),
    "date": (["prompt: a", "date: today"], ["$.date"]),
    "long title": (["prompt: a", f"title: {'x' * 121}"], ["$.title"]),
    "melody": (["prompt: a", "melody: tune.mid"], ["$.melody"]),
    "melody without a name": (["prompt: a", "melody: tunes/.mp3"], ["$.melody"]),
    "empty axis": (["prompt: a", "vary: {seed: []}"], ["$.vary"]),
    "long axis": (["prompt: a", f"vary: {{seed: {list(range(37))}}}"], ["$.vary"]),
    "many takes": (["prompt: a", f"takes: [{', '.join(['{}'] * 37)}]"], ["$.takes"]),
    "title in takes": (["prompt: a", "takes: [{title: x}]"], ["$.takes[0]"]),
    "grid and list": (["prompt: a", "vary: {seed: [1]}", "takes: [{}]"], ["$"]),
}


@pytest.fixture
def with_presets(gallery: Gallery) -> Gallery:
    gallery.write("prompts/presets.yaml", "faithful:\n  cfg_coef: 5\n")
    return gallery


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_accepted(with_presets: Gallery, name: str) -> None:
    assert complaints(schema(with_presets), *RIGHT[name]) == []


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_refused_and_so_it_is_by_check(with_presets: Gallery, name: str) -> None:
    lines, expected = WRONG[name]
    assert complaints(schema(with_presets), *lines) == expected
    with_presets.prompt("wrong", *lines)
    assert with_presets.run("check").code == 1


def test_the_galleries_own_models_presets_and_limits(gallery: Gallery) -> None:
    gallery.write("gallery.toml", SETTINGS + "\n[limits]\ntags = 2\nduration = 20\nprompt_length = 9\n")
    own = schema(gallery)["properties"]
    assert own["model"]["enum"] == ["small", "melody", "stereo-small", "audiogen"]
    assert own["model"]["default"] == "small"
    assert own["preset"]["enum"] == [""]
    assert (own["tags"]["maxItems"], own["prompt"]["maxLength"]) == (2, 9)
    assert own["duration"]["maximum"] == 20
    assert own["duration"]["description"] == (
        "Length of the clip in seconds. Range: 0.5 to 20 s. Default: 10 s."
    )
    grid = own["vary"]["anyOf"][0]["properties"]
    assert grid["model"]["items"]["enum"] == own["model"]["enum"]
    assert grid["duration"]["items"]["maximum"] == 20
    gallery.write("prompts/presets.yaml", "a: 3\n")
    ran = gallery.run("schema")
    assert ran.code == 1
    assert "prompts/presets.yaml:1: a: 3 is not a mapping" in ran.err


def test_outside_of_a_gallery_it_has_what_any_gallery_could_accept(tmp_path: Path) -> None:
    anywhere = schema(Gallery(tmp_path))
    assert complaints(anywhere, "prompt: a", "model: any", "preset: any", "duration: 600") == []
    assert complaints(anywhere, "prompt: a", "duration: 601") == ["$.duration"]
    assert complaints(anywhere, "prompt: a", "cfg_coef: 21") == ["$.cfg_coef"]


def test_presets(gallery: Gallery) -> None:
    presets = validator(schema(gallery, "--presets"))
    assert presets.is_valid({"loose": {"description": "Further off.", "cfg_coef": 2}})
    assert presets.is_valid(None), "an empty file"
    for wrong in ({"loose": {"cfg_coef": 99}}, {"loose": {"prompt": "a"}}, {"loose": 3}, ["loose"]):
        assert not presets.is_valid(wrong), wrong


@pytest.fixture
def pattern(gallery: Gallery) -> str:
    """What the schema says of a tag, whatever prompts there are."""
    return schema(gallery)["properties"]["tags"]["items"]["pattern"]


TAG_CHARACTERS = st.text(string.printable + "äßéñ雨", max_size=32)


@given(TAG_CHARACTERS)
@example("r&b")
@example("a" * 30)
@example("a" * 31)
@example("hip-hop 'n' soul")
@settings(max_examples=150)
def test_a_tag_that_check_accepts_is_valid_and_in_ascii_no_other(
    gallery: Gallery, pattern: str, tag: str
) -> None:
    gallery.prompt("a", "prompt: a", f"tags: [{json.dumps(tag, ensure_ascii=False)}]")
    accepted = gallery.run("check").code == 0
    valid = re.search(pattern, tag) is not None
    assert valid == accepted if tag.isascii() else valid or not accepted


def test_the_editors_settings_lead_to_the_schemas() -> None:
    editor = json.loads((ROOT / ".vscode/settings.json").read_text())
    [(kept, file)] = editor["yaml.schemas"].items()
    assert json.loads((ROOT / kept).read_text()) == schema(Gallery(ROOT), "--presets")
    assert (ROOT / file).is_file()
    assert json.loads((ROOT / "docs/prompt.schema.json").read_text()) == schema(Gallery(ROOT))


def test_the_editors_task_finds_faults_in_what_check_prints(gallery: Gallery) -> None:
    [task] = json.loads((ROOT / ".vscode/tasks.json").read_text())["tasks"]
    gallery.prompt("lofi/bad", "prompt: a", "seed: x")
    gallery.prompt("lofi/Upper", "prompt: a")
    for name in ("lofi/one", "lofi/two"):
        gallery.prompt(name, "prompt: b")
    printed = gallery.run("check").err.splitlines()
    gallery.write("gallery.toml", SETTINGS + "[limits]\ntags = -1\n")
    printed += gallery.run("check").err.splitlines()
    found = set()
    for matcher in task["problemMatcher"]:
        pattern = matcher["pattern"]
        for line in printed:
            if match := re.search(pattern["regexp"], line):
                row = match[pattern["line"]] if "line" in pattern else ""
                found.add((match[pattern["severity"]] or matcher["severity"], match[pattern["file"]], row))
    assert found == {
        ("error", "prompts/lofi/bad.md", "3"),
        ("error", "prompts/lofi/Upper.md", ""),
        ("warning", "prompts/lofi/two.md", ""),
        ("error", "gallery.toml", str(SETTINGS.count("\n") + 2)),
    }
