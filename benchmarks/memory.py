"""How much the history of a large fleet holds in memory, and what a poll costs.

    python benchmarks/memory.py [--queues 1000] [--workers 5000] [--interval 2]

Feeds an hour and a quarter of polls of a fleet where every number changes at every poll: the
worst case, since numbers that stand still share their memory; then one where nothing changes.
Prints the resident size over that of the same interpreter before, and what a poll costs.
"""

from __future__ import annotations

import argparse
import gc
import random
import subprocess
import sys
from pathlib import Path
from time import process_time

from runqy_tui.history import History
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

HOURS = 1.25
MIB = 1024 * 1024


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
    polls = int(HOURS * 3600 / options.interval)
    for tick in range(polls):
        seen = fleet(
            options.queues, options.workers, tick * options.interval + 1e9, tick, busy=busy
        )
        began = process_time()
        history.add(seen)
        added = process_time()
        if tick % 50 == 49:
            history.trends(queue.key for queue in seen.queues)
            trending += (process_time() - added) * 50
        adding += added - began
    return history, adding / polls, trending / polls


def measure(options: argparse.Namespace) -> None:
    """One line for this process: this many objects, busy or still."""
    busy = not options.still
    fleet(options.queues, options.workers, 0.0, 0, busy=busy)
    gc.collect()
    before = resident()
    history, adding, trending = fill(options, busy=busy)
    gc.collect()
    what = "every number changes" if busy else "nothing changes"
    points = len(history.series(QueueKey("queue-0.default"), "pending", history.span_s))
    print(
        f"{what}: {(resident() - before) / MIB:.1f} MiB resident over {before / MIB:.1f} MiB;"
        f" {points} samples each; per poll add {adding * 1e3:.1f} ms,"
        f" trends {trending * 1e3:.1f} ms"
    )


def main() -> None:
    """Measure in a fresh interpreter each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--queues", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=5_000)
    parser.add_argument("--interval", type=float, default=2.0)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--still", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options)
        return
    print(
        f"{options.queues:,} queues, {options.workers:,} workers,"
        f" {HOURS:g} h of polls {options.interval:g} s apart"
    )
    for extra in ((), ("--still",)):
        subprocess.run([sys.executable, __file__, *sys.argv[1:], "--measure", *extra], check=True)


if __name__ == "__main__":
    main()
