"""A gallery, a copy of the tool, and libraries, all of which can be changed: what builds depend on."""

from __future__ import annotations

import hashlib
import pickle
import py_compile
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from support import ROOT as CHECKOUT
from support.build_server import take

# What a build runs with: nothing is rendered, and clips without a render stay without sound.
QUICK = ("--engine", "none", "--no-sketches")

# Of the guides that come with the tool, so many are enough here, and quicker.
GUIDES = ("guides/en/seeds.md", "guides/en/guidance.md")

# Differences between two sites that are told.
_MOST_TOLD = 6

_FAULT = re.compile(r"(prompts/[^:]+\.(?:md|yaml)):")


@dataclass(frozen=True)
class Change:
    """New content of a file, or None for its removal; ``changed`` is the time that it then bears."""

    path: str
    content: bytes | None
    changed: float | None = None


@dataclass(frozen=True)
class Meanwhile:
    """Changes made while a build runs: when it is about to deal with a path for the ``number``-th time.

    ``pattern`` is of paths from the workplace on, as ``fnmatch`` has them. The build is held up for
    ``wait`` seconds before.
    """

    pattern: str
    number: int
    changes: tuple[Change, ...]
    wait: float = 0


@dataclass(frozen=True)
class Ran:
    """What came of a build; ``opened`` holds files of the workplace, by their paths from there on."""

    code: int
    out: str
    err: str
    opened: list[str]
    reached: list[bool]

    @property
    def wrote(self) -> bool:
        """Whether the build came to the end of writing a site."""
        return " files written, " in self.out

    @property
    def faulty(self) -> set[str]:
        """The files that the build found faults in, from the gallery's root on."""
        found = (_FAULT.match(line) for line in self.err.splitlines())
        return {match[1] for match in found if match}

    @property
    def looked(self) -> bool:
        """Whether the build looked into prompt files, templates or guides."""
        return any(
            re.match(r"(gallery/prompts|(gallery|tool)/(templates|guides))/", path) for path in self.opened
        )

    @property
    def told(self) -> str:
        """What it came to, in a line."""
        lines = [line for line in self.out.splitlines() if " files written, " in line]
        return "; ".join([f"exit code {self.code}", *lines, *sorted(self.faulty)])

    def __str__(self) -> str:
        return f"exit code {self.code}\n{self.out}{self.err}"


class Server:
    """Runs builds quickly: see `build_server`."""

    def __init__(self, folder: Path) -> None:
        compiled = folder / "templates"
        compiled.mkdir()
        script = Path(__file__).with_name("build_server.py")
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", script, compiled], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.tool = folder / "tool"
        _copy_tool(self.tool)

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        pickle.dump(request, self._process.stdin)
        self._process.stdin.flush()
        return pickle.load(self._process.stdout)

    def close(self) -> None:
        self._process.communicate()


def _copy_tool(target: Path) -> None:
    """A copy of the tool as it lies in the checkout, compiled in a way that never misses a change."""
    unwanted = shutil.ignore_patterns("__pycache__", ".*")
    for name in ("gallery", "templates", "scaffold"):
        shutil.copytree(CHECKOUT / name, target / name, ignore=unwanted)
    for name in GUIDES:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, target / name)
    for path in target.glob("gallery/**/*.py"):
        # By content: by time, two changes within a second are one.
        py_compile.compile(str(path), invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)


class Workplace:
    """A folder with ``gallery/``, ``tool/`` and ``libraries/``; paths are meant from there on."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder = server, folder
        shutil.copytree(server.tool, folder / "tool")
        (folder / "libraries").mkdir()
        (folder / "gallery/prompts").mkdir(parents=True)
        # What has become of the tool and the libraries, beside what they were in the beginning.
        self._made_with: dict[str, bytes | None] = {}

    def read(self, path: str) -> bytes | None:
        """A file's content, or None where there is none."""
        file = self.folder / path
        return file.read_bytes() if file.is_file() else None

    def change(self, *changes: Change) -> None:
        """Change files now."""
        take([self._step(change) for change in changes])
        self._note(changes)

    def write(self, path: str, content: str | bytes) -> None:
        """Give a file this content; it bears the time of a while ago, as if builds were further apart."""
        data = content.encode() if isinstance(content, str) else content
        self.change(Change(path, data, long_ago()))

    def remove(self, *paths: str) -> None:
        self.change(*(Change(path, None) for path in paths))

    def _step(self, change: Change) -> tuple[Any, ...]:
        path = str(self.folder / change.path)
        return ("remove", path) if change.content is None else ("write", path, change.content, change.changed)

    def _note(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if not change.path.startswith("gallery/"):
                self._made_with[change.path] = change.content

    def build(self, *options: str, meanwhile: Sequence[Meanwhile] = (), gallery: str = "gallery") -> Ran:
        """Run `gallery build` with these options, or quickly."""
        edits = []
        for moment in meanwhile:
            steps: list[tuple[Any, ...]] = [("sleep", moment.wait)] if moment.wait else []
            steps += [self._step(change) for change in moment.changes]
            edits.append((f"{self.folder}/{moment.pattern}", moment.number, steps))
        request = {
            "tool": str(self.folder / "tool"),
            "libraries": str(self.folder / "libraries"),
            "arguments": ["--gallery", str(self.folder / gallery), "build", *(options or QUICK)],
            "watched": [str(self.folder / name) for name in (gallery, "tool", "libraries")],
            "edits": edits,
        }
        told = self.server.ask(request)
        for moment in meanwhile:
            self._note(moment.changes)
        start = len(str(self.folder)) + 1
        return Ran(**{**told, "opened": [path[start:] for path in told["opened"]]})

    def site(self, gallery: str = "gallery") -> dict[str, bytes]:
        """The files of the site: what builds write, so neither the store nor what builds note there."""
        return {
            name: content
            for name, content in _files(self.folder / gallery / "site")
            if not name.startswith("audio/") and name != ".gallery.json"
        }

    def clean_site(
        self, *options: str, instead: Mapping[str, bytes | None] | None = None
    ) -> dict[str, bytes]:
        """What a first build makes of the gallery as it is, with these files' contents in place of theirs.

        It must find no fault.
        """
        clean, source = self.folder / "clean", self.folder / "gallery"
        shutil.rmtree(clean, ignore_errors=True)
        kept = {".gallery", "site"}
        shutil.copytree(source, clean, ignore=lambda at, _: kept if Path(at) == source else ())
        if (source / "site/audio").is_dir():
            shutil.copytree(source / "site/audio", clean / "site/audio")
        for name, content in (instead or {}).items():
            if content is None:
                (clean / name).unlink()
            else:
                (clean / name).write_bytes(content)
        decisive = hashlib.sha256(repr((options, sorted(_files(clean)), self._state())).encode()).digest()
        if decisive not in _CLEAN:
            ran = self.build(*options, gallery="clean")
            assert ran.code == 0 and ran.wrote, f"a clean build failed: {ran}"
            _CLEAN[decisive] = {
                name: _CONTENTS.setdefault(content, content) for name, content in self.site("clean").items()
            }
        return _CLEAN[decisive]

    def _state(self) -> list[tuple[str, bytes | None]]:
        return sorted(self._made_with.items())


# Sites by a digest of all that they were made from. Most files are the same in many: one copy does.
_CLEAN: dict[bytes, dict[str, bytes]] = {}
_CONTENTS: dict[bytes, bytes] = {}


def long_ago() -> float:
    """A time that is past, and another one each time."""
    return time.time() - 1000


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def difference(made: Mapping[str, bytes], clean: Mapping[str, bytes]) -> str:
    """In what a site differs from what it should be; nothing where it doesn't."""
    told = [f"{name} is there and should not be" for name in sorted(made.keys() - clean.keys())]
    told += [f"{name} is missing" for name in sorted(clean.keys() - made.keys())]
    for name in sorted(made.keys() & clean.keys()):
        if made[name] != clean[name]:
            told.append(f"{name} differs: {_first_difference(made[name], clean[name])}")
    more = [f"and {len(told) - _MOST_TOLD} more"] if len(told) > _MOST_TOLD else []
    return "\n".join(told[:_MOST_TOLD] + more)


def _first_difference(one: bytes, other: bytes) -> str:
    """Where two contents part, with a little of what stands around."""
    at = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    at = min(len(one), len(other)) if at is None else at
    line = one.count(b"\n", 0, at) + 1
    start = max(one.rfind(b"\n", 0, at) + 1, at - 60)
    return f"line {line} has\n    {one[start : at + 60]!r} and not\n    {other[start : at + 60]!r}"


@dataclass(frozen=True)
class Version:
    """Another version of an installed library, whose mark is in what it makes."""

    library: str
    package: str
    code: str

    @cached_property
    def files(self) -> dict[str, bytes]:
        """Its files, by their paths in a workplace."""
        installed = distribution(self.library)
        about = f"libraries/{self.package}-99.9.9.dist-info"
        texts: dict[str, str] = {}
        for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt"):
            if text := installed.read_text(name):
                texts[f"{about}/{name}"] = re.sub(r"(?m)^Version: .*", "Version: 99.9.9", text)
        texts[f"libraries/{self.package}/__init__.py"] = _NEWER.format(package=self.package, code=self.code)
        return {name: text.encode() for name, text in texts.items()}


_NEWER = """\
import sys
import installed_{package} as installed
{code}
sys.modules["{package}"] = installed
"""

VERSIONS = (
    Version(
        "nh3",
        "nh3",
        "Installed = installed.Cleaner\n"
        "class Cleaner:\n"
        "    def __init__(self, **allowed): self.installed = Installed(**allowed)\n"
        "    def clean(self, html): return self.installed.clean(html) + '<i>another nh3</i>'\n"
        "installed.Cleaner = Cleaner",
    ),
    Version(
        "Markdown",
        "markdown",
        "convert = installed.Markdown.convert\n"
        "installed.Markdown.convert = lambda *a: convert(*a) + '<p>another Markdown</p>'",
    ),
    Version(
        "Jinja2",
        "jinja2",
        "render = installed.Template.render\n"
        "installed.Template.render = lambda *a, **o: render(*a, **o) + '<!-- another Jinja2 -->'",
    ),
)


@dataclass(frozen=True)
class Revision:
    """Another version of one of the tool's modules: that which has ``text``, wherever it lies."""

    name: str
    text: str
    instead: str

    def file_in(self, workplace: Workplace) -> str:
        """The module's path in a workplace."""
        return _module_with(workplace.server.tool, self.text)

    def apply(self, content: bytes) -> bytes:
        return content.replace(self.text.encode(), self.instead.encode())

    def revert(self, content: bytes) -> bytes:
        return content.replace(self.instead.encode(), self.text.encode())


@cache
def _module_with(tool: Path, text: str) -> str:
    found = [path for path in sorted(tool.glob("gallery/**/*.py")) if text in path.read_text()]
    assert len(found) == 1, f"{text!r} stands in {len(found)} modules; name another text"
    return f"tool/{found[0].relative_to(tool).as_posix()}"


REVISIONS = (
    Revision("kin", "MOST_KIN = 8", "MOST_KIN = 1"),
    Revision("wordings", "MOST_PAIRS = 250_000", "MOST_PAIRS = 0"),
    Revision("catalogue", '"length": clip.duration}', '"length": clip.duration + 1}'),
    Revision("Replicate's input", "Replicate has no {request.model}", "Replicate knows no {request.model}"),
    Revision("prompt files", "TITLE_LENGTH = 60", "TITLE_LENGTH = 12"),
    Revision("parameters", '"guidance",', '"obedience",'),
    Revision("rows", '"the same but for"', '"alike but for"'),
)
