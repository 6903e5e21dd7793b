"""benchmarks/gpu.py tries every promise and says what became of it, whatever happens on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import wraps
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from support import ROOT, audiocraft_copies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SCRIPT = ROOT / "benchmarks/gpu.py"
PARTS = ["kernel", "stock", "independence", "codec", "speed", "nan", "previews", "memory"]


@pytest.fixture(scope="module")
def program() -> Iterator[ModuleType]:
    """The program as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPT.parent)
        import gpu

        yield gpu


@pytest.fixture(scope="module")
def bench(program: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Tiny networks on the CPU."""
    return program.Bench("cpu", quick=True, folder=tmp_path_factory.mktemp("bench"))


@pytest.fixture
def benchmark(program: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program, which leaves the logs and warnings of this process as they are."""
    gpu = program
    monkeypatch.setattr(gpu, "be_quiet", lambda: None)
    monkeypatch.setattr(gpu.faulthandler, "dump_traceback_later", lambda *_, **__: None)
    return gpu


@pytest.fixture
def run(
    benchmark: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Runs parts of a test's own; gives the exit code and what the JSON file says of each part."""

    def run(*options: str, **parts: Callable[[Any], Iterator[Any]]) -> tuple[int, dict[str, Any]]:
        module = ModuleType("gpu_parts.own")
        module.__dict__.update(parts)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(benchmark, "PARTS", dict.fromkeys(parts, ("own", 1)))
        output = tmp_path / "gpu.json"
        monkeypatch.setattr(sys, "argv", ["gpu.py", "--device", "cpu", "--output", str(output), *options])
        with pytest.raises(SystemExit) as ended:
            benchmark.main()
        return ended.value.code, json.loads(output.read_text())["parts"]

    return run


def test_without_a_gpu_every_part_is_run_and_says_whether_its_promise_holds(tmp_path: Path) -> None:
    """The whole program, in a process that has imported audiocraft already."""
    script = f"""
import runpy, sys
sys.path.insert(0, {str(SCRIPT.parent)!r})
sys.argv = ["gpu.py", "--device", "cpu", "--quick"]
runpy.run_path({str(SCRIPT)!r}, run_name="__main__")
"""
    code, printed = audiocraft_copies.run(script, tmp_path)
    written = json.loads((tmp_path / "gpu.json").read_text())
    assert list(written["parts"]) == PARTS
    for name, part in written["parts"].items():
        assert part["verdict"] == ("measured" if name == "speed" else "holds"), (name, part)
        assert part["findings"]
        assert f"\n{name} " in printed
    assert code == 0
    assert {"device", "date", "python", "torch", "audiocraft"} <= written.keys()


def test_it_starts_from_anywhere_and_says_what_it_takes(tmp_path: Path) -> None:
    """In a process of its own, which nothing of these tests has prepared."""
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        [sys.executable, SCRIPT, "--help"],
        cwd=tmp_path,
        env=alone,
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(part in ran.stdout for part in PARTS) and "--quick" in ran.stdout and not ran.stderr


def test_a_card_is_tried_in_ways_of_its_own(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked of a card alone, with one that is simulated: nothing here can take its memory away."""
    import torch
    from gpu_parts import equality, shortage

    ballast: list[int] = []
    card = {
        "memory_reserved": lambda: 1 << 30,
        "max_memory_reserved": lambda: 3 << 30,
        "reset_peak_memory_stats": lambda: None,
        "empty_cache": lambda: None,
        "mem_get_info": lambda: (60 << 30, 80 << 30),
    }
    for name, value in card.items():
        monkeypatch.setattr(torch.cuda, name, value)
    empty = torch.empty

    def held(*shape: Any, **options: Any) -> torch.Tensor:
        if options.get("device") != "cuda":
            return empty(*shape, **options)
        ballast.append(shape[0])
        return empty(0)

    monkeypatch.setattr(torch, "empty", held)
    monkeypatch.setattr(type(bench), "on_gpu", True)
    findings = [finding for part in (shortage.codec, shortage.memory) for finding in part(bench)]
    assert all(finding.holds in (True, None) for finding in findings), findings
    said = {finding.what: finding.found for finding in findings}
    assert said["3 s: memory"] == "2048 MiB, 682.7 for each second"
    for what in ("no more memory from the first tick on", "a tenth of the card"):
        assert "0 of 6 clips lost" in said[what]
    assert ballast[-1] == 53 << 30, "a tenth of it is 8 GiB, of which the model takes one"
    assert max(ballast) == (60 << 30) - shortage.LAST
    assert "cannot be used here" in next(equality.kernel(bench)).found


def test_what_is_broken_is_found(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from gpu_parts import equality, shortage

    from gallery.engines.musicgen.sampler import Sampler

    attend, choose, decode = equality.attend, Sampler.choose, shortage.decode

    @wraps(attend)
    def askew(*given: Any, **named: Any) -> Any:
        return attend(*given, **named) + 1e-3

    monkeypatch.setattr(equality, "attend", askew)
    assert any(finding.holds is False for finding in equality.kernel(bench))

    # Each clip is given its neighbour's noise.
    monkeypatch.setattr(
        Sampler, "choose", lambda own, logits, noise, variant: choose(own, logits, noise.roll(1, 0), variant)
    )
    assert any(finding.holds is False for finding in equality.independence(bench))

    def louder(*given: Any) -> Iterator[Any]:
        return ((clip, audio * (1 + len(given[1]) / 1000)) for clip, audio in decode(*given))

    monkeypatch.setattr(shortage, "decode", louder)
    found = {finding.what: finding.holds for finding in shortage.codec(bench)}
    assert found["3 s: against whole decoding"] is False
    assert found["3 s: beside another clip"] is False


def test_a_part_that_fails_or_hangs_is_told_of_and_ends_no_other(
    run: Callable[..., Any], benchmark: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gpu_parts import Finding

    def fails(_bench: Any) -> Iterator[Finding]:
        yield Finding("first", "in order", True)
        raise RuntimeError("an illegal memory access\nwas encountered")

    def hangs(_bench: Any) -> Iterator[Finding]:
        yield Finding("first", "in order", True)
        try:
            time.sleep(60)
        except Exception:  # noqa: BLE001 - an engine that goes on whatever happens
            yield Finding("second", "never", True)

    def breaks(_bench: Any) -> Iterator[Finding]:
        yield Finding("first", "not in order", False)
        yield Finding("second", "in order", True)

    def measures(_bench: Any) -> Iterator[Finding]:
        yield Finding("first", "1.23 ms")

    monkeypatch.setattr(benchmark, "LEAST", 0.1)
    code, parts = run("--seconds", "6", fails=fails, hangs=hangs, breaks=breaks, measures=measures)
    assert code == 1
    verdicts = {name: part["verdict"] for name, part in parts.items()}
    assert verdicts == {
        "fails": "failed", "hangs": "cut short", "breaks": "does not hold", "measures": "measured"
    }  # fmt: skip
    assert parts["fails"]["note"] == "RuntimeError: an illegal memory access was encountered"
    assert [len(part["findings"]) for part in parts.values()] == [1, 1, 2, 1]


def test_parts_are_left_out_with_a_line_where_time_is_short(
    run: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    code, parts = run("--seconds", "2", kernel=lambda _: iter(()))
    assert code == 0
    assert parts["kernel"]["verdict"] == "left out"
    assert "only 2 s are left" in capsys.readouterr().out


def test_an_interrupted_run_leaves_what_it_found(run: Callable[..., Any], tmp_path: Path) -> None:
    from gpu_parts import Finding

    def interrupted(_bench: Any) -> Iterator[Finding]:
        yield Finding("first", "in order", True)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(interrupted=interrupted)
    [part] = json.loads((tmp_path / "gpu.json").read_text())["parts"].values()
    assert part["verdict"] == "cut short"
    assert part["findings"] == [{"what": "first", "found": "in order", "holds": True, "value": None}]
