"""The benchmarks' data is what they say it is, by the monitor's own reader."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.kit.fleet import fleet
from benchmarks.kit.report import ROOT
from benchmarks.kit.sizes import Size
from runqy_tui.model import QueueKey, TaskState, WorkerState
from runqy_tui.redis.reader import open_reader

_WITHOUT_PYTE = """
import runpy, sys
sys.modules["pyte"] = None
sys.argv = ["benchmarks.terminal", "--short"]
runpy.run_module("benchmarks.terminal", run_name="__main__")
"""


@pytest.mark.parametrize("deep", [False, True])
async def test_a_fleet_is_as_large_as_it_says(deep: bool) -> None:
    size = Size("test", 3, 4, 300, deep=deep)
    with fleet(size) as at:
        reader = await open_reader(at.url)
        try:
            seen = await reader.overview()
            page = await reader.page(QueueKey(size.queue(0)), TaskState.PENDING)
        finally:
            await reader.close()
    assert [queue.name for queue in seen.queues] == size.queue_names
    assert sorted(worker.id for worker in seen.workers) == sorted(size.worker_ids)
    assert {worker.state for worker in seen.workers} == {WorkerState.RUNNING}
    counts = [queue.counts.of(state) or 0 for queue in seen.queues for state in TaskState]
    assert sum(counts) == size.tasks
    assert page.total == (300 if deep else 50)
    assert all(row.decodable and row.when is not None for row in page.rows)
    assert seen.queue(QueueKey(size.queue(2))).consumers  # type: ignore[union-attr]
    assert seen.warnings == ()


def test_a_benchmark_says_what_it_lacks() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_PYTE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr == "this benchmark needs pyte: pip install '.[test]'\n"
    assert "Traceback" not in done.stderr
