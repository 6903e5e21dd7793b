"""The workflows as they are written: nothing for linters to find, and who may do what."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support import ROOT
from support.galleries import Gallery
from support.hosting import PLAIN

BIN = Path(sys.executable).parent
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
EVERY_JOB = [
    pytest.param(job, id=f"{path.stem}-{name}")
    for path in WORKFLOWS
    for name, job in yaml.safe_load(path.read_text())["jobs"].items()
]


def lint(*command: object) -> str:
    """What a linter of this environment finds, or nothing."""
    program, *rest = map(str, command)
    ran = subprocess.run([BIN / program, *rest], capture_output=True, text=True, check=False)
    return f"{ran.stdout}{ran.stderr}" if ran.returncode else ""


def actionlint(*files: Path) -> str:
    # The label of one's own runner is nobody else's to know.
    return lint("actionlint", "-shellcheck", BIN / "shellcheck", "-ignore", 'label "gpu" is unknown', *files)


def zizmor(*places: Path) -> str:
    return lint("zizmor", "--offline", "--no-progress", "--quiet", "--persona=pedantic", *places)


def schema(name: str, *files: Path) -> str:
    return lint("check-jsonschema", "--builtin-schema", f"vendor.{name}", *files)


def everything_linted(root: Path) -> dict[str, str]:
    github = root / ".github"
    workflows = sorted(github.glob("workflows/*.yml"))
    assert workflows
    return {
        "actionlint": actionlint(*workflows),
        "zizmor": zizmor(github),
        "workflows": schema("github-workflows", *workflows),
        "issue form": schema("github-issue-forms", github / "ISSUE_TEMPLATE/prompt.yml"),
        "issue forms' settings": schema("github-issue-config", github / "ISSUE_TEMPLATE/config.yml"),
        "dependabot": schema("dependabot", github / "dependabot.yml"),
    }


def test_nothing_to_find_for_linters(tmp_path: Path) -> None:
    assert set(everything_linted(ROOT).values()) == {""}
    assert Gallery(ROOT).run("init", "--source", "https://example.org/tool", tmp_path / "new").code == 0
    assert set(everything_linted(tmp_path / "new").values()) == {""}


def test_the_linters_find_what_there_is_to_find(tmp_path: Path) -> None:
    bad = tmp_path / ".github/workflows/bad.yml"
    bad.parent.mkdir(parents=True)
    bad.write_text(
        "on: pull_request_target\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - run: echo ${{ github.event.pull_request.title }} $unquoted\n"
    )
    told = actionlint(bad)
    assert "untrusted" in told
    assert "SC2086" in told, "shellcheck reads the scripts"
    told = zizmor(tmp_path)
    assert "dangerous-triggers" in told
    assert "template-injection" in told


@pytest.mark.parametrize("job", EVERY_JOB)
def test_actions_are_named_by_commit_and_version(job: dict[str, Any]) -> None:
    text = "".join(path.read_text() for path in WORKFLOWS)
    for step in job.get("steps", []):
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"])
            versions = set(re.findall(rf"{step['uses']} # (v\d+\.\d+\.\d+)\n", text))
            assert len(versions) == 1, step["uses"]
            assert text.count(step["uses"].split("@")[0] + "@") == text.count(step["uses"])


@pytest.mark.parametrize("job", EVERY_JOB)
def test_no_script_has_an_expression_in_it_and_no_checkout_keeps_a_token(job: dict[str, Any]) -> None:
    for step in job.get("steps", []):
        assert "${{" not in step.get("run", "")
        if "actions/checkout@" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


def test_who_may_do_what() -> None:
    may: dict[str, dict[str, str]] = {}
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text())
        assert workflow["permissions"] == {}
        assert "secrets" not in path.read_text()
        assert "pull_request_target" not in path.read_text()
        may |= {f"{path.stem} {name}": job["permissions"] for name, job in workflow["jobs"].items()}
    assert may == {
        "check prompts": {"contents": "read"},
        "pages build": {"contents": "read"},
        "pages deploy": {"pages": "write", "id-token": "write"},
        "render render": {"contents": "read"},
        "render keep": {"contents": "write"},
        "render publish": {"contents": "read", "pages": "write", "id-token": "write"},
        "test test": {"contents": "read"},
    }


def test_what_renders_waits_for_the_curators_click() -> None:
    """GitHub has it wait for the reviewer of this environment."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/render.yml").read_text())
    assert list(workflow[True]) == ["workflow_dispatch"]
    runners = {
        name: job["environment"]
        for name, job in workflow["jobs"].items()
        if "inputs" in job.get("runs-on", "")
    }
    assert runners == {"render": "gpu"}


def test_what_may_push_runs_nothing_but_mains_own_script() -> None:
    keep = yaml.safe_load((ROOT / ".github/workflows/render.yml").read_text())["jobs"]["keep"]
    used = [step["uses"].split("@")[0] for step in keep["steps"] if "uses" in step]
    assert used == ["actions/checkout", "actions/download-artifact"]
    assert keep["steps"][0]["with"]["ref"] == "main"
    scripts = "\n".join(step.get("run", "") for step in keep["steps"])
    assert not re.search(r"\b(pip|gallery|curl|eval)\b", scripts)
    imported = re.findall(r"^(?:from|import) (\w+)", (ROOT / ".github/accept_clips.py").read_text(), re.M)
    assert set(imported) - {"__future__"} <= sys.stdlib_module_names


def test_the_token_reaches_git_and_no_file() -> None:
    keep = yaml.safe_load((ROOT / ".github/workflows/render.yml").read_text())["jobs"]["keep"]
    step = next(step for step in keep["steps"] if "TOKEN" in step.get("env", {}))
    assert step["env"]["TOKEN"] == "${{ github.token }}"
    assert "TOKEN" not in step["run"]
    filled = subprocess.run(
        ["git", "credential", "fill"],
        input="protocol=https\nhost=github.com\n\n",
        env={**PLAIN, **step["env"], "TOKEN": "the-token"},
        capture_output=True,
        text=True,
        check=True,
    )
    told = filled.stdout.splitlines()
    assert {"username=x-access-token", "password=the-token"} <= set(told)


def test_no_runners_label_is_a_constant_but_githubs_own() -> None:
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text())
        for job in workflow["jobs"].values():
            assert job.get("runs-on", "ubuntu-latest") in ("ubuntu-latest", "${{ fromJSON(inputs.runner) }}")
    inputs = yaml.safe_load((ROOT / ".github/workflows/render.yml").read_text())[True]["workflow_dispatch"]
    assert json.loads(inputs["inputs"]["runner"]["default"]) == ["self-hosted", "gpu"]


@pytest.mark.parametrize("name", ["check", "pages", "render"])
def test_nothing_is_installed_that_is_not_locked_by_its_hash(name: str) -> None:
    """But for the tool itself, which is this repository, or the commit that requirements.txt names."""
    text = (ROOT / f".github/workflows/{name}.yml").read_text().replace("\\\n", " ")
    text = text.replace("$install", ".venv/bin/python -m pip install --no-deps")
    installs = [line for line in text.splitlines() if " pip install " in line and "install=" not in line]
    assert installs
    for line in installs:
        assert "--no-deps" in line
        if "--require-hashes" in line:
            assert "--only-binary :all:" in line
            assert re.search(r"--requirement requirements(-musicgen)?\.lock$", line)
        else:
            assert "--no-index --no-build-isolation" in line
            assert re.search(r"--requirement requirements(-musicgen)?\.txt$", line)


def locked(name: str) -> dict[str, tuple[str, list[str]]]:
    """Version and hashes of each package of a lock file, by its name in pip's form."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = [
        re.fullmatch(r"([\w.-]+)==(\S+)(?: ; [^#]*?)?((?: +--hash=sha256:[0-9a-f]{64})+) *", line)
        for line in lines
    ]
    assert all(found), "every line is a version with hashes"
    return {canonicalize_name(line[1]): (line[2], line[3].split()) for line in found if line}


def needed(*requirements: str) -> set[str]:
    """The packages that these need, as far as what the tests have installed tells."""
    names, left = set(), [*map(Requirement, requirements)]
    while left:
        requirement = left.pop()
        name = canonicalize_name(requirement.name)
        asked = (name, *sorted(requirement.extras))
        if asked in names or (requirement.marker and not requirement.marker.evaluate()):
            continue
        names.add(asked)
        try:
            lines = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for line in lines:
            further = Requirement(line)
            extras = requirement.extras or {""}
            if not further.marker or any(further.marker.evaluate({"extra": extra}) for extra in extras):
                further.marker = None
                left.append(further)
    return {name for name, *_ in names}


def test_what_checks_and_what_publishes_install_alike() -> None:
    """A pull request is run through the one, in `test_a_pull_request_can_only_bring_data`."""
    installing = [
        step["run"]
        for name in ("check", "pages")
        for job in yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text())["jobs"].values()
        for step in job["steps"]
        if step["name"] == "Install gallery"
    ]
    assert len(installing) == 2
    assert installing[0] == installing[1]


def test_the_locks_hold_what_the_tool_needs_in_the_versions_that_were_tested() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = settings["project"]
    extras = project["optional-dependencies"]
    tested = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line
    )
    versions = {canonicalize_name(name): version for name, version in tested.items()}
    build = [*settings["build-system"]["requires"], "setuptools"]
    for name, wanted in {
        "requirements.lock": [*project["dependencies"], *build],
        "requirements-musicgen.lock": [
            *(*project["dependencies"], *extras["musicgen"], *extras["melody"]),
        ],
    }.items():
        lock = locked(name)
        assert needed(*wanted) <= lock.keys(), f"{name}: run `make lock`"
        assert {package: version for package, (version, _) in lock.items() if package in versions} == {
            package: versions[package] for package in lock if package in versions
        }, f"{name}: run `make lock`"
    assert locked("requirements-musicgen.lock").keys() >= {"audiocraft", "demucs", "torch"}


def test_what_was_begun_is_ended() -> None:
    for name in ("pages", "render"):
        workflow = yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text())
        assert workflow["concurrency"] == {"group": name, "cancel-in-progress": False}
