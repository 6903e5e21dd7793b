"""A clip of every kind, through its own MP3: the same key, the same knowledge, the same page."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gallery.preview import read_tags
from gallery.preview.mp3 import with_tags
from support.galleries import render_all
from support.others_clips import (
    DIGEST,
    metadata,
    music,
    only_clip,
    plus,
    prediction,
    prompts_of,
    record,
    tagged,
    write_clip,
    write_m4a,
    write_plus,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.galleries import Gallery


def tts_webui(folder: Path, words: str, **changes: object) -> None:
    write_clip(folder, "a", metadata("v1", words, **changes), music(), ".wav .json")


def sounds(folder: Path, words: str) -> None:
    data = metadata("v1", words, model="facebook/audiogen-medium")
    write_clip(folder, "a", data, music(rate=16000), ".ogg", 16000)


def m4a(folder: Path, words: str) -> None:
    write_m4a(Path(f"{write_clip(folder, 'a', metadata('v2', words), music(), '.json')}.m4a"), music())


def replicate(folder: Path, words: str, logs: str) -> None:
    said = prediction(logs=logs, input={"model_version": "melody", "prompt": words})
    write_clip(folder, "one", said, music(), ".wav .json")


def audiocraft_plus(folder: Path, words: str) -> None:
    write_plus(folder, plus(texts=repr([words]), seed=str(2**47)))


def audiocraft_webui(folder: Path, words: str) -> None:
    parameters = {"top_k": 250, "duration": 1, "cfg_coef": 3.0, "top_p": 0.9, "temperature": 1.0}
    said = {"model": "small", "prompt": words, "parameters": parameters}
    write_clip(folder, "rain", said, music(), ".wav .json")


def manifest(folder: Path, words: str, channels: int = 1, seconds: float = 1, **row: object) -> None:
    write_clip(folder, "0", None, music(seconds, channels=channels), ".wav")
    said = {"file": "0.wav", "prompt": words, "model": "small", "seed": 7, **row}
    (folder / "clips.jsonl").write_text(json.dumps(said))


def prompt_alone(folder: Path, words: str) -> None:
    write_clip(folder, "0", None, music(), ".wav")
    (folder / "0.txt").write_text(f"{words},\ntwo lines")


STEREO = "facebook/musicgen-stereo-small"

KINDS: dict[str, Callable[[Path, str], None]] = {
    'TTS-WebUI, "lo-fi"': tts_webui,
    "TTS-WebUI, a seed that nobody knows": partial(tts_webui, seed="-1"),
    "TTS-WebUI, a seed that is none here": partial(tts_webui, seed=2**40),
    "TTS-WebUI, a melody": partial(tts_webui, model="melody", melody=DIGEST),
    "TTS-WebUI, greedy": partial(tts_webui, seed=-1, temperature=0),
    "TTS-WebUI, AudioGen": sounds,
    "TTS-WebUI, M4A": m4a,
    "Replicate": partial(replicate, logs="Using seed 5"),
    "Replicate, without its log": partial(replicate, logs=""),
    "AudioCraft Plus": audiocraft_plus,
    "audiocraft-webui": audiocraft_webui,
    "a manifest": partial(manifest, cfg_coef=4.5, date="2026-01-02", title="Rain", author="octocat"),
    "a manifest, its licence": partial(manifest, license="CC-BY-4.0"),
    "a manifest, stereo": partial(manifest, channels=2, model=STEREO),
    "a manifest, no guidance": partial(manifest, cfg_coef=0),
    "a manifest, longer than the window": partial(manifest, seconds=31, extend_stride=10),
    "a manifest, transformers": partial(manifest, engine="transformers"),
    "a prompt alone": prompt_alone,
}


def site_of(gallery: Gallery) -> dict[str, bytes]:
    """Its pages and data; covers are drawn from what is there to draw from."""
    kinds = (".html", ".xml", ".js", ".mp3", "catalogue.json")
    return {name: data for name, data in gallery.files().items() if name.endswith(kinds)}


def there_and_back(gallery: Gallery, tmp_path: Path) -> Gallery:
    """Another gallery, which has nothing but the MP3s that this one published."""
    assert gallery.run("build", "--engine", "none").code == 0
    other = type(gallery)(tmp_path / "other").begin()
    other.write("gallery.toml", (gallery.root / "gallery.toml").read_text())
    (tmp_path / "downloads").mkdir()
    for number, path in enumerate(sorted((gallery.root / "site/audio").glob("*.mp3"))):
        (tmp_path / f"downloads/{number}.mp3").write_bytes(path.read_bytes())
    ran = other.run("import", tmp_path / "downloads")
    assert ran.code == 0, ran.err
    assert other.run("build", "--engine", "none").code == 0
    return other


@pytest.mark.slow
def test_a_round_trip_loses_nothing(gallery: Gallery, tmp_path: Path) -> None:
    for number, (words, write) in enumerate(KINDS.items()):
        write(tmp_path / f"clips/{number}", words)
    ran = gallery.run("import", tmp_path / "clips", "--model", "small")
    assert f"{len(KINDS)} clips imported, 0 there already, 0 refused" in ran.out, ran.err
    other = there_and_back(gallery, tmp_path)
    assert known(other) == known(gallery)
    assert site_of(other) == site_of(gallery)


def known(gallery: Gallery) -> dict[str, Any]:
    """What a gallery knows of each clip's making, by what it asks for."""
    clips = [clip for prompt in prompts_of(gallery).values() for clip in prompt.clips]
    return {f"{clip.key} {clip.request}": record(gallery, clip.key)["provenance"] for clip in clips}


def test_a_render_of_a_gallery_makes_the_round_trip(gallery: Gallery, tmp_path: Path) -> None:
    matter = ["title: Rain", "prompt: rain", "author: octocat", "license: CC-BY-4.0", "date: 2026-01-02"]
    gallery.prompt("imported/rain", *matter, "duration: 1", notes="Imported from a gallery's MP3.\n")
    render_all(gallery)
    other = there_and_back(gallery, tmp_path)
    assert known(other) == known(gallery)
    assert site_of(other) == site_of(gallery)


def test_what_cannot_be_made_again_is_withheld_and_said(gallery: Gallery, tmp_path: Path) -> None:
    tts_webui(tmp_path / "clips", "rain", seed=-1)
    tts_webui(tmp_path / "melody", "rain", model="melody", melody=DIGEST)
    gallery.run("import", tmp_path / "clips")
    gallery.run("import", tmp_path / "melody", "--into", "melody")
    gallery.run("build", "--engine", "none")
    [unseeded] = (gallery.root / "site/prompts/imported").rglob("index.html")
    [melodic] = (gallery.root / "site/prompts/melody").rglob("index.html")
    page, other = unseeded.read_text(), melodic.read_text()
    assert "torch" not in page and "torch" not in other
    assert "nothing makes this clip again: made with a random seed that was not kept." in page
    assert "its melody is known only by the SHA-256 of its samples." in other
    assert "seed: not known" in page and "SHA-256 of the samples of the melody" in other
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
