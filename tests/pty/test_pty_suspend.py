"""Suspend and resume: the shell gets its terminal back, and the screen is redrawn."""

from __future__ import annotations

import shlex
import shutil
import signal
import sys
import termios

import pytest

from tests.pty.conftest import PANES, Monitor
from tests.pty.terminal import Terminal

STOP = "\x1a"
SCREEN = (*PANES, "sick:2", "alpha.high", "beta-1", "? help")


def is_raw(seen: Terminal) -> bool:
    """Whether keys come one by one."""
    return not seen.line_modes[3] & termios.ICANON


def test_stopped_and_continued(monitor: Monitor, fleet_url: str) -> None:
    seen = monitor.watch(fleet_url, "--interval", "60")
    seen.sees(*SCREEN)
    for _ in range(2):
        seen.press(STOP)
        seen.until(lambda: seen.state == "T", "stopped")
        seen.restored()
        # The alternate screen is empty when it is entered: every line must come again.
        seen.wipe()
        seen.signal(signal.SIGCONT)
        seen.until(lambda: 1049 in seen.modes and is_raw(seen), "the terminal taken again")
        seen.sees(*SCREEN)
    seen.press("q")
    assert seen.ends() == 0
    seen.restored()


def test_stopped_by_another_and_continued(monitor: Monitor, fleet_url: str) -> None:
    """SIGSTOP leaves no time to prepare; a shell has set its own modes meanwhile."""
    seen = monitor.watch(fleet_url, "--interval", "60")
    seen.signal(signal.SIGSTOP)
    seen.until(lambda: seen.state == "T", "stopped")
    seen.make_sane()
    seen.signal(signal.SIGCONT)
    seen.until(lambda: seen.raw.count(b"\x1b[?1049h") == 2, "the terminal taken again")
    seen.sees(*SCREEN)
    assert is_raw(seen)
    for _ in range(3):  # and without a stop before
        seen.signal(signal.SIGCONT)
    seen.until(lambda: seen.raw.count(b"\x1b[?1049h") > 2, "the terminal taken again")
    seen.sees(*SCREEN)
    seen.press("q")
    assert seen.ends() == 0
    seen.restored()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs a shell with job control")
def test_in_a_shell_with_job_control(monitor: Monitor, fleet_url: str) -> None:
    """A job in the background leaves the terminal alone until ``fg``."""
    command = shlex.join([sys.executable, "-m", "runqy_tui", "--url", fleet_url])
    shell = [shutil.which("bash") or "", "--norc", "--noprofile", "-i"]
    seen = monitor.run(
        *shell, program=(), env={"PS1": "ready> ", "BASH_SILENCE_DEPRECATION_WARNING": "1"}
    )
    seen.sees("ready>")
    seen.press("set -b\r", command + "\r")
    seen.sees(*SCREEN)
    seen.press(STOP)
    seen.until(lambda: seen.raw.count(b"Stopped") == 1, "stopped by its key")
    assert 1049 not in seen.modes
    seen.press("bg\r")
    seen.until(lambda: seen.raw.count(b"Stopped") == 2, "stopped as it wanted the terminal")
    assert 1049 not in seen.modes
    seen.press("fg\r")
    seen.until(lambda: 1049 in seen.modes, "the terminal taken again")
    seen.sees(*SCREEN)
    seen.press("q")
    seen.until(lambda: 1049 not in seen.modes, "left")
    seen.press("echo code=$?\r")
    seen.until(lambda: b"code=0" in seen.raw, "its exit code")
    seen.press("exit\r")
    assert seen.ends() == 0
    seen.restored()
