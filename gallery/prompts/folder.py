"""The prompt files of a gallery -> prompts and their clips, and every fault in them."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gallery
from gallery.errors import Fault, GalleryError
from gallery.errors.text import shown
from gallery.prompts.file import MOST_FOLDERS, PRESETS_NAME, read_file, read_presets, relative
from gallery.prompts.prompt import Clip, Findings, Prompt, Prompts, Reading
from gallery.state.fingerprint import JUST_NOW, stamp
from gallery.utils.parallel import spread
from gallery.utils.progress import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gallery.config import Config
    from gallery.prompts.prompt import Outline
    from gallery.state.database import Cache, Known

__all__ = [
    "PRESETS_NAME",
    "Clip",
    "Prompt",
    "Prompts",
    "Reading",
    "find_files",
    "is_prompt_file",
    "read_prompts",
]


def read_prompts(config: Config, paths: Sequence[Path] = (), cache: Cache | None = None) -> Reading:
    """Read the gallery's prompt files, or only those at or below ``paths``.

    What is in ``cache`` of files that are as they were is not read again. Raises
    GalleryError for a path that is no prompt file or folder of the gallery.
    """
    reading = Reading()
    presets = read_presets(config, reading)
    files = _find(config, paths)
    settings = _decisive(config, presets)
    due, gone = dict.fromkeys(files), []
    for file, decided_by, text in cache.each("prompt") if cache else ():
        if file in due and decided_by == _stamp(file, settings):
            reading.prompts.add(text)
            del due[file]
        elif file not in due:
            gone.append(file)
    with Tally("reading", len(due), "prompt file") as tally:
        for read in spread(
            lambda some: [_read(Path(file), config, presets, settings) for file in some], [*due]
        ):
            fresh: dict[str, Known] = {}
            for name, stamped, text, findings in read:
                if text:
                    reading.prompts.add(text)
                # A file that there is something to say of, or with a melody beside it, is read each time.
                if text and stamped and findings == Findings():
                    fresh[name] = (stamped, text)
                reading.add(findings)
            tally.add(len(read))
            if cache:
                cache.update("prompt", fresh)
    if cache and gone and not paths:
        cache.update("prompt", {}, gone)
    reading.prompts.sort()
    _warn_of_duplicates(reading)
    reading.faults.sort()
    reading.warnings.sort()
    return reading


def _read(
    file: Path, config: Config, presets: dict[str, dict[str, Any]], settings: str
) -> tuple[str, str, str, Findings]:
    """A file's name and stamp, its prompt as text where it is in order, and what there is to say of it."""
    if file.is_symlink() and file.is_dir():
        warning = Fault(relative(file, config), 0, "", "a link to a folder; not read")
        return "", "", "", Findings(warnings=[warning])
    stamped = _stamp(file, settings)
    prompt, findings = read_file(file, config, presets)
    return str(file), stamped, prompt.to_text() if prompt else "", findings


def _decisive(config: Config, presets: dict[str, dict[str, Any]]) -> str:
    """A digest of all but the file that decides what comes of reading one."""
    settings = config.model_dump_json(include={"limits", "models"})
    code = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    told = json.dumps([gallery.__version__, settings, presets])
    return hashlib.sha256(told.encode() + b"".join(code)).hexdigest()[:16]


def _stamp(file: Path | str, settings: str) -> str:
    """What changes when a file does; nothing for one that may change again without a trace."""
    try:
        status = os.stat(file)  # noqa: PTH116 - of every file in every build
    except OSError:
        return ""
    if time.time_ns() - status.st_mtime_ns < JUST_NOW:
        return ""
    return f"{settings} {stamp(status)}"


def find_files(config: Config, paths: Sequence[Path] = ()) -> list[Path]:
    """Prompt files in the order of their names, and links to folders, which are not followed.

    Raises GalleryError for a path that is not in the gallery's prompts/.
    """
    return [Path(file) for file in _find(config, paths)]


def _find(config: Config, paths: Sequence[Path]) -> list[str]:
    top = config.prompts.resolve()
    if not top.is_dir():
        raise GalleryError(f"no folder prompts/ in {config.root}; make it, or run `gallery new`")
    files: set[str] = set()
    deepest = str(config.prompts).count(os.sep) + 1 + MOST_FOLDERS
    for path in paths or [top]:
        name = shown(str(path), quote="")
        if not path.exists():
            raise GalleryError(f"{name}: no such file or folder")
        if not path.resolve().is_relative_to(top):
            raise GalleryError(f"{name}: not in this gallery's prompts/")
        inside = config.prompts / path.resolve().relative_to(top)
        files.update(_walk(str(inside), deepest) if path.is_dir() else [str(inside)])
    return sorted(files, key=lambda file: file.split(os.sep))  # noqa: PTH206 - ten thousand of them


def _walk(start: str, deepest: int) -> Iterator[str]:
    """Files and links below a folder, and folders that are too deep to look into."""
    folders = [start]
    while folders:
        try:
            entries = [*os.scandir(folders.pop())]
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.path.count(os.sep) > deepest:
                    yield entry.path
                elif not entry.name.startswith("."):
                    folders.append(entry.path)
            elif is_prompt_file(entry.name) or (entry.is_symlink() and _leads_to_folder(entry)):
                yield entry.path


def _leads_to_folder(link: os.DirEntry[str]) -> bool:
    return not link.name.startswith(".") and os.path.isdir(link.path)  # noqa: PTH112 - no error for a loop


def is_prompt_file(name: str) -> bool:
    """Whether a file of this name in prompts/ is read as a prompt file."""
    lower = name.lower()
    return lower.endswith(".md") and lower != "readme.md" and not name.startswith(".")


def _warn_of_duplicates(reading: Reading) -> None:
    first: dict[str, Outline] = {}
    for prompt in reading.prompts.outlines:
        seen: set[str] = set()
        for key in prompt.keys:
            owner = first.setdefault(key, prompt)
            if key in seen:
                message = "two of its clips are the same request; it is rendered once"
            elif owner is not prompt:
                message = f"a clip is the same request as one of {owner.file}; it is rendered once"
            else:
                message = ""
            if message:
                warning = Fault(prompt.file, 0, "", message)
                if warning not in reading.warnings[-1:]:
                    reading.warnings.append(warning)
            seen.add(key)
