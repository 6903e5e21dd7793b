"""Commands that the documents give are run as they stand, or it is said here why these machines cannot."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gallery.cli import main
from support import ROOT
from support.galleries import Gallery

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "scaffold/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]

SOURCE = f"git+https://github.com/octocat/gallery@{'a' * 40}"

# Why a command is not run here, by how it begins.
NOT_HERE = {
    "make ": "tests/test_makefile.py runs what of it needs no network",
    "pip install": "installs from the package index",
    "uv tool install": "installs from an address of the reader's: tests/setup/ has one of its own",
    "docker ": "needs Docker: tests/scaffolding/test_container.py reads the Dockerfile",
    "hf ": "needs an account of the hub: tests/scaffolding/test_container.py reads the command",
    "python3 -m venv": "goes before installing from the package index",
    "export ": "sets a secret of the reader's",
    "ray ": "starts a cluster: tests/engines/cluster/ has one of its own",
    "git ": "publishes the reader's gallery",
    "cd ": "goes to the gallery: all commands are run there",
    ". .venv/bin/activate": "goes before installing from the package index",
    ".venv/bin/pytest": "runs these tests",
    "PWDEBUG=1": "opens a browser for a person",
    "sqlite3 ": "needs a program of others; tests/state/ has the tables",
    ".venv/bin/python -c": "profiles a build of this repository's gallery, which takes long",
    ".venv/bin/python -m pstats": "reads what that wrote",
    ".venv/bin/python -X importtime": "prints thousands of lines",
    "gallery new": "asks: tests/cli/test_commands.py answers",
    "gallery serve": "runs until it is ended: tests/cli/test_serve.py",
    "gallery build --cluster": "needs Ray: tests/engines/cluster/",
    "gallery build --engine replicate": "costs money: tests/engines/replicate/ pays a stand-in",
    "gallery setup ": "installs from the package index: tests/setup/ has an index of its own",
    "gallery store p": "needs a store elsewhere: tests/store/test_remote.py has one",
    "gallery store sync": "needs a store elsewhere: tests/store/test_remote.py has one",
    "gallery store remove": "needs a damaged clip: tests/store/test_damage.py has some",
}


def commands() -> Iterator[tuple[str, str]]:
    """Every command of a block of shell, with its page."""
    for page in PAGES:
        for block in re.findall(r"^ *```sh\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL):
            for line in re.sub(r"\\\n|(?<=&&)\n", "", block).splitlines():
                whole = re.sub(r"(^|\s+)#.*", "", line).strip()
                for command in [whole] if "'" in whole else whole.split(" && "):
                    if command:
                        yield page.relative_to(ROOT).as_posix(), command


def why_not(command: str) -> str:
    fitting = [start for start in NOT_HERE if command.startswith(start)]
    return NOT_HERE[max(fitting, key=len)] if fitting else ""


RUN = sorted({command for _, command in commands() if not why_not(command)})


@pytest.fixture(scope="module")
def curated(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    """A gallery in a repository of git, as readers of the documents have one."""
    gallery = Gallery(tmp_path_factory.mktemp("documents") / "gallery")
    gallery.root.mkdir()
    assert gallery.run("init", "--source", SOURCE, gallery.root).code == 0
    for name in ("ambient", "jazz"):  # one prompt is enough
        for path in (gallery.root / "prompts" / name).glob("*.md"):
            path.unlink()
    for command in ("init -b main", "add .", "-c user.name=a -c user.email=a@b commit -m Gallery"):
        subprocess.run(["git", *command.split()], cwd=gallery.root, check=True, capture_output=True)
    (gallery.root / "outputs").mkdir()
    return gallery


def test_there_are_some() -> None:
    assert len(RUN) >= 9 and "gallery check" in RUN


@pytest.mark.parametrize("command", RUN)
def test_it_runs(curated: Gallery, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(curated.root)
    elsewhere = re.sub("my-gallery|/tmp/g", str(tmp_path / "g"), command).partition(" >>")[0]
    words = shlex.split(elsewhere.removeprefix(".venv/bin/"))
    assert words[0] == "gallery"
    if words[1] == "--gallery":
        shutil.copytree(curated.root, words[2])
    elif words[1] == "init":  # as who installed the tool from there
        words += ["--source", SOURCE]
    ran = curated.run(*(word.replace("$BASE", "main") for word in words[1:]))
    # Of the machine, `doctor` may find that something is wrong.
    assert ran.code in ((0, 1) if words[1] == "doctor" else (0,)), ran.err


def test_no_reason_is_left_over() -> None:
    assert set(NOT_HERE.values()) == {why_not(command) for _, command in commands()} - {""}


def mentioned() -> Iterator[tuple[str, list[str]]]:
    """Commands within the text of the documents, and those of the blocks."""
    for page in PAGES:
        prose = re.sub(r"^( *```+).*?^ *\1", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        for command in re.findall(r"`(gallery [^`\n]+)`", prose):
            yield page.name, command.split()
    for name, command in commands():
        yield name, [word.rpartition("/")[2] if "gallery" in word else word for word in command.split()]


def test_every_option_that_is_named_exists() -> None:
    looked_at = 0
    for page, words in mentioned():
        if words[0] != "gallery":
            continue
        context, rest = click.Context(main), words[1:]
        while rest and isinstance(context.command, click.Group):
            known = context.command.get_command(context, rest[0])
            if known:
                context = click.Context(known, parent=context)
            rest = rest[1:]
        own = context.command.get_params(context)
        options = {name for each in own for name in (*each.opts, *each.secondary_opts)}
        root = {name for each in main.get_params(click.Context(main)) for name in each.opts}
        for word in words[1:]:
            if re.fullmatch(r"--?[a-zA-Z][a-z-]*", word):
                assert word in options | root, f"{page}: {' '.join(words)}"
                looked_at += 1
    assert looked_at > 20
