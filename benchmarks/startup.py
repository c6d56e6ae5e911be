"""How soon the monitor shows real data, and what each command loads.

    python -m benchmarks.startup [--runs N] [--short] [--json FILE]

On a pty against an empty Textual application; imports by ``python -X importtime``. Modules are
compiled before anything is measured, as they are where the program is installed.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from time import perf_counter

from benchmarks.kit import programs
from benchmarks.kit.report import ROOT, Report, run
from benchmarks.kit.tables import Column
from benchmarks.kit.terminal_run import READY, Plan
from benchmarks.kit.terminal_run import measure as measure_run
from runqy_tui.demo.demo_run import DemoRun

_PAINT = (
    Column("byte_ms", "first byte ms", 0),
    Column("text_ms", "first text ms", 0),
    Column("painted_ms", "first full frame ms", 0),
    Column("cpu_ms", "CPU ms", 0),
    Column("start_b", "B", 0, ratio=False),
)
_COST = (
    Column("wall_ms", "whole run ms", 0),
    Column("import_ms", "imports ms", 0),
    Column("modules", "modules", 0, ratio=False),
    Column("textual", "of Textual and Rich", 0, ratio=False),
    Column("redis", "of redis-py", 0, ratio=False),
)
_TIMED = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")
PYTHON = "python -c pass"


@dataclass(frozen=True, slots=True)
class Command:
    """What is run, as arguments to Python; ``watches``: with the demo's URL."""

    label: str
    arguments: tuple[str, ...]
    watches: bool = False

    def line(self, url: str) -> list[str]:
        """For a subprocess; an exit code other than 0 may be a verdict."""
        where = ["--url", url] if self.watches else []
        head, tail = self.arguments[:2], self.arguments[2:]
        return [*head, *where, *tail]


_OURS = ("-m", "runqy_tui")
_COMMANDS = (
    Command(PYTHON, ("-c", "pass")),
    Command("import textual.app", ("-c", "import textual.app")),
    Command("import redis.asyncio", ("-c", "import redis.asyncio")),
    Command("import runqy_tui.tui.app", ("-c", "import runqy_tui.tui.app")),
    Command("runqy-tui --version", (*_OURS, "--version")),
    Command("runqy-tui snapshot --json", (*_OURS, "snapshot", "--json"), watches=True),
    Command("runqy-tui check", (*_OURS, "check"), watches=True),
    Command("runqy-tui task ID", (*_OURS, "task", "none"), watches=True),
)


def measure(report: Report) -> None:
    """The monitor's first frame, then every command."""
    with DemoRun(tcp=True) as demo:
        if not demo.wait_ready(30.0):
            raise SystemExit("the demo did not become ready")
        _paint(report, demo.url)
        _load(report, demo.url)


def _paint(report: Report, url: str) -> None:
    table = report.table("From the start to the first full frame", _PAINT, programs.EMPTY)
    ready = {programs.EMPTY: None, programs.STOCK: READY, programs.OURS: READY}
    commands = {
        programs.EMPTY: programs.empty(),
        programs.OURS: programs.ours(url, 10.0),
        programs.STOCK: programs.stock(url, 10.0),
    }
    if report.options.short:
        del commands[programs.STOCK]
    else:
        for command in commands.values():  # compiles what is not yet
            measure_run(command, Plan(warmup_s=0.0, duration_s=0.1, replay=False))
    for label in report.rounds(list(commands)):
        plan = Plan(ready=ready[label], warmup_s=0.0, duration_s=0.1, replay=False)
        start = measure_run(commands[label], plan).start
        table.add(
            label,
            byte_ms=start.first_byte_ms,
            text_ms=start.first_text_ms,
            painted_ms=start.painted_ms,
            cpu_ms=start.cpu_ms,
            start_b=start.size,
        )


def _load(report: Report, url: str) -> None:
    table = report.table("What a command loads", _COST, PYTHON)
    commands = _COMMANDS[:1] + _COMMANDS[4:6] if report.options.short else _COMMANDS
    if not report.options.short:
        for command in commands:
            _run(command.line(url))  # compiles what is not yet
    for command in report.rounds(commands):
        line = command.line(url)
        began = perf_counter()
        _run(line)
        wall = (perf_counter() - began) * 1_000
        table.add(command.label, wall_ms=wall, **_imports(_run(["-X", "importtime", *line])))


def _run(line: list[str]) -> str:
    """Standard error of a run; exit codes 0, 1 and 2 are results. Raises SystemExit on others."""
    done = subprocess.run(
        [sys.executable, *line], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode not in (0, 1, 2) or "Traceback" in done.stderr:
        raise SystemExit(f"{' '.join(line)} failed ({done.returncode}): {done.stderr[-2_000:]}")
    return done.stderr


def _imports(output: str) -> dict[str, float]:
    found = [(int(own), name) for own, name in _TIMED.findall(output)]
    tops = [name.partition(".")[0] for _, name in found]
    return {
        "import_ms": sum(own for own, _ in found) / 1_000,
        "modules": len(found),
        "textual": sum(top in ("textual", "rich") for top in tops),
        "redis": sum(top in ("redis", "hiredis") for top in tops),
    }


if __name__ == "__main__":
    sys.exit(run("startup", __doc__, measure))
