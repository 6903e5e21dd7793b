"""A gallery of any size to measure with: prompt files like the curated ones, and the store's records."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import yaml

from gallery.config import PreviewSettings
from gallery.prompts.request import Request
from gallery.store.records import PreviewFacts, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOURCES = (
    "felt piano",
    "nylon guitar",
    "detuned saw lead",
    "rhodes",
    "double bass",
    "sub bass",
    "vibraphone",
)
_DRUMS = (
    "brushed snare",
    "909 kick and rim shots",
    "break beat",
    "hand claps",
    "no drums",
    "shaker",
    "tight hats",
)
_ROOMS = ("tape hiss", "small room", "cathedral reverb", "vinyl crackle", "dry and close", "rain outside")
_GENRES = ("lofi", "techno", "ambient", "dub", "jazz", "house", "folk", "drum and bass", "synthwave", "choir")
_NOTES = """Every phrase names a *sound source* or a fault of the recording. Listen for:

- the {drums}
- the {room}

Take one of them out if the clip turns to mush; then [compare](https://example.org/{number})."""

BUILD = [
    sys.executable,
    "-c",
    "from gallery.cli import main; main()",
    "build",
    "--engine",
    "none",
    "--no-sketches",
]

_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

SETTINGS = """[site]
title = "A large gallery"
base_url = "https://example.org/gallery/"
repository = "https://github.com/octocat/gallery"
cards = {cards}

[models.small]
hub = "facebook/musicgen-small"
kind = "musicgen"

{store}"""

_ELSEWHERE = """[store]
audio_url = "https://audio.example.org/"
"""

# Bytes of a preview of 10 s, and of its cover: large on purpose, so that copying them counts.
AUDIO, COVER = 240_000, 4_000


PROVENANCE = {"engine_version": "1.3.0", "device": "GPU", "date": "2026-11-20", "seconds": 9.1}


@dataclass(frozen=True)
class Run:
    """A command's wall-clock seconds, and the most memory that its processes took together.

    What processes share counts once (PSS), looked at ten times a second.
    """

    seconds: float
    mebibytes: float


def run(command: list[str], folder: Path) -> Run:
    """Run a command that must succeed."""
    started, most = time.perf_counter(), 0
    # As people run it: Python keeps the modules that it has compiled.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = psutil.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while True:
        try:
            status = process.wait(0.1)
            break
        except psutil.TimeoutExpired:
            most = max(most, _memory(process))
    seconds = time.perf_counter() - started
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {status} in {folder}")
    return Run(seconds, most / 2**20)


def _memory(process: psutil.Process) -> int:
    """Bytes that a process and those it has started take."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += each.memory_full_info().pss
    return total


def forget_site(folder: Path) -> None:
    """Remove all that was built, and every cache; the store stays."""
    shutil.rmtree(folder / ".gallery", ignore_errors=True)
    for path in (folder / "site").iterdir():
        if path.is_dir() and path.name != "audio":
            shutil.rmtree(path)
        elif path.is_file():
            path.unlink()
    shutil.rmtree(folder / "published", ignore_errors=True)


def prompt_path(number: int) -> str:
    """A prompt's address: some hundred a folder."""
    return f"{_GENRES[number % 10].replace(' ', '-')}-{number // 1000}/prompt-{number}"


def front_matter(number: int, *, kin: bool = False) -> dict[str, Any]:
    """The fields of one prompt file; every fourth is a grid of three.

    With ``kin`` all have one seed, so that most are kin of eight others by their wording.
    """
    fields: dict[str, Any] = {
        "title": f"Study {number}",
        "prompt": f"{_GENRES[number % 10]} with {_SOURCES[number // 10 % 7]}, {_DRUMS[number // 70 % 7]}, "
        f"{_ROOMS[number // 490 % 6]}, {60 + number // 2940 % 90} bpm, take {number}",
        "tags": [_GENRES[number % 10], _SOURCES[number // 10 % 7], f"set {number % 97}"],
        "author": f"author-{number % 23}",
        "date": date(2026, number % 12 + 1, number % 28 + 1),
        "duration": 10,
        "seed": 1 if kin else number + 1,
    }
    if number % 4 == 0:
        fields["vary"] = {"cfg_coef": [1, 3, 5]}
    return fields


def notes(number: int) -> str:
    """A prompt's notes, in Markdown."""
    return _NOTES.format(drums=_DRUMS[number // 70 % 7], room=_ROOMS[number // 490 % 6], number=number)


def write_prompt(folder: Path, number: int, title: str = "", more: str = "", *, kin: bool = False) -> Path:
    """One prompt file in a gallery's folder."""
    matter = {**front_matter(number, kin=kin), **({"title": title} if title else {})}
    fields = yaml.dump(matter, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    path = folder / "prompts" / f"{prompt_path(number)}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---\n{fields}---\n{notes(number)}{more}\n")
    return path


def requests(number: int, *, kin: bool = False) -> Iterator[Request]:
    """What a prompt's clips ask for."""
    fields = front_matter(number, kin=kin)
    for guidance in fields.get("vary", {}).get("cfg_coef", [3]):
        yield Request(
            model="facebook/musicgen-small",
            prompt=fields["prompt"],
            duration=10,
            seed=fields["seed"],
            cfg_coef=guidance,
        )


def peaks(request: Request) -> str:
    """A waveform of 200 peaks, another for each clip."""
    return (request.key * 7)[:200]


def files_of(request: Request) -> dict[str, bytes]:
    """What lies beside a clip's record: of the size of a preview and a cover, and another for each clip."""
    seed = bytes.fromhex(request.key)
    return {".mp3": seed * (AUDIO // len(seed)), ".webp": seed * (COVER // len(seed))}


def write_gallery(
    folder: Path, size: int, cards: int = 200, *, kin: bool = False, audio: bool = False
) -> None:
    """A gallery whose clips are all rendered: prompt files, settings, records.

    With ``audio`` it has previews and covers, too; else they are elsewhere.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gallery.toml").write_text(SETTINGS.format(cards=cards, store="" if audio else _ELSEWHERE))
    (folder / "site" / "audio").mkdir(parents=True)
    for number in range(size):
        write_prompt(folder, number, kin=kin)
        for request in requests(number, kin=kin):
            write_record(folder, request, audio=audio)


def write_record(folder: Path, request: Request, *, audio: bool = False) -> None:
    """What a gallery's store has of a clip."""
    files = files_of(request)
    facts = PreviewFacts(
        settings=PreviewSettings().digest,
        audio_sha256=hashlib.sha256(files[".mp3"]).hexdigest(),
        cover_sha256=hashlib.sha256(files[".webp"]).hexdigest(),
        bytes=len(files[".mp3"]),
        duration=10.0,
        loudness_before=-18.2,
        loudness_after=-16.0,
        true_peak_before=-2.1,
        true_peak_after=-1.2,
        peaks=peaks(request),
    )
    record = Record(key=request.key, request=request, engine="musicgen", provenance=PROVENANCE, preview=facts)
    store = folder / "site" / "audio"
    for suffix, data in files.items() if audio else ():
        (store / f"{request.key}{suffix}").write_bytes(data)
    (store / f"{request.key}.json").write_bytes(record.to_json())
