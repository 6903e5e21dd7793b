"""The workspace in another place, `GALLERY_WORKSPACE`: used for everything, by one gallery, or refused."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from support.galleries import Gallery, render_all

VARIABLE = "GALLERY_WORKSPACE"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place that isn't there yet, named by the environment."""
    folder = tmp_path / "machine/workspace"
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


@pytest.fixture
def filled(gallery: Gallery) -> Gallery:
    gallery.prompt("rain", "prompt: rain on a tin roof", "duration: 1")
    return gallery


def test_everything_lies_there_and_nothing_in_the_gallery(filled: Gallery, elsewhere: Path) -> None:
    filled.prompt("flute", "prompt: slow flute", "duration: 1")
    [key] = render_all(filled, "rain")
    (elsewhere / "build.lock").touch()  # as a build leaves it
    ran = filled.run("build", "--engine", "sketch")
    assert ran.code == 0, ran.err
    assert "1 rendered, 1 sketched" in ran.out
    assert (filled.root / f"site/audio/{key}.mp3").is_file(), "the lossless render there was taken"
    assert not (filled.root / ".gallery").exists()
    there = {path.name for path in elsewhere.iterdir()}
    assert {"state.sqlite", "build.lock", "renders", "sketches", "belongs-to.txt"} <= there
    # Nothing to do is seen there, too: the first build has left a sketch's page, the second nothing.
    filled.run("build", "--engine", "sketch")
    again = filled.run("build", "--engine", "sketch")
    assert "0 files written" in again.out
    assert f"ok  workspace    {elsewhere}" in filled.run("doctor").out


def test_a_workspace_that_moves_is_taken_along(
    filled: Gallery, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    [key] = render_all(filled)
    assert filled.run("build", "--engine", "none").code == 0
    elsewhere.parent.mkdir()
    shutil.move(filled.root / ".gallery", elsewhere)
    shutil.rmtree(filled.root / "site")
    monkeypatch.setenv(VARIABLE, str(elsewhere))
    ran = filled.run("build", "--engine", "none")
    assert ran.code == 0, ran.err
    assert (filled.root / f"site/audio/{key}.mp3").is_file()
    # The gallery may move as well: then nobody is where the workspace belonged to.
    moved = Gallery(filled.root.with_name("moved"))
    filled.root.rename(moved.root)
    assert moved.run("build", "--engine", "none").code == 0
    assert (elsewhere / "belongs-to.txt").read_text() == f"{moved.root}\n"


def test_two_galleries_share_none(filled: Gallery, elsewhere: Path, tmp_path: Path) -> None:
    assert filled.run("build", "--engine", "none", "--output", tmp_path / "out").code == 0
    second = Gallery(tmp_path / "second").begin()
    second.prompt("flute", "prompt: slow flute")
    for command in (["build", "--engine", "none", "--output", tmp_path / "out"], ["build", "--dry-run"]):
        ran = second.run(*command)
        assert ran.code == 1
        told = f"is {elsewhere}, the workspace of the gallery in {filled.root}; name another"
        assert ran.err == f"Error: {VARIABLE} {told}\n"
    assert told in second.run("doctor").out
    assert (elsewhere / "belongs-to.txt").read_text() == f"{filled.root}\n"


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("relative/place", "no whole path; name a folder from / on"),
        ("{root}", "in the gallery, or around it; name a folder elsewhere"),
        ("{root}/prompts/x", "in the gallery, or around it; name a folder elsewhere"),
        ("{root}/..", "in the gallery, or around it; name a folder elsewhere"),
        ("{tmp}/inward/x", "in the gallery, or around it; name a folder elsewhere"),
        ("{tmp}/full", "neither empty nor a workspace; name a new folder"),
        ("{tmp}/file", "which cannot be used: Not a directory"),
        ("{tmp}/circle", "which cannot be used: "),
    ],
)
def test_a_place_that_cannot_be_used_is_told(
    filled: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, told: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/letters.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "inward").symlink_to(filled.root)
    before = filled.files(".")
    named = place.format(root=filled.root, tmp=tmp_path)
    monkeypatch.setenv(VARIABLE, named)
    ran = filled.run("build", "--engine", "none")
    assert ran.code == 1
    [line] = ran.err.splitlines()
    assert line.startswith(f"Error: {VARIABLE} is {named}, {told}"), line
    assert filled.files(".") == before
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["letters.txt"]


def test_a_place_that_cannot_be_made_is_told(filled: Gallery, elsewhere: Path) -> None:
    elsewhere.parent.write_text("mine")
    ran = filled.run("build", "--engine", "none")
    assert (ran.code, ran.err) == (1, f"Error: {elsewhere}: Not a directory\n")


def test_an_empty_name_is_none(filled: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    assert filled.run("build", "--engine", "none").code == 0
    assert (filled.root / ".gallery/state.sqlite").is_file()


def test_checks_need_no_workspace(filled: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "not there"
    monkeypatch.setenv(VARIABLE, str(place))
    assert filled.run("check").code == 0
    assert not place.exists()


@pytest.mark.parametrize("root", ["above it", "the workspace itself"])
def test_renders_that_came_with_a_commit_are_refused_there_too(
    filled: Gallery, elsewhere: Path, root: str
) -> None:
    render_all(filled)
    (elsewhere / "build.lock").touch()
    git = ["git", "-C", str(elsewhere.parent if root == "above it" else elsewhere)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "--all"], check=True)
    ran = filled.run("build", "--engine", "none")
    assert ran.code == 1
    assert "workspace holds files that came with git" in ran.err
    assert not list(filled.root.glob("site/audio/*"))
