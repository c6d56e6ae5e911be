"""How much the history of a large fleet holds in memory, and what a poll costs.

    python -m benchmarks.memory [--queues 1000] [--workers 5000] [--interval 2] [--hours 1.25]

Feeds an hour and a quarter of polls of a fleet where every number changes at every poll: the
worst case, since numbers that stand still share their memory; then one where nothing changes.
Resident sizes are over that of the same interpreter before. Needs Linux.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import sys
from pathlib import Path
from time import process_time

from benchmarks.kit import subprocesses
from benchmarks.kit.report import Report, run
from benchmarks.kit.tables import Column
from runqy_tui.model import (
    Counts,
    Dialect,
    Metrics,
    Queue,
    QueueKey,
    RedisInfo,
    Snapshot,
    Worker,
    WorkerState,
)
from runqy_tui.observation.history import History
from runqy_tui.runtime.cooperative import run_to_end

MIB = 1024 * 1024
CHANGES = "every number changes"
STILL = "nothing changes"
_CHILD = "--fill"
_COLUMNS = (
    Column("grown_mib", "MiB resident", 1),
    Column("before_mib", "over MiB", 1, ratio=False),
    Column("add_ms", "add a poll ms", 2),
    Column("trends_ms", "all trends ms", 2),
    Column("points", "samples each", 0, ratio=False),
)


def fleet(queues: int, workers: int, at: float, tick: int, *, busy: bool) -> Snapshot:
    """One poll; ``busy``: every number is another one than at the poll before."""
    move = random.Random(tick if busy else 0).randrange(1, 1_000)
    moved = tick if busy else 0
    return Snapshot(
        taken_at=at,
        redis=RedisInfo("benchmark"),
        queues=tuple(
            Queue(
                key=QueueKey(f"queue-{number}.default"),
                dialect=Dialect.RUNQY,
                counts=Counts(number + move, move, move, move, move, 0, 0),
                succeeded_total=number * 1_000 + moved,
                failed_total=number + moved,
            )
            for number in range(queues)
        ),
        workers=tuple(
            Worker(
                id=f"worker-{number}:{number}",
                dialect=Dialect.RUNQY,
                state=WorkerState.RUNNING,
                healthy=True,
                active_count=move,
                metrics=Metrics(cpu_percent=float(move % 100)),
            )
            for number in range(workers)
        ),
    )


def resident() -> int:
    """Resident bytes of this process (Linux)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("needs /proc (Linux)")


def fill(options: argparse.Namespace, *, busy: bool) -> tuple[History, float, float]:
    """A history of the whole time, the mean seconds of an ``add``, and those of all trends."""
    history, adding, trending = History(), 0.0, 0.0
    polls = max(1, int(options.hours * 3600 / options.interval))
    for tick in range(polls):
        seen = fleet(
            options.queues, options.workers, tick * options.interval + 1e9, tick, busy=busy
        )
        began = process_time()
        run_to_end(history.observe(seen))
        added = process_time()
        if tick % 50 == 49:
            for queue in seen.queues:
                history.trend(queue.key)
            trending += (process_time() - added) * 50
        adding += added - began
    return history, adding / polls, trending / polls


def filled(options: argparse.Namespace, *, busy: bool) -> dict[str, float]:
    """The figures of this process, in which nothing else is measured."""
    fleet(options.queues, options.workers, 0.0, 0, busy=busy)
    gc.collect()
    before = resident()
    history, adding, trending = fill(options, busy=busy)
    gc.collect()
    return {
        "grown_mib": (resident() - before) / MIB,
        "before_mib": before / MIB,
        "add_ms": adding * 1e3,
        "trends_ms": trending * 1e3,
        "points": len(history.series(QueueKey("queue-0.default"), "pending", history.span_s)),
    }


def measure(report: Report) -> None:
    """Each in a fresh interpreter."""
    options = report.options
    if options.short:
        options.queues, options.workers, options.hours = 20, 50, 0.1
    title = (
        f"History of {options.queues:,} queues and {options.workers:,} workers: "
        f"{options.hours:g} h of polls {options.interval:g} s apart"
    )
    table = report.table(title, _COLUMNS, STILL)
    given = [f"--{name}={getattr(options, name)}" for name in _SIZES]
    for label in report.rounds([CHANGES, STILL]):
        table.add(label, **subprocesses.ask("benchmarks.memory", _CHILD, label, *given))


_SIZES = {"queues": 1_000, "workers": 5_000, "interval": 2.0, "hours": 1.25}


def _options(parser: argparse.ArgumentParser) -> None:
    for name, default in _SIZES.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)


def _fill_here() -> int:
    """In the process that :func:`measure` starts: print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument(_CHILD, choices=[CHANGES, STILL], dest="label")
    _options(parser)
    options = parser.parse_args()
    sys.stdout.write(json.dumps(filled(options, busy=options.label == CHANGES)) + "\n")
    return 0


if __name__ == "__main__":
    if _CHILD in sys.argv:
        sys.exit(_fill_here())
    sys.exit(run("memory", __doc__, measure, _options))
