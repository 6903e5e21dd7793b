"""Prompt files are read in one pass; every fault names file, line and field and says what is accepted."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
import soundfile
from conftest import Gallery

MODELS = "small, melody, stereo-small, audiogen"
TAG_FORM = "lowercase letters and digits, with spaces or & + ' . - between, 30 at most"
FIELDS = (
    "duration, seed, temperature, top_k, top_p, cfg_coef, extend_stride, prompt, model, melody, "
    "title, tags, author, license, date, preset, vary, takes"
)
YAML_HINT = '; put text that holds ": " or starts with a special character in quotes'

# The lines of the front matter, and what is said of them, without the file's name.
FAULTS = {
    "too high": (["prompt: a", "cfg_coef: 42"], [":3: cfg_coef: 42 is out of range, 0 to 20"]),
    "too low": (["prompt: a", "temperature: -1"], [":3: temperature: -1 is out of range, 0 to 5"]),
    "top_k": (["prompt: a", "top_k: 2049"], [":3: top_k: 2049 is out of range, 0 to 2048"]),
    "stride": (
        ["prompt: a", "extend_stride: 30"],
        [":3: extend_stride: 30 is out of range, above 0, below 30"],
    ),
    "not a number": (["prompt: a", "cfg_coef: loud"], [':3: cfg_coef: "loud" is not a number']),
    "a quoted number": (["prompt: a", 'cfg_coef: "3"'], [':3: cfg_coef: "3" is not a number']),
    "not whole": (["prompt: a", "seed: 1.5"], [":3: seed: 1.5 is not a whole number"]),
    "a truth": (["prompt: a", "seed: yes"], [":3: seed: true is not a whole number"]),
    "infinite": (["prompt: a", "cfg_coef: .inf"], [":3: cfg_coef: inf is not a number that can be used"]),
    "no number": (["prompt: a", "cfg_coef: .nan"], [":3: cfg_coef: nan is not a number that can be used"]),
    "huge": (
        ["prompt: a", f"seed: {'9' * 400}"],
        [":3: seed: a number of more than 20 digits is out of range, 0 to 4294967295"],
    ),
    "nothing": (["prompt: a", "seed:"], [":3: seed: nothing is not a whole number"]),
    "number for text": (
        ["prompt: a", "title: 1999"],
        [':3: title: 1999 is not text here; put it in quotes: "1999"'],
    ),
    "list for text": (["prompt: [a, b]"], [":2: prompt: a list is not text"]),
    "text for list": (["prompt: a", "tags: lofi"], [':3: tags: "lofi" is not a list, like [a, b]']),
    "unknown field": (
        ["prompt: a", "temprature: 1"],
        [':3: temprature: unknown field (did you mean "temperature"?)'],
    ),
    "strange field": (["prompt: a", "zzzz: 1"], [f":3: zzzz: unknown field; known: {FIELDS}"]),
    "escape in a field's name": (
        ["prompt: a", '"\\e[2Jzzzzzzzz": 1'],
        [f":3: \\u001b[2Jzzzzzzzz: unknown field; known: {FIELDS}"],
    ),
    "duplicate key": (["prompt: a", "prompt: b"], [":3: prompt: stands twice, first on line 2; keep one"]),
    "nested duplicate": (
        ["prompt: a", "vary:", "  seed: [1]", "  seed: [2]"],
        [":5: vary.seed: stands twice, first on line 4; keep one"],
    ),
    "no prompt": (["title: a"], [":2: prompt: is missing; it is required"]),
    "empty prompt": (['prompt: "  "'], [":2: prompt: is empty; say what the clip should sound like"]),
    "long prompt": (
        [f"prompt: {'la ' * 700}"],
        [":2: prompt: is 2099 characters long; at most 2000 are accepted"],
    ),
    "long title": (
        ["prompt: a", f"title: {'x' * 121}"],
        [":3: title: is 121 characters long; at most 120 are accepted"],
    ),
    "tag form": (
        ["prompt: a", "tags: [Lofi]"],
        [f':3: tags[1]: "Lofi" is not accepted; expected {TAG_FORM}'],
    ),
    "tag path": (
        ["prompt: a", "tags: [lofi, ../x]"],
        [f':3: tags[2]: "../x" is not accepted; expected {TAG_FORM}'],
    ),
    "many tags": (
        ["prompt: a", f"tags: [{', '.join('abcdefghijklm')}]"],
        [":3: tags: 13 tags; at most 12 are accepted"],
    ),
    "author": (
        ["prompt: a", 'author: "@me"'],
        [
            ':3: author: "@me" is not accepted; expected a GitHub handle without the @: '
            "letters, digits and hyphens, 39 at most"
        ],
    ),
    "licence": (
        ["prompt: a", "license: all mine"],
        [':3: license: "all mine" is not accepted; expected an SPDX identifier like CC0-1.0'],
    ),
    "no date": (["prompt: a", "date: today"], [':3: date: "today" is not a date like 2026-11-20']),
    "impossible date": (
        ["prompt: a", "date: 2026-13-01"],
        [':3: date: "2026-13-01" cannot be read: month must be in 1..12'],
    ),
    "unknown model": (
        ["prompt: a", "model: smal"],
        [f':3: model: "smal" is not a model of this gallery (did you mean "small"?); known: {MODELS}'],
    ),
    "model in a grid": (
        ["prompt: a", "vary:", "  model: [small, large]"],
        [f':4: vary.model[2]: "large" is not a model of this gallery; known: {MODELS}'],
    ),
    "hub id": (
        ["prompt: a", "model: evil/model"],
        [f':3: model: "evil/model" is not a model of this gallery; known: {MODELS}'],
    ),
    "unknown preset": (
        ["prompt: a", "preset: faithfull"],
        [':3: preset: "faithfull" is not a preset (did you mean "faithful"?); known: faithful'],
    ),
    "empty axis": (
        ["prompt: a", "vary:", "  seed: []"],
        [":4: vary.seed: is an empty list; give at least one value"],
    ),
    "value in a grid": (
        ["prompt: a", "vary:", "  cfg_coef: [1, 99]"],
        [":4: vary.cfg_coef[2]: 99 is out of range, 0 to 20"],
    ),
    "field in a grid": (
        ["prompt: a", "vary:", "  cfg: [1]"],
        [':4: vary.cfg: unknown field (did you mean "cfg_coef"?)'],
    ),
    "value in takes": (
        ["prompt: a", "takes:", "  - {}", "  - {top_p: 2}"],
        [":5: takes[2].top_p: 2 is out of range, 0 to 1.5"],
    ),
    "title in takes": (
        ["prompt: a", "takes:", "  - {title: x}"],
        [f":4: takes[1].title: unknown field; known: {FIELDS.split(', title')[0]}"],
    ),
    "grid and list": (
        ["prompt: a", "vary: {seed: [1, 2]}", "takes: [{}]"],
        [":4: takes: a prompt has a grid (vary) or a list (takes), not both"],
    ),
    "big grid": (
        ["prompt: a", "vary:", f"  seed: [{', '.join(map(str, range(37)))}]"],
        [":3: vary: makes 37 clips; at most 36 are accepted"],
    ),
    "huge grid": (
        ["prompt: a", "vary:", *(f"  {n}: [{', '.join(['1'] * 99)}]" for n in ("seed", "top_k", "duration"))],
        [":3: vary: makes 970299 clips; at most 36 are accepted"],
    ),
    "gallery's longest": (
        ["prompt: a", "duration: 121"],
        [":3: duration: 121 s is more than this gallery makes, 120 s at most"],
    ),
    "model's longest": (
        ["prompt: a", "model: audiogen", "duration: 31"],
        [':4: duration: 31 s is more than model "audiogen" makes, 30 s at most'],
    ),
    "model's stride": (
        ["prompt: a", "model: audiogen", "duration: 20", "extend_stride: 12"],
        [':5: extend_stride: 12 is out of range for model "audiogen", below 10'],
    ),
    "missing melody": (
        ["prompt: a", "model: melody", "melody: tune.wav"],
        [':4: melody: "tune.wav" does not exist; put the file beside the prompt file'],
    ),
    "melody outside": (
        ["prompt: a", "model: melody", "melody: ../../secret.wav"],
        [':4: melody: "../../secret.wav" lies outside prompts/; put the file beside the prompt file'],
    ),
    "melody of the system": (
        ["prompt: a", "model: melody", "melody: /etc/passwd.wav"],
        [':4: melody: "/etc/passwd.wav" lies outside prompts/; put the file beside the prompt file'],
    ),
    "melody of a kind": (
        ["prompt: a", "model: melody", "melody: tune.mid"],
        [':4: melody: "tune.mid" is no melody file; accepted: .flac, .mp3, .ogg, .wav'],
    ),
    "anchor": (
        ["prompt: &a x", "title: *a"],
        [":2: YAML anchors and aliases are not accepted; write it out"],
    ),
    "tagged": (["prompt: !!python/name:os.system a"], [":2: YAML tags are not accepted; leave out the !"]),
    "colon": (
        ["prompt: slow: very slow"],
        [f":2: not valid YAML: mapping values are not allowed in this context{YAML_HINT}"],
    ),
    "nested": ([f"prompt: {'[' * 5000}"], [":2: nested more than 6 deep"]),
    "second document": (
        ["prompt: a", "...", "b: c"],
        [":4: not valid YAML: did not find expected <document start>" + YAML_HINT],
    ),
    "no mapping": (["- a", "- b"], [":2: expected fields, one a line, like prompt: lofi beat"]),
    "long number": (
        ["prompt: a", f"seed: {'9' * 5000}"],
        [f':3: seed: "{"9" * 57}..." cannot be read: too many digits'],
    ),
    "right-to-left override": (
        ['prompt: "a \\u202egnorw"'],
        [":2: prompt: holds the invisible character U+202E; remove it"],
    ),
    "terminal escape": (
        ["prompt: a", 'title: "\\e[31mred"'],
        [":3: title: holds the invisible character U+001B; remove it"],
    ),
    "several": (
        ["title: 7", "cfg_coef: 99", "colour: red"],
        [
            ':2: title: 7 is not text here; put it in quotes: "7"',
            ":3: cfg_coef: 99 is out of range, 0 to 20",
            f":4: colour: unknown field; known: {FIELDS}",
        ],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault(gallery: Gallery, name: str) -> None:
    lines, expected = FAULTS[name]
    gallery.write("prompts/presets.yaml", "faithful:\n  cfg_coef: 5\n")
    gallery.prompt("edm/anthem", *lines)
    ran = gallery.run("check")
    assert ran.err.splitlines() == [f"prompts/edm/anthem.md{line}" for line in expected]
    assert ran.code == 1


RAW_FAULTS = {
    "no front matter": (b"just words\n", ":1: no front matter; the first line must be ---"),
    "empty": (b"", ":1: no front matter; the first line must be ---"),
    "not closed": (
        b"---\nprompt: a\n",
        ":1: front matter is not closed; end it with a line that holds only ---",
    ),
    "not UTF-8": (b"---\nprompt: caf\xe9\n---\n", ":2: not UTF-8; save the file as UTF-8"),
    "UTF-16": ("---\nprompt: a\n---\n".encode("utf-16"), ":1: not UTF-8; save the file as UTF-8"),
    "too large": (b"---\nprompt: a\n---\n" + b"x" * 1_000_000, ": larger than 1000 KB"),
    "long note": (
        b"---\nprompt: a\n---\n" + b"x" * 20001,
        ":4: notes: 20001 characters; at most 20000 are accepted",
    ),
    "override in the note": (
        "---\nprompt: a\n---\nsee \u202eevil".encode(),
        ":4: notes: hold the invisible character U+202E; remove it",
    ),
}


@pytest.mark.parametrize("name", RAW_FAULTS)
def test_fault_of_a_whole_file(gallery: Gallery, name: str) -> None:
    data, expected = RAW_FAULTS[name]
    gallery.write("prompts/a.md", data)
    ran = gallery.run("check")
    assert ran.err.splitlines() == [f"prompts/a.md{expected}"]
    assert ran.code == 1


@pytest.mark.parametrize(
    "name", ["Upper.md", "white space.md", "über.md", "con.md", "a;b.md", "-x.md", "a.b.md"]
)
def test_name_that_some_file_system_refuses(gallery: Gallery, name: str) -> None:
    gallery.write(f"prompts/{name}", "---\nprompt: a\n---\n")
    ran = gallery.run("check")
    form = "use lowercase letters, digits, hyphens and underscores"
    assert ran.err == f'prompts/{name}: "{name.removesuffix(".md")}" is no name to use; {form}\n'


def test_all_files_are_checked_and_all_faults_reported_in_order(gallery: Gallery) -> None:
    for number in range(5):
        gallery.prompt(f"a{number}", "prompt: a", "cfg_coef: 42", f"seed: {number}")
    gallery.prompt("fine", "prompt: b")
    ran = gallery.run("check")
    expected = [f"prompts/a{n}.md:3: cfg_coef: 42 is out of range, 0 to 20" for n in range(5)]
    assert ran.err.splitlines() == expected
    assert ran.out == "1 prompt in order, 1 clip; 5 faults, 0 warnings\n"


def test_a_bomb_of_aliases_is_refused_at_once(gallery: Gallery) -> None:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]" for n in range(20)]
    gallery.prompt("bomb", *lines)
    start = time.monotonic()
    ran = gallery.run("check")
    assert "anchors and aliases are not accepted" in ran.err
    assert time.monotonic() - start < 2


def test_links_out_of_the_gallery_are_not_followed(gallery: Gallery) -> None:
    secret = gallery.root.parent / "secret.md"
    secret.write_text("---\nprompt: the secret\n---\n")
    folder = gallery.root.parent / "elsewhere"
    folder.mkdir()
    (folder / "x.md").write_text("---\nprompt: also secret\n---\n")
    (gallery.root / "prompts" / "leak.md").symlink_to(secret)
    (gallery.root / "prompts" / "folder").symlink_to(folder)
    ran = gallery.run("check")
    assert "prompts/leak.md: a link out of the gallery; put the file itself here" in ran.err
    assert "warning: prompts/folder: a link to a folder; not read" in ran.err
    assert "secret" not in ran.err.replace("prompts/leak.md", "")


def test_loops_of_links_and_names_that_no_file_can_have(gallery: Gallery) -> None:
    (gallery.root / "prompts" / "loop.md").symlink_to("loop.md")
    (gallery.root / "prompts" / "loop.wav").symlink_to("loop.wav")
    gallery.prompt("a", "prompt: a", "model: melody", "melody: loop.wav")
    gallery.prompt("b", "prompt: a", "model: melody", f"melody: {'x' * 300}.wav")
    gallery.prompt("c", "prompt: a", "model: melody", 'melody: "a\\0.wav"')
    told = gallery.run("check").err.splitlines()
    assert [line.split(":")[0] for line in told] == [
        "prompts/a.md",
        "prompts/b.md",
        "prompts/c.md",
        "prompts/c.md",
        "prompts/loop.md",
    ]


def test_a_pipe_is_no_prompt_file(gallery: Gallery) -> None:
    os.mkfifo(gallery.root / "prompts" / "pipe.md")
    assert gallery.run("check").err == "prompts/pipe.md: not a file\n"


def _wave(gallery: Gallery, name: str, seconds: float) -> None:
    path = gallery.write(name, b"")
    soundfile.write(path, np.zeros(int(8000 * seconds), np.float32), 8000)


def test_melodies(gallery: Gallery) -> None:
    _wave(gallery, "prompts/tune.wav", 2)
    _wave(gallery, "prompts/long.wav", 61)
    gallery.write("prompts/text.wav", b"not audio at all")
    with (gallery.root / "prompts" / "big.wav").open("wb") as file:
        file.truncate(2**30)  # sparse: a gigabyte that takes no room
    fields = ("prompt: a", "model: melody")
    gallery.prompt("fine", *fields, "melody: tune.wav")
    gallery.prompt("long", *fields, "melody: long.wav")
    gallery.prompt("noise", *fields, "melody: text.wav")
    gallery.prompt("big", *fields, "melody: big.wav")
    gallery.prompt("model", "prompt: a", "melody: tune.wav")
    assert gallery.run("check").err.splitlines() == [
        'prompts/big.md:4: melody: "big.wav" is larger than 10,000,000 bytes',
        'prompts/long.md:4: melody: "long.wav" is 61.0 s long; accepted: up to 60 s',
        'prompts/model.md:3: melody: model "small" takes no melody; models that do: melody',
        'prompts/noise.md:4: melody: "text.wav" is no audio that can be read',
    ]


def test_warnings_of_clips_that_are_asked_for_twice(gallery: Gallery) -> None:
    gallery.prompt("a", "prompt: rain")
    gallery.prompt("b", "prompt: ' rain '", "cfg_coef: 3.0", "title: Other")
    gallery.prompt("c", "prompt: wind", "top_p: 0.9", "vary: {top_k: [10, 20]}")
    ran = gallery.run("check")
    assert ran.err.splitlines() == [
        "warning: prompts/b.md: a clip is the same request as one of prompts/a.md; it is rendered once",
        "warning: prompts/c.md: two of its clips are the same request; it is rendered once",
    ]
    assert ran.code == 0
    assert gallery.run("check", "--strict").code == 1


def test_check_of_some_paths(gallery: Gallery) -> None:
    gallery.prompt("good/a", "prompt: a")
    bad = gallery.prompt("bad/b", "prompt: b", "seed: x")
    assert gallery.run("check", gallery.root / "prompts" / "good").code == 0
    assert gallery.run("check", bad).code == 1
    outside = gallery.write("elsewhere.md", "---\nprompt: a\n---\n")
    ran = gallery.run("check", outside)
    assert ran.code == 1
    assert "not in this gallery's prompts/" in ran.err
    assert "no such file or folder" in gallery.run("check", gallery.root / "prompts" / "none").err


def test_presets_are_read_with_their_own_faults(gallery: Gallery) -> None:
    gallery.write("prompts/presets.yaml", "loose:\n  temperature: 9\n  hue: red\n")
    assert gallery.run("check").err.splitlines() == [
        "prompts/presets.yaml:2: loose.temperature: 9 is out of range, 0 to 5",
        "prompts/presets.yaml:3: loose.hue: unknown field; known: "
        "duration, seed, temperature, top_k, top_p, cfg_coef, extend_stride, description",
    ]


CONFIG_FAULTS = {
    "unknown section": ("[sites]\n", 'gallery.toml:1: sites: unknown field (did you mean "site"?)'),
    "range": (
        "[preview]\nloudness = -99\n",
        "gallery.toml:2: preview.loudness: -99 is out of range, -30 to -6",
    ),
    "kind": (
        '[models.x]\nhub = "a/b"\nkind = "musicgem"\n',
        'gallery.toml:3: models.x.kind: "musicgem" is not known (did you mean "musicgen"?); '
        "known: musicgen, melody, audiogen",
    ),
    "missing": (
        '[models.x]\nkind = "musicgen"\n',
        "gallery.toml:1: models.x.hub: is missing; it is required",
    ),
    "no models": ("[site]\n", "gallery.toml: models: is missing; it is required"),
}


@pytest.mark.parametrize("name", CONFIG_FAULTS)
def test_fault_of_the_configuration(gallery: Gallery, name: str) -> None:
    text, expected = CONFIG_FAULTS[name]
    models = (
        "" if "models" in name or "[models" in text else '[models.small]\nhub = "a/b"\nkind = "musicgen"\n'
    )
    gallery.write("gallery.toml", text + models)
    ran = gallery.run("check")
    assert ran.err == f"Error: {expected}\n"
    assert ran.code == 1


def test_no_gallery(tmp_path: object) -> None:
    ran = Gallery(tmp_path).run("check")  # type: ignore[arg-type]
    assert ran.code == 1
    assert "no gallery.toml in" in ran.err
