"""The monitor on a slow link: first paint, keys, and what a stalled link delivers too late.

    python -m benchmarks.link [--runs N] [--short] [--linkbuf BYTES] [--json FILE]

``--linkbuf`` is what the link itself holds; a program that writes more than it carries finds it
full. A key moves the cursor of a table, and is answered when the cursor is seen there.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from time import monotonic

from benchmarks.kit import programs
from benchmarks.kit.operator import Plan, Played, operate
from benchmarks.kit.report import Report, run
from benchmarks.kit.tables import Column
from benchmarks.kit.terminal_run import KEYS
from benchmarks.kit.terminal_session import Link, TerminalSession
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


LINKS = {
    "no limit": Link(),
    "16 KB/s, 150 ms": Link(16_000, 150),
    "4 KB/s, 300 ms": Link(4_000, 300),
}
SHORT = {"100 KB/s, 20 ms": Link(100_000, 20)}


def measure(report: Report) -> None:
    """A table for each link, and one of the stall."""
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
        for name, link in (SHORT if options.short else LINKS).items():
            table = report.table(f"Link: {name}", _COLUMNS, programs.STOCK)
            for label in report.rounds(list(commands)):
                table.add(label, **_figures(_play(label, commands[label], link, options), link))
        table = report.table(f"A link that stalls for {options.stall:g} s", _STALL, programs.STOCK)
        for label in report.rounds(list(commands)):
            table.add(label, **_stall(commands[label], options))


def _play(label: str, command: list[str], link: Link, options: argparse.Namespace) -> Played:
    if options.short:
        plan = Plan(programs.BY_WORKER[label], 0.2, rest_s=0.5, steady_s=0.5, moves=4)
    else:
        pause_s = 2.0 if link.rate else 0.5
        plan = Plan(programs.BY_WORKER[label], pause_s, rest_s=3.0, steady_s=10.0)
    return operate(command, plan, replace(link, buffer=options.linkbuf))


def _figures(seen: Played, link: Link) -> dict[str, float | None]:
    p50 = seen.percentile(50)
    return {
        "paint_s": seen.painted_s,
        "p50": p50,
        "p95": seen.percentile(95),
        "p50_rtts": p50 / link.round_trip_ms if p50 is not None and link.round_trip_ms else None,
        "answered": seen.answered,
        "key_b": seen.key_bytes,
        "start_b": float(seen.start_bytes),
        "bytes_s": seen.bytes_s,
    }


def _stall(command: list[str], options: argparse.Namespace) -> dict[str, float | None]:
    """Do not read what the program writes, then read again, and count what is out of date."""
    session = TerminalSession(command)
    try:
        session.wait_for_silence(0.3, 60.0)
        session.run_until(monotonic() + (0.3 if options.short else 3.0))
        session.stalled = True
        before_s = session.usage.cpu_s()
        session.run_until(monotonic() + options.stall)
        busy_s = session.usage.cpu_s() - before_s
        before, session.stalled = session.received, False
        session.run_until(monotonic() + 0.5)
        flood = session.received - before
        session.run_until(monotonic() + 2.0)
        after = session.received - before - flood
        chunks, pressed_at = len(session.chunks), monotonic()
        session.press(KEYS["down"])
        answered = session.run_until(monotonic() + 5.0, lambda: len(session.chunks) > chunks)
        return {
            "flood_b": flood,
            "after_b": after,
            "cpu_percent": 100 * busy_s / options.stall,
            "answer_ms": (monotonic() - pressed_at) * 1_000 if answered else None,
        }
    finally:
        session.close()


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--interval", type=float, default=2.0, metavar="S", help="of the polls (2)")
    parser.add_argument("--stall", type=float, metavar="S", help="seconds (20)")
    parser.add_argument("--linkbuf", type=int, default=65_536, metavar="BYTES", help="(64 KiB)")


if __name__ == "__main__":
    sys.exit(run("link", __doc__, measure, _options))
