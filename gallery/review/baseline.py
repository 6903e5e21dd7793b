"""The prompts of a gallery as a commit has them, read by the same code as those that lie in its folder.

A commit's files are untrusted like any others: they are written to a temporary
folder under names that cannot leave it, and never as links.
"""

from __future__ import annotations

import os
import posixpath
from pathlib import Path, PurePosixPath, PureWindowsPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gallery.config import load_config
from gallery.errors import GalleryError
from gallery.prompts.file import PRESETS_NAME
from gallery.prompts.folder import is_prompt_file, read_prompts
from gallery.prompts.melody import SUFFIXES
from gallery.utils.root import CONFIG_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gallery.prompts.prompt import Prompt, Reading
    from gallery.utils.git import Contents, Entry, Repository

_PROMPTS = "prompts"

# What every prompt file depends on.
_COMMON = (CONFIG_NAME, f"{_PROMPTS}/{PRESETS_NAME}")

_LONGEST_NAME = 255  # bytes, on the file systems that people use
_MOST_LINKS = 10  # in a row


def read_baseline(repository: Repository, commit: str, current: Reading) -> dict[str, Prompt]:
    """The prompts as ``commit`` has them, by path; ``current`` are those of the working tree.

    Where a file is the same on both sides, so is the prompt: the very object of ``current``.
    Raises GalleryError where the commit's gallery.toml cannot be used.
    """
    files = {
        name: entry
        for name, entry in repository.files(commit, CONFIG_NAME, _PROMPTS).items()
        if _is_safe(name)
    }
    if CONFIG_NAME not in files:
        return {}
    differing = repository.differing(commit, CONFIG_NAME, _PROMPTS)
    same: dict[str, Prompt] = {}
    if all(_is_prompt(name) or not _decides(name) for name in differing):
        # A link can be the same and lead to what is not.
        alike = {name for name, entry in files.items() if not entry.is_link} - differing
        same = {prompt.file: prompt for prompt in current.prompts if prompt.file in alike}
    wanted = [name for name in files if _decides(name) and name not in same]
    older = _read(repository, commit, files, wanted).prompts
    return {prompt.path: prompt for prompt in sorted((*same.values(), *older), key=lambda p: p.file)}


def _is_prompt(name: str) -> bool:
    return is_prompt_file(PurePosixPath(name).name)


def _decides(name: str) -> bool:
    """Whether a file has a say in what prompts ask for."""
    return name in _COMMON or _is_prompt(name) or PurePosixPath(name).suffix.lower() in SUFFIXES


def _is_safe(name: str) -> bool:
    """Whether a name stays within the folder that it is written to, on every system."""
    parts = name.split("/")
    return PureWindowsPath(name).parts == tuple(parts) and not any(
        part in ("", ".", "..") or len(os.fsencode(part)) > _LONGEST_NAME for part in parts
    )


def _read(repository: Repository, commit: str, files: Mapping[str, Entry], wanted: Iterable[str]) -> Reading:
    with TemporaryDirectory(prefix="gallery-") as folder, repository.contents() as contents:
        root = Path(folder)
        (root / _PROMPTS).mkdir()
        try:
            for name in wanted:
                if entry := _followed(name, files, contents):
                    (root / name).parent.mkdir(parents=True, exist_ok=True)
                    with (root / name).open("wb") as file:
                        contents.copy(entry.object_id, file)
            return read_prompts(load_config(root))
        except (GalleryError, OSError) as error:
            raise GalleryError(f"the gallery of commit {commit[:12]} cannot be read: {error}") from error


def _followed(name: str, files: Mapping[str, Entry], contents: Contents) -> Entry | None:
    """The file that a link leads to within the commit; None where it leads to none."""
    for _ in range(_MOST_LINKS):
        entry = files.get(name)
        if entry is None or not entry.is_link:
            return entry
        name = posixpath.normpath(posixpath.join(posixpath.dirname(name), contents.text(entry.object_id)))
    return None
