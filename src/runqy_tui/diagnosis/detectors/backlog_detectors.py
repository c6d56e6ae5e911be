"""Queues that fall behind, fail or lose failures, though they have consumers."""

from __future__ import annotations

from collections.abc import Iterator

from runqy_tui.diagnosis.findings.causes import (
    backlog_evidence,
    cause_of,
    consumers,
    unhealthy_consumers,
)
from runqy_tui.diagnosis.findings.detector_context import DetectorContext
from runqy_tui.diagnosis.findings.finding import Evidence, Finding
from runqy_tui.diagnosis.findings.phrasing import (
    queue_key,
    queue_name,
    queue_subject,
    restart_step,
    short,
)
from runqy_tui.diagnosis.findings.registry import Detector, detector
from runqy_tui.model import Dialect, Queue, TaskState
from runqy_tui.model.severity import Severity
from runqy_tui.observation.history import Trend
from runqy_tui.text.humanize import age, amount, span

MIN_GROWTH = 10.0
"""Tasks by which a queue must grow over the whole window: from one to three is no growth."""

_BEHIND_EVIDENCE = (
    "The length of asynq:{queue}:pending, the age of its last element, which is the oldest, and "
    "the growth seen between polls."
)
_BEHIND_FIX = (
    "Restart unhealthy consumers first. If all slots are busy, add workers; if slots are idle, "
    "find out what they wait for. One process works serially for each parent queue, so more slots "
    "on the same worker do not help."
)


@detector(
    "queue-old-pending",
    severity=Severity.WARNING,
    title="Oldest pending task too old",
    meaning="The oldest pending task has waited for more than 5 minutes although the queue has "
    "healthy consumers: they do not keep up, work on other queues first, or hang on a task.",
    evidence=_BEHIND_EVIDENCE,
    fix=_BEHIND_FIX,
)
def old_pending(context: DetectorContext) -> Iterator[Finding]:
    """Report each queue whose oldest task has waited too long, with its depth and growth."""
    for queue in _unexplained(context):
        if _is_old(context, queue):
            yield _behind(context, queue, old_pending)


@detector(
    "queue-deep",
    severity=Severity.WARNING,
    title="Queue deep",
    meaning="1,000 tasks or more are pending, though none of them has waited for long.",
    evidence=_BEHIND_EVIDENCE,
    fix=_BEHIND_FIX,
)
def deep(context: DetectorContext) -> Iterator[Finding]:
    """Report each queue with many pending tasks, unless its oldest is reported."""
    for queue in _unexplained(context):
        if _is_deep(context, queue) and not _is_old(context, queue):
            yield _behind(context, queue, deep)


@detector(
    "queue-growing",
    severity=Severity.WARNING,
    title="Queue growing",
    meaning="More tasks arrive than are done, for at least 5 minutes, though neither many are "
    "pending nor for long yet.",
    evidence=_BEHIND_EVIDENCE,
    fix=_BEHIND_FIX,
)
def growing(context: DetectorContext) -> Iterator[Finding]:
    """Report each queue that keeps growing, unless its age or depth is reported."""
    for queue in _unexplained(context):
        if _is_old(context, queue) or _is_deep(context, queue):
            continue
        if _growth_per_minute(context, queue) is not None:
            yield _behind(context, queue, growing)


@detector(
    "queue-archive-cap",
    severity=Severity.WARNING,
    title="Archive full",
    meaning="The archive holds 10,000 failed tasks, at which asynq deletes the oldest for each new "
    "one: earlier failures are lost. runqy-worker does not trim the archive.",
    evidence="ZCARD asynq:{queue}:archived.",
    fix="Review the errors of the archived tasks, then delete them or run them again.",
)
def archive_cap(context: DetectorContext) -> Iterator[Finding]:
    """Report each queue of asynq whose archive is full."""
    cap = context.thresholds.archive_cap
    for queue in context.snapshot.queues:
        archived = queue.counts.archived
        if archived is None or archived < cap:
            continue
        if queue.dialect not in (Dialect.ASYNQ, Dialect.MIXED):
            continue
        yield archive_cap.finding(
            queue_subject(queue),
            reason="archive full",
            sentence=f"the archive of {queue_name(queue.key)} is full ({archived:,}): asynq "
            "deletes the oldest failures",
            next_step="review its errors, then delete archived tasks or run them again",
            evidence=(
                Evidence(
                    queue_key(queue.key, TaskState.ARCHIVED),
                    "members",
                    f"{archived:,}, cap {cap:,}",
                ),
            ),
            weight=float(archived),
        )


@detector(
    "queue-failing",
    severity=Severity.WARNING,
    title="High failure rate",
    meaning="At least 20 % of what ended in the last 5 minutes failed, and at least 5 tasks. asynq "
    "counts every failed attempt; runqy counts a task only when its last try has failed, some 16 "
    "minutes after the first, so a growing retry set is the earlier sign there.",
    evidence="The rise of asynq:{queue}:failed and asynq:{queue}:processed between polls, which "
    "needs no stored results.",
    fix="Read the errors of its failed tasks. Where redis_storage is off, failed tasks are not "
    "kept: read the workers' logs instead.",
)
def failing(context: DetectorContext) -> Iterator[Finding]:
    """Report each queue with a high share of failures, by its counters."""
    limits = context.thresholds
    for queue in context.snapshot.queues:
        failed = context.history.increase(queue.key, "failed", limits.failure_window_s)
        if failed is None or failed < limits.failures_least:
            continue
        done = context.history.increase(queue.key, "done", limits.failure_window_s)
        if done is None:
            continue  # the meaning of the counters is unknown, and so is the share
        share = failed / (failed + done)
        if share >= limits.failure_rate:
            yield _failing(context, queue, round(failed), round(done))


def _failing(context: DetectorContext, queue: Queue, failed: int, done: int) -> Finding:
    window, name = _window(context), queue_name(queue.key)
    what = "attempts failed" if queue.dialect is Dialect.ASYNQ else "tasks failed permanently"
    serving = consumers(context, queue)
    step = f"review the errors of {name}"
    if queue.dialect is Dialect.RUNQY and queue.counts.archived == 0:
        read_log = f"read the log of worker {short(serving[0].id)}" if serving else step
        step = f"{read_log}; failed tasks are not stored (redis_storage is off)"
    return failing.finding(
        queue_subject(queue),
        reason=f"{failed / (failed + done):.0%} failed",
        sentence=f"{name}: {failed:,} of {failed + done:,} {what} in the last {window}",
        next_step=step,
        evidence=(
            Evidence(queue_key(queue.key, "failed"), f"last {window}", f"+{failed:,}"),
            Evidence(queue_key(queue.key, "processed"), f"last {window}", f"{done:,} succeeded"),
            Evidence(
                queue_key(queue.key, TaskState.ARCHIVED),
                "members",
                "unknown" if queue.counts.archived is None else f"{queue.counts.archived:,}",
            ),
        ),
        weight=float(failed),
    )


def _window(context: DetectorContext) -> str:
    """Format the time that the counters were really observed for."""
    started, window_s = context.history.started_at, context.thresholds.failure_window_s
    observed_s = window_s if started is None else max(0.0, context.now - started)
    return span(min(window_s, observed_s))


def _unexplained(context: DetectorContext) -> Iterator[Queue]:
    """Yield queues with pending tasks whose wait no other finding explains."""
    for queue in context.snapshot.queues:
        if queue.counts.pending and cause_of(context, queue) is None:
            yield queue


def _is_old(context: DetectorContext, queue: Queue) -> bool:
    return (
        context.snapshot.oldest_pending_age_s(queue) or 0.0
    ) > context.thresholds.oldest_pending_s


def _is_deep(context: DetectorContext, queue: Queue) -> bool:
    return (queue.counts.pending or 0) >= context.thresholds.depth


def _growth_per_minute(context: DetectorContext, queue: Queue) -> float | None:
    """Return the growth in tasks per minute if it has lasted for long enough."""
    limit = context.thresholds.growing_for_s
    if (context.history.growing_for_s(queue.key) or 0.0) < limit:
        return None
    net_per_s = context.history.net_per_s(queue.key, limit)
    if net_per_s is None or net_per_s * limit < MIN_GROWTH:
        return None
    return net_per_s * 60


def _behind(context: DetectorContext, queue: Queue, declared: Detector) -> Finding:
    pending = queue.counts.pending or 0
    parts, reasons = [], []
    if old := _is_old(context, queue):
        oldest = f"oldest pending {age(context.snapshot.oldest_pending_age_s(queue))}"
        parts.append(oldest)
        reasons.append(oldest)
    parts.append(f"{pending:,} pending")
    if _is_deep(context, queue):
        reasons.append(f"{pending:,} pending")
    if (rate := _growth_per_minute(context, queue)) is not None:
        parts.append(f"growing {rate:,.0f}/min")
        reasons.append(f"growing {rate:,.0f}/min")
    return declared.finding(
        queue_subject(queue),
        reason=reasons[0],
        sentence=f"{queue_name(queue.key)}: {', '.join(parts)}",
        next_step=_catch_up(context, queue),
        evidence=tuple(backlog_evidence(context, queue)),
        since=queue.oldest_pending_since if old else None,
        weight=float(pending),
    )


def _catch_up(context: DetectorContext, queue: Queue) -> str:
    """Word what would help: a restart, patience, or more workers."""
    serving, unhealthy = consumers(context, queue), unhealthy_consumers(context, queue)
    if unhealthy:
        states = " or ".join(dict.fromkeys(state.value for _, state in unhealthy))
        step = restart_step([worker for worker, _ in unhealthy])
        return f"{step}: {len(unhealthy)} of {amount(len(serving), 'consumer')} {states}"
    trend: Trend = context.history.trend(queue.key)
    if trend.drains_in_s is not None and (trend.net_per_s or 0.0) < 0:
        return f"wait: it empties in ~{age(trend.drains_in_s)} at the present rate"
    slots = sum(worker.concurrency or 0 for worker in serving)
    number = amount(len(serving), "consumer")
    active = queue.counts.active or 0
    if slots and active >= slots:
        return f"add workers: {number}, all {slots:,} slots busy"
    with_slots = f" with {amount(slots, 'slot')}" if slots else ""
    return f"add workers, or find out what they wait for: {number}{with_slots}, {active:,} active"
