"""Every benchmark in its short form: it measures what it says. No verdict on time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.kit.report import ROOT

DEADLINE_S = 280.0


class BenchmarkJson:
    """The JSON of one benchmark."""

    def __init__(self, file: Path) -> None:
        self._tables: list[dict[str, Any]] = json.loads(file.read_text())["tables"]

    def row(self, table: int, label: str) -> dict[str, float | None]:
        """Medians by column."""
        cells = self._tables[table]["rows"][label]
        return {key: cell["median"] for key, cell in cells.items()}

    def labels(self, table: int) -> list[str]:
        return list(self._tables[table]["rows"])

    def ratio(self, table: int, label: str, key: str) -> float | None:
        ratio: float | None = self._tables[table]["rows"][label][key]["ratio"]
        return ratio


@contextmanager
def started(names: Sequence[str], folder: Path) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """All at once: most of the time each of them waits."""
    with ExitStack() as stack:
        processes = {}
        for name in names:
            command = [sys.executable, "-m", f"benchmarks.{name}", "--short"]
            processes[name] = stack.enter_context(
                subprocess.Popen(
                    [*command, "--json", str(folder / name)],
                    cwd=ROOT,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
            stack.callback(processes[name].kill)
        yield processes


def short_forms(names: Sequence[str], folder: Path) -> dict[str, BenchmarkJson]:
    """Run them; what they print is a table, and what they write is JSON."""
    with started(names, folder) as processes:
        for name, process in processes.items():
            out, _ = process.communicate(timeout=DEADLINE_S)
            assert process.returncode == 0, f"{name}: {out}"
            assert "; one run" in out
            assert "| " in out
    return {name: BenchmarkJson(folder / name) for name in names}


def test_without_a_terminal(tmp_path: Path) -> None:
    figures = short_forms(["poll", "memory"], tmp_path)
    poll, memory = figures["poll"], figures["memory"]
    assert len(poll.labels(0)) == 10
    for label in poll.labels(0):
        row = poll.row(0, label)
        assert row["warm_ms"], label
        assert row["commands"], label
        assert (row["stall_ms"] is None) == label.startswith("bare sockets")
        assert row["longest_ms"] is not None
    full = poll.row(0, "bare sockets, full refresh")
    assert full["commands"] is not None
    assert full["commands"] >= 11 * 4 + 8 + 2
    assert poll.ratio(1, "ours", "warm_ms") is not None
    assert poll.row(1, "bare sockets, our commands")["trips"] == 1
    assert poll.labels(2) == ["ours, all of it every 2 s", "ours, what changed and is seen"]
    (away,) = poll.labels(3)
    assert (poll.row(3, away)["rtts"] or 0) >= 1
    assert poll.labels(4) == ["400 tasks", "4,000 tasks"]
    assert poll.labels(5) == ["alone", "ours"]
    assert poll.row(5, "ours")["pairs"]
    for label in memory.labels(0):
        assert memory.row(0, label)["points"] == 180
        assert (memory.row(0, label)["add_ms"] or 0) > 0


@pytest.mark.skipif(sys.platform != "linux", reason="the measuring terminal needs /proc (Linux)")
def test_on_a_terminal(tmp_path: Path) -> None:
    figures = short_forms(["terminal", "link", "scale", "startup"], tmp_path)
    _terminal(figures["terminal"])
    _link(figures["link"])
    _scale(figures["scale"])
    _startup(figures["startup"])


def _terminal(figures: BenchmarkJson) -> None:
    for label in ("runqy-tui", "stock DataTable"):
        row = figures.row(0, label)
        assert (row["refresh_b"] or 0) > 0
        assert (row["of_minimal"] or 0) > 0.9  # nothing is smaller than what is minimal
        assert (row["cursor_p95"] or 0) >= (row["cursor_p50"] or 0) > 0
        assert (row["rest_p50"] or 0) > 0
        assert (row["rss_mb"] or 0) > 10
    assert figures.row(0, "empty Textual app")["bytes_s"] == 0
    assert figures.ratio(0, "runqy-tui", "refresh_b") is not None


def _link(figures: BenchmarkJson) -> None:
    row = figures.row(0, "runqy-tui")
    assert (row["paint_s"] or 0) > 0
    assert row["answered"] == 100
    assert (row["p50_rtts"] or 0) >= 1
    stall = figures.row(1, "runqy-tui")
    assert stall["flood_b"] is not None
    assert (stall["answer_ms"] or 0) > 0


def _scale(figures: BenchmarkJson) -> None:
    assert figures.labels(0) == figures.labels(1)
    assert len(figures.labels(0)) == len(figures.labels(2)) == 2
    for label in figures.labels(1):
        assert (figures.row(0, label)["start_ms"] or 0) > 0
        unanswered = [key for key, value in figures.row(1, label).items() if value is None]
        assert unanswered == []
    for label in figures.labels(2):
        assert (figures.row(2, label)["cpu_s"] or 0) > 0
    assert len(figures.labels(3)) == 2
    for label in figures.labels(3):
        row = figures.row(3, label)
        assert (row["worst_ms"] or 0) >= (row["p95_ms"] or 0) >= (row["p50_ms"] or 0) > 0


def _startup(figures: BenchmarkJson) -> None:
    for label in ("runqy-tui", "empty Textual app"):
        assert (figures.row(0, label)["painted_ms"] or 0) > 0
    version = figures.row(1, "runqy-tui --version")
    assert version["textual"] == version["redis"] == 0
    snapshot = figures.row(1, "runqy-tui snapshot --json")
    assert snapshot["textual"] == 0
    assert (snapshot["redis"] or 0) > 0
