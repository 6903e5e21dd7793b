"""What all tests share: an empty gallery to fill, and a process that is set up for tests."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

# What tests import from there is rewritten as they are.
pytest.register_assert_rewrite("support")

# Tests already run side by side, and tiny networks gain nothing from threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from support.galleries import SETTINGS, Gallery  # noqa: E402


def pytest_collection_finish() -> None:
    """Leave the tests themselves out of every later search for garbage: they are many, and stay."""
    gc.freeze()


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    """An empty gallery."""
    made = Gallery(tmp_path / "gallery")
    made.write("gallery.toml", SETTINGS)
    (made.root / "prompts").mkdir()
    return made
