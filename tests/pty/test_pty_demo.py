"""``--demo`` as a new user starts it; it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.pty.conftest import PANES, Monitor
from tests.pty.terminal import Terminal

GONE_S = 4.0
"""Within this nothing of the demo may be left."""


@pytest.fixture
def demo(monitor: Monitor, short_folder: Path) -> Terminal:
    """The demo on the screen; all that it makes goes into the folder."""
    seen = monitor.run("--demo", env={"TMPDIR": str(short_folder)})
    seen.sees(*PANES, " demo ", "live · data", "batch.default")
    return seen


def processes(folder: Path) -> dict[str, int]:
    """Pids of the processes that name the folder, by what they are."""
    command = ["ps", "-ww", "-A", "-o", "pid=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = [line.split(maxsplit=1) for line in listed.splitlines() if str(folder) in line]
    return {_role(words): int(pid) for pid, words in found}


def _role(words: str) -> str:
    if words.startswith("/bin/sh"):
        return "supervisor"
    return "fleet" if "runqy_tui.demo.simulated_fleet" in words else "server"


def test_three_panes_and_a_fleet(demo: Terminal, short_folder: Path) -> None:
    demo.misses("1 Workers 0")
    assert set(processes(short_folder)) == {"supervisor", "fleet", "server"}
    (folder,) = short_folder.iterdir()
    assert folder.stat().st_mode & 0o077 == 0
    demo.press("q")
    assert demo.ends() == 0
    demo.restored()
    assert processes(short_folder) == {}
    assert list(short_folder.iterdir()) == []


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_remains(demo: Terminal, short_folder: Path, blow: signal.Signals) -> None:
    assert len(processes(short_folder)) == 3
    demo.signal(blow)
    assert demo.ends() == (-blow if blow is signal.SIGKILL else 128 + blow)
    deadline = monotonic() + GONE_S
    while processes(short_folder) or [*short_folder.iterdir()]:
        assert monotonic() < deadline, (processes(short_folder), [*short_folder.iterdir()])
        sleep(0.05)


def test_it_says_when_its_server_has_ended(demo: Terminal, short_folder: Path) -> None:
    os.kill(processes(short_folder)["server"], signal.SIGKILL)
    demo.sees("✖ connection lost")
    demo.press("q")
    assert demo.ends() == 70
    demo.restored()
    assert b"runqy-tui: The demo's simulated fleet ended early: the demo's server" in demo.raw
