"""audiocraft 1.3, imported on today's torch.

audiocraft imports more than its inference needs: readers and writers of datasets,
training, evaluation. What of that is absent or broken is stood in for, with this
module's small stand-ins, which raise `MissingPart` if they are ever called. A
package that is there and works is always used instead.

| stood in for | what audiocraft wants of it |
|---|---|
| av | reads the audio files of datasets |
| flashy | training, several processes |
| librosa | the filters that find a melody's pitches (the `melody` extra has it) |
| spacy | word lists of text conditioners that no published model has |
| torchaudio | spectrograms: computed here; loudness of written files |
| xformers | one torch function by another name; its attention |
| audiocraft.models.multibanddiffusion | a diffusion decoder, which drags in all of training |

Of transformers, which is there and works, the losses of training are stood in for: its models import them
all, with SciPy's optimizers, and rendering asks for none.

Stand-ins are in `sys.modules` only while audiocraft imports or builds a model, so
that no other package takes them for the real one. A package that is installed but
broken is hidden for good, since transformers would fail over it, too.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from gallery.utils.parallel import without_collecting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What audiocraft imports and MusicGen's inference does without.
PACKAGES = ("av", "flashy", "librosa", "spacy", "torchaudio", "xformers")

# What it imports of their parts.
SUBMODULES = {"flashy": "distrib", "librosa": "filters", "torchaudio": "transforms", "xformers": "ops"}

# What audiocraft's multi-band diffusion needs: without them it is stood in for.
DIFFUSION = "audiocraft.models.multibanddiffusion"
DIFFUSION_NEEDS = ("dora", "flashy", "torchmetrics")

# What transformers' models import to be trained.
LOSSES = "transformers.loss.loss_utils"

ADVICE = {
    "librosa": "melodies need it: run `gallery setup melody`",
    "multi-band diffusion": "clips are decoded with EnCodec's own decoder",
}


class MissingPart(RuntimeError):
    """A part of audiocraft was called that this installation does without."""

    def __init__(self, part: str) -> None:
        package = part.partition(".")[0]
        advice = ADVICE.get(package, "rendering with the gallery's models does not need it")
        super().__init__(f"{part} is not available here; {advice}")


class Standin(ModuleType):
    """A module whose every part that was not given raises `MissingPart` when it is called."""

    def __init__(self, name: str, parts: dict[str, Any] | None = None) -> None:
        super().__init__(name, "Stands in for a package that is absent or broken.")
        self.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
        self.__path__: list[str] = []
        self.__dict__.update(parts or {})

    def __getattr__(self, name: str) -> Missing:
        if name.startswith("__"):
            raise AttributeError(name)
        return Missing(f"{self.__name__}.{name}")


class Missing:
    """A function or class that isn't there, and says so when it is called."""

    def __init__(self, part: str, *, whole: bool = False) -> None:
        """With ``whole``, everything in it goes by its name."""
        self._part = part
        self._whole = whole

    def __getattr__(self, name: str) -> Missing:
        if name.startswith("__"):
            raise AttributeError(name)
        return self if self._whole else Missing(f"{self._part}.{name}")

    def __call__(self, *_arguments: object, **_named: object) -> NoReturn:
        """Say that it isn't there."""
        raise MissingPart(self._part)


@cache
def usable(package: str) -> bool:
    """Whether a package is there and can be imported; one that is broken is hidden from all."""
    if importlib.util.find_spec(package) is None:
        return False
    try:
        importlib.import_module(package)
    except Exception:  # noqa: BLE001 - a broken package may raise anything
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[name]
        sys.modules[package] = None  # type: ignore[assignment] # the import system's own mark for "not there"
        return False
    return True


@contextmanager
def placed() -> Iterator[None]:
    """Stand in for what audiocraft lacks while it imports, builds a model or generates."""
    with swapped(_standins()):
        yield


@contextmanager
def swapped(modules: Mapping[str, ModuleType]) -> Iterator[None]:
    """Put modules in the place of others, or of none, for a while."""
    before = {name: sys.modules[name] for name in modules if name in sys.modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in modules:
            if name in before:
                sys.modules[name] = before[name]
            else:
                del sys.modules[name]


@without_collecting()
def import_audiocraft() -> ModuleType:
    """The package audiocraft with its models, on whatever this installation has.

    What is imported is no garbage: to look for some meanwhile would take longer.
    """
    if "audiocraft.models" not in sys.modules:
        usable("torchaudio")  # hides a broken one before transformers looks for it
        import transformers

        # transformers imports its parts when they are first asked for, and probes for
        # packages as it does: it must not meet a stand-in.
        with swapped({LOSSES: Standin(LOSSES, {"LOSS_MAPPING": {}})}):
            for part in ("T5EncoderModel", "T5Tokenizer", "RobertaTokenizer", "EncodecModel"):
                getattr(transformers, part)
        _import_later("librosa", "filters")  # with SciPy and numba, which only melodies need
        with placed():
            importlib.import_module("audiocraft.models")
    return sys.modules["audiocraft"]


def _import_later(package: str, part: str) -> None:
    """Have a package's part imported when something of it is first used."""
    name = f"{package}.{part}"
    spec = importlib.util.find_spec(name) if usable(package) and name not in sys.modules else None
    if spec and spec.loader:
        loader = spec.loader = importlib.util.LazyLoader(spec.loader)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        loader.exec_module(module)
        setattr(sys.modules[package], part, module)


def stood_in_for() -> list[str]:
    """The packages that are absent or broken, and stood in for."""
    return [package for package in PACKAGES if not usable(package)]


@cache
def _standins() -> dict[str, ModuleType]:
    """The stand-ins for what is absent or broken here, by their modules' names."""
    import torch

    from gallery.engines.musicgen.spectrogram import Spectrogram

    given: dict[str, dict[str, Any]] = {
        "torchaudio": {"Spectrogram": Spectrogram},
        "xformers": {"unbind": torch.unbind, "LowerTriangularMask": object},
    }
    standins: dict[str, ModuleType] = {}
    for package in stood_in_for():
        parts: dict[str, Any] = {}
        if part := SUBMODULES.get(package):
            name = f"{package}.{part}"
            parts[part] = standins[name] = Standin(name, given.get(package))
        standins[package] = Standin(package, parts)
    if not all(usable(package) for package in DIFFUSION_NEEDS):
        diffusion = Missing("multi-band diffusion", whole=True)
        standins[DIFFUSION] = Standin(DIFFUSION, {"MultiBandDiffusion": diffusion})
    return standins
