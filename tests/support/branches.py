"""A gallery in a git repository, and clips in its store."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gallery.config import load_config
from gallery.preview import make_preview
from gallery.prompts.folder import read_prompts
from gallery.store.places import Stores
from support.galleries import Gallery, Ran

NO_ESTIMATE = "no estimate: no record of a render on a GPU"


def git(folder: Path, *args: object, stdin: str = "") -> str:
    """Run git, whatever repository or hook the tests themselves run in."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    names = {
        f"GIT_{who}_{what}": "test@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    return subprocess.run(
        ["git", "-c", "commit.gpgsign=false", *map(str, args)],
        cwd=folder, env=mine | names, input=stdin, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip


def commit(folder: Path) -> str:
    git(folder, "add", "--all", ".")
    git(folder, "commit", "--allow-empty", "--message", "state")
    return git(folder, "rev-parse", "HEAD")


@dataclass(frozen=True)
class Branch(Gallery):
    """A gallery in a subfolder of a git repository, with prompts that are committed as `start`."""

    start: str = ""

    def since(self, *args: object, ref: str = "") -> Ran:
        ran = self.run("build", "--dry-run", "--since", ref or self.start, *args)
        assert ran.code == 0, ran.out + ran.err
        return ran

    def proposed(self, *args: object) -> list[str]:
        """What is said, without the commit and the headings."""
        return [line.strip() for line in self.since(*args).out.splitlines() if not line.endswith(":")]


def make_branch(tmp_path: Path) -> Branch:
    """A branch with three prompts in `tmp_path`."""
    repository = tmp_path / "repository"
    made = Gallery(repository / "music" / "gallery").begin()
    made.prompt("lofi/rain", "prompt: lofi rain", "duration: 2", "tags: [lofi]", notes="One.")
    made.prompt("edm/rise", "prompt: edm rise", "duration: 2", "vary:", "  cfg_coef: [1, 3, 5]")
    made.prompt("fx/bell", "prompt: church bell", "model: audiogen", "duration: 2")
    git(tmp_path, "init", "--quiet", repository)
    return Branch(made.root, commit(repository))


def shelve(gallery: Gallery, name: str, *abouts: dict[str, object]) -> None:
    """Put a prompt's clips into the store, with these in their provenances, one after the other."""
    config = load_config(gallery.root)
    store = Stores.of(config).store
    preview = make_preview(np.full((32000, 1), 0.1, np.float32), 32000, config.preview, {})
    [prompt] = [prompt for prompt in read_prompts(config).prompts if prompt.path == name]
    for clip, about in zip(prompt.clips, abouts, strict=True):
        engine = str(about.get("engine", "musicgen"))
        store.put(clip.request, engine, dict(about), preview, config.preview.digest)
