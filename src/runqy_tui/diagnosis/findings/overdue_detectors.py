"""Tasks whose time has come and that nobody moves to pending."""

from __future__ import annotations

from collections.abc import Iterator

from runqy_tui.diagnosis.findings.causes import cause_of, gone, has_consumer
from runqy_tui.diagnosis.findings.finding import Cause, DetectorContext, Evidence, Finding
from runqy_tui.diagnosis.findings.phrasing import (
    about_queue,
    at_clock,
    program,
    queue_key,
    queue_name,
)
from runqy_tui.model import Dialect, Queue, TaskState
from runqy_tui.model.severity import Severity
from runqy_tui.text.humanize import age


def stuck_retries(sight: DetectorContext) -> Iterator[Finding]:
    """Retries that are long due: whoever consumes the queue would forward them within seconds."""
    for queue in sight.snapshot.queues:
        due = _overdue(sight, queue, queue.next_retry_at)
        if due is None or cause_of(sight, queue) is Cause.NO_CONSUMER:
            continue
        served = has_consumer(sight, queue)
        why = "although it has consumers" if served else "no worker serves it"
        yield Finding(
            detector="queue-stuck-retries",
            severity=Severity.WARNING,
            subject=about_queue(queue),
            reason=f"retries stuck for {age(sight.now - due)}",
            sentence=f"{queue_name(queue.key)} does not retry: the first was due at "
            f"{at_clock(due, sight.now)} and nothing forwards it, {why}",
            next_step=_forwarder(sight, queue, served=served),
            evidence=(_score(queue, TaskState.RETRY, due),),
            since=due,
            since_known=True,
            weight=float(queue.counts.retry or 1),
        )


def past_due_scheduled(sight: DetectorContext) -> Iterator[Finding]:
    """Scheduled tasks that are long due. runqy workers forward retries, never scheduled tasks."""
    for queue in sight.snapshot.queues:
        due = _overdue(sight, queue, queue.next_scheduled_at)
        if due is None:
            continue
        asynq = queue.dialect in (Dialect.ASYNQ, Dialect.MIXED)
        if asynq and cause_of(sight, queue) is Cause.NO_CONSUMER:
            continue
        why = "no asynq program forwards them" if asynq else "runqy workers never forward them"
        if queue.dialect is None:
            why = "nothing forwards them"
        yield Finding(
            detector="queue-past-due-scheduled",
            severity=Severity.WARNING,
            subject=about_queue(queue),
            reason=f"scheduled tasks due for {age(sight.now - due)}",
            sentence=f"{queue_name(queue.key)} has scheduled tasks due since "
            f"{at_clock(due, sight.now)}: {why}",
            next_step="look whether the asynq program that serves it still runs"
            if asynq
            else "enqueue them again without a delay, and let the producer wait instead",
            evidence=(_score(queue, TaskState.SCHEDULED, due),),
            since=due,
            since_known=True,
            weight=float(queue.counts.scheduled or 1),
        )


def _overdue(sight: DetectorContext, queue: Queue, due: float | None) -> float | None:
    # What became of it since the queue was read, nobody knows.
    seen_at = sight.snapshot.read_at(queue)
    return due if due is not None and seen_at - due > sight.thresholds.stuck_after_s else None


def _forwarder(sight: DetectorContext, queue: Queue, *, served: bool) -> str:
    if served:
        return "look at the log of its workers: their forwarder does not run; restart one"
    last = gone(sight, queue)
    if last:
        return f"start {program(last[0]).partition(' (pid')[0]} again: it forwards them"
    return f"start a worker that serves {queue_name(queue.key)}: it forwards them"


def _score(queue: Queue, state: TaskState, due: float) -> Evidence:
    number = queue.counts.of(state)
    listed = "" if number is None else f" (lowest of {number:,})"
    return Evidence(queue_key(queue.key, state), "score", f"{due:.0f}{listed}")


DETECTORS = (stuck_retries, past_due_scheduled)
