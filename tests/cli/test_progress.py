"""What a build tells while it renders, and at its end."""

from __future__ import annotations

import io
import re
import sys

import numpy as np
import pytest

from gallery.engines import Render
from gallery.engines.provenance import Provenance
from gallery.engines.work import Work
from gallery.prompts.request import Request
from gallery.utils import progress
from gallery.utils.progress import Stage


class Clock:
    """Time that goes on when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr(progress, "PLAIN_INTERVAL", 5)
    return clock


def test_loading_is_told_and_is_no_part_of_the_pace(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Stage("rendering", 3, 30) as stage:
        with stage.loading("small"):
            clock.now += 60
        clock.now += 10
        stage.finish(10)
        with stage.loading("large"):
            clock.now += 30
        clock.now += 10
        stage.make(20)
    assert capsys.readouterr().err.splitlines() == [
        "rendering: 3 clips, 30 s of audio",
        "rendering: loading small",
        "rendering with small: 1 of 3 clips, 1.0 s of audio a second, 0:20 left",
        "rendering: loading large",
        "rendering with large: 1 of 3 clips, 1.0 s of audio a second, 0:10 left",
    ]
    assert stage.loaded == 90


def test_a_model_that_cannot_be_loaded_stops_no_clock(clock: Clock) -> None:
    with Stage("rendering", 1, 10) as stage:
        with pytest.raises(ValueError, match="torn"), stage.loading("small"):
            clock.now += 5
            raise ValueError("torn")
        assert stage.loaded == 5


def test_a_terminal_shows_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    with Stage("rendering", 2, 20) as stage:
        with stage.loading("small"):
            stage._bar.refresh()
        stage.finish(10)
        stage._bar.refresh()
    shown = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", screen.getvalue())
    assert "rendering: loading small" in shown
    assert re.search(r"rendering with small .*1 of 2 clips [\d.]+ s of audio a second", shown)


def made(device: str | None, seconds: float | None, duration: float = 8) -> Render:
    about = Provenance.model_validate({"engine": "musicgen", "device": device, "seconds": seconds})
    return Render(
        Request(model="m", prompt="p", duration=duration), np.zeros((1, 1), "float32"), 32000, about
    )


@pytest.mark.parametrize(
    ("renders", "loading", "told"),
    [
        ([], 9, ""),
        ([made(None, 5), made("Tesla T4", None)], 0, ""),
        (
            [made("Tesla T4", 60), made("Tesla T4", 66)],
            40.2,
            "rendered: 2 clips, 16.0 s of audio, 2.1 GPU minutes (Tesla T4), 40 s to load models",
        ),
        ([made("cpu", 1, 0.5)], 0.2, "rendered: 1 clip, 0.5 s of audio, less than 0.1 minutes (cpu)"),
        (
            [made("NVIDIA L4", 600), made("Tesla T4", 60)],
            0,
            "rendered: 2 clips, 16.0 s of audio, 10 GPU minutes (NVIDIA L4), 1.0 GPU minutes (Tesla T4)",
        ),
    ],
)
def test_what_was_rendered_is_told_with_the_gpus_minutes(
    renders: list[Render], loading: float, told: str
) -> None:
    work = Work()
    for render in renders:
        work.add(render)
    assert work.tell(loading) == told
