"""What `make` asks for of a machine, and that it asks before it makes or downloads anything."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import ROOT

# It answers as the tests' own Python would if that were older.
OLD = f"""#!/bin/sh
exec {sys.executable} -c "import sys; sys.version_info = (3, 10, 4); exec(sys.argv[1])" "$2"
"""
# It makes environments whose Python writes down what it is asked to do.
NEW = """#!/bin/sh
if [ "$2" = venv ]; then
    mkdir -p "$3/bin"
    printf '#!/bin/sh\\necho "$@" >> asked\\n' > "$3/bin/python"
    chmod +x "$3/bin/python"
fi
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with a Makefile, a shell and little else; its user may install nothing."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    for name, text in {"old": OLD, "new": NEW, "id": "#!/bin/sh\necho 1000\n"}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    for name in ("sh", "mkdir", "chmod"):
        (tmp_path / name).symlink_to(shutil.which(name) or "")
    return tmp_path


CANNOT_BE_MADE_AGAIN = [
    ".gallery/renders/0.wav",
    ".gallery/renders/0.json",
    ".gallery/replicate/0.json",
    ".gallery/store/0.mp3",
    "site/audio/0.mp3",
]


def test_clean_leaves_what_cannot_be_made_again(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    made = [
        ".venv/bin/python",
        ".gallery/state.sqlite",
        ".gallery/state.sqlite-wal",
        ".gallery/sketches/0.mp3",
    ]
    for name in (*CANNOT_BE_MADE_AGAIN, *made):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True)
    assert all((tmp_path / name).exists() for name in CANNOT_BE_MADE_AGAIN)
    assert not any((tmp_path / name).exists() for name in made)


def make(machine: Path, goal: str, python: str) -> list[str]:
    """What it prints before make's own last word; it fails."""
    command = [shutil.which("make") or "", goal, f"PYTHON={python}"]
    ran = subprocess.run(
        command, cwd=machine, env={"PATH": str(machine)}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert ran.stderr.startswith("make: *** "), ran.stderr
    return ran.stdout.splitlines()


@pytest.mark.parametrize("goal", ["build", "check", "test"])
@pytest.mark.parametrize("python", ["old", "absent"])
def test_a_python_too_old_is_told_before_anything_is_made(machine: Path, goal: str, python: str) -> None:
    before = set(machine.iterdir())
    said = f"This needs Python 3.11 or later, which {python} is not: name one with make PYTHON=..."
    assert make(machine, goal, python) == [said]
    assert set(machine.iterdir()) == before


def test_a_browser_is_asked_for_before_anything_is_downloaded(machine: Path) -> None:
    *_, told = make(machine, "test", "new")
    assert told == (
        "The tests need Chromium: install your system's package chromium-headless-shell or chromium."
    )
    assert (machine / ".venv/bin/python").is_file()
    assert not (machine / "asked").exists()
