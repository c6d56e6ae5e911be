"""A report from what was read: pure. Everything that others wrote is masked here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from runqy_tui.diagnosis.diagnoser import Diagnosis
from runqy_tui.diagnosis.findings.finding import Finding
from runqy_tui.diagnosis.signatures import ErrorGroup, ErrorSurvey
from runqy_tui.model import Blob, LogBatch, LogLine, QueueKey, Task, Worker, WorkerState
from runqy_tui.model.json_schema import as_text
from runqy_tui.model.severity import Severity
from runqy_tui.report.report_model import Example, Kept, LogTail, Report, ReportWatch
from runqy_tui.report.sparklines import Series
from runqy_tui.text.masking import mask

EXAMPLES = 10
"""Groups of which one task is told in full."""
LOG_LINES = 20
ERROR_CHARS = 2_000
BLOB_CHARS = 1_000
_LINE_CHARS = 500
_CONTEXT = 3 * LOG_LINES
_ANSI = re.compile(
    r"\x1b\[[0-?]*+[ -/]*+[@-~]?|[\x1b\x9d](?:(?<=\x1b)\]|(?<=\x9d))[^\x07\x1b\n]*+(?:\x07|\x1b\\)?"
    r"|\x9b[0-?]*+[ -/]*+[@-~]?|\x1b[PX^_][^\x1b\n]*+(?:\x1b\\)?|\x1b[ -/]*+[0-~]"
)
_SICK = (WorkerState.DEGRADED, WorkerState.RECOVERING, WorkerState.STALE, WorkerState.LOST)


def build_report(
    diagnosis: Diagnosis,
    *,
    made_at: float,
    watch: ReportWatch,
    survey: ErrorSurvey | None = None,
    tasks: Mapping[tuple[QueueKey, str], Task] | None = None,
    series: Sequence[Series] = (),
    logs: Mapping[str, LogBatch | str] | None = None,
    notes: Sequence[str] = (),
    with_payloads: bool = False,
) -> Report:
    """Put a report together.

    Args:
        diagnosis: the latest one.
        made_at: unix seconds of the machine's clock.
        watch: the monitor's own health.
        survey: the error groups, ``None`` where they could not be read.
        tasks: tasks whose payload and result are shown, if ``with_payloads``.
        series: see :func:`runqy_tui.report.sparklines.series_of`.
        logs: by worker, what was read or why nothing was.
        notes: what else could not be read.
        with_payloads: without it no payload or result gets in, whatever ``tasks`` holds.
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
        watch=watch._replace(last_error=watch.last_error and mask(watch.last_error)),
        notes=tuple(mask(note) for note in notes),
        with_payloads=with_payloads,
    )


def plain(text: str) -> str:
    """Text without the escape sequences that colour it or move the cursor."""
    return _ANSI.sub("", text)


def unhealthy(diagnosis: Diagnosis) -> list[Worker]:
    """Workers whose log may tell what is wrong, the most urgent first."""
    urgency = {
        finding.subject.name: finding.severity
        for finding in reversed(diagnosis.findings)
        if finding.subject.kind == "worker" and finding.severity >= Severity.WARNING
    }
    sick = [
        worker
        for worker in diagnosis.snapshot.workers
        if worker.state in _SICK or worker.healthy is False or worker.id in urgency
    ]
    return sorted(
        (worker for worker in sick if worker.state is not WorkerState.STOPPED),
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
        signature=group.signature._replace(title=mask(plain(group.signature.title))),
        headline=mask(plain(group.headline)),
        example_error=_error(group.example_error),
    )


def _error(text: str) -> str:
    masked = mask(plain(text))
    return masked if len(masked) <= ERROR_CHARS else f"{masked[:ERROR_CHARS]}\n…"


def _example(group: ErrorGroup, tasks: Mapping[tuple[QueueKey, str], Task]) -> Example:
    failure = group.example
    task = tasks.get((failure.queue, failure.task_id))
    return Example(
        queue=failure.queue,
        task_id=failure.task_id,
        state=failure.state,
        error=_error(group.example_error),
        at=failure.at,
        payload=_kept(task.payload) if task else None,
        result=_kept(task.result) if task else None,
    )


def _kept(blob: Blob | None) -> Kept | None:
    if blob is None:
        return None
    text = as_text(blob)
    if text is None:
        return Kept(blob.data[:64].hex(" "), blob.size, cut=blob.size > 64, binary=True)
    masked = mask(plain(text))
    return Kept(masked[:BLOB_CHARS], blob.size, cut=blob.truncated or len(masked) > BLOB_CHARS)


def _tail(worker: Worker, read: LogBatch | str) -> LogTail:
    if isinstance(read, str):
        return LogTail(worker.id, worker.state, problem=mask(read))
    if not read.lines:
        return LogTail(worker.id, worker.state, problem="no log lines in Redis")
    # More lines than are shown: a key block may begin above them.
    lines = read.lines[-_CONTEXT:]
    texts = ["␊".join(plain(line.text).splitlines())[: 4 * _LINE_CHARS] for line in lines]
    masked = mask("\n".join(texts)).split("\n")
    shown = tuple(_line(*pair) for pair in zip(lines, masked, strict=True))
    return LogTail(worker.id, worker.state, shown[-LOG_LINES:])


def _line(line: LogLine, text: str) -> LogLine:
    short = text if len(text) <= _LINE_CHARS else f"{text[: _LINE_CHARS - 1]}…"
    return line._replace(text=short)
