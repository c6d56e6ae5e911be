"""Watching processes of the tests' own."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")


def eventually(check: Callable[[], bool], within: float = 30.0) -> bool:
    """Whether a condition becomes true in time."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if check():
            return True
        time.sleep(0.02)
    return check()
