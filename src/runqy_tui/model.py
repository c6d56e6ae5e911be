"""The currency of the program: immutable snapshots of what Redis holds.

Everything right of the reader is a pure function of these objects. Standard library only.

Names, ids and types are ``str`` decoded from UTF-8 with ``surrogateescape``, so that any bytes
survive a round trip; they are untrusted and pass :mod:`runqy_tui.safetext` before display.
Payloads, results and raw fields stay ``bytes``. Times are unix seconds (``float``), ages are
seconds, and ``None`` means unknown: never 0 and never an empty string.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Dialect(StrEnum):
    """Who writes a queue, worker or task. ``MIXED``: runqy and asynq both consume the queue."""

    RUNQY = "runqy"
    ASYNQ = "asynq"
    DOCUMENTED = "documented"
    MIXED = "mixed"


class TaskState(StrEnum):
    """The states of a task, in the order in which they are shown."""

    PENDING = "pending"
    ACTIVE = "active"
    SCHEDULED = "scheduled"
    RETRY = "retry"
    ARCHIVED = "archived"
    COMPLETED = "completed"
    AGGREGATING = "aggregating"


class WorkerState(StrEnum):
    """What a worker is doing, judged by Redis's clock.

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


@dataclass(frozen=True, slots=True)
class QueueKey:
    """Identity of a queue: its name, and whether its keys carry braces.

    ``braced=False`` is the documented dialect (``asynq:<name>:pending``): a list that no runqy
    or asynq worker reads, and another queue than the braced one of the same name.
    """

    name: str
    braced: bool = True


@dataclass(frozen=True, slots=True)
class Counts:
    """Number of tasks per state. ``None``: that key is unreadable or the dialect has none."""

    pending: int | None = None
    active: int | None = None
    scheduled: int | None = None
    retry: int | None = None
    archived: int | None = None
    completed: int | None = None
    aggregating: int | None = None

    def of(self, state: TaskState) -> int | None:
        """Count of one state."""
        value: int | None = getattr(self, state.value)
        return value


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue as of a poll.

    ``processed_*`` and ``failed_*`` are the counters as they stand in Redis; ``succeeded_*`` is
    derived with the consuming dialect's meaning and ``None`` where that is not known for sure.
    ``consumers`` are ids of workers that beat and list this queue (degraded ones included).
    ``next_*_at`` is the lowest score of ``retry`` and ``scheduled``: when the first is due.
    ``registered``: named in ``asynq:queues``. ``oldest_estimated``: the oldest task moved since
    the last poll, so that the age is a close lower or upper bound.
    """

    key: QueueKey
    dialect: Dialect | None = None
    counts: Counts = Counts()
    paused: bool = False
    paused_at: float | None = None
    oldest_pending_since: float | None = None
    oldest_pending_age_s: float | None = None
    oldest_estimated: bool = False
    processed_today: int | None = None
    failed_today: int | None = None
    succeeded_today: int | None = None
    processed_total: int | None = None
    failed_total: int | None = None
    succeeded_total: int | None = None
    consumers: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    registered: bool = True
    next_retry_at: float | None = None
    next_scheduled_at: float | None = None

    @property
    def name(self) -> str:
        """The queue's name as it stands in Redis."""
        return self.key.name

    @property
    def parent(self) -> str:
        """What comes before the first dot: the unit a runqy worker supervises."""
        return self.key.name.partition(".")[0]

    @property
    def sub(self) -> str | None:
        """The sub-queue after the first dot, ``None`` where the name has no dot."""
        _, dot, sub = self.key.name.partition(".")
        return sub if dot else None


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU as its worker reports it: percent, MiB and degrees Celsius."""

    index: int | None = None
    name: str | None = None
    utilization_percent: float | None = None
    memory_used_mb: float | None = None
    memory_total_mb: float | None = None
    temperature_c: float | None = None


@dataclass(frozen=True, slots=True)
class Metrics:
    """A worker's machine: CPU in percent, memory in bytes, GPUs."""

    cpu_percent: float | None = None
    memory_used_bytes: int | None = None
    memory_total_bytes: int | None = None
    gpus: tuple[Gpu, ...] = ()
    collected_at: float | None = None


@dataclass(frozen=True, slots=True)
class Recovery:
    """State of one supervised parent queue: ``idle``, ``recovering`` or ``degraded``."""

    state: str
    consecutive_fails: int | None = None
    total_restarts: int | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker process as of a poll.

    ``healthy`` is ``None`` where nothing says so (lost workers, asynq servers). ``status`` is the
    worker's own word. ``queues`` maps a queue name to its priority, ``None`` where it has none.
    ``clock_offset_s``: by how much its clock is ahead of Redis's (negative: behind), ``None``
    where that cannot be told from a late heartbeat. ``active_tasks`` is filled only where the dialect tells (asynq, documented); ``active_count``
    likewise. ``problems`` names fields that could not be read.
    """

    id: str
    dialect: Dialect
    state: WorkerState
    healthy: bool | None = None
    status: str | None = None
    started_at: float | None = None
    last_beat_at: float | None = None
    last_beat_age_s: float | None = None
    clock_offset_s: float | None = None
    concurrency: int | None = None
    queues: Mapping[str, int | None] = field(default_factory=dict)
    active_tasks: tuple[str, ...] = ()
    active_count: int | None = None
    recovery: Mapping[str, Recovery] = field(default_factory=dict)
    metrics: Metrics | None = None
    instance_id: str | None = None
    protected: bool | None = None
    problems: tuple[str, ...] = ()

    def serves(self, queue: QueueKey) -> bool:
        """Whether this worker lists the queue.

        A runqy worker that bootstraps lists parent names only; a name without a sub-queue means
        ``<parent>.default``. Old workers of the documented dialect serve brace-less lists.
        """
        if queue.braced == (self.dialect is Dialect.DOCUMENTED):
            return False
        if queue.name in self.queues:
            return True
        if self.dialect is not Dialect.RUNQY:
            return False
        parent, dot, sub = queue.name.partition(".")
        if not dot or parent not in self.queues:
            return False
        return sub == "default" or self.state is WorkerState.BOOTSTRAPPING


@dataclass(frozen=True, slots=True)
class RedisInfo:
    """The server and what this poll cost. ``address`` never holds a credential."""

    address: str
    mode: str | None = None
    version: str | None = None
    round_trips: int = 0
    elapsed_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class ServerHealth:
    """What INFO says of the server's own state; ``None`` where it may not be asked.

    ``role`` is INFO's word, ``master`` or ``slave``. ``maxmemory_bytes`` 0: no limit.
    ``writes_blocked`` is the reason why the server refuses writes, in a few words; after a failed
    save it does so by default, and nothing but CONFIG would tell where that is switched off.
    """

    role: str | None = None
    master_link_up: bool | None = None
    used_memory_bytes: int | None = None
    maxmemory_bytes: int | None = None
    maxmemory_policy: str | None = None
    evicted_keys: int | None = None
    writes_blocked: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Everything one poll saw. ``taken_at`` is Redis's clock (``TIME``).

    ``ghosts``: ids of workers whose hash holds a status and nothing else (no worker at all).
    """

    taken_at: float
    redis: RedisInfo
    queues: tuple[Queue, ...] = ()
    workers: tuple[Worker, ...] = ()
    warnings: tuple[str, ...] = ()
    health: ServerHealth | None = None
    ghosts: tuple[str, ...] = ()

    def queue(self, key: QueueKey) -> Queue | None:
        """The queue with this identity, if it was seen."""
        return next((queue for queue in self.queues if queue.key == key), None)

    def worker(self, worker_id: str) -> Worker | None:
        """The worker with this id, if it was seen."""
        return next((worker for worker in self.workers if worker.id == worker_id), None)


@dataclass(frozen=True, slots=True)
class Blob:
    """A value that may be large: ``data`` is at most the reader's limit, ``size`` is the whole.

    ``data`` is empty with ``truncated`` set where the server allowed no partial read.
    """

    data: bytes
    size: int

    @property
    def truncated(self) -> bool:
        """Whether ``data`` is less than the whole value."""
        return len(self.data) < self.size


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One line of a task list. ``missing``: the id is listed but its hash is gone.

    ``score`` is the zset score where the state has one. ``when`` is the moment that matters for
    the state: waiting since, runs at, failed at, completed at; ``None`` where nothing tells.
    ``failed_at`` is the last failure, in any state. ``payload`` is a preview.
    """

    id: str
    state: TaskState
    score: float | None = None
    when: float | None = None
    type: str | None = None
    payload: Blob | None = None
    error: str | None = None
    retried: int | None = None
    max_retry: int | None = None
    expires_at: float | None = None
    missing: bool = False
    decodable: bool = True
    failed_at: float | None = None


@dataclass(frozen=True, slots=True)
class TaskPage:
    """A page of one state of one queue, and the true length of the whole at that moment.

    ``offset`` counts from the chosen end (newest or oldest).
    """

    queue: QueueKey
    state: TaskState
    offset: int
    total: int
    newest_first: bool
    rows: tuple[TaskRow, ...]
    taken_at: float
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """One task in full. The fields follow ``runqy-tui task --json`` (schema 1).

    ``state`` is the hash's own word and ``None`` where it is none of the known ones.
    ``decodable`` is false where ``msg`` cannot be parsed. ``orphaned``: active without a lease,
    or with one that ended over 30 s ago; ``None`` where the dialect has no leases. ``gone``: only
    the reverse index is left (a finished task whose storage is off).
    """

    id: str
    queue: QueueKey
    taken_at: float
    dialect: Dialect | None = None
    state: TaskState | None = None
    type: str | None = None
    payload: Blob | None = None
    result: Blob | None = None
    error: Blob | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    retried: int | None = None
    max_retry: int | None = None
    timeout_s: int | None = None
    deadline: float | None = None
    pending_since: float | None = None
    next_run_at: float | None = None
    last_failed_at: float | None = None
    completed_at: float | None = None
    expires_at: float | None = None
    lease_expires_at: float | None = None
    orphaned: bool | None = None
    group: str | None = None
    unique_key: str | None = None
    retention_s: int | None = None
    ttl_s: float | None = None
    decodable: bool = True
    gone: bool = False
    raw_fields: Mapping[str, Blob] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditWindow:
    """A stretch of a state's list to look at closely; ``offset`` counts from the oldest."""

    queue: QueueKey
    state: TaskState
    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class AuditedTask:
    """What decides whether a listed task is in order. ``missing``: listed, but its hash is gone.

    ``state`` is the hash's own word. ``timeout_s``, ``deadline`` and ``pending_timeout_s`` are
    ``None`` where the task has none or lost it at a retry. ``completed_at`` and
    ``last_failed_at`` are whole seconds in the runqy dialect.
    """

    id: str
    missing: bool = False
    state: TaskState | None = None
    lease_expires_at: float | None = None
    timeout_s: float | None = None
    deadline: float | None = None
    pending_since: float | None = None
    pending_timeout_s: float | None = None
    completed_at: float | None = None
    last_failed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """One window as it was found; ``total`` is the length of the list at that moment."""

    window: AuditWindow
    taken_at: float
    total: int
    tasks: tuple[AuditedTask, ...] = ()


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a worker's Python process. ``text`` is raw and may hold ANSI escapes."""

    seq: int
    text: str
    source: str | None = None
    at: float | None = None


@dataclass(frozen=True, slots=True)
class LogBatch:
    """Lines with ``seq`` above the one asked for; ``missed`` counts lines that were trimmed.

    ``exists`` is false where the worker has no log key: a quiet or an asynq worker.
    """

    lines: tuple[LogLine, ...] = ()
    missed: int = 0
    exists: bool = True
    undecodable: int = 0


@dataclass(frozen=True, slots=True)
class DayCount:
    """The counters of one UTC day (``YYYY-MM-DD``), as they stand in Redis."""

    day: str
    processed: int
    failed: int


@dataclass(frozen=True, slots=True)
class ActiveTask:
    """A task an asynq server says it is working on; the start is exact."""

    id: str
    queue: str
    type: str
    started_at: float | None = None
    deadline: float | None = None


JsonObject = dict[str, Any]
