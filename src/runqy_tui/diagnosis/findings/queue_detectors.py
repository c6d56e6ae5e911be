"""Queues that do not drain, each with its cause: one finding per queue, symptoms folded in."""

from __future__ import annotations

from collections.abc import Iterator

from runqy_tui.diagnosis.findings.causes import (
    all_sick,
    cause_of,
    consumers,
    gone,
    has_consumer,
    obeys_pause,
    sick,
    symptoms,
)
from runqy_tui.diagnosis.findings.finding import Cause, DetectorContext, Evidence, Finding
from runqy_tui.diagnosis.findings.phrasing import (
    about_queue,
    at_clock,
    program,
    queue_key,
    queue_name,
    restart,
    short,
    worker_key,
)
from runqy_tui.model import Dialect, Queue, TaskState, Worker, WorkerState
from runqy_tui.model.severity import Severity
from runqy_tui.text.humanize import amount


def no_consumer(sight: DetectorContext) -> Iterator[Finding]:
    """Tasks wait, or are active, and no live worker lists the queue."""
    for queue in sight.snapshot.queues:
        if cause_of(sight, queue) is Cause.NO_CONSUMER:
            yield _no_consumer(sight, queue)
        elif not queue.counts.pending and queue.counts.active and not has_consumer(sight, queue):
            yield _active_alone(sight, queue, queue.counts.active)


def _no_consumer(sight: DetectorContext, queue: Queue) -> Finding:
    name, pending = queue_name(queue.key), queue.counts.pending or 0
    return Finding(
        detector="queue-no-consumer",
        severity=Severity.CRITICAL,
        subject=about_queue(queue),
        reason="no consumer",
        sentence=f"{name} is not draining: no worker serves it ({pending:,} pending)",
        next_step=_find_consumer(sight, queue),
        evidence=(*_serving(sight, queue), *symptoms(sight, queue)),
        weight=float(pending),
    )


def _active_alone(sight: DetectorContext, queue: Queue, active: int) -> Finding:
    tasks = amount(active, "active task")
    return Finding(
        detector="queue-no-consumer",
        severity=Severity.WARNING,
        subject=about_queue(queue),
        reason="active tasks, but no consumer",
        sentence=f"{queue_name(queue.key)} has {tasks}, but no worker serves it any more",
        next_step=_find_consumer(sight, queue),
        evidence=(
            *_serving(sight, queue),
            Evidence(queue_key(queue.key, TaskState.ACTIVE), "length", f"{active:,}"),
        ),
        weight=float(active),
    )


def unhealthy_consumers(sight: DetectorContext) -> Iterator[Finding]:
    """There are consumers, and not one of them can work for this queue.

    Restarts end by themselves: they count only while tasks wait. A degraded worker also holds
    what is active and fails what it takes into retry.
    """
    for queue in sight.snapshot.queues:
        counts = queue.counts
        if not (counts.pending or counts.active or counts.retry) or not all_sick(sight, queue):
            continue
        ill = sick(sight, queue)
        # In the order of urgency, each word only where it is true of some consumer.
        words = list(dict.fromkeys(state.value for _, state in ill))
        degraded = [worker for worker, state in ill if state is WorkerState.DEGRADED]
        if not degraded and not counts.pending:
            continue
        reason = f"{len(ill)} of {len(ill)} consumers {' or '.join(words)}"
        waits = [
            f"{number:,} {word}"
            for number, word in (
                (counts.pending, "pending"),
                (counts.active, "active"),
                (counts.retry, "in retry"),
            )
            if number
        ]
        first = ill[0][0]
        yield Finding(
            detector="queue-unhealthy-consumers",
            severity=Severity.CRITICAL if degraded else Severity.WARNING,
            subject=about_queue(queue),
            reason=reason,
            sentence=f"{queue_name(queue.key)} is not draining: {reason} ({', '.join(waits)})",
            next_step=restart(degraded)
            if degraded
            else f"wait for the restart; the log of worker {short(first.id)} says why",
            evidence=(
                *(_state_evidence(worker, state) for worker, state in ill[:5]),
                *symptoms(sight, queue),
            ),
            weight=float((counts.pending or 0) + (counts.active or 0) + (counts.retry or 0)),
        )


def paused(sight: DetectorContext) -> Iterator[Finding]:
    """A pause under which tasks wait, or one that its runqy workers do not look at."""
    for queue in sight.snapshot.queues:
        if not queue.paused:
            continue
        if cause_of(sight, queue) is Cause.PAUSED:
            yield _paused(sight, queue, obeyed=True)
        elif not obeys_pause(queue):
            yield _paused(sight, queue, obeyed=False)


def _paused(sight: DetectorContext, queue: Queue, *, obeyed: bool) -> Finding:
    name, pending = queue_name(queue.key), queue.counts.pending or 0
    mark, now = queue_key(queue.key, "paused"), sight.now
    when = "" if queue.paused_at is None else f" at {at_clock(queue.paused_at, now)}"
    if obeyed:
        reason = "paused"
        sentence = f"{name} is not draining: it was paused{when} ({pending:,} pending)"
        step = f"unpause it when it may go on: delete the key {short(mark, 96)}"
    else:
        some = "its runqy workers do" if queue.dialect is Dialect.RUNQY else "some consumers do"
        reason = "paused, but runqy workers go on"
        sentence = f"{name} was paused{when}, but {some} not look at that and go on"
        step = f"stop its workers to really pause it, or delete the key {short(mark, 96)}"
    return Finding(
        detector="queue-paused",
        severity=Severity.WARNING,
        subject=about_queue(queue),
        reason=reason,
        sentence=sentence,
        next_step=step,
        evidence=(
            Evidence(mark, "", "set" if queue.paused_at is None else f"{queue.paused_at:.0f}"),
            *symptoms(sight, queue),
        ),
        since=queue.paused_at,
        since_known=queue.paused_at is not None,
        weight=float(pending),
    )


def braceless(sight: DetectorContext) -> Iterator[Finding]:
    """Tasks wait in a list without braces, and no old worker is there to read it."""
    for queue in sight.snapshot.queues:
        if cause_of(sight, queue) is not Cause.BRACELESS:
            continue
        pending = queue.counts.pending or 0
        tasks, wait = amount(pending, "task"), "waits" if pending == 1 else "wait"
        key = queue_key(queue.key, TaskState.PENDING)
        yield Finding(
            detector="queue-braceless",
            severity=Severity.WARNING,
            subject=about_queue(queue),
            reason="a list without braces that no runqy worker reads",
            sentence=f"{tasks} {wait} in {short(key, 80)}, a list that no runqy worker reads",
            next_step=f"let the producer use the runqy server, or asynq:{{{short(queue.name)}}}:…",
            evidence=tuple(symptoms(sight, queue)),
            weight=float(pending),
        )


def unregistered(sight: DetectorContext) -> Iterator[Finding]:
    """A queue with tasks that is not in the index: most tools and workers do not see it."""
    for queue in sight.snapshot.queues:
        if queue.registered or not queue.key.braced or cause_of(sight, queue) is Cause.NO_CONSUMER:
            continue
        tasks = sum(queue.counts.of(state) or 0 for state in TaskState)
        if not tasks:
            continue
        yield Finding(
            detector="queue-unregistered",
            severity=Severity.WARNING,
            subject=about_queue(queue),
            reason="not in asynq:queues",
            sentence=f"{queue_name(queue.key)} holds {amount(tasks, 'task')} but is not in "
            "asynq:queues: other tools do not see it",
            next_step="add it to the set asynq:queues, as producers do when they enqueue",
            evidence=(_membership(queue),),
            weight=float(tasks),
        )


def _find_consumer(sight: DetectorContext, queue: Queue) -> str:
    name, last = queue_name(queue.key), gone(sight, queue)
    if not last:
        return f"start a worker that serves {name}"
    again = program(last[0]).partition(" (pid")[0]
    return f"start {again} again, or another worker that serves {name}"


def _serving(sight: DetectorContext, queue: Queue) -> Iterator[Evidence]:
    """Nobody, those who were, and whether the queue is in the index at all."""
    yield Evidence("asynq:workers", "", f"{len(consumers(sight, queue))} of them serve the queue")
    if not queue.registered:
        yield _membership(queue)
    for worker in gone(sight, queue)[:3]:
        beat = worker.last_beat_at
        told = "" if beat is None else f", last heartbeat {at_clock(beat, sight.now)}"
        yield Evidence(worker_key(worker), "", f"{worker.state.value}{told}")


def _state_evidence(worker: Worker, state: WorkerState) -> Evidence:
    entries = [name for name, entry in worker.recovery.items() if entry.state == state.value]
    if entries:
        named = ", ".join(sorted(entries))
        return Evidence(worker_key(worker), "recovery", f"{named}: {state.value}")
    return Evidence(worker_key(worker), "healthy", "0")


def _membership(queue: Queue) -> Evidence:
    return Evidence("asynq:queues", queue.name, "not a member")


DETECTORS = (no_consumer, unhealthy_consumers, paused, braceless, unregistered)
