"""What all tests share: an empty gallery to fill, and a process that is set up for tests."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# What tests import from there is rewritten as they are.
pytest.register_assert_rewrite("support")

# What is promised is promised for the CPU, and nobody's GPU is needed: it counts as none.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

# A shell that runs all this in the background has its programs ignore interrupts, and theirs too.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests already run side by side, and tiny networks gain nothing from threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from gallery.utils import progress  # noqa: E402
from support import TESTS, tiny_checkpoints  # noqa: E402
from support.compiled import compile_templates_once  # noqa: E402
from support.galleries import Gallery  # noqa: E402

compile_templates_once()

# What is told by the clock, a busy machine would tell more often.
progress.PLAIN_INTERVAL = float("inf")

# Likewise how long an example takes, or its making; and what fixtures make, examples may share.
settings.register_profile("tests", deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("tests")

# What tests need beyond the light installation, and which take long: by a fixture, or by where they are.
NEEDS = {
    "browser": ("browser",),
    "torch": ("engines/musicgen/", "studio", "index", "tiny_gallery", "rendered", "setup/test_weights.py"),
    "ray": ("engines/cluster/",),
    "replicate": ("engines/replicate/", "service"),
    "bucket": ("object_store",),
    "tools": (
        *("checker", "crawler", "workflows/", "review/test_hooks.py"),
        *("scaffolding/test_notebook.py", "scaffolding/test_container.py"),
    ),
    "slow": (
        *("fuzz/", "security/", "cli/test_serve.py", "test_faults.py", "test_incremental.py"),
        *("test_shipped.py", "built"),
    ),
}

# What takes long in one piece.
LONG = ("workflows/", "test_shipped.py")

# How many modules there were when garbage was last told from what stays.
IMPORTED = [0]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by what they need. Those that need nothing and are soon done are for `make check`."""
    for item in items:
        place = item.path.relative_to(TESTS).as_posix()
        fixtures = getattr(item, "fixturenames", ())
        for mark, needs in NEEDS.items():
            if any(place.startswith(need) or need in fixtures for need in needs):
                item.add_marker(mark)
        if not any(item.get_closest_marker(mark) for mark in NEEDS):
            item.add_marker("light")
    # These begin first: nothing else would be left to do beside them at the end.
    items.sort(key=lambda item: (not item.path.relative_to(TESTS).as_posix().startswith(LONG), item.path))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Each of the workers begins to read the tests elsewhere, and finds compiled what others have read."""
    report = yield
    if isinstance(collector, pytest.Dir) and (worker := getattr(collector.config, "workerinput", None)):
        first = len(report.result) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
        report.result = [*report.result[first:], *report.result[:first]]
    return report


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are processors: browsers, servers and clusters let theirs wait."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """Leave the tests themselves out of every later search for garbage: they are many, and stay."""
    gc.freeze()
    gc.set_threshold(20_000)
    IMPORTED[0] = len(sys.modules)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Likewise what tests have imported since, where it is much: torch, numba, an S3 server."""
    if len(sys.modules) > IMPORTED[0] + 100:
        gc.collect()
        gc.freeze()
        IMPORTED[0] = len(sys.modules)


@pytest.fixture(scope="session", autouse=True)
def kept_checkpoints(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where tiny checkpoints are kept: workers have folders of their own in one that is the run's."""
    own = tmp_path_factory.getbasetemp()
    run = own.parent if hasattr(request.config, "workerinput") else own
    (run / "checkpoints").mkdir(exist_ok=True)
    tiny_checkpoints.KEPT[:] = [run / "checkpoints"]


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    """A gallery without prompts."""
    return Gallery(tmp_path / "gallery").begin()
