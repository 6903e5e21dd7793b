"""docs/reliability.md promises nothing that no test holds."""

from __future__ import annotations

import re

from support import ROOT

TEXT = (ROOT / "docs/reliability.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith("| what is promised ")
]

# Tests whose only matter is a fault: each stands in the table.
OF_FAULTS = ("test_faults.py",)


def _defined(*names: str) -> set[str]:
    return {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        if not names or path.name in names
        for name in re.findall(r"^ *def (test_\w+)\(", path.read_text(), re.MULTILINE)
    }


def test_every_promise_names_the_tests_that_hold_it() -> None:
    assert len(ROWS) > 30
    defined = _defined()
    for row in ROWS:
        assert len(row) == 3, row
        named = re.findall(r"`(test_\w+)`", row[1])
        assert named and set(named) <= defined, (row[0], set(named) - defined)
        assert re.match(r"[1-9][0-9]*: \S", row[2]), row
    promises = [row[0] for row in ROWS]
    assert len(set(promises)) == len(promises)


def test_every_test_of_faults_has_its_promise() -> None:
    assert _defined(*OF_FAULTS) <= set(re.findall(r"`(test_\w+)`", TEXT))


def test_the_kinds_of_fault_are_as_many_as_are_tried() -> None:
    """Where a table has them, it is counted."""
    import importlib.util

    def load(name: str) -> dict[str, object]:
        path = ROOT / "tests" / name
        found = importlib.util.spec_from_file_location(path.stem, path)
        assert found and found.loader
        module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
        return vars(module)

    faults, templates = load("test_faults.py"), load("site/test_own_templates.py")
    settings, notes = load("test_settings.py"), load("site/test_notes.py")
    counted = {
        "test_each_class_of_file_meets_each_fault": len(faults["CLASSES"]) * len(faults["FAULTS"]),
        "test_the_state_meets_each_fault": len(faults["STATE_FAULTS"]),
        "test_a_journal_that_cannot_be_written_is_told": len(faults["FAULTS"]),
        "test_a_mistake_in_a_template_is_one_line": len(templates["MISTAKES"]) + 5,
        "test_a_mistake_in_the_settings_is_a_line": len(settings["MISTAKES"]) + 1,
        "test_nothing_in_a_note_swallows_what_comes_after_it": len(notes["_SWALLOWING"]),
    }
    told = {test: int(row[2].split(":")[0]) for row in ROWS for test in counted if f"`{test}`" in row[1]}
    assert told == counted
