"""What a branch is compared with: any commit, read from git, whatever is in it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from support.branches import Branch, commit, git, make_branch
from support.galleries import SETTINGS, Gallery


@pytest.fixture
def branch(tmp_path: Path) -> Branch:
    return make_branch(tmp_path)


def test_it_is_the_same_uncommitted_staged_and_committed(branch: Branch) -> None:
    branch.prompt("lofi/snow", "prompt: lofi snow")
    branch.prompt("lofi/rain", "prompt: lofi rain", "duration: 4")
    (branch.root / "prompts/fx/bell.md").unlink()
    untracked = branch.since().out
    git(branch.root, "add", "--all", ".")
    staged = branch.since().out
    commit(branch.root)
    assert untracked == staged == branch.since().out
    assert "1 prompt added, 1 prompt changed, 1 prompt removed" in staged
    assert "0 prompts added, 0 prompts changed, 0 prompts removed" in branch.since(ref="HEAD").out


def test_nothing_of_the_repository_is_changed(branch: Branch) -> None:
    branch.prompt("lofi/snow", "prompt: lofi snow")
    (branch.root / "prompts/edm/rise.md").unlink()
    os.utime(branch.root / "prompts/fx/bell.md", (1e9, 1e9))  # git would refresh its index
    before = branch.files("../..")
    branch.since()
    assert branch.files("../..") == before


def test_links_are_followed_within_the_commit_and_never_out_of_it(branch: Branch, tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("---\nprompt: the secret\n---\n")
    prompts = branch.root / "prompts"
    (prompts / "link.md").symlink_to("lofi/rain.md")
    (prompts / "chain.md").symlink_to("link.md")
    (prompts / "loop.md").symlink_to("loop.md")
    (prompts / "out.md").symlink_to(secret)
    (prompts / "far.md").symlink_to("../../../../secret.md")
    (prompts / "folder").symlink_to("lofi")
    start = commit(branch.root)
    for name in ("loop", "out", "far"):
        (prompts / f"{name}.md").unlink()
    assert branch.since(ref=start).out.splitlines()[1:2] == [
        "  0 prompts added, 0 prompts changed, 0 prompts removed"
    ]
    branch.prompt("lofi/rain", "prompt: lofi rain", "duration: 2", "tags: [lofi]", notes="Two.")
    told = branch.since(ref=start).out
    for name in ("chain", "link", "lofi/rain"):
        assert f"prompts/{name}.md (lofi rain): notes; costs nothing" in told


def test_names_in_a_commit_cannot_leave_the_folder_they_are_written_to(
    branch: Branch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = branch.root.parent.parent
    blob = git(root, "hash-object", "-w", "--stdin", stdin="---\nprompt: escaped\n---\n")
    tree = git(root, "mktree", stdin=f"100644 blob {blob}\tescaped.md\n")
    for _ in range(3):
        tree = git(root, "mktree", stdin=f"040000 tree {tree}\t..\n")
    settings = git(root, "hash-object", "-w", branch.root / "gallery.toml")
    entries = f"040000 tree {tree}\tprompts\n100644 blob {settings}\tgallery.toml\n"
    for name in ("gallery", "music"):
        entries = f"040000 tree {git(root, 'mktree', stdin=entries)}\t{name}\n"
    evil = git(root, "commit-tree", "-m", "evil", git(root, "mktree", stdin=entries))
    assert "prompts/../../../escaped.md" in git(branch.root, "ls-tree", "-r", "--name-only", evil)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "deep" / "temporary"))
    (tmp_path / "deep" / "temporary").mkdir(parents=True)
    monkeypatch.setattr("tempfile.tempdir", None)
    assert "3 prompts added, 0 prompts changed, 0 prompts removed" in branch.since(ref=evil).out
    assert [path.name for path in (tmp_path / "deep").rglob("*")] == ["temporary"]


def test_files_that_git_does_not_know_yet_change_prompts_too(branch: Branch) -> None:
    branch.prompt("a/preset", "prompt: a", "preset: calm", "duration: 1")
    branch.prompt("a/melody", "prompt: a", "model: melody", "melody: tune.wav", "duration: 1")
    start = commit(branch.root)
    branch.write("prompts/presets.yaml", "calm:\n  cfg_coef: 2\n")
    soundfile.write(branch.root / "prompts/a/tune.wav", np.zeros(800), 8000)
    assert "2 prompts added, 0 prompts changed, 0 prompts removed" in branch.since(ref=start).out


def test_names_that_are_hard_to_list(branch: Branch) -> None:
    for name in (
        "README.md",
        'a "quoted" line\nbreak.txt',
        "ünï code.wav",
        "-dash.png",
        "back\\slash.ogg",
        "C:.mp3",
    ):
        branch.write(f"prompts/odd/{name}", b"x")
    start = commit(branch.root)
    branch.write('prompts/odd/a "quoted" line\nbreak.txt', b"y")
    branch.prompt("lofi/snow", "prompt: lofi snow", "duration: 1")
    assert "1 prompt added, 0 prompts changed, 0 prompts removed" in branch.since(ref=start).out


def test_prompts_that_lie_over_another_commit(branch: Branch) -> None:
    """As a workflow has them that runs the code of one branch on the prompts of another."""
    git(branch.root, "branch", "base")
    branch.prompt("lofi/snow", "prompt: lofi snow", "duration: 1")
    commit(branch.root)
    git(branch.root, "branch", "proposed")
    git(branch.root, "checkout", "--quiet", "base")
    git(branch.root, "restore", "--source=proposed", "--", "prompts/")
    told = branch.since(ref="proposed^").out
    assert "1 prompt added, 0 prompts changed, 0 prompts removed" in told


def test_a_commit_without_this_gallery(branch: Branch) -> None:
    root = branch.root.parent.parent
    empty = git(root, "commit-tree", "-m", "empty", git(root, "mktree"))
    assert "3 prompts added" in branch.since(ref=empty).out


def test_a_commit_whose_settings_cannot_be_used(branch: Branch) -> None:
    branch.write("gallery.toml", SETTINGS + "[site]\n")
    wrong = commit(branch.root)
    branch.write("gallery.toml", SETTINGS)
    ran = branch.run("build", "--dry-run", "--since", wrong)
    assert ran.code == 1
    assert (
        f"Error: the gallery of commit {wrong[:12]} cannot be read: gallery.toml: not valid TOML" in ran.err
    )


def test_line_ends_that_git_converts_are_no_change(branch: Branch) -> None:
    branch.write("prompts/.gitattributes", "*.md text eol=crlf\n")
    start = commit(branch.root)
    for path in (branch.root / "prompts").rglob("*.md"):
        path.unlink()
    git(branch.root, "checkout", "--", ".")
    assert b"\r\n" in (branch.root / "prompts/lofi/rain.md").read_bytes()
    branch.prompt("fx/bell", "prompt: church bell", "model: audiogen", "duration: 2", "\r")
    assert "0 prompts added, 0 prompts changed, 0 prompts removed" in branch.since(ref=start).out


def refused(gallery: Gallery, ref: str) -> str:
    ran = gallery.run("build", "--dry-run", "--since", ref)
    assert ran.code == 1
    assert ran.out == ""
    return ran.err


def test_what_git_cannot_tell_is_said_in_one_line(
    branch: Branch, gallery: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ref in ("nowhere", "0" * 40, "--output=x", "--all", "--since=now", "", "HEAD:music", "a\nb"):
        assert refused(branch, ref).startswith("Error: git knows no commit "), ref
    assert f"Error: {gallery.root} is in no git repository that can be read (" in refused(gallery, "HEAD")
    commit(branch.root)
    shallow = Gallery(tmp_path / "shallow" / "music" / "gallery")
    repository = branch.root.parent.parent
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository}", "shallow")
    assert "only a part of the history; fetch the rest: git fetch --unshallow" in refused(
        shallow, branch.start
    )
    rain = git(branch.root, "rev-parse", "HEAD:./prompts/lofi/rain.md")
    (repository / ".git/objects" / rain[:2] / rain[2:]).unlink()
    (branch.root / "prompts/lofi/rain.md").unlink()
    assert f"the git repository lacks the object {rain}" in refused(branch, "HEAD")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refused(branch, "HEAD") == "Error: git is not installed, or not on the PATH\n"
