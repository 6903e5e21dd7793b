"""`gallery setup` in environments of their own, with packages of this machine in place of an index."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gallery.setup import packages
from gallery.utils.distribution import extras
from support import ROOT
from support.galleries import Gallery, Ran
from support.hosting import PLAIN
from support.hub import Hub
from support.terminal import at_terminal
from support.tiny_checkpoints import write_checkpoint
from support.wheels import write_index, write_stub

pytest_plugins = ["support.hub", "support.wheels"]

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
TESTED = dict(
    line.lower().replace("_", "-").split("==")
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if "==" in line
)
UV = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")


@dataclass(frozen=True)
class Machine:
    """Somebody's computer, with uv or without, on which the tool is installed."""

    home: Path
    command: Path
    wheels: Path
    with_uv: bool = True
    hub: str = ""  # its address; without one there is none

    @property
    def environment(self) -> dict[str, str]:
        programs = self.home / "programs"
        programs.mkdir(exist_ok=True)
        if self.with_uv:
            assert UV, "the tests need uv: pip install --editable .[test]"
            (programs / "uv").unlink(missing_ok=True)
            (programs / "uv").symlink_to(UV)
        return {
            **PLAIN,
            "PATH": f"{programs if self.with_uv else ''}:/usr/bin:/bin",
            "HOME": str(self.home),
            "OMP_NUM_THREADS": "1",
            **({"HF_ENDPOINT": self.hub} if self.hub else {"HF_HUB_OFFLINE": "1"}),
            "UV_CACHE_DIR": str(self.wheels.parent / "cache"),
            "UV_TOOL_DIR": str(self.home / "tools"),
            "UV_TOOL_BIN_DIR": str(self.home / "bin"),
            "UV_PYTHON": sys.executable,
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_FIND_LINKS": str(self.wheels),
            "UV_NO_INDEX": "1",
            "UV_OFFLINE": "1",
            "UV_NO_CONFIG": "1",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }

    def run(self, *arguments: object, at: Path | None = None) -> Ran:
        return Ran.of(arguments, at or self.home, self.environment)

    def gallery(self, *arguments: object, at: Path | None = None) -> Ran:
        return self.run(self.command, *arguments, at=at)


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    [wheel] = built.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def light(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine where the tool was installed into an environment without pip, by uv."""
    home = tmp_path_factory.mktemp("light")
    wheels = write_index(home / "index", *PROJECT["dependencies"])
    machine = Machine(home, home / "environment/bin/gallery", wheels)
    for command in (("venv", "environment"), ("pip", "install", "--python", "environment", wheel)):
        ran = machine.run("uv", *command)
        assert ran.code == 0, ran.err
    return machine


def installs(ran: Ran) -> list[list[str]]:
    """The commands that were printed, without what they begin with."""
    lines = [shlex.split(line) for line in ran.out.splitlines()]
    return [line[line.index("install") + 1 :] for line in lines if "install" in line]


def needs_of(name: str, *, driver: bool) -> list[str]:
    """What an extra's packages are installed as: torch by the driver, all else as it was tested."""
    names = [re.split("[>=<]", line)[0] for line in EXTRAS[name]]
    return [
        next(line for line in EXTRAS[name] if line.startswith("torch>"))
        if each == "torch" and driver
        else f"{each}=={TESTED[each]}"
        for each in names
    ]


def test_it_knows_every_extra_but_those_of_whoever_changes_the_code(light: Machine) -> None:
    ran = light.gallery("setup")
    told = dict(line.split(None, 1) for line in ran.out.splitlines())
    assert set(told) == set(EXTRAS) - {"bench", "check", "test"} == set(extras())
    assert told["s3"] == "lacks s3fs"
    assert told["musicgen"].startswith("lacks einops, huggingface-hub, ")
    assert told["musicgen"].endswith(", audiocraft")


def test_a_name_that_is_none_is_refused(light: Machine) -> None:
    ran = light.gallery("setup", "musicgne")
    assert ran.code == 2
    assert "'musicgne' is not one of 'cluster', 'gcs', 'hf', 'melody', 'musicgen'" in ran.err


def test_a_dry_run_prints_what_uv_would_be_asked(light: Machine) -> None:
    before = sorted((light.home / "environment").rglob("*.dist-info"))
    ran = light.gallery("setup", "musicgen", "s3", "--dry-run")
    assert ran.code == 0, ran.err
    python = str(light.home / "environment/bin/python")
    together, apart = installs(ran)
    assert together[:3] == ["--python", python, "--torch-backend=auto"]
    assert together[3:] == [*needs_of("musicgen", driver=True), f"s3fs=={TESTED['s3fs']}"]
    assert apart == ["--python", python, "--no-deps", f"audiocraft=={TESTED['audiocraft']}"]
    assert sorted((light.home / "environment").rglob("*.dist-info")) == before


def test_without_uv_or_where_pip_is_asked_for_pip_installs(light: Machine) -> None:
    """It takes torch as it was tested: there is nothing that would choose by the driver."""
    alone = replace(light, with_uv=False).gallery("setup", "musicgen", "--dry-run")
    asked = light.gallery("setup", "musicgen", "--dry-run", "--installer", "pip")
    assert alone == asked
    together, apart = installs(alone)
    assert together == needs_of("musicgen", driver=False)
    assert apart == ["--no-deps", f"audiocraft=={TESTED['audiocraft']}"]
    assert alone.out.splitlines()[0].endswith("/environment/bin/python -m ensurepip")
    refused = replace(light, with_uv=False).gallery("setup", "musicgen", "--installer", "uv", "--yes")
    assert refused.code == 1
    assert refused.err.startswith("Error: uv is not on the PATH: https://docs.astral.sh/uv/ tells")


def test_torchs_build_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path: f"/programs/{name}")
    monkeypatch.setenv("UV_TORCH_BACKEND", "cu126")
    [first, _] = packages.commands(["musicgen"], again=True)
    assert {"--reinstall", "--torch-backend=cu126", "torch>=2.6"} <= set(first)


def test_nobody_is_asked_where_nobody_is(light: Machine) -> None:
    ran = light.gallery("setup", "s3")
    assert ran.code == 2
    assert "nobody is here to be asked: add --yes, or --dry-run to change nothing" in ran.err


def test_what_is_there_is_left_as_it_is(light: Machine) -> None:
    """By uv, after somebody said yes; a second run has nothing to do."""
    write_stub(light.wheels, "s3fs", TESTED["s3fs"])
    command = [light.command, "setup", "s3"]
    code, screen = at_terminal(command, "n\n", light.home, light.environment)
    assert code == 1
    assert screen.endswith("Error: nothing was installed\r\n")
    code, screen = at_terminal(command, "y\n", light.home, light.environment)
    assert code == 0
    assert f"Install into {light.home / 'environment'}? [y/N]" in screen
    again = light.gallery("setup", "s3", "--yes")
    assert (again.code, again.out, again.err) == (0, "", "all packages of s3 are installed\n")
    assert light.gallery("setup").out.splitlines()[-2:] == ["s3         installed", "sftp       lacks sshfs"]
    anew = light.gallery("setup", "s3", "--dry-run", "--reinstall")
    assert installs(anew)[0][-2:] == ["--torch-backend=auto", f"s3fs=={TESTED['s3fs']}"]


def test_pip_comes_from_python_itself_where_there_is_no_installer(light: Machine) -> None:
    """As in an environment of `uv tool` or pipx that is used without them."""
    write_stub(light.wheels, "gcsfs", TESTED.get("gcsfs", "2026.9.0"))
    ran = replace(light, with_uv=False).gallery("setup", "gcs", "--yes")
    assert ran.code == 0, ran.err
    assert "gcs        installed" in light.gallery("setup").out


def test_without_any_installer_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in ("pip", "ensurepip") else find(name)
    )
    monkeypatch.setattr(shutil, "which", lambda name, path: None)
    ran = Gallery(ROOT).run("setup", "sftp", "--yes")
    assert ran.code == 1
    assert ran.err == (
        f"Error: neither uv nor pip is there to install with into {sys.prefix}: "
        "install uv (https://docs.astral.sh/uv/) and run this again\n"
    )


def test_an_installer_that_fails_has_said_why(light: Machine) -> None:
    ran = light.gallery("setup", "cluster", "--yes")
    assert ran.code == 1
    assert "ray was not found" in ran.err
    last = ran.err.splitlines()[-1]
    assert last.startswith("Error: this failed with exit code 1, as told above: ")
    assert last.endswith(f"ray=={TESTED['ray']}")


def test_every_advice_names_what_there_is() -> None:
    """In messages and in documents; and nobody is told to install an engine's packages by hand."""
    known = {f"{name}" for name in extras()}
    texts = {
        path: path.read_text()
        for pattern in ("gallery/**/*.py", "docs/*.md", "README.md", "scaffold/*.md")
        for path in ROOT.glob(pattern)
    }
    asked = set()
    for path, text in texts.items():
        for names in re.findall(r"setup_advice\(['\"]([^'\"]+)|gallery setup ((?:[a-z0-9]+ ?)+)\b", text):
            asked |= {(path.name, name) for name in (names[0] or names[1]).split() if name != "installs"}
    assert {name for _, name in asked} == known
    by_hand = [
        path.name
        for path, text in texts.items()
        if path.suffix == ".py" and re.search(r"run `(pip install|make musicgen|hf download)", text)
    ]
    assert by_hand == []


def test_from_nothing_to_real_sound(index: Path, wheel: Path, hub: Hub, tmp_path: Path) -> None:
    """`uv tool install`, `gallery init`, `gallery setup`, `gallery build`, and an upgrade of the tool.

    The hub has a tiny model in place of the published one, with its text encoder.
    """
    tiny = write_checkpoint(tmp_path / "tiny", text_width=768)
    for name, folder in {"facebook/musicgen-small": tiny, "t5-base": tiny / "t5-base"}.items():
        hub.repositories[name] = {file.name: file.read_bytes() for file in folder.glob("*.*")}
    # As a published model may name one, it is asked for until the checkpoint says that it holds its own.
    hub.repositories["facebook/encodec_32khz"] = {"config.json": b"{}", "model.safetensors": b""}
    machine = Machine(tmp_path, tmp_path / "bin/gallery", index)
    ran = machine.run("uv", "tool", "install", wheel)
    assert ran.code == 0, ran.err
    ran = machine.gallery("init", "g", "--source", wheel)
    assert ran.code == 0, ran.err
    mine = Gallery(tmp_path / "g")
    shutil.rmtree(mine.root / "prompts")
    mine.prompt("lofi/rain", "prompt: lofi, rain", "duration: 1")

    lacking = machine.gallery("build", "--engine", "musicgen", at=mine.root)
    assert lacking.code == 1
    advice = "run `gallery setup musicgen`, as after every `uv tool upgrade`"
    assert lacking.err.startswith("Error: MusicGen cannot run here: torch and ")
    assert lacking.err.endswith(f"{advice}\n")

    ran = replace(machine, hub=hub.address).gallery("setup", "musicgen", "--yes", at=mine.root)
    assert ran.code == 0, ran.err
    assert "+ torch==" in ran.err
    assert "+ audiocraft==1.3.0" in ran.err
    assert "`uv tool upgrade` takes this away again: then run `gallery setup musicgen`" in ran.err
    assert "small: text encoder, " in ran.out
    assert {line.split()[0] for line in hub.fetched} == {"facebook/musicgen-small", "t5-base"}

    ran = machine.gallery("build", at=mine.root)
    assert ran.code == 0, ran.err
    [record] = (mine.root / "site/audio").glob("*.json")
    assert json.loads(record.read_text())["provenance"]["engine"] == "musicgen"
    catalogue = json.loads((mine.root / "site/catalogue.json").read_text())
    assert [clip["state"] for entry in catalogue["prompts"] for clip in entry["clips"]] == ["render"]

    ran = machine.run("uv", "tool", "upgrade", "musicgen-gallery", "--reinstall")
    assert ran.code == 0, ran.err
    assert "- torch==" in ran.err
    told = machine.gallery("doctor", at=mine.root).out
    assert "`uv tool upgrade` takes away what `gallery setup` added: run that again" in told
    assert told.endswith(f"{advice}\n")
    # What the gallery's requirements name installs.
    ran = machine.run("uv", "venv", "own")
    assert ran.code == 0, ran.err
    ran = machine.run(
        "uv", "pip", "install", "--python", "own", "--requirement", mine.root / "requirements.txt"
    )
    assert ran.code == 0, ran.err
    assert machine.run(tmp_path / "own/bin/gallery", "check", at=mine.root).code == 0


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that rendering needs."""
    folder = tmp_path_factory.mktemp("index")
    return write_index(folder / "index", *PROJECT["dependencies"], *EXTRAS["musicgen"], "audiocraft")
