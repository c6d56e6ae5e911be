"""Why a queue does not drain, and what follows from it: one cause is reported, not its symptoms."""

from __future__ import annotations

from collections.abc import Iterator

from runqy_tui.diagnosis.findings.detector_context import Cause, DetectorContext
from runqy_tui.diagnosis.findings.finding import Evidence
from runqy_tui.diagnosis.findings.phrasing import queue_key
from runqy_tui.model import Dialect, Queue, TaskState, Worker, WorkerState
from runqy_tui.text.humanize import span

UNHEALTHY = (WorkerState.DEGRADED, WorkerState.RECOVERING)


def cause_of(context: DetectorContext, queue: Queue) -> Cause | None:
    """Return the one cause for which pending tasks wait; ``None`` where none is known."""
    if not queue.counts.pending:
        return None
    known = context.causes
    if queue.key not in known:
        known[queue.key] = _cause(context, queue)
    return known[queue.key]


def _cause(context: DetectorContext, queue: Queue) -> Cause | None:
    if not has_consumer(context, queue):
        return Cause.NO_CONSUMER if queue.key.braced else Cause.BRACELESS
    if all_unhealthy(context, queue):
        return Cause.UNHEALTHY
    return Cause.PAUSED if queue.paused and obeys_pause(queue) else None


def has_consumer(context: DetectorContext, queue: Queue) -> bool:
    """Return whether a live worker serves the queue, be it one whose clock is behind.

    Where some workers could not be read, the answer is yes: the consumer may be among them.
    """
    if not context.snapshot.workers_whole:
        return True
    return bool(queue.consumers) or any(
        has_slow_clock(worker) for worker in former_consumers(context, queue)
    )


def has_slow_clock(worker: Worker) -> bool:
    """Return whether a worker that seems stale is alive with a clock that is behind."""
    offset = worker.clock_offset_s
    return worker.state is WorkerState.STALE and offset is not None and offset < 0


def former_consumers(context: DetectorContext, queue: Queue) -> list[Worker]:
    """Return workers that listed the queue and no longer consume, the latest heartbeat first."""
    named = {
        worker.id: worker
        for name in {queue.name, queue.parent}
        for worker in context.former_consumers.get(name, ())
        if worker.serves(queue.key)
    }
    return sorted(named.values(), key=lambda worker: (-(worker.last_beat_at or 0.0), worker.id))


def consumers(context: DetectorContext, queue: Queue) -> list[Worker]:
    """Return the queue's consumers as far as the snapshot describes them."""
    return [context.workers[name] for name in queue.consumers if name in context.workers]


def unhealthy_consumers(context: DetectorContext, queue: Queue) -> list[tuple[Worker, WorkerState]]:
    """Return the consumers that cannot work for this queue, the degraded ones first."""
    found = [(worker, state_for(worker, queue)) for worker in consumers(context, queue)]
    return sorted(
        (pair for pair in found if pair[1] in UNHEALTHY),
        key=lambda pair: (UNHEALTHY.index(pair[1]), pair[0].id),
    )


def all_unhealthy(context: DetectorContext, queue: Queue) -> bool:
    """Return whether there are consumers, and none that can work for this queue."""
    known = consumers(context, queue)
    return bool(known) and all(state_for(worker, queue) in UNHEALTHY for worker in known)


def all_degraded(context: DetectorContext, queue: Queue) -> bool:
    """Return whether each of its consumers, at least one, is degraded."""
    found = consumers(context, queue)
    return bool(found) and all(state_for(worker, queue) is WorkerState.DEGRADED for worker in found)


def state_for(worker: Worker, queue: Queue) -> WorkerState:
    """Return a worker's state for this queue: each parent queue has a process of its own."""
    if worker.state not in UNHEALTHY:
        return worker.state
    entry = worker.recovery.get(queue.parent)
    if entry is not None and entry.state in ("degraded", "recovering"):
        return WorkerState(entry.state)
    explained = any(other.state in ("degraded", "recovering") for other in worker.recovery.values())
    return WorkerState.RUNNING if explained else worker.state


def obeys_pause(queue: Queue) -> bool:
    """Return whether all that may consume it obey the pause mark: runqy workers never do."""
    return queue.dialect not in (Dialect.RUNQY, Dialect.MIXED)


def backlog_evidence(context: DetectorContext, queue: Queue) -> Iterator[Evidence]:
    """Yield what follows from the cause, as facts behind its finding."""
    counts = queue.counts
    pending = queue_key(queue.key, TaskState.PENDING)
    if counts.pending:
        yield Evidence(pending, "length", f"{counts.pending:,}")
    oldest_s = context.snapshot.oldest_pending_age_s(queue)
    if oldest_s is not None:
        yield Evidence(pending, "oldest", span(oldest_s))
    trend = context.history.trend(queue.key)
    if trend.net_per_s is not None and trend.net_per_s > 0:
        yield Evidence(pending, "growth", f"{trend.net_per_s * 60:,.1f}/min")
    for state in (TaskState.ACTIVE, TaskState.RETRY):
        if number := counts.of(state):
            yield Evidence(queue_key(queue.key, state), "length", f"{number:,}")
    now = context.now
    if queue.next_retry_at is not None and queue.next_retry_at < now:
        value = f"overdue {span(now - queue.next_retry_at)}"
        yield Evidence(queue_key(queue.key, TaskState.RETRY), "first", value)
