"""Queues that do not drain, each with its cause: one finding a queue, symptoms folded in."""

from __future__ import annotations

from collections.abc import Iterator

from runqy_tui.diagnosis.findings.causes import (
    all_unhealthy,
    backlog_evidence,
    cause_of,
    consumers,
    former_consumers,
    has_consumer,
    obeys_pause,
    unhealthy_consumers,
)
from runqy_tui.diagnosis.findings.detector_context import Cause, DetectorContext
from runqy_tui.diagnosis.findings.finding import Evidence, Finding
from runqy_tui.diagnosis.findings.phrasing import (
    program_on_host,
    queue_key,
    queue_name,
    queue_subject,
    restart_step,
    short,
    utc_clock,
    worker_key,
)
from runqy_tui.diagnosis.findings.registry import detector
from runqy_tui.model import Dialect, Queue, TaskState, Worker, WorkerState
from runqy_tui.model.severity import Severity
from runqy_tui.text.humanize import amount


@detector(
    "queue-no-consumer",
    severity=Severity.CRITICAL,
    title="No consumer",
    meaning="Tasks are pending and no live worker lists the queue, so nothing will run them. A "
    "warning where tasks are only active: the worker that took them is gone and no other one "
    "serves the queue.",
    evidence="The length of the pending or active list, and asynq:workers (asynq:servers), of "
    "which no live member serves the queue; workers that used to serve it are named.",
    fix="Start the worker that used to serve the queue, or any other that lists it.",
)
def no_consumer(context: DetectorContext) -> Iterator[Finding]:
    """Report each queue with pending or active tasks that no live worker lists."""
    for queue in context.snapshot.queues:
        if cause_of(context, queue) is Cause.NO_CONSUMER:
            yield _pending_alone(context, queue)
        elif not queue.counts.pending and queue.counts.active and not has_consumer(context, queue):
            yield _active_alone(context, queue, queue.counts.active)


def _pending_alone(context: DetectorContext, queue: Queue) -> Finding:
    name, pending = queue_name(queue.key), queue.counts.pending or 0
    return no_consumer.finding(
        queue_subject(queue),
        reason="no consumer",
        sentence=f"{name} is not draining: no worker serves it ({pending:,} pending)",
        next_step=_start_consumer(context, queue),
        evidence=(*_serving(context, queue), *backlog_evidence(context, queue)),
        weight=float(pending),
    )


def _active_alone(context: DetectorContext, queue: Queue, active: int) -> Finding:
    return no_consumer.finding(
        queue_subject(queue),
        severity=Severity.WARNING,
        reason="active tasks, but no consumer",
        sentence=f"{queue_name(queue.key)} has {amount(active, 'active task')}, but no worker "
        "serves it",
        next_step=_start_consumer(context, queue),
        evidence=(
            *_serving(context, queue),
            Evidence(queue_key(queue.key, TaskState.ACTIVE), "length", f"{active:,}"),
        ),
        weight=float(active),
    )


@detector(
    "queue-unhealthy-consumers",
    severity=Severity.CRITICAL,
    title="All consumers unhealthy",
    meaning="The queue has consumers, and each of them is degraded or recovering for this queue: "
    "nothing is completed. Degraded workers also hold active tasks and fail what they take into "
    "retry. A warning while all of them are only restarting.",
    evidence="healthy=0 or the recovery field of each consumer, and the lengths of pending, active "
    "and retry.",
    fix="Restart the degraded workers, after reading their logs for the cause of the crash.",
)
def only_unhealthy_consumers(context: DetectorContext) -> Iterator[Finding]:
    """Report each queue with tasks whose consumers are all unhealthy.

    Restarts end by themselves: consumers that only recover count while tasks are pending.
    """
    for queue in context.snapshot.queues:
        counts = queue.counts
        has_tasks = counts.pending or counts.active or counts.retry
        if not has_tasks or not all_unhealthy(context, queue):
            continue
        unhealthy = unhealthy_consumers(context, queue)
        degraded = [worker for worker, state in unhealthy if state is WorkerState.DEGRADED]
        if not degraded and not counts.pending:
            continue
        states = " or ".join(dict.fromkeys(state.value for _, state in unhealthy))
        reason = f"{len(unhealthy)} of {amount(len(unhealthy), 'consumer')} {states}"
        tasks = [
            f"{number:,} {word}"
            for number, word in (
                (counts.pending, "pending"),
                (counts.active, "active"),
                (counts.retry, "in retry"),
            )
            if number
        ]
        first = unhealthy[0][0]
        yield only_unhealthy_consumers.finding(
            queue_subject(queue),
            severity=Severity.CRITICAL if degraded else Severity.WARNING,
            reason=reason,
            sentence=f"{queue_name(queue.key)} is not draining: {reason} ({', '.join(tasks)})",
            next_step=restart_step(degraded)
            if degraded
            else f"wait for the restart; read the log of worker {short(first.id)} for the cause",
            evidence=(
                *(_state_evidence(worker, state) for worker, state in unhealthy[:5]),
                *backlog_evidence(context, queue),
            ),
            weight=float((counts.pending or 0) + (counts.active or 0) + (counts.retry or 0)),
        )


@detector(
    "queue-paused",
    severity=Severity.WARNING,
    title="Queue paused",
    meaning="The queue is paused. asynq servers obey that, and its pending tasks wait; "
    "runqy-worker ignores the mark and keeps working, so the pause does not do what was intended.",
    evidence="The key asynq:{queue}:paused, whose value is the time of the pause.",
    fix="Delete the paused key when the queue may continue. To stop runqy workers, stop their "
    "processes.",
)
def paused(context: DetectorContext) -> Iterator[Finding]:
    """Report each pause under which tasks wait, or that runqy workers ignore."""
    for queue in context.snapshot.queues:
        if not queue.paused:
            continue
        if cause_of(context, queue) is Cause.PAUSED:
            yield _paused(context, queue, obeyed=True)
        elif not obeys_pause(queue):
            yield _paused(context, queue, obeyed=False)


def _paused(context: DetectorContext, queue: Queue, *, obeyed: bool) -> Finding:
    name, pending = queue_name(queue.key), queue.counts.pending or 0
    mark = queue_key(queue.key, "paused")
    at = "" if queue.paused_at is None else f" at {utc_clock(queue.paused_at, context.now)}"
    if obeyed:
        reason = "paused"
        sentence = f"{name} is not draining: paused{at} ({pending:,} pending)"
        step = f"unpause when safe: DEL {short(mark, 96)}"
    else:
        some = "its runqy workers" if queue.dialect is Dialect.RUNQY else "some of its consumers"
        reason = "paused, but runqy workers ignore it"
        sentence = f"{name} was paused{at}, but {some} ignore the pause and keep working"
        step = f"stop its workers to pause it, or remove the mark: DEL {short(mark, 96)}"
    return paused.finding(
        queue_subject(queue),
        reason=reason,
        sentence=sentence,
        next_step=step,
        evidence=(
            Evidence(mark, "", "set" if queue.paused_at is None else f"{queue.paused_at:.0f}"),
            *backlog_evidence(context, queue),
        ),
        since=queue.paused_at,
        weight=float(pending),
    )


@detector(
    "queue-braceless",
    severity=Severity.WARNING,
    title="Key without braces",
    meaning="Tasks are pending in a list whose key has no braces around the queue name, as runqy's "
    "user guide describes it. Current workers never read such a list: its tasks run only if an "
    "old worker serves it, and none does.",
    evidence="The key asynq:<queue>:pending and its length; no worker serves this form.",
    fix="Let the producer enqueue through the runqy server, or write to asynq:{<queue>}:pending.",
)
def braceless(context: DetectorContext) -> Iterator[Finding]:
    """Report each list without braces in which tasks wait and that no old worker reads."""
    for queue in context.snapshot.queues:
        if cause_of(context, queue) is not Cause.BRACELESS:
            continue
        pending = queue.counts.pending or 0
        key = queue_key(queue.key, TaskState.PENDING)
        yield braceless.finding(
            queue_subject(queue),
            reason="key without braces, not read by runqy workers",
            sentence=f"{amount(pending, 'pending task')} in {short(key, 80)}, a key that no runqy "
            "worker reads",
            next_step="let the producer enqueue through the runqy server or into "
            f"asynq:{{{short(queue.name)}}}:pending",
            evidence=tuple(backlog_evidence(context, queue)),
            weight=float(pending),
        )


@detector(
    "queue-unregistered",
    severity=Severity.WARNING,
    title="Queue not registered",
    meaning="The queue holds tasks but is missing from asynq:queues, the index of queues. Most "
    "tools, and workers that discover queues from the index, do not see it.",
    evidence="The queue's keys exist; SISMEMBER asynq:queues <queue> is 0.",
    fix="Add it to the index with SADD asynq:queues <queue>, as producers do when they enqueue.",
)
def unregistered(context: DetectorContext) -> Iterator[Finding]:
    """Report each queue with tasks that is missing from the index."""
    for queue in context.snapshot.queues:
        if queue.registered or not queue.key.braced:
            continue
        tasks = sum(queue.counts.of(state) or 0 for state in TaskState)
        if not tasks or cause_of(context, queue) is Cause.NO_CONSUMER:
            continue
        yield unregistered.finding(
            queue_subject(queue),
            reason="not in asynq:queues",
            sentence=f"{queue_name(queue.key)} holds {amount(tasks, 'task')} but is not in "
            "asynq:queues: most tools do not see it",
            next_step=f"register it: SADD asynq:queues {short(queue.name)}",
            evidence=(_membership(queue),),
            weight=float(tasks),
        )


def _start_consumer(context: DetectorContext, queue: Queue) -> str:
    name, former = queue_name(queue.key), former_consumers(context, queue)
    if not former:
        return f"start a worker that serves {name}"
    return f"start {program_on_host(former[0])} again, or another worker that serves {name}"


def _serving(context: DetectorContext, queue: Queue) -> Iterator[Evidence]:
    """Yield how many serve the queue, whether it is in the index, and who used to serve it."""
    yield Evidence("asynq:workers", "", f"{len(consumers(context, queue))} serve the queue")
    if not queue.registered:
        yield _membership(queue)
    for worker in former_consumers(context, queue)[:3]:
        beat = worker.last_beat_at
        last = "" if beat is None else f", last heartbeat {utc_clock(beat, context.now)}"
        yield Evidence(worker_key(worker), "", f"{worker.state.value}{last}")


def _state_evidence(worker: Worker, state: WorkerState) -> Evidence:
    entries = [name for name, entry in worker.recovery.items() if entry.state == state.value]
    if entries:
        named = ", ".join(sorted(entries))
        return Evidence(worker_key(worker), "recovery", f"{named}: {state.value}")
    return Evidence(worker_key(worker), "healthy", "0")


def _membership(queue: Queue) -> Evidence:
    return Evidence("asynq:queues", queue.name, "not a member")
