"""What a process and its children cost: CPU time and memory, from Linux's /proc and clocks."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_KIB = re.compile(r"^(VmRSS|VmHWM):\s+(\d+) kB", re.MULTILINE)


class Memory(NamedTuple):
    """KiB of a process tree; ``peak`` is the sum of each process's own peak."""

    resident: int
    peak: int


class ProcessUsage:
    """CPU time of a process tree, also of children that have ended since the last sample."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._cpu_s: dict[int, float] = {}

    def cpu_s(self) -> float:
        """CPU seconds so far, with the resolution of the process clock (1 ns)."""
        for pid in process_tree(self.pid):
            with suppress(OSError):
                self._cpu_s[pid] = time.clock_gettime(_process_clock(pid))
        return sum(self._cpu_s.values())

    def memory(self) -> Memory:
        """Resident memory now, and at its highest."""
        total = {"VmRSS": 0, "VmHWM": 0}
        for pid in process_tree(self.pid):
            with suppress(OSError):
                for name, size in _KIB.findall((_PROC / str(pid) / "status").read_text()):
                    total[name] += int(size)
        return Memory(total["VmRSS"], total["VmHWM"])


def _process_clock(pid: int) -> int:
    """The clock id of a process: ``clock_getcpuclockid(3)``."""
    return (~pid << 3) | 2


def process_tree(pid: int) -> list[int]:
    """The process and all its descendants that are there now."""
    found, todo = [], [pid]
    while todo:
        current = todo.pop()
        found.append(current)
        with suppress(OSError):
            for thread in (_PROC / str(current) / "task").iterdir():
                todo += map(int, (thread / "children").read_text().split())
    return found
