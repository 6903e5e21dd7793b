"""Which engine renders, and why not the better one."""

from __future__ import annotations

import importlib.util
from contextlib import nullcontext
from functools import cache
from typing import TYPE_CHECKING

from gallery.errors import GalleryError
from gallery.state.tool import PACKAGE, code_digest, libraries
from gallery.utils.digest import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from gallery.config import Config
    from gallery.engines import Engine, Payment
    from gallery.engines.cluster import Cluster

# What sketches and their previews are made with; a test holds that nothing else is imported for them.
_SKETCH_CODE = (
    "engines/__init__.py",
    "engines/provenance.py",
    "engines/sketch",
    "errors",
    "preview",
    "prompts/request.py",
    "store/clips.py",
    "store/keep.py",
    "store/records.py",
    "utils",
)
_SKETCH_LIBRARIES = ("imageio_ffmpeg", "mutagen", "numpy", "pillow", "pydub", "pyloudnorm", "scipy")


def choose_engine(
    name: str,
    config: Config,
    melodies: Mapping[str, Path],
    report: Callable[[float], None],
    payment: Payment,
    cluster: Cluster | None = None,
    device: str = "auto",
    loading: Callable[[str], AbstractContextManager[object]] = nullcontext,
) -> tuple[Engine | None, str]:
    """The engine for clips that were never rendered, or None; and a line where that is not the best one.

    ``report`` is told how many seconds of audio are made, of unfinished clips too; ``loading`` is
    entered with a model's name while it is loaded.
    ``auto`` takes musicgen where it can run, and otherwise says in one line what is
    missing; it never takes what costs money. ``payment`` is what may be spent where
    an engine does. A ``cluster`` renders in place of this machine. ``device`` is what
    MusicGen renders on (`gallery.engines.musicgen.device`).
    Raises GalleryError where an engine is asked for by name and cannot run, and where a
    GPU is there that torch cannot use.
    """
    if name in ("sketch", "none"):
        return None, ""
    if name == "replicate":
        return _replicate_engine(config, melodies, payment), ""
    if cluster:
        return _cluster_engine(cluster, config, melodies, device), ""
    problem = musicgen_problem(config)
    if not problem:
        from gallery.engines.musicgen import MusicGenEngine
        from gallery.engines.musicgen.device import choose_device

        note = choose_device(device).note
        engine = MusicGenEngine(
            config.models,
            root=config.root,
            melodies=melodies,
            device=device,
            batch_size=config.musicgen.batch_size,
            report=report,
            loading=loading,
        )
        return engine, note
    if name == "musicgen":
        raise GalleryError(f"MusicGen cannot run here: {problem}")
    return None, f"no MusicGen here, so what is not rendered yet stays a sketch: {problem}"


def can_appear(name: str) -> bool:
    """Whether an engine that was not there may be there for the next build, though nothing is installed."""
    return name not in ("sketch", "none") and (
        name != "auto" or importlib.util.find_spec("audiocraft") is not None
    )


def _replicate_engine(config: Config, melodies: Mapping[str, Path], payment: Payment) -> Engine:
    from gallery.engines.replicate import ReplicateEngine, availability

    if problem := availability(config.replicate):
        raise GalleryError(f"Replicate cannot be used here: {problem}")
    return ReplicateEngine(config, melodies, payment)


def _cluster_engine(cluster: Cluster, config: Config, melodies: Mapping[str, Path], device: str) -> Engine:
    from gallery.engines.cluster import ClusterEngine, availability

    if problem := availability():
        raise GalleryError(f"a cluster cannot be used from here: {problem}")
    return ClusterEngine(cluster, config, melodies, device)


def musicgen_problem(config: Config) -> str | None:
    """What keeps MusicGen from running here and what to do about it, or None."""
    from gallery.engines.musicgen import availability

    return availability(config.models, config.root)


def sketch_engine(config: Config) -> Engine:
    """The stand-in."""
    from gallery.engines.sketch import SketchEngine

    return SketchEngine(config.models)


@cache
def sketch_digest() -> str:
    """A digest of the code and the libraries that decide what a sketch's files hold."""
    return digest(libraries(*_SKETCH_LIBRARIES), *(code_digest(PACKAGE / place) for place in _SKETCH_CODE))
