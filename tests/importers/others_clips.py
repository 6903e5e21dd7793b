"""Clips as other tools leave them: synthetic audio, their metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import soundfile
from numpy.typing import NDArray

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
    """Metadata as it arrives in an audio file: without backslashes."""
    return json.dumps(data).replace("\\", "")


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
