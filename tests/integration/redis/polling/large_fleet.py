"""A fleet that is too large for the budget of its reader: what the tests here look at."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest
import redis

from runqy_tui.model import Queue, QueueKey, Snapshot, Worker
from runqy_tui.redis.polling import budget
from runqy_tui.redis.reader import RedisReader
from tests.conftest import OpenReader
from tests.support import dialect_writers

QUEUES, WORKERS, BUDGET = 60, 120, 300
NAMES = [f"team{number % 7}.q{number:02}" for number in range(QUEUES)]


def beat(
    writer: Any, worker_id: str, now: float, served: Sequence[str] = NAMES[:2], **fields: Any
) -> None:
    """What a worker writes with each beat."""
    queues = " ".join(f"{name}:1" for name in served)
    dialect_writers.worker(writer, worker_id, now, f"map[{queues}]", **fields)
    writer.expire(f"asynq:workers:{worker_id}", 30)


def populate(writer: redis.Redis, now: float | None = None) -> None:
    """Quiet queues, and workers that have just beaten."""
    now = dialect_writers.now_of(writer) if now is None else now
    with writer.pipeline(transaction=False) as pipeline:
        for name in NAMES:
            dialect_writers.queue(pipeline, name)
        for number in range(WORKERS):
            beat(pipeline, f"host{number}:1", now)
        pipeline.execute()


def tick_by_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks at the budget does so a second after the last time."""
    seconds = count(1_000.0)
    monkeypatch.setattr(budget, "monotonic", lambda: next(seconds))


async def settled(reader: RedisReader) -> Snapshot:
    """The first poll in which it has to choose."""
    await reader.overview()
    return await reader.overview()


async def lean_reader(
    writer: redis.Redis, reader_of: OpenReader, budget: int = BUDGET
) -> RedisReader:
    """A reader of such a fleet that has begun to choose."""
    populate(writer)
    reader = await reader_of(budget=budget)
    await settled(reader)
    return reader


def due_now(reader: RedisReader) -> None:
    """As if six seconds had passed since everybody's last beat."""
    for one in reader._overview._workers._workers.values():
        one.due_at = 0.0


def queue_in(snapshot: Snapshot, name: str) -> Queue:
    """A queue that is there."""
    found = snapshot.queue(QueueKey(name))
    assert found is not None
    return found


def worker_in(snapshot: Snapshot, worker_id: str) -> Worker:
    """A worker that is there."""
    found = snapshot.worker(worker_id)
    assert found is not None
    return found


def unread(snapshot: Snapshot) -> set[str]:
    """Names of the queues that a poll left out."""
    return {key.name for key in snapshot.unread_queues}
