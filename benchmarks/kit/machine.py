"""Describes the machine on which figures were measured."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("textual", "redis", "hiredis")


def machine() -> dict[str, str]:
    """Cores, processor, system, versions, and the load average."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cores": str(cores),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def described(found: dict[str, str]) -> str:
    """The same in one line."""
    return (
        f"{found['cores']} cores ({found['processor']}), {found['system']}, Python "
        f"{found['python']}, "
        + ", ".join(f"{name} {found[name]}" for name in _PACKAGES)
        + f"; load at the start {found['load']}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
