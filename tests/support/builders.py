"""Objects of the model with plausible defaults, so that a test names only what it is about."""

from __future__ import annotations

import json
from typing import Any

from runqy_tui.model import (
    Counts,
    Dialect,
    Queue,
    QueueKey,
    RedisInfo,
    Snapshot,
    Task,
    Worker,
    WorkerState,
)

NOW = 1_795_483_734.5


def worker(
    name: str = "gpu-1:1",
    state: WorkerState = WorkerState.RUNNING,
    dialect: Dialect = Dialect.RUNQY,
    *,
    last_beat_age_s: float | None = 2.0,
    **fields: Any,
) -> Worker:
    """A worker whose last heartbeat was ``last_beat_age_s`` before NOW; None: unknown."""
    last_beat_at = None if last_beat_age_s is None else NOW - last_beat_age_s
    fields.setdefault("last_beat_at", last_beat_at)
    return Worker(id=name, dialect=dialect, state=state, **fields)


def queue(
    name: str = "inference.low",
    *,
    braced: bool = True,
    dialect: Dialect | None = Dialect.RUNQY,
    counts: Counts | None = None,
    oldest_pending_age_s: float | None = None,
    **fields: Any,
) -> Queue:
    """A queue that is empty by default; its oldest task waits ``oldest_pending_age_s`` at NOW."""
    if oldest_pending_age_s is not None:
        fields.setdefault("oldest_pending_since", NOW - oldest_pending_age_s)
    empty = Counts(0, 0, 0, 0, 0, 0, 0)
    return Queue(
        key=QueueKey(name, braced),
        dialect=dialect,
        counts=empty if counts is None else counts,
        **fields,
    )


def waiting(pending: int = 1, active: int = 0) -> Counts:
    """Counts of a queue where only these states are filled."""
    return Counts(pending, active, 0, 0, 0, 0, 0)


def snapshot(
    *,
    queues: tuple[Queue, ...] = (),
    workers: tuple[Worker, ...] = (),
    taken_at: float = NOW,
    **fields: Any,
) -> Snapshot:
    """An overview of a local server."""
    fields.setdefault("redis", RedisInfo("127.0.0.1:6379", "standalone", "7.2.4", 3, 1.25))
    return Snapshot(taken_at=taken_at, queues=queues, workers=workers, **fields)


def task(task_id: str = "id-1", name: str = "inference.low", **fields: Any) -> Task:
    """A task of which nothing but its place is known."""
    return Task(id=task_id, queue=QueueKey(name), taken_at=NOW, **fields)


def through_json(value: object) -> Any:
    """As a program sees it that reads our output."""
    return json.loads(json.dumps(value, allow_nan=False))
