"""Clips of TTS-WebUI, of all eras, whole and damaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from gallery.importers.damaged import recover, with_escapes
from gallery.importers.found import Unusable
from gallery.store.lossless import LosslessStore
from support.others_clips import (
    DIGEST,
    embedded,
    metadata,
    music,
    only_clip,
    prompts_of,
    record,
    stamps,
    write_clip,
    write_comment,
)

if TYPE_CHECKING:
    from support.galleries import Gallery


@pytest.mark.parametrize("suffixes", [".wav .flac .ogg .json", ".ogg", ".flac", ".wav .json"])
@pytest.mark.parametrize(
    ("era", "seed", "date"),
    [
        ("v0", 789789789, "2023-06-11T15:44:04"),
        ("v1", 2669896887, "2023-06-13T20:28:19"),
        ("v2", 42, "2026-11-22T10:49:37"),
    ],
)
def test_every_era_comes_with_its_exact_parameters(
    gallery: Gallery, tmp_path: Path, era: str, seed: int, date: str, suffixes: str
) -> None:
    data = metadata(era, "café, 90 bpm", topk=100, temperature=0.85, cfg_coef=4.5, duration=0.6)
    audio = music(0.6)
    write_clip(tmp_path / "outputs/x", "2026__musicgen__None", data, audio, suffixes)
    ran = gallery.run("import", tmp_path / "outputs")
    assert ran.code == 0, ran.err
    assert "1 clip imported, 0 there already, 0 refused" in ran.out
    request, kept = only_clip(gallery)
    assert request.model_dump() == {
        "model": "facebook/musicgen-small",
        "prompt": "café, 90 bpm",
        "duration": 0.6,
        "seed": seed,
        "temperature": 0.85,
        "top_k": 100,
        "top_p": 0,
        "cfg_coef": 4.5,
        "extend_stride": None,
        "melody": None,
        "audio": None,
    }
    assert kept["engine"] == "musicgen"
    assert kept["provenance"]["imported_from"] == "TTS-WebUI"
    assert kept["provenance"]["date"] == date
    assert kept["provenance"]["engine_version"] == {"v0": "", "v1": "1.0.0", "v2": "1.3.0"}[era]
    assert "reproducible" not in kept["provenance"]
    best = suffixes.split()[0]
    assert kept["provenance"]["file"] == f"2026__musicgen__None{best}"
    render = LosslessStore(gallery.root / ".gallery/renders").get(request.key)
    original, rate = soundfile.read(
        tmp_path / f"outputs/x/2026__musicgen__None{best}", dtype="float32", always_2d=True
    )
    assert render is not None
    assert render.sample_rate == rate
    assert np.array_equal(render.audio, original)
    assert gallery.run("check", "--strict").code == 0


def family(folder: Path) -> None:
    """Clips that differ from each other in one thing each."""
    takes: list[tuple[str, dict[str, Any]]] = [
        ("80bpm drums", {}),
        ("90bpm drums", {}),
        ("funk, disco", {}),
        ("funk, disco", {"cfg_coef": 10}),
        ("funk, disco", {"temperature": 0.85}),
        ("funk, disco", {"model": "facebook/audiogen-medium"}),
        ("dubstep", {}),
        ("dubstep, wav", {}),
    ]
    for index, (text, changes) in enumerate(takes):
        rate = 16000 if "model" in changes else 32000
        data = metadata("v1", text, date=f"2023-06-1{index}_10-00-00", **changes)
        write_clip(folder, f"clip{index}", data, music(1, index, rate), ".ogg", rate)


def test_the_site_shows_what_was_imported(gallery: Gallery, tmp_path: Path) -> None:
    family(tmp_path / "clips")
    assert gallery.run("import", tmp_path / "clips", "--into", "funk/old").code == 0
    text = (gallery.root / "prompts/funk/old/funk-disco.md").read_text()
    assert (
        "\ntakes:\n  - {}\n  - {cfg_coef: 10}\n  - {temperature: 0.85}\n  - {model: audiogen}\n---\n" in text
    )
    assert "date: 2023-06-12\n" in text
    assert gallery.run("check", "--strict").code == 0
    assert "4 prompts" in gallery.run("check").out or "5 prompts" in gallery.run("check").out
    ran = gallery.run("build", "--engine", "none")
    assert "8 clips (8 rendered)" in ran.out
    catalogue = json.loads((gallery.root / "site/catalogue.json").read_text())
    entries = {entry["path"]: entry for entry in catalogue["prompts"]}
    kin = {
        path: [(kin["field"], kin["value"]) for clip in entry["clips"] for kin in clip["kin"]]
        for path, entry in entries.items()
    }
    assert ("prompt", "90bpm drums") in kin["funk/old/80bpm-drums"]
    assert ("prompt", "dubstep, wav") in kin["funk/old/dubstep"]
    assert {("cfg_coef", 10), ("temperature", 0.85)} <= set(kin["funk/old/funk-disco"])
    for entry in entries.values():
        page = (gallery.root / f"site/prompts/{entry['path']}/index.html").read_text()
        for clip in entry["clips"]:
            assert clip["state"] == "render"
            assert "2669896887" in page
            kept = record(gallery, clip["key"])
            assert kept["preview"]["loudness_after"] == pytest.approx(-16, abs=0.5)
            heard, _ = soundfile.read(gallery.root / "site" / clip["audio"])
            original, _ = soundfile.read(tmp_path / "clips" / kept["provenance"]["file"])
            assert np.corrcoef(heard, original)[0, 1] > 0.99


def test_a_second_import_adds_nothing(gallery: Gallery, tmp_path: Path) -> None:
    family(tmp_path / "clips")
    gallery.run("import", tmp_path / "clips")
    gallery.run("build", "--engine", "none")
    before = stamps(gallery)
    ran = gallery.run("import", tmp_path / "clips", "--into", "elsewhere")
    assert ran.code == 0
    assert ran.out == "0 clips imported, 8 there already, 0 refused\n"
    gallery.run("build", "--engine", "none")
    assert stamps(gallery) == before


def test_a_dry_run_tells_and_writes_nothing(gallery: Gallery, tmp_path: Path) -> None:
    family(tmp_path / "clips")
    write_clip(tmp_path / "clips", "bad", metadata("v1", duration=9), music(), ".ogg")
    before = stamps(gallery)
    ran = gallery.run("import", tmp_path / "clips", "--dry-run")
    assert stamps(gallery) == before
    assert not (gallery.root / ".gallery").exists()
    assert "would write prompts/imported/funk-disco.md" in ran.out
    assert "8 clips would come, 0 there already, 1 refused" in ran.out
    assert "bad.ogg: its audio lasts 1.00 s where its metadata says 9 s" in ran.err


def test_what_comes_later_leaves_hand_made_edits_alone(gallery: Gallery, tmp_path: Path) -> None:
    write_clip(tmp_path / "clips", "a", metadata("v1", "rain"), music(), ".ogg")
    gallery.run("import", tmp_path / "clips")
    file = gallery.root / "prompts/imported/rain.md"
    edited = file.read_text().replace("license: NOASSERTION", "title: Rain\ntags: [calm]\nlicense: MIT")
    file.write_text(edited)
    write_clip(tmp_path / "clips", "b", metadata("v1", "rain", cfg_coef=5), music(), ".ogg")
    ran = gallery.run("import", tmp_path / "clips")
    assert "wrote prompts/imported/rain-2.md\n1 clip imported, 1 there already" in ran.out
    assert file.read_text() == edited
    assert len(prompts_of(gallery)["imported/rain-2"].clips) == 1


def test_a_clip_that_a_prompt_asks_for_needs_no_file(gallery: Gallery, tmp_path: Path) -> None:
    gallery.prompt("lofi/beat", "prompt: lofi beat", "duration: 1", "seed: 42")
    write_clip(tmp_path / "clips", "a", metadata("v2"), music(), ".wav .json")
    ran = gallery.run("import", tmp_path / "clips")
    assert ran.out == "1 clip imported, 0 there already, 0 refused\n"
    assert "1 clip (1 rendered)" in gallery.run("build", "--engine", "none").out


def test_a_prompt_file_that_was_lost_comes_again(gallery: Gallery, tmp_path: Path) -> None:
    write_clip(tmp_path / "clips", "a", metadata("v2"), music(), ".wav .json")
    gallery.run("import", tmp_path / "clips")
    before = gallery.files("site/audio")
    (gallery.root / "prompts/imported/lofi-beat.md").unlink()
    assert (
        "wrote prompts/imported/lofi-beat.md\n1 clip imported"
        in gallery.run("import", tmp_path / "clips").out
    )
    assert gallery.files("site/audio") == before


def test_broken_prompt_files_stop_an_import(gallery: Gallery, tmp_path: Path) -> None:
    gallery.prompt("lofi/beat", "prompt:")
    write_clip(tmp_path / "clips", "a", metadata("v2"), music(), ".wav .json")
    ran = gallery.run("import", tmp_path / "clips")
    assert ran.code == 1
    assert "mend these first" in ran.err
    assert "prompts/lofi/beat.md:2" in ran.err


def test_more_clips_than_a_prompt_may_have_go_into_two_files(gallery: Gallery, tmp_path: Path) -> None:
    gallery.write(
        "gallery.toml", (gallery.root / "gallery.toml").read_text() + "\n[limits]\nclips_per_prompt = 2\n"
    )
    for seed in range(1, 4):
        write_clip(tmp_path / "clips", f"{seed}", metadata("v1", "rain", seed=str(seed)), music(), ".ogg")
    assert gallery.run("import", tmp_path / "clips").code == 0
    assert [len(prompt.clips) for prompt in prompts_of(gallery).values()] == [1, 2] or [
        len(prompt.clips) for prompt in prompts_of(gallery).values()
    ] == [2, 1]


QUOTED = 'a "lo-fi" beat'


@pytest.mark.parametrize("era", ["v0", "v1", "v2"])
def test_a_prompt_that_broke_its_metadata_is_recovered(gallery: Gallery, tmp_path: Path, era: str) -> None:
    write_clip(tmp_path / "clips", "a", metadata(era, QUOTED), music(), ".ogg")
    ran = gallery.run("import", tmp_path / "clips")
    assert ran.code == 0, ran.err
    request, _ = only_clip(gallery)
    assert request.prompt == QUOTED
    assert request.seed == {"v0": 789789789, "v1": 2669896887, "v2": 42}[era]


def test_the_sidecar_is_preferred_and_a_damaged_one_is_not_needed(gallery: Gallery, tmp_path: Path) -> None:
    first = write_clip(tmp_path / "clips", "a", metadata("v1", "two\nlines"), music(), ".ogg .json")
    assert "twonlines" in embedded(metadata("v1", "two\nlines"))
    second = write_clip(tmp_path / "clips", "b", metadata("v2", "whole"), music(), ".ogg .json")
    Path(f"{second}.json").write_text('{"text": "who')
    ran = gallery.run("import", f"{first}.ogg", f"{second}.json")
    assert ran.code == 0, ran.err
    assert {prompt.text for prompt in prompts_of(gallery).values()} == {"two\nlines", "whole"}


@pytest.mark.parametrize(
    ("lost", "whole"),
    [
        ("cafu00e9", "café"),
        ("u30edu30fcu30d5u30a1u30a4", "ローファイ"),
        ("ud83cudfb8 solo", "\N{GUITAR} solo"),
        ("uacbduae30", "경기"),
        ("a uface and a ubeef", "a uface and a ubeef"),
        ("u0041 stays, ud83c too", "u0041 stays, ud83c too"),
    ],
)
def test_escapes_without_their_backslash_are_read(lost: str, whole: str) -> None:
    assert with_escapes(lost) == whole


@pytest.mark.parametrize(
    "text",
    [
        '", "melody": null, "model": "small", "x": "',
        'a", "text": "b',
        '"',
        '"prompt": "x", "text": "y", "melody": null',
        'ends with "',
    ],
)
def test_a_prompt_is_recovered_word_for_word_or_not_at_all(text: str) -> None:
    for era in ("v0", "v1", "v2"):
        try:
            found = recover(embedded(metadata(era, text)))
        except Unusable as error:
            assert "put its .json beside it" in str(error)
        else:
            assert found["text"] == text.replace("\\", "")
            assert found["seed"] == metadata(era)["seed"]


@pytest.mark.parametrize("text", [QUOTED, r"AC\DC", "Akai u2400", "café", 'ends with "x"', r'a \ and "b"'])
@pytest.mark.parametrize("form", ["as it is", "escaped once more", "doubled throughout"])
def test_words_of_a_current_file_come_as_they_are(
    gallery: Gallery, tmp_path: Path, text: str, form: str
) -> None:
    said = text.replace("\\", "\\\\").replace('"', '\\"') if form == "escaped once more" else text
    comment = json.dumps(metadata("v2", said), ensure_ascii=False)
    if form == "doubled throughout":
        comment = comment.replace("\\", "\\\\")
    write_clip(tmp_path / "clips", "a", None, music(), ".flac", comment=comment)
    ran = gallery.run("import", tmp_path / "clips")
    assert ran.code == 0, ran.err
    assert only_clip(gallery)[0].prompt == text


# What TTS-WebUI does to a prompt before ffmpeg unescapes it: of old only to what it calls `prompt`, today
# once for an OGG and, where that was written first, once more for the FLAC.
def escaped(text: str, times: int) -> str:
    for _ in range(times):
        text = text.replace('"', '\\"').replace("\n", "\\\n")
    return text


@pytest.mark.parametrize(
    ("era", "times", "suffix"),
    [("v1", 0, ".ogg"), ("v1", 0, ".flac"), ("v2", 1, ".ogg"), ("v2", 1, ".flac"), ("v2", 2, ".flac")],
)
@pytest.mark.parametrize("text", ["two\nlines", 'a "b"\nand "c"', "one n\nand two", "café"])
def test_line_breaks_and_quotes_of_each_era(
    gallery: Gallery, tmp_path: Path, era: str, times: int, suffix: str, text: str
) -> None:
    data = metadata(era, escaped(text, times))
    if era == "v1":
        data["prompt"] = escaped(text, 1)
    path = tmp_path / f"clips/a{suffix}"
    path.parent.mkdir()
    write_comment(path, music(), json.dumps(data, ensure_ascii=era == "v1"))
    ran = gallery.run("import", tmp_path / "clips")
    assert ran.code == 0, ran.err
    assert only_clip(gallery)[0].prompt == text


@pytest.mark.parametrize("seed", [2**32, "18446744073709551615", -7])
def test_seeds_that_are_none_here_are_kept_in_words(
    gallery: Gallery, tmp_path: Path, seed: int | str
) -> None:
    write_clip(tmp_path / "clips", "a", metadata("v1", seed=seed), music(), ".wav .json")
    assert gallery.run("import", tmp_path / "clips").code == 0
    request, kept = only_clip(gallery)
    assert request.is_unseeded
    assert f"its seed is said to be {seed}," in kept["provenance"]["note"]


def test_a_melody_beside_a_model_that_takes_none_was_ignored(gallery: Gallery, tmp_path: Path) -> None:
    write_clip(tmp_path / "clips", "a", metadata("v1", melody=DIGEST), music(), ".wav .json")
    assert gallery.run("import", tmp_path / "clips").code == 0
    request, kept = only_clip(gallery)
    assert request.melody is None
    assert "ignored: its model takes none" in kept["provenance"]["note"]
    assert "reproducible" not in kept["provenance"]


@pytest.mark.parametrize(
    ("model", "channels", "note"),
    [
        ("small", 2, "stereo, where its model makes mono"),
        ("facebook/musicgen-stereo-small", 1, "mono, where its model makes stereo"),
        ("facebook/musicgen-stereo-small", 2, None),
    ],
)
def test_other_channels_than_the_models_are_noted(
    gallery: Gallery, tmp_path: Path, model: str, channels: int, note: str | None
) -> None:
    audio = music(channels=channels)
    write_clip(tmp_path / "clips", "a", metadata("v1", model=model), audio, ".wav .json")
    assert gallery.run("import", tmp_path / "clips").code == 0
    assert only_clip(gallery)[1]["provenance"].get("note") == note


def test_damage_beyond_recovery_is_told(gallery: Gallery, tmp_path: Path) -> None:
    comment = embedded(metadata("v1", QUOTED))[:300]
    write_clip(tmp_path / "clips", "a", None, music(), ".ogg", comment=comment)
    ran = gallery.run("import", tmp_path / "clips")
    assert ran.code == 3
    assert "a.ogg: its embedded metadata is damaged beyond recovery" in ran.err


@pytest.mark.parametrize("seed", [0, "-1"])
def test_a_random_seed_is_recorded_as_what_cannot_be_reproduced(
    gallery: Gallery, tmp_path: Path, seed: int | str
) -> None:
    write_clip(tmp_path / "clips", "a", metadata("v1", seed=seed), music(), ".wav .ogg .json")
    other = metadata("v1", seed=seed, hash="cd" * 32, date="2024-01-01_00-00-00")
    write_clip(tmp_path / "clips", "b", other, music(1, 1), ".ogg")
    ran = gallery.run("import", tmp_path / "clips")
    assert ran.code == 0, ran.err
    [prompt] = prompts_of(gallery).values()
    assert [clip.request.audio for clip in prompt.clips] == [DIGEST, "cd" * 32]
    for clip in prompt.clips:
        kept = record(gallery, clip.key)
        assert kept["provenance"]["reproducible"] is False
        assert "random seed" in kept["provenance"]["note"]
    text = (gallery.root / "prompts/imported/lofi-beat.md").read_text()
    assert "cannot be made again" in text
    assert "seed:" not in text
    assert gallery.run("check", "--strict").code == 0
    before = stamps(gallery)
    assert gallery.run("import", tmp_path / "clips").out == "0 clips imported, 2 there already, 0 refused\n"
    assert stamps(gallery) == before
    # The honest seed 0 is another clip.
    write_clip(tmp_path / "honest", "c", metadata("v1", seed=1), music(1, 2), ".wav .json")
    gallery.prompt("zero", "prompt: lofi beat", "duration: 1", "seed: 0")
    assert len({clip.key for each in prompts_of(gallery).values() for clip in each.clips}) == 3
    # What is lost is not asked of any engine.
    (gallery.root / f"site/audio/{prompt.clips[0].key}.json").unlink()
    shutil.rmtree(gallery.root / ".gallery")
    ran = gallery.run("build", "--dry-run")
    assert "to render                1 clips" in ran.out
    ran = gallery.run("build", "--engine", "sketch")
    assert "imported/lofi-beat.md: audio: the clip is not in the store, and nobody knows its seed" in ran.err
    assert "3 clips (1 rendered, 1 sketched, 1 lost)" in ran.out
    page = (gallery.root / "site/prompts/imported/lofi-beat/index.html").read_text()
    assert "<b>Lost:</b> the clip is not here, and nobody knows its seed" in page
    assert "not rendered yet" not in page.lower()


def test_at_temperature_0_no_seed_is_missed(gallery: Gallery, tmp_path: Path) -> None:
    write_clip(tmp_path / "clips", "a", metadata("v1", seed="-1", temperature=0), music(), ".ogg")
    gallery.run("import", tmp_path / "clips")
    assert "reproducible" not in only_clip(gallery)[1]["provenance"]


def test_a_melody_is_known_by_its_digest_alone(gallery: Gallery, tmp_path: Path) -> None:
    write_clip(tmp_path / "clips", "a", metadata("v1", model="melody", melody=DIGEST), music(), ".ogg")
    write_clip(tmp_path / "clips", "b", metadata("v1", model="melody"), music(), ".ogg")
    ran = gallery.run("import", tmp_path / "clips")
    assert ran.code == 0, ran.err
    [prompt] = prompts_of(gallery).values()
    assert [clip.request.melody for clip in prompt.clips] == [DIGEST, None]
    assert f"melody: 'sha256:{DIGEST}'" in (gallery.root / prompt.file).read_text()
    kept = record(gallery, prompt.clips[0].key)
    assert kept["provenance"]["reproducible"] is False
    assert "known only by the SHA-256 of its samples" in kept["provenance"]["note"]
    assert "2 clips (2 rendered)" in gallery.run("build", "--engine", "none").out


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"use_multi_band_diffusion": True}, "multi-band diffusion"),
        ({"_type": "bark"}, "made by bark, not by MusicGen"),
        (
            {"model": "facebook/musicgen-stereo-melody"},
            'add [models.stereo-melody] with hub = "facebook/musicgen-stereo-melody" '
            'and kind = "melody" and channels = 2',
        ),
        ({"model": "large"}, 'add [models.large] with hub = "facebook/musicgen-large" and kind = "musicgen"'),
        ({"model": "facebook/magnet-small-10secs"}, "neither MusicGen nor AudioGen"),
        ({"model": "../../etc/passwd"}, "is none of the Hugging Face hub"),
        ({"melody": "exists", "model": "melody"}, "is no SHA-256"),
        ({"duration": 200}, "its audio lasts 1.00 s where its metadata says 200 s"),
        ({"topk": 5000}, "top_k: 5000 is out of range, 0 to 2048"),
        ({"topk": None}, "its metadata has no topk"),
        ({"seed": "2**70"}, "its seed is"),
        ({"text": "", "prompt": ""}, "prompt: is empty"),
        ({"text": "x" * 2001}, "prompt: is 2001 characters long"),
        ({"text": "bad \u202e char"}, "prompt: holds the invisible character U+202E"),
    ],
)
def test_what_cannot_be_taken_is_told_with_its_reason(
    gallery: Gallery, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    write_clip(tmp_path / "clips", "good", metadata("v1", "good"), music(), ".ogg")
    write_clip(tmp_path / "clips", "bad", metadata("v1", **changes), music(), ".wav .json")
    ran = gallery.run("import", tmp_path / "clips")
    assert ran.code == 3
    assert "1 clip imported, 0 there already, 1 refused" in ran.out
    [line] = [line for line in ran.err.splitlines() if line.startswith("refused")]
    assert "bad.json: " in line
    assert reason in line


def test_audio_of_another_length_is_not_what_was_asked_for(gallery: Gallery, tmp_path: Path) -> None:
    stem = write_clip(tmp_path / "clips", "a", metadata("v1"), music(), ".wav .ogg .json")
    data = Path(f"{stem}.wav").read_bytes()
    Path(f"{stem}.wav").write_bytes(data[: len(data) // 2])
    write_clip(tmp_path / "clips", "b", metadata("v1", "cut", duration=3), music(), ".wav .json")
    ran = gallery.run("import", tmp_path / "clips")
    assert "b.json: its audio lasts 1.00 s where its metadata says 3 s" in ran.err
    request, kept = only_clip(gallery)
    assert request.prompt == "lofi beat"
    assert kept["provenance"]["file"] == "a.ogg"


def test_a_wrong_sample_rate_on_the_label_is_put_right(gallery: Gallery, tmp_path: Path) -> None:
    write_clip(tmp_path / "clips", "a", metadata("v1"), music(), ".wav .json", rate=24000)
    gallery.run("import", tmp_path / "clips")
    request, kept = only_clip(gallery)
    render = LosslessStore(gallery.root / ".gallery/renders").get(request.key)
    assert render is not None
    assert render.sample_rate == 32000
    assert kept["preview"]["duration"] == pytest.approx(1, abs=0.01)
    assert kept["provenance"]["note"] == "labelled 24000 Hz; its samples are of 32000 Hz"


def test_long_clips_get_the_stride_that_made_them(gallery: Gallery, tmp_path: Path) -> None:
    data = metadata("v1", "rain", model="facebook/audiogen-medium", duration=11)
    write_clip(tmp_path / "clips", "a", data, music(11, 0, 16000), ".ogg", 16000)
    assert gallery.run("import", tmp_path / "clips").code == 0
    assert only_clip(gallery)[0].extend_stride == 2


@pytest.mark.parametrize("into", ["../out", "/tmp/out", "a/../../b", ".", "UPPER", "con", "", "link"])
def test_prompt_files_go_nowhere_else(gallery: Gallery, tmp_path: Path, into: str) -> None:
    (tmp_path / "out").mkdir()
    (gallery.root / "prompts/link").symlink_to(tmp_path / "out")
    write_clip(tmp_path / "clips", "a", metadata("v2"), music(), ".wav .json")
    before = sorted(gallery.root.rglob("*.md"))
    ran = gallery.run("import", tmp_path / "clips", "--into", into)
    assert ran.code != 0
    assert sorted(gallery.root.rglob("*.md")) == before
    assert not list((tmp_path / "out").iterdir())
