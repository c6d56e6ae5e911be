"""What is measured, again and again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the monitor, while it shows nothing but the main screen.

    Bytes and seconds. ``polls`` counts since the start; ``calm``: since the sample before there
    was no fault, nor the end of one of late, so that polls are to come at their interval.
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
    """Whether it stands still, as after Ctrl+Z, until a shell brings it back."""
    return _stat(pid)[0] == "T"


def _stat(pid: int) -> list[str]:
    """What ``/proc`` tells after the name of the program, from its state on."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
