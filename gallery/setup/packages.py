"""What is missing of an extra -> the commands that install it here."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import gallery
from gallery.errors import GalleryError
from gallery.utils.distribution import extras

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.requirements import Requirement

INSTALLERS = ("uv", "pip")

# Its own requirements pin a torch that no longer installs: the extra has what it needs.
_ALONE = {"musicgen": "audiocraft==1.3.0"}


@dataclass(frozen=True)
class _Installer:
    """The command that installs into this environment, what has to run before it, and options of it.

    ``again`` installs anew what is there, ``backend`` chooses among the builds of torch.
    """

    command: list[str]
    again: str
    backend: str = ""
    before: tuple[list[str], ...] = ()


def missing(names: Iterable[str]) -> list[str]:
    """The packages of these extras that are not installed, or not in a version that will do."""
    return [need.name for need in _needs(names) if not _is_there(need)]


def commands(names: Iterable[str], installer: str | None = None, *, again: bool = False) -> list[list[str]]:
    """What installs the packages of these extras that are missing; ``again`` takes all of them.

    By uv where it is there, otherwise by pip, unless ``installer`` names one of them.
    Raises GalleryError where it is not there.
    """
    from packaging.requirements import Requirement

    needs = [need for need in _needs(names) if again or not _is_there(need)]
    if not needs:
        return []
    alone = {Requirement(line).name for line in _ALONE.values()}
    by = _installer(installer)
    install = [*by.command, by.again] if again else by.command
    tested = _tested()
    if by.backend:
        tested.pop("torch", None)
    together = [_pinned(need, tested) for need in needs if need.name not in alone]
    apart = [str(need) for need in needs if need.name in alone]
    return [
        *by.before,
        *([[*install, by.backend, *together] if by.backend else [*install, *together]] if together else []),
        *([[*install, "--no-deps", *apart]] if apart else []),
    ]


def run(todo: Iterable[Sequence[str]]) -> None:
    """Run commands, one after the other. Raises GalleryError where one fails; it has said why."""
    for command in todo:
        try:
            code = subprocess.run(command, check=False).returncode
        except OSError as error:
            raise GalleryError(f"{command[0]} cannot be started: {error.strerror}") from error
        if code:
            raise GalleryError(f"this failed with exit code {code}, as told above: {shlex.join(command)}")
    importlib.invalidate_caches()


def _needs(names: Iterable[str]) -> list[Requirement]:
    """What these extras need, each package once."""
    from packaging.requirements import Requirement

    known = extras()
    found: dict[str, Requirement] = {}
    for name in names:
        alone = [Requirement(_ALONE[name])] if name in _ALONE else []
        for need in (*known[name], *alone):
            found.setdefault(need.name, need)
    return list(found.values())


def _is_there(need: Requirement) -> bool:
    try:
        version = importlib.metadata.version(need.name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return need.specifier.contains(version, prereleases=True)


def _pinned(need: Requirement, tested: dict[str, str]) -> str:
    """In the version that everything was tested with, if there is one."""
    version = tested.get(need.name)
    return f"{need.name}=={version}" if version else f"{need.name}{need.specifier}"


def _tested() -> dict[str, str]:
    from packaging.utils import canonicalize_name

    package = Path(gallery.__file__).parent
    places = (package / "scaffold/constraints.txt", package.parent / "constraints.txt")
    lines = next(place for place in places if place.is_file()).read_text(encoding="utf-8").splitlines()
    pins = (line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    return {str(canonicalize_name(name)): version for name, version in pins}


def _installer(wanted: str | None) -> _Installer:
    places = os.pathsep.join((os.environ.get("PATH", ""), str(Path(sys.executable).parent)))
    uv = shutil.which("uv", path=places)
    if uv and wanted != "pip":
        # The newest build of torch that this machine's driver can run.
        backend = f"--torch-backend={os.environ.get('UV_TORCH_BACKEND') or 'auto'}"
        return _Installer([uv, "pip", "install", "--python", sys.executable], "--reinstall", backend)
    if wanted == "uv":
        raise GalleryError("uv is not on the PATH: https://docs.astral.sh/uv/ tells how to install it")
    python = [sys.executable, "-m"]
    pip = [*python, "pip", "install"]
    if importlib.util.find_spec("pip"):
        return _Installer(pip, "--force-reinstall")
    if importlib.util.find_spec("ensurepip"):
        return _Installer(pip, "--force-reinstall", before=([*python, "ensurepip"],))
    raise GalleryError(
        f"neither uv nor pip is there to install with into {sys.prefix}: "
        "install uv (https://docs.astral.sh/uv/) and run this again"
    )
