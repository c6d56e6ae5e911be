"""Reads what a report needs beyond the polls: errors, logs and, if wanted, payloads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from time import time
from typing import TypeVar

from runqy_tui.diagnosis.diagnoser import Diagnosis
from runqy_tui.diagnosis.findings.finding import SubjectKind
from runqy_tui.diagnosis.signatures import ErrorSurvey, collect
from runqy_tui.model import Dialect, LogBatch, QueueKey, Task
from runqy_tui.model.errors import RunqyTuiError
from runqy_tui.model.reader_protocol import Reader
from runqy_tui.observation.history import History
from runqy_tui.report.report_builder import EXAMPLES, build_report, unhealthy
from runqy_tui.report.report_model import Report, ReportWatch
from runqy_tui.report.sparklines import Series, series_of

SPAN_S = 900.0
MOST_QUEUES = 20
"""Queues whose series are told."""
MOST_LOGS = 10
"""Workers whose logs are read."""
PATIENCE_S = 30.0
"""For all reading; what takes longer is left out, and the report says so."""
_BLOB_BYTES = 8 * 1024
_NAMES = ("pending", "active", "done", "failed")

Answer = TypeVar("Answer")


async def make_report(
    reader: Reader,
    diagnosis: Diagnosis,
    history: History,
    *,
    watch: ReportWatch,
    with_payloads: bool = False,
    clock: Callable[[], float] = time,
) -> Report:
    """Make a report of the latest diagnosis; what cannot be read any more is noted, not raised."""
    notes: list[str] = []
    survey = await _try(notes, "error texts", collect(reader, diagnosis.snapshot))
    tasks: Mapping[tuple[QueueKey, str], Task] | None = None
    if with_payloads and survey is not None:
        tasks = await _try(notes, "payloads", _tasks(reader, survey))
    return build_report(
        diagnosis,
        made_at=clock(),
        watch=watch,
        survey=survey,
        tasks=tasks,
        series=_series(diagnosis, history),
        logs=await _logs(reader, diagnosis, notes),
        notes=notes,
        with_payloads=with_payloads,
    )


async def _try(notes: list[str], what: str, asked: Awaitable[Answer]) -> Answer | None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await asked
    except RunqyTuiError as error:
        notes.append(f"The {what} could not be read: {error}")
    except TimeoutError:
        notes.append(f"The {what} could not be read within {PATIENCE_S:g} s.")
    return None


async def _tasks(reader: Reader, survey: ErrorSurvey) -> dict[tuple[QueueKey, str], Task]:
    found = {}
    for group in survey.groups[:EXAMPLES]:
        task = await reader.task(group.example.task_id, group.example.queue, limit=_BLOB_BYTES)
        if task is not None:
            found[group.example.queue, group.example.task_id] = task
    return found


async def _logs(
    reader: Reader, diagnosis: Diagnosis, notes: list[str]
) -> dict[str, LogBatch | str]:
    workers = [worker for worker in unhealthy(diagnosis) if worker.dialect is Dialect.RUNQY]
    if len(workers) > MOST_LOGS:
        notes.append(
            f"Logs are here of {MOST_LOGS} of {len(workers):,} unhealthy workers: "
            "see those of the others in the monitor."
        )
    read: dict[str, LogBatch | str] = {}
    for worker in workers[:MOST_LOGS]:
        failed: list[str] = []
        batch = await _try(failed, "log", reader.logs(worker.id))
        read[worker.id] = failed[0] if batch is None else batch
    return read


def _series(diagnosis: Diagnosis, history: History) -> list[Series]:
    told = []
    for key in _queues(diagnosis)[:MOST_QUEUES]:
        for name in _NAMES:
            series = series_of(key, name, history.series(key, name, SPAN_S))
            if series is not None and (name == "pending" or any(series.known)):
                told.append(series)
    return told


def _queues(diagnosis: Diagnosis) -> list[QueueKey]:
    """Queues that a finding is about, then those that hold or do the most."""
    queues = {queue.key: queue for queue in diagnosis.snapshot.queues}
    first = [
        finding.subject.queue
        for finding in diagnosis.findings
        if finding.subject.kind in (SubjectKind.QUEUE, SubjectKind.TASK)
        and finding.subject.queue in queues
    ]
    busiest = sorted(
        queues,
        key=lambda key: (
            -sum(getattr(queues[key].counts, name) or 0 for name in ("pending", "active", "retry")),
            key.name,
        ),
    )
    return list(dict.fromkeys(key for key in (*first, *busiest) if key is not None))
