"""What a poll of a whole fleet takes: ours, and other ways to read the same.

    python -m benchmarks.poll [--sizes S,M,L] [--tasks N] [--runs N] [--short] [--json FILE]

Each way runs in a process of its own against a private server. ``ours, its commands on bare
sockets`` sends exactly the bytes that our reader sends and parses nothing: our floor. Filling the
larger sizes takes a while; ``--tasks`` limits how many there are.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.kit import subprocesses
from benchmarks.kit.fleet import Fleet, fleet
from benchmarks.kit.report import Report, run
from benchmarks.kit.sizes import LARGE, MIDDLE, SMALL, Size
from benchmarks.kit.tables import Column

SIZES = {size.name: size for size in (SMALL, MIDDLE, LARGE)}
SHORT = Size("short", 4, 8, 400)
ROUND_TRIP_MS = 80.0
FLOOR = "bare sockets, full refresh"
REPLAY = "bare sockets, our commands"
OURS = "ours"
_WITHOUT = "ours, without hiredis"
STEADY = "ours, all of it every 2 s"
CHANGED = "ours, what changed and is seen"
ALONE = "alone"
_STEADY_S = 2.0
_LOADED_S = 0.5
"""A process that starts to poll has loaded its modules by then."""

_COLUMNS = (
    Column("cold_ms", "cold ms", 2),
    Column("warm_ms", "warm ms", 2),
    Column("stall_ms", "loop stall ms", 1, ratio=False),
    Column("server_cpu_ms", "server CPU ms", 2),
    Column("longest_ms", "longest command ms", 2, ratio=False),
    Column("commands", "commands", 0, ratio=False),
    Column("sent_kb", "kB sent", 1, ratio=False),
)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to poll, as an option of ``benchmarks.polling``; ``once``: too slow for many polls.

    ``steady``: it depends on how much time there is between two polls, and gets as much as the
    monitor leaves.
    """

    label: str
    name: str
    more: tuple[str, ...] = ()
    once: bool = False
    steady: bool = False


_WAYS = (
    Way(FLOOR, "floor"),
    Way(REPLAY, "replay"),
    Way(OURS, "ours"),
    Way(_WITHOUT, "ours", ("--without-hiredis",)),
    Way(STEADY, "ours", steady=True),
    Way(CHANGED, "changed", steady=True),
    Way("redis-py pipeline, full refresh", "pipeline"),
    Way("pipeline, without hiredis", "pipeline", ("--without-hiredis",)),
    Way("asynq's inspector", "inspector", once=True),
    Way("SCAN, as runqy's web page", "scan", once=True),
)


class Poll:
    """The benchmark with its options read."""

    def __init__(self, report: Report, folder: Path) -> None:
        options = report.options
        self.report = report
        self.short: bool = options.short
        self._file = folder / "trips"
        self._polls = 3 if self.short else 8
        self._pause_s = 0.02 if self.short else options.pause
        self._steady_s = self._pause_s if self.short else _STEADY_S
        self._idle_s = 0.05 if self.short else 1.0
        self._pulse_s = 0.3 if self.short else 10.0

    def ask(self, way: str, at: Fleet, *more: str, polls: int = 0, url: str = "") -> dict[str, Any]:
        """Run one way in its own process."""
        return subprocesses.ask("benchmarks.polling", *self._arguments(way, at, polls, url), *more)

    def _arguments(self, way: str, at: Fleet, polls: int = 0, url: str = "") -> list[str]:
        numbers = {
            "--queues": at.size.queues,
            "--workers": at.size.workers,
            "--polls": polls or self._polls,
            "--pause": self._pause_s,
            "--idle": self._idle_s,
            "--file": self._file,
        }
        return [way, url or at.url, *(str(word) for pair in numbers.items() for word in pair)]

    def compare(self, at: Fleet) -> None:
        """All ways at one size."""
        title = f"A poll at {at.size.name}: {at.size.description}"
        table = self.report.table(title, _COLUMNS, FLOOR)
        against = self.report.table(
            f"Ours at {at.size.name} against its own commands on bare sockets",
            (*_COLUMNS[:2], _COLUMNS[3], Column("trips", "round trips, warm", 0, ratio=False)),
            REPLAY,
        )
        ticks = self.report.table(
            f"Ours at {at.size.name}: all of it, and what changed and is seen (2,000 commands a "
            "second, every 2 s)",
            _COLUMNS[1:],
            STEADY,
        )
        recorded = self.ask("record", at)
        for way in self.report.rounds(_WAYS):
            pause_s = self._steady_s if way.steady else self._pause_s
            more = (*way.more, "--pause", str(pause_s))
            found = self.ask(way.name, at, *more, polls=1 if way.once else 0)
            table.add(way.label, **found)
            if way.label in (STEADY, CHANGED):
                ticks.add(way.label, **found)
            if way.label in (OURS, REPLAY, _WITHOUT):
                against.add(way.label, **found, trips=recorded["warm_trips"])

    def far(self, at: Fleet) -> None:
        """A warm poll of a server that is far away."""
        table = self._far_table()
        for _ in self.report.rounds([at]):
            with subprocesses.beside(
                "benchmarks.kit.delaying_proxy", str(at.port), str(ROUND_TRIP_MS)
            ) as port:
                url = f"redis://127.0.0.1:{port}/0"
                found = self.ask("ours", at, polls=min(4, self._polls), url=url)
            table.add(at.size.description, rtts=found["warm_ms"] / ROUND_TRIP_MS, **found)

    def _far_table(self) -> Any:
        title = f"Ours, {ROUND_TRIP_MS:g} ms away"
        known = [table for table in self.report.tables if table.title == title]
        columns = (*_COLUMNS[:2], Column("rtts", "warm, in round trips", 2))
        return known[0] if known else self.report.table(title, columns)

    def depth(self, few: Fleet, many: Fleet) -> None:
        """The same fleet with few tasks and with many."""
        table = self.report.table(
            "Ours by the number of tasks: "
            f"{few.size.queues:,} queues, {few.size.workers:,} workers",
            _COLUMNS[:4],
            f"{few.size.tasks:,} tasks",
        )
        for at in self.report.rounds([few, many]):
            table.add(f"{at.size.tasks:,} tasks", **self.ask("ours", at))

    def pulse(self, at: Fleet) -> None:
        """What a program that pushes and pops feels of a poll beside it."""
        table = self.report.table(
            f"LPUSH + BRPOP each ms, beside a poll each {self._pause_s:g} s: {at.size.description}",
            (
                Column("p50_ms", "p50 ms", 3),
                Column("p999_ms", "p99.9 ms", 3),
                Column("pairs", "pairs", 0, ratio=False),
            ),
            ALONE,
        )
        beside = {ALONE: "", OURS: "ours"}
        if not self.short:
            beside |= {"pipeline": "pipeline", "KEYS": "keys"}
        for label, way in self.report.rounds(list(beside.items())):
            table.add(label, **self._pulse_beside(way, at))

    def _pulse_beside(self, way: str, at: Fleet) -> dict[str, Any]:
        seconds = ("--seconds", str(self._pulse_s))
        if not way:
            return self.ask("pulse", at, *seconds)
        polls = max(1, int((self._pulse_s + _LOADED_S) / self._pause_s))
        with ThreadPoolExecutor() as pool:
            polling = pool.submit(self.ask, way, at, polls=polls)
            time.sleep(_LOADED_S + self._idle_s)
            found = self.ask("pulse", at, *seconds)
            polling.result()
        return found


def measure(report: Report) -> None:
    """All tables."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        poll = Poll(report, Path(folder))
        for size in _sizes(report.options):
            report.log_progress(f"filling {size.description}")
            with fleet(size) as at:
                poll.compare(at)
                poll.far(at)
        few, many = _depths(report.options)
        fleets = [stack.enter_context(fleet(size)) for size in (few, many)]
        poll.depth(fleets[0], fleets[1])
        poll.pulse(fleets[1])


def _sizes(options: argparse.Namespace) -> list[Size]:
    if options.short:
        return [SHORT]
    return [_limited(SIZES[name], options.tasks) for name in options.sizes.split(",") if name]


def _depths(options: argparse.Namespace) -> tuple[Size, Size]:
    if options.short:
        return SHORT, replace(SHORT, tasks=SHORT.tasks * 10)
    return replace(MIDDLE, tasks=SMALL.tasks), _limited(MIDDLE, options.tasks)


def _limited(size: Size, tasks: int | None) -> Size:
    return size if tasks is None else replace(size, tasks=min(size.tasks, tasks))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sizes", default="S,M,L", help="which of S, M and L (all)")
    parser.add_argument("--tasks", type=int, metavar="N", help="at most so many tasks")
    parser.add_argument("--pause", type=float, default=0.5, metavar="S", help="between polls (0.5)")


if __name__ == "__main__":
    sys.exit(run("poll", __doc__, measure, _options))
