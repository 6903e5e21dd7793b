"""`gallery store gc` takes what nobody asks for, and never more than somebody can have meant."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from support.branches import commit, git
from support.galleries import SETTINGS, Gallery, render_all
from support.object_store import shelve

DAY = 86_400


def settings(gallery: Gallery, **store: object) -> None:
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in store.items())
    gallery.write("gallery.toml", f"{SETTINGS}\n[store]\n{lines}")


def aged(gallery: Gallery, days: float, *names: str, record: bool = True) -> None:
    """Have all clips, or those of these keys, as if they had come so many days ago."""
    then = time.time() - days * DAY
    told = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(then))
    for folder in ("site/audio", ".gallery/renders"):
        for path in (gallery.root / folder).glob("*"):
            if names and path.stem not in names:
                continue
            if record and path.suffix == ".json" and folder == "site/audio":
                about = json.loads(path.read_text())
                about["provenance"]["date"] = told
                path.write_text(json.dumps(about))
            os.utime(path, (then, then))


def clips(gallery: Gallery, folder: str = "site/audio") -> set[str]:
    return {path.stem for path in (gallery.root / folder).glob("*.json")}


@pytest.fixture
def old(gallery: Gallery) -> tuple[Gallery, list[str]]:
    """Six clips of one prompt, a hundred days old, and their keys."""
    settings(gallery)
    keys = shelve(gallery, 6, folder="site/audio")
    aged(gallery, 100)
    return gallery, keys


def ask_for(gallery: Gallery, *seeds: int) -> None:
    gallery.prompt("many", "prompt: drums", "duration: 1", f"vary: {{seed: {list(seeds)}}}")


@pytest.mark.parametrize("asked", [(), (0,), (0, 1)])
def test_where_less_than_half_would_remain_the_number_has_to_be_named(
    old: tuple[Gallery, list[str]], asked: tuple[int, ...]
) -> None:
    gallery, keys = old
    (gallery.root / "prompts/many.md").unlink()
    if asked:
        ask_for(gallery, *asked)
    left = len(keys) - len(asked)
    listed = gallery.run("store", "gc")
    assert listed.code == 0
    assert f"{left} clips, 0 leftovers, " in listed.out
    assert f"`gallery store gc --remove {left}`" in listed.out
    before = gallery.files("site/audio")
    ran = gallery.run("store", "gc", "--remove")
    assert ran.code == 1
    assert "less than half of all clips would remain, so nothing was removed" in ran.err
    assert f"`gallery store gc --remove {left}`" in ran.err
    for wrong in (left - 1, left + 1, 0):
        ran = gallery.run("store", "gc", "--remove", wrong)
        assert ran.code == 1
        assert f"{left} clips listed, not {wrong}; nothing was removed" in ran.err
    assert gallery.run("store", "gc", "--remove", "all").code == 2
    assert gallery.files("site/audio") == before
    assert gallery.run("store", "gc", "--remove", left).code == 0
    assert len(clips(gallery)) == len(asked)


def test_the_harmless_case_needs_no_number_and_its_size_is_told(old: tuple[Gallery, list[str]]) -> None:
    gallery, keys = old
    ask_for(gallery, 0, 1, 2)
    size = sum(
        path.stat().st_size for key in keys[3:] for path in (gallery.root / "site/audio").glob(f"{key}.*")
    )
    ran = gallery.run("store", "gc", "--remove")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[-1] == f"3 clips, 0 leftovers, {-(-size // 1000)} KB removed"
    assert size > 60_000
    assert clips(gallery) == set(keys[:3])
    assert gallery.run("store", "gc").out == "0 clips, 0 leftovers, 0 KB\n"


def test_lossless_renders_have_the_brake_too(gallery: Gallery) -> None:
    settings(gallery)
    ask_for(gallery, 1, 2, 3, 4)
    keys = render_all(gallery)
    aged(gallery, 100)
    ask_for(gallery, 1)
    assert gallery.run("store", "gc", "--remove").code == 1
    assert clips(gallery, ".gallery/renders") == set(keys)
    gallery.write(".gallery/renders/my own.wav", b"not of a key")
    ran = gallery.run("store", "gc", "--remove", 3)
    assert ran.code == 0, ran.err
    assert clips(gallery, ".gallery/renders") == {keys[0]}
    assert (gallery.root / ".gallery/renders/my own.wav").is_file()


def test_a_clip_and_its_lossless_render_are_one(gallery: Gallery) -> None:
    settings(gallery)
    ask_for(gallery, 1, 2)
    keys = render_all(gallery)
    gallery.run("build", "--engine", "none")
    aged(gallery, 100)
    ask_for(gallery, 2)
    assert gallery.run("store", "gc", "--remove").out.splitlines()[-1].startswith("1 clip, 0 leftovers, ")
    assert clips(gallery) == clips(gallery, ".gallery/renders") == {keys[1]}


def test_sketches_are_no_clips(gallery: Gallery) -> None:
    settings(gallery)
    ask_for(gallery, 1, 2, 3)
    gallery.run("build", "--engine", "sketch")
    (gallery.root / "prompts/many.md").unlink()
    ran = gallery.run("store", "gc", "--remove")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[-1].startswith("0 clips, 3 leftovers, ")
    assert not clips(gallery, ".gallery/sketches")


def test_what_came_just_now_stays(old: tuple[Gallery, list[str]]) -> None:
    gallery, keys = old
    ask_for(gallery, 0, 1, 2)
    aged(gallery, 13, keys[3])
    aged(gallery, 15, keys[4])
    aged(gallery, 1, keys[5], record=False)  # made long ago, as its tool says, and imported yesterday
    ran = gallery.run("store", "gc", "--remove")
    assert "2 clips of no prompt came less than 14 days ago and stay: [store] grace_days" in ran.err
    assert clips(gallery) == {*keys[:4], keys[5]}
    settings(gallery, grace_days=0)
    assert gallery.run("store", "gc", "--remove").code == 0
    assert clips(gallery) == set(keys[:3])


def test_a_checkout_makes_no_clip_younger(old: tuple[Gallery, list[str]], tmp_path: Path) -> None:
    """All its files are as old as the checkout: what git has it can give back, and records have a date."""
    gallery, keys = old
    aged(gallery, 1, keys[5])
    git(gallery.root, "init", "--quiet")
    commit(gallery.root)
    git(tmp_path, "clone", "--quiet", gallery.root, "clone")
    clone = Gallery(tmp_path / "clone")
    ask_for(clone, 0, 1, 2)
    assert clone.run("store", "gc", "--remove").code == 0
    assert clips(clone) == {*keys[:3], keys[5]}


def test_what_cannot_be_read_is_not_collected(old: tuple[Gallery, list[str]]) -> None:
    """It may be of a later version, or be mended; and whatever it is, a prompt's clip stays."""
    gallery, keys = old
    ask_for(gallery, 0, 1, 2, 3)
    broken = {keys[0]: "{", keys[4]: "{", keys[5]: json.dumps({"version": 2})}
    for key, text in broken.items():
        (gallery.root / f"site/audio/{key}.json").write_text(text)
    settings(gallery, grace_days=0)
    before = gallery.files("site/audio")
    ran = gallery.run("store", "gc", "--remove")
    assert ran.code == 0, ran.err
    assert ran.out == "0 clips, 0 leftovers, 0 KB removed\n"
    assert gallery.files("site/audio") == before
    for key in keys[4:]:
        assert f"{key}.json: not a clip that can be read, so it stays" in ran.err


def test_what_other_branches_ask_for_stays(old: tuple[Gallery, list[str]]) -> None:
    gallery, keys = old
    git(gallery.root, "init", "--quiet", "--initial-branch", "main")
    commit(gallery.root)
    for branch, seed in (("one", 3), ("two", 4)):
        git(gallery.root, "switch", "--quiet", "--create", branch)
        ask_for(gallery, 0, seed)
        commit(gallery.root)
    git(gallery.root, "switch", "--quiet", "main")
    ask_for(gallery, 0, 1, 2)
    ran = gallery.run("store", "gc", "--keep-refs", "one", "two", "HEAD~0")
    assert ran.out == "0 clips, 0 leftovers, 0 KB\n"
    ran = gallery.run("store", "gc", "--keep-refs", "one", "--keep-refs", "two", "--remove")
    assert ran.code == 0, ran.err
    assert clips(gallery) == set(keys[:5])
    ran = gallery.run("store", "gc", "--keep-refs", "three")
    assert ran.code == 1
    assert 'git knows no commit "three" here' in ran.err
    assert gallery.run("store", "gc", "one").code == 2


@pytest.mark.parametrize("what", ["a fault", "no gallery"])
def test_a_branch_that_cannot_be_read_stops_it(old: tuple[Gallery, list[str]], what: str) -> None:
    gallery, keys = old
    git(gallery.root, "init", "--quiet", "--initial-branch", "main")
    commit(gallery.root)
    git(gallery.root, "switch", "--quiet", "--create", "other")
    if what == "a fault":
        gallery.prompt("many", "prompt: drums", "seed: x")
    else:
        (gallery.root / "gallery.toml").unlink()
    commit(gallery.root)
    git(gallery.root, "switch", "--quiet", "main")
    ask_for(gallery, 0, 1, 2)
    ran = gallery.run("store", "gc", "--keep-refs", "other", "--remove")
    assert ran.code == 1
    assert ('prompts/many.md:3: seed: "x"' if what == "a fault" else '"other" has no gallery here') in ran.err
    assert clips(gallery) == set(keys)


@pytest.fixture
def shared(gallery: Gallery, tmp_path: Path) -> tuple[Gallery, Gallery]:
    """Two galleries at one place elsewhere, four clips of the first in it."""
    made = Gallery(tmp_path / "other"), gallery
    for number, one in enumerate(made):
        settings(one, url=f"file://{tmp_path}/shared", id=f"octocat/{number}", grace_days=0)
    shelve(made[0], 4)
    return made


def test_a_store_elsewhere_belongs_to_one_gallery(shared: tuple[Gallery, Gallery], tmp_path: Path) -> None:
    one, two = shared
    assert one.run("store", "push").out == "4 clips pushed, 0 left here\n"
    assert (tmp_path / "shared/gallery-id.txt").read_text() == "octocat/0\n"
    before = {path.name for path in (tmp_path / "shared").iterdir()}
    shelve(two, 6)
    for command in (["gc"], ["gc", "--remove", 4], ["push"]):
        ran = two.run("store", *command)
        assert ran.code == 1
        assert (
            'belongs to the gallery "octocat/0", and this one is "octocat/1"; name another place' in ran.err
        )
    settings(two, url=f"file://{tmp_path}/shared", grace_days=0)
    assert "this one has no [store] id in gallery.toml" in two.run("store", "gc").err
    assert {path.name for path in (tmp_path / "shared").iterdir()} == before
    # What all clones of a gallery have in common says that they are one.
    clone = Gallery(shutil.copytree(one.root, tmp_path / "clone", ignore=shutil.ignore_patterns(".gallery")))
    assert clone.run("store", "pull").code == 0
    assert clone.run("store", "gc").out == "0 clips, 0 leftovers, 0 KB\n"
    # Where no id is set, the repository's address is it.
    text = SETTINGS.replace("[site]", '[site]\nrepository = "https://github.com/octocat/one/"', 1)
    one.write("gallery.toml", f'{text}\n[store]\nurl = "file://{tmp_path}/new"\n')
    assert one.run("store", "push").code == 0
    assert (tmp_path / "new/gallery-id.txt").read_text() == "https://github.com/octocat/one\n"


def test_in_a_store_that_nobody_has_claimed_nothing_goes_unnamed(
    shared: tuple[Gallery, Gallery], tmp_path: Path
) -> None:
    one, _ = shared
    settings(one, url=f"file://{tmp_path}/shared", grace_days=0)
    assert one.run("store", "push").code == 0
    ask_for(one, 0, 1, 2)
    assert "1 clip, 0 leftovers" in one.run("store", "gc").out
    ran = one.run("store", "gc", "--remove")
    assert ran.code == 1
    assert '[store] id = "octocat/gallery"; nothing was removed' in ran.err
    assert len(list((tmp_path / "shared").glob("*.json"))) == 4
    settings(one, url=f"file://{tmp_path}/shared", grace_days=0, id="octocat/0")
    assert one.run("store", "gc", "--remove").code == 0
    assert len(list((tmp_path / "shared").glob("*.json"))) == 3
    assert (tmp_path / "shared/gallery-id.txt").is_file()


def test_elsewhere_the_time_of_a_clip_is_the_one_that_it_has_there(
    shared: tuple[Gallery, Gallery], tmp_path: Path
) -> None:
    one, _ = shared
    one.run("store", "push")
    settings(one, url=f"file://{tmp_path}/shared", id="octocat/0")
    ask_for(one, 0, 1, 2)
    there = tmp_path / "shared"
    for path in there.glob("*.json"):
        about = json.loads(path.read_text())
        about["provenance"]["date"] = "2020-01-01T00:00:00Z"
        path.write_text(json.dumps(about))
    assert "1 clip of no prompt came less than 14 days ago" in one.run("store", "gc").err
    for path in there.iterdir():
        os.utime(path, (10**9, 10**9))
    shutil.rmtree(one.root / ".gallery")  # the mirror's files are as old as the pull
    assert "1 clip, 0 leftovers" in one.run("store", "gc").out
