"""The content of a report. Secrets in texts are masked, but no text is safe to print yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from runqy_tui.diagnosis.diagnoser import Diagnosis
from runqy_tui.diagnosis.findings.finding import Finding
from runqy_tui.diagnosis.signatures import ErrorSurvey
from runqy_tui.model import LogLine, QueueKey, TaskState, WorkerState
from runqy_tui.report.sparklines import Series


class MonitorStatistics(NamedTuple):
    """Statistics of the monitor's own polls. ``poll_ms`` and ``round_trips``: one per poll.

    ``watched_s`` is the duration of the observation in seconds.
    """

    version: str
    polls: int = 0
    failures: int = 0
    watched_s: float = 0.0
    poll_ms: tuple[float, ...] = ()
    round_trips: tuple[int, ...] = ()
    last_error: str | None = None


class ValueExcerpt(NamedTuple):
    """The beginning of a task's payload or result; ``size`` is that of the whole in bytes.

    ``binary``: ``text`` is hexadecimal. ``cut``: ``text`` is not the whole value.
    """

    text: str
    size: int
    cut: bool = False
    binary: bool = False


class ErrorExample(NamedTuple):
    """One task of an error group with its error; payload and result only on request."""

    queue: QueueKey
    task_id: str
    state: TaskState
    error: str
    at: float | None = None
    payload: ValueExcerpt | None = None
    result: ValueExcerpt | None = None


class LogTail(NamedTuple):
    """The last log lines of an unhealthy worker's processes; ``problem``: why there are none."""

    worker_id: str
    state: WorkerState
    lines: tuple[LogLine, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """A report. ``examples`` are in the order of the groups of ``survey``, the largest first.

    ``made_at`` is by the clock of the monitor's machine, all other times are by Redis's. ``notes``
    list what could not be read.
    """

    made_at: float
    diagnosis: Diagnosis
    findings: tuple[Finding, ...]
    survey: ErrorSurvey | None
    examples: tuple[ErrorExample, ...]
    series: tuple[Series, ...]
    logs: tuple[LogTail, ...]
    statistics: MonitorStatistics
    notes: tuple[str, ...] = ()
    with_payloads: bool = False
