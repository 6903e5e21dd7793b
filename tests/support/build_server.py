"""Runs the command, each time in a process that begins as a copy of this one.

This one has imported what the tool imports, which takes longest, but nothing of the tool: each command
runs the copy of the tool that it is asked for, as it lies there then.

Requests and answers are pickled dicts, on standard input and output. A request has

- ``tool``: the folder to import the package from, and ``libraries``: one with packages that stand
  before those of the same name which are installed;
- ``arguments``: the command's;
- ``watched``: folders; every file that is opened below them is told in the answer;
- ``edits``: a list of (pattern, number, steps): when the command is about to open, rename or list
  something below a watched folder whose path matches the pattern, for the number-th time, the steps
  are taken before it does. Steps never reached are taken when it has ended.

A step is ("write", path, content, time), ("remove", path) or ("sleep", seconds). The time is that
of the file's last change in seconds, or None for now.
"""

from __future__ import annotations

import fnmatch
import gc
import hashlib
import importlib
import os
import pickle
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from tempfile import TemporaryFile
from types import ModuleType
from typing import IO, Any

import jinja2
import pydantic

Step = tuple[Any, ...]

# A command that takes longer hangs.
LONGEST = 120

IMPORTED = (
    *("PIL.Image", "PIL.ImageDraw", "PIL.ImageFont", "click", "concurrent.futures.thread", "filecmp"),
    *("encodings.unicode_escape", "encodings.utf_8_sig", "filelock", "imageio_ffmpeg", "importlib.metadata"),
    *("markdown.extensions.fenced_code", "markdown.extensions.sane_lists", "markdown.extensions.tables"),
    *("multiprocessing.connection", "mutagen.id3", "nh3", "numpy", "pydantic.json_schema", "pydub"),
    *("pyloudnorm", "queue", "rich.console", "rich.progress", "scipy.ndimage", "scipy.signal", "sqlite3"),
    *("soundfile", "tomllib", "xml.etree.ElementTree", "yaml", "zoneinfo"),
)

# Libraries that there may be another version of.
REPLACEABLE = ("jinja2", "markdown", "nh3")

# Two changes of a file within a tick of the kernel's clock can bear the same time.
TICK = 0.011


def take(steps: Sequence[Step]) -> None:
    """Change files as somebody would who works on them."""
    time.sleep(TICK)
    for kind, *given in steps:
        if kind == "sleep":
            time.sleep(given[0])
        elif kind == "write":
            path, content, changed = Path(given[0]), given[1], given[2]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            if changed is not None:
                os.utime(path, (changed, changed))
        else:
            path = Path(given[0])
            path.unlink(missing_ok=True)
            for folder in path.parents:
                # The folder of prompts stays, and so does the gallery's own.
                if folder.name == "prompts" or (folder.is_dir() and any(folder.iterdir())):
                    break
                if folder.is_dir():
                    folder.rmdir()


class _Kept(jinja2.FileSystemBytecodeCache):
    """Templates compiled once, whichever copy of the tool has them: the text is what decides."""

    def get_bucket(self, environment: Any, name: str, filename: str | None, source: str) -> Any:
        text = hashlib.sha256(source.encode()).hexdigest()
        return super().get_bucket(environment, f"{name} {text}", None, source)


def keep_compiled_templates(folder: str) -> None:
    """Have every environment look there first."""
    begin, kept = jinja2.Environment.__init__, _Kept(folder)

    def beginning(self: Any, *args: Any, **options: Any) -> None:
        begin(self, *args, **{**options, "bytecode_cache": kept})

    jinja2.Environment.__init__ = beginning  # type: ignore[method-assign]


class Installed(MetaPathFinder, Loader):
    """Finds libraries that this process has imported before, unless ``libraries`` has other versions by now.

    Those build upon the installed ones, which they find as ``installed_<name>``.
    """

    def __init__(self, libraries: Path) -> None:
        self._libraries = libraries
        for name in REPLACEABLE:
            sys.modules[f"installed_{name}"] = sys.modules.pop(name)

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        if fullname not in REPLACEABLE or (self._libraries / fullname / "__init__.py").exists():
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return sys.modules[f"installed_{spec.name}"]

    def exec_module(self, module: ModuleType) -> None:
        pass


def note_expressions() -> list[tuple[Any, Any]]:
    """A list of the regular expressions that are compiled from now on: it takes a seventh of a build."""
    noted: list[tuple[Any, Any]] = []
    compile_ = re.compile

    def noting(pattern: Any, flags: Any = 0) -> re.Pattern[Any]:
        noted.append((pattern, flags))
        return compile_(pattern, flags)

    re.compile = noting  # type: ignore[assignment]
    return noted


class Watch:
    """What a command does to the files below some folders, and the edits made meanwhile."""

    def __init__(self, folders: Sequence[str], edits: Sequence[tuple[str, int, Sequence[Step]]]) -> None:
        self.opened: list[str] = []
        self.reached = [False] * len(edits)
        self._folders = tuple(f"{folder}/" for folder in folders)
        self._edits = [*edits]
        self._left = [number for _, number, _ in edits]
        self._process, self._editing = os.getpid(), False

    def see(self, event: str, arguments: tuple[Any, ...]) -> None:
        """What is called at each event that Python audits, before it comes to pass."""
        if event not in ("open", "os.rename", "os.scandir", "os.listdir"):
            return
        if self._editing or not arguments or os.getpid() != self._process:
            return
        # Of a renaming, what comes of it.
        place = arguments[event == "os.rename"]
        if not isinstance(place, str | os.PathLike):
            return
        path = os.fspath(place)
        if not isinstance(path, str) or not f"{path}/".startswith(self._folders):
            return
        if event == "open":
            self.opened.append(path)
        for at, (pattern, _, steps) in enumerate(self._edits):
            if not self.reached[at] and fnmatch.fnmatch(path, pattern):
                self._left[at] -= 1
                if self._left[at] <= 0:
                    self._take(at, steps)

    def end(self) -> list[bool]:
        """Make the edits that are still due. Returns which were made before."""
        reached = [*self.reached]
        for at, (_, _, steps) in enumerate(self._edits):
            if not self.reached[at]:
                self._take(at, steps)
        return reached

    def _take(self, at: int, steps: Sequence[Step]) -> None:
        self.reached[at] = self._editing = True
        try:
            take(steps)
        finally:
            self._editing = False


def run(request: dict[str, Any]) -> tuple[int, Watch]:
    """Run the command in this process."""
    sys.path[:0] = [request["tool"], request["libraries"]]
    sys.meta_path.insert(0, Installed(Path(request["libraries"])))
    watch = Watch(request["watched"], request["edits"])
    sys.addaudithook(watch.see)
    try:
        main: Callable[..., Any] = importlib.import_module("gallery.cli").main
        main(request["arguments"], prog_name="gallery")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - told like any other end of a program
        traceback.print_exc()
        code = 70
    return code, watch


def outcome(request: dict[str, Any]) -> dict[str, Any]:
    """Run the command in a process of its own: its exit code, what it printed, and what it opened."""
    with TemporaryFile() as out, TemporaryFile() as err, TemporaryFile() as told:
        process = os.fork()
        if not process:
            try:
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                tell(request, told)
            finally:
                os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        # Where it told nothing, a signal has ended it.
        fallen = {"code": status, "opened": [], "reached": [False] * len(request["edits"])}, []
        ended = _content(told)
        answer, noted = pickle.loads(ended) if ended else fallen
        for pattern, flags in noted:
            re.compile(pattern, flags)  # known from now on to whoever begins as a copy of this process
        return {**answer, "out": _content(out).decode(), "err": _content(err).decode()}


def tell(request: dict[str, Any], told: IO[bytes]) -> None:
    """Run the command in this process and write down what came of it."""
    signal.alarm(LONGEST)
    gc.disable()
    noted = note_expressions()
    code, watch = run(request)
    answer = {"code": code, "opened": watch.opened, "reached": watch.end()}
    pickle.dump((answer, noted), told)
    for file in (told, sys.stdout, sys.stderr):
        file.flush()


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def main() -> None:
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.dont_write_bytecode = True
    keep_compiled_templates(sys.argv[1])
    for name in IMPORTED:
        importlib.import_module(name)
    pydantic.create_model("Plain", number=(int, 1))  # looks for plugins, once
    gc.freeze()
    while True:
        try:
            request = pickle.load(requests)
        except EOFError:
            return
        pickle.dump(outcome(request), answers)
        answers.flush()


if __name__ == "__main__":
    main()
