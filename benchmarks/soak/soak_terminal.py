"""The monitor's terminal: a pseudo-terminal that is always read, and follows its modes."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from benchmarks.soak import samples

_ON_BY_DEFAULT = frozenset({7, 25})
_MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])|\x1b\[(>)\d+u|\x1b\[(<)\d*u")
_LONGEST = 64
_LAUNCHER = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class SoakTerminal:
    """A pseudo-terminal with a program. It replies to no query of the program."""

    def __init__(self, columns: int = 140, rows: int = 45) -> None:
        self.ours, self.theirs = os.openpty()
        os.set_blocking(self.ours, False)
        self.columns, self.rows = columns, rows
        self._resize()
        self.before: list[Any] = termios.tcgetattr(self.theirs)
        self.modes = set(_ON_BY_DEFAULT)
        self.keyboards = 0
        self.received = 0
        self.last_at = monotonic()
        self.process: subprocess.Popen[bytes]
        self._tail = b""
        self._news = asyncio.Event()

    def spawn(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        stderr: Path,
        pass_fds: Sequence[int] = (),
    ) -> None:
        """Start the program with this as its controlling terminal."""
        with stderr.open("wb") as complaints:
            self.process = subprocess.Popen(
                [sys.executable, "-ISc", _LAUNCHER, *command],
                stdin=self.theirs,
                stdout=self.theirs,
                stderr=complaints,
                env=env,
                cwd=cwd,
                pass_fds=pass_fds,
                start_new_session=True,
            )
        asyncio.get_running_loop().add_reader(self.ours, self.drain)

    def drain(self) -> None:
        """Read what the program wrote."""
        try:
            while chunk := os.read(self.ours, 65_536):
                self.received += len(chunk)
                self._follow(chunk)
        except BlockingIOError:
            pass
        except OSError:
            asyncio.get_running_loop().remove_reader(self.ours)
        self.last_at = monotonic()
        self._news.set()

    def _follow(self, chunk: bytes) -> None:
        seen, end = self._tail + chunk, 0
        for found in _MODE.finditer(seen):
            end = found.end()
            if found[1]:
                numbers = {int(number) for number in found[1].split(b";")}
                self.modes = self.modes | numbers if found[2] == b"h" else self.modes - numbers
            else:
                self.keyboards += 1 if found[3] else -1
        self._tail = seen[end:][-_LONGEST:]

    async def type(self, *keys: str, pause: float = 0.05) -> None:
        """Type keys one after the other; stop if the program has ended."""
        for key in keys:
            data = key.encode()
            while data and self.process.poll() is None:
                try:
                    data = data[os.write(self.ours, data) :]
                except BlockingIOError:
                    await asyncio.sleep(0.05)
            await asyncio.sleep(pause)

    async def answers(self, key: str, within: float) -> float | None:
        """Type a key that redraws: seconds until output, ``None`` after ``within`` seconds."""
        self._news.clear()
        began = monotonic()
        await self.type(key, pause=0.0)
        try:
            await asyncio.wait_for(self._news.wait(), within)
        except TimeoutError:
            return None
        return monotonic() - began

    def bring_back(self) -> bool:
        """Continue the program if it has suspended itself, as ``fg`` does; return whether."""
        if self.process.poll() is not None or not samples.stopped(self.process.pid):
            return False
        self.process.send_signal(signal.SIGCONT)
        return True

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the window."""
        self.columns, self.rows = columns, rows
        self._resize()

    def _resize(self) -> None:
        size = struct.pack("HHHH", self.rows, self.columns, 0, 0)
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, size)

    @property
    def differences(self) -> list[str]:
        """How the terminal differs from its state at the start."""
        found = []
        if self.modes != _ON_BY_DEFAULT:
            found.append(f"modes {sorted(self.modes ^ _ON_BY_DEFAULT)} differ")
        if self.keyboards:
            found.append(f"{self.keyboards} keyboard modes pushed")
        if termios.tcgetattr(self.theirs) != self.before:
            found.append("line modes differ")
        return found

    def close(self) -> None:
        """Kill the program if it still runs, and close the terminal."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        asyncio.get_running_loop().remove_reader(self.ours)
        os.close(self.ours)
        os.close(self.theirs)
