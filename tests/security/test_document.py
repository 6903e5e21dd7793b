"""docs/security.md claims nothing that no test holds."""

from __future__ import annotations

import re

from support import ROOT

TEXT = (ROOT / "docs/security.md").read_text()


def test_every_test_that_is_named_exists() -> None:
    defined = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^ *def (test_\w+)\(", path.read_text(), re.MULTILINE)
    }
    named = set(re.findall(r"`(test_\w+)`", TEXT))
    assert len(named) > 50
    assert named <= defined


def test_every_module_that_is_named_exists() -> None:
    named = {
        name
        for line in TEXT.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([\w/]+\.py)`", line)
    }
    assert len(named) > 25
    assert [name for name in sorted(named) if not (ROOT / "gallery" / name).is_file()] == []


def test_every_claim_in_a_table_names_a_test() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("| ") and line.count("|") == 4]
    claims = [row for row in rows if not row.startswith(("| who ", "| module ")) and "`" in row.split("|")[3]]
    held = TEXT[TEXT.index("## What holds against it") :]
    assert len(claims) > 30
    for row in rows:
        if row in held and not row.startswith("| module "):
            assert "`test_" in row.split("|")[3], row
