"""The workflows as they are written: nothing for linters to find, and who may do what."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from support import ROOT
from support.galleries import Gallery

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
    assert Gallery(ROOT).run("init", tmp_path / "new").code == 0
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
        "render render": {"contents": "write"},
        "render publish": {"contents": "read", "pages": "write", "id-token": "write"},
        "test test": {"contents": "read"},
    }


def test_what_was_begun_is_ended() -> None:
    for name in ("pages", "render"):
        workflow = yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text())
        assert workflow["concurrency"] == {"group": name, "cancel-in-progress": False}
