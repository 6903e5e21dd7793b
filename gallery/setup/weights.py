"""The models that a gallery's prompts ask for -> the files that they lack, and how much that is; fetched.

Only what rendering needs: a model's repository holds it several times over.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from gallery.engines.musicgen.files import missing
from gallery.errors import GalleryError
from gallery.errors.text import one_line
from gallery.prompts.folder import read_prompts

if TYPE_CHECKING:
    from gallery.config import Config
    from gallery.engines.musicgen.files import Need


@dataclass(frozen=True)
class Asked:
    """A model of gallery.toml that prompts ask for, and whether one of them has a melody."""

    name: str
    melodies: bool


def models_asked_for(config: Config) -> list[Asked]:
    """The models that the prompts ask for, in the order of gallery.toml."""
    found: dict[str, bool] = {}
    for prompt in read_prompts(config).prompts:
        for clip in prompt.clips:
            found[clip.model] = found.get(clip.model, False) or bool(clip.fields.get("melody"))
    return [Asked(name, found[name]) for name in config.models if name in found]


def lacking(config: Config, asked: Asked) -> list[Need]:
    """What a model lacks here. Once its checkpoint has come there may be more: it names other models."""
    return missing(config.models[asked.name], config.root, melodies=asked.melodies)


@dataclass(frozen=True)
class Files:
    """The files of one need that are to be fetched, with their sizes in bytes."""

    need: Need
    sizes: dict[str, int]

    @property
    def bytes(self) -> int:
        """Of all of them."""
        return sum(self.sizes.values())


def files_of(need: Need, root: Path) -> Files:
    """Which files of its repository a need lacks here, as the hub tells them.

    Raises GalleryError where the hub cannot be asked, or has no such files.
    """
    from huggingface_hub import HfApi

    try:
        told = HfApi().model_info(need.hub, revision=need.revision or None, files_metadata=True)
    except Exception as error:  # the client passes on those of what it is made of
        raise GalleryError(f"the hub cannot be asked for {need.hub}: {_reason(error)}") from error
    there = {file.rfilename: file.size or 0 for file in told.siblings or ()}
    names = [name for name in need.files if name in there]
    for group in need.enough:
        if not any(name in group for name in names):
            other = next((name for name in group if name in there), None)
            if other is None:
                raise GalleryError(f"{need.hub} on the hub has no {' or '.join(group)}")
            # One that is in several files has an index of them.
            names += [other, *(name for name in there if name.startswith(f"{other.partition('.')[0]}-"))]
    return Files(need, {name: there[name] for name in names if need.path(root, name) is None})


def fetch(files: Files) -> None:
    """Bring files into the hub's cache, with a bar for each; what was begun is gone on with.

    Raises GalleryError where that fails.
    """
    from huggingface_hub import hf_hub_download

    need = files.need
    for name in files.sizes:
        try:
            _bring(need, name)
            hf_hub_download(need.hub, name, revision=need.revision or None)  # gives it its name
        except Exception as error:
            raise GalleryError(
                f"{need.hub}: {name} cannot be fetched: {_reason(error)}; run this again to go on"
            ) from error


def _bring(need: Need, name: str) -> None:
    """Fetch a file's content to where the hub's client looks for it.

    The client itself begins anew whenever it is started.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get, repo_folder_name
    from huggingface_hub.utils._headers import build_hf_headers

    url, headers = hf_hub_url(need.hub, name, revision=need.revision or None), build_hf_headers()
    about = get_hf_file_metadata(url, headers=headers)
    folder, digest = repo_folder_name(repo_id=need.hub, repo_type="model"), about.etag or ""
    if not re.fullmatch("[0-9a-f]{40,64}", digest):  # of git, or SHA-256
        raise ValueError("the hub tells no digest of it")
    blob = Path(constants.HF_HUB_CACHE, folder, "blobs", digest)
    part, lock = blob.with_suffix(".part"), Path(constants.HF_HUB_CACHE, ".locks", folder, f"{digest}.part")
    for place in (blob, lock):
        place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        if blob.exists():
            return
        with part.open("ab") as file:
            begun = file.tell()
            http_get(url, file, resume_size=begun, headers=headers, expected_size=about.size)
        if begun and len(digest) == 64 and _sha256(part) != digest:
            part.unlink()
            raise ValueError("what was fetched earlier was damaged")
        part.replace(blob)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def free_bytes() -> int:
    """What the disk of the hub's cache has left."""
    from huggingface_hub.constants import HF_HUB_CACHE

    place = Path(HF_HUB_CACHE).absolute()
    return shutil.disk_usage(next(folder for folder in (place, *place.parents) if folder.is_dir())).free


def _reason(error: Exception) -> str:
    return one_line(str(error).strip().partition("\n")[0] or type(error).__name__)
