"""How bad is it: a severity and a few words for every worker and queue.

Pure functions of a snapshot, used for colour, sign and default order on every screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runqy_tui.humanize import age
from runqy_tui.model import Dialect, Queue, Snapshot, Worker, WorkerState
from runqy_tui.severity import Severity

LOST_FRESH_S = 1_800.0
"""A worker lost for less is an incident. runqy itself gives an index entry 1800 s to live."""
LOST_OLD_S = 86_400.0
OLD_PENDING_S = 300.0
"""Pending for longer than this is worth a look, in seconds."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A severity and why; ``reason`` is empty where all is well."""

    severity: Severity
    reason: str = ""


def worker_trouble(worker: Worker) -> Trouble:
    """Judge one worker."""
    return _BY_STATE[worker.state](worker)


def _degraded(worker: Worker) -> Trouble:
    names = [name for name, entry in worker.recovery.items() if entry.state == "degraded"]
    what = ", ".join(names) or "a supervised process"
    return Trouble(Severity.CRITICAL, f"{what} crashed: restart this worker by hand")


def _lost(worker: Worker) -> Trouble:
    gone = worker.last_beat_age_s
    if gone is None:
        return Trouble(Severity.WARNING, "in the index, but no heartbeat")
    reason = f"no heartbeat for {age(gone)}"
    if gone < LOST_FRESH_S:
        return Trouble(Severity.CRITICAL, reason)
    return Trouble(Severity.WARNING if gone < LOST_OLD_S else Severity.IDLE, reason)


def _recovering(worker: Worker) -> Trouble:
    fails = max((entry.consecutive_fails or 0 for entry in worker.recovery.values()), default=0)
    times = f", {fails} fails in a row" if fails else ""
    return Trouble(Severity.WARNING, f"restarting its process{times}")


def _stale(worker: Worker) -> Trouble:
    gone = worker.last_beat_age_s
    reason = "no heartbeat" if gone is None else f"last heartbeat {age(gone)} ago"
    return Trouble(Severity.WARNING, reason)


def _running(worker: Worker) -> Trouble:
    if worker.problems:
        return Trouble(Severity.WARNING, f"unreadable: {', '.join(worker.problems)}")
    return Trouble(Severity.BUSY if worker.active_count else Severity.FINE)


_BY_STATE: Mapping[WorkerState, Callable[[Worker], Trouble]] = {
    WorkerState.DEGRADED: _degraded,
    WorkerState.LOST: _lost,
    WorkerState.RECOVERING: _recovering,
    WorkerState.STALE: _stale,
    WorkerState.RUNNING: _running,
    WorkerState.BOOTSTRAPPING: lambda _: Trouble(Severity.BUSY, "starting"),
    WorkerState.STOPPED: lambda _: Trouble(Severity.IDLE, "stopped cleanly"),
}


_HEEDLESS = (Dialect.RUNQY, Dialect.MIXED)
"""Where some consumer does not look at the pause mark: runqy workers never do, asynq obeys it."""


def queue_trouble(queue: Queue, workers: Mapping[str, Worker]) -> Trouble:
    """Judge one queue by what waits in it and who is there to take it."""
    pending = queue.counts.pending
    if pending:
        if not queue.key.braced and not queue.consumers:
            return Trouble(Severity.WARNING, "a list without braces that no runqy worker reads")
        if not queue.consumers:
            return Trouble(Severity.CRITICAL, "no consumer")
        if trouble := _sick_consumers(queue, workers):
            return trouble
        if queue.paused and queue.dialect not in _HEEDLESS:
            return Trouble(Severity.WARNING, "paused")
        if (queue.oldest_pending_age_s or 0) > OLD_PENDING_S:
            return Trouble(Severity.WARNING, f"oldest pending {age(queue.oldest_pending_age_s)}")
    if queue.counts.active and not queue.consumers:
        return Trouble(Severity.WARNING, "active tasks, but no consumer")
    if queue.paused and queue.dialect in _HEEDLESS:
        return Trouble(Severity.WARNING, "paused, but runqy workers go on")
    if pending or queue.counts.active:
        return Trouble(Severity.BUSY)
    return Trouble(Severity.FINE if queue.consumers else Severity.IDLE)


def _sick_consumers(queue: Queue, workers: Mapping[str, Worker]) -> Trouble | None:
    states = [workers[name].state for name in queue.consumers if name in workers]
    sick = [s for s in states if s in (WorkerState.DEGRADED, WorkerState.RECOVERING)]
    if not states or len(sick) < len(states):
        return None
    # In the order of urgency, each word only where it is true of some consumer.
    words = [s.value for s in (WorkerState.DEGRADED, WorkerState.RECOVERING) if s in sick]
    severity = Severity.CRITICAL if WorkerState.DEGRADED in sick else Severity.WARNING
    return Trouble(severity, f"{len(sick)} of {len(states)} consumers {' or '.join(words)}")


@dataclass(frozen=True, slots=True)
class Assessment:
    """Every object of one snapshot, judged once."""

    workers: Mapping[str, Trouble]
    queues: Mapping[object, Trouble]

    def tally(self, severity: Severity) -> int:
        """How many workers and queues have this severity."""
        both = (*self.workers.values(), *self.queues.values())
        return sum(trouble.severity is severity for trouble in both)


def assess(snapshot: Snapshot) -> Assessment:
    """Judge all workers and queues of a snapshot."""
    by_id = {worker.id: worker for worker in snapshot.workers}
    return Assessment(
        workers={worker.id: worker_trouble(worker) for worker in snapshot.workers},
        queues={queue.key: queue_trouble(queue, by_id) for queue in snapshot.queues},
    )
