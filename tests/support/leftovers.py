"""What tests leave behind: processes, files in the folder for temporary ones, open sockets.

Each pytest process (with xdist: each worker) has a mark of its own in its environment and a
folder of its own for temporary files. Programs that tests start inherit both, and those that
get an environment made for them are given both by :func:`inherited`.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

MARK = "RUNQY_TUI_TEST_SESSION"
_PATIENCE_S = 15.0  # processes end and remove their folders after their last test has ended


def inherited() -> dict[str, str]:
    """Variables that a program started by a test must have, so that it is found if it remains."""
    return {name: os.environ[name] for name in (MARK, "TMPDIR") if name in os.environ}


def processes(mark: str) -> list[psutil.Process]:
    """Processes but this one that carry a mark and run; zombies do not."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if (
                process.pid != os.getpid()
                and process.environ().get(MARK) == mark
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append(process)
    return found


def sockets() -> set[int]:
    """Descriptors of this process that are sockets."""
    found = set()
    for path in Path("/dev/fd").iterdir():
        with suppress(OSError):  # the descriptor of the listing itself is closed by now
            if stat.S_ISSOCK(os.fstat(int(path.name)).st_mode):
                found.add(int(path.name))
    return found


def _described(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return f"process {process.pid}: {' '.join(process.cmdline())}"
    return f"process {process.pid}"


def remaining(mark: str, folder: Path) -> list[str]:
    """One line for each marked process and each file in the folder; waits for them to go."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        left = [_described(process) for process in processes(mark)]
        left += [f"file {path}" for path in sorted(folder.iterdir())]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


@contextmanager
def nothing_is_left() -> Iterator[Path]:
    """A mark and a folder for what happens inside; AssertionError if anything remains after it."""
    mark, folder = uuid.uuid4().hex, Path(tempfile.mkdtemp(prefix="rt-"))
    before, open_before = {name: os.environ.get(name) for name in (MARK, "TMPDIR")}, sockets()
    parent, tempfile.tempdir = tempfile.tempdir, str(folder)
    os.environ |= {MARK: mark, "TMPDIR": str(folder)}
    try:
        yield folder
    finally:
        tempfile.tempdir = parent
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
    left = remaining(mark, folder)
    for process in processes(mark):
        with suppress(psutil.Error):
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)
    assert not left, f"tests left behind: {'; '.join(left)}"
    still_open = sockets() - open_before
    assert not still_open, f"tests left sockets open: descriptors {sorted(still_open)}"
