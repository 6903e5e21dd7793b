"""The store is shared: its records may say anything, and say it to pages, terminals and logs."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from gallery.prompts.request import Request
from support.galleries import Gallery, catalogue, render_all

if TYPE_CHECKING:
    from collections.abc import Callable

Record = dict[str, Any]


def changed(**fields: Any) -> Callable[[Record], bytes]:
    return lambda record: json.dumps({**record, **fields}).encode()


def preview(**fields: Any) -> Callable[[Record], bytes]:
    return lambda record: json.dumps({**record, "preview": {**record["preview"], **fields}}).encode()


def written(old: str, new: str) -> Callable[[Record], bytes]:
    return lambda record: json.dumps(record).replace(old, new, 1).encode()


LIES: dict[str, Callable[[Record], bytes]] = {
    "nothing": lambda _: b"",
    "no JSON": lambda _: b"<svg onload='alert(1)'/>",
    "a list": lambda _: b"[]",
    "a key that is a path": changed(key="../../secret"),
    "another's key": changed(key="0" * 32),
    "another's request": lambda record: json.dumps(
        {**record, "request": {**record["request"], "seed": 99}}
    ).encode(),
    "an engine that is none": changed(engine="Sketch<b>"),
    "an engine that looks like one": changed(engine="mu\u0455icgen"),
    "a sketch": changed(engine="sketch"),
    "no engine": changed(engine=None),
    "provenance that is text": changed(provenance="<script>"),
    "a number that is none": changed(provenance={"seconds": float("nan")}),
    "a number without end": changed(provenance={"seconds": [{"a": float("inf")}]}),
    "nested without end": written('"provenance": {', '"provenance": {"a": ' + "[" * 9000 + "]" * 9000 + ", "),
    "a field of terminals and logs": changed(**{"a\x1b]0;b\x07\n::error::c ##[add-mask]d": 1}),
    "half a character": written('"provenance": {', '"provenance": {"a": "\\ud800", '),
    "a length below nothing": preview(duration=-1),
    "a length without end": preview(duration=1e308),
    "bytes below nothing": preview(bytes=-1),
    "bytes of thousands of digits": written('"bytes": ', '"bytes": ' + "9" * 5000),
    "a digest that is a path": preview(audio_sha256="../../secret"),
    "a waveform that is HTML": preview(peaks="<img src=x onerror=alert(1)>".ljust(200, "A")),
    "a waveform that is short": preview(peaks="A"),
    "more than a record has": changed(provenance={"a": "x" * 200_000}),
    "a prompt of piled marks": lambda record: json.dumps(
        {**record, "request": {**record["request"], "prompt": "a" + "\u0301" * 20_000 + "\u0316" * 20_000}},
        ensure_ascii=False,
    ).encode(),
    "another version": changed(version=2),
}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gallery, list[str]]:
    """A gallery whose clips are all in the store, and their keys."""
    gallery = Gallery(tmp_path_factory.mktemp("store") / "gallery").begin()
    seeds = ", ".join(map(str, range(1, len(LIES) + 2)))
    gallery.prompt("a", "prompt: a", "duration: 0.5", f"vary: {{seed: [{seeds}]}}")
    keys = render_all(gallery)
    assert gallery.run("build", "--engine", "none").code == 0
    shutil.rmtree(gallery.root / ".gallery")
    return gallery, keys


@pytest.fixture
def shared(rendered: tuple[Gallery, list[str]], gallery: Gallery) -> tuple[Gallery, list[str]]:
    """The same, for tests that change it."""
    shutil.copytree(rendered[0].root, gallery.root, dirs_exist_ok=True)
    return gallery, rendered[1]


def test_records_that_lie_are_not_believed(shared: tuple[Gallery, list[str]]) -> None:
    gallery, keys = shared
    for key, lie in zip(keys, LIES.values(), strict=False):
        path = gallery.root / f"site/audio/{key}.json"
        path.write_bytes(lie(json.loads(path.read_text())))
    ran = gallery.run("build", "--engine", "none")
    assert ran.code == 0, ran.err
    states = {clip["key"]: clip["state"] for clip in catalogue(gallery)["a"]["clips"]}
    assert {name: states[key] for name, key in zip(LIES, keys, strict=False)} == dict.fromkeys(
        LIES, "damaged"
    ) | {"another version": "newer"}
    assert states[keys[-1]] == "render"
    ran = gallery.run("store", "verify")
    assert ran.code == 1
    lines = ran.err.splitlines()
    assert {line.split("/site/audio/")[1][:38] for line in lines} == {f"{key}.json:" for key in keys[:-1]}
    assert len(lines) == len(LIES)
    assert all(line.isprintable() and "##[" not in line and len(line) < 500 for line in lines)


def test_what_no_prompt_asks_for_is_named_without_its_tricks(shared: tuple[Gallery, list[str]]) -> None:
    gallery, keys = shared
    words = "a\x1b]0;b\x07\r\n::error::c ##[add-mask]d \u202e"
    record = json.loads((gallery.root / f"site/audio/{keys[0]}.json").read_text())
    request = Request(**{**record["request"], "prompt": words})
    record |= {"key": request.key, "request": request.model_dump(mode="json", exclude_none=True)}
    gallery.write(f"site/audio/{request.key}.json", json.dumps(record))
    text = (gallery.root / "gallery.toml").read_text()
    gallery.write("gallery.toml", f"{text}\n[store]\ngrace_days = 0\n")
    out = gallery.run("store", "gc").out
    assert len(out.splitlines()) == 2
    assert all(line.isprintable() and "##[" not in line for line in out.splitlines())


def test_files_that_are_not_what_their_record_says_are_found(shared: tuple[Gallery, list[str]]) -> None:
    gallery, keys = shared
    gallery.write(f"site/audio/{keys[0]}.mp3", b"<html><script>alert(1)</script>")
    gallery.write(
        f"site/audio/{keys[1]}.webp", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    )
    ran = gallery.run("store", "verify")
    assert ran.code == 1
    assert len(ran.err.splitlines()) == 2
    assert f"{keys[0]}.mp3: not what its record says" in ran.err
    assert f"{keys[1]}.webp: not what its record says" in ran.err


def test_a_cover_is_opened_as_a_small_webp_or_not_at_all(
    shared: tuple[Gallery, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cards are drawn from covers. Pillow reads many kinds of files, one of them by starting a program."""
    gallery, keys = shared
    text = (gallery.root / "gallery.toml").read_text()
    gallery.write("gallery.toml", text.replace("[site]", '[site]\nbase_url = "https://example.org/"', 1))
    covers = {
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 480 96\n%%EndComments\n(x) run\n",
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='480' height='96'/>",
        "cut": (gallery.root / f"site/audio/{keys[0]}.webp").read_bytes()[:60],
    }
    for kind, size in (("png", (480, 96)), ("webp", (9000, 2000)), ("gif", (480, 96)), ("tiff", (480, 96))):
        path = gallery.root / f"cover.{kind}"
        Image.new("L", size).save(path)
        covers[kind] = path.read_bytes()
    begun: list[str] = []
    opened = Image.open

    def watch(*arguments: Any, **options: Any) -> Any:
        image = opened(*arguments, **options)
        begun.append(image.format)
        load = image.load
        monkeypatch.setattr(image, "load", lambda: (begun.append(f"loaded {image.size}"), load())[1])
        return image

    monkeypatch.setattr(Image, "open", watch)
    for number, (kind, data) in enumerate(covers.items()):
        gallery.prompt("a", "prompt: a", "duration: 0.5", f"vary: {{seed: [{number + 1}]}}")
        gallery.write(f"site/audio/{keys[number]}.webp", data)
        ran = gallery.run("build", "--engine", "none")
        assert ran.code == 0, (kind, ran.err)
        card = gallery.root / "site/prompts/a/card.jpg"
        assert opened(card).size == (1200, 630), kind
    assert set(begun) <= {"WEBP"}
