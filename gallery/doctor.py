"""What this installation consists of, and which engine it would use."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gallery import __version__
from gallery.config import load_config
from gallery.engines.cluster import availability as cluster_availability
from gallery.engines.musicgen import diagnosis
from gallery.engines.musicgen.cards import find_cards
from gallery.engines.musicgen.compiler import lacks
from gallery.engines.musicgen.files import report
from gallery.engines.replicate import availability
from gallery.errors import GalleryError
from gallery.errors.text import one_line
from gallery.utils.root import find_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gallery.config import Config

_PACKAGES = ("audiocraft", "torch", "transformers", "pydub", "jinja2", "markdown", "click")

# Of an attention head, in all models that Meta has published.
_HEAD_WIDTH = 64


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``fine`` is False where `gallery build` cannot do without it."""

    subject: str
    text: str
    fine: bool = True


def examine(folder: Path) -> Iterator[Finding]:
    """Look at everything that a build needs or could use."""
    yield Finding("gallery", f"{__version__}, Python {platform.python_version()}, {platform.platform()}")
    yield Finding("packages", ", ".join(_version(name) for name in _PACKAGES))
    yield _ffmpeg()
    yield Finding("gpu", _gpu())
    try:
        config = load_config(find_root(folder))
    except GalleryError as error:
        yield Finding("gallery.toml", error.format_message().replace("\n", "; "), fine=False)
        return
    yield Finding("gallery.toml", f"{config.root}, models: {', '.join(config.models)}")
    yield _workspace(config)
    missing = availability(config.replicate)
    yield Finding(
        "replicate", f"not to be used: {missing}" if missing else "can be used with --engine replicate"
    )
    yield Finding("cluster", cluster_availability() or "Ray is there: --cluster renders on several GPUs")
    yield from _engine(config)


def _engine(config: Config) -> Iterator[Finding]:
    try:
        works, told = diagnosis(config.models, config.root)
    except GalleryError as error:
        yield Finding("engine", f"none: {error.format_message()}", fine=False)
        return
    yield Finding(
        "engine", f"musicgen: {told}" if works else f"sketch, since MusicGen cannot run here: {told}"
    )
    if works:
        yield Finding("models", report(config.models, config.root))
    if works and (attention := _attention()):
        yield Finding("attention", attention)


def _attention() -> str:
    """Whose attention the GPU that MusicGen renders on gets, and why; empty without one."""
    import torch

    if not torch.cuda.is_available():
        return ""
    from gallery.engines.musicgen.attention import kernel_problem

    problem, lacking = kernel_problem(_HEAD_WIDTH), lacks(torch.cuda.get_device_capability())
    if problem:
        return f"torch's, since {lacking or problem}: slower; by how much has not been measured"
    import triton

    return f"the kernel, by Triton {triton.__version__}" + (
        f"; it works, though {lacking}" if lacking else ""
    )


def _workspace(config: Config) -> Finding:
    try:
        return Finding("workspace", str(config.workspace))
    except GalleryError as error:
        return Finding("workspace", error.format_message(), fine=False)


def _version(name: str) -> str:
    try:
        return f"{name} {importlib.metadata.version(name)}"
    except importlib.metadata.PackageNotFoundError:
        return f"{name} not installed"


def _ffmpeg() -> Finding:
    import imageio_ffmpeg

    try:
        path = imageio_ffmpeg.get_ffmpeg_exe()
        told = _output(path, "-version")
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        return Finding("ffmpeg", f"cannot run: {error}; reinstall imageio-ffmpeg", fine=False)
    return Finding("ffmpeg", f"{told.split(' Copyright')[0]} ({path})")


def _gpu() -> str:
    """The GPUs as the driver tells of them: torch need not be installed to be told."""
    found = find_cards()
    if not found.cards:
        return "none found (no NVIDIA driver answers)"
    listed = "; ".join(f"{card}, {card.memory}".rstrip(", ") for card in found.cards)
    if found.problem:
        listed += f"; {found.problem}"
    return one_line(listed if found.reachable else f"{listed}; not given to this container")


def _output(*command: str) -> str:
    ran = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=20, stdin=subprocess.DEVNULL
    )
    return ran.stdout
