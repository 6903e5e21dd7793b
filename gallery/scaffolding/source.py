"""The address that a gallery installs this tool from: noted by its installer, or given by its curator.

The package index has another project of the name that this one had, and does not have this one yet: a
name and a version would install something else, or nothing.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from gallery.errors import GalleryError
from gallery.errors.text import shown
from gallery.utils.distribution import origin

# What an address looks like, for people.
FORMS = "git+https://HOST/OWNER/NAME@COMMIT, or a wheel's https address"

_ARCHIVES = (".whl", ".zip", ".tar.gz")
_ADDRESS = re.compile(r"(git\+)?(https|ssh|file)://[^\s;]+")


def known_source() -> str:
    """Where others can install what is running here from, as pip takes it, or nothing if nobody knows.

    A file of this machine, which may be gone tomorrow, counts for nothing.
    """
    noted = origin()
    url = _by_https(str(noted.get("url", "")))
    if "dir_info" in noted:
        return _source_of_clone(Path(url2pathname(urlsplit(url).path)))
    if not url.startswith("https://"):
        return ""
    if "vcs_info" in noted:
        return f"git+{url}@{noted['vcs_info']['commit_id']}"
    digest = noted.get("archive_info", {}).get("hashes", {}).get("sha256")
    return f"{url}#sha256={digest}" if digest else url


def given_source(text: str) -> str:
    """An address as pip takes it: of a repository, of a wheel, or of a file or folder that is here.

    Raises GalleryError for anything else.
    """
    text = text.strip()
    # As for pip, a word alone is no folder.
    if Path(text).is_file() or (re.search(r"[\\/]", text) and Path(text).exists()):
        return Path(text).resolve().as_uri()
    address = text if text.startswith("git+ssh:") else _by_https(text)
    path = urlsplit(address).path.partition("@")[0]
    if address.startswith("https://") and not path.endswith(_ARCHIVES):
        address = f"git+{address}"
    if not _ADDRESS.fullmatch(address) or not (urlsplit(address).netloc or "file:" in address):
        raise GalleryError(f"{shown(text)} is no address to install from: give {FORMS}")
    return address


def doubts(source: str) -> str:
    """What is to be known of an address, in one line, or nothing."""
    if source.startswith(("file:", "git+file:")):
        return "only this machine can install the tool from there; others need another address"
    if not re.search(r"@[0-9a-f]{40}$|#sha256=[0-9a-f]{64}$", source):
        return "that address is no commit and has no digest: what it installs may change from day to day"
    return ""


def _by_https(url: str) -> str:
    """The address of a repository that is fetched with a key, as whoever has none fetches it."""
    return re.sub(r"^(?:git\+)?(?:ssh://)?git@([^:/]+)[:/]", r"https://\1/", url)


def _source_of_clone(folder: Path) -> str:
    """The commit that a folder has checked out, where its repository's origin has it too."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        try:
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return ""

    address = _by_https(git("remote", "get-url", "origin"))
    published = git("branch", "--remotes", "--list", "origin/*", "--contains", "HEAD")
    if not (folder / ".git").exists() or not published or not address.startswith("https://"):
        return ""
    return f"git+{address}@{git('rev-parse', 'HEAD')}"
