"""The gallery that ships: built whole, and every clip of it heard by an independent meter."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import imageio_ffmpeg
import pytest

from support import ROOT
from support.galleries import Gallery


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    gallery = Gallery(tmp_path_factory.mktemp("shipped"))
    shutil.copy(ROOT / "gallery.toml", gallery.root)
    for folder in ("prompts", "guides"):
        shutil.copytree(ROOT / folder, gallery.root / folder)
    ran = gallery.run("build", "--engine", "sketch")
    assert ran.code == 0, ran.err
    return gallery


def measure(path: Path) -> tuple[float, float, float]:
    """Seconds, LUFS and dBTP of an MP3 as ffmpeg decodes and meters it."""
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-nostdin",
        "-hide_banner",
        "-nostats",
        "-v",
        "info",
        "-i",
        path,
    ]
    command += ["-af", "ebur128=peak=true:framelog=quiet,ashowinfo", "-f", "null", "-"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    rate = int(re.search(r"(\d+) Hz", told)[1])
    samples = sum(int(count) for count in re.findall(r"nb_samples:(\d+)", told))
    rate = int(re.search(r"rate:(\d+)", told)[1]) if "rate:" in told else rate
    loudness = float(re.findall(r"I:\s+(-?[\d.]+) LUFS", told)[-1])
    peak = float(re.findall(r"Peak:\s+(-?[\d.]+|-inf) dBFS", told)[-1])
    return samples / rate, loudness, peak


def frames(path: Path) -> bytes:
    """An MP3 without its tags."""
    data = path.read_bytes()
    return data[10 + sum(byte << 7 * place for place, byte in zip((3, 2, 1, 0), data[6:10], strict=True)) :]


def test_every_clip_plays_at_its_length_and_at_one_loudness(shipped: Gallery) -> None:
    catalogue = json.loads((shipped.root / "site/catalogue.json").read_text())
    clips = {clip["key"]: clip for entry in catalogue["prompts"] for clip in entry["clips"]}
    assert len(clips) >= 100
    # What is the same but for its tags is heard once.
    paths = {key: shipped.root / "site" / clip["audio"] for key, clip in clips.items()}
    sounds = {key: frames(path) for key, path in paths.items()}
    different = {sound: paths[key] for key, sound in sounds.items()}
    with ThreadPoolExecutor(2) as pool:
        measured = dict(zip(different, pool.map(measure, different.values()), strict=True))
    wrong = {}
    for key, clip in clips.items():
        seconds, loudness, peak = measured[sounds[key]]
        asked = clip["request"]["duration"]
        if abs(seconds - asked) > 0.05 or abs(loudness + 16) > 1.5 or peak > -1:
            wrong[clip["request"]["prompt"]] = (asked, seconds, loudness, peak)
    assert wrong == {}


def test_it_compares_what_can_be_compared(shipped: Gallery) -> None:
    catalogue = json.loads((shipped.root / "site/catalogue.json").read_text())
    varied = {
        axis["field"] for entry in catalogue["prompts"] if entry["grid"] for axis in entry["grid"]["axes"]
    }
    assert varied >= {"cfg_coef", "temperature", "top_k", "top_p", "seed", "model", "prompt"}
    folders = {entry["path"].split("/")[0] for entry in catalogue["prompts"]}
    assert len(folders) >= 12
    assert all(entry["notes"] for entry in catalogue["prompts"])
    fields = {
        kin["field"]
        for entry in catalogue["prompts"]
        for clip in entry["clips"]
        for kin in clip["kin"]
        if kin["prompt"] != entry["path"]
    }
    assert "prompt" in fields, "series across files are found"
