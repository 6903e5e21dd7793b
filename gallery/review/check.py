"""What `gallery check` looks at: everything, or what depends on the files it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.errors import Fault
from gallery.errors.text import printable
from gallery.prompts.file import PRESETS_NAME
from gallery.prompts.folder import find_files, is_prompt_file, read_prompts
from gallery.prompts.melody import SUFFIXES, melody_problem
from gallery.prompts.prompt import Reading
from gallery.utils.root import CONFIG_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gallery.config import Config


@dataclass
class _Chosen:
    """Files by what is to be done with them."""

    everything: bool = False
    prompts: list[Path] = field(default_factory=list)
    melodies: list[Path] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def check_files(config: Config, paths: Sequence[Path] = ()) -> tuple[Reading, list[str]]:
    """Read the prompt files at or below ``paths``, or all of them; also the names of what was passed over.

    The settings and the presets decide what every prompt file may say: with either
    among the paths, all are read. A melody is looked at by itself. Nothing else is
    looked at, so that whoever passes every changed file (pre-commit) may do so.

    Raises GalleryError for a path that is not in the gallery's prompts/.
    """
    chosen = _choose(config, paths)
    if chosen.everything:
        reading = read_prompts(config)
    else:
        reading = read_prompts(config, chosen.prompts) if chosen.prompts else Reading()
    for path in chosen.melodies:
        if problem := melody_problem(path.parent, path.name, config):
            file = printable(path.relative_to(config.root).as_posix())
            reading.faults.append(Fault(file, 0, "", problem))
    reading.faults.sort()
    return reading, chosen.others


def _choose(config: Config, paths: Sequence[Path]) -> _Chosen:
    chosen = _Chosen(everything=not paths)
    for path in paths:
        if path.resolve() == (config.root / CONFIG_NAME).resolve():
            chosen.everything = True
        elif path.is_dir():
            chosen.prompts.append(path)
        else:
            [file] = find_files(config, [path])
            _sort(config, file, chosen)
    return chosen


def _sort(config: Config, file: Path, chosen: _Chosen) -> None:
    name = file.relative_to(config.prompts)
    hidden = any(part.startswith(".") for part in name.parts)
    if name == Path(PRESETS_NAME):
        chosen.everything = True
    elif is_prompt_file(file.name) and not hidden:
        chosen.prompts.append(file)
    elif file.suffix.lower() in SUFFIXES:
        chosen.melodies.append(file)
    else:
        chosen.others.append(printable(file.relative_to(config.root).as_posix()))
