"""What a detector may read: a snapshot, its recent past, checked tasks and thresholds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property
from typing import NamedTuple

from runqy_tui.model import (
    CheckedTask,
    Queue,
    QueueKey,
    Snapshot,
    TaskState,
    WindowCheck,
    Worker,
    WorkerState,
)
from runqy_tui.observation.history import History

SERVER_SPAN_S = 300.0
_MAX_SERVER_POLLS = 600


class Thresholds(NamedTuple):
    """Limits from which detectors report. Seconds, counts and shares (0 to 1)."""

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


class Cause(Enum):
    """Why no worker takes the pending tasks of a queue."""

    NO_CONSUMER = auto()
    BRACELESS = auto()
    UNHEALTHY = auto()
    PAUSED = auto()


class ServerPoll(NamedTuple):
    """The server at one poll: keys evicted since it started, milliseconds per round trip."""

    at: float
    evicted_keys: int | None = None
    trip_ms: float | None = None


class ServerHistory:
    """The server at the polls of the last five minutes, at most 600."""

    def __init__(self, span_s: float = SERVER_SPAN_S) -> None:
        self._span_s = span_s
        self._polls: deque[ServerPoll] = deque(maxlen=_MAX_SERVER_POLLS)

    def observe(self, snapshot: Snapshot) -> None:
        """Add a poll. If Redis's clock went back, everything before it is dropped."""
        redis, health = snapshot.redis, snapshot.health
        if self._polls and snapshot.taken_at < self._polls[-1].at:
            self._polls.clear()
        self._polls.append(
            ServerPoll(
                at=snapshot.taken_at,
                evicted_keys=None if health is None else health.evicted_keys,
                trip_ms=redis.elapsed_ms / redis.round_trips if redis.round_trips else None,
            )
        )
        while self._polls[0].at < snapshot.taken_at - self._span_s:
            self._polls.popleft()

    @property
    def polls(self) -> Sequence[ServerPoll]:
        """The polls, oldest first; the last is the present one."""
        return tuple(self._polls)


class ActiveTimes:
    """When tasks at the old end of the active lists were first seen active.

    A task that the checks no longer show active is forgotten: it may come back for another try.
    """

    def __init__(self) -> None:
        self._since: dict[tuple[QueueKey, str], float] = {}

    def observe(self, checks: Iterable[WindowCheck]) -> None:
        """Update from the latest check of each window."""
        since: dict[tuple[QueueKey, str], float] = {}
        for check in checks:
            window = check.window
            if window.state is not TaskState.ACTIVE or window.offset:
                continue  # windows further on are read too seldom to tell one try from two
            for task in check.tasks:
                if task.state is TaskState.ACTIVE:
                    key = (window.queue, task.id)
                    first = min(self._since.get(key, check.taken_at), check.taken_at)
                    since[key] = max(first, task.last_failed_at or 0.0)
        self._since = since

    @property
    def since(self) -> Mapping[tuple[QueueKey, str], float]:
        """When each task that is still active was first seen so, by Redis's clock."""
        return self._since


class TimedCheck(NamedTuple):
    """A checked task and when it was checked, by Redis's clock."""

    task: CheckedTask
    at: float


class CheckedState(NamedTuple):
    """The checked tasks of one state of one queue; ``complete``: these are all its tasks."""

    queue: Queue
    state: TaskState
    checks: tuple[TimedCheck, ...]
    complete: bool

    def number(self, count: int) -> str:
        """Format a count among the checked tasks: ``3``, ``at least 3`` if not all were checked."""
        return f"{count:,}" if self.complete else f"at least {count:,}"


def checked_states(snapshot: Snapshot, checks: Iterable[WindowCheck]) -> Iterator[CheckedState]:
    """Group checks by queue and state, each task once and by its latest check.

    Checks of a state that has emptied since are left out.
    """
    latest: dict[tuple[QueueKey, TaskState], dict[str, TimedCheck]] = {}
    totals: dict[tuple[QueueKey, TaskState], int] = {}
    queues = {queue.key: queue for queue in snapshot.queues}
    for check in sorted(checks, key=lambda check: check.taken_at):
        queue, state = queues.get(check.window.queue), check.window.state
        if queue is None or queue.counts.of(state) == 0:
            continue
        totals[queue.key, state] = check.total
        tasks = latest.setdefault((queue.key, state), {})
        for task in check.tasks:
            tasks[task.id] = TimedCheck(task, check.taken_at)
    for (key, state), tasks in latest.items():
        yield CheckedState(
            queues[key], state, tuple(tasks.values()), len(tasks) >= totals[key, state]
        )


@dataclass(frozen=True)
class DetectorContext:
    """Everything that detectors may read.

    ``checks``: the latest of each window. ``server_polls``: the server at the last polls, oldest
    first. ``active_since``: when each task was first seen active, by Redis's clock; it may have
    been active for longer. ``causes`` is a cache of
    :func:`runqy_tui.diagnosis.findings.causes.cause_of`.
    """

    snapshot: Snapshot
    history: History
    checks: Sequence[WindowCheck] = ()
    thresholds: Thresholds = field(default_factory=Thresholds)
    server_polls: Sequence[ServerPoll] = ()
    active_since: Mapping[tuple[QueueKey, str], float] = field(default_factory=dict)
    causes: dict[QueueKey, Cause | None] = field(default_factory=dict)

    @property
    def now(self) -> float:
        """Redis's clock at the poll, in unix seconds."""
        return self.snapshot.taken_at

    @cached_property
    def workers(self) -> Mapping[str, Worker]:
        """Workers by id."""
        return {worker.id: worker for worker in self.snapshot.workers}

    def in_state(self, state: WorkerState) -> Sequence[Worker]:
        """Return the workers in this state, in the snapshot's order."""
        return self._by_state.get(state, ())

    @cached_property
    def _by_state(self) -> Mapping[WorkerState, Sequence[Worker]]:
        found: dict[WorkerState, list[Worker]] = {}
        for worker in self.snapshot.workers:
            found.setdefault(worker.state, []).append(worker)
        return found

    def checked(self, *states: TaskState) -> list[CheckedState]:
        """The checked tasks in these states, by queue and state."""
        return [group for group in self._checked if group.state in states]

    @cached_property
    def _checked(self) -> Sequence[CheckedState]:
        return tuple(checked_states(self.snapshot, self.checks))

    @cached_property
    def former_consumers(self) -> Mapping[str, Sequence[Worker]]:
        """Workers that no longer consume (lost, stale, stopped), by each queue that they list."""
        found: dict[str, list[Worker]] = {}
        for worker in self.snapshot.workers:
            if not worker.state.consumes:
                for name in worker.queues:
                    found.setdefault(name, []).append(worker)
        return found
