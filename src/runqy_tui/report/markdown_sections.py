"""The section of error groups: what fails, how often, and one task of each to look at."""

from __future__ import annotations

from collections.abc import Iterable

from runqy_tui.diagnosis.diagnoser import Diagnosis
from runqy_tui.diagnosis.findings.finding import Finding, SubjectKind
from runqy_tui.diagnosis.signatures import ErrorGroup, ErrorSurvey
from runqy_tui.model import Queue, QueueKey, Snapshot, TaskState, Worker
from runqy_tui.model.severity import Severity
from runqy_tui.observation.history import Trend
from runqy_tui.report.markdown_escape import block, code, prose, queue, table
from runqy_tui.report.markdown_escape import queue as queue_name
from runqy_tui.report.report_model import Example, Kept, Report
from runqy_tui.text.humanize import UNKNOWN, age, clock, count, percent, size, span

MOST_GROUPS = 30
_MOST_QUEUES = 3


def errors_section(report: Report) -> list[str]:
    """A table of the groups, then an example of each of the largest."""
    survey = report.survey
    if survey is None:
        return []
    lines = ["## Errors", "", *(f"- {text}" for text in _about(survey))]
    if not survey.groups:
        return lines
    head = ["", "tasks", "share", "first", "last", "queues", "error", "raised in"]
    now = survey.taken_at
    rows = [_row(number, group, now) for number, group in enumerate(survey.groups[:MOST_GROUPS], 1)]
    lines += ["", *table(head, rows, frozenset({0, 1, 2}))]
    if len(survey.groups) > MOST_GROUPS:
        lines += ["", f"{len(survey.groups) - MOST_GROUPS:,} smaller groups are in the JSON."]
    pairs = zip(survey.groups, report.examples, strict=False)
    for number, (group, example) in enumerate(pairs, 1):
        lines += ["", *_example(number, group, example, now)]
    return lines


def _about(survey: ErrorSurvey) -> list[str]:
    """What the counts rest on, and what they cannot show."""
    if survey.sampled:
        said = (
            f"A sample: {survey.sample:,} of {survey.total:,} failed tasks that Redis keeps were "
            "read, the newest of each queue. The true numbers are higher."
        )
    else:
        said = f"All {survey.sample:,} failed tasks that Redis keeps were read."
    lines = [said] if survey.sample or survey.total else ["Redis keeps no failed task."]
    if survey.untold:
        lines.append(
            f"{survey.untold:,} of them have no error text: runqy records none on a retry."
        )
    if survey.gone:
        lines.append(f"{survey.gone:,} of them are listed, but their data is gone.")
    if survey.unstored:
        names = ", ".join(f"{queue(key)} ({count:,})" for key, count in survey.unstored[:20])
        more = len(survey.unstored) - 20
        lines.append(
            "Failed without a trace, by their lifetime counters (storage is off, or the entries "
            f"expired): {names}" + (f" and {more:,} more" if more > 0 else "")
        )
    if survey.left_out:
        names = ", ".join(queue(key) for key in survey.left_out[:20])
        lines.append(f"Not read: {len(survey.left_out):,} queues with failed tasks, {names}")
    return lines


def _row(number: int, group: ErrorGroup, now: float) -> list[str]:
    queues = [f"{queue(key)} {count:,}" for key, count in group.queues[:_MOST_QUEUES]]
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


def _example(number: int, group: ErrorGroup, example: Example, now: float) -> list[str]:
    when = "" if example.at is None else f", failed {clock(example.at, now)} UTC"
    lines = [
        f"### Error {number}: {prose(group.headline)}",
        "",
        f"For example task {code(example.task_id)} in queue {queue(example.queue)} "
        f"({example.state}{when}):",
        "",
        *block(example.error),
    ]
    for name, kept in (("payload", example.payload), ("result", example.result)):
        if kept is not None:
            lines += ["", f"Its {name} ({_size(kept)}):", "", *block(kept.text)]
    return lines


def _size(kept: Kept) -> str:
    parts = [size(kept.size)]
    if kept.binary:
        parts.append("binary")
    if kept.cut:
        parts.append("its beginning")
    return ", ".join(parts)


MOST_ROWS = 200
_MOST_NAMES = 6
_SIGNS = {Severity.CRITICAL: "✖", Severity.WARNING: "!"}

_Judged = tuple[Severity, str]
_FINE: _Judged = (Severity.FINE, "")


def workers_section(snapshot: Snapshot, findings: Iterable[Finding]) -> list[str]:
    """All workers, or the most urgent of them."""
    if not snapshot.workers:
        return ["## Workers", "", "No workers."]
    judged = {
        finding.subject.name: (finding.severity, finding.reason)
        for finding in reversed(tuple(findings))
        if finding.subject.kind is SubjectKind.WORKER
    }
    ordered = sorted(
        snapshot.workers, key=lambda worker: (-judged.get(worker.id, _FINE)[0], worker.id)
    )
    head = ["", "worker", "state", "beat", "dialect", "queues", "busy", "CPU", "why"]
    rows = [
        _worker(snapshot, worker, judged.get(worker.id, _FINE)) for worker in ordered[:MOST_ROWS]
    ]
    return ["## Workers", "", *table(head, rows, frozenset({3, 6, 7})), *_rest(len(ordered))]


def _worker(snapshot: Snapshot, worker: Worker, judged: _Judged) -> list[str]:
    busy, slots = (
        UNKNOWN if number is None else f"{number:,}"
        for number in (worker.active_count, worker.concurrency)
    )
    names = [code(name) for name in list(worker.queues)[:_MOST_NAMES]]
    if len(worker.queues) > _MOST_NAMES:
        names.append(f"and {len(worker.queues) - _MOST_NAMES} more")
    return [
        _SIGNS.get(judged[0], ""),
        code(worker.id),
        worker.state,
        age(snapshot.last_beat_age_s(worker)),
        worker.dialect,
        " ".join(names) or UNKNOWN,
        f"{busy}/{slots}",
        percent(worker.metrics.cpu_percent if worker.metrics else None),
        prose(judged[1]),
    ]


def queues_section(diagnosis: Diagnosis, findings: Iterable[Finding]) -> list[str]:
    """All queues, or the most urgent of them, with their present rates."""
    queues = diagnosis.snapshot.queues
    if not queues:
        return ["## Queues", "", "No queues."]
    judged: dict[QueueKey | None, _Judged] = {
        finding.subject.queue: (finding.severity, finding.reason)
        for finding in reversed(tuple(findings))
        if finding.subject.kind is SubjectKind.QUEUE
    }
    ordered = sorted(
        queues,
        key=lambda queue: (
            -judged.get(queue.key, _FINE)[0],
            -(queue.counts.pending or 0),
            queue.name,
        ),
    )
    head = ["", "queue", *(state.value for state in TaskState), "oldest", "consumers"]
    head += ["done/s", "failed/s", "net/min", "drains in", "done today", "failed today", "why"]
    right = frozenset(range(2, len(head) - 1))
    rows = [_queue(queue, diagnosis, judged) for queue in ordered[:MOST_ROWS]]
    return ["## Queues", "", *table(head, rows, right), *_rest(len(ordered))]


def _queue(queue: Queue, diagnosis: Diagnosis, judged: dict[QueueKey | None, _Judged]) -> list[str]:
    severity, reason = judged.get(queue.key, _FINE)
    trend = diagnosis.trends.get(queue.key, Trend())
    paused = " (paused)" if queue.paused else ""
    return [
        _SIGNS.get(severity, ""),
        f"{queue_name(queue.key)}{paused}",
        *(count(queue.counts.of(state)) for state in TaskState),
        age(diagnosis.snapshot.oldest_pending_age_s(queue)),
        f"{len(queue.consumers):,}",
        _rate(trend.done_per_s),
        _rate(trend.failed_per_s),
        _net(trend.net_per_s),
        span(trend.drains_in_s),
        count(queue.succeeded_today),
        count(queue.failed_today),
        prose(reason),
    ]


def durations_section(diagnosis: Diagnosis) -> list[str]:
    """How long tasks took, where any were seen to begin and end."""
    if not diagnosis.durations:
        return []
    rows = [
        [
            queue_name(key),
            *(f"{value:.1f} s" for value in (seen.p50_s, seen.p95_s, seen.p99_s)),
            f"{seen.count:,}",
            f"± {seen.plus_minus_s:.1f} s",
        ]
        for key, seen in list(diagnosis.durations.items())[:MOST_ROWS]
    ]
    return [
        "## Task durations",
        "",
        "Observed between polls, not measured: no task's duration is stored.",
        "",
        *table(
            ["queue", "p50", "p95", "p99", "tasks seen", "off by"], rows, frozenset(range(1, 6))
        ),
    ]


def _rest(number: int) -> list[str]:
    return ["", f"{number - MOST_ROWS:,} more are in the JSON."] if number > MOST_ROWS else []


def _rate(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f}"


def _net(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value * 60:+.0f}"
