"""A clip that is damaged or of a newer version is told, shown as that, and left as it is."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from support import only_this_machine
from support.galleries import Gallery, Ran, catalogue, render_all
from support.replicate_stand_in import TOKEN, StandIn, settings

SUFFIXES = (".json", ".mp3", ".webp")


class Damage(NamedTuple):
    """What was done to a clip: to which of its files, how, and what is said of it."""

    suffix: str
    apply: Callable[[Path], object]
    words: str
    state: str = "damaged"


def rewritten(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(change(path.read_bytes()))


def flipped(data: bytes) -> bytes:
    return data[:100] + bytes([data[100] ^ 1]) + data[101:]


def linked(path: Path) -> None:
    """Even where a link leads to what would be right."""
    elsewhere = path.parent.parent.parent / path.name
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 16000\n"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"

KINDS = {
    "a truncated record": Damage(".json", rewritten(lambda data: data[: len(data) // 2]), "not a record"),
    "a record of version 2": Damage(
        ".json",
        rewritten(lambda data: json.dumps({**json.loads(data), "version": 2, "new": [1]}).encode()),
        "a record of version 2, of a newer version of the tool; update",
        "newer",
    ),
    "a record that is no JSON": Damage(".json", rewritten(lambda _: SVG), "not a record"),
    "a record of another key": Damage(
        ".json",
        rewritten(lambda data: json.dumps({**json.loads(data), "key": "0" * 32}).encode()),
        "the record of another request",
    ),
    "a record that is a link": Damage(".json", linked, "a link, which no clip is"),
    "a record that cannot be read": Damage(".json", lambda _: None, "cannot be read: Input/output error"),
    "a record that is too large": Damage(
        ".json", rewritten(lambda data: data + b" " * 100_000), "larger than 100 KB"
    ),
    "a record that is a pointer": Damage(".json", rewritten(lambda _: POINTER), "a Git LFS pointer"),
    "a record that is a folder": Damage(".json", lambda path: (path.unlink(), path.mkdir()), "not a file"),
    "a lost MP3": Damage(".mp3", Path.unlink, "missing"),
    "an MP3 that is a link": Damage(".mp3", linked, "a link, which no clip is"),
    "an MP3 that cannot be read": Damage(".mp3", lambda _: None, "cannot be read: Input/output error"),
    "an empty MP3": Damage(".mp3", rewritten(lambda _: b""), "not what its record says: 0 bytes"),
    "a flipped bit": Damage(".mp3", rewritten(flipped), "not what its record says"),
    "an MP3 that is a pointer": Damage(".mp3", rewritten(lambda _: POINTER), "a Git LFS pointer"),
    "swapped MP3s": Damage(".mp3", lambda _: None, "not what its record says"),
    "a lost cover": Damage(".webp", Path.unlink, "missing"),
    "an SVG for a cover": Damage(".webp", rewritten(lambda _: SVG), "not what its record says"),
}


def in_store(gallery: Gallery) -> dict[str, bytes | str]:
    """All that lies in the store, links as where they lead."""
    top = gallery.root / "site/audio"
    return {
        path.name: str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
        for path in top.iterdir()
    }


@pytest.fixture(scope="module")
def service() -> Iterator[StandIn]:
    stand_in = StandIn()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPLICATE_API_TOKEN", TOKEN)
        patch.setenv("REPLICATE_BASE_URL", stand_in.address)
        only_this_machine.install()
        yield stand_in
        only_this_machine.remove()
    stand_in.http.shutdown()
    stand_in.http.server_close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gallery, list[str]]:
    """A gallery whose clips are all in the store and nowhere else, and their keys."""
    gallery = Gallery(tmp_path_factory.mktemp("whole") / "gallery")
    settings(gallery)
    seeds = ", ".join(map(str, range(1, len(KINDS) + 3)))
    gallery.prompt("drums", "prompt: drums", "model: large", "duration: 0.5", f"vary: {{seed: [{seeds}]}}")
    keys = render_all(gallery)
    assert gallery.run("build", "--engine", "none").code == 0
    shutil.rmtree(gallery.root / ".gallery")
    return gallery, keys


@pytest.fixture
def few(whole: tuple[Gallery, list[str]], gallery: Gallery) -> tuple[Gallery, list[str]]:
    """Three of its clips, for tests that change them."""
    shutil.copytree(whole[0].root / "site/audio", gallery.root / "site/audio")
    settings(gallery)
    gallery.prompt("drums", "prompt: drums", "model: large", "duration: 0.5", "vary: {seed: [1, 2, 3]}")
    for key in whole[1][3:]:
        for suffix in SUFFIXES:
            (gallery.root / f"site/audio/{key}{suffix}").unlink()
    return gallery, whole[1][:3]


@dataclass
class Aftermath:
    """What each command said and did in a gallery in which each clip but the last one is damaged."""

    gallery: Gallery
    keys: dict[str, str]
    good: str
    ran: dict[str, Ran]
    before: dict[str, bytes | str]
    after: dict[str, bytes | str]
    paid: list[str]
    built_by_strict: bool


@pytest.fixture(scope="module")
def aftermath(
    whole: tuple[Gallery, list[str]], service: StandIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Aftermath]:
    gallery = Gallery(tmp_path_factory.mktemp("damaged") / "gallery")
    gallery.root.mkdir()
    for name in ("gallery.toml", "prompts"):
        source = whole[0].root / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, gallery.root / name)
    shutil.copytree(whole[0].root / "site/audio", gallery.root / "site/audio")
    keys = dict(zip(KINDS, whole[1], strict=False))
    *_, partner, good = whole[1]
    store = gallery.root / "site/audio"
    unreadable = {
        store / f"{keys[name]}{damage.suffix}" for name, damage in KINDS.items() if "cannot be read" in name
    }
    swapped = store / f"{keys['swapped MP3s']}.mp3"
    swapped.rename(store / "swapped")
    (store / f"{partner}.mp3").rename(swapped)
    (store / "swapped").rename(store / f"{partner}.mp3")
    for name, damage in KINDS.items():
        damage.apply(store / f"{keys[name]}{damage.suffix}")
    before = in_store(gallery)
    read = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path in unreadable:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return read(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "read_bytes", read_bytes)
        ran = {"strict": gallery.run("build", "--engine", "sketch", "--strict")}
        built = (gallery.root / "site/index.html").exists()
        for name, command in {
            "build": ("build", "--engine", "sketch"),
            "again": ("build", "--engine", "sketch"),
            "replicate": ("build", "--engine", "replicate", "--yes"),
            "dry run": ("build", "--engine", "replicate", "--dry-run"),
            "check": ("check",),
            "strict check": ("check", "--strict"),
            "check of a file": ("check", "--strict", gallery.root / "prompts/drums.md"),
            "verify": ("store", "verify"),
            "gc": ("store", "gc", "--remove"),
        }.items():
            ran[name] = gallery.run(*command)
    yield Aftermath(gallery, keys, good, ran, before, in_store(gallery), service.asked, built)


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_told_and_left_as_it_is(aftermath: Aftermath, kind: str) -> None:
    key, damage, ran = aftermath.keys[kind], KINDS[kind], aftermath.ran
    name = f"{key}{damage.suffix}"
    for command in set(ran) - {"verify", "gc"}:
        [line] = [line for line in ran[command].err.splitlines() if key in line]
        assert line.startswith(f"{damage.state}: {aftermath.gallery.root}/site/audio/{name}: "), command
        assert damage.words in line
        assert line.endswith(f"or give the clip up: gallery store remove {key}")
        assert ("restore it from git" in line) == (damage.state == "damaged")
    assert {name: ran[name].code for name in ran} == {
        "strict": 1,
        "build": 0,
        "again": 0,
        "replicate": 0,
        "dry run": 0,
        "check": 0,
        "strict check": 1,
        "check of a file": 1,
        "verify": 1,
        "gc": 0,
    }
    assert any(f"{name}: {damage.words}" in line for line in ran["verify"].err.splitlines())
    assert key not in ran["gc"].out
    own = [f"{key}{suffix}" for suffix in SUFFIXES]
    assert [aftermath.after.get(name) for name in own] == [aftermath.before.get(name) for name in own]


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_shown_and_not_played(aftermath: Aftermath, kind: str) -> None:
    key, state = aftermath.keys[kind], KINDS[kind].state
    clips = {clip["key"]: clip for clip in catalogue(aftermath.gallery)["drums"]["clips"]}
    assert (clips[key]["state"], clips[key]["audio"], clips[key]["cover"]) == (state, "", "")
    assert clips[aftermath.good]["state"] == "render"
    site = aftermath.gallery.root / "site"
    assert not (site / "sketches").exists()
    assert f"{key}.mp3" not in (site / "prompts/drums/index.html").read_text()


def test_damage_costs_no_money_and_strict_builds_nothing(aftermath: Aftermath) -> None:
    assert aftermath.paid == []
    assert not aftermath.built_by_strict
    assert (
        "nothing built; 0 faults, 0 warnings; 19 clips of the store not usable" in aftermath.ran["strict"].out
    )
    assert "(1 rendered, 18 damaged, 1 of a newer version)" in aftermath.ran["again"].out
    assert "to render                0 clips" in aftermath.ran["dry run"].out
    page = (aftermath.gallery.root / "site/prompts/drums/index.html").read_text()
    for words in ("<b>Damaged:</b>", "<b>Made by a newer version:</b>", 'aria-label="Damaged: seed 1"'):
        assert words in page
    filters = (aftermath.gallery.root / "site/prompts/index.html").read_text()
    for state, label in (("damaged", "damaged"), ("newer", "made by a newer version")):
        assert f'value="{state}"' in filters
        assert f"{label}</" in filters
    assert aftermath.before == aftermath.after


def spoil(gallery: Gallery, key: str, suffix: str = ".mp3") -> Path:
    path = gallery.root / f"site/audio/{key}{suffix}"
    path.write_bytes(flipped(path.read_bytes()))
    return path


def states(gallery: Gallery) -> list[str]:
    return [clip["state"] for clip in catalogue(gallery)["drums"]["clips"]]


def test_what_is_restored_gives_the_same_site_again(few: tuple[Gallery, list[str]]) -> None:
    gallery, keys = few
    gallery.run("build", "--engine", "sketch")
    before = gallery.files()
    path = spoil(gallery, keys[0])
    gallery.run("build", "--engine", "sketch")
    assert states(gallery) == ["damaged", "render", "render"]
    path.write_bytes(before[f"audio/{path.name}"])
    ran = gallery.run("build", "--engine", "sketch", "--strict")
    assert (ran.code, ran.err) == (0, "")
    assert gallery.files() == before


def test_a_lossless_render_mends_what_is_damaged_and_nothing_newer(few: tuple[Gallery, list[str]]) -> None:
    gallery, keys = few
    good = in_store(gallery)
    newer = gallery.root / f"site/audio/{keys[2]}.json"
    newer.write_text(json.dumps({**json.loads(newer.read_text()), "version": 2}))
    spoil(gallery, keys[0])
    (gallery.root / f"site/audio/{keys[1]}.json").write_text("{")
    before = in_store(gallery)
    render_all(gallery)
    assert gallery.run("build", "--engine", "none").code == 0
    assert states(gallery) == ["render", "render", "newer"]
    after = in_store(gallery)
    assert after[f"{keys[0]}.mp3"] == good[f"{keys[0]}.mp3"]
    assert all(after[f"{keys[2]}{suffix}"] == before[f"{keys[2]}{suffix}"] for suffix in SUFFIXES)
    assert gallery.run("store", "verify").out == "3 clips, 1 problem\n"


def test_what_was_given_up_is_absent(few: tuple[Gallery, list[str]]) -> None:
    gallery, keys = few
    spoil(gallery, keys[0])
    before = in_store(gallery)
    for asked in ([keys[1]], [keys[0], keys[1]], ["../../gallery"], ["0" * 32]):
        ran = gallery.run("store", "remove", *asked)
        assert ran.code == 1
        assert "is no key of a clip that is damaged or of a newer version; nothing was removed" in ran.err
        assert in_store(gallery) == before
    ran = gallery.run("store", "remove", keys[0])
    assert (ran.code, ran.out) == (0, "1 clip removed; the next build renders what prompts ask for\n")
    assert {name[:32] for name in in_store(gallery)} == set(keys[1:])
    gallery.run("build", "--engine", "sketch")
    assert states(gallery) == ["sketch", "render", "render"]


def test_files_without_a_record_are_absent(few: tuple[Gallery, list[str]]) -> None:
    gallery, keys = few
    for suffix in (".json", ".webp"):
        (gallery.root / f"site/audio/{keys[0]}{suffix}").unlink()
    assert gallery.run("check", "--strict").code == 0
    assert gallery.run("build", "--engine", "sketch", "--strict").code == 0
    assert states(gallery) == ["sketch", "render", "render"]
    render_all(gallery)
    gallery.run("build", "--engine", "none")
    assert states(gallery) == ["render"] * 3
    assert gallery.run("store", "verify").out == "3 clips, 0 problems\n"


def test_sketches_are_made_anew_whatever_is_wrong_with_them(gallery: Gallery) -> None:
    wrong = [
        *((suffix, change) for suffix in SUFFIXES for change in ("a byte", "nothing")),
        (".mp3", "a link"),
        (".mp3", "a folder"),
    ]
    seeds = ", ".join(map(str, range(len(wrong) + 1)))
    gallery.prompt("drums", "prompt: drums", "duration: 0.5", f"vary: {{seed: [{seeds}]}}")
    gallery.run("build", "--engine", "sketch")
    good = gallery.files(".gallery/sketches")
    keys = sorted({name[:32] for name in good})
    newer = gallery.root / f".gallery/sketches/{keys.pop()}.json"
    newer.write_text(json.dumps({**json.loads(newer.read_text()), "version": 2}))
    for key, (suffix, change) in zip(keys, wrong, strict=True):
        path = gallery.root / f".gallery/sketches/{key}{suffix}"
        data = path.read_bytes()
        path.unlink()
        if change == "a link":
            path.symlink_to(gallery.write(f"elsewhere/{path.name}", data))
        elif change == "a folder":
            path.mkdir()
        elif change == "a byte":
            path.write_bytes(flipped(data))
    ran = gallery.run("build", "--engine", "sketch", "--strict")
    assert (ran.code, ran.err.splitlines()[1:]) == (0, [])
    assert "9 clips (9 sketched)" in ran.out
    assert {name: data for name, data in gallery.files(".gallery/sketches").items() if name in good} == good
    assert not any(path.is_symlink() for path in (gallery.root / ".gallery/sketches").iterdir())


def test_an_unchanged_store_costs_stamps_alone(
    few: tuple[Gallery, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery, keys = few
    for path in (gallery.root / "site/audio").iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))
    gallery.run("build", "--engine", "none")
    looked: list[str] = []
    read = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path.parent.name == "audio":
            looked.append(path.name)
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    gallery.prompt("more", "prompt: more", "duration: 0.5")
    for command in (["build", "--engine", "none"], ["check"]):
        assert gallery.run(*command).code == 0
    assert looked == []
    gallery.run("build", "--dry-run")  # reads of all records how long renders took
    assert all(name.endswith(".json") for name in looked)
    looked.clear()
    (gallery.root / f"site/audio/{keys[0]}.mp3").touch()
    gallery.run("check")
    assert set(looked) == {f"{keys[0]}{suffix}" for suffix in SUFFIXES}


def test_damage_that_keeps_size_and_time_is_found(few: tuple[Gallery, list[str]]) -> None:
    gallery, keys = few
    path = gallery.root / f"site/audio/{keys[0]}.mp3"
    os.utime(path, (1_700_000_000, 1_700_000_000))
    gallery.run("build", "--engine", "none")
    with path.open("r+b") as file:
        file.write(b"\0")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert gallery.run("build", "--engine", "none", "--strict").code == 1


def test_a_collection_leaves_what_is_newer(few: tuple[Gallery, list[str]]) -> None:
    gallery, keys = few
    newer = gallery.root / f"site/audio/{keys[2]}.json"
    newer.write_text(json.dumps({**json.loads(newer.read_text()), "version": 2}))
    gallery.prompt("drums", "prompt: drums", "model: large", "duration: 0.5", "vary: {seed: [1, 2]}")
    assert gallery.run("store", "gc").out.startswith("0 clips")
