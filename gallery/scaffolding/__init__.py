"""A new gallery in a folder of its own: settings, prompt files, workflows, ready to be built.

Its files lie in scaffold/, and beside them those that this project's own repository
uses in the same places. pyproject.toml lists the latter for the wheel, and is that
list in a checkout too, so that the two can't differ.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import gallery
from gallery.errors import GalleryError
from gallery.utils.files import write_atomic

_PACKAGE = Path(gallery.__file__).parent
_INSIDE = "gallery/scaffold"

# Where nobody knows it: no address, so that nobody can put a package there.
UNKNOWN = f"git+https://<address of the tool's repository>@v{gallery.__version__}"

_REQUIREMENTS = """\
# What {whom} needs; docs/publishing.md tells more.
--constraint constraints.txt
gallery{extras} @ {source}
"""


def make_gallery(folder: Path) -> str:
    """Write a new gallery to a folder that is new, empty, or a clone of an empty repository.

    Returns where its workflows will install this tool from; `UNKNOWN` if that can't be told.
    Raises GalleryError, and leaves nothing behind, where the folder holds something or can't be written.
    """
    source = _source()
    files = {
        **_scaffold(),
        "requirements.txt": _requirements("whoever checks prompt files and builds pages", "", source),
        "requirements-musicgen.txt": _requirements("whoever renders", "[melody,musicgen]", source),
    }
    try:
        is_new = not folder.exists()
        _refuse_contents(folder)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _write(files, folder)
        except BaseException:
            if is_new:
                folder.rmdir()
            raise
    except OSError as error:
        raise GalleryError(f"{error.filename or folder}: cannot be written: {error.strerror}") from error
    return source


def _refuse_contents(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise GalleryError(f"{folder} is a file; name a new folder")
    there = sorted(path.name for path in folder.iterdir() if path.name != ".git") if folder.exists() else []
    if there:
        more = f" and {len(there) - 3} more" if len(there) > 3 else ""
        raise GalleryError(
            f"{folder} is not empty: it has {', '.join(there[:3])}{more}; name a new or an empty folder"
        )


def _write(files: dict[str, bytes], folder: Path) -> None:
    """All of them or none."""
    try:
        for name, data in files.items():
            write_atomic(folder / name, data)
    except BaseException:
        for path in {folder / Path(name).parts[0] for name in files}:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        raise


def _scaffold() -> dict[str, bytes]:
    """The files by their names in a new gallery."""
    places = {"": _PACKAGE / "scaffold"}
    if not places[""].is_dir():
        checkout = _PACKAGE.parent
        settings = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
        included = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
        places = {
            target.removeprefix(_INSIDE).lstrip("/"): checkout / source
            for source, target in included.items()
            if target.startswith(_INSIDE)
        }
    files = {}
    for name, place in places.items():
        for path in [place] if place.is_file() else place.rglob("*"):
            # pip compiles a wheel's scripts, those of the scaffold too.
            if path.is_file() and path.parent.name != "__pycache__":
                files[(Path(name) / path.relative_to(place)).as_posix()] = path.read_bytes()
    return files


def _requirements(whom: str, extras: str, source: str) -> bytes:
    return _REQUIREMENTS.format(whom=whom, extras=extras, source=source).encode()


def _source() -> str:
    """Where this installation came from, as pip takes it, if others can get it from there.

    The package index has another project of this one's name, so that a name and a
    version alone would install that. pip notes where a package came from in
    direct_url.json (PEP 610).
    """
    try:
        noted = importlib.metadata.distribution("gallery").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        noted = None
    origin: dict[str, Any] = json.loads(noted or "{}")
    url = str(origin.get("url", ""))
    if url.startswith("https://") and "vcs_info" in origin:
        return f"git+{url}@{origin['vcs_info']['commit_id']}"
    if url.startswith("https://"):
        digest = origin.get("archive_info", {}).get("hashes", {}).get("sha256")
        return f"{url}#sha256={digest}" if digest else url
    folder = url2pathname(urlsplit(url).path)
    return _source_of_clone(Path(folder)) if "dir_info" in origin else UNKNOWN


def _source_of_clone(folder: Path) -> str:
    """The commit that a folder has checked out, where its repository's origin has it too."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        try:
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return ""

    origin = re.sub(r"^(?:ssh://)?git@([^:/]+)[:/]", r"https://\1/", git("remote", "get-url", "origin"))
    published = git("branch", "--remotes", "--list", "origin/*", "--contains", "HEAD")
    if not (folder / ".git").exists() or not published or not origin.startswith("https://"):
        return UNKNOWN
    return f"git+{origin}@{git('rev-parse', 'HEAD')}"
