"""MP3s that a gallery handed out come back as what they were."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from mutagen import id3

from gallery.config import load_config
from gallery.engines import Render
from gallery.engines.provenance import Provenance
from gallery.prompts.folder import read_prompts
from gallery.prompts.request import Request
from gallery.store.lossless import LosslessStore
from support.others_clips import DIGEST, music, only_clip, prompts_of, record, stamps, tagged

if TYPE_CHECKING:
    from support.galleries import Gallery


@pytest.fixture
def other(tmp_path: Path, gallery: Gallery) -> Gallery:
    """Another gallery, with two prompts of three rendered clips, built."""
    made = type(gallery)(tmp_path / "other")
    made.write("gallery.toml", (gallery.root / "gallery.toml").read_text())
    made.prompt(
        "lofi/rain", "title: Rainy window", "prompt: lofi <b>rain</b>, 音", "author: octocat", "duration: 1"
    )
    made.prompt(
        "edm/rise",
        "prompt: edm rise",
        "model: stereo-small",
        "duration: 1",
        "takes:",
        "  - {}",
        "  - {top_p: 0.9}",
    )
    config = load_config(made.root)
    renders = LosslessStore(config.workspace / "renders")
    for prompt in read_prompts(config).prompts:
        for number, clip in enumerate(prompt.clips):
            sound = music(1, number, channels=config.models[clip.model].channels)
            renders.put(Render(clip.request, sound, 32000, Provenance(engine="musicgen", engine_version=1)))
    assert "3 clips (3 rendered)" in made.run("build", "--engine", "none").out
    return made


def downloads(other: Gallery, folder: Path) -> list[Path]:
    folder.mkdir()
    files = []
    for number, path in enumerate(sorted((other.root / "site/audio").glob("*.mp3"))):
        files.append(folder / f"download ({number}).mp3")
        files[-1].write_bytes(path.read_bytes())
    return files


def test_a_perfect_round_trip(gallery: Gallery, other: Gallery, tmp_path: Path) -> None:
    files = downloads(other, tmp_path / "downloads")
    ran = gallery.run("import", *files)
    assert ran.code == 0, ran.err
    assert "3 clips imported" in ran.out
    names = {name for name in other.files("site/audio") if name.endswith(".mp3")}
    for name in names:
        assert gallery.files("site/audio")[name] == other.files("site/audio")[name]
        theirs, ours = (record(each, name.removesuffix(".mp3")) for each in (other, gallery))
        assert ours["request"] == theirs["request"]
        assert ours["engine"] == theirs["engine"]
        assert ours["preview"]["peaks"] == theirs["preview"]["peaks"]
        assert ours["preview"]["settings"] == theirs["preview"]["settings"]
        assert ours["preview"]["loudness_before"] == theirs["preview"]["loudness_before"]
        assert ours["provenance"] == theirs["provenance"]
    by_title = {prompt.title: prompt for prompt in prompts_of(gallery).values()}
    assert by_title.keys() == {"Rainy window", "edm rise"}
    assert by_title["Rainy window"].author == "octocat"
    assert by_title["edm rise"].author == ""
    assert gallery.run("check", "--strict").code == 0
    assert "0 faults, 0 warnings" in gallery.run("build", "--engine", "none").out
    before = stamps(gallery)
    assert gallery.run("import", *files).out == "0 clips imported, 3 there already, 0 refused\n"
    assert "0 files written" in gallery.run("build", "--engine", "none").out
    assert stamps(gallery).items() >= before.items()
    assert gallery.run("store", "verify").out == "3 clips, 0 problems\n"


def test_the_published_folder_can_be_a_source(gallery: Gallery, other: Gallery) -> None:
    ran = gallery.run("import", other.root / "site/audio")
    assert ran.out.endswith("3 clips imported, 0 there already, 0 refused\n")


def test_a_sketch_is_refused(gallery: Gallery, other: Gallery, tmp_path: Path) -> None:
    other.prompt("fx/bell", "prompt: bell", "model: audiogen", "duration: 1")
    other.run("build", "--engine", "sketch")
    [sketch] = (other.root / ".gallery/sketches").glob("*.mp3")
    ran = gallery.run("import", sketch)
    assert ran.code == 3
    assert "a sketch, not made by MusicGen" in ran.err


def test_what_others_put_into_its_tags_stays_outside(gallery: Gallery, tmp_path: Path) -> None:
    path = tmp_path / "rain.mp3"
    path.write_bytes(tagged())
    tag = id3.ID3(path)
    tag.add(id3.APIC(encoding=0, mime="image/png", type=3, desc="", data=b"<script>"))
    tag.add(id3.TXXX(encoding=0, desc="evil", text="<script>"))
    tag.save(path)
    assert gallery.run("import", path).code == 0
    request, _ = only_clip(gallery)
    kept = (gallery.root / f"site/audio/{request.key}.mp3").read_bytes()
    assert b"script" not in kept
    assert set(id3.ID3(BytesIO(kept))) == {"TIT2", "TPE1", "TXXX:engine", "TXXX:request"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"request": "{"}, "cannot be read"),
        ({"request": "[" * 50000}, "cannot be read"),
        ({"request": '{"model": "facebook/musicgen-small", "prompt": "x", "seed": "7"}'}, "cannot be read"),
        ({"request": '{"model": "facebook/musicgen-small", "prompt": "x", "evil": 1}'}, "cannot be read"),
        ({"request": '{"model": "facebook/musicgen-large", "prompt": "x"}'}, "add [models.large]"),
        (
            {"request": '{"model": "facebook/musicgen-small", "prompt": "x", "duration": 50}'},
            "none that a prompt",
        ),
        ({"request": '{"model": "facebook/musicgen-small", "prompt": "x"}'}, "its audio lasts 1.00 s"),
        ({"request": '{"model": "facebook/musicgen-melody", "prompt": "x", "melody": "../../x"}'}, "melody"),
        ({"request": ""}, "has no settings beside it, and none in it"),
        ({"engine": "suno"}, 'made by "suno"'),
        ({"engine": ""}, "no engine that is known"),
    ],
)
def test_tags_are_not_trusted(gallery: Gallery, tmp_path: Path, changes: dict[str, str], reason: str) -> None:
    (tmp_path / "x.mp3").write_bytes(tagged(**changes))
    ran = gallery.run("import", tmp_path / "x.mp3")
    assert ran.code == 3
    assert reason in ran.err


def test_a_title_or_author_that_cannot_be_used_is_left_out(gallery: Gallery, tmp_path: Path) -> None:
    (tmp_path / "x.mp3").write_bytes(tagged(title="x\u202e" * 90, artist="../../evil <b>"))
    assert gallery.run("import", tmp_path / "x.mp3").code == 0
    [prompt] = prompts_of(gallery).values()
    assert (prompt.title, prompt.author) == ("rain", "")


def test_a_melody_comes_back_by_its_digest(gallery: Gallery, tmp_path: Path) -> None:
    request = Request(model="facebook/musicgen-melody", prompt="rain", duration=1, melody=DIGEST)
    (tmp_path / "x.mp3").write_bytes(tagged(request=request.model_dump_json(exclude_none=True)))
    assert gallery.run("import", tmp_path / "x.mp3").code == 0
    assert only_clip(gallery)[0].key == request.key


def test_one_of_another_loudness_is_told_apart(gallery: Gallery, tmp_path: Path) -> None:
    (tmp_path / "x.mp3").write_bytes(tagged())
    gallery.run("import", tmp_path / "x.mp3")
    request, kept = only_clip(gallery)
    assert kept["preview"]["loudness_after"] != pytest.approx(-16, abs=1)
    before = gallery.files("site/audio")
    ran = gallery.run("build", "--engine", "none")
    assert "1 preview of older preview settings" in ran.out
    assert (
        json.loads((gallery.root / "site/catalogue.json").read_text())["prompts"][0]["clips"][0]["key"]
        == request.key
    )
    assert gallery.files("site/audio") == before, "it is encoded anew"


def test_the_audio_is_checked(gallery: Gallery, tmp_path: Path) -> None:
    data = tagged()
    (tmp_path / "cut.mp3").write_bytes(data[: len(data) // 2])
    (tmp_path / "noise.mp3").write_bytes(data[:600] + np.random.default_rng(0).bytes(20000))
    ran = gallery.run("import", tmp_path / "cut.mp3", tmp_path / "noise.mp3")
    assert ran.code == 3
    assert "2 refused" in ran.out
