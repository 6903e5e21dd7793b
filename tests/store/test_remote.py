"""A store in a bucket: what one machine has finished, every other one has, and nothing is ever half there."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gallery.config import load_config
from gallery.state.opening import open_state
from gallery.store.sync import sync_of
from support import COMMAND
from support.galleries import SETTINGS, Gallery, catalogue, render_all
from support.object_store import ENVIRONMENT, Bucket, ObjectStore, keeping, shelve


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    store = ObjectStore()
    yield store
    store.kill()


@pytest.fixture
def bucket(
    object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Bucket:
    for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": object_store.address}.items():
        monkeypatch.setenv(name, value)
    return Bucket(object_store, re.sub("[^a-z0-9]+", "-", request.node.name)[:60].strip("-"))


@pytest.fixture
def here(gallery: Gallery, bucket: Bucket) -> Gallery:
    return keeping(gallery, bucket.url)


def clone(gallery: Gallery, folder: Path) -> Gallery:
    """What another machine gets of a gallery: what is in git."""
    for name in ("gallery.toml", "guides", "prompts"):
        source, target = gallery.root / name, folder / name
        folder.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    return Gallery(folder)


def start(gallery: Gallery, *args: str) -> subprocess.Popen[str]:
    command = [COMMAND, "--gallery", gallery.root, *args]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(bucket: Bucket, objects: int) -> None:
    deadline = time.monotonic() + 20
    while len(bucket.names()) < objects:
        assert time.monotonic() < deadline, "the push doesn't get on"
        time.sleep(0.02)


def test_what_one_machine_renders_another_shows_without_rendering(
    here: Gallery, bucket: Bucket, tmp_path: Path
) -> None:
    here.prompt("rain", "prompt: lofi rain", "duration: 1")
    here.prompt("rise", "prompt: edm rise", "duration: 1", "vary: {cfg_coef: [1, 3]}")
    keys = render_all(here)
    ran = here.run("build", "--engine", "none")
    assert ran.code == 0, ran.err
    assert bucket.keys() == set(keys)
    assert len(bucket.names()) == 3 * len(keys)
    assert bucket.broken() == []
    other = clone(here, tmp_path / "other")
    ran = other.run("build", "--engine", "none")
    assert "2 prompts, 3 clips" in ran.out
    assert {clip["state"] for entry in catalogue(other).values() for clip in entry["clips"]} == {"render"}
    assert other.files() == here.files()
    assert not (other.root / ".gallery/renders").exists()
    for gallery in (here, other):
        assert gallery.run("store", "verify").out == "3 clips, 0 problems\n"
    assert "0 files written" in other.run("build", "--engine", "none").out
    bucket.remove(f"{keys[0]}.json")
    here.run("build", "--engine", "none")
    assert bucket.keys() == set(keys)
    # What is rendered here, a machine that has built already gets as well.
    here.prompt("bell", "prompt: church bell", "duration: 1")
    other.prompt("bell", "prompt: church bell", "duration: 1")
    render_all(here, "bell")
    here.run("build", "--engine", "none")
    other.run("build", "--engine", "none")
    assert catalogue(other)["bell"]["clips"][0]["state"] == "render"


def test_with_an_audio_url_only_records_are_fetched(here: Gallery, bucket: Bucket, tmp_path: Path) -> None:
    keys = shelve(here, 4)
    assert here.run("store", "push").out == "4 clips pushed, 0 left here\n"
    other = clone(here, tmp_path / "other")
    keeping(other, bucket.url, 'audio_url = "https://audio.example.org"\n')
    ran = other.run("build", "--engine", "none")
    assert ran.code == 0, ran.err
    [entry] = catalogue(other).values()
    assert {clip["audio"] for clip in entry["clips"]} == {
        f"https://audio.example.org/{key}.mp3" for key in keys
    }
    assert set(other.files(".gallery/store")) == {f"{key}.json" for key in keys}
    assert other.run("store", "verify").out == "4 clips, 0 problems\n"
    assert "0 records and the audio of 4 clips pulled" in other.run("store", "pull").out
    assert other.files(".gallery/store") == here.files(".gallery/store")
    # A clip that is gone there is gone here, where nothing but its record was kept.
    audio = other.root / f".gallery/store/{keys[0]}.mp3"
    audio.unlink()
    for suffix in (".json", ".mp3", ".webp"):
        bucket.remove(f"{keys[0]}{suffix}")
    other.run("build", "--engine", "none")
    assert not audio.with_suffix(".json").exists()


def test_a_server_killed_in_mid_push_costs_nothing(here: Gallery, bucket: Bucket) -> None:
    keys = shelve(here, 20)
    with bucket.watched():
        push = start(here, "store", "push")
        wait_for(bucket, 12)
        bucket.store.kill()
        _, told = push.communicate(timeout=60)
        bucket.store.start()
        assert push.returncode == 1
        assert "Traceback" not in told
        assert "Unclosed" not in told
        [line] = [line for line in told.splitlines() if "cannot be used" in line]
        assert bucket.url in line
        assert "`gallery store push` goes on" in told
        assert 0 <= len(bucket.keys()) < 20
        assert bucket.broken() == []
        ran = here.run("store", "push")
    assert ran.code == 0, ran.err
    assert bucket.keys() == set(keys)
    assert bucket.broken() == []
    assert here.run("store", "verify").out == "20 clips, 0 problems\n"


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_a_push_killed_or_interrupted_goes_on(here: Gallery, bucket: Bucket, blow: signal.Signals) -> None:
    keys = shelve(here, 24)
    push = start(here, "store", "push")
    wait_for(bucket, 12)
    push.send_signal(blow)
    _, told = push.communicate(timeout=30)
    assert "Traceback" not in told
    assert push.returncode == (130 if blow == signal.SIGINT else -9)
    before = len(bucket.keys())
    assert before < 24
    assert here.run("store", "push").out == f"{24 - before} clips pushed, 0 left here\n"
    assert bucket.keys() == set(keys)
    assert bucket.broken() == []


def test_two_pushes_at_once_of_different_renders_leave_one_whole_clip_of_each(
    here: Gallery, bucket: Bucket, tmp_path: Path
) -> None:
    keys = shelve(here, 8)
    other = clone(here, tmp_path / "other")
    shelve(other, 8, b"noise")
    with bucket.watched():
        pushes = [start(here, "store", "push"), start(other, "store", "push")]
        told = [push.communicate(timeout=60) for push in pushes]
    assert {push.returncode for push in pushes} <= {0, 3}, told
    assert bucket.keys() == set(keys)
    assert bucket.broken() == []
    for gallery in (here, other):
        assert gallery.run("store", "sync").code == 0
        assert gallery.files(".gallery/store") == {name: bucket.get(name) for name in bucket.names()}


def test_a_push_that_comes_too_late_changes_nothing(here: Gallery, bucket: Bucket, tmp_path: Path) -> None:
    keys = shelve(here, 3)
    other = clone(here, tmp_path / "other")
    shelve(other, 3, b"noise")
    config = load_config(other.root)
    with open_state(config.workspace) as state, sync_of(config, state) as exchange:
        assert exchange
        exchange.look(take=False)
        # Between the other's look and its push: two clips come, and a third one's audio.
        here.run("store", "push")
        good = {name: bucket.get(name) for name in bucket.names()}
        bucket.remove(f"{keys[2]}.json")
        bucket.remove(f"{keys[2]}.webp")
        assert exchange.push() == 0
    assert set(exchange.conflicts) == set(keys)
    assert "`gallery store gc --remove` clears away" in exchange.conflicts[keys[2]]
    assert bucket.names() == set(good) - {f"{keys[2]}.json", f"{keys[2]}.webp"}
    assert all(bucket.get(name) == good[name] for name in bucket.names())
    assert here.run("store", "push").out == "1 clip pushed, 0 left here\n"
    assert {name: bucket.get(name) for name in bucket.names()} == good


def test_of_two_renders_of_a_clip_the_first_one_stays(here: Gallery, bucket: Bucket, tmp_path: Path) -> None:
    [key] = shelve(here, 1)
    other = clone(here, tmp_path / "other")
    shelve(other, 1, b"noise")
    here.run("store", "push")
    first = bucket.get(f"{key}.mp3")
    ran = other.run("store", "push")
    assert "0 clips pushed" in ran.out
    assert f"{key}.json: another render of this clip, which stays there" in ran.err
    assert bucket.get(f"{key}.mp3") == first
    assert other.run("store", "verify").code == 1
    ran = other.run("build", "--engine", "none")
    assert f"{key}.json: another render of this clip, which has taken its place here" in ran.err
    assert (other.root / f"site/audio/{key}.mp3").read_bytes() == first


def test_previews_of_new_settings_replace_those_of_old_ones(here: Gallery, bucket: Bucket) -> None:
    here.prompt("rain", "prompt: lofi rain", "duration: 1")
    [key] = render_all(here)
    here.run("build", "--engine", "none")
    before = bucket.get(f"{key}.mp3")
    store = f'\n[store]\nurl = "{bucket.url}"\n'
    here.write("gallery.toml", f"{SETTINGS}{store}\n[preview]\nloudness = -20\n")
    ran = here.run("build", "--engine", "none")
    assert ran.code == 0, ran.err
    assert bucket.get(f"{key}.mp3") != before
    assert bucket.broken() == []
    assert "0 files written" in here.run("build", "--engine", "none").out


def test_a_hostile_bucket_does_no_harm(here: Gallery, bucket: Bucket, tmp_path: Path) -> None:
    keys = shelve(here, 8)
    here.run("store", "push")
    good = {name: bucket.get(name) for name in bucket.names()}
    record = json.loads(bucket.get(f"{keys[0]}.json"))
    lies = {
        keys[0]: (".mp3", bucket.get(f"{keys[0]}.mp3")[::-1]),  # another sound of the same length
        keys[1]: (".webp", b"x" * 2_000_000),
        keys[2]: (".json", b"{}"),
        keys[3]: (".json", b" " * 200_000),
        keys[4]: (".json", json.dumps({**record, "key": keys[4]}).encode()),  # of another request
        keys[5]: (".json", bucket.get(f"{keys[5]}.json").replace(b'"bytes": ', b'"bytes": 9')),
        keys[6]: (".webp", b""),
    }
    for key, (suffix, data) in lies.items():
        bucket.put(f"{key}{suffix}", data)
    for name in (
        "../escaped.mp3",
        "index.html",
        f"{keys[7]}.html",
        f"{keys[7].upper()}.json",
        "x" * 32 + ".json",
    ):
        bucket.put(name, b"<script>")
    bucket.put(f"{'0' * 32}.json", good[f"{keys[7]}.json"])
    bucket.put(f"{'1' * 32}.json", b"")
    # More than any clip is, and its record says so.
    huge = json.loads(good[f"{keys[6]}.json"])
    huge["preview"] |= {"bytes": 33_000_000, "audio_sha256": hashlib.sha256(bytes(33_000_000)).hexdigest()}
    bucket.put(f"{keys[6]}.json", json.dumps(huge).encode())
    bucket.put(f"{keys[6]}.mp3", bytes(33_000_000))
    other = clone(here, tmp_path / "other")
    around = {path for path in tmp_path.rglob("*") if not path.is_relative_to(other.root)}
    ran = other.run("build", "--engine", "none")
    assert ran.code == 0, ran.err
    assert {path for path in tmp_path.rglob("*") if not path.is_relative_to(other.root)} == around
    assert set(other.files(".gallery/store")) == {
        f"{keys[7]}{suffix}" for suffix in (".json", ".mp3", ".webp")
    } | {f"{keys[0]}.json"}
    for key in lies:
        assert any(
            f"/{key}" in line and f"gallery store remove {key}" in line for line in ran.err.splitlines()
        )
    assert "(1 rendered, 7 damaged)" in ran.out
    assert other.run("build", "--engine", "none", "--strict").code == 1
    assert other.run("store", "verify").code == 1
    # The machine that has the clips adds what is missing, and overwrites nothing.
    foreign = bucket.names() - set(good)
    assert len(foreign) == 7
    bucket.remove(f"{keys[0]}.mp3")
    before = {name: bucket.get(name) for name in bucket.names()}
    ran = here.run("store", "push")
    assert (ran.code, ran.out) == (3, "1 clip pushed, 6 left here\n")
    assert {name: bucket.get(name) for name in bucket.names()} == {
        **before,
        f"{keys[0]}.mp3": good[f"{keys[0]}.mp3"],
    }
    # What was given up is pushed; what is not the store's own stays as it is.
    assert here.run("store", "remove", *keys[1:7]).code == 0
    assert here.run("store", "push").out == "6 clips pushed, 0 left here\n"
    assert {name: bucket.get(name) for name in good} == good
    assert bucket.names() == set(good) | foreign


def told(lines: str) -> list[str]:
    """Those on clips that cannot be used."""
    return [line for line in lines.splitlines() if "gallery store remove" in line]


def test_what_is_damaged_or_newer_elsewhere_is_neither_rendered_nor_pushed_over(
    here: Gallery, bucket: Bucket, tmp_path: Path
) -> None:
    keys = shelve(here, 4)
    here.run("store", "push")
    record = bucket.get(f"{keys[0]}.json")
    bucket.put(f"{keys[0]}.json", json.dumps({**json.loads(record), "version": 2}).encode())
    bucket.put(f"{keys[1]}.json", bucket.get(f"{keys[1]}.json")[:300])
    audio = bucket.get(f"{keys[2]}.mp3")
    bucket.remove(f"{keys[2]}.mp3")
    before = {name: bucket.get(name) for name in bucket.names()}
    other = clone(here, tmp_path / "other")

    def states() -> list[str]:
        return [clip["state"] for clip in catalogue(other)["many"]["clips"]]

    assert other.run("build", "--engine", "sketch", "--strict").code == 1
    ran = other.run("build", "--engine", "sketch")
    assert ran.code == 0
    assert states() == ["newer", "damaged", "damaged", "render"]
    for key, name, words in (
        (keys[0], f"newer: {bucket.url}/{keys[0]}.json: ", "a record of version 2"),
        (keys[1], f"damaged: {bucket.url}/{keys[1]}.json: ", "not a record"),
        (keys[2], f"damaged: {bucket.url}/{keys[2]}.mp3: ", "missing; `gallery store push`"),
    ):
        [line] = [line for line in ran.err.splitlines() if key in line]
        assert line.startswith(name + words)
        assert line.endswith(f"or give the clip up: gallery store remove {key}")
    # Where the public plays what lies there, that is what counts.
    keeping(here, bucket.url, 'audio_url = "https://audio.example.org"\n')
    ran = here.run("build", "--engine", "none", "--strict")
    assert (ran.code, len(told(ran.err))) == (1, 3)
    # A lossless render mends the clip here, and overwrites nothing there.
    render_all(other, "many")
    assert other.run("build", "--engine", "none").code == 0
    assert states() == ["newer", "render", "render", "render"]
    assert {name: bucket.get(name) for name in bucket.names()} == before
    # The machine that has the clips whole adds what is missing, and nothing else.
    ran = keeping(here, bucket.url).run("build", "--engine", "none")
    assert ran.code == 0
    assert [line.split(": ")[0] for line in told(ran.err)] == ["damaged", "newer"]
    assert {name: bucket.get(name) for name in bucket.names()} == before | {f"{keys[2]}.mp3": audio}


def test_a_damaged_mirror_is_mended_from_elsewhere(here: Gallery, bucket: Bucket) -> None:
    keys = shelve(here, 3)
    here.run("store", "push")
    good = here.files(".gallery/store")
    here.write(f".gallery/store/{keys[0]}.mp3", b"x" * len(good[f"{keys[0]}.mp3"]))
    here.write(f".gallery/store/{keys[1]}.json", b"{")
    newer = json.dumps({**json.loads(good[f"{keys[2]}.json"]), "version": 2}).encode()
    here.write(f".gallery/store/{keys[2]}.json", newer)
    assert here.run("check", "--strict").code == 1
    ran = here.run("build", "--engine", "none")
    assert [line.split(": ")[0] for line in told(ran.err)] == ["newer"]
    assert here.files(".gallery/store") == good | {f"{keys[2]}.json": newer}
    assert len(bucket.names()) == 9
    # Nor is it pushed where there is none.
    for suffix in (".json", ".mp3", ".webp"):
        bucket.remove(f"{keys[2]}{suffix}")
    for command, code in (("push", 3), ("pull", 3)):
        ran = here.run("store", command)
        assert (ran.code, len(told(ran.err))) == (code, 1)
    assert len(bucket.names()) == 6


def test_gc_removes_in_the_bucket_what_no_prompt_asks_for(here: Gallery, bucket: Bucket) -> None:
    keeping(here, bucket.url, 'id = "octocat/gallery"\n')
    keys = shelve(here, 3)
    here.run("store", "push")
    bucket.put("readme.txt", b"not a clip")
    shutil.rmtree(here.root / ".gallery")
    here.prompt("many", "prompt: drums", "duration: 1", "vary: {seed: [1, 2]}")
    # Made long ago, and in the bucket since just now.
    bucket.put(f"{keys[0]}.json", bucket.get(f"{keys[0]}.json").replace(b"2026-11-20", b"2020-11-20"))
    assert "1 clip of no prompt came less than 14 days ago" in here.run("store", "gc").err
    keeping(here, bucket.url, 'id = "octocat/gallery"\ngrace_days = 0\n')
    bucket.remove(f"{keys[2]}.json")
    listed = here.run("store", "gc")
    assert f'{bucket.url}/{keys[0]}.json: no prompt asks for "drums"' in listed.out
    assert f"{bucket.url}/{keys[2]}.webp: files without a record" in listed.out
    assert "1 clip, 1 leftover, " in listed.out
    assert len(bucket.names()) == 10
    here.run("store", "gc", "--remove")
    kept = {f"{keys[1]}{suffix}" for suffix in (".json", ".mp3", ".webp")}
    assert bucket.names() == kept | {"readme.txt", "gallery-id.txt"}
    assert here.run("store", "gc").out.startswith("0 clips, 0 leftovers")


def test_a_finished_clip_goes_off_before_the_build_ends(here: Gallery, bucket: Bucket) -> None:
    here.prompt(
        "many", "prompt: drums", "duration: 8", f"vary: {{seed: [{', '.join(map(str, range(1, 15)))}]}}"
    )
    render_all(here)
    build = start(here, "build", "--engine", "none")
    wait_for(bucket, 6)
    build.kill()
    build.communicate(timeout=30)
    assert 0 < len(bucket.keys()) < 14
    assert not (here.root / "site/index.html").exists()
    assert bucket.broken() == []


def test_an_unreachable_store_is_said_in_a_line_and_loses_nothing(here: Gallery, bucket: Bucket) -> None:
    keys = shelve(here, 2)
    here.run("store", "push")
    shelve(here, 3)
    before = here.files("")
    bucket.store.kill()
    try:
        ran = here.run("build", "--engine", "none")
        assert ran.code == 1
        assert len(ran.err.splitlines()) == 1
        assert f"{bucket.url} cannot be used" in ran.err
        # What needs no network goes on without it.
        assert here.run("check").code == 0
        planned = here.run("build", "--dry-run")
        assert planned.code == 0
        assert bucket.url in planned.err
        after = here.files("")
        assert {name: after[name] for name in before if "state.sqlite" not in name} == {
            name: data for name, data in before.items() if "state.sqlite" not in name
        }
    finally:
        bucket.store.start()
    assert here.run("build", "--engine", "none").code == 0
    assert bucket.keys() > set(keys)


def test_a_bucket_that_is_not_there_is_not_taken_for_an_empty_store(here: Gallery) -> None:
    keeping(here, "s3://no-such-bucket/clips")
    here.prompt("rain", "prompt: lofi rain", "duration: 1")
    ran = here.run("build", "--engine", "sketch")
    assert ran.code == 1
    assert "there is no no-such-bucket; make it, or mend [store] url" in ran.err
    assert not (here.root / "site").exists()


def test_a_bucket_that_was_a_store_is_not_taken_for_a_new_one(here: Gallery, bucket: Bucket) -> None:
    """Whatever it is that became of its clips; one that is new needs nothing."""
    keys = shelve(here, 2)
    here.run("store", "push")
    for name in bucket.names():
        bucket.remove(name)
    (here.root / ".gallery/state.sqlite").unlink()
    for command in (["build", "--engine", "sketch"], ["store", "push"]):
        ran = here.run(*command)
        assert (ran.code, ran.err) == (
            1,
            f"Error: {bucket.url}: the store that was there is gone, nothing of a store lies there; mend "
            "[store] url in gallery.toml, or, to begin it anew there, run `gallery store push --new`\n",
        )
    assert bucket.names() == set()
    assert here.run("store", "push", "--new").out == "2 clips pushed, 0 left here\n"
    assert bucket.keys() == set(keys)
    # Giving up the last clip leaves a store.
    for key in keys:
        bucket.put(f"{key}.json", b"{")
    assert here.run("store", "remove", *keys).code == 0
    assert here.run("store", "pull").code == 0


def test_a_file_is_not_taken_for_an_empty_store(here: Gallery, tmp_path: Path) -> None:
    (tmp_path / "clips").write_text("x")
    keeping(here, f"file://{tmp_path}/clips")
    here.prompt("rain", "prompt: lofi rain", "duration: 1")
    ran = here.run("build", "--engine", "sketch")
    assert ran.code == 1
    assert "clips is a file; [store] url in gallery.toml names a folder" in ran.err
    assert not (here.root / "site").exists()


def test_clips_that_came_with_git_are_not_pushed(here: Gallery, bucket: Bucket) -> None:
    shelve(here, 1)
    for command in (["init", "-q"], ["add", "-f", "."]):
        subprocess.run(["git", "-C", here.root, *command], check=True)
    for command in (["store", "push"], ["build", "--engine", "none"]):
        ran = here.run(*command)
        assert ran.code == 1
        assert ".gallery holds files that came with git" in ran.err
    assert bucket.names() == set()


def test_any_place_that_fsspec_knows(gallery: Gallery, tmp_path: Path) -> None:
    keeping(gallery, f"file://{tmp_path}/shared/clips")
    keys = shelve(gallery, 3)
    (tmp_path / "shared").mkdir()
    assert gallery.run("store", "push").out == "3 clips pushed, 0 left here\n"
    assert len(list((tmp_path / "shared/clips").iterdir())) == 10
    other = clone(gallery, tmp_path / "other")
    assert "3 records and the audio of 3 clips pulled, 0 clips left out" in other.run("store", "pull").out
    assert other.files(".gallery/store") == gallery.files(".gallery/store")
    (tmp_path / f"shared/clips/{keys[0]}.json").unlink()
    assert gallery.run("store", "sync").out.endswith("1 clip pushed, 0 left here\n")
    assert other.run("store", "verify").out == "3 clips, 0 problems\n"
    # Audio whose record a killed build didn't come to write is not taken for another's.
    (other.root / f".gallery/store/{keys[1]}.json").unlink()
    (other.root / f".gallery/store/{keys[1]}.mp3").write_bytes(b"old")
    assert other.run("store", "pull").code == 0
    assert other.files(".gallery/store") == gallery.files(".gallery/store")
    (tmp_path / f"shared/clips/{keys[1]}.mp3").write_bytes(b"")
    shutil.rmtree(other.root / ".gallery")
    assert other.run("store", "pull").code == 3


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("gs://bucket/clips", "its driver is not installed: run `gallery setup gcs`"),
        ("nowhere://x", "nowhere"),
        ("sftp://me:secret@host/clips", "holds a password"),
        ("simplecache::s3://bucket/clips", "cannot be chained"),
    ],
)
def test_an_address_that_cannot_be_used(gallery: Gallery, url: str, words: str) -> None:
    ran = keeping(gallery, url).run("store", "pull")
    assert ran.code == 1
    assert words in ran.err
    assert "secret" not in ran.err


def test_a_folder_is_neither_pushed_nor_pulled(gallery: Gallery) -> None:
    for command in ("push", "pull", "sync"):
        ran = gallery.run("store", command)
        assert ran.code == 1
        assert "the store is a folder here, site/audio" in ran.err


def test_no_thread_is_left_beside_which_pages_could_not_be_made_by_all_cores(
    here: Gallery, bucket: Bucket
) -> None:
    before = set(threading.enumerate())
    shelve(here, 2)
    assert here.run("store", "sync").code == 0
    assert {
        thread for thread in threading.enumerate() if thread not in before and "fsspec" in thread.name
    } == set()
