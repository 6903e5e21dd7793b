"""What git knows of a gallery's files: commits, what is in them, and what differs from them.

Nothing is checked out, and nothing of the repository or its index is changed.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, cast

from gallery.errors import GalleryError
from gallery.errors.text import printable, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

_LINK = "120000"
_FILES = ("100644", "100755", _LINK)

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Entry:
    """A file of a commit; a link's content is the path that it points to."""

    object_id: str
    is_link: bool


class Repository:
    """The repository that a folder lies in. Names are relative to that folder, with ``/``.

    Raises GalleryError where git is missing, or the folder lies in no repository that it can read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._say("rev-parse", "--git-dir", otherwise=f"{folder} is in no git repository that can be read")

    def commit(self, ref: str) -> str:
        """The id of a commit by any name that git knows it by. Raises GalleryError where there is none."""
        known = self._run("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        if known.returncode == 0:
            return known.stdout.decode().strip()
        problem = f"git knows no commit {shown(ref)} here"
        if self._run("rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
            problem += ", where it has only a part of the history; fetch the rest: git fetch --unshallow"
        raise GalleryError(problem)

    def files(self, commit: str, *paths: str) -> dict[str, Entry]:
        """Files and links of a commit at or below these paths, by name."""
        entries = {}
        for line in _split(self._say("ls-tree", "-r", "-z", commit, "--", *paths)):
            about, _, name = line.partition("\t")
            mode, _, object_id = about.split(" ")
            if mode in _FILES:
                entries[name] = Entry(object_id, mode == _LINK)
        return entries

    def tracks(self, path: str) -> bool:
        """Whether git has files at or below a path."""
        return bool(self._say("ls-files", "-z", "--", path))

    def differing(self, commit: str, *paths: str) -> set[str]:
        """Names at or below these paths that are not in the folder as they are in a commit.

        Files that git doesn't track count as differing.
        """
        options = ("--name-only", "-z", "--relative", "--no-renames", "--no-ext-diff", "--no-textconv")
        changed = self._say("diff", *options, commit, "--", *paths)
        untracked = self._say("ls-files", "-z", "--others", "--", *paths)
        return {*_split(changed), *_split(untracked)}

    @contextmanager
    def contents(self) -> Iterator[Contents]:
        """A reader of files' contents."""
        asks = ["git", "cat-file", "--batch"]
        pipe = subprocess.PIPE
        with subprocess.Popen(asks, cwd=self._folder, env=_environment(), stdin=pipe, stdout=pipe) as git:
            yield Contents(cast("BinaryIO", git.stdin), cast("BinaryIO", git.stdout))

    def _say(self, *arguments: str, otherwise: str = "") -> bytes:
        """What git prints. Raises GalleryError where it fails."""
        ran = self._run(*arguments)
        if ran.returncode:
            told = printable(" ".join(ran.stderr.decode(errors="replace").split()))
            raise GalleryError(f"{otherwise or f'git {arguments[0]} failed'} ({told})")
        return ran.stdout

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                # Left to itself, git writes down what it learns of files while it compares them.
                ["git", "-c", "diff.autoRefreshIndex=false", *arguments],
                cwd=self._folder,
                env=_environment(),
                capture_output=True,
                check=False,
            )
        except FileNotFoundError as error:
            raise GalleryError("git is not installed, or not on the PATH") from error


class Contents:
    """Contents of files by their object ids, from one running git."""

    def __init__(self, asked: BinaryIO, told: BinaryIO) -> None:
        self._asked, self._told = asked, told

    def copy(self, object_id: str, target: BinaryIO) -> None:
        """Write a file's content. Raises GalleryError where the repository lacks it."""
        self._asked.write(f"{object_id}\n".encode())
        self._asked.flush()
        header = self._told.readline().split()
        left = int(header[2]) if len(header) == 3 else -1
        while left > 0 and (chunk := self._told.read(min(left, _CHUNK))):
            target.write(chunk)
            left -= len(chunk)
        if left:
            raise GalleryError(f"the git repository lacks the object {object_id}; fetch it: git fetch")
        self._told.read(1)

    def text(self, object_id: str) -> str:
        """A short file's content as the name of a path. Raises GalleryError where the repository lacks it."""
        content = BytesIO()
        self.copy(object_id, content)
        return os.fsdecode(content.getvalue())


def _split(listed: bytes) -> list[str]:
    return [os.fsdecode(name) for name in listed.split(b"\0") if name]


def _environment() -> dict[str, str]:
    """Messages in English, paths as they are written, and nobody asked for a password."""
    return os.environ | {"LC_ALL": "C", "GIT_LITERAL_PATHSPECS": "1", "GIT_TERMINAL_PROMPT": "0"}
