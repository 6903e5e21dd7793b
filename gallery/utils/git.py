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

# Variables that lead git to another repository than the one that a folder lies in, or past it.
_PLACES = {
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX"),
    *("GIT_NAMESPACE", "GIT_CEILING_DIRECTORIES"),
}


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

    def tracked(self, path: str = ".") -> set[str]:
        """Names of the files at or below a path that git has."""
        return {*_split(self._say("ls-files", "-z", "--", path))}

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
            raise GalleryError(f"{otherwise or f'git {arguments[0]} failed'} ({_told(ran)})")
        return ran.stdout

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return _git(self._folder, _environment(), *arguments)


def is_tracked(path: Path) -> bool:
    """Whether git has files at or below a place, or the link in its place.

    False where it provably lies in no repository. Raises GalleryError where git cannot tell.
    """
    own_repository = path.is_dir() and _may_be_there(path / ".git")
    places = [_folder_of(path), *([(path.resolve(), ".")] if own_repository else [])]
    return any(_has_files(path, folder, name) for folder, name in places)


def _has_files(path: Path, folder: Path, name: str) -> bool:
    if not any(_may_be_there(above / ".git") for above in (folder, *folder.parents)):
        return False
    # Of the folder's own repository, whatever repository or hook this runs in.
    own = {name: value for name, value in _environment().items() if name not in _PLACES}
    own["GIT_DISCOVERY_ACROSS_FILESYSTEM"] = "1"
    # In any case of letters: elsewhere than on Linux they are one place.
    del own["GIT_LITERAL_PATHSPECS"]
    own |= {"GIT_NOGLOB_PATHSPECS": "1", "GIT_ICASE_PATHSPECS": "1"}
    try:
        listed = _git(folder, own, "ls-files", "-z", "--", f"./{name}")
        problem = _told(listed) if listed.returncode else ""
    except GalleryError as error:
        problem = error.format_message()
    if problem:
        raise GalleryError(
            f"{printable(str(path))} could have come with somebody's commit, and git cannot tell: {problem}; "
            "have `git ls-files` work there, or move the gallery out of the repository"
        )
    return bool(listed.stdout)


def refuse_link(folder: Path, name: str, does: str) -> None:
    """Raise GalleryError where a place that builds work with is a commit's link: it may lead anywhere.

    ``name`` is what messages call it, and ``does`` what builds do there.
    """
    if folder.is_symlink() and is_tracked(folder):
        raise GalleryError(
            f"{printable(name)} is a link that came with git, and builds {does} there; remove it"
        )


def origin_of(folder: Path) -> str:
    """The address of the remote `origin` of the repository that a folder is the top of; else nothing."""
    if not _may_be_there(folder / ".git"):
        return ""
    own = {name: value for name, value in _environment().items() if name not in _PLACES}
    own["GIT_CEILING_DIRECTORIES"] = str(folder.resolve().parent)
    try:
        ran = _git(folder, own, "remote", "get-url", "origin")
    except GalleryError:
        return ""
    return "" if ran.returncode else ran.stdout.decode(errors="replace").strip()


def _folder_of(path: Path) -> tuple[Path, str]:
    """The nearest folder above a place that is there, links on the way followed, and the way on."""
    for folder in path.parents:
        if folder.is_dir():
            return folder.resolve(), path.relative_to(folder).as_posix()
    raise AssertionError  # the root is there


def _may_be_there(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        pass  # nobody may look
    return True


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


def _git(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            # Left to itself, git writes down what it learns of files while it compares them.
            ["git", "-c", "diff.autoRefreshIndex=false", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        if not folder.is_dir():
            raise GalleryError(f"{folder} is not there") from error
        raise GalleryError("git is not installed, or not on the PATH") from error
    except OSError as error:
        raise GalleryError(f"git cannot be run: {error.strerror}") from error


def _told(ran: subprocess.CompletedProcess[bytes]) -> str:
    """What git said went wrong, as one line."""
    return printable(" ".join(ran.stderr.decode(errors="replace").split())) or f"exit code {ran.returncode}"


def _split(listed: bytes) -> list[str]:
    return [os.fsdecode(name) for name in listed.split(b"\0") if name]


def _environment() -> dict[str, str]:
    """Messages in English, paths as they are written, and nobody asked for a password."""
    return os.environ | {"LC_ALL": "C", "GIT_LITERAL_PATHSPECS": "1", "GIT_TERMINAL_PROMPT": "0"}
