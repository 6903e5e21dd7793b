"""Which files a model needs, and which of them are here: in its folder or in the hub's cache.

Nothing here asks the network, runs anything of a checkpoint, or imports torch.

A checkpoint names further models: its text encoder always, its codec where it does not
hold one. Where its files are here, they are asked; else it is assumed what the published
models name. So whoever fetches files asks again once the checkpoint has come.
"""

from __future__ import annotations

import os
import pickletools
import re
import shlex
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gallery.config import Model

# A checkpoint's files: the language model and the codec.
LM_FILE, CODEC_FILE = "state_dict.bin", "compression_state_dict.bin"

HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")

# The published models, and the commits of what they name; `codec_revision` has none that is known.
_PUBLISHED = re.compile(r"facebook/(musicgen-[\w-]+|audiogen-medium)")
_ENCODER_REVISIONS = {
    "t5-base": "a9723ea7f1b39c1eae772870f3b547bf6ef7e6c1",
    "t5-large": "150ebc2c4b72291e770f58e6057481c8d2ed331a",
}
_CODEC = "facebook/encodec_32khz"

# The text encoders that audiocraft takes.
_T5 = re.compile(r"(?:google/flan-)?t5-(?:small|base|large|3b|11b|xl|xxl)")
_T5_IN_YAML = re.compile(rf"^ *name: *['\"]?({_T5.pattern})['\"]? *$", re.MULTILINE)

# What transformers reads of a repository: the files to fetch, and of what each one is enough.
_CONFIG = ("config.json",)
_WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
_TOKENIZER = ("tokenizer.json", "spiece.model")  # the second is read with sentencepiece

# demucs asks the hub first, then torch's hub.
_SEPARATOR = "adefossez/HTDemucs"
_SEPARATOR_FILES = ("htdemucs.yaml", "955717e8.safetensors")
_SEPARATOR_OF_TORCH = "955717e8-8726e21a.th"

# A file that only names its codec is smaller, and what describes weights, too, in bytes.
_POINTER_SIZE, _PICKLE_SIZE = 1_000_000, 64_000_000


@dataclass(frozen=True)
class Need:
    """Files that a model needs, of one repository of the hub or one folder.

    ``hub`` is the repository's id and ``revision`` its commit (empty: the newest);
    ``files`` are what to fetch of it. They are here where one file of each group of
    ``enough`` is. With a ``folder``, relative to gallery.toml, they have to be there
    and are not fetched. ``purpose`` says in a word or two what they are.
    """

    purpose: str
    hub: str
    revision: str
    files: tuple[str, ...]
    enough: tuple[tuple[str, ...], ...]
    folder: str = ""
    instead: Path | None = None  # a file that does as well

    def find(self, root: Path) -> Path | None:
        """The folder that has them all, or None."""
        if self.instead and self.instead.is_file():
            return self.instead.parent
        paths = [
            next((path for name in group if (path := self.path(root, name))), None) for group in self.enough
        ]
        return paths[0].parent if paths[0] and all(paths) else None

    def path(self, root: Path, name: str) -> Path | None:
        """One of the files, or None where it is not here."""
        if self.folder:
            path = root / self.folder / name
            return path if path.is_file() else None
        from huggingface_hub import try_to_load_from_cache

        try:
            cached = try_to_load_from_cache(self.hub, name, revision=self.revision or None)
        except ValueError:  # a name that the hub has for nothing
            return None
        return Path(cached) if isinstance(cached, str) else None

    @property
    def advice(self) -> str:
        """How to have them here."""
        if self.folder:
            what = f"those of {self.hub}" if self.purpose == "weights" else Path(self.folder).name
            return f"put {what} into {self.folder}"
        pinned = ["--revision", self.revision] if self.revision else []
        return f"run `{shlex.join(['hf', 'download', self.hub, *self.files, *pinned])}`"


def needs(model: Model, root: Path, *, melodies: bool = False) -> list[Need]:
    """All that a model needs, the checkpoint itself first.

    ``root`` is the folder of gallery.toml. With ``melodies`` what melodies need, too.
    """
    both = LM_FILE, CODEC_FILE
    weights = Need("weights", model.hub, model.revision, both, tuple((n,) for n in both), model.folder)
    found = [weights, text_encoder(model, root, _encoder_name(model, weights, root))]
    if name := _codec_name(model, weights, root):
        found.append(codec(model, root, name))
    if melodies and model.takes_melody:
        found.append(_separator())
    return found


def missing(model: Model, root: Path, *, melodies: bool = False) -> list[Need]:
    """What a model needs and is not here."""
    return [need for need in needs(model, root, melodies=melodies) if need.find(root) is None]


def text_encoder(model: Model, root: Path, name: str) -> Need:
    """The text encoder that a model's checkpoint names."""
    known = _ENCODER_REVISIONS.get(name, "") if _PUBLISHED.fullmatch(model.hub) else ""
    files = (*_CONFIG, "tokenizer_config.json", *_TOKENIZER, _WEIGHTS[0])
    readable = _TOKENIZER if find_spec("sentencepiece") else _TOKENIZER[:1]
    enough = (_CONFIG, readable, _WEIGHTS)
    revision = model.text_encoder_revision or known
    return Need("text encoder", name, revision, files, enough, _copy_of(name, model, root))


def codec(model: Model, root: Path, name: str) -> Need:
    """The codec that a model's checkpoint names."""
    files, enough = (*_CONFIG, _WEIGHTS[0]), (_CONFIG, _WEIGHTS)
    return Need("codec", name, model.codec_revision, files, enough, _copy_of(name, model, root))


def _copy_of(name: str, model: Model, root: Path) -> str:
    """The copy of a hub model that a checkpoint's folder holds, if it does."""
    last = name.rpartition("/")[2]
    copy = f"{model.folder}/{last}" if model.folder and HUB_ID.fullmatch(last) else ""
    return copy if copy and (root / copy).is_dir() else ""


def _separator() -> Need:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "torch"
    of_torch = Path(os.environ.get("TORCH_HOME") or cache, "hub", "checkpoints", _SEPARATOR_OF_TORCH)
    enough = tuple((name,) for name in _SEPARATOR_FILES)
    return Need(
        "separator for melodies", _SEPARATOR, "", _SEPARATOR_FILES, enough, instead=of_torch.expanduser()
    )


def problem_of(model: Model, lacking: list[Need]) -> str:
    """One line on what a model lacks, and the first thing to do about it."""
    return f"{model.hub} has no {' and no '.join(need.purpose for need in lacking)} here: {lacking[0].advice}"


def report(models: Mapping[str, Model], root: Path) -> str:
    """Which models are here whole; of those that are here in part, what they lack and what to do."""
    lacking = {name: missing(model, root, melodies=model.takes_melody) for name, model in models.items()}
    whole = [name for name, needed in lacking.items() if not needed]
    absent = [name for name, needed in lacking.items() if needed and needed[0].purpose == "weights"]
    told = [f"here: {', '.join(whole) or 'none'}"]
    told += [
        problem_of(models[name], needed) for name, needed in lacking.items() if needed and name not in absent
    ]
    if absent:
        told.append(f"weights not here: {', '.join(absent)}")
    return "; ".join(told)


def _encoder_name(model: Model, weights: Need, root: Path) -> str:
    path = weights.path(root, LM_FILE)
    for text in _strings(path) if path else ():
        if _T5.fullmatch(text):
            return text
        if named := _T5_IN_YAML.search(text):
            return named[1]
    return "t5-large" if model.kind == "audiogen" else "t5-base"


def _codec_name(model: Model, weights: Need, root: Path) -> str | None:
    path = weights.path(root, CODEC_FILE)
    if path is None:
        return _CODEC if model.hub.startswith("facebook/musicgen-") else None
    if path.stat().st_size > _POINTER_SIZE:
        return None
    texts = _strings(path)
    name = next(texts, "") if "pretrained" in texts else ""
    return name if HUB_ID.fullmatch(name) else None


def _strings(path: Path) -> Iterator[str]:
    """The strings of a checkpoint's pickle, in their order. It is taken apart, not unpickled."""
    try:
        with path.open("rb") as file:
            if zipfile.is_zipfile(file):
                with zipfile.ZipFile(file) as archive:
                    found = next(info for info in archive.infolist() if info.filename.endswith("/data.pkl"))
                    with archive.open(found) as content:
                        yield from _strings_of(BytesIO(content.read(_PICKLE_SIZE)))
            elif path.stat().st_size < _POINTER_SIZE:
                file.seek(0)
                while file.peek(1):  # older files hold several pickles
                    yield from _strings_of(file)
    except Exception:  # noqa: BLE001 - what is wrong with a file is told when it is loaded
        return


def _strings_of(file: IO[Any]) -> Iterator[str]:
    return (argument for _, argument, _ in pickletools.genops(file) if isinstance(argument, str))
