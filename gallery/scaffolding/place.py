"""The folder that a new gallery goes to: what may lie there already, and which repository it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from gallery.errors import GalleryError
from gallery.utils.git import origin_of

if TYPE_CHECKING:
    from pathlib import Path

_README = re.compile(r"readme(\.\w+)?", re.IGNORECASE)
# What GitHub and its desktop app write into a new repository.
_BESIDE = re.compile(r"(licen[cs]e|copying|unlicense)([.-][\w.-]+)?|\.git(ignore|attributes)", re.IGNORECASE)

_ON_GITHUB = re.compile(
    r"((https?|ssh|git)://([^@/]+@)?((www|ssh)\.)?github\.com(:\d+)?/|([^@/:]+@)?github\.com:/?)"
    r"(?P<owner>[a-z\d-]+)/(?P<name>(?!\.+$)[\w.-]+?)(\.git)?/?",
    re.IGNORECASE | re.ASCII,
)


class Home(NamedTuple):
    """A repository on GitHub, and where GitHub Pages serves its site."""

    repository: str
    base_url: str


def kept_files(folder: Path) -> list[str]:
    """What lies in the folder and stays as it is: a README, a licence, files of git.

    Raises GalleryError where it holds anything else or can't be read, and where it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise GalleryError(f"{folder} is a file; name a new folder")
    try:
        there = sorted(folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise GalleryError(f"{folder}: cannot be read: {error.strerror}") from error
    names = [path.name for path in there if path.is_file()]
    kept = [name for name in names if is_readme(name) or _BESIDE.fullmatch(name)]
    others = [path.name for path in there if path.name not in (*kept, ".git")]
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        raise GalleryError(
            f"{folder} is not empty: it has {', '.join(others[:3])}{more}; name a new folder, or one "
            "that has at most a README, a licence, .gitignore and .git"
        )
    return kept


def is_readme(name: str) -> bool:
    """Whether GitHub shows a file of this name below a folder's list."""
    return bool(_README.fullmatch(name))


def home_of(folder: Path) -> Home | None:
    """The repository on GitHub that a folder is a clone of, by its remote `origin`."""
    found = _ON_GITHUB.fullmatch(origin_of(folder))
    if not found:
        return None
    owner, name = found["owner"], found["name"]
    host = f"{owner.lower()}.github.io"
    path = "" if name.lower() == host else f"{name}/"
    return Home(f"https://github.com/{owner}/{name}", f"https://{host}/{path}")
