"""docs/reliability.md promises nothing that no test holds."""

from __future__ import annotations

import importlib.util
import re
import sys
from functools import cache
from math import prod
from typing import Any

import pytest

from support import ROOT

TEXT = (ROOT / "docs/reliability.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith("| what is promised ")
]

# Tests whose only matter is a fault: each stands in the table.
OF_FAULTS = ("test_faults.py",)

# Tests whose cases are kinds of fault, with how many more their row names that are not among the cases.
COUNTED = {
    "test_faults.py": {
        "test_each_class_of_file_meets_each_fault": 0,
        "test_the_state_meets_each_fault": 0,
        "test_a_journal_that_cannot_be_written_is_told": 0,
        "test_a_lossless_render_that_the_disk_does_not_give_is_kept": 0,
    },
    "test_settings.py": {"test_a_mistake_in_the_settings_is_a_line": 1},
    "site/test_own_templates.py": {"test_a_mistake_in_a_template_is_one_line": 5},
    "site/test_notes.py": {"test_nothing_in_a_note_swallows_what_comes_after_it": 0},
    "site/test_guides.py": {"test_a_guide_that_cannot_be_read_is_told_and_left_out": 1},
    "site/test_writing.py": {"test_what_is_no_file_is_in_the_way_too": 5},
    "store/test_damage.py": {"test_damage_is_told_and_left_as_it_is": 0},
    "store/test_presence.py": {"test_a_share_that_is_not_mounted_stops_all_that_looks_at_it": 5},
    "store/test_workspace.py": {"test_a_place_that_cannot_be_used_is_told": 2},
    "store/test_gc.py": {"test_where_less_than_half_would_remain_the_number_has_to_be_named": 6},
    "security/test_files.py": {"test_where_git_cannot_tell_no_render_is_taken": 3},
    "prompts/test_melodies.py": {"test_a_header_that_lies_says_nothing_of_its_own": 7},
    "engines/replicate/test_rendering.py": {
        "test_what_was_not_asked_for_is_never_kept_nor_paid_for_again": 0
    },
    "engines/replicate/test_survival.py": {"test_a_damaged_entry_is_said_and_not_paid_for_again": 1},
    "importers/test_tts_webui.py": {"test_prompt_files_go_nowhere_else": 2},
    "importers/test_truth.py": {
        "test_what_is_damaged_in_the_store_is_not_there_already": 2,
        "test_a_second_sound_of_one_request_is_named_and_the_first_stays": 1,
    },
    "cli/test_estimates.py": {"test_a_driver_that_names_no_card_is_as_none": 4},
    "workflows/test_jobs.py": {"test_nothing_of_what_is_not_whole_clips_is_taken": 0},
}


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


def test_the_kinds_of_fault_are_as_many_as_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a table has them, or a test's cases are them, they are counted."""

    @cache
    def load(name: str) -> dict[str, Any]:
        path = ROOT / "tests" / name
        found = importlib.util.spec_from_file_location(f"counted {name}", path)
        assert found and found.loader
        module = importlib.util.module_from_spec(found)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        found.loader.exec_module(module)
        return vars(module)

    def cases(name: str, test: str) -> int:
        marks = load(name)[test].pytestmark
        return prod(len(mark.args[1]) for mark in marks if mark.name == "parametrize")

    refusals = load("test_faults.py")["test_what_the_system_refuses_is_a_line"].pytestmark[0].args[1]
    counted = {
        "test_kill_at_any_moment_loses_nothing_finished": load("test_build.py")["MOMENTS"] + 1,
        "test_clean_leaves_what_cannot_be_made_again": len(load("test_makefile.py")["CANNOT_BE_MADE_AGAIN"]),
        "test_a_site_is_not_written_among_what_builds_read": len(load("cli/test_output.py")["REFUSED"]) + 1,
        "test_what_the_system_refuses_is_a_line": sum(bool(said) for _, said in refusals),
    }
    counted |= {
        test: cases(name, test) + more for name, tests in COUNTED.items() for test, more in tests.items()
    }
    told = {test: int(row[2].split(":")[0]) for row in ROWS for test in counted if f"`{test}`" in row[1]}
    assert told == counted
