"""What nobody can make again is lost once its audio is gone: it waits for no engine, and has no stand-in."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING

import pytest
import soundfile

from support.galleries import catalogue
from support.others_clips import DIGEST, metadata, music, only_clip, prediction, record, write_clip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gallery.prompts.request import Request
    from support.galleries import Gallery


def melody(folder: Path) -> None:
    write_clip(folder, "a", metadata("v1", "rain", model="melody", melody=DIGEST), music(), ".wav .json")


def greedy(folder: Path, engine: str = "transformers") -> None:
    row = {"file": "a.wav", "prompt": "rain", "model": "small", "temperature": 0, "engine": engine}
    write_clip(folder, "a", None, music(), ".wav")
    (folder / "clips.jsonl").write_text(json.dumps(row))


def greedy_of_audiocraft(folder: Path) -> None:
    greedy(folder, "audiocraft")


def greedy_of_replicate(folder: Path) -> None:
    given = {"model_version": "melody", "prompt": "rain", "temperature": 0}
    write_clip(folder, "one", prediction(logs="", input=given), music(), ".wav .json")


def unguided(folder: Path) -> None:
    data = metadata("v1", "rain", model="melody", melody=DIGEST, cfg_coef=0)
    write_clip(folder, "a", data, music(), ".wav .json")


def brought_and_gone(gallery: Gallery, folder: Path, write: Callable[[Path], None]) -> Request:
    """An imported clip whose audio and record are gone, as are its lossless samples."""
    write(folder)
    ran = gallery.run("import", folder)
    assert ran.code == 0, ran.err
    request, _ = only_clip(gallery)
    shutil.rmtree(gallery.root / "site")
    shutil.rmtree(gallery.root / ".gallery")
    return request


LOST = {
    "engine": (greedy, "audio", "another engine than audiocraft made it"),
    "melody": (melody, "melody", "its melody is known only by a digest"),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", LOST)
def test_what_nobody_can_make_again_is_lost(gallery: Gallery, tmp_path: Path, kind: str) -> None:
    write, field, why = LOST[kind]
    brought_and_gone(gallery, tmp_path / "clips", write)
    told = f"prompts/imported/rain.md: {field}: the clip is not in the store, and {why}: bring it back"
    for command in (["--dry-run"], ["--dry-run", "--engine", "replicate"]):
        ran = gallery.run("build", *command)
        assert told in ran.err and "to render                0 clips" in ran.out
        assert "failed" not in ran.err
    assert gallery.run("build", "--dry-run", "--strict").code == 1
    # An engine is not asked, and there is no sketch.
    ran = gallery.run("build", "--engine", "sketch")
    assert ran.code == 0 and told in ran.err
    assert "1 prompt, 1 clip (1 lost); 0 faults, 1 warning" in ran.out
    [clip] = catalogue(gallery)["imported/rain"]["clips"]
    assert (clip["state"], clip["irreproducible"]) == ("lost", why)
    page = (gallery.root / "site/prompts/imported/rain/index.html").read_text()
    assert f"<b>Lost:</b> the clip is not here, and {why}, so it can't be made again." in page
    assert f"nothing makes this clip again: {why}." in page
    assert "torch" not in page and "not rendered yet" not in page.lower()
    assert ("SHA-256 of the melody, its file or its samples, that" in page) == (kind == "melody")
    before = gallery.files()
    ran = gallery.run("build", "--engine", "sketch", "--strict")
    assert (ran.code, gallery.files()) == (1, before) and "nothing built; 0 faults, 1 warning" in ran.out
    # Its audio brings it back.
    assert gallery.run("import", tmp_path / "clips").code == 0
    assert "1 clip (1 rendered); 0 faults, 0 warnings" in gallery.run("build", "--engine", "none").out


@pytest.mark.parametrize("write", [greedy_of_audiocraft, greedy_of_replicate, unguided])
def test_what_audiocraft_can_make_is_pending(
    gallery: Gallery, tmp_path: Path, write: Callable[[Path], None]
) -> None:
    """Replicate's meta/musicgen is audiocraft. Without guidance no melody is followed."""
    brought_and_gone(gallery, tmp_path / "clips", write)
    assert "to render                1 clips" in gallery.run("build", "--dry-run", "--strict").out
    assert "1 clip (1 pending); 0 faults, 0 warnings" in gallery.run("build", "--engine", "none").out
    page = (gallery.root / "site/prompts/imported/rain/index.html").read_text()
    assert "nothing makes this clip again" not in page


def test_a_melody_whose_file_is_here_is_no_loss(gallery: Gallery) -> None:
    """Wherever it is named; as soon as it is, and as long as it is."""
    gallery.write("prompts/own/tune.wav", b"")
    soundfile.write(gallery.root / "prompts/own/tune.wav", music(), 32000)
    digest = hashlib.sha256((gallery.root / "prompts/own/tune.wav").read_bytes()).hexdigest()
    fields = ["prompt: rain", "model: melody", "duration: 1"]
    gallery.prompt("imported/rain", *fields, f"melody: sha256:{digest}")
    page = gallery.root / "site/prompts/imported/rain/index.html"
    assert "1 clip (1 lost)" in gallery.run("build", "--engine", "sketch").out
    assert "<b>Lost:</b>" in page.read_text()
    gallery.prompt("own/wind", *fields, "cfg_coef: 4", "melody: tune.wav")
    assert "2 clips (2 sketched); 0 faults, 0 warnings" in gallery.run("build", "--engine", "sketch").out
    assert "generate_with_chroma" in page.read_text()
    (gallery.root / "prompts/own/wind.md").unlink()
    assert "1 clip (1 lost)" in gallery.run("build", "--engine", "sketch").out
    assert "<b>Lost:</b>" in page.read_text() and "generate_with_chroma" not in page.read_text()


def test_a_greedy_clip_of_another_engine_stands_beside_audiocrafts(gallery: Gallery, tmp_path: Path) -> None:
    """The two are two sounds of the same words: neither takes the place of the other, nor is its kin."""
    greedy(tmp_path / "other")
    greedy_of_audiocraft(tmp_path / "own")
    for name in ("other", "own"):
        write_clip(tmp_path / name, "a", None, music(1, len(name)), ".wav")
        assert gallery.run("import", tmp_path / name, "--into", name).code == 0
    assert gallery.run("build", "--engine", "none").code == 0
    other, own = (catalogue(gallery)[f"{name}/rain"]["clips"][0] for name in ("other", "own"))
    assert other["key"] != own["key"] and not other["kin"] and not own["kin"]
    assert record(gallery, other["key"])["provenance"]["reproducible"] is False
    assert "made with transformers" in other["irreproducible"] and "irreproducible" not in own
    page = (gallery.root / "site/prompts/other/rain/index.html").read_text()
    assert "seed: not known" not in page and "since another engine made it" in page
    text = (gallery.root / "prompts/other/rain.md").read_text()
    assert "seed:" not in text and "another engine made the clip" in text


def test_a_greedy_clip_that_came_under_the_key_of_audiocrafts_stays(gallery: Gallery, tmp_path: Path) -> None:
    greedy_of_audiocraft(tmp_path / "clips")
    assert gallery.run("import", tmp_path / "clips").code == 0
    request, kept = only_clip(gallery)
    path = gallery.root / f"site/audio/{request.key}.json"
    kept["provenance"] |= {"reproducible": False, "imported_from": "transformers"}
    path.write_text(json.dumps(kept))
    greedy(tmp_path / "clips")
    assert gallery.run("import", tmp_path / "clips").out == "0 clips imported, 1 there already, 0 refused\n"
