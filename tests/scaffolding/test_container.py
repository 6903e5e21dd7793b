"""The Dockerfile of a new gallery, and the job that uses it, as far as that goes without Docker."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from support import ROOT
from support.galleries import Gallery
from support.hosting import PLAIN, _absent_packages, copy_checkout

DOCKERFILE = ROOT / "scaffold/Dockerfile"
BIN = Path(sys.executable).parent


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in their order, each with what comes after it."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if line and not line.startswith("#")]
    joined = re.sub(r" *\\\n *", " ", "\n".join(lines))
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in joined.splitlines()]


def only(name: str) -> str:
    [text] = [text for instruction, text in instructions() if instruction == name]
    return text


def the_job() -> list[str]:
    """The command of docs/rendering.md that starts a job."""
    [text] = re.findall(r"^hf jobs run .*?(?=^```)", (ROOT / "docs/rendering.md").read_text(), re.M | re.S)
    return shlex.split(text.replace("\\\n", ""))


def hadolint(file: Path) -> str:
    ran = subprocess.run([BIN / "hadolint", file], capture_output=True, text=True, check=False)
    return ran.stdout + ran.stderr if ran.returncode else ""


def test_nothing_to_find_for_hadolint(tmp_path: Path) -> None:
    assert hadolint(DOCKERFILE) == ""
    (tmp_path / "Dockerfile").write_text("FROM debian\nRUN cd / && sudo pip install torch\nUSER root\n")
    told = hadolint(tmp_path / "Dockerfile")
    assert {"DL3006", "DL3004", "DL3002"} <= set(re.findall(r"DL\d+", told))


def test_the_image_is_pinned_small_and_nobodys_root() -> None:
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", only("FROM"))
    assert only("USER") != "0"
    assert only("USER").isdecimal()
    assert only("STOPSIGNAL") == "SIGINT", "what a build ends by and keeps what is finished"
    assert "exec gallery build" in json.loads(only("CMD"))[-1], "and it reaches the build itself"
    assert "ADD" not in dict(instructions())


def test_it_is_built_of_files_that_a_new_gallery_has() -> None:
    copied = only("COPY").split()[:-1]
    sent = re.findall(r"^!(.+)$", (ROOT / "scaffold/.dockerignore").read_text(), re.MULTILINE)
    assert sorted(copied) == sorted(sent)
    assert set(copied) <= {"constraints.txt", "requirements-musicgen.txt"}
    pinned = re.findall(r"audiocraft==\S+", only_pip())
    assert pinned == re.findall(r"^audiocraft==\S+$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)


def only_pip() -> str:
    """What installs the tool and MusicGen."""
    [text] = [text for name, text in instructions() if name == "RUN" and text.startswith("pip")]
    return text


def test_the_job_is_one_that_the_hubs_own_command_takes(tmp_path: Path) -> None:
    program, *command = the_job()
    assert program == "hf"
    environment = {
        **PLAIN,
        "HOME": str(tmp_path),
        "HF_TOKEN": "hf_none",
        "HF_HUB_OFFLINE": "1",
        "NO_COLOR": "1",
    }

    def hf(*arguments: str) -> str:
        ran = subprocess.run(
            [BIN / "hf", *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    told = hf(*command[:2], "--dry-run", "--format", "human", *command[2:])
    [asked] = re.findall(r"^  command +(.*?)\n  flavor +t4-small\n  timeout +70m\n", told, re.M | re.S)
    inner = command[command.index("--") + 1 :]
    assert [part.split() for part in shlex.split(asked)] == [part.split() for part in inner]
    assert "hf_none" not in told
    flavors = re.findall(r"`([a-z0-9-]+)`\) for \$", (ROOT / "docs/rendering.md").read_text())
    listed = hf("jobs", "run", "--help")
    assert len(flavors) == 4
    assert [flavor for flavor in flavors if f"|{flavor}|" not in re.sub(r"\s", "", listed)] == []


@pytest.mark.slow
def test_its_commands_install_and_render_in_a_clean_folder(tiny_gallery: Gallery, tmp_path: Path) -> None:
    """Packages are those of the tests, where an image has an index; the tool itself is installed anew."""
    programs, install, work = tmp_path / "programs", tmp_path / "install", tmp_path / "work"
    for folder in (programs, install, work):
        folder.mkdir()
    python = tmp_path / "python/bin/python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", python.parents[1]], check=True)
    (programs / "pip").write_text(f'#!/bin/sh\nexec {python} -m pip "$@"\n')
    (programs / "pip").chmod(0o755)
    name = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["name"]
    source = copy_checkout(tmp_path / "checkout")
    (install / "constraints.txt").write_bytes((ROOT / "constraints.txt").read_bytes())
    (install / "requirements-musicgen.txt").write_text(
        f"--constraint constraints.txt\n{name}[melody,musicgen] @ {source.as_uri()}\n"
    )
    mine = tiny_gallery.root
    environment = {
        **PLAIN,
        "HOME": str(tmp_path / "home"),
        "PATH": f"{programs}:{python.parent}:{PLAIN['PATH']}",
        "PYTHONPATH": f"{_absent_packages(tmp_path)}:{sysconfig.get_path('purelib')}",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # as pip reads it: no
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        # What the job fetches from GitHub.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{mine.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/OWNER/my-gallery",
    }

    def run(*command: str, at: Path) -> str:
        ran = subprocess.run(
            command, cwd=at, env=environment, capture_output=True, text=True, check=False, timeout=240
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr

    run("sh", "-c", only_pip(), at=install)
    assert (python.parent / "gallery").is_file()

    told = run(*json.loads(only("CMD")), at=mine)
    assert "1 prompt, 3 clips (3 rendered)" in told
    records = [json.loads(path.read_text()) for path in (mine / "site/audio").glob("*.json")]
    assert [record["engine"] for record in records] == ["musicgen"] * 3

    # The job begins with nothing but the repository. What it has, it does not render again.
    for command in (["init", "--quiet"], ["add", "site/audio", "prompts", "gallery.toml", "tiny-mono"]):
        subprocess.run(["git", *command], cwd=mine, check=True)
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *author, "commit", "--quiet", "-m", "all"], cwd=mine, check=True)
    job = the_job()
    told = run(*job[job.index("--") + 1 :], at=work)
    assert "1 prompt, 3 clips (3 rendered)" in told
    assert "rendering" not in told
