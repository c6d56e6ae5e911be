"""The monitor on a slow link: first paint, keys, and what a stalled link delivers too late.

    python -m benchmarks.link [--runs N] [--short] [--linkbuf BYTES] [--json FILE]

``--linkbuf`` is what the link itself holds; a program that writes more than it carries finds it
full. A key moves the cursor of a table, and is answered when the cursor is seen there.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from time import monotonic
from typing import Any

from benchmarks.kit import programs, pty
from benchmarks.kit.operator import Plan, Seen, operate
from benchmarks.kit.report import Report, run
from benchmarks.kit.tables import Column
from runqy_tui.demo.demo_run import DemoRun

_COLUMNS = (
    Column("paint_s", "first paint s", 2),
    Column("p50", "key p50 ms", 0),
    Column("p95", "key p95 ms", 0),
    Column("p50_rtts", "key p50, in round trips", 2, ratio=False),
    Column("answered", "keys answered %", 0, ratio=False),
    Column("key_b", "B/key, with refreshes", 0),
    Column("start_b", "start B", 0),
    Column("bytes_s", "B/s", 0),
)
_STALL = (
    Column("flood_b", "B in the first 0.5 s", 0),
    Column("after_b", "B in the next 2 s", 0),
    Column("cpu_percent", "CPU % meanwhile", 1),
    Column("answer_ms", "then a key ms", 0),
)


@dataclass(frozen=True, slots=True)
class Link:
    """Bytes a second (0: no limit) and round trip in milliseconds."""

    name: str
    rate: float = 0.0
    rtt: float = 0.0


LINKS = (
    Link("no limit"),
    Link("16 KB/s, 150 ms", 16_000, 150),
    Link("4 KB/s, 300 ms", 4_000, 300),
)
SHORT = Link("100 KB/s, 20 ms", 100_000, 20)


def measure(report: Report) -> None:
    """A table for each link, and one of the stall."""
    pty.ptybench()  # says at once where it is missing
    options = report.options
    if options.stall is None:
        options.stall = 1.0 if options.short else 20.0
    with DemoRun(tcp=True, healthy=True) as demo:
        if not demo.wait_ready(30.0):
            raise SystemExit("the demo did not become ready")
        commands = {
            programs.STOCK: programs.stock(demo.url, options.interval),
            programs.OURS: programs.ours(demo.url, options.interval),
        }
        if options.short:
            del commands[programs.STOCK]
        for link in (SHORT,) if options.short else LINKS:
            table = report.table(f"Link: {link.name}", _COLUMNS, programs.STOCK)
            for label in report.rounds(list(commands)):
                table.add(label, **_figures(_play(label, commands[label], link, options), link))
        table = report.table(f"A link that stalls for {options.stall:g} s", _STALL, programs.STOCK)
        for label in report.rounds(list(commands)):
            table.add(label, **_stall(commands[label], options))


def _play(label: str, command: list[str], link: Link, options: argparse.Namespace) -> Seen:
    if options.short:
        plan = Plan(programs.BY_WORKER[label], 0.2, rest_s=0.5, steady_s=0.5, moves=4)
    else:
        pause_s = 2.0 if link.rate else 0.5
        plan = Plan(programs.BY_WORKER[label], pause_s, rest_s=3.0, steady_s=10.0)
    return operate(command, plan, rate=link.rate, rtt=link.rtt, linkbuf=options.linkbuf)


def _figures(seen: Seen, link: Link) -> dict[str, float | None]:
    p50 = seen.percentile(50)
    return {
        "paint_s": seen.painted_s,
        "p50": p50,
        "p95": seen.percentile(95),
        "p50_rtts": p50 / link.rtt if p50 is not None and link.rtt else None,
        "answered": seen.answered,
        "key_b": seen.key_bytes,
        "start_b": float(seen.start_bytes),
        "bytes_s": seen.bytes_s,
    }


def _stall(command: list[str], options: argparse.Namespace) -> dict[str, float | None]:
    """Nobody takes what the program writes; then somebody does: how much of it is old?"""
    seen = pty.session(command)
    try:
        seen.wait_quiet(0.3, 60.0)
        seen.pump(monotonic() + (0.3 if options.short else 3.0))
        seen.stalled = True
        before = _cpu_s(seen)
        seen.pump(monotonic() + options.stall)
        busy = _cpu_s(seen) - before
        so_far, seen.stalled = seen.total, False
        seen.pump(monotonic() + 0.5)
        flood = seen.total - so_far
        seen.pump(monotonic() + 2.0)
        after = seen.total - so_far - flood
        chunks, began = len(seen.chunks), monotonic()
        seen.key(b"\x1b[B")
        answered = seen.pump(monotonic() + 5.0, lambda: len(seen.chunks) > chunks)
        return {
            "flood_b": flood,
            "after_b": after,
            "cpu_percent": 100 * busy / options.stall,
            "answer_ms": (monotonic() - began) * 1_000 if answered else None,
        }
    finally:
        seen.finish()


def _cpu_s(seen: Any) -> float:
    return float(seen.sampler.sample()[1])


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--interval", type=float, default=2.0, metavar="S", help="of the polls (2)")
    parser.add_argument("--stall", type=float, metavar="S", help="seconds (20)")
    parser.add_argument("--linkbuf", type=int, default=65_536, metavar="BYTES", help="(64 KiB)")


if __name__ == "__main__":
    sys.exit(run("link", __doc__, measure, _options))
