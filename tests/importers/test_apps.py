"""Clips of AudioCraft Plus and audiocraft-webui, and other audio beside TTS-WebUI's JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import soundfile

from gallery.importers.audio import length_of
from gallery.importers.found import Unusable
from gallery.preview.mp3 import encode_mp3
from support.others_clips import (
    metadata,
    music,
    only_clip,
    plus,
    prompts_of,
    write_clip,
    write_m4a,
    write_plus,
)

if TYPE_CHECKING:
    from support.galleries import Gallery


@pytest.mark.parametrize("form", ["a folder", "the audio", "the JSON", "in the WAV"])
def test_audiocraft_plus(gallery: Gallery, tmp_path: Path, form: str) -> None:
    folder = tmp_path / "2023-09-01/music"
    path = write_plus(folder, plus(), beside=form != "in the WAV")
    source = {"a folder": folder, "the JSON": folder / "json/1234567.json"}.get(form, path)
    ran = gallery.run("import", source)
    assert ran.code == 0, ran.err
    request, kept = only_clip(gallery)
    assert (request.prompt, request.seed, request.cfg_coef) == ('it\'s "lo-fi"', 1234567, 3.5)
    told = kept["provenance"]
    assert (told["imported_from"], told["engine_version"]) == ("AudioCraft Plus", "2.0.1")
    assert told["note"] == "stereo, where its model makes mono"
    assert gallery.run("import", source).out == "0 clips imported, 1 there already, 0 refused\n"


@pytest.mark.parametrize("seed", [str(2**48 - 1), "", None])
def test_a_seed_that_is_none_is_not_known_and_kept_in_words(
    gallery: Gallery, tmp_path: Path, seed: str | None
) -> None:
    write_plus(tmp_path / "clips", plus(seed=seed))
    assert gallery.run("import", tmp_path / "clips").code == 0
    request, kept = only_clip(gallery)
    assert request.audio and kept["provenance"]["reproducible"] is False
    assert ("281474976710655" in kept["provenance"]["note"]) == bool(seed)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"texts": "['a', 'b']"}, "has 2 prompts one after the other"),
        ({"texts": "[]"}, "has 0 prompts"),
        ({"texts": "__import__('os').system('true')"}, "no list that can be read"),
        ({"texts": "[" * 5000}, "no list that can be read"),
        ({"texts": "[1]"}, "no list of texts"),
        ({"decoder": "MultiBand_Diffusion"}, 'decoded by "MultiBand_Diffusion"'),
        ({"audio_mode": "melody"}, "follows other audio"),
        ({"generator": "magnet"}, 'made by "magnet"'),
        ({"model": "Custom Model", "custom_model": "mine"}, "a model of its maker's own"),
        ({"topk": "many"}, "not a number"),
    ],
)
def test_what_of_it_cannot_be_taken(
    gallery: Gallery, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    write_plus(tmp_path / "clips", plus(**changes))
    ran = gallery.run("import", tmp_path / "clips")
    assert ran.code == 3
    assert reason in ran.err


def test_audiocraft_webui(gallery: Gallery, tmp_path: Path) -> None:
    parameters = {"top_k": 250, "duration": 1, "cfg_coef": 3.0, "top_p": 0.9, "temperature": 1.0}
    data = {"model": "small", "prompt": "rain", "parameters": parameters}
    write_clip(tmp_path / "clips", "rain", data, music(), ".wav .json")
    ran = gallery.run("import", tmp_path / "clips")
    assert ran.code == 0, ran.err
    request, kept = only_clip(gallery)
    assert (request.prompt, request.top_p) == ("rain", 0.9)
    assert request.audio and kept["provenance"]["note"] == "nobody said what its seed was"


@pytest.mark.parametrize("suffix", [".mp3", ".opus", ".m4a"])
def test_other_audio_beside_the_json_of_tts_webui(gallery: Gallery, tmp_path: Path, suffix: str) -> None:
    stem = write_clip(tmp_path / "clips", "a", metadata("v2"), music(), ".json")
    path = Path(f"{stem}{suffix}")
    if suffix == ".mp3":
        path.write_bytes(encode_mp3(music(), 32000, 2))
    elif suffix == ".m4a":
        write_m4a(path, music())
    else:
        soundfile.write(path, music(rate=48000), 48000, format="OGG", subtype="OPUS")
    ran = gallery.run("import", tmp_path / "clips")
    assert ran.code == 0, ran.err
    assert only_clip(gallery)[1]["provenance"]["file"] == f"a{suffix}"


def test_of_m4a_only_common_codecs_are_decoded(gallery: Gallery, tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    for name, codec in (("aac", "aac"), ("alac", "alac"), ("opus", "libopus"), ("cut", "aac")):
        write_m4a(
            Path(f"{write_clip(folder, name, metadata('v2', name), music(), '.json')}.m4a"), music(), codec
        )
    whole = (folder / "cut.m4a").read_bytes()
    (folder / "cut.m4a").write_bytes(whole[: len(whole) // 2])
    ran = gallery.run("import", folder)
    assert "2 clips imported, 0 there already, 2 refused" in ran.out
    assert "opus.json: its audio is opus in M4A; accepted: AAC and ALAC" in ran.err
    assert "cut.json: its audio cannot be decoded; the file is damaged or not whole" in ran.err
    assert {prompt.text for prompt in prompts_of(gallery).values()} == {"aac", "alac"}


def test_an_m4a_leads_to_no_other_file(tmp_path: Path) -> None:
    """Whatever a file is called: what reads playlists and lists of files is not asked."""
    soundfile.write(tmp_path / "other.wav", music(), 32000)
    for text in ("ffconcat version 1.0\nfile other.wav\n", "#EXTM3U\n#EXTINF:1,\nother.wav\n"):
        hostile = b"\0\0\0\x18ftypM4A \0\0\0\0" + text.encode()
        for data in (hostile, text.encode()):
            (tmp_path / "x.m4a").write_bytes(data)
            with pytest.raises(Unusable, match="cannot be decoded"):
                length_of(tmp_path / "x.m4a")


def test_json_without_a_seed_is_of_one_that_is_not_known(gallery: Gallery, tmp_path: Path) -> None:
    for seed in (None, "absent"):
        data = metadata("v2", f"{seed}", seed=seed)
        write_clip(tmp_path / "clips", f"{seed}", data, music(), ".wav .json")
        if seed:
            del data["seed"]
            (tmp_path / "clips/absent.json").write_text(json.dumps(data))
    assert gallery.run("import", tmp_path / "clips").code == 0
    assert all(clip.request.is_unseeded for prompt in prompts_of(gallery).values() for clip in prompt.clips)
