"""Runs a workflow's job as GitHub's runner does, as far as that needs no GitHub.

Every `run:` step is run as it stands, in order, by the same call of bash, with the same
files for outputs and summaries, and under its `if:`. Actions are stood in for by functions.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Action = Callable[[Mapping[str, str]], None]
Watcher = Callable[[subprocess.Popen[str]], bool]


@dataclass(frozen=True)
class Step:
    """What came of a step; ``outcome`` as in GitHub's steps context."""

    outcome: str
    out: str = ""
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass
class Runner:
    """A machine for jobs. ``contexts`` are what expressions look up, by their full names.

    ``watchers`` are called with a step's process while it runs, by the step's name; where one
    returns True, it has cancelled the job.
    """

    workspace: Path
    temporary: Path
    environment: Mapping[str, str]
    contexts: Mapping[str, str]
    actions: Mapping[str, Action]
    watchers: Mapping[str, Watcher] = field(default_factory=dict)

    def run(self, workflow: Path, job: str, done: Collection[str] = ()) -> dict[str, Step]:
        """Every step of the job, by its name, in order; those of ``done`` count as successful."""
        document = yaml.safe_load(workflow.read_text())
        assert document["defaults"]["run"]["shell"] == "bash"
        known = dict(self.contexts)
        ran: dict[str, Step] = {}
        for step in document["jobs"][job]["steps"]:
            status = _status(ran)
            condition = str(step.get("if", "success()"))
            if "success()" not in condition and not re.search(r"always\(\)|cancelled\(\)", condition):
                condition = f"success() && ({condition.strip().removeprefix('${{').removesuffix('}}')})"
            if not evaluate(condition, known, status):
                came = Step("skipped")
            elif step["name"] in done:
                came = Step("success")
            else:
                came = self._step(step, known)
            ran[step["name"]] = came
            if "id" in step:
                known[f"steps.{step['id']}.outcome"] = came.outcome
                known |= {f"steps.{step['id']}.outputs.{name}": value for name, value in came.outputs.items()}
        return ran

    def _step(self, step: dict[str, Any], known: Mapping[str, str]) -> Step:
        if "uses" in step:
            name = step["uses"].split("@")[0]
            given = {key: interpolate(value, known) for key, value in step.get("with", {}).items()}
            self.actions[name](given)
            return Step("success")
        environment = {name: interpolate(value, known) for name, value in step.get("env", {}).items()}
        self.temporary.mkdir(exist_ok=True)
        files = {name: self.temporary / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        script = self.temporary / "script.sh"
        script.write_text(step["run"])
        process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.workspace,
            env={
                **self.environment,
                **environment,
                **{name: str(file) for name, file in files.items()},
                "RUNNER_TEMP": str(self.temporary),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        watcher = self.watchers.get(step["name"])
        cancelled = bool(watcher and watcher(process))
        out, _ = process.communicate(timeout=300)
        outcome = "cancelled" if cancelled else "failure" if process.returncode else "success"
        outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        return Step(outcome, out, files["GITHUB_STEP_SUMMARY"].read_text(), outputs)


def _status(ran: Mapping[str, Step]) -> str:
    outcomes = [step.outcome for step in ran.values()]
    return next((bad for bad in ("cancelled", "failure") if bad in outcomes), "success")


def interpolate(text: Any, known: Mapping[str, str]) -> str:
    """A value with its expressions evaluated."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: str(evaluate(found[1], known, "success")), str(text))


def evaluate(expression: str, known: Mapping[str, str], status: str) -> Any:
    """An expression of the few kinds that the workflows use, in Python's words."""
    text = expression.strip().removeprefix("${{").removesuffix("}}")
    text = text.replace("&&", " and ").replace("||", " or ")
    text = re.sub(r"!(?!=)", " not ", text)
    text = re.sub(r"\b[a-z]+(?:\.[\w-]+)+", lambda found: f"known.get({found[0]!r}, '')", text)
    names = {
        "known": known,
        "always": lambda: True,
        "success": lambda: status == "success",
        "cancelled": lambda: status == "cancelled",
    }
    return eval(text.strip(), {"__builtins__": {}}, names)
