"""A small catalogue that has everything in it: each layout, each state, every kind of text."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from gallery.catalogue.kin import find_kin
from gallery.config import Config
from gallery.prompts.request import Request
from support import galleries

HUBS = {"small": "facebook/musicgen-small", "medium": "facebook/musicgen-medium"}
LONG_WORD = "boom" * 2500
LONG_TEXT = " ".join(["rolling thunder over a wooden drum,"] * 57)[:2000]
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'
HOSTILE_NOTES = """# A heading

<script>alert(3)</script> <img src="https://example.com/x.png" onerror="alert(4)">
[bad](javascript:alert(5)) [data](data:text/html,<script>alert(6)</script>) [good](https://example.com/a)
![picture](https://example.com/p.png) <p style="background:url(https://example.com/s)" id="main">styled</p>
<a href="JaVaScRiPt:alert(7)">x</a> <iframe src="https://example.com"></iframe>

| a | b |
|---|---|
| 1 | 2 |
"""


def clip(
    text: str, *, model: str = "small", state: str = "render", length: float = 3.0, **fields: Any
) -> dict[str, Any]:
    changes = fields.pop("changes", {})
    request = Request(model=HUBS[model], prompt=text, duration=length, **fields)
    key, there = request.key, state != "pending"
    folder = "audio" if state == "render" else "sketches"
    return {
        "key": key,
        "id": key[:8],
        "model": model,
        "request": request.model_dump(mode="json", exclude_none=True),
        "changes": changes,
        "state": state,
        "engine": {"render": "musicgen", "sketch": "sketch", "pending": ""}[state],
        "provenance": {"engine_version": "1.3.0", "device": "GPU", "date": "2026-11-20"} if there else {},
        "audio": f"{folder}/{key}.mp3" if there else "",
        "cover": f"{folder}/{key}.webp" if there else "",
        "peaks": "AZaz09+/" * 25 if there else "",
        "bytes": 12345 if there else 0,
        "length": length if there else 0.0,
        "loudness": -18.5 if state == "render" else None,
        "sound": f"{key}" if state == "sketch" else "",
        "kin": [],
    }


def entry(path: str, text: str, clips: list[dict[str, Any]] | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "path": path,
        "file": f"prompts/{path}.md",
        "title": text[:60],
        "text": text,
        "tags": [],
        "author": "",
        "license": "CC0-1.0",
        "date": "2026-11-01",
        "notes": "",
        "clips": clips or [clip(text)],
        "grid": None,
        **fields,
    }


def grid(path: str, text: str, axes: list[tuple[str, list[Any]]], **fields: Any) -> dict[str, Any]:
    """A prompt with one clip for each combination."""
    cells: list[dict[str, Any]] = [{}]
    for field, values in axes:
        cells = [{**cell, field: value} for cell in cells for value in values]
    clips = [
        clip(cell.get("prompt", text), changes=cell, **{k: v for k, v in cell.items() if k != "prompt"})
        for cell in cells
    ]
    shown = {each["key"]: each for each in clips}
    described = {
        "axes": [{"field": f, "values": v} for f, v in axes],
        "cells": [each["key"] for each in clips],
    }
    return entry(path, text, list(shown.values()), grid=described, **fields)


def sketched(item: dict[str, Any], sound: Any) -> dict[str, Any]:
    """A prompt whose clips are sketches; ``sound`` says which a request has, or nothing for a render."""
    for each in item["clips"]:
        if of := sound(each["request"]):
            files = {"audio": f"sketches/{each['key']}.mp3", "cover": f"sketches/{each['key']}.webp"}
            each.update(state="sketch", engine="sketch", loudness=None, sound=of, **files)
    return item


def kin(
    own: dict[str, Any], other: dict[str, Any], field: str, value: Any, words: list[list[str]] | None = None
) -> None:
    there = other["clips"][0]
    line = {
        "field": field,
        "key": there["key"],
        "prompt": other["path"],
        "title": other["title"],
        "value": value,
    }
    own["clips"][0]["kin"].append(line | ({"words": words} if words else {}))


def with_own_kin(entry: dict[str, Any]) -> dict[str, Any]:
    """A prompt whose clips know which of the others differ from them in one thing."""
    found = find_kin((each["key"], each["request"]) for each in entry["clips"])
    for each in entry["clips"]:
        each["kin"] += [
            {"field": field, "key": key, "prompt": entry["path"], "title": entry["title"], "value": value}
            for field, key, value in found.get(each["key"], [])
            if field != "prompt"
        ]
    return entry


def sample_entries() -> list[dict[str, Any]]:
    rainy = entry(
        "lofi/rainy", "lofi piano, rain on the window", title="Rainy window", tags=["lofi", "r&b"],
        author="octocat", notes="Listen to the *rain*.", date="2026-11-20",
    )  # fmt: skip
    dry = entry("lofi/dry", "lofi piano, no rain", tags=["lofi", "r-b"], author="OctoCat", date="2026-11-19")
    kin(
        rainy,
        dry,
        "prompt",
        dry["text"],
        [["=", "lofi piano, "], ["+", "no "], ["=", "rain"], ["-", " on the window"]],
    )
    kin(rainy, dry, "cfg_coef", 5.0)
    return [
        rainy,
        dry,
        with_own_kin(
            grid(
                "compare/strip", "slow waltz", [("cfg_coef", [1.0, 3.0, 5.0])],
                tags=["compare"], date="2026-11-18",
            )
        ),
        with_own_kin(
            grid(
                "compare/matrix", "boogie", [("temperature", [0.0, 1.0]), ("seed", [1, 2, 3])],
                tags=["compare"], date="2026-11-17", title="Boogie matrix",
            )
        ),
        grid(
            "compare/cube", "cube", [("seed", [1, 2]), ("temperature", [0.5, 1.0]), ("cfg_coef", [1.0, 3.0])],
        ),
        grid("compare/words", "dusty drums", [("prompt", ["dusty drums", "dusty drums, mastered"])]),
        entry(
            "compare/takes", "jazz trio",
            [
                clip("jazz trio", model="medium"),
                clip("jazz trio", model="medium", temperature=0.85, changes={"temperature": 0.85}),
            ],
        ),
        entry(
            "sound/sketched", "church bell", [clip("church bell", state="sketch", length=6.0)],
            tags=["sound effect"],
        ),
        entry(
            "compare/half", "half drawn",
            [
                clip("half drawn", changes={"seed": 1}),
                clip("half drawn", seed=2, changes={"seed": 2}, state="sketch"),
            ],
            date="2026-11-16",
        ),
        entry("sound/waiting", "thunder", [clip("thunder", state="pending", length=20.0)]),
        entry("words/japanese", "琴と尺八、ゆっくり、静かな寺の庭", tags=["日本"], title="琴と尺八"),
        entry("words/arabic", "عود هادئ في الليل مع إيقاع بطيء", title="عود"),
        entry("words/emoji", "🎷 smooth 🌃 night drive 🎹", date=""),
        entry("words/long", LONG_TEXT, title="Long"),
        entry("words/unbroken", LONG_WORD, title=LONG_WORD[:60]),
        entry("words/hostile", HOSTILE, title=HOSTILE, notes=HOSTILE_NOTES, tags=[HOSTILE], author="evil"),
    ]  # fmt: skip


def waiting_entries() -> list[dict[str, Any]]:
    """Comparisons whose takes share sketches, in every layout."""

    def one(request: dict[str, Any]) -> str:
        return "one"

    def of_seed(request: dict[str, Any]) -> str:
        return f"of seed {request['seed']}"

    two, three = [1.0, 3.0], [1.0, 3.0, 5.0]
    return [
        sketched(grid("wait/all", "brass", [("temperature", [0.5, 1.0]), ("cfg_coef", three)]), one),
        sketched(
            grid("wait/some", "tuba", [("cfg_coef", three)]),
            lambda request: "" if request["cfg_coef"] == 1 else "one",
        ),
        sketched(grid("wait/rows", "horn", [("seed", [1, 2]), ("cfg_coef", two)]), of_seed),
        sketched(grid("wait/columns", "bugle", [("cfg_coef", two), ("seed", [1, 2])]), of_seed),
        sketched(
            grid("wait/words", "slow drums", [("prompt", ["slow drums", "slow drums!", "fast drums"])]),
            lambda request: request["prompt"].strip("!"),
        ),
    ]


GUIDE = """---
title: {title}
summary: How closely the prompt is followed.
order: 1
parameter: cfg_coef
---

## In short

See [seeds](seeds.md), [nothing](nothing.md), [elsewhere](https://example.com/a) and
[bad](javascript:alert(1)).

> **Often said**
>
> *"Higher is better."* Listen.

<script>alert(2)</script>

```
[[compare/strip]]
```

[[compare/strip]]

[[compare/matrix]]

[[compare/takes]]

[[sound/sketched]]

[[sound/waiting]]

[[no/such/prompt]]

## All of them

{{{{parameters}}}}
"""


def write_guides(root: Path) -> None:
    """Guides in two languages, one of them with everything in it."""
    titles = {"en": "Guidance", "de": "Führung"}
    for language, title in titles.items():
        folder = root / "guides" / language
        folder.mkdir(parents=True)
        (folder / "guidance.md").write_text(GUIDE.format(title=title))
        (folder / "seeds.md").write_text(
            "---\ntitle: Seeds\nsummary: What a seed decides.\norder: 2\nparameter: seed\n---\nA number.\n"
        )


def make_config(root: Path, **site: Any) -> Config:
    """A gallery's settings, and a guide where it has none: those that come with the tool are many pages."""
    if not (root / "guides").exists():
        (root / "guides/en").mkdir(parents=True)
        (root / "guides/en/listening.md").write_text(galleries.GUIDE)
    models = {name: {"hub": hub, "kind": "musicgen"} for name, hub in HUBS.items()}
    return Config.model_validate(
        {"root": root, "models": models, "site": {"title": "Test gallery", "page_size": 10, **site}}
    )


def make_files(entries: list[dict[str, Any]], media: dict[float, Path]) -> dict[str, Path]:
    """Audio and covers for every clip that claims to have them."""
    files = {}
    for each in (each for item in entries for each in item["clips"] if each["audio"]):
        files[each["audio"]] = media[each["length"]]
        files[each["cover"]] = media[0]
    return files


def tree(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file with its digest and time of change, but for the list of them."""
    return {
        path.relative_to(folder).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".gallery.json"
    }
