"""What a refresh costs on a terminal: bytes, CPU, memory, and how soon a key is answered.

    python -m benchmarks.terminal [--runs N] [--short] [--json FILE]

The monitor watches the demo on a pty of 120 × 40, beside an empty Textual application, three
stock DataTables on the same data, the same polls without a screen, and htop and btop where they
are installed. ``minimal`` is the near-minimal encoding of the same change, found by replaying.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace

from benchmarks.kit import programs
from benchmarks.kit.operator import Plan, operate
from benchmarks.kit.report import Report, run
from benchmarks.kit.tables import Column
from benchmarks.kit.terminal_run import READY, Measurement
from benchmarks.kit.terminal_run import Plan as RunPlan
from benchmarks.kit.terminal_run import measure as measure_run
from runqy_tui.demo.demo_run import DemoRun

_KEYS = "down*6,up*3,pgdn,up*6"
_COLUMNS = (
    Column("refresh_b", "B/refresh", 0),
    Column("minimal_b", "minimal B", 0, ratio=False),
    Column("of_minimal", "× minimal", 2, ratio=False),
    Column("bytes_s", "B/s", 0),
    Column("cpu_refresh", "CPU ms/refresh", 1),
    Column("cpu_s", "CPU ms/s", 1),
    Column("net_cpu_s", "CPU ms/s without polls", 1),
    Column("cursor_p50", "cursor p50 ms", 1),
    Column("cursor_p95", "cursor p95 ms", 1),
    Column("rest_p50", "key to rest p50 ms", 1),
    Column("rest_p95", "key to rest p95 ms", 1),
    Column("rss_mb", "RSS MB", 1),
    Column("start_b", "start B", 0),
)


@dataclass(frozen=True, slots=True)
class Program:
    """One that is measured; ``keys`` are pressed in the end."""

    label: str
    command: list[str]
    keys: str = ""


def _programs(url: str, options: argparse.Namespace) -> list[Program]:
    keys = "down*2" if options.short else _KEYS
    found = [
        Program(programs.POLLS, programs.polls(url, options.interval)),
        Program(programs.STOCK, programs.stock(url, options.interval), keys),
        Program(programs.OURS, programs.ours(url, options.interval), keys),
        Program(programs.EMPTY, programs.empty()),
    ]
    if options.short:
        return found[1:]
    found.append(Program(programs.EMPTY_REDIS, programs.empty("--redis")))
    found += [Program(name, command, _KEYS) for name, command in programs.installed().items()]
    return found


def measure(report: Report) -> None:
    """One table, by round: what is without polls is so within its round."""
    options = report.options
    table = report.table("A refresh on a terminal of 120 × 40", _COLUMNS, programs.STOCK)
    with DemoRun(tcp=True) as demo, DemoRun(tcp=True, healthy=True) as calm:
        if not (demo.wait_ready(30.0) and calm.wait_ready(30.0)):
            raise SystemExit("the demo did not become ready")
        which = _programs(demo.url, options)
        round_of: dict[str, dict[str, float | None]] = {}
        for program in report.rounds(which):
            figures = round_of[program.label] = _figures(_run(program, options))
            if program.label in programs.BY_WORKER:
                figures |= _cursor(program.label, calm.url, options)
            if len(round_of) == len(which):
                _without_polls(round_of)
                for one in which:
                    table.add(one.label, **round_of[one.label])
                round_of = {}


def _run(program: Program, options: argparse.Namespace) -> Measurement:
    ready = READY if program.label in programs.BY_WORKER else None
    duration, warmup = (1.2, 0.3) if options.short else (options.seconds, 3.0)
    plan = RunPlan(keys=program.keys, ready=ready, warmup_s=warmup, duration_s=duration)
    return measure_run(program.command, plan)


def _figures(found: Measurement) -> dict[str, float | None]:
    return {
        "refresh_b": found.rest.refresh_size,
        "minimal_b": found.rest.minimal_size,
        "of_minimal": found.rest.of_minimal,
        "bytes_s": found.rest.bytes_per_s,
        "cpu_refresh": found.rest.refresh_cpu_ms,
        "cpu_s": found.rest.cpu_ms_per_s,
        "rest_p50": found.answer_percentile(50),
        "rest_p95": found.answer_percentile(95),
        "rss_mb": found.memory.resident / 1_024,
        "start_b": float(found.start.size),
    }


def _cursor(label: str, url: str, options: argparse.Namespace) -> dict[str, float | None]:
    """Percentiles of keys in a table whose lines do not move: answered when the cursor moves."""
    command = {programs.OURS: programs.ours, programs.STOCK: programs.stock}[label]
    plan = Plan(programs.BY_WORKER[label])
    if options.short:
        plan = replace(plan, pause_s=0.15, rest_s=0.3, moves=3)
    played = [operate(command(url, options.interval), plan) for _ in range(_sessions(options))]
    answers = tuple(answer for one in played for answer in one.answers)
    seen = replace(played[0], answers=answers)
    return {"cursor_p50": seen.percentile(50), "cursor_p95": seen.percentile(95)}


def _sessions(options: argparse.Namespace) -> int:
    """How often to start a program for its cursor: of nine keys the slowest would be p95."""
    return 1 if options.short else 3


def _without_polls(round_of: dict[str, dict[str, float | None]]) -> None:
    polls = round_of.get(programs.POLLS, {}).get("cpu_s")
    for label in programs.BY_WORKER:
        whole = round_of[label]["cpu_s"]
        if polls is not None and whole is not None:
            round_of[label]["net_cpu_s"] = max(0.0, whole - polls)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--interval", type=float, default=1.0, metavar="S", help="of the polls (1)")
    parser.add_argument("--seconds", type=float, default=15.0, help="to watch each program (15)")


if __name__ == "__main__":
    sys.exit(run("terminal", __doc__, measure, _options))
