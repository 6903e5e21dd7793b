"""A clip of every kind, through its own MP3: the same key, the same knowledge, the same page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import soundfile

from gallery.preview import read_tags
from gallery.preview.mp3 import with_tags
from support.galleries import render_all
from support.others_clips import DIGEST, metadata, music, only_clip, prediction, tagged, write_clip

if TYPE_CHECKING:
    from support.galleries import Gallery


def tts_webui(folder: Path, **changes: object) -> None:
    audio = music(rate=32000)
    write_clip(folder, "a", metadata("v1", 'a "lo-fi" beat', **changes), audio, ".wav .json")


def replicate(folder: Path, logs: str, channels: int = 1, **given: object) -> None:
    folder.mkdir()
    said = prediction(logs=logs, input={"model_version": "melody", **given})
    (folder / "one.json").write_text(json.dumps(said))
    soundfile.write(folder / "one.wav", music(channels=channels), 32000)


KINDS = {
    "TTS-WebUI": tts_webui,
    "TTS-WebUI, a seed that nobody knows": lambda folder: tts_webui(folder, seed="-1"),
    "TTS-WebUI, a melody": lambda folder: tts_webui(folder, model="melody", melody=DIGEST),
    "TTS-WebUI, greedy": lambda folder: tts_webui(folder, seed=-1, temperature=0),
    "Replicate": lambda folder: replicate(folder, "Using seed 5"),
    "Replicate, without its log": lambda folder: replicate(folder, ""),
}


def site_of(gallery: Gallery) -> dict[str, bytes]:
    """Its pages and data; covers are drawn from what is there to draw from."""
    kinds = (".html", ".xml", ".js", ".mp3", "catalogue.json")
    return {name: data for name, data in gallery.files().items() if name.endswith(kinds)}


def there_and_back(gallery: Gallery, tmp_path: Path) -> Gallery:
    """Another gallery, which has nothing but the MP3s that this one published."""
    assert gallery.run("build", "--engine", "none").code == 0
    other = type(gallery)(tmp_path / "other")
    other.write("gallery.toml", (gallery.root / "gallery.toml").read_text())
    (other.root / "prompts").mkdir()
    (tmp_path / "downloads").mkdir()
    for number, path in enumerate(sorted((gallery.root / "site/audio").glob("*.mp3"))):
        (tmp_path / f"downloads/{number}.mp3").write_bytes(path.read_bytes())
    ran = other.run("import", tmp_path / "downloads")
    assert ran.code == 0, ran.err
    assert other.run("build", "--engine", "none").code == 0
    return other


@pytest.mark.parametrize("kind", KINDS)
def test_a_round_trip_loses_nothing(gallery: Gallery, tmp_path: Path, kind: str) -> None:
    KINDS[kind](tmp_path / "clips")
    ran = gallery.run("import", tmp_path / "clips")
    assert ran.code == 0, ran.err
    other = there_and_back(gallery, tmp_path)
    request, kept = only_clip(gallery)
    again, known = only_clip(other)
    assert again.key == request.key
    assert known["provenance"] == kept["provenance"]
    assert site_of(other) == site_of(gallery)


def test_a_render_of_a_gallery_makes_the_round_trip(gallery: Gallery, tmp_path: Path) -> None:
    matter = ["title: Rain", "prompt: rain", "author: octocat", "license: CC-BY-4.0", "date: 2026-01-02"]
    gallery.prompt("imported/rain", *matter, "duration: 1", notes="Imported from a gallery's MP3.\n")
    render_all(gallery)
    other = there_and_back(gallery, tmp_path)
    (request, kept), (again, known) = only_clip(gallery), only_clip(other)
    assert (again, known["provenance"]) == (request, kept["provenance"])
    assert site_of(other) == site_of(gallery)


def test_what_cannot_be_made_again_is_withheld_and_said(gallery: Gallery, tmp_path: Path) -> None:
    tts_webui(tmp_path / "clips", seed=-1)
    tts_webui(tmp_path / "melody", model="melody", melody=DIGEST)
    gallery.run("import", tmp_path / "clips")
    gallery.run("import", tmp_path / "melody", "--into", "melody")
    gallery.run("build", "--engine", "none")
    [unseeded] = (gallery.root / "site/prompts/imported").rglob("index.html")
    [melodic] = (gallery.root / "site/prompts/melody").rglob("index.html")
    page, other = unseeded.read_text(), melodic.read_text()
    assert "torch" not in page and "torch" not in other
    assert "nobody knows its seed, so nothing makes this clip again." in page
    assert "its melody is known only by the SHA-256 of its samples." in other
    assert "not known" in page and "SHA-256 of the samples of the melody" in other
    for text in (page, other):
        assert "the licence is not known" in text
        assert "NOASSERTION.html" not in text
        assert '"license":"https://creativecommons.org/licenses/by-nc/4.0/"' in text  # the weights'


HOSTILE = {
    "no JSON": "{",
    "no object": "[]",
    "another engine": json.dumps({"engine": "replicate"}),
    "deep": json.dumps({"engine": "musicgen", "note": "x"})[:-1] + ', "x": ' + "[" * 50 + "]" * 50 + "}",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_tags_tell_is_not_trusted(gallery: Gallery, tmp_path: Path, kind: str) -> None:
    (tmp_path / "x.mp3").write_bytes(tagged(provenance=HOSTILE[kind]))
    ran = gallery.run("import", tmp_path / "x.mp3")
    assert ran.code == 3
    assert "x.mp3: " in ran.err


def test_values_of_tags_have_limits(gallery: Gallery, tmp_path: Path) -> None:
    told = {
        "engine": "musicgen",
        "engine_version": "1",
        "note": "\x1b[31m" + "x" * 5000,
        "evil": "<script>",
        "seconds": 1e300,
        "libraries": {f"{n}": "1" for n in range(500)},
        "reproducible": "maybe",
    }
    tags = {
        "provenance": json.dumps(told),
        "license": "../../evil",
        "date": "soon",
        "measured": "[1e999, {}]",
    }
    (tmp_path / "x.mp3").write_bytes(tagged(**tags))
    assert gallery.run("import", tmp_path / "x.mp3").code == 0
    _, kept = only_clip(gallery)
    made = kept["provenance"]
    assert len(made["note"]) == 1000 and made["note"].isprintable()
    assert "evil" not in made and len(made["libraries"]) == 50
    assert kept["preview"]["loudness_before"] is None
    [file] = (gallery.root / "prompts/imported").glob("*.md")
    assert "license: NOASSERTION" in file.read_text() and "date:" not in file.read_text()
    assert gallery.run("build", "--engine", "none").code == 0


def test_sketches_carry_no_making(gallery: Gallery) -> None:
    gallery.prompt("rain", "prompt: rain", "duration: 1")
    gallery.run("build", "--engine", "sketch")
    [sketch] = (gallery.root / ".gallery/sketches").glob("*.mp3")
    assert not {"provenance", "license", "measured"} & read_tags(sketch.read_bytes()).keys()
    assert with_tags(b"x", {}) == b"x"
