"""A repository as GitHub would host it, and a machine that runs its workflows' jobs."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support.workflow_runner import Runner, Step, Watcher

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

from support import ROOT

# Nothing of the machine's own, but for where programs are.
PLAIN = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "GIT_CONFIG_NOSYSTEM": "1",
}


def copy_checkout(to: Path) -> Path:
    """Copy this repository's files as they are now, but for what makes no difference to the tool.

    What tests leave in the repository, and what changes there meanwhile, stays out of it.
    """
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        unneeded = ("prompts/", "site/", "tests/", "docs/screenshots/", "benchmarks/")
        if not name.startswith(unneeded) and (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, to / name)
    return to


@dataclass
class Hosted:
    """A repository as it would lie on GitHub, and clones of it."""

    folder: Path

    @property
    def bare(self) -> Path:
        return self.folder / "hosted.git"

    @property
    def artifacts(self) -> Path:
        """What jobs have handed over, by name."""
        return self.folder / "artifacts"

    def git(self, *arguments: object, at: str = "author") -> str:
        command = ["git", "-C", self.folder / at, *arguments]
        ran = subprocess.run(
            list(map(str, command)),
            capture_output=True,
            text=True,
            check=False,
            env={**PLAIN, "GIT_CONFIG_GLOBAL": str(self.folder / "authors-config")},
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--message", message)
        return self.git("rev-parse", "HEAD")

    def push_main(self) -> str:
        self.git("push", "--quiet", "origin", "HEAD:main")
        return self.git("rev-parse", "HEAD")

    def propose(self, number: int) -> str:
        """The author's work as a pull request to main; returns the merge that GitHub makes of it."""
        self.git("add", "--all", "--force")
        self.git("commit", "--message", "A prompt for you")
        self.git("push", "--quiet", "--force", "origin", f"HEAD:refs/pull/{number}/head")
        self.git("fetch", "--quiet", "origin", "main")
        tree = self.git("merge-tree", "--write-tree", "FETCH_HEAD", "HEAD")
        merge = self.git("commit-tree", tree, "-p", "FETCH_HEAD", "-p", "HEAD", "-m", "Merge")
        self.git("push", "--quiet", "--force", "origin", f"{merge}:refs/pull/{number}/merge")
        self.git("reset", "--quiet", "--hard", "FETCH_HEAD")
        self.git("clean", "-ffdxq")
        return merge

    def files(self, revision: str = "main") -> dict[str, str]:
        """Names and object ids of a commit's files."""
        lines = self.git("ls-tree", "-r", revision, at="hosted.git").splitlines()
        return {line.split("\t")[1]: line.split()[2] for line in lines}


@dataclass
class Machine:
    """A runner that has Python, pip and what the tests have installed, but no package index."""

    folder: Path
    hosted: Hosted

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def run(
        self,
        name: str,
        job: str,
        *,
        base: str = "",
        sha: str = "",
        head: str = "",
        commit: str = "",
        seconds: str = "3600",
        programs: Mapping[str, str] | None = None,
        watchers: Mapping[str, Watcher] | None = None,
        done: Collection[str] = (),
    ) -> dict[str, Step]:
        """Run a job. ``programs`` are shell scripts by name, which come before the system's own."""
        temp = self.folder / "temp"
        shutil.rmtree(temp, ignore_errors=True)  # as the runner does before each job
        bin_ = self.folder / "python/bin"
        if not bin_.exists():
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", bin_.parent], check=True)
            # An environment that a step makes needs no pip of its own either: see PYTHONPATH.
            python3 = self.folder / "programs/python3"
            python3.parent.mkdir()
            python3.write_text(
                f'#!/bin/sh\n[ "$2" != venv ] || set -- "$@" --without-pip\nexec {sys.executable} "$@"\n'
            )
            python3.chmod(0o755)
        for program, text in (programs or {}).items():
            path = self.folder / "programs" / program
            path.write_text(f"#!/bin/bash\n{text}\n")
            path.chmod(0o755)
        settings = self.folder / "gitconfig"
        touch = f"touch {self.folder}/filtered; cat"
        settings.write_text(f'[filter "evil"]\nsmudge = "{touch}"\nclean = "{touch}"\nrequired = true\n')
        environment = {
            **PLAIN,
            "HOME": str(self.folder),
            "PATH": f"{self.folder / 'programs'}:{bin_}:{PLAIN['PATH']}",
            "GIT_CONFIG_GLOBAL": str(settings),
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": "octocat/gallery",
            "GITHUB_SHA": sha,
            "OMP_NUM_THREADS": "1",
            # What would be downloaded is here already; the gallery's own code is installed anew.
            "PYTHONPATH": f"{_absent_packages(self.folder)}:{sysconfig.get_path('purelib')}",
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
        }
        known = {
            "github.sha": sha,
            "github.event.pull_request.base.sha": base,
            "github.event.pull_request.head.sha": head,
            "github.token": "a-token",
            "inputs.commit": commit,
            "inputs.seconds": seconds,
            "runner.temp": str(temp),
        }
        actions = {
            "actions/checkout": self._check_out,
            "actions/setup-python": lambda given: None,
            "actions/upload-artifact": self._upload,
            "actions/download-artifact": self._download,
            "actions/upload-pages-artifact": lambda given: None,
        }
        runner = Runner(self.workspace, temp, environment, known, actions, watchers or {})
        return runner.run(ROOT / f".github/workflows/{name}.yml", job, done)

    def _check_out(self, given: Mapping[str, str]) -> None:
        """As the action does: one commit, no history, no token, nothing of other commits."""

        def git(*arguments: str) -> None:
            subprocess.run(["git", "-C", self.workspace, *arguments], check=True, capture_output=True)

        if not (self.workspace / ".git").exists():
            git("init", "--quiet")
            git("remote", "add", "origin", self.hosted.bare.as_uri())
        git("fetch", "--quiet", "--no-tags", "--depth=1", "origin", given["ref"])
        if given["ref"] == "main":
            git("checkout", "--quiet", "--force", "-B", "main", "FETCH_HEAD")
        else:
            git("checkout", "--quiet", "--force", "--detach", "FETCH_HEAD")

    def _upload(self, given: Mapping[str, str]) -> None:
        assert given["overwrite"] == "True"
        shutil.rmtree(self.hosted.artifacts / given["name"], ignore_errors=True)
        shutil.copytree(given["path"], self.hosted.artifacts / given["name"])

    def _download(self, given: Mapping[str, str]) -> None:
        shutil.copytree(self.hosted.artifacts / given["name"], given["path"], symlinks=True)


def _absent_packages(folder: Path) -> Path:
    """What is locked and not installed here, as if it were: notes of pip's, with nothing beside them."""
    place = folder / "absent"
    if not place.exists():
        place.mkdir()
        for lock in ("requirements.lock", "requirements-musicgen.lock"):
            for name, version in re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE):
                try:
                    there = importlib.metadata.version(name)
                except importlib.metadata.PackageNotFoundError:
                    there = ""
                notes = place / f"{name.replace('-', '_')}-{version}.dist-info"
                if there != version and not notes.exists():
                    notes.mkdir()
                    (notes / "METADATA").write_text(
                        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
                    )
    return place
