"""Queues that fall behind, fail or throw away, though somebody consumes them."""

from __future__ import annotations

from collections.abc import Iterator

from runqy_tui.diagnosis.findings.causes import cause_of, consumers, sick, symptoms
from runqy_tui.diagnosis.findings.finding import DetectorContext, Evidence, Finding
from runqy_tui.diagnosis.findings.phrasing import about_queue, queue_key, queue_name, restart, short
from runqy_tui.model import Dialect, Queue, TaskState, Worker, WorkerState
from runqy_tui.model.severity import Severity
from runqy_tui.observation.history import Trend
from runqy_tui.text.humanize import age, amount, span

LEAST_GROWTH = 10.0
"""A queue that went from one task to three is not growing: tasks over the whole window."""


def old_pending(sight: DetectorContext) -> Iterator[Finding]:
    """The oldest task has waited for too long. Depth and growth are told along with it."""
    for queue in _without_cause(sight):
        if _is_old(sight, queue):
            yield _behind(sight, queue, "queue-old-pending")


def deep(sight: DetectorContext) -> Iterator[Finding]:
    """Many tasks wait, though none for long."""
    for queue in _without_cause(sight):
        if _is_deep(sight, queue) and not _is_old(sight, queue):
            yield _behind(sight, queue, "queue-deep")


def growing(sight: DetectorContext) -> Iterator[Finding]:
    """More and more tasks wait, poll after poll, though neither many nor for long yet."""
    for queue in _without_cause(sight):
        if _is_old(sight, queue) or _is_deep(sight, queue):
            continue
        if _per_minute(sight, queue) is not None:
            yield _behind(sight, queue, "queue-growing")


def archive_cap(sight: DetectorContext) -> Iterator[Finding]:
    """Older failures are thrown away: asynq keeps the last 10,000. A runqy worker trims nothing."""
    cap = sight.thresholds.archive_cap
    for queue in sight.snapshot.queues:
        archived = queue.counts.archived
        if archived is None or archived < cap:
            continue
        if queue.dialect not in (Dialect.ASYNQ, Dialect.MIXED):
            continue
        yield Finding(
            detector="queue-archive-cap",
            severity=Severity.WARNING,
            subject=about_queue(queue),
            reason="archive full",
            sentence=f"the archive of {queue_name(queue.key)} is full ({archived:,}): "
            "asynq throws older failures away",
            next_step="look at its errors, then delete or run archived tasks again",
            evidence=(
                Evidence(
                    queue_key(queue.key, TaskState.ARCHIVED),
                    "members",
                    f"{archived:,}, cap {cap:,}",
                ),
            ),
            weight=float(archived),
        )


def failing(sight: DetectorContext) -> Iterator[Finding]:
    """A large share of what ended lately failed, by the counters, which need no storage."""
    limits = sight.thresholds
    for queue in sight.snapshot.queues:
        failed = sight.history.increase(queue.key, "failed", limits.failure_window_s)
        if failed is None or failed < limits.failures_least:
            continue
        done = sight.history.increase(queue.key, "done", limits.failure_window_s)
        if done is None:
            continue  # who counts is not known: a share would be invented
        share = failed / (failed + done)
        if share >= limits.failure_rate:
            yield _failing(sight, queue, round(failed), round(done))


def _failing(sight: DetectorContext, queue: Queue, failed: int, done: int) -> Finding:
    window, name = _window(sight), queue_name(queue.key)
    # asynq counts every failed try, runqy a task only when it has failed for good.
    what = "tries failed" if queue.dialect is Dialect.ASYNQ else "tasks failed for good"
    serving = consumers(sight, queue)
    step = f"look at the errors of {name}"
    if queue.dialect is Dialect.RUNQY and queue.counts.archived == 0:
        logs = f"read the log of worker {short(serving[0].id)}" if serving else step
        step = f"{logs}: its failed tasks are not kept (redis_storage is off)"
    return Finding(
        detector="queue-failing",
        severity=Severity.WARNING,
        subject=about_queue(queue),
        reason=f"{failed / (failed + done):.0%} fail",
        sentence=f"{name} fails: {failed:,} of {failed + done:,} {what} in the last {window}",
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


def _window(sight: DetectorContext) -> str:
    """How far back the counters really reach."""
    started = sight.history.started_at
    seen = sight.thresholds.failure_window_s if started is None else max(0.0, sight.now - started)
    return span(min(sight.thresholds.failure_window_s, seen))


def _without_cause(sight: DetectorContext) -> Iterator[Queue]:
    """Queues with waiting tasks whose wait no other finding explains."""
    for queue in sight.snapshot.queues:
        if queue.counts.pending and cause_of(sight, queue) is None:
            yield queue


def _is_old(sight: DetectorContext, queue: Queue) -> bool:
    return (sight.snapshot.oldest_pending_age_s(queue) or 0.0) > sight.thresholds.oldest_pending_s


def _is_deep(sight: DetectorContext, queue: Queue) -> bool:
    return (queue.counts.pending or 0) >= sight.thresholds.depth


def _per_minute(sight: DetectorContext, queue: Queue) -> float | None:
    """Growth in tasks per minute where it has lasted for long enough."""
    limit = sight.thresholds.growing_for_s
    if (sight.history.growing_for_s(queue.key) or 0.0) < limit:
        return None
    net_per_s = sight.history.net_per_s(queue.key, limit)
    if net_per_s is None or net_per_s * limit < LEAST_GROWTH:
        return None
    return net_per_s * 60


def _behind(sight: DetectorContext, queue: Queue, detector: str) -> Finding:
    pending, since = queue.counts.pending or 0, queue.oldest_pending_since
    parts, reasons = [], []
    if old := _is_old(sight, queue):
        oldest = f"oldest pending {age(sight.snapshot.oldest_pending_age_s(queue))}"
        parts.append(oldest)
        reasons.append(oldest)
    parts.append(f"{pending:,} pending")
    if _is_deep(sight, queue):
        reasons.append(f"{pending:,} pending")
    if (rate := _per_minute(sight, queue)) is not None:
        parts.append(f"growing {rate:,.0f}/min")
        reasons.append(f"growing {rate:,.0f}/min")
    return Finding(
        detector=detector,
        severity=Severity.WARNING,
        subject=about_queue(queue),
        reason=reasons[0],
        sentence=f"{queue_name(queue.key)}: {', '.join(parts)}",
        next_step=_more_hands(sight, queue),
        evidence=tuple(symptoms(sight, queue)),
        since=since if old else None,
        since_known=old and since is not None,
        weight=float(pending),
    )


def _more_hands(sight: DetectorContext, queue: Queue) -> str:
    """What would help: a restart, patience, or more workers."""
    serving, ill = consumers(sight, queue), sick(sight, queue)
    if ill:
        return f"{len(ill)} of {amount(len(serving), 'consumer')} {_words(ill)}: " + restart(
            [worker for worker, _ in ill]
        )
    trend: Trend = sight.history.trend(queue.key)
    if trend.drains_in_s is not None and (trend.net_per_s or 0.0) < 0:
        return f"it drains: empty in ~{age(trend.drains_in_s)} if nothing changes"
    slots = sum(worker.concurrency or 0 for worker in serving)
    who = amount(len(serving), "consumer")
    if slots and (queue.counts.active or 0) >= slots:
        return f"{who}, all {slots:,} slots busy: add workers"
    with_slots = f" with {amount(slots, 'slot')}" if slots else ""
    return f"{who}{with_slots}, {queue.counts.active or 0:,} active here: add workers or see why"


def _words(ill: list[tuple[Worker, WorkerState]]) -> str:
    return " or ".join(dict.fromkeys(state.value for _, state in ill))


DETECTORS = (old_pending, deep, growing, failing, archive_cap)
