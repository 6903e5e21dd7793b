"""A share that is not mounted is not taken for a store without clips, nor written into."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gallery.config import load_config
from gallery.errors import GalleryError
from gallery.state.opening import open_state
from gallery.store.sync import sync_of
from support.galleries import Gallery, catalogue
from support.object_store import keeping, shelve

# All that looks at a store elsewhere, but for a push.
LOOKS = [
    ["build", "--engine", "sketch"],
    ["store", "pull"],
    ["store", "sync"],
    ["store", "verify"],
    ["store", "gc"],
    ["store", "remove", "0" * 32],
]
ID = 'id = "octocat/gallery"\n'


@pytest.fixture
def share(tmp_path: Path) -> Path:
    (tmp_path / "mnt").mkdir()
    return tmp_path / "mnt/share"


@pytest.fixture
def here(gallery: Gallery, share: Path, request: pytest.FixtureRequest) -> Gallery:
    """A gallery whose store is a share; with `OWNED`, one that has an id, and one that has none."""
    return keeping(gallery, f"file://{share}", getattr(request, "param", ""))


OWNED = pytest.mark.parametrize("here", ["", ID], indirect=True, ids=["nobody's", "owned"])


def unmount(share: Path, left: str) -> Path:
    """Take the share away; what is left of it: the folder that it was mounted on, or not even that."""
    share.rename(share.with_name("unmounted"))
    if left == "its folder":
        share.mkdir()
    return share.with_name("unmounted")


def below(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize(
    ("left", "lost"),
    [
        ("nothing", ""),
        ("its folder", ".gallery/state.sqlite"),
        ("its folder", ".gallery"),
        ("nothing", ".gallery"),
    ],
)
def test_a_share_that_is_not_mounted_stops_all_that_looks_at_it(
    here: Gallery, share: Path, left: str, lost: str
) -> None:
    """Whatever this machine still knows of it."""
    shelve(here, 2)
    here.run("store", "push")
    assert here.run("build", "--engine", "none").code == 0
    site, there = here.files(), unmount(share, left)
    if lost == ".gallery":
        shutil.rmtree(here.root / lost)
    elif lost:
        (here.root / lost).unlink()
    if known := lost != ".gallery":
        told = "the store that was there is gone"
        remedy = "to begin it anew there, run `gallery store push --new`"
    else:
        told, remedy = "there is no store", "if it is new, run `gallery store push`"
    state = "nothing of a store lies there" if left == "its folder" else "there is no such folder"
    line = f"Error: file://{share}: {told}, {state}; mount what it lies on, or, {remedy}\n"
    for command in [*LOOKS, *([["store", "push"]] if known else [])]:
        ran = here.run(*command)
        assert (ran.code, ran.err) == (1, line), command
    assert here.files() == site
    assert below(share) == [] and share.exists() == (left == "its folder")
    # Mounted again, all is as it was.
    shutil.rmtree(share, ignore_errors=True)
    there.rename(share)
    assert here.run("build", "--engine", "sketch").code == 0
    assert {clip["state"] for clip in catalogue(here)["many"]["clips"]} == {"render"}
    assert here.files() == site


@OWNED
def test_a_new_folder_takes_one_push(here: Gallery, share: Path) -> None:
    assert "if it is new, run `gallery store push`" in here.run("build", "--engine", "none").err
    assert here.run("store", "push").out == "0 clips pushed, 0 left here\n"
    assert here.run("build", "--engine", "none").code == 0
    keys = shelve(here, 2)
    assert here.run("build", "--engine", "none").code == 0
    assert {path.stem for path in share.glob("*.json")} == set(keys)


def test_a_folder_is_made_only_where_its_parent_is(here: Gallery, share: Path) -> None:
    shutil.rmtree(share.parent)
    shelve(here, 1)
    ran = here.run("store", "push")
    assert (ran.code, ran.err) == (
        1,
        f"Error: file://{share}: there is no file://{share.parent}; mount it, make it, or mend "
        "[store] url in gallery.toml\n",
    )
    assert not share.parent.exists()


@OWNED
def test_a_store_of_an_earlier_version_is_one_by_its_clips(here: Gallery, share: Path) -> None:
    shelve(here, 2)
    shutil.move(here.root / ".gallery/store", share)
    shutil.rmtree(here.root / ".gallery")
    before = below(share)
    assert here.run("build", "--engine", "none").code == 0
    assert {clip["state"] for clip in catalogue(here)["many"]["clips"]} == {"render"}
    assert below(share) == before
    # What is pushed to it leaves it known for one, whatever becomes of the clips.
    keys = shelve(here, 3)
    assert here.run("store", "push").out == "1 clip pushed, 0 left here\n"
    for path in below(share):
        if path.stem in keys:
            path.unlink()
    assert here.run("store", "pull").code == 0


@OWNED
def test_a_store_that_is_begun_anew_gets_all_that_is_here(here: Gallery, share: Path) -> None:
    keys = shelve(here, 2)
    here.run("store", "push")
    there = {path.name for path in below(share)}
    shutil.rmtree(share)
    assert here.run("store", "push").code == 1
    assert here.run("store", "push", "--new").out == "2 clips pushed, 0 left here\n"
    assert {path.name for path in below(share)} == there > {f"{key}.mp3" for key in keys}
    # Where there is a store, it changes nothing.
    assert here.run("store", "push", "--new").out == "0 clips pushed, 0 left here\n"


@pytest.mark.parametrize("left", ["its folder", "nothing"])
@pytest.mark.parametrize("begun", [False, True])
def test_a_share_that_goes_amid_a_build_is_not_written_below(
    here: Gallery, share: Path, left: str, begun: bool
) -> None:
    shelve(here, 1)
    here.run("store", "push")
    first, second = shelve(here, 3)[1:]
    config = load_config(here.root)
    with open_state(config.workspace) as state, sync_of(config, state) as exchange:
        assert exchange
        exchange.look(take=True)
        if begun:
            exchange.offer(first)
        there = unmount(share, left)
        exchange.offer(second)
        with pytest.raises(
            GalleryError, match="the store went away meanwhile; mount what it lies on"
        ) as told:
            exchange.push()
    assert f"{2 - begun} clip{'s' * (not begun)} still to be pushed" in told.value.format_message()
    assert below(share) == []
    assert len(list(there.glob("*.json"))) == 1 + begun


def test_what_is_known_of_stores_may_be_nonsense(here: Gallery, share: Path) -> None:
    shelve(here, 1)
    here.write(".gallery/stores-seen.txt", b"\xff\x00" * 100_000)
    assert here.run("store", "push").code == 0
    shutil.rmtree(share)
    assert "is gone" in here.run("store", "push").err
