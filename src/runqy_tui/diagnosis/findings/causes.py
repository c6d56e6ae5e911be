"""Why a queue does not drain, and what follows from it: one cause is told, not five symptoms."""

from __future__ import annotations

from collections.abc import Iterator

from runqy_tui.diagnosis.findings.finding import Cause, DetectorContext, Evidence
from runqy_tui.diagnosis.findings.phrasing import queue_key
from runqy_tui.diagnosis.findings.worker_detectors import beats_late
from runqy_tui.model import Dialect, Queue, TaskState, Worker, WorkerState
from runqy_tui.text.humanize import span

SICK = (WorkerState.DEGRADED, WorkerState.RECOVERING)


def cause_of(sight: DetectorContext, queue: Queue) -> Cause | None:
    """The one cause for which a queue's pending tasks wait; ``None`` where they do not."""
    if not queue.counts.pending:
        return None
    known = sight.causes
    if queue.key not in known:
        known[queue.key] = _cause(sight, queue)
    return known[queue.key]


def _cause(sight: DetectorContext, queue: Queue) -> Cause | None:
    if not has_consumer(sight, queue):
        return Cause.NO_CONSUMER if queue.key.braced else Cause.BRACELESS
    if all_sick(sight, queue):
        return Cause.UNHEALTHY
    return Cause.PAUSED if queue.paused and obeys_pause(queue) else None


def has_consumer(sight: DetectorContext, queue: Queue) -> bool:
    """Whether anybody is there to take a task, be it with a clock that is behind.

    Where some workers are out of reach nobody is called missing.
    """
    if not sight.snapshot.workers_whole:
        return True
    return bool(queue.consumers) or any(beats_late(worker) for worker in gone(sight, queue))


def gone(sight: DetectorContext, queue: Queue) -> list[Worker]:
    """Workers that listed the queue and do not consume any more, the latest beat first."""
    named = {
        worker.id: worker
        for name in {queue.name, queue.parent}
        for worker in sight.absent.get(name, ())
        if worker.serves(queue.key)
    }
    return sorted(named.values(), key=lambda worker: (-(worker.last_beat_at or 0.0), worker.id))


def consumers(sight: DetectorContext, queue: Queue) -> list[Worker]:
    """The consumers that the snapshot describes."""
    return [sight.workers[name] for name in queue.consumers if name in sight.workers]


def sick(sight: DetectorContext, queue: Queue) -> list[tuple[Worker, WorkerState]]:
    """The consumers that cannot work for this queue, the degraded ones first."""
    found = [(worker, health_for(worker, queue)) for worker in consumers(sight, queue)]
    return sorted(
        (pair for pair in found if pair[1] in SICK),
        key=lambda pair: (SICK.index(pair[1]), pair[0].id),
    )


def all_sick(sight: DetectorContext, queue: Queue) -> bool:
    """Whether there are consumers, and none that can work for this queue."""
    known = consumers(sight, queue)
    return bool(known) and all(health_for(worker, queue) in SICK for worker in known)


def only_degraded(sight: DetectorContext, queue: Queue) -> bool:
    """Whether each of its consumers, at least one, is degraded."""
    found = consumers(sight, queue)
    return bool(found) and all(
        health_for(worker, queue) is WorkerState.DEGRADED for worker in found
    )


def health_for(worker: Worker, queue: Queue) -> WorkerState:
    """A worker's state as this queue feels it: each parent queue has a process of its own."""
    if worker.state not in SICK:
        return worker.state
    entry = worker.recovery.get(queue.parent)
    if entry is not None and entry.state in ("degraded", "recovering"):
        return WorkerState(entry.state)
    explained = any(other.state in ("degraded", "recovering") for other in worker.recovery.values())
    return WorkerState.RUNNING if explained else worker.state


def obeys_pause(queue: Queue) -> bool:
    """Whether all who may consume it look at the pause mark: runqy workers never do."""
    return queue.dialect not in (Dialect.RUNQY, Dialect.MIXED)


def symptoms(sight: DetectorContext, queue: Queue) -> Iterator[Evidence]:
    """What follows from the cause, as facts behind its finding."""
    counts = queue.counts
    pending = queue_key(queue.key, TaskState.PENDING)
    if counts.pending:
        yield Evidence(pending, "length", f"{counts.pending:,}")
    oldest_s = sight.snapshot.oldest_pending_age_s(queue)
    if oldest_s is not None:
        yield Evidence(pending, "oldest", f"waits for {span(oldest_s)}")
    trend = sight.history.trend(queue.key)
    if trend.net_per_s is not None and trend.net_per_s > 0:
        yield Evidence(pending, "grows", f"{trend.net_per_s * 60:,.1f}/min")
    for state in (TaskState.ACTIVE, TaskState.RETRY):
        if number := counts.of(state):
            yield Evidence(queue_key(queue.key, state), "length", f"{number:,}")
    now = sight.now
    if queue.next_retry_at is not None and queue.next_retry_at < now:
        value = f"due for {span(now - queue.next_retry_at)}"
        yield Evidence(queue_key(queue.key, TaskState.RETRY), "first", value)
