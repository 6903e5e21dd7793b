"""What the disk refuses is a line that names the file; nothing is lost, and the next build makes it good."""

from __future__ import annotations

import errno
import os
import pickle
import re
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from gallery.engines.replicate.journal import Journal, JournalEntry
from gallery.errors import Fault, FaultyFile, GalleryError
from gallery.errors.system import told_by_the_system
from gallery.state.database import State
from gallery.utils import files
from support import ROOT
from support.galleries import Gallery, Ran, render_all
from support.others_clips import metadata, music, write_clip

FAULTS = {"a full disk": errno.ENOSPC, "a failing disk": errno.EIO, "no permission": errno.EACCES}

# What the command does, and a name of each class of file that it writes then.
BUILD = ("build", "--engine", "sketch")
CLASSES = {
    "a page": (BUILD, "site/prompts/a/index.html"),
    "an asset": (BUILD, "site/assets/*.js"),
    "what is made piece by piece": (BUILD, "site/catalogue.json"),
    "the list of the output": (BUILD, "site/.gallery.json"),
    "a store's MP3": (BUILD, "site/audio/*.mp3"),
    "a store's cover": (BUILD, "site/audio/*.webp"),
    "a store's record": (BUILD, "site/audio/*.json"),
    "a sketch's MP3": (BUILD, ".gallery/sketches/*.mp3"),
    "a sketch's record": (BUILD, ".gallery/sketches/*.json"),
    "the workspace's own file": (BUILD, ".gallery/.gitignore"),
    "a lossless render": (("import", "{clips}"), ".gallery/renders/*.wav"),
    "a lossless render's description": (("import", "{clips}"), ".gallery/renders/*.json"),
    "an imported clip": (("import", "{clips}"), "site/audio/*.mp3"),
    "an imported prompt file": (("import", "{clips}"), "prompts/imported/*.md"),
    "a new prompt file": (("new", "--prompt", "rain", "--folder", "b"), "prompts/b/rain.md"),
    "a new gallery": (("init", "--source", "https://example.org/tool", "{new}"), "*/new/gallery.toml"),
}


class _Disk:
    """Refuses one write, of the first file whose name is like ``name``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, code: int) -> None:
        self.name, self.code, self.refused = name, code, ""
        self._create: Callable[[str], BinaryIO] = files._create
        monkeypatch.setattr(files, "_create", self.create)

    def create(self, path: str) -> Any:
        real = re.sub(r"/\.([^/]+)\.[0-9a-f]{8}\.tmp$", r"/\1", path)
        if self.refused or not fnmatch(real, f"*/{self.name}"):
            return self._create(path)
        self.refused = real
        if self.code == errno.EACCES:
            raise PermissionError(self.code, os.strerror(self.code), path)
        return _Refusing(self._create(path), self.code)


class _Refusing:
    """A file of which some can be written and the rest not: the system names no file then."""

    def __init__(self, file: BinaryIO, code: int) -> None:
        self._file, self._code = file, code

    def __enter__(self) -> _Refusing:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> int:
        self._file.write(data[: len(data) // 2])
        raise OSError(self._code, os.strerror(self._code))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gallery, dict[str, bytes]]:
    """A gallery with a lossless render, before its first build; and what its site is after it."""
    gallery = Gallery(tmp_path_factory.mktemp("faults") / "gallery").begin()
    gallery.prompt("a", "prompt: a", "duration: 0.5")
    gallery.prompt("sketched", "prompt: b", "duration: 0.5")
    # One page instead of all the guides that come with the tool.
    gallery.write("guides/en/one.md", "---\ntitle: One\nsummary: One.\n---\nOne.\n")
    write_clip(gallery.root.parent / "clips", "one", metadata("v2"), music(), ".wav .json")
    render_all(gallery, "a")
    whole = Gallery(gallery.root.with_name("whole"))
    shutil.copytree(gallery.root, whole.root)
    assert whole.run(*BUILD).code == 0
    return gallery, whole.files()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", CLASSES)
def test_each_class_of_file_meets_each_fault(
    prepared: tuple[Gallery, dict[str, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    fault: str,
) -> None:
    original, whole = prepared
    gallery = Gallery(tmp_path / "gallery")
    shutil.copytree(original.root, gallery.root)
    places = {"{clips}": original.root.parent / "clips", "{new}": tmp_path / "new"}
    command, name = CLASSES[kind]
    asked = [places.get(word, word) for word in command]
    before = gallery.files("")
    with monkeypatch.context() as patch:
        disk = _Disk(patch, name, FAULTS[fault])
        ran = gallery.run(*asked)
    assert disk.refused, "nothing of this class was written"
    _is_told(ran, Path(disk.refused).name, os.strerror(FAULTS[fault]))
    # Nothing is lost: what was there is as it was, and nobody sees half of anything.
    now = gallery.files("")
    assert {path: now[path] for path in before} == before
    assert not list(tmp_path.rglob("*.tmp"))
    assert all(
        now[f"site/{path}"] == data
        for path, data in whole.items()
        if f"site/{path}" in now and path.endswith((".mp3", ".webp"))
    )
    # The same again, on a disk that is well, comes to what it would have come to.
    again = gallery.run(*asked)
    assert again.code == 0, again.err
    assert list(tmp_path.rglob(name.rpartition("/")[2]))
    if command == BUILD:
        assert gallery.files() == whole


def _is_told(ran: Ran, name: str, said: str) -> None:
    """Whether a command failed, and one line says of which file and why."""
    assert ran.code != 0
    assert "Traceback" not in ran.err
    lines = [line for line in (ran.err + ran.out).splitlines() if name in line and said in line]
    assert len(lines) == 1, ran
    assert ".tmp" not in lines[0]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_journal_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """It is written before anything is asked for: what it refuses is not paid for."""
    entry = JournalEntry(key="0" * 32, model_version="0" * 64, input={}, asked_at=datetime.now(UTC))
    journal = Journal(tmp_path / "replicate")
    journal.put(entry)
    _Disk(monkeypatch, "replicate/*.json", FAULTS[fault])
    with pytest.raises(OSError) as raised:
        journal.put(entry, prediction="abc")
    said = f"{tmp_path}/replicate/{'0' * 32}.json: {os.strerror(FAULTS[fault])}"
    assert told_by_the_system(raised.value) == said
    assert journal.get("0" * 32) == entry


# SQLite's codes where the disk does the same.
STATE_FAULTS = {
    "a full disk": sqlite3.SQLITE_FULL,
    "a failing disk": sqlite3.SQLITE_IOERR_WRITE,
    "no permission": sqlite3.SQLITE_CANTOPEN,
}


@pytest.mark.parametrize("fault", STATE_FAULTS)
def test_the_state_meets_each_fault(
    prepared: tuple[Gallery, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """What it knows is kept: the last good content of a prompt file that is broken now."""
    gallery = Gallery(tmp_path / "gallery")
    shutil.copytree(prepared[0].root, gallery.root)
    assert gallery.run(*BUILD).code == 0
    before = gallery.files("")
    path = gallery.prompt("a", "prompt: a", "duration: 0.5", notes="An edit.")
    put_all = State.put_all

    def refuse(*_: Any, **__: Any) -> None:
        error = sqlite3.OperationalError("refused")
        error.sqlite_errorcode = STATE_FAULTS[fault]
        from gallery.state.database import _told

        raise _told(error, gallery.root / ".gallery/state.sqlite")

    with monkeypatch.context() as patch:
        patch.setattr(State, "put_all", refuse)
        ran = gallery.run(*BUILD)
    assert (ran.code, ran.err) == (1, "Error: .gallery/state.sqlite cannot be used: refused\n")
    assert State.put_all is put_all
    assert gallery.files() == {
        name.removeprefix("site/"): data for name, data in before.items() if name.startswith("site/")
    }
    gallery.prompt("a", "prompt: a", "duration: -1")
    assert gallery.run(*BUILD).code == 1
    assert "site/prompts/a/index.html" in gallery.files("")  # as it was last good
    path.write_bytes((prepared[0].root / "prompts/a.md").read_bytes())
    assert gallery.run(*BUILD).code == 0
    assert gallery.files() == prepared[1]


class _Failing:
    """A file on a disk that fails after the first few blocks."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __enter__(self) -> _Failing:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, count: int) -> bytes:
        if self._file.tell() + count > 20_000:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return self._file.read(count)


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES])
def test_a_lossless_render_that_the_disk_does_not_give_is_kept(
    prepared: tuple[Gallery, dict[str, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    code: int,
) -> None:
    """It took a GPU's time: what cannot be read now is nothing to remove."""
    gallery = Gallery(tmp_path / "gallery")
    shutil.copytree(prepared[0].root, gallery.root)
    opened = Path.open

    def refuse(path: Path, *mode: Any, **options: Any) -> Any:
        if path.suffix != ".wav":
            return opened(path, *mode, **options)
        if code == errno.EACCES:
            raise OSError(code, os.strerror(code), str(path))
        return _Failing(opened(path, *mode, **options))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        ran = gallery.run(*BUILD)
    assert ran.code == 3
    [line] = [line for line in ran.err.splitlines() if line.startswith("failed: ")]
    assert f"its lossless render is kept, but the disk does not give it: {os.strerror(code)}" in line
    assert "remove" not in line
    assert "ignored" not in capfd.readouterr().err  # by C code, on its own
    assert gallery.run(*BUILD).code == 0
    assert gallery.files() == prepared[1]


def test_verify_tells_what_cannot_be_read_and_goes_on(
    prepared: tuple[Gallery, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = Gallery(tmp_path / "gallery")
    shutil.copytree(prepared[0].root, gallery.root)
    assert gallery.run(*BUILD).code == 0
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.suffix == ".mp3":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(path)

    [cover] = (gallery.root / "site/audio").glob("*.webp")
    cover.write_bytes(b"")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    ran = gallery.run("store", "verify")
    assert (ran.code, ran.out) == (1, "1 clip, 2 problems\n")
    told = ran.err.splitlines()
    assert told[0].startswith(f"{cover.with_suffix('.mp3')}: cannot be read: Input/output error")
    assert told[1].startswith(f"{cover}: not what its record says; ")


def test_whatever_is_written_passes_one_function() -> None:
    """Else the tests here know nothing of it. What is read and removed at once is no file of anybody's.

    Nor is a part of a model's weights, which is gone on with, and taken only if it is what the hub has.
    """
    scratch = {"importers/fetch.py", "importers/m4a.py", "review/baseline.py", "setup/weights.py"}
    writes = re.compile(r"write_bytes|write_text|open\([^)]*[\"'][wxa]b?[\"']|os\.write|shutil\.copy")
    found = {
        path.relative_to(ROOT / "gallery").as_posix()
        for path in (ROOT / "gallery").rglob("*.py")
        if writes.search(path.read_text())
    }
    assert found - scratch == {"utils/files.py"}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "does not say which: No space left on device"),
        (OSError(errno.EIO, "Input/output error", "/a\x1b[1m"), "/a\\u001b[1m: Input/output error"),
        (OSError(errno.EACCES, "Permission denied", b"/a"), "/a: Permission denied"),
        (OSError(errno.EXDEV, "Invalid link", "/a", None, "/b"), "/b: Invalid link"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "out of memory"),
        (MemoryError(), "out of memory"),
        (RuntimeError("can't start new thread"), "out of memory"),
        (ImportError("x.so: failed to map segment from shared object"), "out of memory"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), ""),
        (OSError("of a library"), ""),
        (RuntimeError("ours"), ""),
        (ImportError("No module named x"), ""),
    ],
)
def test_what_the_system_refuses_is_a_line(error: Exception, said: str) -> None:
    told = told_by_the_system(error)
    assert said in told and bool(said) == bool(told)
    assert told.isprintable()


def test_errors_are_the_same_on_the_other_side_of_a_process() -> None:
    for error in (GalleryError("a: b"), FaultyFile([Fault("a", 1, "b", "c"), Fault("a", 2, "", "d")])):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error) and str(again) == str(error)
        assert again.format_message() == error.format_message()


def test_a_build_that_is_short_of_memory_ends_with_a_line(gallery: Gallery) -> None:
    """Some libraries wait for ever once they lack memory; with the threads that users have, not tests."""
    import subprocess
    import sys

    gallery.prompt("a", "prompt: a", "duration: 0.5")
    script = 'ulimit -v $((250 * 1024)); exec "$0" -c "from gallery.cli import main; main()" "$@"'
    ran = subprocess.run(
        ["bash", "-c", script, sys.executable, "--gallery", gallery.root, *BUILD],
        env={name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
        | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1].startswith("Error: out of memory; what is finished is kept")
    assert "Traceback" not in ran.stderr
    assert gallery.run(*BUILD).code == 0
