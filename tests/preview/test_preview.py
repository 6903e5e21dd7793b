"""Previews, with the real encoder; what they sound like is measured by ffmpeg, not by our own meters."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import gallery.config
from gallery.config import PreviewSettings
from gallery.errors import GalleryError
from gallery.preview import make_preview, mp3, picture, read_tags
from gallery.preview.limiter import LIMITERS, limiting_gain, listen, with_gain
from gallery.preview.measure import decibels, loudness, true_peak

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Audio = NDArray[np.float32]

RATE = 32_000
SETTINGS = PreviewSettings()


def mono(samples: Any) -> Audio:
    return np.asarray(samples, dtype=np.float32)[:, None]


def sine(frequency: float, seconds: float, amplitude: float = 0.5, rate: int = RATE) -> Audio:
    return mono(amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate))


def noise(
    seconds: float, amplitude: float = 0.1, rate: int = RATE, channels: int = 1, seed: int = 0
) -> Audio:
    shape = (round(seconds * rate), channels)
    return (amplitude * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def footsteps(seconds: float) -> Audio:
    """Sparse transients: peaks 22 dB over the loudness, over a quiet room."""
    audio = noise(seconds, 0.003)
    step = noise(0.1, 0.3, seed=1) * np.exp(-np.arange(3200) / 700)[:, None].astype(np.float32)
    for start in range(0, len(audio) - len(step), RATE // 2):
        audio[start : start + len(step)] += step
    return audio


def clicks(seconds: float) -> Audio:
    audio = np.zeros((round(seconds * RATE), 1), dtype=np.float32)
    audio[::RATE] = 0.9
    return audio


def ffmpeg(folder: Path, data: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    path = folder / "clip.mp3"
    path.write_bytes(data)
    command = [mp3.find_ffmpeg(), "-nostdin", "-hide_banner", "-i", str(path), *arguments]
    return subprocess.run(command, capture_output=True, check=True, stdin=subprocess.DEVNULL)


def ebur128(folder: Path, data: bytes) -> tuple[float, float]:
    """Integrated loudness in LUFS and true peak in dBTP, as ffmpeg measures them."""
    said = ffmpeg(folder, data, "-af", "ebur128=peak=true", "-f", "null", "-").stderr.decode()
    summary = said[said.rindex("Summary:") :]
    found = [re.search(pattern, summary) for pattern in (r"I:\s+(\S+) LUFS", r"Peak:\s+(\S+) dBFS")]
    return float(found[0][1]), float(found[1][1])  # type: ignore[index]


def rms_decibels(audio: Audio) -> float:
    return decibels(float(np.sqrt(np.square(audio, dtype=np.float64).mean())))


def make(audio: Audio, rate: int = RATE, **fields: Any) -> gallery.preview.Preview:
    return make_preview(audio, rate, PreviewSettings(**fields), {})


# What it plays


@pytest.mark.parametrize(
    ("seconds", "rate", "channels"),
    [
        (1.5, 16_000, 1),
        (1.5, 24_000, 1),
        (1.5, 32_000, 1),
        (1.5, 32_000, 2),
        (0.3, 32_000, 1),
        (10, 32_000, 1),
    ],
)
def test_length_rate_and_channels_are_the_clips_own(tmp_path, seconds, rate, channels):
    preview = make(noise(seconds, rate=rate, channels=channels), rate)
    decoded = ffmpeg(tmp_path, preview.mp3, "-f", "f32le", "-")
    samples = len(decoded.stdout) / 4 / channels
    assert samples == pytest.approx(seconds * rate, abs=2)
    assert preview.duration == pytest.approx(seconds, abs=1e-3)
    assert f"{rate} Hz, {('mono', 'stereo')[channels - 1]}" in decoded.stderr.decode()


@pytest.mark.parametrize(("rate", "becomes"), [(44_100, 44_100), (20_000, 22_050), (96_000, 48_000)])
def test_other_sample_rates_keep_their_length(rate, becomes):
    preview = make(sine(440, 1, rate=rate), rate)
    decoded, found = mp3.decode_mp3(preview.mp3)
    assert found == becomes
    assert len(decoded) / found == preview.duration == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize("samples", [1, 31, 199])
def test_a_few_samples_are_a_clip_too(samples):
    preview = make(np.full((samples, 1), 0.25, dtype=np.float32))
    assert preview.duration == pytest.approx(samples / RATE, abs=0.05)
    assert len(preview.peaks) == 200
    assert preview.loudness_before is None


HARD_CLIPS: dict[str, Callable[[], tuple[Audio, int]]] = {
    "sparse transients": lambda: (footsteps(4), RATE),
    "clipped noise": lambda: (np.clip(noise(3, 3), -1, 1), RATE),
    "clipped stereo at 16 kHz": lambda: (np.clip(noise(3, 3, 16_000, 2), -1, 1), 16_000),
    "very quiet": lambda: (noise(3, 10 ** (-47.2 / 20)), RATE),
    "over full scale": lambda: (sine(441, 3, 1.8), RATE),
    "high crest": lambda: (noise(3, 0.02) + sine(70, 3, 1.2) ** 31, RATE),
    "half silent": lambda: (np.concatenate([np.zeros((RATE * 2, 1), np.float32), noise(2, 0.2)]), RATE),
    "half a second": lambda: (noise(0.5, 0.3), RATE),
}


@pytest.mark.parametrize("name", HARD_CLIPS)
def test_loudness_and_true_peak_as_others_measure_them(tmp_path, name):
    audio, rate = HARD_CLIPS[name]()
    preview = make(audio, rate)
    found_loudness, found_peak = ebur128(tmp_path, preview.mp3)
    assert found_loudness == pytest.approx(-16, abs=1.5)
    assert found_peak <= -1
    assert preview.loudness_after == pytest.approx(found_loudness, abs=0.3)
    assert preview.true_peak_after == pytest.approx(found_peak, abs=0.3)
    assert preview.loudness_before == pytest.approx(loudness(audio, rate))
    assert preview.true_peak_before == pytest.approx(true_peak(audio))


@pytest.mark.parametrize(("target", "limit", "quality"), [(-23, -3, 2), (-16, -9, 5), (-12, -1, 9)])
def test_settings_are_heeded(tmp_path, target, limit, quality):
    preview = make(footsteps(3), loudness=target, true_peak=limit, quality=quality)
    found_loudness, found_peak = ebur128(tmp_path, preview.mp3)
    assert found_peak <= limit
    # Nine dB under full scale leave no room for -16 LUFS of footsteps.
    assert found_loudness == pytest.approx(target, abs=1.5 if limit > -9 else 4)


def test_lower_quality_is_smaller():
    sizes = [len(make(noise(2), quality=quality).mp3) for quality in (0, 4, 9)]
    assert sizes[0] > sizes[1] > sizes[2]


@pytest.mark.parametrize("name", ["clicks", "rumble"])
def test_peaks_count_before_loudness(tmp_path, name):
    """Neither can be as loud as the others: there is little to hear of either but its peaks."""
    preview = make(clicks(4) if name == "clicks" else sine(1, 4, 1))
    found_loudness, found_peak = ebur128(tmp_path, preview.mp3)
    assert preview.loudness_before is not None
    assert found_peak <= -1
    assert found_loudness < -30


@pytest.mark.parametrize("name", ["short", "near silence"])
def test_short_and_near_silent_clips_keep_their_level(name):
    audio = sine(440, 0.35, 0.05) if name == "short" else noise(2, 0.0005)
    preview = make(audio)
    decoded, _ = mp3.decode_mp3(preview.mp3)
    assert rms_decibels(decoded) == pytest.approx(rms_decibels(audio), abs=0.5)
    assert (preview.loudness_before is None) == (name == "short")


def test_a_short_clip_is_limited_if_it_peaks_too_high():
    preview = make(sine(440, 0.3, 1.5))
    assert preview.loudness_before is preview.loudness_after is None
    assert preview.true_peak_before == pytest.approx(3.5, abs=0.1)
    assert -3 < (preview.true_peak_after or 0) <= -1


def test_digital_silence():
    preview = make(np.zeros((RATE, 1), dtype=np.float32))
    decoded, _ = mp3.decode_mp3(preview.mp3)
    assert not decoded.any()
    assert preview.loudness_before is preview.loudness_after is None
    assert preview.true_peak_before is preview.true_peak_after is None
    assert preview.peaks == "A" * 200
    assert not np.asarray(Image.open(io.BytesIO(preview.cover))).any()


class OddEncoder:
    """The real encoder, counted, with a gain of its own: what it makes isn't what it was given."""

    def __init__(self, gain: float) -> None:
        self.gain, self.calls = gain, 0

    def __call__(self, audio: Audio, sample_rate: int, quality: int) -> bytes:
        self.calls += 1
        return mp3.encode_mp3(audio * np.float32(10 ** (self.gain / 20)), sample_rate, quality)


@pytest.mark.parametrize(("gain", "calls"), [(0, 1), (2.5, 2), (-2.5, 2)])
def test_what_the_encoder_adds_or_takes_is_made_up_for(tmp_path, monkeypatch, gain, calls):
    encoder = OddEncoder(gain)
    monkeypatch.setattr(gallery.preview, "encode_mp3", encoder)
    preview = make(noise(2, 0.2) * np.float32(0.5) + sine(110, 2, 0.9))
    found_loudness, found_peak = ebur128(tmp_path, preview.mp3)
    assert found_loudness == pytest.approx(-16, abs=0.6)
    assert found_peak <= -1
    assert encoder.calls == calls


def test_a_hopeless_clip_is_not_encoded_for_ever(monkeypatch):
    encoder = OddEncoder(0)
    monkeypatch.setattr(gallery.preview, "encode_mp3", encoder)
    make(clicks(3))
    assert encoder.calls <= 4


# How it is measured and limited


def test_a_full_scale_sine_of_997_hz_has_the_loudness_of_the_standard():
    assert loudness(sine(997, 5, 1), RATE) == pytest.approx(-3.01, abs=0.1)


@pytest.mark.parametrize("rate", [16_000, 24_000, 32_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_loudness_is_pyloudnorms(rate, channels):
    from pyloudnorm import Meter

    audio = (
        noise(2.9, 0.3, rate, channels) * np.linspace(0, 1, round(2.9 * rate), dtype=np.float32)[:, None] ** 3
    )
    assert loudness(audio, rate) == pytest.approx(Meter(rate).integrated_loudness(audio), abs=0.01)


def test_the_true_peak_is_between_the_samples():
    quarter = mono(np.sin(np.pi / 2 * np.arange(4000) + np.pi / 4))
    assert decibels(float(np.abs(quarter).max())) == pytest.approx(-3.01, abs=0.01)
    # The sine starts at once, so that it overshoots there.
    assert true_peak(quarter[:, [0, 0]]) == pytest.approx(0.3, abs=0.3)


@pytest.mark.parametrize("samples", [1, 32, 1023, 70_001])
def test_the_true_peak_is_that_of_the_whole_clip_oversampled(samples):
    from scipy.signal import resample_poly

    audio = noise(samples / RATE, channels=2)
    expected = decibels(float(np.abs(resample_poly(audio, 4, 1, axis=0)).max()))
    assert true_peak(audio) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("limiter", LIMITERS)
@pytest.mark.parametrize("name", ["sparse transients", "clipped noise", "high crest"])
def test_no_peak_gets_through_the_limiter(limiter, name):
    audio, rate = HARD_CLIPS[name]()
    clip = listen(audio, rate)
    limited = with_gain(audio, limiting_gain(clip, 12, -3, limiter))
    assert (true_peak(limited) or 0) <= -2.9


@pytest.mark.parametrize("frequency", [50, 441])
def test_the_limiter_does_not_distort(frequency):
    audio = sine(frequency, 4, 2)
    limited = with_gain(audio, limiting_gain(listen(audio, RATE), 0, -2))[RATE : 3 * RATE, 0]
    spectrum = np.abs(np.fft.rfft(limited * np.blackman(len(limited)))) ** 2
    tone = int(spectrum.argmax())
    rest = spectrum.sum() - spectrum[tone - 8 : tone + 9].sum()
    assert 10 * np.log10(rest / spectrum.sum()) < -60


def test_the_limiter_leaves_alone_what_is_low_enough():
    audio = noise(1, 0.05)
    gain = limiting_gain(listen(audio, RATE), 3, -1)
    assert np.array_equal(gain, np.full(len(gain), 3.0))


# Tags

TAGS = {
    "title": "夜の雨 / مطر الليل 🎧",
    "artist": "AC/DC; a=b",
    "comment": 'two\nlines, "quoted", it\'s \\ #;=',
    "copyright": "CC0-1.0",
    "genre": "17",
    "gallery_request": json.dumps({"prompt": "x;=\n\\" * 2000, "seed": 1}),
    "an=equals;sign": "yes",
    "キー": "値",
}


def test_tags_come_back_as_they_were():
    preview = make_preview(noise(0.5), RATE, SETTINGS, TAGS)
    assert len(TAGS["gallery_request"]) > 10_000
    assert read_tags(preview.mp3) == TAGS
    assert preview.duration == pytest.approx(0.5)


def test_tags_are_id3v2_3_frames(tmp_path):
    from mutagen.id3 import ID3

    tagged = mp3.with_tags(b"", TAGS)
    frames = {frame.HashKey for frame in ID3(io.BytesIO(tagged), translate=False).values()}
    assert tagged[:4] == b"ID3\3"
    assert {"TIT2", "TPE1", "TCOP", "TCON", "COMM::XXX", "TXXX:gallery_request"} <= frames


def test_ffmpeg_shows_the_tags(tmp_path):
    tagged = mp3.with_tags(make(noise(0.5)).mp3, {**TAGS, "genre": "lofi"})
    text = ffmpeg(tmp_path, tagged, "-f", "ffmetadata", "-").stdout.decode()
    lines = re.split(r"(?<!\\)\n", text)[1:]
    pairs = [re.split(r"(?<!\\)=", line, maxsplit=1) for line in lines if line]
    found = {re.sub(r"\\(.)", r"\1", k, flags=re.S): re.sub(r"\\(.)", r"\1", v, flags=re.S) for k, v in pairs}
    assert {name: found.get(name) for name in TAGS} == {**TAGS, "genre": "lofi"}


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40)


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from([*mp3._FRAMES, "comment"]) | ANY_TEXT, ANY_TEXT, max_size=4))
def test_any_text_survives(tags):
    assert read_tags(mp3.with_tags(b"\xff\xfb", tags)) == tags


def test_what_a_tag_cannot_hold_does_not_break_it():
    tags = {"title": "a\0b", "artist": "\ud800", "comment": "", "x\0y": "z"}
    assert read_tags(mp3.with_tags(b"", tags)) == {"title": "a\ufffdb", "artist": "\ufffd", "x\ufffdy": "z"}


def test_the_order_of_tags_makes_no_difference():
    assert mp3.with_tags(b"", TAGS) == mp3.with_tags(b"", dict(reversed(TAGS.items())))


def test_no_tags():
    assert read_tags(mp3.encode_mp3(noise(0.2), RATE, 2)) == read_tags(b"") == {}


# The waveform


def test_peaks_follow_the_audio():
    ramp = noise(2, 0.02) * np.linspace(0, 1, 2 * RATE, dtype=np.float32)[:, None]
    levels = [picture.LEVELS.index(character) for character in make(ramp).peaks]
    assert len(levels) == 200
    assert max(levels) == 63
    assert np.corrcoef(levels, np.arange(200))[0, 1] > 0.95
    assert levels[0] <= 2


def test_peaks_are_linear_and_of_any_channel():
    audio = np.zeros((2000, 2), dtype=np.float32)
    audio[0, 0], audio[10, 1], audio[1999, 0] = -0.5, 0.25, 0.1
    assert picture.peaks(audio) == "/" + picture.LEVELS[32] + "A" * 197 + picture.LEVELS[13]


# The cover


def pixels(data: bytes) -> NDArray[np.uint8]:
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.size) == ("WEBP", (480, 96))
    colours = np.asarray(image.convert("RGB"))
    assert np.ptp(colours, axis=2).max() <= 1  # WebP has no grey of its own: a colour without colour
    return colours[:, :, 0]


@pytest.mark.parametrize(
    ("frequency", "rate"), [(100, 32_000), (440, 32_000), (5000, 32_000), (5000, 16_000)]
)
def test_a_sine_is_a_bright_line_at_its_height(frequency, rate):
    def mel(hertz: float) -> float:
        return 2595 * float(np.log10(1 + hertz / 700))

    seen = pixels(picture.cover(sine(frequency, 3, rate=rate), rate))
    height = (mel(frequency) - mel(40)) / (mel(min(12_000, rate / 2)) - mel(40))
    assert 95 - int(seen.mean(axis=1).argmax()) == pytest.approx(97 * height - 1, abs=1.5)
    assert seen.max(axis=0)[5:-5].min() > 200
    assert np.median(seen) < 60


@pytest.mark.parametrize("seconds", [0.1, 1, 40])
def test_columns_are_moments(seconds):
    samples = round(seconds * RATE)
    third = np.arange(samples)[:, None] * 3 // samples == 1
    brightness = pixels(picture.cover(noise(seconds) * third, RATE)).mean(axis=0)
    middle = brightness[200:280].mean()
    assert middle > 120
    if seconds >= 1:  # in a tenth of a second, the window is wider than the gap
        assert brightness[:130].mean() < 20
        assert brightness[350:].mean() < 20


@pytest.mark.parametrize("name", ["white noise", "busy"])
def test_covers_are_small(name):
    audio = noise(4)
    if name == "busy":
        # Bursts through filters that change all the time: as much to draw as there can be.
        tones = np.random.default_rng(5).uniform(40, 12_000, (160, 30))
        parts = [sum(np.sin(np.arange(800) * f * 2 * np.pi / RATE) for f in some) for some in tones]
        audio = mono(np.concatenate(parts) / 30)
    data = picture.cover(audio, RATE)
    assert len(pixels(data)) == 96
    assert 1000 < len(data) <= 10_000


def test_a_cover_that_is_too_large_loses_quality(monkeypatch):
    audio = footsteps(4)
    before = len(picture.cover(audio, RATE))
    monkeypatch.setattr(picture, "LARGEST_COVER", before - 1)
    after = picture.cover(audio, RATE)
    assert len(after) < before
    assert pixels(after).any()


def test_one_click_in_a_long_clip_is_seen():
    audio = np.zeros((120 * 8000, 1), dtype=np.float32)
    audio[len(audio) // 2] = 1
    seen = picture.shades(picture.mel_spectrogram(audio, 8000))
    assert seen[:, 240].min() > 200
    assert not seen[:, :235].any()


def test_different_clips_look_different():
    covers = {make(clip).cover for clip in (sine(440, 1), sine(880, 1), noise(1), footsteps(1))}
    assert len(covers) == 4


def test_the_level_does_not_show():
    audio = footsteps(2)
    assert picture.cover(audio, RATE) == picture.cover(audio / 4, RATE)


# What may go wrong


@pytest.mark.parametrize(
    ("audio", "says"),
    [
        (np.full((100, 1), np.nan, np.float32), "100 of the clip's samples are not finite"),
        (mono([0, np.inf, 0]), "1 of the clip's samples are not finite"),
        (np.zeros((0, 1), np.float32), "empty"),
        (np.zeros(100, np.float32), "mono or stereo"),
        (np.zeros((100, 3), np.float32), "mono or stereo"),
        (mono([0, 1e30]), "1e+30"),
    ],
)
def test_faulty_audio_is_refused_in_one_line(audio, says):
    with pytest.raises(GalleryError) as error:
        make(audio)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    make(noise(0.5))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(GalleryError, match=r"^ffmpeg could not encode a preview: [^\n]*\S$"):
        mp3.encode_mp3(noise(0.5), RATE, "best")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(mp3, "find_ffmpeg", lambda: str(tmp_path / "none"))
    with pytest.raises(GalleryError, match=r"^a preview could not be encoded: [^\n]*none"):
        make(noise(0.5))
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_mp3_is_refused():
    with pytest.raises(GalleryError, match="not an MP3"):
        mp3.decode_mp3(b"neither audio nor anything else")


def test_the_encoder_has_an_absolute_path(tmp_path, monkeypatch):
    mp3.find_ffmpeg.cache_clear()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ffmpeg").touch(mode=0o755)
    assert Path(mp3.find_ffmpeg()).is_absolute()
    assert tmp_path not in Path(mp3.find_ffmpeg()).parents


# The same again

SCRIPT = """
import sys
sys.path[:0] = {path!r}
import test_preview as t
preview = t.make_preview(t.footsteps(1), t.RATE, t.SETTINGS, t.TAGS)
sys.stderr.write(t.fingerprint(preview) + sys.stdin.read())
"""


def fingerprint(preview: gallery.preview.Preview) -> str:
    return hashlib.sha256(preview.mp3 + preview.cover + preview.peaks.encode()).hexdigest()


@pytest.mark.slow
def test_the_same_clip_gives_the_same_bytes_in_any_process():
    """And ffmpeg neither prints nor reads what is typed meanwhile."""
    once, again = (fingerprint(make_preview(footsteps(1), RATE, SETTINGS, TAGS)) for _ in range(2))
    script = SCRIPT.format(path=[str(Path(__file__).parent), str(Path(gallery.preview.__file__).parents[2])])
    other = subprocess.run(
        [sys.executable, "-c", script],
        input="typed",
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )
    assert once == again
    assert (other.stdout, other.stderr) == ("", once + "typed")


def test_threads_do_not_get_in_each_others_way():
    audio, filters = (
        [noise(1, seed=seed) * np.float32(0.01**seed) for seed in range(4)] * 2,
        list(warnings.filters),
    )
    one_by_one = [fingerprint(make(clip)) for clip in audio[:4]]
    with ThreadPoolExecutor(4) as pool:
        together = [fingerprint(preview) for preview in pool.map(make, audio)]
    assert together == one_by_one * 2
    assert list(warnings.filters) == filters


def test_changed_settings_have_another_digest(monkeypatch):
    digests = {
        PreviewSettings(**fields).digest
        for fields in ({}, {"loudness": -18}, {"true_peak": -2}, {"quality": 4})
    }
    assert len(digests) == 4
    written = PreviewSettings(loudness=-16.0, true_peak=-1.0, quality=2).digest
    assert SETTINGS.digest == written
    assert re.fullmatch("[0-9a-f]{16}", written)
    monkeypatch.setattr(gallery.config, "PREVIEW_VERSION", 3)
    assert SETTINGS.digest != written
