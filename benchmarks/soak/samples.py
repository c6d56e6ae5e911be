"""One measurement of the monitor's process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sample:
    """A measurement while only the main screen is open. Bytes and seconds.

    Attributes:
        polls: since the start.
        calm: no fault since the previous sample, nor one that ended shortly before: polls are
            expected at their interval.
    """

    at: float
    rss: int
    threads: int
    fds: int
    sockets: int
    cpu_s: float
    tasks: int
    objects: int
    screens: int
    polls: int
    connects: int
    calm: bool


def resident(pid: int) -> int:
    """Resident bytes of a process (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def threads(pid: int) -> int:
    """How many threads it has."""
    return len(os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208 -- a directory that changes


def descriptors(pid: int) -> tuple[int, int]:
    """How many files are open, and how many of them are sockets."""
    links = []
    for one in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(str(one.readlink()))
        except OSError:
            continue  # closed meanwhile
    return len(links), sum(link.startswith("socket:") for link in links)


def cpu(pid: int) -> float:
    """Seconds of processor time so far."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS


def stopped(pid: int) -> bool:
    """Whether it is stopped, as after Ctrl+Z."""
    return _stat(pid)[0] == "T"


def _stat(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` after the program's name, beginning with its state."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
