"""The frame of every benchmark: options, a clean environment, tables, JSON."""

from __future__ import annotations

import argparse
import json
import os
import site
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from benchmarks.kit.machine import described, machine
from benchmarks.kit.tables import Column, Table

ROOT = Path(__file__).resolve().parents[2]
RUNS = 5
_PATH = os.pathsep.join([str(ROOT), str(ROOT / "src")])
"""The program in this repository is measured, even if another version is installed."""

_FOREIGN = ("RUNQY_", "REDIS_", "XDG_", "TEXTUAL")
"""Settings of the user, which must not influence what is measured."""

Contestant = TypeVar("Contestant")


class Report:
    """The tables and options of one benchmark.

    ``options.runs`` and ``options.short`` are always there.
    """

    def __init__(self, name: str, options: argparse.Namespace) -> None:
        self.name = name
        self.options = options
        self.machine = machine()
        self.tables: list[Table] = []

    def table(self, title: str, columns: Sequence[Column], baseline: str | None = None) -> Table:
        """Add a table, printed at the end; ratios are to ``baseline``."""
        made = Table(title, columns, baseline)
        self.tables.append(made)
        return made

    def rounds(self, contestants: Sequence[Contestant]) -> Iterator[Contestant]:
        """Yield every contestant once a run, in alternating order: drift affects all alike."""
        for run in range(self.options.runs):
            for number, one in enumerate(contestants if run % 2 == 0 else contestants[::-1]):
                self.log_progress(
                    f"run {run + 1}/{self.options.runs}, {number + 1}/{len(contestants)}"
                )
                yield one

    def log_progress(self, what: str) -> None:
        """Write a line on the progress to standard error."""
        sys.stderr.write(f"{self.name}: {what}\n")
        sys.stderr.flush()

    def as_text(self) -> str:
        """All tables as Markdown, with a line on the machine."""
        runs = f"medians of {self.options.runs} runs" if self.options.runs > 1 else "one run"
        return "\n\n".join(
            [f"{described(self.machine)}; {runs}", *(table.markdown() for table in self.tables)]
        )

    def as_json(self) -> dict[str, object]:
        """Everything, for ``--json``."""
        return {
            "benchmark": self.name,
            "machine": self.machine,
            "options": {name: str(value) for name, value in vars(self.options).items()},
            "runs": self.options.runs,
            "tables": [table.as_json() for table in self.tables],
        }


def run(
    name: str,
    usage: str | None,
    measure: Callable[[Report], None],
    extend: Callable[[argparse.ArgumentParser], None] = lambda _: None,
) -> int:
    """Read the options, measure, print the tables and write them where asked.

    ``extend`` adds the benchmark's own options. ``--short`` is one run of a small form.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=usage,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--runs", type=int, metavar="N", help=f"runs of each (default {RUNS})")
    parser.add_argument("--short", action="store_true", help="small sizes: shows that it works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    extend(parser)
    options = parser.parse_args()
    if options.runs is None:
        options.runs = 1 if options.short else RUNS
    if options.runs < 1:
        parser.error("--runs: at least 1")
    with _clean_surroundings():
        report = Report(name, options)
        measure(report)
    sys.stdout.write(report.as_text() + "\n")
    if options.json is not None:
        options.json.write_text(json.dumps(report.as_json(), indent=1), encoding="utf-8")
    return 0


@contextmanager
def _clean_surroundings() -> Iterator[None]:
    """No user settings, an empty home, compiled modules: for this process and its children."""
    before = dict(os.environ)
    packages = site.getuserbase()  # where they are found from the home, it must be the old one
    with tempfile.TemporaryDirectory(prefix="runqy-tui-benchmark-") as home:
        for name in before:
            if name.startswith(_FOREIGN) or name == "PYTHONDONTWRITEBYTECODE":
                del os.environ[name]
        os.environ |= {"HOME": home, "PYTHONUSERBASE": packages, "PYTHONPATH": _PATH}
        try:
            yield
        finally:
            os.environ.clear()
            os.environ |= before
