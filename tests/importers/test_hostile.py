"""Whatever is in a file: a clip, or one line that names the file."""

from __future__ import annotations

import json
import os
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.config import load_config
from gallery.importers import audio
from gallery.importers.drafts import TrialGallery
from gallery.importers.found import Unusable
from gallery.importers.sources import find_clips
from support.others_clips import (
    embedded,
    metadata,
    music,
    only_clip,
    outside,
    prompts_of,
    refusals,
    write_clip,
)

if TYPE_CHECKING:
    from support.galleries import Gallery


TEXTS = {
    "deep.json": "[" * 100_000,
    "deeper.json": '{"_type": ' + '{"a": ' * 5000 + "1" + "}" * 5001,
    "digits.json": '{"_type": "musicgen", "seed": ' + "9" * 6000 + "}",
    "empty.json": "",
    "null.json": "null",
    "number.json": "1e999",
    "twice.json": '{"seed": 1, "seed": 2}',
    "list.json": "[1, 2]",
    "binary.json": "\x00\x01",
    "other.json": '{"name": "left-pad"}',
    "lines.jsonl": "{}\n{",
    "words.wav": "not audio",
    "words.ogg": "OggS",
    "words.flac": "fLaC",
    "words.mp3": "ID3",
    "empty.ogg": "",
    "empty.mp3": "",
}


def test_every_bad_file_is_named_with_its_reason(gallery: Gallery, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    for number, (name, text) in enumerate(TEXTS.items()):
        (tmp_path / f"clips/{number}{name}").write_text(text)
    lines = refusals(gallery, tmp_path)
    assert len(lines) == len(TEXTS)
    for number, name in enumerate(TEXTS):
        assert any(f"/{number}{name}: " in line for line in lines), name


VALUES: list[Any] = [
    {"text": "<script>alert(1)</script>"},
    {"text": "---\nprompt: evil\n---"},
    {"text": "!!python/object/apply:os.system ['true']"},
    {"text": "../../../etc/passwd"},
    {"text": "&a [*a, *a]"},
    {"text": "yes"},
    {"text": "2023-01-01"},
    {"text": "x: y # z"},
    {"text": "readme"},
    {"text": "con"},
    {"text": "\N{MUSICAL SYMBOL G CLEF}"},
    {"date": "../../x"},
    {"date": {"a": 1}},
    {"hash": ["x"] * 1000},
    {"_audiocraft_version": "\x1b[31m" * 100},
]


def test_odd_but_honest_values_come_as_they_are(gallery: Gallery, tmp_path: Path) -> None:
    for number, changes in enumerate(VALUES):
        data = metadata("v1", **{"text": "plain", "seed": str(number + 1), **changes})
        write_clip(tmp_path / "clips", f"{number}", {**data, "duration": 0.5}, music(0.5), ".wav .json")
    before = outside(tmp_path)
    ran = gallery.run("import", tmp_path / "clips", "--into", "x")
    assert ran.code == 0, ran.err
    assert outside(tmp_path) == before
    assert gallery.run("check", "--strict").code == 0
    said = {prompt.text for prompt in prompts_of(gallery).values()}
    assert said == {changes["text"] for changes in VALUES if "text" in changes} | {"plain"}
    assert "15 clips (15 rendered)" in gallery.run("build", "--engine", "none").out
    assert not list((gallery.root / "prompts").glob("*.md"))
    for page in (gallery.root / "site").rglob("*.html"):
        assert "<script>alert" not in page.read_text()


BAD_VALUES: list[dict[str, Any]] = [
    {"seed": 10**400},
    {"seed": float("inf")},
    {"seed": True},
    {"seed": [1]},
    {"seed": 1.5},
    {"duration": float("nan")},
    {"duration": 1e300},
    {"duration": "1" * 5000},
    {"topk": {"a": 1}},
    {"temperature": -1},
    {"cfg_coef": 99},
    {"text": {"a": 1}},
    {"text": "\ud800"},
    {"text": "nul\0"},
    {"text": "x" * 3_000_000},
    {"model": 7},
    {"model": "a/b/c"},
    {"model": ""},
    {"melody": 7},
    {"_type": ["musicgen"]},
    {"use_multi_band_diffusion": "false"},
]


def test_values_that_are_none_are_told(gallery: Gallery, tmp_path: Path) -> None:
    for number, changes in enumerate(BAD_VALUES):
        data = metadata("v1", **{"text": f"prompt {number}", "prompt": "", **changes})
        write_clip(tmp_path / "clips", f"bad{number:02}", data, music(), ".wav .json")
    lines = refusals(gallery, tmp_path)
    for number, changes in enumerate(BAD_VALUES):
        [line] = [line for line in lines if f"bad{number:02}.json: " in line]
        assert len(line) < 500, str(changes)[:80]
        assert line.isprintable()


def test_audio_has_limits(gallery: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "MAX_SECONDS", 20)
    monkeypatch.setattr(audio, "MAX_BYTES", 8_000_000)
    folder = tmp_path / "clips"
    quiet = np.zeros((50 * 16000, 1), dtype=np.float32)
    write_clip(folder, "long", metadata("v1", duration=50), quiet, ".flac .json", 16000)
    write_clip(folder, "heavy", metadata("v1"), np.zeros((2_100_000, 1), dtype=np.float32), ".wav .json")
    write_clip(folder, "many", metadata("v1"), music(channels=3), ".wav .json")
    write_clip(folder, "slow", metadata("v1"), music(1, 0, 4000), ".wav .json", 4000)
    write_clip(folder, "nan", metadata("v1"), np.full((32000, 1), np.nan, dtype=np.float32), ".wav .json")
    write_clip(folder, "loud", metadata("v1"), np.full((32000, 1), 1e30, dtype=np.float32), ".wav .json")
    write_clip(folder, "none", metadata("v1"), music(0), ".wav .json")
    lines = "\n".join(refusals(gallery, tmp_path))
    for words in (
        "long.json: its audio is longer than 20 s",
        "heavy.json: larger than 8 MB",
        "many.json: its audio has 3 channels",
        "slow.json: its audio has 4000 samples a second",
        "nan.json: its audio holds samples that are no numbers",
        "loud.json: its audio holds samples",
        "none.json: its audio is empty",
    ):
        assert words in lines


def test_a_header_that_promises_the_moon_allocates_nothing(gallery: Gallery, tmp_path: Path) -> None:
    stem = write_clip(tmp_path / "clips", "a", metadata("v1"), music(), ".flac .json")
    path = Path(f"{stem}.flac")
    data = bytearray(path.read_bytes())
    data[21] |= 0x0F  # the total of samples, 36 bits
    data[22:26] = b"\xff\xff\xff\xff"
    path.write_bytes(bytes(data))
    ran = gallery.run("import", tmp_path / "clips")
    assert ran.code in (0, 3)
    assert "Traceback" not in ran.err


def test_files_that_are_none_and_links_are_left(gallery: Gallery, tmp_path: Path) -> None:
    good = write_clip(tmp_path / "good", "a", metadata("v1"), music(), ".wav .json")
    folder = tmp_path / "clips"
    folder.mkdir()
    os.mkfifo(folder / "pipe.ogg")
    (folder / "folder.ogg").mkdir()
    (folder / "link.wav").symlink_to(f"{good}.wav")
    (folder / "loop").symlink_to(folder)
    (folder / ".hidden.ogg").write_text("x")
    [line] = refusals(gallery, tmp_path)
    assert "link.wav: a link" in line


def test_a_name_cannot_steer_a_terminal_or_a_page(gallery: Gallery, tmp_path: Path) -> None:
    name = "\x1b[31m<b>\udcff"
    stem = write_clip(tmp_path / "clips", "a", metadata("v1"), music(), ".wav .json")
    for suffix in (".wav", ".json"):
        Path(f"{stem}{suffix}").rename(stem.with_name(name + suffix))
    ran = gallery.run("import", tmp_path / "clips")
    assert ran.code == 0, ran.err
    assert only_clip(gallery)[1]["provenance"]["file"] == "\ufffd[31m<b>\ufffd.wav"
    (tmp_path / "clips" / "\x1b[2J.json").write_text("{")
    assert "\x1b" not in gallery.run("import", tmp_path / "clips").err


def test_an_unknown_source_is_told(gallery: Gallery, tmp_path: Path) -> None:
    assert gallery.run("import", tmp_path / "none").code == 2
    (tmp_path / "song.aac").write_bytes(b"x")
    ran = gallery.run("import", tmp_path / "song.aac")
    assert ran.code == 3
    assert "song.aac: no clip; accepted: .wav" in ran.err


def test_a_file_cut_anywhere_is_a_clip_or_a_reason(gallery: Gallery, tmp_path: Path) -> None:
    stem = write_clip(tmp_path / "whole", "a", metadata("v1"), music(), ".ogg .flac")
    for suffix in (".ogg", ".flac"):
        data = Path(f"{stem}{suffix}").read_bytes()
        for number, end in enumerate(np.linspace(0, len(data) - 1, 30).astype(int)):
            path = tmp_path / f"clips/{suffix[1:]}{number}{suffix}"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data[:end])
    ran = gallery.run("import", tmp_path / "clips")
    assert ran.code == 3
    assert "Traceback" not in ran.err


def test_bombs_in_tags_are_not_unpacked(gallery: Gallery, tmp_path: Path) -> None:
    deflate = zlib.compressobj(9)
    bomb = b"".join(deflate.compress(bytes(10_000_000)) for _ in range(40)) + deflate.flush()
    frame = b"TXXX" + struct.pack(">I", len(bomb) + 4) + b"\x00\x80" + struct.pack(">I", 400_000_000) + bomb
    tag = b"ID3\x03\x00\x00" + bytes((len(frame) >> shift) & 0x7F for shift in (21, 14, 7, 0)) + frame
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips/a.mp3").write_bytes(tag)
    (tmp_path / "clips/b.ogg").write_bytes(tag)
    (tmp_path / "clips/c.flac").write_bytes(tag)
    lines = refusals(gallery, tmp_path)
    assert len(lines) == 3
    assert "a.mp3: its tags are larger than 300 KB" in lines[0]


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=50)
@given(data=st.data())
def test_any_values_at_all(
    gallery: Gallery, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Metadata with anything for its values: found and made a request, or refused."""
    folder = tmp_path_factory.mktemp("any")
    era = data.draw(st.sampled_from(["v0", "v1", "v2"]))
    base = metadata(era)
    changes = data.draw(st.dictionaries(st.sampled_from(sorted(base)), _ANYTHING, max_size=4))
    (folder / "a.json").write_text(json.dumps({**base, **changes}))
    soundfile.write(folder / "a.wav", np.zeros(100), 32000)
    prediction = {"input": data.draw(_ANYTHING), "status": data.draw(st.just("succeeded") | _ANYTHING)}
    if isinstance(prediction["input"], dict):
        prediction["input"].pop("input_audio", None)
    (folder / "b.json").write_text(json.dumps(prediction))
    config = load_config(gallery.root)
    finds = find_clips(config, [folder], folder)
    assert len(finds.clips) + len(finds.refused) == 2
    trial = TrialGallery(config, folder, "x")
    for clip in finds.clips:
        try:
            assert (
                trial.request(clip).model == "facebook/musicgen-small"
                or clip.provenance.engine == "replicate"
            )
        except Unusable as error:
            assert str(error)
    assert embedded(base)
