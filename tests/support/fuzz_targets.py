"""What is fuzzed: functions that take any bytes and must come to a result or to one line that says why not.

Each target has seeds: files as people have them, from which a fuzzer starts.
"""

from __future__ import annotations

import atexit
import hashlib
import io
import json
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import numpy as np
import soundfile

import support
from gallery.config import load_config
from gallery.importers import own_mp3
from gallery.importers.audio import read_sound
from gallery.importers.damaged import recover
from gallery.importers.drafts import TrialGallery
from gallery.importers.found import Unusable
from gallery.importers.sources import find_clips
from gallery.prompts.folder import read_prompts
from gallery.prompts.melody import melody_problem
from gallery.prompts.request import Request
from gallery.site.theme import notes
from gallery.site.writer import Writer
from gallery.state.database import State
from gallery.store.clips import Store
from support.galleries import SETTINGS
from support.mistakes import FRONT_MATTER
from support.others_clips import embedded, metadata, plus, prediction, tagged, write_clip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = Path(mkdtemp(prefix="fuzz-"))
atexit.register(shutil.rmtree, ROOT, ignore_errors=True)
(ROOT / "gallery.toml").write_text(SETTINGS)
for _name in ("prompts", "site/audio", "clips", "scratch"):
    (ROOT / _name).mkdir(parents=True)
CONFIG = load_config(ROOT)
TRIAL = TrialGallery(CONFIG, ROOT / "scratch", "x")


def _one_line(text: str) -> None:
    assert text
    assert text.isprintable(), text
    assert "##[" not in text, text


def prompt_file(data: bytes) -> None:
    """A prompt file, read; and its notes as a page shows them."""
    path = ROOT / "prompts/a.md"
    path.write_bytes(data)
    reading = read_prompts(CONFIG, [path])
    assert bool(reading.prompts) != bool(reading.faults)
    for fault in (*reading.faults, *reading.warnings):
        _one_line(str(fault))
        assert str(fault).startswith("prompts/a.md:")
    for prompt in reading.prompts:
        assert 0 < len(prompt.clips) <= CONFIG.limits.clips_per_prompt
        page = notes.to_html(prompt.notes).lower()
        assert "<script" not in page
        assert "<img" not in page


def presets(data: bytes) -> None:
    """prompts/presets.yaml."""
    path, prompt = ROOT / "prompts/presets.yaml", ROOT / "prompts/a.md"
    path.write_bytes(data)
    prompt.write_text("---\nprompt: a\npreset: loose\n---\n")
    reading = read_prompts(CONFIG, [prompt])
    path.unlink()
    for fault in reading.faults:
        # A preset's name is printed as it is; the command makes the whole line harmless.
        assert str(fault).startswith("prompts/")


def _import(*names: str) -> None:
    paths = [ROOT / "clips" / name for name in names]
    finds = find_clips(CONFIG, [ROOT / "clips"], ROOT / "scratch")
    for refusal in finds.refused:
        _one_line(str(refusal))
    for clip in finds.clips:
        try:
            request = TRIAL.request(clip)
            model = next(model for model in CONFIG.models.values() if model.hub == request.model)
            for file in clip.files:
                sound = read_sound(file, request.duration, model)
                assert np.isfinite(sound.audio).all()
        except Unusable as error:
            _one_line(str(error))
    for path in paths:
        path.unlink()


def sidecar(data: bytes) -> None:
    """The JSON beside a clip: TTS-WebUI's, or a prediction of Replicate."""
    # Melodies have addresses, and a fuzzer asks nobody.
    if b"input_audio" in data or (b"melody" in data and b"input" in data):
        return
    (ROOT / "clips/a.json").write_bytes(data)
    (ROOT / "clips/a.wav").write_bytes(SOUNDS["WAV"])
    _import("a.json", "a.wav")


def lines(data: bytes) -> None:
    """Predictions, one a line."""
    if b"input_audio" in data or b"melody" in data:
        return
    (ROOT / "clips/a.jsonl").write_bytes(data)
    _import("a.jsonl")


def manifest(data: bytes) -> None:
    """A manifest, and audio that it may name."""
    (ROOT / "clips/a.csv").write_bytes(data)
    (ROOT / "clips/a.wav").write_bytes(SOUNDS["WAV"])
    _import("a.csv", "a.wav")


def comment(data: bytes) -> None:
    """A comment in an audio file that lost its backslashes."""
    try:
        recover(data.decode("utf-8", "replace"))
    except Unusable as error:
        _one_line(str(error))


def _audio(suffix: str) -> Callable[[bytes], None]:
    def target(data: bytes) -> None:
        (ROOT / f"clips/a{suffix}").write_bytes(data)
        _import(f"a{suffix}")
        (ROOT / f"clips/a{suffix}").write_bytes(data)
        (ROOT / "clips/a.json").write_text(json.dumps(metadata("v1", duration=0.5)))
        _import(f"a{suffix}", "a.json")
        melody = ROOT / f"prompts/a{suffix}"
        melody.write_bytes(data)
        if problem := melody_problem(melody.parent, melody.name, CONFIG.prompts, CONFIG.limits):
            _one_line(problem)
        melody.unlink()

    return target


def tags(data: bytes) -> None:
    """An MP3 of a gallery."""
    path = ROOT / "clips/a.mp3"
    path.write_bytes(data)
    try:
        clip = own_mp3.read_clip(CONFIG, path)
        request = TRIAL.request(clip)
        sound = read_sound(path, request.duration, CONFIG.models["small"])
        own_mp3.finished_preview(path, sound, (None, None))
    except Unusable as error:
        _one_line(str(error))
    path.unlink()


def record(data: bytes) -> None:
    """A record of the store."""
    store = Store(ROOT / "site/audio", "renders", mirror=True)
    key = Request(model="facebook/musicgen-small", prompt="a", duration=0.5).key
    store.path(key, ".json").write_bytes(data)
    found = store.get(key)
    survey = store.survey()
    assert (key in survey.kept) == (found is not None) == (key not in survey.flawed)
    if found:
        assert found.request.key == key
        json.loads(found.to_json(), parse_constant=lambda constant: 1 / 0)
    for problem in store.verify():
        _one_line(str(problem))


def site_list(data: bytes) -> None:
    """The list of what builds wrote into a site: nothing outside of that goes with it, and no other file."""
    precious, site = ROOT / "precious", ROOT / "fuzzed/site"
    precious.write_text("precious")
    site.mkdir(parents=True, exist_ok=True)
    (site / "page.html").write_text("a page")
    (site / ".gallery.json").write_bytes(data)
    Writer(site, State.temporary(), [], ROOT / "fuzzed/.gallery").write([], {})
    assert precious.read_text() == "precious"
    assert hashlib.sha256(b"a page").hexdigest().encode() in data or (site / "page.html").exists()


def _encoded(form: str) -> bytes:
    file = io.BytesIO()
    time = np.arange(16000) / 32000
    soundfile.write(file, 0.3 * np.sin(440 * time), 32000, format=form)
    return file.getvalue()


SOUNDS = {form: _encoded(form) for form in ("WAV", "FLAC", "OGG", "MP3")}


def _commented(suffix: str) -> bytes:
    stem = write_clip(
        ROOT / "scratch", "seed", metadata("v1", duration=0.5), np.zeros((16000, 1), np.float32), suffix
    )
    return Path(f"{stem}{suffix}").read_bytes()


def _prompt_files() -> Iterable[bytes]:
    yield from (path.read_bytes() for path in sorted((support.ROOT / "prompts").rglob("*.md")))
    yield from (
        case.text.encode("utf-8", "surrogatepass") for case in FRONT_MATTER.values() if len(case.text) < 500
    )


def _metadata() -> Iterable[bytes]:
    yield from (json.dumps(metadata(era, duration=0.5)).encode() for era in ("v0", "v1", "v2"))
    yield json.dumps(plus(duration="0.5")).encode()
    yield json.dumps(prediction()).encode()
    yield json.dumps({"results": [prediction(), prediction()]}).encode()


def _record() -> bytes:
    facts = {"settings": "", "audio_sha256": "0" * 64, "cover_sha256": "0" * 64, "bytes": 1, "duration": 0.5}
    facts |= dict.fromkeys(("loudness_before", "loudness_after", "true_peak_before", "true_peak_after"))
    request = Request(model="facebook/musicgen-small", prompt="a", duration=0.5)
    kept = {"version": 1, "key": request.key, "request": request.model_dump(exclude_none=True)}
    kept |= {"engine": "musicgen", "provenance": {"a": 1.5}, "preview": {**facts, "peaks": "A" * 200}}
    return json.dumps(kept).encode()


def _site_lists() -> Iterable[bytes]:
    for address in ("page.html", "../../precious", str(ROOT / "precious"), "a/../../precious"):
        yield json.dumps({"version": 1, "whole": True, "files": {address: ""}}).encode()


# What is fuzzed by name, with what to start from.
TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], Iterable[bytes]]]] = {
    "prompt_file": (prompt_file, _prompt_files),
    "presets": (presets, lambda: [b"loose:\n  description: a\n  temperature: 1.5\n"]),
    "sidecar": (sidecar, _metadata),
    "lines": (lines, lambda: [b"\n".join(_metadata())]),
    "manifest": (manifest, lambda: [b"file,prompt,model,seed,duration\na.wav,rain,small,7,0.5\n"]),
    "comment": (comment, lambda: [embedded(metadata(era, 'a "b" c')).encode() for era in ("v0", "v1", "v2")]),
    "record": (record, lambda: [_record()]),
    "site_list": (site_list, _site_lists),
    "wav": (_audio(".wav"), lambda: [SOUNDS["WAV"]]),
    "flac": (_audio(".flac"), lambda: [SOUNDS["FLAC"], _commented(".flac")]),
    "ogg": (_audio(".ogg"), lambda: [SOUNDS["OGG"], _commented(".ogg")]),
    "tags": (tags, lambda: [tagged(), SOUNDS["MP3"]]),
}


def everything(data: bytes) -> None:
    """All of them: the first byte says which."""
    if data:
        names = list(TARGETS)
        TARGETS[names[data[0] % len(names)]][0](data[1:])


def _all_seeds() -> Iterable[bytes]:
    for number, (_, seeds) in enumerate(TARGETS.values()):
        yield from (bytes([number]) + seed for seed in list(seeds())[:40])


ALL = (everything, _all_seeds)
