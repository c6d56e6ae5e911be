"""Sections of the Markdown report: error groups, workers, queues and task durations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from runqy_tui.diagnosis.assessment import Condition
from runqy_tui.diagnosis.diagnoser import Diagnosis
from runqy_tui.diagnosis.findings.finding import Finding, SubjectKind
from runqy_tui.diagnosis.signatures import ErrorGroup, ErrorSurvey
from runqy_tui.model import Snapshot
from runqy_tui.model.severity import Severity
from runqy_tui.observation.history import Trend
from runqy_tui.presentation.queue_columns import QUEUE_TABLE, QueueRow
from runqy_tui.presentation.resource import DisplayContext, ResourceColumn, ResourceTable, Surface
from runqy_tui.presentation.worker_columns import WORKER_TABLE, WorkerRow
from runqy_tui.report.markdown_escape import code, code_block, markdown_table, prose, queue_code
from runqy_tui.report.report_model import ErrorExample, Report, ValueExcerpt
from runqy_tui.text.humanize import UNKNOWN, clock, percent, size

T = TypeVar("T")

MOST_GROUPS = 30
_MOST_QUEUES = 3


def errors_section(report: Report) -> list[str]:
    """Return a table of the error groups, then an example of each of the largest."""
    survey = report.survey
    if survey is None:
        return []
    lines = ["## Errors", "", *(f"- {text}" for text in _about(survey))]
    if not survey.groups:
        return lines
    head = ["", "tasks", "share", "first", "last", "queues", "error", "raised in"]
    now = survey.taken_at
    rows = [_row(number, group, now) for number, group in enumerate(survey.groups[:MOST_GROUPS], 1)]
    lines += ["", *markdown_table(head, rows, frozenset({0, 1, 2}))]
    if len(survey.groups) > MOST_GROUPS:
        lines += ["", f"{len(survey.groups) - MOST_GROUPS:,} smaller groups are in the JSON."]
    pairs = zip(survey.groups, report.examples, strict=False)
    for number, (group, example) in enumerate(pairs, 1):
        lines += ["", *_example(number, group, example, now)]
    return lines


def _about(survey: ErrorSurvey) -> list[str]:
    """Return how many failed tasks the counts cover, and what they omit."""
    if survey.sampled:
        coverage = (
            f"Sample: the newest {survey.sample:,} of {survey.total:,} failed tasks in Redis, over "
            "all queues. The true numbers are higher."
        )
    else:
        coverage = f"All {survey.sample:,} failed tasks in Redis were read."
    lines = [coverage] if survey.sample or survey.total else ["No failed tasks in Redis."]
    if survey.untold:
        lines.append(f"{survey.untold:,} of them have no error text: runqy stores none on a retry.")
    if survey.gone:
        lines.append(f"{survey.gone:,} of them are listed, but have no task data.")
    if survey.unstored:
        names = ", ".join(f"{queue_code(key)} ({count:,})" for key, count in survey.unstored[:20])
        more = len(survey.unstored) - 20
        lines.append(
            "Failed according to lifetime counters, but not stored (storage is off, or the entries "
            f"expired): {names}" + (f" and {more:,} more" if more > 0 else "")
        )
    if survey.left_out:
        names = ", ".join(queue_code(key) for key in survey.left_out[:20])
        lines.append(f"Not read: {len(survey.left_out):,} queues with failed tasks: {names}")
    return lines


def _row(number: int, group: ErrorGroup, now: float) -> list[str]:
    queues = [f"{queue_code(key)} {count:,}" for key, count in group.queues[:_MOST_QUEUES]]
    if len(group.queues) > _MOST_QUEUES:
        queues.append(f"and {len(group.queues) - _MOST_QUEUES} more")
    return [
        str(number),
        f"{group.count:,}" + ("+" if group.sampled else ""),
        percent(100 * group.share),
        clock(group.first_at, now),
        clock(group.last_at, now),
        ", ".join(queues),
        prose(group.headline),
        UNKNOWN if group.signature.frame is None else code(group.signature.frame),
    ]


def _example(number: int, group: ErrorGroup, example: ErrorExample, now: float) -> list[str]:
    when = "" if example.at is None else f", failed {clock(example.at, now)} UTC"
    lines = [
        f"### Error {number}: {prose(group.headline)}",
        "",
        f"Example: task {code(example.task_id)} in queue {queue_code(example.queue)} "
        f"({example.state}{when}):",
        "",
        *code_block(example.error),
    ]
    for name, excerpt in (("payload", example.payload), ("result", example.result)):
        if excerpt is not None:
            lines += ["", f"{name.capitalize()} ({_size(excerpt)}):", "", *code_block(excerpt.text)]
    return lines


def _size(excerpt: ValueExcerpt) -> str:
    parts = [size(excerpt.size)]
    if excerpt.binary:
        parts.append("binary")
    if excerpt.cut:
        parts.append("first part")
    return ", ".join(parts)


MOST_ROWS = 200
_MOST_NAMES = 6
_SHOWN_SIGNS = frozenset({Severity.WARNING, Severity.CRITICAL})

Markup = Mapping[str, Callable[[T, str], str]]
"""Markdown of a cell, from its row and its text, by column key; all other cells are prose."""


def workers_section(snapshot: Snapshot, findings: Iterable[Finding]) -> list[str]:
    """Return the table of workers, of at most :data:`MOST_ROWS` the most urgent."""
    troubles = _troubles(findings, SubjectKind.WORKER)
    rows = [WorkerRow(worker, troubles.get(worker.id, _FINE)) for worker in snapshot.workers]
    return _section("Workers", WORKER_TABLE, rows, _WORKER_MARKUP, snapshot)


def queues_section(diagnosis: Diagnosis, findings: Iterable[Finding]) -> list[str]:
    """Return the table of queues with their rates, of at most :data:`MOST_ROWS` the most urgent."""
    troubles = _troubles(findings, SubjectKind.QUEUE)
    rows = [
        QueueRow(queue, troubles.get(queue.key, _FINE), diagnosis.trends.get(queue.key, Trend()))
        for queue in diagnosis.snapshot.queues
    ]
    return _section("Queues", QUEUE_TABLE, rows, _QUEUE_MARKUP, diagnosis.snapshot)


_FINE = Condition(Severity.FINE)


def _troubles(findings: Iterable[Finding], kind: SubjectKind) -> dict[object, Condition]:
    """The first finding of each worker (by id) or queue (by key), acknowledged or not."""
    return {
        finding.subject.name if kind is SubjectKind.WORKER else finding.subject.queue: Condition(
            finding.severity, finding.reason
        )
        for finding in reversed(tuple(findings))
        if finding.subject.kind is kind
    }


def _section(
    title: str,
    definition: ResourceTable[T],
    rows: Sequence[T],
    markup: Markup[T],
    snapshot: Snapshot,
) -> list[str]:
    heading = [f"## {title}", ""]
    if not rows:
        return [*heading, f"No {title.lower()}."]
    columns = definition.columns_on(Surface.REPORT)
    context = DisplayContext.of(snapshot)

    def cell(column: ResourceColumn[T], row: T) -> str:
        text = column.document_text(row, context)
        marked = markup.get(column.key)
        return marked(row, text) if marked else prose(text)

    cells = [
        [cell(column, row) for column in columns]
        for row in definition.document_rows(rows)[:MOST_ROWS]
    ]
    right = frozenset(at for at, column in enumerate(columns) if column.align == "right")
    head = [column.heading for column in columns]
    return [*heading, *markdown_table(head, cells, right), *_rest(len(rows))]


def _sign(row: WorkerRow | QueueRow, text: str) -> str:
    return text if row.condition.severity in _SHOWN_SIGNS else ""


def _queue_names(row: WorkerRow, _: str) -> str:
    names = [code(name) for name in list(row.worker.queues)[:_MOST_NAMES]]
    if len(row.worker.queues) > _MOST_NAMES:
        names.append(f"and {len(row.worker.queues) - _MOST_NAMES} more")
    return " ".join(names) or UNKNOWN


def _queue_name(row: QueueRow, _: str) -> str:
    return queue_code(row.queue.key) + (" (paused)" if row.queue.paused else "")


_WORKER_MARKUP: Markup[WorkerRow] = {
    "sign": _sign,
    "worker": lambda _, text: code(text),
    "queues": _queue_names,
}
_QUEUE_MARKUP: Markup[QueueRow] = {"sign": _sign, "queue": _queue_name, "net": lambda _, text: text}


def durations_section(diagnosis: Diagnosis) -> list[str]:
    """Return the durations of tasks that were observed to start and finish."""
    if not diagnosis.durations:
        return []
    rows = [
        [
            queue_code(key),
            *(f"{value:.1f} s" for value in (seen.p50_s, seen.p95_s, seen.p99_s)),
            f"{seen.count:,}",
            f"± {seen.plus_minus_s:.1f} s",
        ]
        for key, seen in list(diagnosis.durations.items())[:MOST_ROWS]
    ]
    return [
        "## Task durations",
        "",
        "Observed by polling: queues store no durations.",
        "",
        *markdown_table(
            ["queue", "p50", "p95", "p99", "tasks observed", "accuracy"],
            rows,
            frozenset(range(1, 6)),
        ),
    ]


def _rest(number: int) -> list[str]:
    return ["", f"{number - MOST_ROWS:,} more are in the JSON."] if number > MOST_ROWS else []
