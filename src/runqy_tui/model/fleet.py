"""What one poll reads: queues, workers, the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal, NamedTuple

from runqy_tui.model.names import Dialect, QueueKey, TaskState, WorkerState


def age_s(since: float | None, at: float) -> float | None:
    """Seconds between two moments, never negative; None where the first is unknown."""
    return None if since is None else max(0.0, at - since)


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
    ``paused`` is ``None`` where its key cannot be read.
    ``consumers`` are ids of workers that beat and list this queue (degraded ones included).
    ``next_*_at`` is the lowest score of ``retry`` and ``scheduled``: when the first is due.
    ``registered``: named in ``asynq:queues``. ``oldest_pending_since`` is the moment (Redis's
    clock) since which the oldest pending task waits; ``oldest_estimated``: that task moved since
    the last poll, so that the moment is a close lower or upper bound.
    Where a poll left the queue out (``Snapshot.unread_queues``), all but the consumers is as of
    the moment it was read.
    """

    key: QueueKey
    dialect: Dialect | None = None
    counts: Counts = Counts()
    paused: bool | None = False
    paused_at: float | None = None
    oldest_pending_since: float | None = None
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

    def oldest_pending_age_s(self, at: float) -> float | None:
        """Seconds that the oldest pending task has waited at a moment of Redis's clock, or None."""
        return age_s(self.oldest_pending_since, at)


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
    gpus: Sequence[Gpu] = ()
    collected_at: float | None = None


@dataclass(frozen=True, slots=True)
class Recovery:
    """State of one supervised parent queue: ``idle``, ``recovering`` or ``degraded``."""

    state: str
    consecutive_fails: int | None = None
    total_restarts: int | None = None


FieldKind = Literal["text", "whole", "flag", "moment"]
"""How a heartbeat field is parsed: the reader has one parser for each."""


class HeartbeatField(NamedTuple):
    """A field of a worker's hash that one attribute of :class:`Worker` holds.

    ``label`` names it in the worker window, which shows it where the worker reports it, and above
    its column in the report (``in_report``); without a label it has a place of its own there.
    ``in_json``: JSON schema 1 has it, under the name of the attribute.
    """

    attribute: str
    name: str
    kind: FieldKind
    label: str | None
    in_json: bool
    in_report: bool


def heartbeat(
    name: str,
    kind: FieldKind,
    *,
    label: str | None = None,
    in_json: bool = True,
    in_report: bool = True,
) -> Mapping[str, object]:
    """Metadata that declares an attribute of :class:`Worker` as the hash field ``name``.

    The other arguments are those of :class:`HeartbeatField`. The parsed worker, JSON, the worker
    window and the report follow from it.
    """
    options = {"label": label, "in_json": in_json, "in_report": in_report}
    return {"name": name, "kind": kind, **options}


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker process as of a poll.

    ``healthy`` is ``None`` where it is not reported (lost workers, asynq servers). ``status`` is
    the worker's own word. ``queues`` maps a queue name to its priority, ``None`` where it has none.
    ``clock_offset_s``: by how much its clock is ahead of Redis's (negative: behind), ``None``
    where a late heartbeat leaves that unknown. ``last_beat_at``: the last heartbeat by the
    worker's own clock, ``None`` where unknown (asynq servers). ``active_tasks`` and
    ``active_count`` are filled only where the dialect has them (asynq, documented). ``metrics``
    may be half a minute older than the rest (see ``collected_at``) where polls read a part of the
    fleet and no screen shows this worker. ``problems`` names fields that could not be read.
    Where a poll left the worker out (``Snapshot.unread_workers``), all of this is as of the moment
    it was read.
    """

    id: str
    dialect: Dialect
    state: WorkerState
    healthy: bool | None = field(default=None, metadata=heartbeat("healthy", "flag"))
    status: str | None = field(
        default=None, metadata=heartbeat("status", "text", in_json=False, in_report=False)
    )
    started_at: float | None = None
    last_beat_at: float | None = field(default=None, metadata=heartbeat("last_beat", "moment"))
    clock_offset_s: float | None = None
    concurrency: int | None = field(default=None, metadata=heartbeat("concurrency", "whole"))
    queues: Mapping[str, int | None] = field(default_factory=dict)
    active_tasks: tuple[str, ...] = ()
    active_count: int | None = None
    recovery: Mapping[str, Recovery] = field(default_factory=dict)
    metrics: Metrics | None = None
    instance_id: str | None = field(
        default=None,
        metadata=heartbeat("instance_id", "text", label="instance", in_json=False, in_report=False),
    )
    protected: bool | None = field(
        default=None,
        metadata=heartbeat("protected", "flag", label="protected", in_json=False, in_report=False),
    )
    problems: tuple[str, ...] = ()

    def last_beat_age_s(self, at: float) -> float | None:
        """Seconds since the last heartbeat at a moment of Redis's clock, None where unknown."""
        return age_s(self.last_beat_at, at)

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


HEARTBEAT_FIELDS = tuple(
    HeartbeatField(one.name, **one.metadata) for one in fields(Worker) if one.metadata
)
"""All fields that :class:`Worker` declares with :func:`heartbeat`, in its order."""


@dataclass(frozen=True, slots=True)
class Node:
    """One primary of a cluster. ``problem`` is one line on why it does not answer."""

    address: str
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Topology:
    """The servers that answer for a deployment of more than one.

    ``primary`` is the address that Sentinel names at present. ``switched_from`` and
    ``switched_at`` (this machine's :func:`time.time`) describe the last change seen, and
    ``switched_ago_s`` is its age at the poll by a monotonic clock. ``problem`` is what is doubtful
    about the primary. ``nodes`` are the primaries of a cluster, by address. All are empty for a
    single server.
    """

    primary: str | None = None
    switched_from: str | None = None
    switched_at: float | None = None
    switched_ago_s: float | None = None
    problem: str | None = None
    nodes: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class RedisInfo:
    """The server and what this poll cost. ``address`` never holds a credential.

    ``where`` names the servers that answer, in a deployment of several. ``unverified``: TLS is
    used without checking the certificate. ``commands``: how many this poll sent. ``oldest_s``:
    seconds since the longest unread queue or worker was read (its metrics aside), where the
    command budget did not allow for everything; ``None`` where all were read.
    """

    address: str
    mode: str | None = None
    version: str | None = None
    round_trips: int = 0
    elapsed_ms: float = 0.0
    where: Topology = Topology()
    unverified: bool = False
    commands: int = 0
    oldest_s: float | None = None


@dataclass(frozen=True, slots=True)
class ServerHealth:
    """The server's own state by INFO.

    ``role`` is INFO's word, ``master`` or ``slave``. ``maxmemory_bytes`` 0: no limit.
    ``writes_blocked`` is the reason why the server refuses writes, in a few words; after a failed
    save it does so by default, and only CONFIG shows where that is switched off.
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
    """Everything one poll read. ``taken_at`` is Redis's clock (``TIME``).

    A queue or worker that did not change is the same object in consecutive snapshots: it holds
    moments, and ages follow from ``taken_at``. ``unread_queues`` and ``unread_workers`` map what a
    poll with a command budget left out to the moment (Redis's clock) it was last read.

    ``ghosts``: ids of workers whose hash holds a status and nothing else (no worker at all).
    ``clock_jump_s``: seconds by which that clock jumped since the poll before, back if negative.
    ``workers_whole`` is false where a node of a cluster is down whose workers were never read: a
    queue without a consumer may well have one of them.
    """

    taken_at: float
    redis: RedisInfo
    queues: tuple[Queue, ...] = ()
    workers: tuple[Worker, ...] = ()
    warnings: tuple[str, ...] = ()
    health: ServerHealth | None = None
    ghosts: tuple[str, ...] = ()
    clock_jump_s: float = 0.0
    workers_whole: bool = True
    unread_queues: Mapping[QueueKey, float] = field(default_factory=dict)
    unread_workers: Mapping[str, float] = field(default_factory=dict)

    def read_at(self, one: Queue | Worker) -> float:
        """When an object was read (Redis's clock): at ``taken_at`` unless this poll left it out."""
        if isinstance(one, Queue):
            return self.unread_queues.get(one.key, self.taken_at)
        return self.unread_workers.get(one.id, self.taken_at)

    def last_beat_age_s(self, worker: Worker) -> float | None:
        """Seconds from a worker's last heartbeat to the moment it was read, None if unknown."""
        return worker.last_beat_age_s(self.read_at(worker))

    def oldest_pending_age_s(self, queue: Queue) -> float | None:
        """Seconds that a queue's oldest pending task had waited when the queue was read."""
        return queue.oldest_pending_age_s(self.read_at(queue))

    def queue(self, key: QueueKey) -> Queue | None:
        """The queue with this identity, if it was seen."""
        return next((queue for queue in self.queues if queue.key == key), None)

    def worker(self, worker_id: str) -> Worker | None:
        """The worker with this id, if it was seen."""
        return next((worker for worker in self.workers if worker.id == worker_id), None)


class DayCount(NamedTuple):
    """The counters of one UTC day (``YYYY-MM-DD``), as they stand in Redis.

    ``None`` where a counter cannot be read.
    """

    day: str
    processed: int | None
    failed: int | None


class LogLine(NamedTuple):
    """One line of a worker's Python process. ``text`` is raw and may hold ANSI escapes."""

    seq: int
    text: str
    source: str | None = None
    at: float | None = None


class LogBatch(NamedTuple):
    """Lines with ``seq`` above the one asked for; ``missed`` counts lines that were trimmed.

    ``exists`` is false where the worker has no log key: a quiet or an asynq worker. ``problem``:
    why the log, or a part of it, cannot be read.
    """

    lines: tuple[LogLine, ...] = ()
    missed: int = 0
    exists: bool = True
    undecodable: int = 0
    problem: str | None = None
