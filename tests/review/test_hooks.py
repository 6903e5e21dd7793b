"""The hooks for pre-commit, run by pre-commit itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from support import ROOT
from support.galleries import SETTINGS, Gallery

PROGRAMS = Path(sys.executable).parent


def run(gallery: Gallery, *command: object) -> subprocess.CompletedProcess[str]:
    """Run a program in the gallery's repository, whatever repository or hook the tests themselves run in."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    mine |= {
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(gallery.root.parent / "cache"),
        "GIT_AUTHOR_NAME": "test",
        "GIT_AUTHOR_EMAIL": "test@example.org",
        "GIT_COMMITTER_NAME": "test",
        "GIT_COMMITTER_EMAIL": "test@example.org",
    }
    return subprocess.run(
        list(map(str, command)), cwd=gallery.root, env=mine, capture_output=True, text=True, check=False
    )


def published() -> dict[str, Any]:
    """The hook for other galleries, with the program that is installed here instead of a download."""
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    return hook | {"language": "system"}


def own() -> dict[str, Any]:
    """This repository's hook of the same name."""
    [repository] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    return next(hook for hook in repository["hooks"] if hook["id"] == "gallery-check")


@pytest.fixture(scope="module", params=[published, own])
def original(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Gallery:
    """A gallery with the hook installed, whose one prompt file so far has a fault."""
    gallery = Gallery(tmp_path_factory.mktemp("hooked") / "gallery").begin()
    (gallery.root / ".venv").mkdir()
    (gallery.root / ".venv" / "bin").symlink_to(PROGRAMS)
    gallery.write(".gitignore", ".venv\n.pre-commit-config.yaml\n")
    gallery.prompt("old/bad", "prompt: a", "seed: x")
    hooks = {"repos": [{"repo": "local", "hooks": [request.param()]}]}
    gallery.write(".pre-commit-config.yaml", yaml.safe_dump(hooks))
    run(gallery, "git", "init", "--quiet")
    run(gallery, "git", "add", ".")
    assert run(gallery, "git", "commit", "--message", "before the hook").returncode == 0
    assert run(gallery, "pre-commit", "install").returncode == 0
    return gallery


@pytest.fixture
def hooked(original: Gallery, tmp_path: Path) -> Gallery:
    """One that may be changed."""
    return Gallery(shutil.copytree(original.root, tmp_path / "gallery", symlinks=True))


def commit(gallery: Gallery) -> subprocess.CompletedProcess[str]:
    run(gallery, "git", "add", "--all", ".")
    return run(gallery, "git", "commit", "--message", "change")


def test_only_what_a_commit_changes_is_checked(hooked: Gallery) -> None:
    hooked.prompt("lofi/rain", "prompt: rain")
    hooked.write("prompts/lofi/README.md", "# Lofi\n")
    hooked.write("prompts/lofi/cover.png", b"\x89PNG")
    hooked.write("docs/prompts/a.md", "no prompt file\n")
    done = commit(hooked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed" in done.stderr
    hooked.prompt("lofi/snow", "prompt: snow", "cfg_coef: 42")
    refused = commit(hooked)
    assert refused.returncode == 1
    assert "prompts/lofi/snow.md:3: cfg_coef: 42 is out of range, 0 to 20" in refused.stderr
    assert "old/bad" not in refused.stderr


def test_a_melody_that_cannot_be_used_is_refused(hooked: Gallery) -> None:
    hooked.write("prompts/lofi/tune.ogg", b"not audio")
    refused = commit(hooked)
    assert refused.returncode == 1
    assert "prompts/lofi/tune.ogg: is no audio that can be read" in refused.stderr


@pytest.mark.parametrize("name", ["gallery.toml", "prompts/presets.yaml"])
def test_what_every_prompt_depends_on_has_every_prompt_checked(hooked: Gallery, name: str) -> None:
    path = hooked.root / name
    hooked.write(name, (path.read_text() if path.is_file() else "") + "# a comment\n")
    refused = commit(hooked)
    assert refused.returncode == 1
    assert "prompts/old/bad.md:3: seed" in refused.stderr


def test_a_commit_may_remove_files(hooked: Gallery) -> None:
    (hooked.root / "prompts/old/bad.md").unlink()
    done = commit(hooked)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_gallery_in_a_subfolder(tmp_path: Path) -> None:
    """As docs/checks.md has it."""
    told = (ROOT / "docs/checks.md").read_text()
    changed = {"entry": "gallery --gallery music check", "files": r"^music/(gallery\.toml|prompts/)"}
    for name, value in changed.items():
        assert f"        {name}: {value}\n" in told
    repository, music = Gallery(tmp_path / "repository"), Gallery(tmp_path / "repository" / "music")
    music.write("gallery.toml", SETTINGS)
    music.prompt("a", "prompt: a", "seed: x")
    repository.write("prompts/b.md", "no prompt file of this gallery\n")
    hooks = {"repos": [{"repo": "local", "hooks": [published() | changed]}]}
    repository.write(".pre-commit-config.yaml", yaml.safe_dump(hooks))
    run(repository, "git", "init", "--quiet")
    run(repository, "git", "add", ".")
    ran = run(repository, "pre-commit", "run")
    assert ran.returncode == 1
    assert "prompts/a.md:3: seed" in ran.stdout
    assert "b.md" not in ran.stdout


def test_pre_commit_accepts_the_files_for_it() -> None:
    for what, name in (("manifest", ".pre-commit-hooks.yaml"), ("config", ".pre-commit-config.yaml")):
        ran = subprocess.run(
            [PROGRAMS / "pre-commit", f"validate-{what}", ROOT / name],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout
    assert published()["files"] == own()["files"]
