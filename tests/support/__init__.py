"""What tests share. Import it as ``support``: its folder is on the path that pyproject.toml gives pytest."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
COMMAND = Path(sys.executable).with_name("gallery")
