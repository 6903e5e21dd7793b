"""How fast pages are written: cold, with nothing changed, and with one note changed.

    python benchmarks/pages.py [prompts ...]

Prints a table for 66, 1,000 and 10,000 prompts, or for the given numbers. Every line is
measured in a process of its own, so that peak memory is its own too.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from gallery.catalogue import Catalogue
from gallery.config import Config
from gallery.request import Request
from gallery.site import write_site

SIZES = (66, 1_000, 10_000)
RUNS = ("cold", "nothing changed", "one note changed")
WORDS = [
    "dusty lofi beat",
    "felt piano",
    "rain against the window",
    "brushed snare",
    "tape hiss",
    "warm bass",
    "slow",
]
NOTES = "Every phrase names a *sound source*. Listen for:\n\n- the snare\n- the rain\n\nThen [compare](https://example.com/)."


def prompt(number: int) -> dict[str, Any]:
    """A prompt like the curated ones: every fourth is a grid of three."""
    text = (
        ", ".join(WORDS[(number + step * (number % 3 + 1)) % len(WORDS)] for step in range(5))
        + f", {60 + number % 90} bpm"
    )
    values = [1.0, 3.0, 5.0] if number % 4 == 0 else [3.0]
    clips = []
    for value in values:
        request = Request(model="facebook/musicgen-small", prompt=text, seed=number, cfg_coef=value)
        clips.append(
            {
                "key": request.key,
                "id": request.key[:8],
                "model": "small",
                "request": request.model_dump(mode="json", exclude_none=True),
                "changes": {"cfg_coef": value} if len(values) > 1 else {},
                "state": "render",
                "engine": "musicgen",
                "provenance": {"engine_version": "1.3.0", "device": "GPU", "date": "2026-11-20"},
                "audio": f"audio/{request.key}.mp3",
                "cover": f"audio/{request.key}.webp",
                "peaks": (request.key * 7)[:200],
                "bytes": 380_000,
                "length": 10.0,
                "loudness": -18.2,
                "kin": [],
            }
        )
    return {
        "path": f"folder-{number % 40}/prompt-{number}",
        "file": f"prompts/folder-{number % 40}/prompt-{number}.md",
        "title": f"Prompt {number}",
        "text": text,
        "tags": sorted({f"tag {number % 7}", f"tag {number % 31}", f"tag {number % 97}"}),
        "author": f"author-{number % 23}",
        "license": "CC0-1.0",
        "date": f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}",
        "notes": NOTES,
        "clips": clips,
        "grid": {"axes": [{"field": "cfg_coef", "values": values}], "cells": [clip["key"] for clip in clips]}
        if len(values) > 1
        else None,
    }


def measure(size: int, run: str, root: Path) -> dict[str, float]:
    """One build, timed; memory as it stands above what the entries themselves take."""
    models = {"small": {"hub": "facebook/musicgen-small", "kind": "musicgen"}}
    site = {"base_url": "https://example.org/gallery/"}
    config = Config.model_validate({"root": root, "models": models, "site": site})
    entries: Any = [prompt(number) for number in range(size)]
    if run == "one note changed":
        entries[size // 2]["notes"] += "\n\nAnd again."
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    written = write_site(Catalogue(published=entries), {}, config, root / "site")
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "seconds": seconds,
        "written": written.written,
        "pages": size,
        "peak": peak / 1024,
        "own": (peak - held) / 1024,
    }


def main(sizes: tuple[int, ...]) -> None:
    heads = f"{'prompts':>8}  {'build':<17} {'seconds':>8} {'files written':>14} {'prompts/s':>10}"
    print(f"{heads} {'peak MB':>8} {'of it pages':>12}")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            for run in RUNS:
                command = [sys.executable, __file__, "--measure", str(size), run, folder]
                found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                speed = size / found["seconds"]
                line = (
                    f"{size:>8,}  {run:<17} {found['seconds']:>8.3f} {found['written']:>14,} {speed:>10,.0f}"
                )
                print(
                    f"{line} {found['peak']:>8.0f} {found['own']:>12.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))))
    else:
        main(tuple(int(size) for size in sys.argv[1:]) or SIZES)
