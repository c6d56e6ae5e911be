"""Enumerations and identities: dialects, states, and the key of a queue."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class _Word(StrEnum):
    """Hashed in C: an enum's own takes a call in Python, ten thousand times per poll."""

    __hash__ = str.__hash__


class Dialect(_Word):
    """Who writes a queue, worker or task. ``MIXED``: runqy and asynq both consume the queue."""

    RUNQY = "runqy"
    ASYNQ = "asynq"
    DOCUMENTED = "documented"
    MIXED = "mixed"


class TaskState(_Word):
    """The states of a task, in the order in which they are shown."""

    PENDING = "pending"
    ACTIVE = "active"
    SCHEDULED = "scheduled"
    RETRY = "retry"
    ARCHIVED = "archived"
    COMPLETED = "completed"
    AGGREGATING = "aggregating"


class WorkerState(_Word):
    """The state of a worker, by Redis's clock.

    ``LOST``: in the index without a hash. ``STALE``: a hash whose last beat is over 30 s old.
    ``DEGRADED``: the circuit breaker is open or a supervised process crashed: manual restart.
    """

    RUNNING = "running"
    BOOTSTRAPPING = "bootstrapping"
    RECOVERING = "recovering"
    DEGRADED = "degraded"
    STALE = "stale"
    LOST = "lost"
    STOPPED = "stopped"

    @property
    def consumes(self) -> bool:
        """Whether a worker in this state counts as a consumer of its queues."""
        return self in _CONSUMING


_CONSUMING = frozenset(
    {
        WorkerState.RUNNING,
        WorkerState.BOOTSTRAPPING,
        WorkerState.RECOVERING,
        WorkerState.DEGRADED,
    }
)


class QueueKey(NamedTuple):
    """Identity of a queue: its name, and whether its keys carry braces.

    ``braced=False`` is the documented dialect (``asynq:<name>:pending``): a list that no runqy
    or asynq worker reads, and another queue than the braced one of the same name.
    A tuple, since these are looked up some ten thousand times per poll of a large fleet.
    """

    name: str
    braced: bool = True
