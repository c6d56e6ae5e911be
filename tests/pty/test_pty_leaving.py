"""Leaving: the terminal is as it was, and the exit code tells why."""

from __future__ import annotations

import re
import signal
import tempfile
from collections.abc import Callable

import pytest

from tests.pty.conftest import Monitor
from tests.pty.terminal import Terminal

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
    ],
    ids=["q", "SIGTERM", "SIGHUP", "SIGINT"],
)
def test_the_terminal_is_given_back(
    monitor: Monitor, fleet_url: str, leave: Callable[[Terminal], None], code: int
) -> None:
    seen = monitor.watch(fleet_url)
    assert {1049, 1000, 1003, 1006, 2004} <= seen.modes
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


@pytest.mark.parametrize("ignored", ["", "SIGHUP"])
def test_a_closed_window_ends_the_process(monitor: Monitor, fleet_url: str, ignored: str) -> None:
    """Where SIGHUP is ignored, as under ``nohup``, it stays so: only the closing ends it."""
    with tempfile.TemporaryFile() as stderr:
        seen = monitor.watch(fleet_url, "--interval", "0.5", ignored=ignored, stderr=stderr)
        if ignored:
            seen.signal(signal.SIGHUP)
            seen.press("?")
            seen.sees("Esc closes")
        seen.hang_up()
        assert seen.ends(GONE_S) == 129
        stderr.seek(0)
        assert stderr.read() == b""


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
