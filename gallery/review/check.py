"""What `gallery check` looks at: everything, or what depends on the files it is given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gallery.errors import Fault
from gallery.errors.text import printable
from gallery.prompts.file import PRESETS_NAME
from gallery.prompts.folder import find_files, find_misnamed, is_prompt_file, read_prompts
from gallery.prompts.melody import SUFFIXES, melody_problem
from gallery.prompts.prompt import Reading
from gallery.state.opening import borrow_state
from gallery.store.places import Stores
from gallery.utils.root import CONFIG_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gallery.config import Config


def check_clips(config: Config, reading: Reading) -> list[str]:
    """What is wrong with the clips of the store that these prompts ask for, a line each."""
    keys = list(dict.fromkeys(key for outline in reading.prompts.outlines for key in outline.keys))
    with borrow_state(config.workspace, "renders", keys) as state:
        flaws = Stores.of(config, state).store.flawed(keys)
    return [f"{flaw.state}: {flaw}" for key in keys if (flaw := flaws.get(key))]


def check_files(config: Config, paths: Sequence[Path] = ()) -> tuple[Reading, list[str]]:
    """Read the prompt files at or below ``paths``, or all of them; also the names of what was passed over.

    The settings and the presets decide what every prompt file may say: with either
    among the paths, all are read. A melody is looked at by itself. Nothing else is
    looked at, so that whoever passes every changed file (pre-commit) may do so.

    Raises GalleryError for a path that is not in the gallery's prompts/.
    """
    everything = not paths
    misnamed = find_misnamed(config, [path for path in paths if path.resolve() != config.file.resolve()])
    told = {fault.file for fault in misnamed}
    prompts: list[Path] = []
    melodies: list[Path] = []
    others: list[str] = []
    for path in paths:
        if path.resolve() == (config.root / CONFIG_NAME).resolve():
            everything = True
            continue
        if path.is_dir():
            prompts.append(path)
            continue
        [file] = find_files(config, [path])
        name = file.relative_to(config.prompts)
        hidden = any(part.startswith(".") for part in name.parts)
        if name == Path(PRESETS_NAME):
            everything = True
        elif is_prompt_file(file.name) and not hidden:
            prompts.append(file)
        elif file.suffix.lower() in SUFFIXES:
            melodies.append(file)
        elif (other := printable(file.relative_to(config.root).as_posix())) not in told:
            others.append(other)
    reading = read_prompts(config, () if everything else prompts) if everything or prompts else Reading()
    reading.faults += misnamed
    for path in melodies:
        if problem := melody_problem(path.parent, path.name, config.prompts, config.limits):
            file_name = printable(path.relative_to(config.root).as_posix())
            reading.faults.append(Fault(file_name, 0, "", problem))
    reading.faults.sort()
    return reading, others
