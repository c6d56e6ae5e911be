"""Tasks whose time has come and that nothing moves to pending."""

from __future__ import annotations

from collections.abc import Iterator

from runqy_tui.diagnosis.findings.causes import cause_of, former_consumers, has_consumer
from runqy_tui.diagnosis.findings.detector_context import Cause, DetectorContext
from runqy_tui.diagnosis.findings.finding import Evidence, Finding
from runqy_tui.diagnosis.findings.phrasing import (
    program_on_host,
    queue_key,
    queue_name,
    queue_subject,
    utc_clock,
)
from runqy_tui.diagnosis.findings.registry import detector
from runqy_tui.model import Dialect, Queue, TaskState
from runqy_tui.model.severity import Severity
from runqy_tui.text.humanize import age


@detector(
    "queue-stuck-retries",
    severity=Severity.WARNING,
    title="Retries stuck",
    meaning="Retries have been due for more than a minute. Every worker and asynq server forwards "
    "due retries of its queues within seconds, so none is doing so for this queue: the tasks will "
    "not be tried again.",
    evidence="The lowest score of asynq:{queue}:retry, the unix second of the next try, lies in "
    "the past.",
    fix="Start a worker that serves the queue. If there is one, its forwarder does not run: read "
    "its log and restart it.",
)
def stuck_retries(context: DetectorContext) -> Iterator[Finding]:
    """Report each queue whose first retry is overdue."""
    for queue in context.snapshot.queues:
        due = _overdue(context, queue, queue.next_retry_at)
        if due is None or cause_of(context, queue) is Cause.NO_CONSUMER:
            continue
        served = has_consumer(context, queue)
        why = "although it has consumers" if served else "no worker serves it"
        yield stuck_retries.finding(
            queue_subject(queue),
            reason=f"retries overdue by {age(context.now - due)}",
            sentence=f"{queue_name(queue.key)} has retries overdue since "
            f"{utc_clock(due, context.now)}: nothing forwards them, {why}",
            next_step=_start_forwarder(context, queue, served=served),
            evidence=(_score(queue, TaskState.RETRY, due),),
            since=due,
            weight=float(queue.counts.retry or 1),
        )


@detector(
    "queue-past-due-scheduled",
    severity=Severity.WARNING,
    title="Scheduled tasks overdue",
    meaning="Scheduled tasks have been due for more than a minute and were not moved to pending. "
    "asynq servers forward scheduled tasks; runqy-worker forwards retries only, so tasks that are "
    "scheduled in a queue of runqy workers never run.",
    evidence="The lowest score of asynq:{queue}:scheduled, the unix second to run at, lies in the "
    "past.",
    fix="In an asynq queue check that the asynq program is running. In a runqy queue enqueue the "
    "tasks again without a delay and let the producer wait instead.",
)
def past_due_scheduled(context: DetectorContext) -> Iterator[Finding]:
    """Report each queue whose first scheduled task is overdue."""
    for queue in context.snapshot.queues:
        due = _overdue(context, queue, queue.next_scheduled_at)
        if due is None:
            continue
        asynq = queue.dialect in (Dialect.ASYNQ, Dialect.MIXED)
        if asynq and cause_of(context, queue) is Cause.NO_CONSUMER:
            continue
        why = "no asynq program forwards them" if asynq else "runqy workers never forward them"
        if queue.dialect is None:
            why = "nothing forwards them"
        yield past_due_scheduled.finding(
            queue_subject(queue),
            reason=f"scheduled tasks overdue by {age(context.now - due)}",
            sentence=f"{queue_name(queue.key)} has scheduled tasks overdue since "
            f"{utc_clock(due, context.now)}: {why}",
            next_step="check that the asynq program that serves it is running"
            if asynq
            else "enqueue them again without a delay; let the producer wait instead",
            evidence=(_score(queue, TaskState.SCHEDULED, due),),
            since=due,
            weight=float(queue.counts.scheduled or 1),
        )


def _overdue(context: DetectorContext, queue: Queue, due: float | None) -> float | None:
    # What happened after the queue was read is unknown.
    read_at = context.snapshot.read_at(queue)
    return due if due is not None and read_at - due > context.thresholds.stuck_after_s else None


def _start_forwarder(context: DetectorContext, queue: Queue, *, served: bool) -> str:
    if served:
        return "restart one of its workers: their forwarder does not run; read the log for why"
    former = former_consumers(context, queue)
    if former:
        return f"start {program_on_host(former[0])} again: it forwards them"
    return f"start a worker that serves {queue_name(queue.key)}: it forwards them"


def _score(queue: Queue, state: TaskState, due: float) -> Evidence:
    number = queue.counts.of(state)
    lowest = "" if number is None else f" (lowest of {number:,})"
    return Evidence(queue_key(queue.key, state), "score", f"{due:.0f}{lowest}")
