"""Melodies are untrusted audio: of whatever a file holds, only what is common and short is decoded."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import soundfile

from support.galleries import Gallery


def _encoded(audio: np.ndarray, rate: int = 8000, form: str = "WAV", subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, audio, rate, format=form, subtype=subtype)
    return file.getvalue()


def _with(data: bytes, place: int, other: bytes) -> bytes:
    return data[:place] + other + data[place + len(other) :]


SECOND = np.zeros((8000, 1), np.float32)
WAVE, FLAC = _encoded(SECOND), _encoded(SECOND, form="FLAC")
NO_AUDIO = "is no audio that can be read; accepted: WAV, FLAC, OGG and MP3"
RATES = "accepted: 8,000 to 96,000"
MELODIES = {
    "words.wav": (b"not audio at all", NO_AUDIO),
    "empty.wav": (b"", NO_AUDIO),
    "silent.wav": (_encoded(SECOND[:0]), "is empty"),
    "no-data.wav": (_with(WAVE, 40, bytes(4)), "is empty"),
    "long.wav": (_encoded(np.zeros((61 * 8000, 1))), "is 61.0 s long; accepted: up to 60 s"),
    "claims-more.flac": (_with(FLAC, 22, b"\xff" * 4), "is 536870.9 s long; accepted: up to 60 s"),
    "claims-nothing.flac": (
        _with(FLAC, 21, bytes([FLAC[21] & 0xF0]) + bytes(4)),
        "does not say how long it is; save it anew",
    ),
    "packed-silence.flac": (
        _encoded(np.zeros((8_000_000, 1), np.int16), form="FLAC"),
        "is 1000.0 s long; accepted: up to 60 s",
    ),
    "surround.wav": (_encoded(np.zeros((80, 6))), "has 6 channels; accepted: mono and stereo"),
    "many.ogg": (_encoded(np.zeros((80, 30)), form="OGG"), "has 30 channels; accepted: mono and stereo"),
    "slow.wav": (_encoded(SECOND, 4000), f"has 4,000 samples a second; {RATES}"),
    "fast.flac": (_encoded(SECOND, 192_000, "FLAC"), f"has 192,000 samples a second; {RATES}"),
    "endless-rate.wav": (
        _with(WAVE, 24, struct.pack("<I", 2**31 - 1)),
        f"has 2,147,483,647 samples a second; {RATES}",
    ),
    "no-rate.wav": (_with(WAVE, 24, bytes(4)), NO_AUDIO),
    "no-channels.wav": (_with(WAVE, 22, bytes(2)), NO_AUDIO),
    "all-channels.wav": (_with(WAVE, 22, b"\xff\xff"), NO_AUDIO),
    "bits.wav": (_with(WAVE, 34, b"\xff\xff"), NO_AUDIO),
    "nan.wav": (
        _encoded(np.full((80, 1), np.nan, np.float32), subtype="FLOAT"),
        "holds samples that are no numbers",
    ),
    "infinite.wav": (
        _encoded(np.full((80, 1), np.inf), subtype="DOUBLE"),
        "holds samples that are no numbers",
    ),
    "aiff.wav": (_encoded(SECOND, form="AIFF"), NO_AUDIO),
    "matlab.wav": (_encoded(SECOND, form="MAT5", subtype="PCM_16"), NO_AUDIO),
    "caf.ogg": (_encoded(SECOND, form="CAF"), NO_AUDIO),
    "w64.wav": (_encoded(SECOND, form="W64"), NO_AUDIO),
    "telephone.wav": (_encoded(SECOND, subtype="GSM610"), NO_AUDIO),
    "adpcm.wav": (_encoded(SECOND, subtype="MS_ADPCM"), NO_AUDIO),
    "tag-then-aiff.mp3": (b"ID3\x03" + bytes(6) + _encoded(SECOND, form="AIFF"), NO_AUDIO),
    "tags-without-end.mp3": (b"ID3\x03" + bytes(6) + b"ID3\x03\x00\x00\x7f\x7f\x7f\x7f", NO_AUDIO),
    "frames-of-nothing.mp3": (b"\xff\xfb\x90\x00" + bytes(400), NO_AUDIO),
    "half-a-page.ogg": (_encoded(SECOND, form="OGG")[:40], NO_AUDIO),
    "playlist.wav": (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", NO_AUDIO),
    "concat.mp3": (b"ffconcat version 1.0\nfile /etc/passwd\n", NO_AUDIO),
    "session.mp3": (b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=audio 5004 RTP/AVP 0\n", NO_AUDIO),
    "picture.wav": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", NO_AUDIO),
    "archive.ogg": (b"PK\x03\x04" + bytes(60), NO_AUDIO),
}


def test_melodies_are_known_before_they_are_decoded(gallery: Gallery) -> None:
    fine = {"tune.wav": WAVE, "tune.flac": FLAC, "tune.ogg": _encoded(SECOND, form="OGG")}
    fine |= {
        "tune.mp3": _encoded(SECOND, form="MP3"),
        "opus.ogg": _encoded(SECOND, form="OGG", subtype="OPUS"),
    }
    fine["whole.wav"] = _encoded(SECOND, subtype="DOUBLE")
    for number, (name, data) in enumerate(
        {**fine, **{name: data for name, (data, _) in MELODIES.items()}}.items()
    ):
        gallery.write(f"prompts/{name}", data)
        gallery.prompt(f"p{number:02}", "prompt: a", "model: melody", f"melody: {name}")
    with (gallery.root / "prompts" / "big.wav").open("wb") as file:
        file.truncate(2**30)  # sparse: a gigabyte that takes no room
    gallery.prompt("p99", "prompt: a", "model: melody", "melody: big.wav")
    expected = [
        f'prompts/p{number:02}.md:4: melody: "{name}" {problem}'
        for number, (name, (_, problem)) in enumerate(MELODIES.items(), start=len(fine))
    ]
    expected.append('prompts/p99.md:4: melody: "big.wav" is larger than 10,000,000 bytes')
    ran = gallery.run("check")
    assert ran.err.splitlines() == expected
    assert ran.out.startswith(f"{len(fine)} prompts in order")


def test_rare_kinds_never_reach_the_decoder(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[object] = []
    monkeypatch.setattr(soundfile, "SoundFile", lambda *given, **_: begun.append(given))
    names = (
        "aiff.wav",
        "matlab.wav",
        "caf.ogg",
        "w64.wav",
        "tag-then-aiff.mp3",
        "playlist.wav",
        "picture.wav",
    )
    for number, name in enumerate(names):
        gallery.write(f"prompts/{name}", MELODIES[name][0])
        gallery.prompt(f"p{number}", "prompt: a", "model: melody", f"melody: {name}")
    assert gallery.run("check").err.count(NO_AUDIO) == len(names)
    assert not begun


@pytest.mark.parametrize("place", [20, 28, 36])
@pytest.mark.parametrize("size", [2**63 - 1, 2**63, 2**64 - 8, 2**62])
def test_a_header_that_lies_says_nothing_of_its_own(
    gallery: Gallery, capfd: pytest.CaptureFixture[str], place: int, size: int
) -> None:
    """The decoder is led to places that no file has, and asks for them from C, where errors are printed."""
    sizes = struct.pack("<IQQQI", 28, 0, 16_000, 8000, 0)
    form = struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16_000, 2, 16)
    wave = b"RF64\xff\xff\xff\xffWAVEds64" + sizes + b"fmt " + form + b"data\xff\xff\xff\xff" + bytes(16_000)
    gallery.prompt("a", "prompt: a", "model: melody", "melody: m.wav")
    gallery.write("prompts/m.wav", _with(wave, place, struct.pack("<Q", size)))
    ran = gallery.run("check")
    assert ran.code in (0, 1)
    assert all(line.startswith(("prompts/a.md:", "warning: prompts/")) for line in ran.err.splitlines())
    assert capfd.readouterr().err == ""
