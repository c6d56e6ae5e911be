"""Exit: the terminal is restored, and the exit code states the reason."""

from __future__ import annotations

import re
import signal
import tempfile
from collections.abc import Callable
from time import sleep

import pytest
import redis

from tests.pty.conftest import Monitor
from tests.pty.terminal import Terminal
from tests.support import dialect_writers

GONE_S = 4.0
"""Within this a process must end whose terminal has gone."""
SYNC_AND_RESIZE_SUPPORTED = "\x1b[?2026;2$y\x1b[?2048;2$y"
MOUSE_MODE = re.compile(rb"\x1b\[\?(?:\d+;)*(?:9|100[012356]|101[56])(?:;\d+)*[hl]")


@pytest.mark.parametrize(
    ("leave", "code"),
    [
        (lambda seen: seen.press("q"), 0),
        (lambda seen: seen.signal(signal.SIGTERM), 143),
        (lambda seen: seen.signal(signal.SIGHUP), 129),
        (lambda seen: seen.signal(signal.SIGINT), 130),
        (lambda seen: seen.signal(signal.SIGQUIT), 131),
    ],
    ids=["q", "SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"],
)
def test_the_terminal_is_given_back(
    monitor: Monitor, fleet_url: str, leave: Callable[[Terminal], None], code: int
) -> None:
    seen = monitor.watch(fleet_url)
    assert {1049, 1000, 1002, 1006, 2004} <= seen.modes
    assert 1003 not in seen.modes
    assert 25 not in seen.modes
    assert seen.keyboard_depth == 1
    assert seen.line_modes != seen.before
    leave(seen)
    assert seen.ends() == code
    seen.restored()
    after = seen.raw.rpartition(b"\x1b[?1049l")[2]
    assert re.sub(rb"\x1b\[\?\d+[hl]", b"", after) == b""  # and nothing is said


@pytest.mark.parametrize("shown", ["", "1 Workers"])
def test_a_signal_while_it_starts(monitor: Monitor, fleet_url: str, shown: str) -> None:
    """From the first byte on: what came before it took nothing."""
    seen = monitor.run("--url", fleet_url)
    seen.until(lambda: shown in seen.text if shown else seen.raw, "the start")
    seen.signal(signal.SIGTERM)
    assert seen.ends() == 143
    seen.restored()


@pytest.mark.parametrize("ignored", ["", "SIGHUP", "SIGHUP, no controlling terminal"])
def test_a_window_that_closes_in_mid_frame(monitor: Monitor, fleet_url: str, ignored: str) -> None:
    """Where SIGHUP is ignored, as under ``nohup``, it stays so: only the closing ends it."""
    with tempfile.TemporaryFile() as stderr:
        seen = monitor.watch(fleet_url, "--interval", "0.5", ignored=ignored, stderr=stderr)
        if ignored:
            seen.signal(signal.SIGHUP)
            seen.press("?")
            seen.sees("Esc closes")
        seen.read_no_more()
        seen.press("\x0c" * 20)  # more frames than the pty takes
        seen.until(lambda: seen.unread > 3_000, "the rest of a frame waits")
        seen.hang_up()
        assert seen.ends(GONE_S) == 129
        stderr.seek(0)
        assert stderr.read() == b""


def test_a_link_that_stalls_gets_the_newest_state(
    monitor: Monitor, writer: redis.Redis, fleet_url: str
) -> None:
    """What nobody saw in the meantime is not sent afterwards, frame by frame."""
    seen = monitor.watch(fleet_url, "--interval", "0.25")
    seen.sees("? help")
    frame = len(seen.raw)
    seen.stall()
    for at in range(20):
        dialect_writers.pending(writer, "alpha.high", f"while-{at}")
        sleep(0.1)
    so_far = len(seen.raw)
    seen.go_on()
    seen.sees("alpha.high", " 22 ")
    seen.still()
    assert len(seen.raw) - so_far < frame
    seen.press("q")
    assert seen.ends() == 0
    seen.restored()


def test_a_terminal_that_takes_no_output_cannot_hold_it(monitor: Monitor, fleet_url: str) -> None:
    seen = monitor.watch(fleet_url)
    seen.stall()
    seen.signal(signal.SIGTERM)
    assert seen.ends() == 143
    assert seen.line_modes == seen.before


def test_no_mouse_is_no_mouse_mode_at_all(monitor: Monitor, fleet_url: str) -> None:
    """Not after a stop either, nor where the terminal could report in pixels."""
    seen = monitor.watch(fleet_url, "--no-mouse")
    seen.press(SYNC_AND_RESIZE_SUPPORTED)
    seen.until(lambda: 2048 in seen.modes, "resize reports")
    seen.press("\x1a")
    seen.until(lambda: seen.state == "T", "stopped")
    seen.signal(signal.SIGCONT)
    seen.sees("1 Workers")
    seen.press("q")
    assert seen.ends() == 0
    seen.restored()
    assert MOUSE_MODE.findall(seen.raw) == []


def test_a_modern_terminal_from_a_modal(monitor: Monitor, fleet_url: str) -> None:
    seen = monitor.watch(fleet_url)
    seen.press(SYNC_AND_RESIZE_SUPPORTED)
    seen.until(lambda: {1016, 2048} <= seen.modes, "resize reports and a mouse in pixels")
    seen.press("?")
    seen.sees("Esc closes")
    assert b"\x1b[?2026h" in seen.raw
    seen.signal(signal.SIGTERM)
    seen.signal(signal.SIGTERM)
    assert seen.ends() == 143
    seen.restored()
