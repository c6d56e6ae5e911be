"""Prometheus's own tool, where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Promtool = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def promtool(tmp_path: Path) -> Promtool:
    """Runs it in the test's own folder; without it such a test is skipped."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")

    def run(*args: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *args], input=text, capture_output=True, text=True, cwd=tmp_path, timeout=60
        )

    return run
