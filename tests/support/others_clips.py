"""Clips as other tools leave them: synthetic audio, their metadata, and what an import makes of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import soundfile
from mutagen import id3, wave
from numpy.typing import NDArray

from gallery.config import load_config
from gallery.preview.mp3 import encode_mp3, find_ffmpeg, with_tags
from gallery.prompts.folder import read_prompts
from gallery.prompts.prompt import Prompt
from gallery.prompts.request import Request
from support.galleries import Gallery

RATE = 32000
DIGEST = "ab" * 32


def music(seconds: float = 1, seed: int = 0, rate: int = RATE, channels: int = 1) -> NDArray[np.float32]:
    """A chord over a little noise, [samples, channels], far from clipping."""
    time = np.arange(round(seconds * rate)) / rate
    random = np.random.default_rng(seed)
    tones = sum(0.1 * np.sin(2 * np.pi * (110 + 37 * seed) * ratio * time) for ratio in (1, 1.25, 1.5, 2))
    noise = 0.003 * random.standard_normal((len(time), channels))
    return (np.asarray(tones)[:, None] + noise).astype(np.float32)


def metadata(era: str, text: str = "lofi beat", **changes: Any) -> dict[str, Any]:
    """What TTS-WebUI writes in an era, in its order; ``changes`` by its names."""
    parameters = {
        "text": text,
        "melody": None,
        "model_name" if era == "v2" else "model": "facebook/musicgen-small" if era == "v2" else "small",
        "duration": 1,
        "topk": 250,
        "topp": 0,
        "temperature": 1,
        "cfg_coef": 3,
    }
    made: dict[str, Any]
    if era == "v0":
        made = {
            "_version": "0.0.1",
            "_hash_version": "0.0.2",
            "_type": "musicgen",
            "models": {},
            "prompt": text,
            "language": None,
            "speaker_id": None,
            "hash": None,
            "history_prompt": None,
            "history_hash": "6adf97f83acf6453d4a6a4b1070f3754",
            "text_temp": None,
            "date": "2023-06-11_15-44-04",
            "seed": 789789789,
            **parameters,
        }
    elif era == "v1":
        made = {
            "_version": "0.0.1",
            "_hash_version": "0.0.3",
            "_type": "musicgen",
            "_audiocraft_version": "1.0.0",
            "models": {},
            "prompt": text,
            "hash": DIGEST,
            "date": "2023-06-13_20-28-19",
            **parameters,
            "seed": "2669896887",
            "use_multi_band_diffusion": False,
        }
    else:
        made = {
            "_version": "0.0.1",
            "_audiocraft_version": "1.3.0",
            **parameters,
            "seed": "42",
            "use_multi_band_diffusion": False,
            "outputs": None,
            "models": {},
            "hash": DIGEST,
            "date": "2026-11-22 10:49:37.264718",
            "_hash_version": "0.0.3",
        }
    assert changes.keys() <= made.keys(), "a name of another era"
    return {**made, **changes}


def embedded(data: dict[str, Any]) -> str:
    """Metadata as it arrives in an audio file: without backslashes, and today without ``\\u`` escapes."""
    return json.dumps(data, ensure_ascii="_type" in data).replace("\\", "")


def write_clip(
    folder: Path,
    name: str,
    data: dict[str, Any] | None,
    audio: NDArray[np.float32],
    suffixes: str = ".wav .flac .ogg .json",
    rate: int = RATE,
    comment: str | None = None,
) -> Path:
    """Write a clip's files; returns the path that they share, without a suffix."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / name
    for suffix in suffixes.split():
        path = Path(f"{stem}{suffix}")
        if suffix == ".json":
            path.write_text(json.dumps(data, indent=2))
        elif suffix == ".wav":
            soundfile.write(path, audio, rate, subtype="FLOAT")
        else:
            soundfile.write(path, np.clip(audio, -1, 1), rate)
            tags = mutagen.File(path)
            tags["description"] = comment if comment is not None else embedded(data or {})
            tags.save()
    return stem


def plus(**changes: Any) -> dict[str, Any]:
    """What AudioCraft Plus writes: all values are text."""
    return {
        "global_prompt": "",
        "bpm": "none",
        "key": "none",
        "scale": "none",
        "texts": "['it\\'s \"lo-fi\"']",
        "duration": "1",
        "overlap": "12",
        "seed": "1234567",
        "audio_mode": "text",
        "input_length": "none",
        "channel": "stereo",
        "sr_select": "48000",
        "model": "small",
        "custom_model": "none",
        "decoder": "Default",
        "topk": "250",
        "topp": "0",
        "temperature": "1.0",
        "cfg_coef": "3.5",
        "generator": "musicgen",
        "version": "2.0.1",
        **changes,
    }


def write_plus(folder: Path, data: dict[str, Any], *, beside: bool = True) -> Path:
    """As it lies there: the audio made stereo at 48 kHz, the JSON in another folder or in the WAV."""
    for name in ("wav", "json"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    path = folder / "wav/1234567.wav"
    soundfile.write(path, music(rate=48000).repeat(2, axis=1), 48000)
    if beside:
        (folder / "json/1234567.json").write_text(json.dumps(data))
    else:
        file = wave.WAVE(path)
        file.add_tags()
        file.tags.add(id3.COMM(encoding=3, lang="eng", desc="", text=json.dumps(data)))
        file.save()
    return path


def write_m4a(path: Path, audio: NDArray[np.float32], codec: str = "aac", rate: int = RATE) -> None:
    soundfile.write(wav := path.with_suffix(".tmp"), audio, rate, format="WAV")
    options = ["-codec:a", codec, "-strict", "-2", "-f", "mp4"]
    command = [find_ffmpeg(), "-loglevel", "error", "-i", f"file:{wav}", *options, f"file:{path}"]
    subprocess.run(command, check=True)
    wav.unlink()


def write_comment(path: Path, audio: NDArray[np.float32], comment: str) -> None:
    """OGG or FLAC as TTS-WebUI writes it: ffmpeg reads the comment from a file, unescaping what it finds."""
    soundfile.write(wav := path.with_suffix(".tmp"), audio, RATE, format="WAV")
    words = path.with_suffix(".ini")
    words.write_text(f";FFMETADATA1\ncomment={comment}")
    inputs = ["-i", f"file:{wav}", "-i", f"file:{words}", "-map_metadata", "1", "-map", "0"]
    subprocess.run([find_ffmpeg(), "-loglevel", "error", *inputs, f"file:{path}"], check=True)
    wav.unlink()
    words.unlink()


def prompts_of(gallery: Gallery) -> dict[str, Prompt]:
    """A gallery's prompts by path; all are in order."""
    reading = read_prompts(load_config(gallery.root))
    assert not reading.faults
    return {prompt.path: prompt for prompt in reading.prompts}


def record(gallery: Gallery, key: str) -> dict[str, Any]:
    return json.loads((gallery.root / f"site/audio/{key}.json").read_text())


def only_clip(gallery: Gallery) -> tuple[Any, dict[str, Any]]:
    """The request and the record of a gallery's only clip."""
    [prompt] = prompts_of(gallery).values()
    [clip] = prompt.clips
    return clip.request, record(gallery, clip.key)


def stamps(gallery: Gallery) -> dict[Path, int]:
    """When each file was last written, but for what builds write down of one another."""
    files = (path for path in gallery.root.rglob("*") if path.is_file())
    return {path: path.stat().st_mtime_ns for path in files if not path.match(".gallery/*.*")}


def outside(tmp_path: Path) -> set[Path]:
    """Everything that is not in the gallery."""
    return {path for path in tmp_path.rglob("*") if "gallery" not in path.relative_to(tmp_path).parts}


def refusals(gallery: Gallery, tmp_path: Path) -> list[str]:
    """The lines that an import of tmp_path/clips prints, one a file."""
    before = outside(tmp_path)
    ran = gallery.run("import", tmp_path / "clips")
    assert outside(tmp_path) == before
    assert ran.code == 3
    return [line for line in ran.err.splitlines() if line.startswith("refused: ")]


def tagged(**changes: str) -> bytes:
    request = Request(model="facebook/musicgen-small", prompt="rain", duration=1, seed=7)
    tags = {
        "title": "Rain",
        "artist": "musicgen",
        "engine": "musicgen",
        "request": request.model_dump_json(exclude_none=True),
        **changes,
    }
    return with_tags(encode_mp3(music(), 32000, 2), tags)


def prediction(**changes: Any) -> dict[str, Any]:
    given = {
        "prompt": "epic drums",
        "model_version": "stereo-large",
        "duration": 1,
        "classifier_free_guidance": 5,
        "temperature": 0.9,
        "normalization_strategy": "peak",
        "seed": -1,
        **changes.pop("input", {}),
    }
    return {
        "id": "gm3qorzdhgbfurvjtvhg6dckhu",
        "model": "meta/musicgen",
        "version": "671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb",
        "input": {name: value for name, value in given.items() if value != "absent"},
        "logs": "Using seed 1234567\nloading\n",
        "output": "https://replicate.invalid/out.wav",
        "error": None,
        "status": "succeeded",
        "created_at": "2026-11-20T10:00:00.000000Z",
        "completed_at": "2026-11-20T10:00:41.183201Z",
        "metrics": {"predict_time": 40.1},
        **changes,
    }
