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
from gallery.errors.text import printable, shown
from gallery.prompts.file import PRESETS_NAME
from gallery.prompts.folder import is_prompt_file, of_any_length, read_prompts
from gallery.prompts.melody import SUFFIXES
from gallery.utils.git import Repository
from gallery.utils.root import CONFIG_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gallery.prompts.prompt import Prompt, Reading
    from gallery.utils.git import Contents, Entry

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
    files = _files(repository, commit)
    if CONFIG_NAME not in files:
        return {}
    same, older = _prompts(repository, commit, files, current)
    prompts = (*same, *older.prompts)
    return {prompt.path: prompt for prompt in sorted(prompts, key=lambda prompt: prompt.file)}


def keys_asked(root: Path, refs: Iterable[str], current: Reading) -> set[str]:
    """The keys of all clips that the prompts of these commits ask for, by any names that git knows.

    Raises GalleryError where one of them cannot be read, or a file of it has faults: nobody could
    say what it asks for.
    """
    keys: set[str] = set()
    for ref in dict.fromkeys(refs):
        repository = Repository(root)
        commit = repository.commit(ref)
        files = _files(repository, commit)
        if CONFIG_NAME not in files:
            raise GalleryError(f"{shown(ref)} has no gallery here")
        same, older = _prompts(repository, commit, files, current)
        if older.faults:
            raise GalleryError(f"what {shown(ref)} asks for is not known: {printable(str(older.faults[0]))}")
        keys.update(clip.key for prompt in (*same, *older.prompts) for clip in prompt.clips)
    return keys


def _files(repository: Repository, commit: str) -> dict[str, Entry]:
    """The files of a commit that have a say, by their names."""
    listed = repository.files(commit, CONFIG_NAME, _PROMPTS)
    return {name: entry for name, entry in listed.items() if _is_safe(name)}


def _prompts(
    repository: Repository, commit: str, files: Mapping[str, Entry], current: Reading
) -> tuple[list[Prompt], Reading]:
    """Prompts of a commit that are the same objects as in ``current``, and what was read of the others."""
    differing = repository.differing(commit, CONFIG_NAME, _PROMPTS)
    same: dict[str, Prompt] = {}
    if all(_is_prompt(name) or not _decides(name) for name in differing):
        # A link can be the same and lead to what is not.
        alike = {name for name, entry in files.items() if not entry.is_link} - differing
        same = {prompt.file: prompt for prompt in current.prompts if prompt.file in alike}
    wanted = [name for name in files if _decides(name) and name not in same]
    return [*same.values()], _read(repository, commit, files, wanted)


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
            # Whether the store let a clip pass that was too long to render, nobody knows any more.
            return read_prompts(of_any_length(load_config(root)))
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
