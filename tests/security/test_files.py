"""Files that are not what they seem: links, pipes, devices, and what came with a commit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from support.galleries import Gallery, catalogue, render_all
from support.hostile import run_limited

SECRET = "---\nprompt: the secret\n---\nsecret\n"


def outside(gallery: Gallery) -> dict[Path, bytes]:
    """Every file beside the gallery, with what is in it."""
    found = gallery.root.parent.rglob("*")
    return {
        path: path.read_bytes() for path in found if path.is_file() and not path.is_relative_to(gallery.root)
    }


@pytest.fixture
def secret(gallery: Gallery) -> Path:
    """A file beside the gallery that nobody may see."""
    path = gallery.root.parent / "secret"
    path.write_text(SECRET)
    return path


def test_a_link_leads_no_reader_out(gallery: Gallery, secret: Path) -> None:
    told = ["prompts/b.md: a link out of the gallery; put the file itself here"]
    (gallery.root / "prompts/b.md").symlink_to(f"../prompts/../../{secret.name}")
    targets = ("/dev/zero", "/dev/stdin", "/proc/self/environ", "/etc/passwd", "secret", "none")
    for number, target in enumerate(targets):
        leads = secret.parent / target  # an absolute one stays what it is
        (gallery.root / f"prompts/a{number}.md").symlink_to(leads)
        (gallery.root / f"prompts/tune{number}.wav").symlink_to(leads)
        gallery.prompt(f"m{number}", f"prompt: a {number}", "model: melody", f"melody: tune{number}.wav")
        told += [
            f"prompts/a{number}.md: a link out of the gallery; put the file itself here",
            f'prompts/m{number}.md:4: melody: "tune{number}.wav" lies outside prompts/; '
            "put the file beside the prompt file",
            f"    4 | melody: tune{number}.wav",
            "      |         ^^^^^^^^^",
        ]
    ran = run_limited(gallery, "check", seconds=10)
    assert sorted(ran.stderr.splitlines()) == sorted(told)


def test_a_link_within_the_gallery_is_read(gallery: Gallery) -> None:
    gallery.prompt("a", "prompt: a")
    (gallery.root / "prompts/b.md").symlink_to("a.md")
    assert gallery.run("check").out.startswith("2 prompts in order")


MAKE = {"pipe": os.mkfifo, "folder": Path.mkdir, "loop": lambda path: path.symlink_to(path.name)}
NO_MELODY = 'prompts/m.md:4: melody: "tune.wav" does not exist; put the file beside the prompt file'
NO_FILES = {
    ("pipe", "prompts/a.md prompts/presets.yaml prompts/tune.wav"): [
        "prompts/a.md: not a file",
        "prompts/presets.yaml: not a file",
        NO_MELODY,
    ],
    ("folder", "prompts/presets.yaml prompts/tune.wav"): [
        "prompts/presets.yaml: cannot be read: Is a directory",
        NO_MELODY,
    ],
    ("loop", "prompts/a.md prompts/tune.wav"): [
        "prompts/a.md: cannot be read: Symlink loop",
        NO_MELODY.replace("does not exist", "cannot be opened"),
    ],
    ("pipe", "site/catalogue.json site/.gallery.json"): [NO_MELODY],
    ("folder", "site/catalogue.json"): [NO_MELODY],
    ("loop", "site/catalogue.json site/.gallery.json"): [NO_MELODY],
}


@pytest.mark.parametrize(("kind", "names"), NO_FILES)
def test_what_is_no_file_is_told_and_waited_for_by_nobody(gallery: Gallery, kind: str, names: str) -> None:
    (gallery.root / "site").mkdir()
    for name in names.split():
        MAKE[kind](gallery.root / name)
    gallery.prompt("m", "prompt: a", "model: melody", "melody: tune.wav")
    ran = run_limited(gallery, "build", "--engine", "none", seconds=20)
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    for said in NO_FILES[kind, names]:
        assert any(line.startswith(said) for line in ran.stderr.splitlines()), (said, ran.stderr)


def test_a_file_that_turns_into_a_pipe_is_not_waited_for(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between finding a prompt file and opening it, somebody puts a pipe in its place."""
    path = gallery.prompt("a", "prompt: a")
    opened = os.open

    def swap(name: object, *arguments: object, **options: object) -> int:
        if str(name) == str(path):
            path.unlink()
            os.mkfifo(path)
        return opened(name, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", swap)
    assert gallery.run("check").err == "prompts/a.md: not a file\n"


def test_names_that_are_one_name_elsewhere(gallery: Gallery) -> None:
    """In any case, and however their accents are written: only one spelling of a name is accepted."""
    for name in ("a.md", "a.MD", "A.md", "caf\u00e9.md", "cafe\u0301.md", "\uff41.md", "K\u212a.md"):
        gallery.write(f"prompts/{name}", "---\nprompt: a\n---\n")
    ran = gallery.run("check")
    assert ran.out.startswith("1 prompt in order")
    assert len(ran.err.splitlines()) == 6


def test_a_store_with_something_else_in_it(gallery: Gallery, secret: Path) -> None:
    gallery.prompt("a", "prompt: a", "duration: 1", "vary: {seed: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}")
    keys = render_all(gallery)
    gallery.run("build", "--engine", "none")
    shutil.rmtree(gallery.root / ".gallery")
    wrong = [(suffix, kind) for suffix in (".json", ".mp3", ".webp") for kind in ("link", "pipe", "folder")]
    for key, (suffix, kind) in zip(keys, wrong, strict=False):
        path = gallery.root / f"site/audio/{key}{suffix}"
        other = secret.with_name(f"{key}{suffix}")  # even where a link leads to what would be right
        path.rename(other)
        if kind == "link":
            path.symlink_to(other)
        else:
            MAKE[kind](path)
    before = outside(gallery)
    ran = run_limited(gallery, "build", "--engine", "none", "--output", gallery.root / "out", seconds=20)
    assert ran.returncode == 0, ran.stderr
    states = [clip["state"] for clip in catalogue(gallery, "out")["a"]["clips"]]
    assert states == ["damaged"] * 9 + ["render"]
    assert {path.stem for path in (gallery.root / "out/audio").iterdir()} == {keys[9]}
    ran = run_limited(gallery, "store", "verify", seconds=20)
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    for key, (suffix, _) in zip(keys, wrong, strict=False):
        assert f"{key}{suffix}: " in ran.stderr
    assert outside(gallery) == before


def test_a_lock_that_is_a_link_is_not_followed(gallery: Gallery, secret: Path) -> None:
    gallery.write(".gallery/.gitignore", "*")
    (gallery.root / ".gallery/build.lock").symlink_to(secret)
    ran = gallery.run("build", "--engine", "none")
    assert ran.code == 1
    assert ran.err.startswith("Error: .gallery/build.lock cannot be locked: ")
    assert secret.read_text() == SECRET


def git(gallery: Gallery, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run(["git", "-C", gallery.root, *who, *arguments], check=True, capture_output=True)


def test_renders_that_came_with_a_commit_are_not_taken(gallery: Gallery) -> None:
    """Whoever can make a pull request could put sounds of their own into the workspace."""
    gallery.prompt("a", "prompt: a", "duration: 1")
    [key] = render_all(gallery)
    git(gallery, "init", "--quiet")
    git(gallery, "add", "--force", ".")
    git(gallery, "commit", "--quiet", "--message", "one prompt")
    ran = gallery.run("build", "--engine", "none")
    assert ran.code == 1
    assert ran.err.splitlines()[-1] == (
        "Error: .gallery holds files that came with git, not from an engine on this machine; "
        "remove them: git rm -r .gallery"
    )
    assert not (gallery.root / "site/audio").exists()
    git(gallery, "rm", "-r", "--quiet", "--cached", ".gallery")
    assert gallery.run("build", "--engine", "none").code == 0
    assert (gallery.root / f"site/audio/{key}.json").is_file()


@pytest.fixture
def proposed(gallery: Gallery) -> Gallery:
    """A gallery in a repository; its workspace holds a render that nobody has committed."""
    gallery.prompt("a", "prompt: a", "duration: 1")
    render_all(gallery)
    git(gallery, "init", "--quiet")
    git(gallery, "add", "prompts", "gallery.toml")
    git(gallery, "commit", "--quiet", "--message", "one prompt")
    return gallery


def of_others(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")


def not_installed(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(gallery.root.parent / "no programs"))


def failing(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    (gallery.root.parent / "git").write_text("#!/bin/sh\nexit 3\n")
    (gallery.root.parent / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(gallery.root.parent), prepend=os.pathsep)


def damaged_index(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    gallery.write(".git/index", b"nonsense")


def no_head(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    (gallery.root / ".git/HEAD").unlink()


def leads_nowhere(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(gallery.root / ".git")
    gallery.write(".git", "gitdir: /nowhere\n")


SILENCED = {
    of_others: "dubious ownership",
    not_installed: "git is not installed, or not on the PATH",
    failing: "exit code 3",
    damaged_index: "index file",
    no_head: "not a git repository",
    leads_nowhere: "not a git repository",
}


@pytest.mark.parametrize("silence", SILENCED)
def test_where_git_cannot_tell_no_render_is_taken(
    proposed: Gallery, monkeypatch: pytest.MonkeyPatch, silence: Callable[..., None]
) -> None:
    silence(proposed, monkeypatch)
    ran = proposed.run("build", "--engine", "none")
    assert ran.code == 1
    [line] = ran.err.splitlines()
    assert line.startswith(
        f"Error: {proposed.root}/.gallery could have come with somebody's commit, and git "
    )
    assert SILENCED[silence] in line
    assert "have `git ls-files` work there, or move the gallery out of the repository" in line
    assert not list(proposed.root.glob("site/audio/*"))
    # What needs nothing of the workspace goes on.
    assert proposed.run("check").code == 0


def test_a_folder_in_no_repository_needs_no_git(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    gallery.prompt("a", "prompt: a", "duration: 1")
    render_all(gallery)
    not_installed(gallery, monkeypatch)
    ran = gallery.run("build", "--engine", "none")
    assert ran.code == 0, ran.err
    assert "1 rendered" in ran.out


def test_a_name_in_other_letters_is_the_same_folder_elsewhere(proposed: Gallery) -> None:
    """Where a file system takes .Gallery for .gallery, its files are in the workspace."""
    proposed.write(".Gallery/renders/of-others", "")
    git(proposed, "add", "--force", ".Gallery")
    assert ".gallery holds files that came with git" in proposed.run("build", "--engine", "none").err


def test_another_repository_is_not_asked(
    proposed: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever builds in a hook of another repository has that one in the environment."""
    git(proposed, "add", "--force", ".gallery")
    other = Gallery(tmp_path / "other")
    other.write("a", "")
    git(other, "init", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(proposed.root.parent))
    ran = proposed.run("build", "--engine", "none")
    assert ran.code == 1
    assert ".gallery holds files that came with git" in ran.err


def test_no_import_takes_a_render_that_came_with_a_commit(proposed: Gallery, tmp_path: Path) -> None:
    from support.others_clips import metadata, music, write_clip

    proposed.prompt("a", "prompt: a", "duration: 1", "seed: 42")
    render_all(proposed)
    git(proposed, "add", "--force", ".gallery")
    write_clip(tmp_path / "clips", "a", metadata("v2", "a"), music(), ".wav .json")
    ran = proposed.run("import", tmp_path / "clips")
    assert ran.code == 1
    assert ".gallery holds files that came with git" in ran.err
    assert not list(proposed.root.glob("site/audio/*"))


@pytest.mark.parametrize("name", ["prompts", "guides", "templates", "CONTRIBUTING.md"])
def test_a_commits_link_leads_no_folder_out(gallery: Gallery, name: str) -> None:
    gallery.prompt("a", "prompt: a", "duration: 1")
    elsewhere = gallery.root.parent / "elsewhere"
    if (gallery.root / name).exists():
        (gallery.root / name).rename(elsewhere)
    elif name == "CONTRIBUTING.md":
        elsewhere.write_text("# The secret\n")
    else:
        elsewhere.mkdir()
    (gallery.root / name).symlink_to(elsewhere)
    git(gallery, "init", "--quiet")
    git(gallery, "add", "--force", ".")
    told = f"Error: {name} is a link that came with git, and builds publish what lies there; remove it\n"
    commands: list[tuple[str, ...]] = [("build", "--engine", "none")]
    if name == "prompts":
        commands += [("check",), ("build", "--dry-run"), ("new", "--prompt", "b"), ("store", "gc")]
    before = outside(gallery)
    for command in commands:
        ran = gallery.run(*command)
        assert ran.code == 1
        assert ran.err == told
    assert outside(gallery) == before
    assert not (gallery.root / "site").exists()
    git(gallery, "rm", "--quiet", "--cached", name)  # a link of one's own may lead to another disk
    assert gallery.run("build", "--engine", "none").code == 0


@pytest.mark.parametrize("name", [".gallery", "site", "site/audio"])
def test_a_commits_link_leads_no_writer_out(gallery: Gallery, name: str) -> None:
    gallery.prompt("a", "prompt: a", "duration: 1")
    elsewhere = gallery.root.parent / "elsewhere"
    elsewhere.mkdir()
    (gallery.root / name).parent.mkdir(exist_ok=True)
    (gallery.root / name).symlink_to(elsewhere)
    git(gallery, "init", "--quiet")
    git(gallery, "add", "--force", ".")
    ran = gallery.run("build", "--engine", "sketch")
    assert ran.code == 1
    assert ran.err == f"Error: {name} is a link that came with git, and builds write there; remove it\n"
    assert not list(elsewhere.iterdir())
    git(gallery, "rm", "--quiet", "--cached", name)  # a link of one's own may lead to another disk
    assert gallery.run("build", "--engine", "sketch").code == 0


def test_a_link_in_the_site_leads_no_writer_out(gallery: Gallery, secret: Path) -> None:
    gallery.prompt("a", "prompt: a", "duration: 1")
    (gallery.root / "site").mkdir()
    links = ("guides", "index.html", ".gallery.json")
    for name in links:
        (gallery.root / "site" / name).symlink_to(secret.parent if name == "guides" else secret)
    before = outside(gallery)
    ran = gallery.run("build", "--engine", "none")
    assert ran.code == 3
    told = [line.partition(": ")[0] for line in ran.err.splitlines() if "in the way" in line]
    assert sorted(told) == [str(gallery.root / "site" / name) for name in links[:2]]
    assert outside(gallery) == before
    for name in links[:2]:
        (gallery.root / "site" / name).unlink()
    assert gallery.run("build", "--engine", "none").code == 0
    assert outside(gallery) == before


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "null", '{"files": {"../../secret": ["", 0, 0]}}'])
def test_a_workspace_full_of_nonsense_is_as_none(gallery: Gallery, secret: Path, text: str) -> None:
    gallery.prompt("a", "prompt: a", "duration: 1")
    gallery.prompt("b", "prompt: b", "seed: x")
    assert gallery.run("build", "--engine", "sketch").code == 1
    files = [
        path for path in (gallery.root / ".gallery").rglob("*") if path.is_file() and path.suffix != ".lock"
    ]
    assert len(files) >= 5
    for path in [*files, gallery.root / "site/catalogue.json"]:
        path.write_text(text)
    ran = gallery.run("build", "--engine", "sketch")
    assert ran.code == 1
    assert "1 prompt, 1 clip (1 sketched)" in ran.out
    assert secret.read_text() == SECRET


LIES_OF_ENTRIES = [
    {"clips": []},
    {"clips": "<script>"},
    {"clips": [{"key": "../../secret"}]},
    {"tags": "lofi"},
    {"date": "<script>"},
    {"title": ["a"]},
    {"grid": {"axes": [{"field": "seed", "values": [1, 2]}], "cells": ["../../secret"]}},
    {"text": None},
    {"author": {"a": 1}},
]
LIES_OF_CLIPS = [
    {"key": "../../../secret"},
    {"key": "0" * 32},
    {"id": '"><script>'},
    {"request": {}},
    {"request": {"duration": "x"}},
    {"state": "<b>"},
    {"kin": [{"field": "seed", "key": "../../x", "prompt": "../..", "title": "", "value": 1}]},
    {"kin": 5},
    {"length": float("nan")},
    {"provenance": [1]},
]


def test_what_lies_in_the_site_decides_nothing(gallery: Gallery, secret: Path) -> None:
    gallery.prompt("a", "prompt: a", "duration: 1")
    assert gallery.run("build", "--engine", "none").code == 0
    before = gallery.files("site")
    published = json.loads(before["catalogue.json"])
    [entry] = published["prompts"]
    gallery.prompt("a", "prompt: a", "seed: x")
    wrong = [{**entry, **lie} for lie in LIES_OF_ENTRIES]
    wrong += [{**entry, "clips": [{**entry["clips"][0], **lie}]} for lie in LIES_OF_CLIPS]
    for lie in wrong:
        page = gallery.write("site/catalogue.json", json.dumps({**published, "prompts": [lie]}))
        ran = gallery.run("build", "--engine", "none")
        assert ran.code == 1
        in_the_way, fault = ran.err.splitlines()
        assert in_the_way.startswith(f"{page}: in the way; ")
        assert fault == 'prompts/a.md:3: seed: "x" is not a whole number'
        page.unlink()
        gallery.run("build", "--engine", "none")
        assert gallery.files("site") == before
    assert secret.read_text() == SECRET


def test_renders_that_lie_are_told_and_stop_no_build(gallery: Gallery) -> None:
    gallery.prompt("a", "prompt: a", "duration: 1", "vary: {seed: [1, 2, 3, 4, 5, 6, 7]}")
    keys = render_all(gallery)
    folder = gallery.root / ".gallery/renders"
    about = (folder / f"{keys[0]}.json").read_text()
    (folder / f"{keys[1]}.json").write_text(about)  # of another clip
    (folder / f"{keys[2]}.json").write_text("[" * 100_000)
    lies = (folder / f"{keys[3]}.json").read_text().replace('"musicgen"', '"MusicGen <b>"')
    (folder / f"{keys[3]}.json").write_text(lies)
    lies = (folder / f"{keys[4]}.json").read_text().replace('"engine_version": 1', '"engine_version": NaN')
    (folder / f"{keys[4]}.json").write_text(lies)
    sound, _ = soundfile.read(folder / f"{keys[5]}.wav")
    soundfile.write(folder / f"{keys[5]}.wav", sound, 2**30, subtype="FLOAT")
    (folder / f"{keys[6]}.wav").write_bytes(b"<svg onload='alert(1)'/>")
    ran = gallery.run("build", "--engine", "none")
    assert ran.code == 3
    failed = [line for line in ran.err.splitlines() if line.startswith("failed: ")]
    assert len(failed) == 6
    assert all("its lossless render cannot be read" in line for line in failed)
    assert "1 rendered, 6 pending" in ran.out
