"""Clips of other tools -> prompt files and clips in the store.

| module | does |
|---|---|
| sources | looks for clips in files and folders |
| tts_webui, damaged | reads the metadata of TTS-WebUI, the damaged too |
| apps | reads what AudioCraft Plus and audiocraft-webui write |
| replicate, fetch | reads predictions, and gets what they point to |
| manifest | reads tables of what nothing beside the audio says, and writes one to fill in; and lone prompts |
| own_mp3 | reads MP3s that a gallery handed out |
| untrusted, audio, m4a | values and samples within limits |
| found | what these hand on: clips, and what could not be taken |
| drafts | makes prompt files of clips, and tries them in a gallery of their own |
| keep | decides what is new, and keeps it |

All of it is untrusted: a file yields a clip, or one line that says why not.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gallery.errors import GalleryError
from gallery.errors.text import shown
from gallery.importers.drafts import TrialGallery
from gallery.importers.found import Unusable
from gallery.importers.keep import Imported, keep_clips
from gallery.importers.manifest import free_place, write_manifest
from gallery.importers.sources import audio_without_settings, find_clips
from gallery.importers.untrusted import model_name
from gallery.store.lock import build_lock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gallery.config import Config

__all__ = ["Imported", "import_clips", "make_manifest"]


def import_clips(
    config: Config, sources: Sequence[Path], into: str, dry_run: bool, jobs: int = 1, model: str = ""
) -> Imported:
    """Bring the clips in ``sources`` into the gallery, their prompt files into prompts/``into``.

    ``model`` made those of which nothing says which model did. With ``dry_run`` nothing is written,
    and what would come is told. Raises GalleryError where nothing can be done: a source that isn't
    there, prompt files with faults.
    """
    folder, model = _target(config, into), _model(config, model)
    lock = nullcontext() if dry_run else build_lock(config)
    with TemporaryDirectory(prefix="gallery-") as name, lock:
        scratch = Path(name)
        finds = find_clips(config, sources, None if dry_run else scratch, model)
        try:
            trial = TrialGallery(config, scratch, into)
            return keep_clips(config, finds, trial, folder, scratch, dry_run, jobs)
        except OSError as error:
            raise GalleryError(f"the import stopped, and can be run again: {error}") from error


def make_manifest(config: Config, folder: Path) -> tuple[Path, int]:
    """Write a manifest to fill in, of a folder's audio without settings. Returns it and its rows' number.

    Raises GalleryError where there is one already, or nothing to put into it.
    """
    target = free_place(folder)
    files = audio_without_settings(config, folder)
    if not files:
        raise GalleryError(f"{shown(str(folder))} has no audio without settings")
    return target, write_manifest(target, files)


def _model(config: Config, said: str) -> str:
    """The gallery's name of a model, however it was named. Raises GalleryError for one that it lacks."""
    if not said or said in config.models:
        return said
    try:
        return model_name(config, said)
    except Unusable as error:
        known = ", ".join(config.models)
        raise GalleryError(f"--model {shown(said)}: {error}; models here: {known}") from error


def _target(config: Config, into: str) -> Path:
    """The folder of the new prompt files. Raises GalleryError for one that isn't in prompts/."""
    parts = PurePosixPath(into).parts
    folder = config.prompts.joinpath(*parts)
    inside = folder.resolve().is_relative_to(config.prompts.resolve())
    if not parts or ".." in parts or "\0" in into or not inside:
        raise GalleryError(f"--into {shown(into)} is no folder in prompts/")
    return folder
