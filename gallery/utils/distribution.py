"""The distribution that this tool is installed as, and what may be added to it."""

from __future__ import annotations

import importlib.metadata
import json
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from packaging.requirements import Requirement

# The package index has another project of the name `gallery`, which this one had until 0.2.
NAME = "musicgen-gallery"

# What only whoever changes the code needs.
_DEVELOPMENT = ("bench", "check", "test")

_PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def extras() -> dict[str, list[Requirement]]:
    """What engines and stores need beyond the light installation, as far as it applies to this machine.

    By the names of the extras that the distribution declares; in a checkout that isn't installed, those
    that its pyproject.toml does.
    """
    from packaging.requirements import Requirement

    try:
        about = importlib.metadata.metadata(NAME)
    except importlib.metadata.PackageNotFoundError:
        if not _PROJECT.is_file():
            return {}
        declared = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
        found = {name: [Requirement(line) for line in lines] for name, lines in declared.items()}
    else:
        needs = [Requirement(line) for line in about.get_all("Requires-Dist") or ()]
        found = {
            name: [need for need in needs if not _applies(need) and _applies(need, name)]
            for name in about.get_all("Provides-Extra") or ()
        }
    return {
        name: [need for need in needs if _applies(need, name)]
        for name, needs in sorted(found.items())
        if name not in _DEVELOPMENT
    }


def _applies(need: Requirement, extra: str = "") -> bool:
    return need.marker is None or need.marker.evaluate({"extra": extra})


def origin() -> dict[str, Any]:
    """Where this installation came from, as its installer noted it (PEP 610); empty if it came by name."""
    try:
        noted = importlib.metadata.distribution(NAME).read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        noted = None
    found: dict[str, Any] = json.loads(noted or "{}")
    return found


def is_uv_tool() -> bool:
    """Whether this is an environment of `uv tool`: what is added to it goes with every upgrade."""
    return (Path(sys.prefix) / "uv-receipt.toml").is_file()


def setup_advice(extra: str) -> str:
    """The one thing to do where something of an extra is missing."""
    again = ", as after every `uv tool upgrade`" if is_uv_tool() else ""
    return f"run `gallery setup {extra}`{again}"
