"""Windows of long clips: audiocraft's, counted in whole frames."""

from __future__ import annotations

from gallery.engines.musicgen.windows import Window, windows


def stock_windows(duration: float, window: float, stride: float) -> list[Window] | None:
    """audiocraft's own arithmetic, in seconds; None where it stops with an assertion."""
    plan, offset, known = [], 0, 0
    while offset + known < int(duration * 50):
        length = int(min(duration - offset / 50, window) * 50)
        if known >= length:
            return None
        plan.append(Window(offset, length, known))
        known = max(length - int(50 * stride), 0)
        offset += int(50 * stride)
    return plan


def test_the_windows_are_audiocrafts() -> None:
    alike = different = 0
    for window, stride in ((30, 18), (10, 2), (30, 7.3), (30, 29.9)):
        for tenths in range(5, 1200, 7):
            frames, most = int(tenths / 10 * 50), int(window * 50)
            plan = windows(frames, most, int(50 * stride))
            assert sum(part.length - part.known for part in plan) == frames
            stock = stock_windows(tenths / 10, window, stride)
            if stock and all(part.length == min(frames - part.offset, most) for part in stock):
                alike += 1
                assert plan == stock
            else:
                different += 1
    assert alike > 3 * different


def test_a_clip_that_fits_has_one_window() -> None:
    assert windows(1500, 1500, 900) == [Window(0, 1500, 0)]
    assert windows(1501, 1500, 900) == [Window(0, 1500, 0), Window(900, 601, 600)]


def test_where_audiocraft_loses_a_frame_or_stops_the_clip_is_whole() -> None:
    assert stock_windows(10.28, 10, 2) is None
    assert sum(part.length - part.known for part in windows(514, 500, 100)) == 514
