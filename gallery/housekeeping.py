"""Finding what no prompt asks for any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gallery.build import Shelves
from gallery.errors import GalleryError
from gallery.prompts import read_prompts

if TYPE_CHECKING:
    from pathlib import Path

    from gallery.config import Config


@dataclass(frozen=True)
class Orphan:
    """Files of a clip that nothing refers to."""

    files: tuple[Path, ...]
    what: str

    @property
    def bytes(self) -> int:
        """Size of the files together."""
        return sum(path.stat().st_size for path in self.files if path.is_file())

    def describe(self) -> str:
        """One line: what it is and where it lies."""
        return f"{self.files[0]}: {self.what}"

    def remove(self) -> None:
        """Remove the files, the record first."""
        for path in self.files:
            path.unlink(missing_ok=True)


def find_orphans(config: Config) -> list[Orphan]:
    """Clips of no prompt, in the store and on this machine, and sketches that a render replaced.

    Raises GalleryError where prompt files have faults: their clips would look like orphans.
    """
    reading = read_prompts(config)
    if reading.faults:
        faults = "\n".join(str(fault) for fault in reading.faults)
        raise GalleryError(f"mend these first, or their clips would pass for orphans:\n{faults}")
    wanted = {clip.key for prompt in reading.prompts for clip in prompt.clips}
    shelves = Shelves.of(config)
    orphans = []
    for key in shelves.store:
        if key not in wanted:
            record = shelves.store.get(key)
            prompt = f'"{record.request.prompt[:60]}"' if record else "an unreadable record"
            orphans.append(
                _orphan(shelves.store.folder, key, (".json", ".mp3", ".webp"), f"no prompt asks for {prompt}")
            )
    for key in shelves.sketches:
        if key not in wanted or shelves.store.get(key):
            reason = "a sketch that a render replaced" if key in wanted else "a sketch of no prompt"
            orphans.append(_orphan(shelves.sketches.folder, key, (".json", ".mp3", ".webp"), reason))
    renders = shelves.renders.folder
    orphans += [
        _orphan(renders, path.stem, (".json", ".wav"), "a lossless render of no prompt")
        for path in sorted(renders.glob("*.wav"))
        if path.stem not in wanted
    ]
    return orphans


def _orphan(folder: Path, key: str, suffixes: tuple[str, ...], what: str) -> Orphan:
    files = tuple(path for suffix in suffixes if (path := folder / f"{key}{suffix}").is_file())
    return Orphan(files, what)
