"""What is heard of an imported clip is the clip: its preview is the original times a slow gain.

A preview is as loud as all others and peaks under -1 dBTP. Where a clip's peaks stand far out of
it, one gain cannot do both, and a limiter lowers the peaks; MP3 leaves out what is not heard. So
the preview is held against the original in windows of 20 ms, those with more energy counting more.

GALLERY_CLIPS may name a folder with clips of TTS-WebUI, which are then tested like the others.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from gallery.importers.tts_webui import embedded_metadata
from gallery.preview.limiter import listen, matching_gain
from gallery.preview.measure import STEP
from support.others_clips import RATE, metadata, write_clip

if TYPE_CHECKING:
    from support.galleries import Gallery

Audio = NDArray[np.float64]

WINDOW = 0.020  # seconds

# Of clicks, MP3 of this quality keeps less even where nothing is limited: 0.983 of the typewriter.
CLICKS = {"knocking": 0.985, "writing_on_a_typewri": 0.94}


def decay(seconds: float, at: list[float], fall: float) -> Audio:
    """An envelope that jumps up at some times and falls off again, ``fall`` seconds to a third."""
    time = np.arange(int(seconds * RATE)) / RATE
    hits = [np.where(time >= start, np.exp(-np.maximum(time - start, 0) / fall), 0) for start in at]
    return np.asarray(np.max(hits, axis=0))


def tone(seconds: float, frequency: float) -> Audio:
    return np.asarray(np.sin(2 * np.pi * frequency * np.arange(int(seconds * RATE)) / RATE))


def synthetic() -> dict[str, Audio]:
    """Clips whose loudness is in a few peaks, and one that needs no limiter."""
    random = np.random.default_rng(0)
    beats = list(np.arange(0, 6, 0.75))
    kick = decay(6, beats, 0.08) * tone(6, 55)
    snare = decay(6, [beat + 0.375 for beat in beats], 0.03) * random.standard_normal(6 * RATE) * 0.3
    bell = decay(6, [0.5, 3.5], 0.9) * (tone(6, 440) + 0.5 * tone(6, 1320) + 0.3 * tone(6, 2093))
    pad = 0.05 * (tone(6, 220) + tone(6, 277) + tone(6, 330))
    knocks = list(np.arange(0.1, 6, 0.6))
    click = decay(6, knocks, 0.002) * random.standard_normal(6 * RATE)
    knock = 0.7 * decay(6, knocks, 0.05) * tone(6, 250) + 0.35 * click
    hiss = 0.01 * decay(6, list(np.arange(0, 6, 0.3)), 0.05) * random.standard_normal(6 * RATE)
    return {
        "drums": 0.9 * kick + 0.5 * snare,
        "drums over a pad": 0.9 * kick + pad,
        "bells": 0.4 * bell,
        "knocking": knock + hiss,
        "one loud bar": pad * np.where(np.arange(6 * RATE) // RATE == 3, 12, 1),
        "pad": pad,
    }


def real() -> dict[str, Path]:
    folder = os.environ.get("GALLERY_CLIPS")
    return {path.stem: path for path in sorted(Path(folder).glob("*.ogg"))} if folder else {}


SYNTHETIC, REAL = synthetic(), real()


def alike(one: Audio, other: Audio, rate: int) -> float:
    """The correlation in short windows, weighted by their energy."""
    size = int(WINDOW * rate)
    count = min(len(one), len(other)) // size
    a, b = (audio[: count * size].reshape(count, size) for audio in (one, other))
    energy = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return float((a * b).sum() / energy.sum())


@pytest.mark.parametrize("name", [*SYNTHETIC, *REAL])
def test_a_preview_is_the_original_times_a_slow_gain(gallery: Gallery, tmp_path: Path, name: str) -> None:
    if name in SYNTHETIC:
        audio = SYNTHETIC[name].astype(np.float32)[:, None]
        stem = write_clip(tmp_path, "clip", metadata("v1", duration=6), audio, ".wav .json")
        source = Path(f"{stem}.wav")
    else:
        source = REAL[name]
        model = embedded_metadata(source)["model"].removeprefix("facebook/")
        if model in ("medium", "audiogen-medium"):
            sizes = '\n[models.medium]\nhub = "facebook/musicgen-medium"\nkind = "musicgen"\n'
            gallery.write("gallery.toml", (gallery.root / "gallery.toml").read_text() + sizes)
    ran = gallery.run("import", source)
    assert ran.code == 0, ran.err
    [record] = [json.loads(path.read_text()) for path in (gallery.root / "site/audio").glob("*.json")]
    facts = record["preview"]
    assert facts["loudness_after"] == pytest.approx(-16, abs=1)
    assert facts["true_peak_after"] < -1
    [render] = (gallery.root / ".gallery/renders").glob("*.wav")
    (original, rate), (heard, _) = (
        soundfile.read(path) for path in (render, gallery.root / f"site/audio/{record['key']}.mp3")
    )
    least = next((floor for part, floor in CLICKS.items() if part in name), 0.99)
    assert alike(original, heard, rate) > least


@pytest.mark.parametrize("name", ["drums", "drums over a pad", "knocking"])
def test_the_gain_is_slow(name: str) -> None:
    """Faster than 1.5 dB a millisecond, it would change the shape of a beat, not only its level."""
    gain = matching_gain(listen(SYNTHETIC[name].astype(np.float32)[:, None], RATE), -16, -2)
    assert np.ptp(gain) > 6
    assert np.abs(np.diff(gain)).max() * RATE / STEP < 1500
