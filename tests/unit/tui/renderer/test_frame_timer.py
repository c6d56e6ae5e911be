"""When frames are painted, by a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from runqy_tui.tui.renderer import frame_timer as module
from runqy_tui.tui.renderer.frame_timer import GAP_S, FrameTimer


@dataclass
class Time:
    """The loop's clock and its timers; ``frames`` are the moments at which was painted."""

    now: float = 100.0
    frames: list[float] = field(default_factory=list)
    calls: list[tuple[float, Any, Callable[[], None]]] = field(default_factory=list)

    def call_later(self, delay: float, callback: Callable[[], None]) -> Any:
        handle = SimpleNamespace(cancelled=False)
        handle.cancel = lambda: setattr(handle, "cancelled", True)
        self.calls.append((self.now + delay, handle, callback))
        return handle

    def paint(self) -> None:
        self.frames.append(self.now)

    def pass_by(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [call for call in self.calls if call[0] <= end and not call[1].cancelled]:
            call = min(due, key=lambda one: one[0])
            self.calls.remove(call)
            self.now = max(self.now, call[0])
            call[2]()
        self.now = end


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    fake = SimpleNamespace(get_running_loop=lambda: time)
    monkeypatch.setattr(module, "asyncio", fake)
    return time


def _timer(time: Time) -> FrameTimer:
    timer = FrameTimer(time.paint, lambda: time.now)
    time.pass_by(1.0)
    return timer


def test_the_first_frame_waits_for_what_else_is_being_mounted(time: Time) -> None:
    timer = FrameTimer(time.paint, lambda: time.now)
    timer.resume()
    time.pass_by(1.0)
    assert time.frames == [pytest.approx(100.0 + GAP_S)]


def test_after_a_rest_a_frame_follows_at_once_and_the_next_one_after_a_gap(time: Time) -> None:
    timer = _timer(time)
    timer.resume()
    time.pass_by(0.004)
    timer.resume()
    time.pass_by(1.0)
    assert time.frames == pytest.approx([101.0, 101.0 + GAP_S])


def test_what_changes_within_a_gap_is_one_frame(time: Time) -> None:
    timer = _timer(time)
    for _ in range(10):
        timer.resume()
        time.pass_by(GAP_S / 10)
    time.pass_by(1.0)
    assert len(time.frames) == 2


def test_a_key_right_after_a_frame_does_not_wait(time: Time) -> None:
    timer = _timer(time)
    timer.resume()
    time.pass_by(0.001)
    timer.resume()  # something else was changed, and is due after the gap
    timer.expedite()
    time.pass_by(0.001)
    timer.resume()
    time.pass_by(1.0)
    assert time.frames == pytest.approx([101.0, 101.002])


def test_expediting_is_for_one_frame_only(time: Time) -> None:
    timer = _timer(time)
    timer.resume()
    time.pass_by(0.001)
    timer.expedite()
    timer.resume()
    time.pass_by(0.001)
    timer.resume()
    time.pass_by(1.0)
    assert time.frames == pytest.approx([101.0, 101.001, 101.001 + GAP_S])


def test_many_keys_add_half_as_many_frames_at_most(time: Time) -> None:
    timer = _timer(time)
    for _ in range(1000):
        timer.expedite()
        timer.resume()
        time.pass_by(0.002)
    assert 2.0 / GAP_S <= len(time.frames) <= 2 + 1.5 * 2.0 / GAP_S


def test_a_held_frame_waits_for_the_release(time: Time) -> None:
    timer = _timer(time)
    timer.resume()
    timer.hold(0.5)
    time.pass_by(0.2)
    timer.resume()
    assert time.frames == []
    timer.release()
    time.pass_by(1.0)
    assert time.frames == pytest.approx([101.2])


def test_a_held_frame_waits_for_a_limited_time(time: Time) -> None:
    timer = _timer(time)
    timer.hold(0.5)
    time.pass_by(0.1)
    timer.resume()
    timer.hold(0.2)
    time.pass_by(1.0)
    assert time.frames == pytest.approx([101.3])


def test_an_urgent_frame_is_not_held(time: Time) -> None:
    timer = _timer(time)
    timer.hold(0.5)
    timer.resume()
    time.pass_by(0.1)
    timer.expedite()
    timer.resume()
    time.pass_by(0.1)
    assert time.frames == pytest.approx([101.1])


def test_a_paused_timer_paints_nothing_until_resumed(time: Time) -> None:
    timer = _timer(time)
    timer.resume()
    timer.pause()
    time.pass_by(1.0)
    assert time.frames == []
    timer.resume()
    time.pass_by(1.0)
    assert len(time.frames) == 1


async def test_it_runs_on_a_real_loop() -> None:
    painted = asyncio.Event()
    timer = FrameTimer(painted.set)
    timer.resume()
    await asyncio.wait_for(painted.wait(), 10)
