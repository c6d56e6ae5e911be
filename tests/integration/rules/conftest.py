"""The command as a user runs it, and Prometheus's own tool where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Cli, locked, locked_admin, locked_at

__all__ = ["locked", "locked_admin", "locked_at"]

Promtool = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


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
