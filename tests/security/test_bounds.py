"""Whatever is in a file, reading it takes little time and memory: the system sets the command limits.

A command that goes over a limit is killed, and its exit code says so.
"""

from __future__ import annotations

import io
import json
import re
import struct
import subprocess
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gallery.prompts.file import COSTLY_SIGNS, MOST_LINES, MOST_SIGNS
from support.galleries import Gallery
from support.hostile import quoted, run_limited

LENGTH = 20_000  # of a note, the most that is accepted

MARKDOWN = [
    *("[", "![", "[a](", "[a][", "[a]: ", "](", "]: ", "(", ")", "<", "<a ", '<a "', "<!", "<![", "<?", "</"),
    *("<!--", "&", "&#", "&amp;", ">", "> ", ">- ", "> a\n", "- ", "- a\n", "1. ", "    - ", "# ", "a\n=\n"),
    *("*", "*a ", "*a **b ", "***a ", "_a ", "**_a*", "`", "~", "```\n", "|a", "a\n-\n", "\\", "\t", "\n"),
    *("<http://a", "<a@", "http://a.", "a@a.", "<div>", "<b>", "<b><p>", "<table>", "<select>", "<svg>"),
    *("<math>", "<form>", "<a href=x>"),
]
SHAPES = [
    "".join("`" * count + " " for count in range(190)),
    "[" * 5000 + "a" + "](b)" * 3000,
    "_*" * 5000 + "a" + "*_" * 5000,
    "\n".join(">" * depth for depth in range(190)),
    "\n".join("  " * depth + "- a" for depth in range(120)),
    "|" * 9000 + "\n" + "|-" * 4500,
    "<a " + " ".join(f"a{number}=1" for number in range(2500)) + ">",
    "".join(f"[a{number}]: b\n" for number in range(1500)),
]


def within_limits(note: str) -> str:
    """The beginning of a note that is just accepted."""
    while any(note.count(sign) > 500 for sign in "[<") or note.count("\n") >= 1000:
        note = note[: len(note) * 9 // 10]
    return note.strip() or "a"


def bounded(note: str) -> str:
    """As much of a note as is accepted."""
    note = "\n".join(note.split("\n")[:MOST_LINES])
    for sign in COSTLY_SIGNS:
        parts = note.split(sign)
        note = sign.join(parts[: MOST_SIGNS + 1])
    return note[:LENGTH].strip() or "a"


def test_no_note_holds_a_build_up(gallery: Gallery) -> None:
    notes = [bounded((piece * LENGTH)[:LENGTH]) for piece in MARKDOWN]
    notes += [bounded(shape) for shape in SHAPES]
    for number, note in enumerate(notes):
        gallery.prompt(f"n{number:02}", f"prompt: note {number}", "duration: 1", notes=note)
    ran = run_limited(gallery, "build", "--engine", "none", "--no-sketches", seconds=60, megabytes=2000)
    assert ran.returncode == 0, ran.stderr[-500:]
    assert ran.stdout.startswith(f"{len(notes)} prompts")


def test_no_note_spoils_another(gallery: Gallery) -> None:
    """One converter makes all notes: what a note does to it is undone."""
    gallery.prompt("a", "prompt: a", "duration: 1", notes="One.\n\nTwo.")
    gallery.prompt("c", "prompt: c", "duration: 1", notes="One.\n\nTwo.")
    for number, piece in enumerate(("1. ", "> ", "- ", "<div>", "```\n", "[a]: b\n\n[")):
        gallery.prompt(f"b{number}", f"prompt: b{number}", "duration: 1", notes=bounded(piece * LENGTH))
    assert gallery.run("build", "--engine", "none").code == 0
    for name in ("a", "c"):
        page = (gallery.root / f"site/prompts/{name}/index.html").read_text()
        assert "<p>One.</p>" in page, name
        assert "<p>Two.</p>" in page, name


def test_no_prompt_file_holds_a_check_up(gallery: Gallery) -> None:
    grave, acute = "\u0316", "\u0301"
    assert unicodedata.combining(grave) != unicodedata.combining(acute)
    files = {
        "aliases": "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"k{n}: &k{n} [{','.join([f'*k{n - 1}'] * 9)}]\n" for n in range(1, 30)),
        "brackets": "prompt: " + "[" * 900_000,
        "braces": "prompt: " + "{a: " * 200_000,
        "dashes": "prompt:\n" + "- " * 400_000,
        "questions": "? " * 400_000,
        "keys": "".join(f"k{number}: 1\n" for number in range(70_000)),
        "keys-in-a-line": "{" + ",".join(f"k{number}" for number in range(100_000)) + "}",
        "values": f"prompt: a\nvary: {{seed: [{','.join(['x'] * 300_000)}]}}",
        "takes": "prompt: a\ntakes: [" + "{}," * 200_000 + "]",
        "melodies": "prompt: a\nmodel: melody\ntakes:\n" + "- {melody: ./x.wav}\n" * 15_000,
        "line": f"prompt: {'la ' * 300_000}",
        "folded": "prompt: >\n" + "  a\n" * 200_000,
        "quoted": 'prompt: "' + "\\u0041" * 150_000 + '"',
        "one-key": f"? {'k' * 900_000}\n: 1",
        "marks": "prompt: a" + acute * 200_000 + grave * 200_000,
        "marks-in-takes": "prompt: a\ntakes:\n" + f"- {{prompt: a{(acute + grave) * 100}}}\n" * 1500,
        "names": "prompt: a\ntakes:\n" + f"- {{model: {'smal' * 500}}}\n" * 400,
        "comment": "#" * 900_000,
        "spaces": "prompt: a" + " " * 900_000 + "b" * 2000,
        "newlines": "prompt: a" + "\n" * 900_000 + " b: c",
        "digits": "seed: " + "9" * 900_000,
        "nothing": "\n" * 900_000,
        "anchors": "".join(f"k{number}: &a{number} 1\n" for number in range(40_000)),
        "tags": "".join(f"k{number}: !!str 1\n" for number in range(40_000)),
        "documents": "--- a\n" * 100_000,
        "directives": "%YAML 1.1\n" * 80_000,
    }
    for name, text in files.items():
        gallery.write(f"prompts/{name}.md", f"---\n{text}\n---\n")
    gallery.write("prompts/fences.md", "---\n" + "--- \n" * 150_000)
    soundfile.write(gallery.write("prompts/x.wav", b""), np.zeros(8000), 8000)
    ran = run_limited(gallery, "check", "--quiet", seconds=40, megabytes=1500)
    assert ran.returncode == 1, ran.stderr[-500:]
    assert "Traceback" not in ran.stderr
    told = [line for line in ran.stderr.splitlines() if not re.match(r" *\d* \|", line)]
    assert {line.split(":")[0] for line in told} == {f"prompts/{name}.md" for name in [*files, "fences"]}
    assert len(ran.stderr) < 200_000


def test_alike_wordings_are_compared_in_short(gallery: Gallery) -> None:
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(["la", "da"], 650)) for _ in range(12)]
    gallery.prompt("a", "prompt: a", "duration: 1", "takes:", *(f"  - {{prompt: {text}}}" for text in texts))
    ran = run_limited(gallery, "build", "--engine", "none", "--no-sketches", seconds=30)
    assert ran.returncode == 0, ran.stderr[-500:]


@pytest.fixture
def deep(gallery: Gallery, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A folder of prompts and one of clips, fifteen hundred folders deep."""
    tops = (gallery.root / "prompts/a", tmp_path / "clips")
    for top in tops:
        folder = top
        folder.mkdir()
        for _ in range(1500):
            folder = folder / "a"
            folder.mkdir()
        (folder / "x.md").write_text("---\nprompt: a\n---\n")
        (folder / "x.json").write_text("{}")
    yield tops
    for top in tops:  # neither pytest nor Python's own rmtree takes so many away
        subprocess.run(["rm", "-rf", top], check=True)


def test_folders_in_folders(gallery: Gallery, deep: tuple[Path, Path]) -> None:
    ran = run_limited(gallery, "check", seconds=20)
    assert ran.stderr == "prompts/" + "/".join("a" * 10) + ": lies more than 8 folders deep; move it up\n"
    subprocess.run(["rm", "-r", deep[0]], check=True)
    ran = run_limited(gallery, "import", deep[1], seconds=20)
    assert ran.stderr.endswith(": holds folders more than 32 deep\n")


def _encoded(audio: np.ndarray, rate: int, form: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, audio, rate, format=form)
    return file.getvalue()


@pytest.mark.parametrize("form", ["FLAC", "OGG"])
def test_silence_that_is_packed_small_is_not_unpacked(gallery: Gallery, tmp_path: Path, form: str) -> None:
    silence = _encoded(np.zeros((100_000, 8), np.int16), 8000, form)
    suffix = f".{form.lower()}"
    (tmp_path / "clips").mkdir()
    about = {"_type": "musicgen", "_hash_version": "0.0.3", "text": "a", "model": "small", "duration": 1}
    about |= {"topk": 250, "topp": 0, "temperature": 1, "cfg_coef": 3, "seed": "1", "hash": "x", "date": "x"}
    (tmp_path / "clips/a.json").write_text(json.dumps(about))
    (tmp_path / f"clips/a{suffix}").write_bytes(silence)
    ran = run_limited(gallery, "import", tmp_path / "clips", seconds=20, megabytes=1500)
    assert ran.returncode == 3
    assert "its audio has 8 channels" in ran.stderr
    gallery.write(f"prompts/a{suffix}", silence)
    gallery.prompt("a", "prompt: a", "model: melody", f"melody: {quoted('a' + suffix)}")
    ran = run_limited(gallery, "check", seconds=20, megabytes=1500)
    assert "has 8 channels; accepted: mono and stereo" in ran.stderr


def test_headers_that_promise_more_than_there_is_allocate_nothing(gallery: Gallery, tmp_path: Path) -> None:
    wave = _encoded(np.zeros((800, 1), np.int16), 8000, "WAV")
    flac = _encoded(np.zeros((800, 1), np.int16), 8000, "FLAC")
    files = {
        "a.wav": wave[:4] + b"\xff" * 4 + wave[8:40] + b"\xff\xff\xff\x7f" + wave[44:],
        "b.wav": wave[:16] + struct.pack("<I", 2**31 - 1) + wave[20:],
        "c.flac": flac[:21] + bytes([flac[21] | 15]) + b"\xff" * 4 + flac[26:],
        "d.flac": flac[:5] + b"\xff\xff\xff" + flac[8:],
        "e.ogg": b"OggS" + bytes(22) + b"\xff" + b"\xff" * 255 + bytes(2000),
        "f.mp3": b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(500),
        "g.wav": wave[:12] + b"LIST" + struct.pack("<I", 2**31 - 1) + wave[12:],
    }
    (tmp_path / "clips").mkdir()
    for name, data in files.items():
        gallery.write(f"prompts/{name}", data)
        gallery.prompt(name[0], f"prompt: {name}", "model: melody", f"melody: {name}")
        (tmp_path / "clips" / name).write_bytes(data)
    ran = run_limited(gallery, "check", seconds=20, megabytes=1000)
    assert ran.returncode in (0, 1)
    assert "Traceback" not in ran.stderr
    for path in (gallery.root / "prompts").glob("*.md"):
        path.unlink()
    ran = run_limited(gallery, "import", tmp_path / "clips", seconds=20, megabytes=1000)
    assert ran.returncode == 3
    assert "Traceback" not in ran.stderr
