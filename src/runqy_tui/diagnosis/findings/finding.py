"""What a finding is, and what a detector gets to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from functools import cached_property
from typing import NamedTuple

from runqy_tui.diagnosis.findings.checked_tasks import Listed, listed
from runqy_tui.model import QueueKey, Snapshot, TaskState, WindowCheck, Worker
from runqy_tui.model.severity import Severity
from runqy_tui.observation.history import History


class SubjectKind(StrEnum):
    """Kinds of objects that a finding is about."""

    WORKER = "worker"
    QUEUE = "queue"
    TASK = "task"
    REDIS = "redis"


class Cause(Enum):
    """Why pending tasks are not taken."""

    NO_CONSUMER = auto()
    BRACELESS = auto()
    UNHEALTHY = auto()
    PAUSED = auto()


class Subject(NamedTuple):
    """The object of a finding: a worker's id, a queue, a task of a queue, or the server.

    ``name`` is untrusted: the worker's or task's id, the queue's name, the server's address.
    """

    kind: SubjectKind
    name: str
    queue: QueueKey | None = None


class Evidence(NamedTuple):
    """One fact that a finding rests on: a Redis key, a field or command, and its value.

    All three are text for people, untrusted, and never hold a payload.
    """

    key: str
    field: str
    value: str


class Finding(NamedTuple):
    """One thing that is wrong.

    ``detector`` is a stable name such as ``worker-degraded``; with the subject it makes
    :attr:`id`. ``reason`` is a few words for a table's note; ``sentence`` says it all to a tired
    person; ``next_step`` is a command to run or a place to look. ``since`` is a unix second by
    Redis's clock: from the data where the data tells (``since_known``), else set by the tracker
    to when the finding was first seen. ``before_start``: it was there at the first poll, so it
    is at least that old. ``weight`` orders findings of one severity, the larger first.
    """

    detector: str
    severity: Severity
    subject: Subject
    reason: str
    sentence: str
    next_step: str
    evidence: tuple[Evidence, ...] = ()
    since: float | None = None
    since_known: bool = False
    before_start: bool = False
    acknowledged_at: float | None = None
    weight: float = 0.0

    @property
    def id(self) -> str:
        """Stable between polls: the detector and its subject.

        Tasks of one queue share a finding whose example changes: there the queue identifies it.
        """
        subject = self.subject
        braces = "" if subject.queue is None or subject.queue.braced else "~"
        queue = "" if subject.queue is None else f"{braces}{subject.queue.name}/"
        return f"{self.detector}:{queue}{'' if subject.kind is SubjectKind.TASK else subject.name}"


class Thresholds(NamedTuple):
    """Where a detector starts to speak. Seconds, counts and shares (0 to 1)."""

    oldest_pending_s: float = 300.0
    depth: int = 1_000
    growing_for_s: float = 300.0
    stuck_after_s: float = 60.0
    clock_off_s: float = 5.0
    orphan_after_s: float = 30.0
    lost_fresh_s: float = 1_800.0
    lost_old_s: float = 86_400.0
    archive_cap: int = 10_000
    failure_rate: float = 0.2
    failures_least: int = 5
    failure_window_s: float = 300.0
    memory_share: float = 0.9
    slow_trip_ms: float = 500.0
    pending_timeout_share: float = 0.8


class ServerPoint(NamedTuple):
    """What one poll saw of the server: evicted keys since its start, milliseconds per trip."""

    at: float
    evicted_keys: int | None = None
    trip_ms: float | None = None


@dataclass(frozen=True)
class DetectorContext:
    """Everything that detectors may look at.

    ``audits``: the latest of each window. ``server_past``: the last polls of the server, oldest
    first (:class:`~runqy_tui.diagnosis.findings.server_history.ServerHistory`). ``active_since``:
    when each task was first seen active; it may have been so for longer. ``causes`` is filled by
    whoever asks first (:func:`runqy_tui.diagnosis.findings.causes.cause_of`).
    """

    snapshot: Snapshot
    history: History
    audits: Sequence[WindowCheck] = ()
    thresholds: Thresholds = field(default_factory=Thresholds)
    server_past: Sequence[ServerPoint] = ()
    active_since: Mapping[tuple[QueueKey, str], float] = field(default_factory=dict)
    causes: dict[QueueKey, Cause | None] = field(default_factory=dict)

    @property
    def now(self) -> float:
        """Redis's clock at the poll."""
        return self.snapshot.taken_at

    @cached_property
    def workers(self) -> Mapping[str, Worker]:
        """Workers by id."""
        return {worker.id: worker for worker in self.snapshot.workers}

    def listed(self, *states: TaskState) -> list[Listed]:
        """What was looked at in these states."""
        return [group for group in self._listed if group.state in states]

    @cached_property
    def _listed(self) -> Sequence[Listed]:
        return tuple(listed(self.snapshot, self.audits))

    @cached_property
    def absent(self) -> Mapping[str, Sequence[Worker]]:
        """Workers that do not consume (lost, stale, stopped), by each queue name they listed."""
        found: dict[str, list[Worker]] = {}
        for worker in self.snapshot.workers:
            if not worker.state.consumes:
                for name in worker.queues:
                    found.setdefault(name, []).append(worker)
        return found
