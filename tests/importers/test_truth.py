"""What an import says is so: what came is in the store, and one request has one sound."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from gallery.importers.audio import Sound, is_alike
from gallery.store.clips import Store
from support.others_clips import RATE, metadata, music, prompts_of, tagged, write_clip

if TYPE_CHECKING:
    from support.galleries import Gallery


@pytest.fixture
def source(tmp_path: Path) -> Path:
    write_clip(tmp_path / "clips", "a", metadata("v2"), music(), ".wav .json")
    return tmp_path / "clips"


def in_store(gallery: Gallery) -> set[str]:
    assert gallery.run("store", "verify").out.endswith(" 0 problems\n")
    return {path.stem for path in (gallery.root / "site/audio").glob("*.json")}


@pytest.mark.parametrize("asked", [True, False])
def test_after_an_import_that_was_killed_the_next_one_brings_the_audio(
    gallery: Gallery, source: Path, asked: bool
) -> None:
    """Killed between the lossless render and the store, a prompt asking for the clip or not."""
    gallery.run("import", source)
    [prompt] = prompts_of(gallery).values()
    [clip] = prompt.clips
    before = gallery.files("site/audio")
    shutil.rmtree(gallery.root / "site/audio")
    if not asked:
        (gallery.root / prompt.file).unlink()
    ran = gallery.run("import", source)
    assert ran.code == 0, ran.err
    assert ran.out.endswith("1 clip imported, 0 there already, 0 refused\n")
    assert in_store(gallery) == {clip.key}
    assert gallery.files("site/audio") == before
    assert gallery.run("import", source).out == "0 clips imported, 1 there already, 0 refused\n"


@pytest.mark.parametrize("asked", [True, False])
def test_what_could_not_be_kept_is_refused_with_its_twins(
    gallery: Gallery, source: Path, monkeypatch: pytest.MonkeyPatch, asked: bool
) -> None:
    if asked:
        gallery.prompt("lofi/beat", "prompt: lofi beat", "duration: 1", "seed: 42")
    write_clip(source, "b", metadata("v2"), music(), ".flac .json")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as broken:
        broken.setattr(Store, "put", full)
        ran = gallery.run("import", source)
    assert ran.code == 3
    assert ran.out == "0 clips imported, 0 there already, 2 refused\n"
    assert [line.split(": ")[1].rpartition("/")[2] for line in ran.err.splitlines() if "refused" in line] == [
        "a.json",
        "b.json",
    ]
    assert "No space left on device" in ran.err
    assert not (gallery.root / "prompts/imported").exists()
    ran = gallery.run("import", source)
    assert ran.out.endswith("1 clip imported, 1 there already, 0 refused\n")
    assert len(in_store(gallery)) == 1


@pytest.mark.parametrize(
    "before", ["in the same import", "in the store", "lossless alone", "without lossless"]
)
def test_a_second_sound_of_one_request_is_named_and_the_first_stays(
    gallery: Gallery, source: Path, before: str
) -> None:
    if before != "in the same import":
        gallery.run("import", source)
    if before == "lossless alone":
        shutil.rmtree(gallery.root / "site/audio")
    if before == "without lossless":
        shutil.rmtree(gallery.root / ".gallery")
    write_clip(source, "b", metadata("v2"), music(seed=1), ".wav .json")
    ran = gallery.run("import", source)
    assert ran.code == 3
    assert (
        f"{source}/b.json: another sound than a.wav, which has the same request, came first and stays"
        in ran.err
    )
    assert ran.out.endswith(" 1 refused\n")
    [key] = in_store(gallery)
    heard, _ = soundfile.read(gallery.root / f"site/audio/{key}.mp3")
    assert np.corrcoef(heard, music()[:, 0])[0, 1] > 0.99


def test_a_render_of_this_gallery_is_named_too(gallery: Gallery, source: Path) -> None:
    from support.galleries import render_all

    gallery.prompt("lofi/beat", "prompt: lofi beat", "duration: 1", "seed: 42")
    render_all(gallery)
    ran = gallery.run("import", source)
    assert "a.json: another sound than the clip in the store, which has the same request" in ran.err
    assert ran.code == 3


@pytest.mark.parametrize("lossless", [True, False])
def test_one_sound_in_other_files_is_there_already(gallery: Gallery, source: Path, lossless: bool) -> None:
    gallery.run("import", source)
    if not lossless:
        shutil.rmtree(gallery.root / ".gallery")
    before = gallery.files("site/audio")
    others = source.parent / "others"
    write_clip(others, "later", metadata("v2"), 0.5 * music(), ".ogg")
    key = next(iter(in_store(gallery)))
    shutil.copy(gallery.root / f"site/audio/{key}.mp3", others / "download.mp3")
    ran = gallery.run("import", others)
    assert ran.code == 0, ran.err
    assert ran.out == "0 clips imported, 2 there already, 0 refused\n"
    assert gallery.files("site/audio") == before


@pytest.mark.parametrize("what", ["record", "later", "audio", "missing"])
def test_what_is_damaged_in_the_store_is_not_there_already(gallery: Gallery, source: Path, what: str) -> None:
    gallery.run("import", source)
    shutil.rmtree(gallery.root / ".gallery")
    [key] = in_store(gallery)
    before = gallery.files("site/audio")
    record, audio = (gallery.root / f"site/audio/{key}{suffix}" for suffix in (".json", ".mp3"))
    if what == "record":
        record.write_bytes(before[record.name][:100])
    elif what == "later":
        record.write_text(json.dumps({**json.loads(record.read_text()), "version": 2}))
    elif what == "audio":
        audio.write_bytes(before[audio.name][:-1] + b"x")
    else:
        audio.unlink()
    damaged = gallery.files("site/audio")
    # Another file is put in no one's place.
    write_clip(source.parent / "others", "b", metadata("v2"), music(seed=1), ".wav .json")
    ran = gallery.run("import", source.parent / "others")
    assert ran.code == 3
    assert "b.json: its clip " in ran.err
    assert "damaged" in ran.err and "; see `gallery store verify`" in ran.err
    assert gallery.files("site/audio") == damaged
    ran = gallery.run("import", source)
    if what in ("record", "later"):
        assert ran.code == 3
        assert gallery.files("site/audio") == damaged
    else:  # the very file that it came from mends it
        assert ran.out.endswith("1 clip imported, 0 there already, 0 refused\n")
        assert gallery.files("site/audio") == before


def test_a_gallerys_mp3_takes_no_lossless_renders_place(gallery: Gallery, tmp_path: Path) -> None:
    (tmp_path / "x.mp3").write_bytes(tagged())
    gallery.run("import", tmp_path / "x.mp3")
    [key] = in_store(gallery)
    shutil.rmtree(gallery.root / "site/audio")
    write_clip(tmp_path / "clips", "a", metadata("v2", "rain", seed="7"), music(), ".wav .json")
    gallery.run("import", tmp_path / "clips")
    shutil.rmtree(gallery.root / "site/audio")
    assert gallery.run("import", tmp_path / "x.mp3").code == 0
    assert json.loads((gallery.root / f"site/audio/{key}.json").read_text())["provenance"]["file"] == "a.wav"


def sound(audio: Any, rate: int = RATE) -> Sound:
    return Sound(np.asarray(audio, np.float32), rate, "")


def test_what_is_alike() -> None:
    silence = np.zeros((RATE, 1))
    shifted = np.concatenate([np.zeros((1105, 1)), music()])[:RATE]
    assert is_alike(sound(music()), sound(0.1 * music()))
    assert is_alike(sound(music()), sound(shifted))
    assert is_alike(sound(music(channels=2)), sound(music()))
    assert is_alike(sound(music(rate=48000), 48000), sound(music()))
    assert is_alike(sound(silence), sound(silence))
    assert not is_alike(sound(silence), sound(music()))
    assert not is_alike(sound(music()), sound(music(seed=1)))
    assert not is_alike(sound(music()), sound(-music()))
