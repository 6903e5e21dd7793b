"""Prompt files are read in one pass; every fault names file, line and field and says what is accepted."""

from __future__ import annotations

import os
import re
import time
from collections import defaultdict

import pytest

from gallery.config import load_config
from gallery.prompts.folder import read_prompts
from support.galleries import Gallery
from support.mistakes import FRONT_MATTER

FIELDS = (
    "duration, seed, temperature, top_k, top_p, cfg_coef, extend_stride, prompt, model, melody, audio, "
    "title, tags, author, license, date, preset, vary, takes"
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What one check of a gallery with all those files says of each."""
    gallery = Gallery(tmp_path_factory.mktemp("broken")).begin()
    gallery.write("prompts/presets.yaml", "faithful:\n  cfg_coef: 5\nendless:\n  duration: 300\n")
    (gallery.root / "prompts/folder.wav").mkdir()
    names = {}
    for number, (name, case) in enumerate(FRONT_MATTER.items()):
        gallery.write(f"prompts/{number:03}.md", case.text)
        names[f"prompts/{number:03}.md"] = name
    ran = gallery.run("check")
    assert ran.code == 1
    assert ran.out.startswith("0 prompts in order")
    told = defaultdict(list)
    for line in ran.err.splitlines():
        found = re.fullmatch(r"(warning: )?(prompts/\d+\.md)(.*)", line)
        assert found
        told[names[found[2]]].append((found[1] or "") + found[3])
    return told


@pytest.mark.parametrize("name", FRONT_MATTER)
def test_mistake_in_the_fields(told: dict[str, list[str]], name: str) -> None:
    assert told[name] == FRONT_MATTER[name].expected


def test_the_table_has_many_kinds_and_no_words_of_the_libraries() -> None:
    assert len(FRONT_MATTER) >= 280
    jargon = re.compile(
        r"pydantic|libyaml|PyYAML|scalar|token|node|validat|string|integer|float|None|dict", re.I
    )
    for name, case in FRONT_MATTER.items():
        for line in case.expected:
            assert not jargon.search(re.sub(r'"[^"]*"', "", line)), name
            assert len(line) < 260, name


FENCE = ":1: no front matter; the first line must be ---"
FILES = {
    "nothing at all": (b"", FENCE),
    "words alone": (b"just words\n", FENCE),
    "a line before the fields": (b"\n---\nprompt: a\n---\n", FENCE),
    "an indented fence": (b" ---\nprompt: a\n---\n", FENCE),
    "a fence of four": (b"----\nprompt: a\n----\n", FENCE),
    "JSON": (b'{"prompt": "a"}\n', FENCE),
    "TOML": (b"+++\nprompt = 'a'\n+++\n", FENCE),
    "HTML": (b"<!doctype html><script>alert(1)</script>\n", FENCE),
    "an old Mac's line ends": (b"---\rprompt: a\r---\r", FENCE),
    "a mark and nothing else": (b"\xef\xbb\xbf", FENCE),
    "not closed": (
        b"---\nprompt: a\n",
        ":1: front matter is not closed; end it with a line that holds only ---",
    ),
    "closed by dots": (
        b"---\nprompt: a\n...\nnotes\n",
        ":1: front matter is not closed; end it with a line that holds only ---",
    ),
    "Latin-1": (b"---\nprompt: caf\xe9\n---\n", ":2: not UTF-8; save the file as UTF-8"),
    "Latin-1 in the notes": (b"---\nprompt: a\n---\n\ncaf\xe9\n", ":5: not UTF-8; save the file as UTF-8"),
    "UTF-16": ("---\nprompt: a\n---\n".encode("utf-16"), ":1: not UTF-8; save the file as UTF-8"),
    "half a character": (b"---\nprompt: \xed\xa0\x80\n---\n", ":2: not UTF-8; save the file as UTF-8"),
    "a character written too long": (
        b"---\nprompt: \xc0\xaf\n---\n",
        ":2: not UTF-8; save the file as UTF-8",
    ),
    "an archive": (b"PK\x03\x04\x14\x00\xff\xff", ":1: not UTF-8; save the file as UTF-8"),
    "UTF-32": (
        "---\nprompt: a\n---\n".encode("utf-32-le"),
        FENCE,
    ),
    "too large": (b"---\nprompt: a\n---\n" + b"x" * 1_000_000, ": larger than 1000 KB"),
    "too long a note": (
        b"---\nprompt: a\n---\n\n\n" + b"x" * 20001,
        ":6: notes: 20001 characters; at most 20000 are accepted",
    ),
    "an override in the note": (
        "---\nprompt: a\n---\n\none\nsee \u202eevil".encode(),
        ":6: notes: hold the invisible character U+202E; remove it",
    ),
    "a carriage return in the note": (
        b"---\nprompt: a\n---\none\rtwo",
        ":4: notes: hold the invisible character U+000D; remove it",
    ),
    "words for machines in the note": (
        "---\nprompt: a\n---\nnice\U000e0069\U000e0067".encode(),
        ":4: notes: hold the invisible character U+E0069; remove it",
    ),
    "more values than anybody writes": (
        b"---\nprompt: a\nvary:\n  seed: [" + b"1," * 30_000 + b"]\n---\n",
        ":4: vary: is one of more than 20,000 values",
    ),
    "fields without end": (
        b"---\n" + b"".join(b"f%d: 1\n" % number for number in range(30_000)) + b"---\n",
        ":20001: f19999: is one of more than 20,000 values",
    ),
    "one line of a megabyte": (
        b"---\nprompt: " + b"la " * 330_000 + b"\n---\n",
        ":2: prompt: is 989999 characters long; at most 2000 are accepted",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_mistake_of_a_whole_file(gallery: Gallery, name: str) -> None:
    data, expected = FILES[name]
    gallery.write("prompts/a.md", data)
    ran = gallery.run("check")
    assert ran.err.splitlines() == [f"prompts/a.md{expected}"]
    assert ran.code == 1


NAME_FORM = "use lowercase letters, digits, hyphens and underscores"
NAMES = {
    "Upper.md": '"Upper" is no name to use; rename it to upper.md',
    "white space.md": '"white space" is no name to use; rename it to white-space.md',
    "über.md": '"über" is no name to use; rename it to uber.md',
    "аpple.md": f'"аpple" is no name to use; {NAME_FORM}',  # its first letter is Cyrillic
    "con.md": f'"con" is no name to use; {NAME_FORM}',
    "nul/a.md": f'"nul" is no name to use; {NAME_FORM}',
    "Folder/a.md": '"Folder" is no name to use; rename it to folder',
    "a;b.md": '"a;b" is no name to use; rename it to a-b.md',
    "$(id).md": '"$(id)" is no name to use; rename it to id.md',
    "a'b.md": '"a\'b" is no name to use; rename it to a-b.md',
    "-x.md": '"-x" is no name to use; rename it to x.md',
    "_x.md": '"_x" is no name to use; rename it to x.md',
    "a.b.md": '"a.b" is no name to use; rename it to a-b.md',
    "a\n::error::b.md": '"a\\u000a::error::b" is no name to use; rename it to a-error-b.md',
    "\x1b[2J.md": '"\\u001b[2J" is no name to use; rename it to 2j.md',
    "\u202emd.a.md": '"\\u202emd.a" is no name to use; rename it to md-a.md',
    "##[add-mask]a.md": '"##\\u005badd-mask]a" is no name to use; rename it to add-mask-a.md',
    "a.MD": '"a.MD" is no name to use; rename it to a.md',
    "a/b/c/d/e/f/g/h/i/x.md": "lies more than 8 folders deep; move it up",
    "a/b/c/d/e/f/g/h/i/j/k/x.md": "lies more than 8 folders deep; move it up",
}


@pytest.mark.parametrize("name", NAMES)
def test_name_that_is_none_to_use(gallery: Gallery, name: str) -> None:
    gallery.write(f"prompts/{name}", "---\nprompt: a\n---\n")
    shown = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in name)
    shown = shown.replace("##[", "##\\u005b").removesuffix("/k/x.md")
    assert gallery.run("check").err == f"prompts/{shown}: {NAMES[name]}\n"


PARAMETERS = FIELDS.split(", prompt")[0]
PRESETS = {
    "out of range": ("loose:\n  temperature: 9\n", ":2: loose.temperature: 9 is out of range, 0 to 5"),
    "a field that is none": (
        "loose:\n  hue: red\n",
        f":2: loose.hue: unknown field; known: {PARAMETERS}, description",
    ),
    "a prompt": (
        "loose:\n  prompt: drums\n",
        f":2: loose.prompt: unknown field; known: {PARAMETERS}, description",
    ),
    "a word": ("loose: 5\n", ":1: loose: 5 is not a mapping, like {a: 1}"),
    "nothing": ("loose:\n", ":1: loose: has no value; expected a mapping, like {a: 1}"),
    "a list of presets": ("- loose\n", ":1: expected fields, one a line, like prompt: lofi beat"),
    "a name twice": (
        "a:\n  seed: 1\na:\n  seed: 2\n",
        ":3: a: stands twice, first on line 1; keep one",
    ),
    "a description that is a number": (
        "a:\n  description: 7\n",
        ':2: a.description: 7 is not text here; put it in quotes: "7"',
    ),
    "a description that is too long": (
        f"a:\n  description: {'x' * 301}\n",
        ":2: a.description: is 301 characters long; at most 300 are accepted",
    ),
    "references": (
        "a: &a {seed: 1}\nb: *a\n",
        ":1: a: starts with & or *, which YAML takes for a reference; put the text in quotes",
    ),
    "a hidden line end": (
        "a: {seed: 1}\x85b: {seed: 2}\n",
        ":1: a: holds the invisible character U+0085; remove it",
    ),
}


@pytest.mark.parametrize("name", PRESETS)
def test_mistake_in_presets(gallery: Gallery, name: str) -> None:
    text, expected = PRESETS[name]
    gallery.write("prompts/presets.yaml", text)
    ran = gallery.run("check")
    assert ran.err.splitlines() == [f"prompts/presets.yaml{expected}"]
    assert ran.code == 1


def test_all_files_are_checked_and_all_faults_reported_in_order(gallery: Gallery) -> None:
    for number in range(5):
        gallery.prompt(f"a{number}", "prompt: a", "cfg_coef: 42", f"seed: {number}")
    gallery.prompt("fine", "prompt: b")
    ran = gallery.run("check")
    expected = [f"prompts/a{n}.md:3: cfg_coef: 42 is out of range, 0 to 20" for n in range(5)]
    assert ran.err.splitlines() == expected
    assert ran.out == "1 prompt in order, 1 clip; 5 faults, 0 warnings\n"


def test_very_many_mistakes_of_one_file_are_told_in_short(gallery: Gallery) -> None:
    gallery.prompt("a", "prompt: a", *(f"f{number}: 1" for number in range(5000)))
    lines = gallery.run("check").err.splitlines()
    assert len(lines) == 101
    assert lines[0] == f"prompts/a.md:3: f0: unknown field; known: {FIELDS}"
    assert lines[-1] == "prompts/a.md:103: 4,900 more mistakes from here on"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("Yes", "Yes"),
        ("off", "off"),
        ("1:30", "1:30"),
        ("007", "007"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        ("2026-02-30", "2026-02-30"),
        ("=", "="),
        ("<<", "<<"),
        ('"80"', "80"),
        ("'~'", "~"),
        ("it's C#1", "it's C#1"),
        ("|\n  two\n  lines", "two\nlines"),
        (">\n  one\n  line", "one line"),
        ('"\\u00e9\\x21"', "é!"),
        ('"\\ud83c\\udfb5 \\\\ud83c"', "🎵 \\ud83c"),
        ("\\ud83c\\udfb5", "\\ud83c\\udfb5"),
    ],
)
def test_what_is_written_is_what_is_meant(gallery: Gallery, written: str, meant: str) -> None:
    """No surprise of YAML 1.1: what is no plain number, truth or date is text."""
    gallery.prompt("a", f"prompt: {written}")
    assert gallery.run("check").err == ""
    [prompt] = read_prompts(load_config(gallery.root)).prompts
    assert prompt.text == meant


def test_a_bomb_of_aliases_is_refused_at_once(gallery: Gallery) -> None:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]" for n in range(20)]
    gallery.prompt("bomb", *lines)
    start = time.monotonic()
    ran = gallery.run("check")
    assert "which YAML takes for a reference" in ran.err
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
    assert ran.code == 2
    assert "not in this gallery's prompts/" in ran.err
    assert "no such file or folder" in gallery.run("check", gallery.root / "prompts" / "none").err


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
    "no setting": (
        'root = "/"\n',
        "gallery.toml:1: root: unknown field; "
        "known: site, models, limits, preview, store, musicgen, replicate",
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
