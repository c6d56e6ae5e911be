"""What a report holds. Texts of errors and logs are masked here already; none is safe to print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from runqy_tui.diagnosis.diagnoser import Diagnosis
from runqy_tui.diagnosis.findings.finding import Finding
from runqy_tui.diagnosis.signatures import ErrorSurvey
from runqy_tui.model import LogLine, QueueKey, TaskState, WorkerState
from runqy_tui.report.sparklines import Series


class ReportWatch(NamedTuple):
    """How well the monitor itself fared. ``poll_ms`` and ``round_trips`` are one per poll."""

    version: str
    polls: int = 0
    failures: int = 0
    watched_s: float = 0.0
    poll_ms: tuple[float, ...] = ()
    round_trips: tuple[int, ...] = ()
    last_error: str | None = None


class Kept(NamedTuple):
    """The beginning of a task's payload or result; ``size`` is the whole in bytes."""

    text: str
    size: int
    cut: bool = False
    binary: bool = False


class Example(NamedTuple):
    """One task of an error group, with its error. Payload and result only on request."""

    queue: QueueKey
    task_id: str
    state: TaskState
    error: str
    at: float | None = None
    payload: Kept | None = None
    result: Kept | None = None


class LogTail(NamedTuple):
    """The last lines of an unhealthy worker's processes. ``problem``: why there are none."""

    worker_id: str
    state: WorkerState
    lines: tuple[LogLine, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """A report. ``examples`` are in the order of the largest groups of ``survey``.

    ``made_at`` is by the clock of the monitor's machine, all other times are by Redis's. ``notes``
    say what could not be read.
    """

    made_at: float
    diagnosis: Diagnosis
    findings: tuple[Finding, ...]
    survey: ErrorSurvey | None
    examples: tuple[Example, ...]
    series: tuple[Series, ...]
    logs: tuple[LogTail, ...]
    watch: ReportWatch
    notes: tuple[str, ...] = ()
    with_payloads: bool = False
