"""Builds a report: reads errors, example tasks and logs, and masks secrets in all of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from time import time
from typing import TypeVar

from runqy_tui.diagnosis.diagnoser import Diagnosis
from runqy_tui.diagnosis.findings.finding import Finding, SubjectKind
from runqy_tui.diagnosis.signatures import ErrorGroup, ErrorSurvey, collect
from runqy_tui.model import Blob, Dialect, LogBatch, LogLine, QueueKey, Task, Worker, WorkerState
from runqy_tui.model.errors import RunqyTuiError
from runqy_tui.model.json_schema import as_text
from runqy_tui.model.reader_protocol import Reader
from runqy_tui.model.severity import Severity
from runqy_tui.observation.history import History
from runqy_tui.report.report_model import (
    ErrorExample,
    LogTail,
    MonitorStatistics,
    Report,
    ValueExcerpt,
)
from runqy_tui.report.sparklines import Series, build_series
from runqy_tui.text.masking import mask

EXAMPLES = 10
"""Error groups of which one task is shown in full."""
LOG_LINES = 20
ERROR_CHARS = 2_000
BLOB_CHARS = 1_000
_LINE_CHARS = 500
_CONTEXT = 3 * LOG_LINES
_ANSI = re.compile(
    r"\x1b\[[0-?]*+[ -/]*+[@-~]?|[\x1b\x9d](?:(?<=\x1b)\]|(?<=\x9d))[^\x07\x1b\n]*+(?:\x07|\x1b\\)?"
    r"|\x9b[0-?]*+[ -/]*+[@-~]?|\x1b[PX^_][^\x1b\n]*+(?:\x1b\\)?|\x1b[ -/]*+[0-~]"
)
_UNHEALTHY = (WorkerState.DEGRADED, WorkerState.RECOVERING, WorkerState.STALE, WorkerState.LOST)


def build_report(
    diagnosis: Diagnosis,
    *,
    made_at: float,
    statistics: MonitorStatistics,
    survey: ErrorSurvey | None = None,
    tasks: Mapping[tuple[QueueKey, str], Task] | None = None,
    series: Sequence[Series] = (),
    logs: Mapping[str, LogBatch | str] | None = None,
    notes: Sequence[str] = (),
    with_payloads: bool = False,
) -> Report:
    """Build a report from data that was read before; all foreign text in it is masked.

    Args:
        diagnosis: the latest diagnosis.
        made_at: time of the report in unix seconds, by this machine's clock.
        statistics: about the monitor's own polls.
        survey: the error groups; ``None`` where they could not be read.
        tasks: tasks whose payload and result are shown, if ``with_payloads``.
        series: see :func:`runqy_tui.report.sparklines.build_series`.
        logs: log lines by worker id, or why they could not be read.
        notes: what else could not be read.
        with_payloads: whether to include payloads and results of the ``tasks``.
    """
    shown = (tasks or {}) if with_payloads else {}
    workers = {worker.id: worker for worker in diagnosis.snapshot.workers}
    found = (survey.groups if survey else ())[:EXAMPLES]
    return Report(
        made_at=made_at,
        diagnosis=diagnosis,
        findings=tuple(_masked_finding(finding) for finding in diagnosis.findings),
        survey=None if survey is None else _masked_survey(survey),
        examples=tuple(_example(group, shown) for group in found),
        series=tuple(series),
        logs=tuple(
            _tail(workers[name], read) for name, read in (logs or {}).items() if name in workers
        ),
        statistics=statistics._replace(
            last_error=statistics.last_error and mask(statistics.last_error)
        ),
        notes=tuple(mask(note) for note in notes),
        with_payloads=with_payloads,
    )


def without_escapes(text: str) -> str:
    """Return text without terminal escape sequences (colours, cursor movement, titles)."""
    return _ANSI.sub("", text)


def unhealthy_workers(diagnosis: Diagnosis) -> list[Worker]:
    """Return the unhealthy workers, whose logs may show the cause, the most urgent first."""
    urgency = {
        finding.subject.name: finding.severity
        for finding in reversed(diagnosis.findings)
        if finding.subject.kind == "worker" and finding.severity >= Severity.WARNING
    }
    unhealthy = [
        worker
        for worker in diagnosis.snapshot.workers
        if worker.state in _UNHEALTHY or worker.healthy is False or worker.id in urgency
    ]
    return sorted(
        (worker for worker in unhealthy if worker.state is not WorkerState.STOPPED),
        key=lambda worker: (-urgency.get(worker.id, Severity.IDLE), worker.id),
    )


def _masked_finding(finding: Finding) -> Finding:
    evidence = tuple(fact._replace(value=mask(fact.value)) for fact in finding.evidence)
    return finding._replace(evidence=evidence)


def _masked_survey(survey: ErrorSurvey) -> ErrorSurvey:
    return survey._replace(groups=tuple(_masked_group(group) for group in survey.groups))


def _masked_group(group: ErrorGroup) -> ErrorGroup:
    return replace(
        group,
        signature=group.signature._replace(title=mask(without_escapes(group.signature.title))),
        headline=mask(without_escapes(group.headline)),
        example_error=_error(group.example_error),
    )


def _error(text: str) -> str:
    masked = mask(without_escapes(text))
    return masked if len(masked) <= ERROR_CHARS else f"{masked[:ERROR_CHARS]}\n…"


def _example(group: ErrorGroup, tasks: Mapping[tuple[QueueKey, str], Task]) -> ErrorExample:
    failure = group.example
    task = tasks.get((failure.queue, failure.task_id))
    return ErrorExample(
        queue=failure.queue,
        task_id=failure.task_id,
        state=failure.state,
        error=_error(group.example_error),
        at=failure.at,
        payload=_kept(task.payload) if task else None,
        result=_kept(task.result) if task else None,
    )


def _kept(blob: Blob | None) -> ValueExcerpt | None:
    if blob is None:
        return None
    text = as_text(blob)
    if text is None:
        return ValueExcerpt(blob.data[:64].hex(" "), blob.size, cut=blob.size > 64, binary=True)
    masked = mask(without_escapes(text))
    return ValueExcerpt(
        masked[:BLOB_CHARS], blob.size, cut=blob.truncated or len(masked) > BLOB_CHARS
    )


def _tail(worker: Worker, read: LogBatch | str) -> LogTail:
    if isinstance(read, str):
        return LogTail(worker.id, worker.state, problem=mask(read))
    if not read.lines:
        return LogTail(worker.id, worker.state, problem="no log lines in Redis")
    # More lines than are shown: a private key's block may begin above them.
    lines = read.lines[-_CONTEXT:]
    texts = ["␊".join(without_escapes(line.text).splitlines())[: 4 * _LINE_CHARS] for line in lines]
    masked = mask("\n".join(texts)).split("\n")
    shown = tuple(_line(*pair) for pair in zip(lines, masked, strict=True))
    return LogTail(worker.id, worker.state, shown[-LOG_LINES:])


def _line(line: LogLine, text: str) -> LogLine:
    short = text if len(text) <= _LINE_CHARS else f"{text[: _LINE_CHARS - 1]}…"
    return line._replace(text=short)


SPAN_S = 900.0
"""Length of the series, in seconds."""
MOST_QUEUES = 20
"""Queues whose series are included."""
MOST_LOGS = 10
"""Workers whose logs are read."""
PATIENCE_S = 30.0
"""Time limit in seconds of each read; on a timeout the report notes what is missing."""
_BLOB_BYTES = 8 * 1024
_NAMES = ("pending", "active", "done", "failed")

Answer = TypeVar("Answer")


async def make_report(
    reader: Reader,
    diagnosis: Diagnosis,
    history: History,
    *,
    statistics: MonitorStatistics,
    with_payloads: bool = False,
    clock: Callable[[], float] = time,
) -> Report:
    """Read what a report needs and build it from the latest diagnosis.

    Read errors do not raise: the report notes what is missing. ``clock`` returns unix seconds.
    """
    notes: list[str] = []
    survey = await _try(notes, "error texts", collect(reader, diagnosis.snapshot))
    tasks: Mapping[tuple[QueueKey, str], Task] | None = None
    if with_payloads and survey is not None:
        tasks = await _try(notes, "payloads", _tasks(reader, survey))
    return build_report(
        diagnosis,
        made_at=clock(),
        statistics=statistics,
        survey=survey,
        tasks=tasks,
        series=_series(diagnosis, history),
        logs=await _logs(reader, diagnosis, notes),
        notes=notes,
        with_payloads=with_payloads,
    )


async def _try(notes: list[str], what: str, reading: Awaitable[Answer]) -> Answer | None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await reading
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
    workers = [worker for worker in unhealthy_workers(diagnosis) if worker.dialect is Dialect.RUNQY]
    if len(workers) > MOST_LOGS:
        notes.append(
            f"Logs of {MOST_LOGS} of {len(workers):,} unhealthy workers included; "
            "see the others in the monitor."
        )
    read: dict[str, LogBatch | str] = {}
    for worker in workers[:MOST_LOGS]:
        failed: list[str] = []
        batch = await _try(failed, "log", reader.logs(worker.id))
        read[worker.id] = failed[0] if batch is None else batch
    return read


def _series(diagnosis: Diagnosis, history: History) -> list[Series]:
    found = []
    for key in _queues(diagnosis)[:MOST_QUEUES]:
        for name in _NAMES:
            series = build_series(key, name, history.series(key, name, SPAN_S))
            if series is not None and (name == "pending" or any(series.known)):
                found.append(series)
    return found


def _queues(diagnosis: Diagnosis) -> list[QueueKey]:
    """Queues with findings first, then the others by number of tasks."""
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
