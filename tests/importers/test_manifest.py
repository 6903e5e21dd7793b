"""Manifests: the way in for audio that has nothing beside it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.others_clips import metadata, music, only_clip, prompts_of, record, write_clip

if TYPE_CHECKING:
    from support.galleries import Gallery


def manifest(folder: Path, text: str, name: str = "clips.csv") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize("form", ["csv", "jsonl", "a folder"])
def test_a_wav_of_a_script_comes_with_what_a_manifest_says(
    gallery: Gallery, tmp_path: Path, form: str
) -> None:
    write_clip(tmp_path / "clips/a", "0", None, music(), ".wav")
    if form == "jsonl":
        row = {"file": "a/0.wav", "prompt": 'a "lo-fi" beat', "model": "small", "seed": 7, "cfg_coef": 4.5}
        path = manifest(tmp_path / "clips", json.dumps(row) + "\n", "clips.jsonl")
    else:
        head = "file,prompt,model,seed,cfg_coef,duration,engine,author,date\n"
        row_text = 'a/0.wav,"a ""lo-fi"" beat",small,7,4.5,,audiocraft,octocat,2026-01-02\n'
        path = manifest(tmp_path / "clips", head + row_text)
    source = tmp_path / "clips" if form == "a folder" else path
    assert "1 clip would come, 0 there already, 0 refused" in gallery.run("import", source, "--dry-run").out
    ran = gallery.run("import", source)
    assert ran.code == 0, ran.err
    request, kept = only_clip(gallery)
    assert request.prompt == 'a "lo-fi" beat'
    assert (request.seed, request.cfg_coef, request.duration, request.audio) == (7, 4.5, 1, None)
    assert "reproducible" not in kept["provenance"]
    assert gallery.run("check", "--strict").code == 0
    assert gallery.run("import", source).out == "0 clips imported, 1 there already, 0 refused\n"


def test_without_a_seed_of_audiocraft_it_is_not_known(gallery: Gallery, tmp_path: Path) -> None:
    rows = ["file,prompt,model,seed,engine"]
    for number, (seed, engine) in enumerate([("", ""), ("7", "transformers"), (str(2**40), ""), ("-1", "")]):
        write_clip(tmp_path / "clips", f"{number}", None, music(1, number), ".wav")
        rows.append(f"{number}.wav,rain,small,{seed},{engine}")
    ran = gallery.run("import", manifest(tmp_path / "clips", "\n".join(rows)))
    assert ran.code == 0, ran.err
    [prompt] = prompts_of(gallery).values()
    assert len({clip.request.audio for clip in prompt.clips} - {None}) == 4
    notes = " ".join(record(gallery, clip.key)["provenance"]["note"] for clip in prompt.clips)
    assert "made with transformers, which makes another sound of the same seed; its seed there was 7" in notes
    assert f"its seed is said to be {2**40}" in notes
    assert "nobody said what its seed was" in notes


def test_a_prompt_alone_beside_the_audio(gallery: Gallery, tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    write_clip(folder, "0", None, music(), ".wav")
    (folder / "0.txt").write_text("warm pads, slow\n")
    ran = gallery.run("import", folder)
    assert ran.code == 3
    assert "0.wav: only its prompt is beside it; say with --model which model made it" in ran.err
    assert "passed over" not in ran.err
    wrong = gallery.run("import", folder, "--model", "me/magnet")
    assert wrong.code == 1 and "is neither MusicGen nor AudioGen; models here: small," in wrong.err
    ran = gallery.run("import", folder, "--model", "small")
    assert ran.code == 0, ran.err
    request, kept = only_clip(gallery)
    assert (request.prompt, request.model) == ("warm pads, slow", "facebook/musicgen-small")
    assert request.is_unseeded and request.duration == 1
    assert "nobody said its seed or its settings" in kept["provenance"]["note"]
    assert gallery.run("check", "--strict").code == 0
    assert "1 there already" in gallery.run("import", folder / "0.wav", "--model", "small").out


def test_the_model_of_rows_that_name_none(gallery: Gallery, tmp_path: Path) -> None:
    write_clip(tmp_path / "clips", "0", None, music(), ".wav")
    write_clip(tmp_path / "clips", "1", None, music(1, 1, 16000), ".wav", 16000)
    path = manifest(tmp_path / "clips", "file,prompt,model\n0.wav,rain,\n1.wav,wind,audiogen-medium\n")
    assert gallery.run("import", path, "--model", "facebook/musicgen-small").code == 0
    models = {prompt.text: prompt.clips[0].request.model for prompt in prompts_of(gallery).values()}
    assert models == {"rain": "facebook/musicgen-small", "wind": "facebook/audiogen-medium"}


def test_clips_of_transformers_have_its_defaults(gallery: Gallery, tmp_path: Path) -> None:
    rows = ["file,prompt,model,temperature,seed,engine"]
    for number, temperature in enumerate(("", "0")):
        write_clip(tmp_path / "clips", f"{number}", None, music(1, number), ".wav")
        rows.append(f"{number}.wav,rain {number},small,{temperature},7,transformers")
    assert gallery.run("import", manifest(tmp_path / "clips", "\n".join(rows))).code == 0
    for prompt in prompts_of(gallery).values():
        [clip] = prompt.clips
        told = record(gallery, clip.key)["provenance"]
        assert clip.request.top_k == 50
        assert told["imported_from"] == "transformers" and told["reproducible"] is False
        assert "its seed there was 7" in told["note"]
    gallery.run("build", "--engine", "none")
    for page in (gallery.root / "site/prompts/imported").rglob("index.html"):
        assert "nothing makes this clip again: made with transformers" in page.read_text()


BAD = {
    "file,prompt,model\n../secret.wav,rain,small\n": "no file in its folder",
    "file,prompt,model\n/etc/passwd,rain,small\n": "no file in its folder",
    "file,prompt,model\nlink.wav,rain,small\n": "there is no such file",
    "file,prompt,model\nnone.wav,rain,small\n": "there is no such file",
    "file,prompt,model\n0.wav,rain,\n": "says no model",
    "file,prompt,model\n0.wav,,small\n": "says no prompt",
    "file,prompt,model\n0.wav,rain,a/magnet\n": "neither MusicGen nor AudioGen",
    "file,prompt,model,seed\n0.wav,rain,small,x\n": 'its seed is "x", not a number',
    "file,prompt,model,bpm\n0.wav,rain,small,80\n": 'has a column "bpm"',
    "name,prompt\n0.wav,rain\n": "no column named file",
    "file,prompt,model\n0.wav,rain,small,more\n": "more cells than there are columns",
    'file,prompt\n"0.wav': "is no CSV that can be read",
    "file,prompt,model\n0.wav,rain,small\n0.wav,wind,small\n": "row 2: 0.wav is another row's, too",
    "file,prompt,model,duration\n0.wav,rain,small,9\n": "its audio lasts 1.00 s",
}


@pytest.mark.parametrize("text", BAD)
def test_a_manifest_is_not_trusted(gallery: Gallery, tmp_path: Path, text: str) -> None:
    write_clip(tmp_path, "secret", None, music(), ".wav")
    write_clip(tmp_path / "clips", "0", None, music(), ".wav")
    (tmp_path / "clips/link.wav").symlink_to(tmp_path / "secret.wav")
    ran = gallery.run("import", manifest(tmp_path / "clips", text))
    assert ran.code == 3
    [line] = [line for line in ran.err.splitlines() if line.startswith("refused")]
    assert BAD[text] in line


def test_one_is_written_to_be_filled_in(gallery: Gallery, tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    write_clip(folder, "known", metadata("v2"), music(), ".wav .json")
    write_clip(folder / "deep", "musicgen_out", None, music(), ".wav")
    (folder / "deep/musicgen_out.txt").write_text("warm pads, slow\n")
    write_clip(folder, "of a model that is none here", metadata("v1", model="large"), music(), ".wav .json")
    before = gallery.files(".")
    ran = gallery.run("import", folder, "--manifest")
    assert "1 row to fill in" in ran.out and gallery.files(".") == before
    with (folder / "clips.csv").open(newline="") as file:
        [row] = csv.DictReader(file)
    said = {name: value for name, value in row.items() if value}
    assert said == {"file": "deep/musicgen_out.wav", "prompt": "warm pads, slow", "duration": "1"}
    assert "its manifest says no model" in gallery.run("import", folder / "clips.csv").err
    again = gallery.run("import", folder, "--manifest")
    assert again.code == 1 and "is there already" in again.err
    text = (folder / "clips.csv").read_text().replace(",1,", ",1,", 1).replace('slow",', 'slow",small', 1)
    (folder / "clips.csv").write_text(text)
    assert "2 clips imported, 0 there already, 1 refused" in gallery.run("import", folder).out
    assert gallery.run("import", folder, "--manifest", "--dry-run").code == 2
