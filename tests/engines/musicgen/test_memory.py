"""How much memory there is, and how many clips fit into it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from gallery.utils.memory import available_memory

if TYPE_CHECKING:
    from pathlib import Path

GB = 1 << 30
TOTAL = 16 * GB
MEMINFO = f"MemTotal: {TOTAL >> 10} kB\nMemFree: {1 * GB >> 10} kB\nMemAvailable: {9 * GB >> 10} kB\n"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_available_memory_counts_not_free(tmp_path: Path) -> None:
    assert available_memory(write(tmp_path, {"proc/meminfo": MEMINFO})) == 9 * GB


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("limited", ["own", "above", "container"])
def test_a_containers_limit_counts(tmp_path: Path, version: int, limited: str) -> None:
    """Its own, of a group around it, or of a container, whose group is the root; cached files don't."""
    limit, used = {
        1: ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        2: ("memory.max", "memory.current"),
    }[version]
    place = "sys/fs/cgroup/memory" if version == 1 else "sys/fs/cgroup"
    cached = "total_inactive_file" if version == 1 else "inactive_file"
    line = "4:memory:/jobs/one\n3:cpuset:/" if version == 1 else "0::/jobs/one"
    group = {"own": "/jobs/one", "above": "/jobs", "container": ""}[limited]
    files = {
        "proc/meminfo": MEMINFO,
        "proc/self/cgroup": line + "\n",
        f"{place}{group}/{limit}": f"{6 * GB}\n",
        f"{place}{group}/{used}": f"{5 * GB}\n",
        f"{place}{group}/memory.stat": f"anon 7\n{cached} {2 * GB}\n",
    }
    if limited == "above":
        files |= {f"{place}/jobs/one/{limit}": "max\n", f"{place}/jobs/one/{used}": "9\n"}
    assert available_memory(write(tmp_path, files)) == 3 * GB


def test_a_limit_that_is_passed_leaves_nothing(tmp_path: Path) -> None:
    group = {"memory.max": "5", "memory.current": "9", "memory.stat": ""}
    files = {f"sys/fs/cgroup/{name}": text for name, text in group.items()}
    assert available_memory(write(tmp_path, {"proc/self/cgroup": "0::/\n", **files})) == 0


def test_systems_that_do_not_say_have_a_fixed_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has neither /proc nor `os.sysconf`."""
    for name in ("sysconf", "sysconf_names"):
        monkeypatch.delattr(os, name, raising=False)
    assert available_memory(tmp_path) == 4 * GB
    assert available_memory() > 0


def test_on_the_cpu_slots_follow_from_what_is_available(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from gallery.engines.musicgen import memory

    monkeypatch.setattr(memory, "available_memory", lambda: 100)
    cpu = torch.device("cpu")
    assert memory.batch_size(cpu, 1, 0, 20) == 8
    assert memory.batch_size(cpu, 1, 0, 3) == 3
    assert memory.batch_size(cpu, 30, 0, 20) == 2
    assert memory.batch_size(cpu, 1000, 0, 20) == 1


@pytest.mark.parametrize(
    ("total", "slot", "weights", "size"),
    [
        (143 * 10**9, 1.2, 6.6, 64),  # H200, large
        (24 * GB, 1.2, 6.6, 8),
        (24 * GB, 0.32, 0.9, 64),  # small
        (16 * GB, 0.95, 3.8, 8),  # medium
        (8 * GB, 0.32, 0.9, 16),
        (4 * GB, 0.32, 0.9, 4),
        (6 * GB, 1.2, 6.6, 1),  # it may not fit at all: then that is told
    ],
)
def test_on_a_gpu_slots_follow_from_all_its_memory(
    monkeypatch: pytest.MonkeyPatch, total: int, slot: float, weights: float, size: int
) -> None:
    """Not from what is free, nor from how many clips there are."""
    import torch

    from gallery.engines.musicgen.memory import batch_size

    for free in (total, total // 2, 0):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device, free=free: (free, total))
        for clips in (1, 1000):
            assert batch_size(torch.device("cuda:1"), int(slot * GB), int(weights * GB), clips) == size


def test_a_gpus_memory_is_free_or_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from gallery.engines.musicgen.memory import ensure_free, is_out_of_memory

    free, kept = 100, 400

    def empty() -> None:
        nonlocal free, kept
        free, kept = free + kept, 0

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (free, 1000))
    monkeypatch.setattr(torch.cuda, "empty_cache", empty)
    gpu = torch.device("cuda")
    ensure_free(gpu, 100)
    assert kept == 400  # what torch keeps is not given back without need
    ensure_free(gpu, 500)
    assert kept == 0
    with pytest.raises(torch.OutOfMemoryError) as caught:
        ensure_free(gpu, 501)
    assert is_out_of_memory(caught.value)
