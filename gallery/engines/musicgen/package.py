"""A checkpoint's file -> its weights and its configuration; no code of whoever made it runs.

Configurations are text, or omegaconf's own objects, pickled. Of these the classes are
known here, in all the shapes that omegaconf gave them; whatever else a file asks for is
refused, unless its model may be unpickled.
"""

from __future__ import annotations

import collections
import pathlib
import pickle
import re
import typing
from functools import cache
from typing import TYPE_CHECKING, Any

import torch

from gallery.errors import GalleryError
from gallery.errors.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gallery.config import Model

# References to values of the same configuration. All others ask a function, which could tell
# the checkpoint of this machine, such as ${oc.env:HOME}: what holds one counts as missing.
_REFERENCE = re.compile(r"\$\{[\w.\[\]]*\}")
_MISSING = "???"

_TYPES = ("Any", "Dict", "List", "Literal", "Optional", "Tuple", "Union")


class CannotLoad(GalleryError):
    """A model that cannot be loaded, and why, in one line."""


def read_package(model: Model, path: Path) -> dict[str, Any]:
    """What one of a checkpoint's files holds. Raises CannotLoad."""
    try:
        with torch.serialization.safe_globals(_known_classes()):
            package = torch.load(path, map_location="cpu", weights_only=not model.unpickle)
    except pickle.UnpicklingError as error:
        if model.unpickle:
            raise
        refused = re.search(r"GLOBAL (\S+)", str(error))
        holds = f"{path.name} holds {one_line(refused[1])}" if refused else path.name
        raise CannotLoad(
            f"{model.hub} needs unpickling ({holds}), which runs code of whoever made it; "
            f"if you trust its source, set `unpickle = true` for this model in gallery.toml"
        ) from error
    if not isinstance(package, dict):
        raise CannotLoad(f"{model.hub} cannot be loaded: {path.name} is not an audiocraft checkpoint")
    return package


def configuration_of(package: dict[str, Any]) -> Any:
    """A package's configuration, made anew from plain values."""
    from omegaconf import OmegaConf

    given = package["xp.cfg"]
    config = given if OmegaConf.is_config(given) else OmegaConf.create(given)
    return OmegaConf.create(_plain(OmegaConf.to_container(config, resolve=False)))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, pathlib.PurePath):
        return str(value)
    if isinstance(value, str) and "${" in _REFERENCE.sub("", value):
        return _MISSING
    return value


@cache
def _known_classes() -> list[Any]:
    """What a pickled configuration may ask for: classes, each under its name where it has several."""
    import omegaconf.base

    values = (bool, bytes, dict, float, int, list, str, tuple, collections.defaultdict)
    posix, windows = pathlib.PurePosixPath, pathlib.PureWindowsPath  # which every system can make
    return [
        *_nodes_of(omegaconf.base.Node),
        omegaconf.base.ContainerMetadata,
        omegaconf.base.Metadata,
        *values,
        *((kind, f"{module}.{name}")
          for module in ("pathlib", "pathlib._local")
          for kind, name in ((pathlib.Path, "Path"), (posix, "PosixPath"), (windows, "WindowsPath"))),
        *((getattr(typing, name), f"typing.{name}") for name in _TYPES),
        (_subscript, "_operator.getitem"),
        (_type_of_none, "builtins.type"),
    ]  # fmt: skip


def _nodes_of(kind: type[Any]) -> Iterator[type[Any]]:
    """omegaconf's kinds of nodes, and nobody else's."""
    if kind.__module__.partition(".")[0] == "omegaconf":
        yield kind
        for below in kind.__subclasses__():
            yield from _nodes_of(below)


def _subscript(generic: Any, of: Any) -> Any:
    """Stands for `operator.getitem`, which pickled types such as ``Union[int, str]`` call."""
    if not any(generic is getattr(typing, name) for name in _TYPES):
        raise pickle.UnpicklingError("GLOBAL _operator.getitem on something else than a type")
    return generic[of]


def _type_of_none(*of: Any) -> type:
    """Stands for `type`, which the pickled type of None calls."""
    if of != (None,):
        raise pickle.UnpicklingError("GLOBAL builtins.type on something else than None")
    return type(None)
