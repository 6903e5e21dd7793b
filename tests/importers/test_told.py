"""What is said of what does not come: the true reason, once, with what to do."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import soundfile
from mutagen import id3

from gallery.config import load_config
from support.others_clips import metadata, music, only_clip, tagged, write_clip

if TYPE_CHECKING:
    from support.galleries import Gallery

SHORT = "\n[limits]\nduration = 0.5\n"


def limited(gallery: Gallery) -> None:
    """Clips of the tests last a second, and here only half of one may be rendered."""
    gallery.write("gallery.toml", (gallery.root / "gallery.toml").read_text() + SHORT)


@pytest.mark.parametrize("kind", ["of another tool", "a gallery's MP3"])
def test_audio_that_exists_is_longer_than_a_gpu_may_be_asked_for(
    gallery: Gallery, tmp_path: Path, kind: str
) -> None:
    limited(gallery)
    if kind == "of another tool":
        write_clip(tmp_path / "clips", "a", metadata("v2"), music(), ".wav .json")
    else:
        (tmp_path / "clips").mkdir()
        (tmp_path / "clips/a.mp3").write_bytes(tagged())
    ran = gallery.run("import", tmp_path / "clips")
    assert ran.code == 0, ran.err
    assert gallery.run("check", "--strict").code == 0
    for _ in range(2):
        assert "1 clip (1 rendered); 0 faults" in gallery.run("build", "--engine", "none").out
    # Only there: another one is still not asked of a GPU, nor this one without its record.
    gallery.prompt("other", "prompt: rain", "duration: 1", "seed: 8")
    assert "prompts/other.md:3: duration: 1 s is more than" in gallery.run("check").err
    (gallery.root / "prompts/other.md").unlink()
    [record] = (gallery.root / "site/audio").glob("*.json")
    record.unlink()
    assert "duration: 1 s is more than" in gallery.run("check").err
    assert gallery.run("build", "--engine", "none").code == 1


def test_a_later_import_finds_what_is_longer(gallery: Gallery, tmp_path: Path) -> None:
    limited(gallery)
    write_clip(tmp_path / "clips", "a", metadata("v2"), music(), ".wav .json")
    gallery.run("import", tmp_path / "clips")
    assert gallery.run("import", tmp_path / "clips").out == "0 clips imported, 1 there already, 0 refused\n"


@pytest.mark.parametrize(
    "model",
    [
        "large",
        "facebook/musicgen-stereo-melody",
        "me/musicgen-small",
        "me/MusicGen_Song.v0.2",
        "me/musicgen-é",
    ],
)
def test_advice_on_a_model_is_a_table_that_can_be_added(gallery: Gallery, tmp_path: Path, model: str) -> None:
    for name in ("a", "b"):
        write_clip(tmp_path / "clips", name, metadata("v1", name, model=model), music(), ".wav .json")
    ran = gallery.run("import", tmp_path / "clips")
    assert ran.code == 3
    [advice] = ran.err.split("add to gallery.toml:\n")[1:]
    table = "\n".join(line for line in advice.splitlines() if line.startswith("[models.") or " = " in line)
    before = (gallery.root / "gallery.toml").read_text()
    gallery.write("gallery.toml", f"{before}\n{table}\n")
    assert len(tomllib.loads(f"{before}\n{table}")["models"]) == 5
    load_config(gallery.root)
    again = gallery.run("import", tmp_path / "clips")
    assert again.code == 0, again.err


def test_the_true_reason(gallery: Gallery, tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    write_clip(folder, "alone", None, music(), ".wav")
    write_clip(folder, "codec", metadata("v1", "codec"), music(), ".json")
    soundfile.write(folder / "codec.wav", music()[:, 0], 8000, subtype="ULAW")
    (folder / "cover.mp3").write_bytes(tagged())
    tags = id3.ID3(folder / "cover.mp3")
    tags.add(id3.APIC(encoding=0, mime="image/png", type=3, desc="", data=bytes(400_000)))
    tags.save()
    told = gallery.run("import", folder).err
    assert "alone.wav: has no settings beside it" in told
    assert "codec.json: its audio is U-Law in WAV; accepted: PCM and float in WAV" in told
    assert "cover.mp3: its tags are larger than 300 KB; if somebody added a cover, take it out" in told


def test_files_of_other_kinds_are_counted_and_many_of_one_kind_are_one_line(
    gallery: Gallery, tmp_path: Path
) -> None:
    folder = tmp_path / "clips"
    write_clip(folder, "good", metadata("v1"), music(), ".wav .json")
    for number in range(40):
        (folder / f"{number}.json").write_text(json.dumps({"name": "left-pad"}))
    for name in ("a.png", "b.PNG", "c.npz", "d", "e.\x1b[2J"):
        (folder / name).write_text("x")
    ran = gallery.run("import", folder)
    lines = [line for line in ran.err.splitlines() if line.startswith("refused")]
    assert len(lines) == 1 and lines[0].endswith("(and 39 more like it)")
    assert "1 clip imported, 0 there already, 40 refused" in ran.out
    assert "passed over, of no kind that is imported: 5 files (2 .png, 1 .npz, 1 no ending" in ran.err
    assert "\x1b" not in ran.err
    assert only_clip(gallery)[0].prompt == "lofi beat"
