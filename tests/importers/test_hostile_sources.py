"""Sources that try more than to be wrong: other kinds of files, pictures in tags, addresses, slow hosts."""

from __future__ import annotations

import http.server
import io
import json
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from mutagen import id3

from gallery.importers import fetch
from support.others_clips import metadata, music, only_clip, prediction, refusals, tagged, write_clip

if TYPE_CHECKING:
    from support.galleries import Gallery


def encoded(form: str, subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, music()[:, 0], 8000, format=form, subtype=subtype)
    return file.getvalue()


DISGUISED = {
    "playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "playlist of addresses": b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/x\n",
    "list for ffmpeg": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "protocol of ffmpeg": b"concat:/etc/passwd|/etc/hosts",
    "description of a session": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=audio 5004 RTP/AVP 0\n",
    "picture": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "page": b"<!doctype html><script>alert(1)</script>",
    "archive": b"PK\x03\x04" + bytes(100),
    "program": b"\x7fELF" + bytes(100),
    "AIFF": encoded("AIFF"),
    "CAF": encoded("CAF"),
    "W64": encoded("W64"),
    "matrix": encoded("MAT5", "PCM_16"),
    "telephone": encoded("WAV", "GSM610"),
    "AIFF behind a tag": b"ID3\x03" + bytes(6) + encoded("AIFF"),
}


@pytest.mark.parametrize("suffix", [".wav", ".ogg", ".flac"])
def test_what_is_not_common_audio_is_not_decoded(gallery: Gallery, tmp_path: Path, suffix: str) -> None:
    for number, data in enumerate(DISGUISED.values()):
        stem = write_clip(
            tmp_path / "clips", f"{number:02}", metadata("v1", text=f"{number}x"), music(), ".json"
        )
        Path(f"{stem}{suffix}").write_bytes(data)
    lines = refusals(gallery, tmp_path)
    assert len(lines) == len(DISGUISED)
    assert sum("its audio is GSM 6.10 in WAV; accepted: PCM" in line for line in lines) == 1
    damaged = "its audio cannot be decoded; the file is damaged or not whole"
    assert sum(damaged in line for line in lines) == len(DISGUISED) - 1


FRAMES: dict[str, Any] = {
    "SVG cover": id3.APIC(encoding=0, mime="image/svg+xml", type=3, desc="", data=b"<svg onload='owned()'/>"),
    "cover that is a link": id3.APIC(encoding=0, mime="-->", type=3, desc="", data=b"http://owned.example/x"),
    "object": id3.GEOB(encoding=0, mime="text/html", filename="x", desc="", data=b"<script>owned()</script>"),
    "link": id3.WXXX(encoding=0, desc="", url="javascript:owned()"),
    "home page": id3.WOAR(url="javascript:owned()"),
    "lyrics": id3.USLT(encoding=0, lang="eng", desc="", text="<script>owned()</script>"),
    "private": id3.PRIV(owner="owned", data=b"<script>owned()</script>"),
    "other text": id3.TXXX(encoding=0, desc="owned", text="<script>owned()</script>"),
    "album": id3.TALB(encoding=0, text="<script>owned()</script>"),
    "unknown": id3.UFID(owner="owned", data=b"owned()"),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_no_frame_of_others_comes_along(gallery: Gallery, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "rain.mp3"
    path.write_bytes(tagged())
    tag = id3.ID3(path)
    tag.add(FRAMES[kind])
    tag.save(path, v2_version=3)
    assert b"owned" in path.read_bytes()
    assert gallery.run("import", path).code == 0
    request, _ = only_clip(gallery)
    kept = (gallery.root / f"site/audio/{request.key}.mp3").read_bytes()
    assert b"owned" not in kept
    assert set(id3.ID3(BytesIO(kept))) == {"TIT2", "TPE1", "TXXX:engine", "TXXX:request"}


def test_what_hangs_behind_the_audio_is_found_out(gallery: Gallery, tmp_path: Path) -> None:
    (tmp_path / "rain.mp3").write_bytes(tagged() + b"PK\x03\x04" + bytes(1_000_000))
    ran = gallery.run("import", tmp_path / "rain.mp3")
    assert ran.code == 3
    assert "rain.mp3: is far larger than an MP3 of its length" in ran.err


JSON_FILES = {
    "UTF-16.json": (json.dumps({"_type": "musicgen"}).encode("utf-16"), "not UTF-8"),
    "latin.json": (b'{"_type": "caf\xe9"}', "not UTF-8"),
    "surrogate.json": (b'{"_type": "\xed\xa0\x80"}', "not UTF-8"),
    "deep.json": (b'{"_type": ' + b"[" * 40 + b"]" * 40 + b"}", "nested too deep"),
    "twice-within.json": (b'{"_type": "musicgen", "models": {"a": 1, "a": 2}}', "a field twice"),
    "digits.json": (b'{"_type": "musicgen", "models": {"a": ' + b"9" * 5000 + b"}}", "too many digits"),
    "large.json": (b'{"_type": "' + b"x" * 10_000_000 + b'"}', "larger than 10 MB"),
    "cut.json": (b'{"_type": "musicgen", "text": "a', "damaged"),
    "two.json": (b'{"_type": "musicgen"} {"_type": "musicgen"}', "damaged"),
    "many.json": (
        b'{"_type": "musicgen", ' + b", ".join(b'"f%d": 1' % n for n in range(200_000)) + b"}",
        "its audio is not beside it",
    ),
    "null.json": (b'{"_type": "musicgen"}\x00', "damaged"),
}


def test_json_has_limits(gallery: Gallery, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    for name, (data, _) in JSON_FILES.items():
        (tmp_path / "clips" / name).write_bytes(data)
    lines = refusals(gallery, tmp_path)
    assert len(lines) == len(JSON_FILES)
    for name, (_, reason) in JSON_FILES.items():
        [line] = [line for line in lines if f"/{name}: " in line]
        assert reason in line, name


def test_names_steer_no_terminal_and_no_log(gallery: Gallery, tmp_path: Path) -> None:
    for number, name in enumerate(["\x1b]0;a\x07b", "c\n::error::d", "##[add-mask]e", "\u202ef"]):
        data = metadata("v1", text=f"plain {number}")
        write_clip(tmp_path / "clips", name, data, music(), ".wav .json")
        write_clip(tmp_path / "bad", name, {**data, "seed": "\x1b[31m\n##[error]"}, music(), ".wav .json")
    for folder in ("clips", "bad"):
        for options in (["--dry-run"], []):
            ran = gallery.run("import", tmp_path / folder, *options)
            lines = (ran.out + ran.err).splitlines()
            assert len(lines) >= 5
            assert all(line.isprintable() and "##[" not in line for line in lines)
            assert not any(line.startswith("::") for line in lines)


ADDRESSES = [
    "http://169.254.169.254/latest/meta-data",
    "https://169.254.169.254/x",
    "https://127.1/x",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://0/x",
    "https://[::1]/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://[fe80::1]/x",
    "https://10.0.0.1/x",
    "https://192.168.0.1/x",
    "https://user:password@127.0.0.1/x",
    "https://user@example.com/x",
    "ftp://example.com/x",
    "FILE:///etc/passwd",
    "file://localhost/etc/passwd",
    "local_file:///etc/passwd",
    "gopher://127.0.0.1/x",
    "jar:file:///etc/passwd",
    "https://",
    "https:///etc/passwd",
    "//127.0.0.1/x",
    "/etc/passwd",
    "javascript:alert(1)",
    "https://127.0.0.1\\@example.com/x",
    "https://127.0.0.1\r\nHost: example.com/x",
    "\thttps://127.0.0.1/x",
    "data:text/html,<script>alert(1)</script>",
]


def test_an_address_leads_neither_into_the_network_nor_to_files(gallery: Gallery, tmp_path: Path) -> None:
    """Of the audio, and of the melody, which is fetched before anything is shown."""
    (tmp_path / "p").mkdir()
    usual = {"model_version": "melody", "seed": 5}
    for number, address in enumerate(ADDRESSES):
        given = prediction(output=address, input={**usual, "prompt": f"a {number}"})
        (tmp_path / f"p/a{number:02}.json").write_text(json.dumps(given))
        given = prediction(input={**usual, "prompt": f"m {number}", "input_audio": address})
        if not address.startswith("data:"):  # a melody may come with the prediction
            (tmp_path / f"p/m{number:02}.json").write_text(json.dumps(given))
    ran = gallery.run("import", tmp_path / "p")
    assert ran.code == 3
    lines = [line for line in ran.err.splitlines() if line.startswith("refused: ")]
    assert len(lines) == 2 * len(ADDRESSES) - 1
    assert all(line.isprintable() for line in lines)
    assert "root:" not in ran.err
    assert not list((gallery.root / "prompts").rglob("*.md"))


class _Drip(http.server.BaseHTTPRequestHandler):
    """A host that sends a byte now and then."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b"x")
                time.sleep(0.2)
        except OSError:
            pass  # nobody listens any more

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def drip(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Drip) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        monkeypatch.setattr(fetch, "PLAIN_HOSTS", frozenset({"127.0.0.1"}))
        monkeypatch.setattr(fetch, "DEADLINE", 1)
        yield f"http://127.0.0.1:{server.server_port}/x.wav"
        server.shutdown()


def test_a_host_that_takes_for_ever_is_left(gallery: Gallery, tmp_path: Path, drip: str) -> None:
    given = prediction(output=drip, input={"model_version": "melody", "seed": 5})
    (tmp_path / "p.json").write_text(json.dumps(given))
    start = time.monotonic()
    ran = gallery.run("import", tmp_path / "p.json")
    assert "its address took longer than 1 s to answer" in ran.err
    assert time.monotonic() - start < 10


def test_audio_that_is_longer_than_its_header_says(gallery: Gallery, tmp_path: Path) -> None:
    """And shorter: the samples that there are count."""
    folder = tmp_path / "clips"
    for name, factor in (("more", 0.5), ("less", 2)):
        stem = write_clip(
            folder, name, metadata("v1", text=name), np.zeros((32000, 1), np.float32), ".wav .json"
        )
        path = Path(f"{stem}.wav")
        data = bytearray(path.read_bytes())
        place = data.index(b"data") + 4
        data[place : place + 4] = int(32000 * 4 * factor).to_bytes(4, "little")
        path.write_bytes(bytes(data))
    ran = gallery.run("import", folder)
    assert "more.json: its audio lasts 0.50 s where its metadata says 1 s" in ran.err
    assert "less.json" not in ran.err
