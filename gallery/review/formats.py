"""What `gallery check` finds, for other programs: as JSON, and as SARIF 2.1.0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from gallery import __version__
from gallery.errors.excerpt import Lines, place_of
from gallery.errors.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gallery.errors import Fault

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True)
class Finding:
    """What is wrong, or doubtful. ``line`` and ``column`` count from 1; 0 stands for none."""

    level: Literal["error", "warning"]
    file: str
    line: int
    column: int
    field: str
    message: str


def findings_of(level: Literal["error", "warning"], faults: Iterable[Fault], root: Path) -> list[Finding]:
    """Faults with the columns of their places."""
    lines, found = Lines(root), []
    for fault in faults:
        line = lines.of(fault)
        column = place_of(fault, line)[0] + 1 if line.strip() else 0
        message = printable(fault.message)
        found.append(Finding(level, fault.file, fault.line, column, fault.field, message))
    return found


def as_json(found: Iterable[Finding], prompts: int, clips: int) -> dict[str, Any]:
    """All findings, and what is in order."""
    return {"version": 1, "prompts": prompts, "clips": clips, "findings": [vars(each) for each in found]}


def as_sarif(found: Iterable[Finding], folder: str = "") -> dict[str, Any]:
    """A log of static analysis. ``folder`` is the gallery's in its repository, if not its root."""
    rule = {"id": "prompt-file", "shortDescription": {"text": "Prompt files hold what the gallery accepts"}}
    driver = {"name": "gallery check", "version": __version__, "rules": [rule]}
    results = [_result(each, folder) for each in found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(finding: Finding, folder: str) -> dict[str, Any]:
    told = f"{finding.field}: {finding.message}" if finding.field else finding.message
    result = {"ruleId": "prompt-file", "level": finding.level, "message": {"text": told}}
    if not finding.file:
        return result
    file = f"{folder}/{finding.file}" if folder else finding.file
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(file)}}
    if finding.line:
        column = {"startColumn": finding.column} if finding.column else {}
        place["region"] = {"startLine": finding.line} | column
    return {**result, "locations": [{"physicalLocation": place}]}
