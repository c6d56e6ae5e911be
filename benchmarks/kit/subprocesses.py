"""Runs parts of a benchmark in their own processes, so that they do not share a heap or a loop."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.kit.report import ROOT

_PATIENCE_S = 1_800.0


def ask(module: str, *arguments: str) -> dict[str, Any]:
    """Run ``python -m MODULE`` and return its JSON. Raises SystemExit if it fails."""
    done = subprocess.run(
        _command(module, arguments),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    return _answer(module, done.returncode, done.stdout, done.stderr)


@contextmanager
def beside(module: str, *arguments: str) -> Iterator[str]:
    """Run one during a measurement and yield its first line. Raises SystemExit if it fails."""
    with subprocess.Popen(
        _command(module, arguments),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            first = process.stdout.readline().strip()
            if not first:
                raise SystemExit(f"{module} ended early (exit code {process.wait()})")
            yield first
        finally:
            process.stdin.close()
            try:
                process.wait(5.0)
            except subprocess.TimeoutExpired:
                process.kill()


def _command(module: str, arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _answer(module: str, code: int, out: str, complaints: str) -> dict[str, Any]:
    if code != 0:
        raise SystemExit(f"{module} failed (exit code {code}):\n{complaints.strip()[-2_000:]}")
    found: dict[str, Any] = json.loads(out)
    return found
