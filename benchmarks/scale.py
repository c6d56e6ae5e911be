"""The monitor on a large fleet: opening, moving, sorting, filtering, memory, CPU per refresh.

    python -m benchmarks.scale [--runs N] [--short] [--tasks N] [--json FILE]

On a pty, against the same monitor on a small fleet: what costs the same on both does not depend
on the size. The large one has 1,000 queues, 5,000 workers, and a million tasks in one queue.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from benchmarks.kit import programs
from benchmarks.kit.fleet import Fleet, fleet
from benchmarks.kit.operator import Plan, operate
from benchmarks.kit.report import Report, run
from benchmarks.kit.sizes import Size
from benchmarks.kit.tables import Column
from benchmarks.kit.terminal_run import READY, Measurement
from benchmarks.kit.terminal_run import Plan as RunPlan
from benchmarks.kit.terminal_run import measure as measure_run

SMALL = Size("small", 10, 20, 1_000, deep=True)
LARGE = Size("large", 1_000, 5_000, 1_000_000, deep=True)
FEW = Size("few", 100, 100, 1_000, deep=True)
MANY = replace(FEW, name="many", tasks=100_000)
CALM = Size("calm", 10, 20, 100, waited_s=3_600)
INCIDENT = Size("incident", 1_000, 5_000, 10_000, waited_s=3_600)
"""In both, tasks wait for too long in every queue."""

_SHORT = (
    Size("small", 3, 4, 100, deep=True),
    Size("large", 30, 60, 2_000, deep=True),
    Size("few", 3, 4, 100, deep=True),
    Size("many", 3, 4, 1_000, deep=True),
)
_GESTURES = (
    ("tasks_end", "tasks: to the end", "3,z,G"),
    ("tasks_start", "tasks: to the start", "g"),
    ("page", "a page down", "pgdn"),
    ("queues_end", "queues: to the end", "z,2,G"),
    ("queues_sort", "queues: sort, reversed", "s,S"),
    ("queues_filter", "queues: filter, a key", "/,9"),
    ("workers_end", "workers: to the end", "enter,esc,1,G"),
    ("workers_sort", "workers: sort, reversed", "s,S"),
    ("workers_filter", "workers: filter, a key", "/,9"),
)
"""Name, title, and keys; the time is that of the last key, until the screen is at rest."""

_TROUBLED = range(6, 36)
"""Lines of a table alone on the screen, below the one line of findings that are all of a kind."""

_FEW_GESTURES = 6
"""Played in the short form."""

_INTERVAL_S = 10.0
_COST = (
    Column("start_ms", "first full frame ms", 0),
    Column("rss_mb", "RSS MB", 1),
    Column("peak_mb", "peak RSS MB", 1),
    Column("cpu_s", "CPU ms/s", 1),
    Column("cpu_refresh", "CPU ms/refresh", 1),
    Column("refresh_b", "B/refresh", 0, ratio=False),
)


def measure(report: Report) -> None:
    """Moving in a large fleet, and what a refresh costs by the number of tasks."""
    options = report.options
    small, large, few, many = _SHORT if options.short else (SMALL, LARGE, FEW, MANY)
    if options.tasks is not None:
        large = replace(large, tasks=options.tasks)
    with _fleets(report, small, large) as fleets:
        _moving(report, fleets)
    with _fleets(report, few, many) as fleets:
        _refreshing(report, fleets)
    troubled = (replace(CALM, workers=12), CALM) if options.short else (CALM, INCIDENT)
    with _fleets(report, *troubled) as fleets:
        _typing(report, fleets)


def _moving(report: Report, fleets: list[Fleet]) -> None:
    small = fleets[0].size
    opening = report.table("The monitor on a fleet, a poll each 10 s", _COST[:3], small.description)
    gestures = _GESTURES[:_FEW_GESTURES] if report.options.short else _GESTURES
    keys = ",".join(keys for _, _, keys in gestures)
    columns = [Column(name, f"{title}, ms", 0) for name, title, _ in gestures]
    moving = report.table("A key, until the screen is at rest", columns, small.description)
    for at in report.rounds(fleets):
        found = _watch(at, report.options, _INTERVAL_S, keys)
        opening.add(at.size.description, **_cost(found))
        moving.add(at.size.description, **_answers(found, gestures))


def _refreshing(report: Report, fleets: list[Fleet]) -> None:
    few = fleets[0].size
    table = report.table("A refresh each second, by the number of tasks", _COST, few.description)
    for at in report.rounds(fleets):
        table.add(at.size.description, **_cost(_watch(at, report.options, 1.0, "")))


def _typing(report: Report, fleets: list[Fleet]) -> None:
    """Keys that come at any moment, while polls are read, judged and shown."""
    columns = (
        Column("p50_ms", "key p50 ms", 0),
        Column("p95_ms", "key p95 ms", 0),
        Column("worst_ms", "slowest key ms", 0),
    )
    title = "The cursor of the workers' table, tasks waiting for long in every queue"
    table = report.table(f"{title}, a poll each 2 s", columns, fleets[0].size.description)
    plan = Plan((b"1", b"s", b"z"), rest_s=8.0, moves=10, lines=_TROUBLED)
    if report.options.short:
        plan = replace(plan, pause_s=0.15, rest_s=1.0, moves=3)
    for at in report.rounds(fleets):
        played = [operate(programs.ours(at.url, 2.0), plan) for _ in range(_sessions(report))]
        seen = replace(played[0], answers=tuple(one for each in played for one in each.answers))
        answers = [one for one in seen.answers if one is not None]
        table.add(
            at.size.description,
            p50_ms=seen.percentile(50),
            p95_ms=seen.percentile(95),
            worst_ms=max(answers, default=None),
        )


def _sessions(report: Report) -> int:
    return 1 if report.options.short else 3


@contextmanager
def _fleets(report: Report, *sizes: Size) -> Iterator[list[Fleet]]:
    with ExitStack() as stack:
        found = []
        for size in sizes:
            report.log_progress(f"filling {size.description}")
            found.append(stack.enter_context(fleet(size)))
        yield found


def _watch(at: Fleet, options: argparse.Namespace, interval_s: float, keys: str) -> Measurement:
    """The monitor on a fleet; a poll of a large one seldom falls between two keys."""
    short: bool = options.short
    plan = RunPlan(
        keys=keys,
        ready=READY,
        warmup_s=0.1 if short else 3.0,
        duration_s=(1.0 if short else 15.0) if interval_s < _INTERVAL_S else 0.1,
        replay=False,
        key_timeout_s=5.0,
        key_idle_s=0.04 if short else 0.08,
        key_settle_s=0.06 if short else 0.15,  # a large repaint may pause
    )
    return measure_run(programs.ours(at.url, interval_s), plan)


def _cost(found: Measurement) -> dict[str, float | None]:
    return {
        "start_ms": found.start.painted_ms,
        "rss_mb": found.memory.resident / 1_024,
        "peak_mb": found.memory.peak / 1_024,
        "cpu_s": found.rest.cpu_ms_per_s,
        "cpu_refresh": found.rest.refresh_cpu_ms,
        "refresh_b": found.rest.refresh_size,
    }


def _answers(
    found: Measurement, gestures: Sequence[tuple[str, str, str]]
) -> dict[str, float | None]:
    figures: dict[str, float | None] = {}
    end = 0
    for name, _, keys in gestures:
        end += len(keys.split(","))
        figures[name] = found.answers[end - 1]
    return figures


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tasks", type=int, metavar="N", help="of the large fleet (1,000,000)")


if __name__ == "__main__":
    sys.exit(run("scale", __doc__, measure, _options))
