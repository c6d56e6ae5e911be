"""What is remembered changes no answer: a reader that goes on sees what a fresh one sees."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import redis
from redis.exceptions import ResponseError

from runqy_tui.model import Queue, Snapshot, Worker
from runqy_tui.redis.reader import RedisReader
from tests.conftest import OpenReader
from tests.support import dialect_writers

NAMES = ("a.high", "a.low", "b.default", "c")
IDS = ("w:1", "w:2", "w:3")
_TRIES = 3
"""A hash may expire, or a worker fall silent, between the one reader's look and the other's."""


def change(writer: redis.Redis, pick: random.Random) -> None:
    """One thing that some program may do."""
    name, worker_id = pick.choice(NAMES), pick.choice(IDS)
    key, own = f"asynq:{{{name}}}:", f"asynq:workers:{worker_id}"
    now = dialect_writers.now_of(writer)
    served = " ".join(f"{one}:1" for one in pick.sample(NAMES, 2))
    steps: tuple[Any, ...] = (
        lambda: dialect_writers.pending(writer, name, f"t{pick.random()}", since=now - 50),
        lambda: writer.rpop(key + "pending"),
        lambda: writer.lpush(key + "active", "x"),
        lambda: writer.delete(key + "active"),
        lambda: writer.zadd(key + "retry", {f"r{pick.randrange(3)}": now + pick.randrange(99)}),
        lambda: writer.delete(key + "retry"),
        lambda: writer.zadd(key + "archived", {"a": now}),
        lambda: writer.incr(key + "processed"),
        lambda: writer.incr(key + "failed"),
        lambda: writer.set(key + "paused", int(now)),
        lambda: writer.delete(key + "paused"),
        lambda: writer.sadd(key + "groups", "g") and writer.zadd(key + "g:g", {"x": 1, "y": 2}),
        lambda: writer.delete(key + "groups", key + "g:g"),
        lambda: writer.delete(key + "pending") and writer.set(key + "pending", "text"),
        lambda: writer.delete(key + "pending"),
        lambda: writer.delete(key + "failed") and writer.hset(key + "failed", "of", "another"),
        lambda: dialect_writers.worker(
            writer, worker_id, now - pick.randrange(40), f"map[{served}]"
        ),
        lambda: dialect_writers.worker(
            writer, worker_id, now, f"map[{served}]", metrics='{"cpu_percent":1}'
        ),
        lambda: writer.pexpire(own, pick.randrange(15_000, 30_000)),
        lambda: writer.hset(own, "healthy", pick.randrange(2)),
        lambda: writer.hset(own, "recovery", '{"a":{"state":"recovering"}}'),
        lambda: writer.delete(own),
        lambda: dialect_writers.server(writer, "h:1:u", now, {name: 2}),
        lambda: writer.delete("asynq:servers:{h:1:u}"),
    )
    with suppress(ResponseError):  # of a key that another step gave another type
        pick.choice(steps)()


def comparable(snapshot: Snapshot) -> tuple[list[Queue], list[Worker], set[str]]:
    """All of it, but for what depends on the moment or on what earlier polls have seen."""
    queues = [
        replace(
            queue,
            dialect=None,
            oldest_pending_since=None,
            oldest_estimated=False,
            succeeded_today=None,
            succeeded_total=None,
        )
        for queue in snapshot.queues
        if queue.registered  # an emptied one is forgotten by who has known it
    ]
    workers = [
        replace(
            worker,
            clock_offset_s=None,
        )
        for worker in snapshot.workers
        if worker.state.consumes
    ]
    return queues, workers, {warning for warning in snapshot.warnings if "another type" in warning}


@pytest.mark.parametrize("seed", range(4))
async def test_a_reader_that_goes_on_sees_the_same(
    writer: redis.Redis, reader_of: OpenReader, seed: int
) -> None:
    pick = random.Random(seed)
    for name in NAMES:  # one outside the index is looked for once a minute
        dialect_writers.queue(writer, name)
    reader = await reader_of()
    for _ in range(40):
        for _ in range(pick.randrange(1, 5)):
            change(writer, pick)
        for _ in range(_TRIES):
            fresh = await reader_of()
            ours, theirs = comparable(await twice(reader)), comparable(await twice(fresh))
            await fresh.close()
            if ours == theirs:
                break
        for mine, yours in zip(ours, theirs, strict=True):
            assert mine == yours


async def twice(reader: RedisReader) -> Snapshot:
    """What hangs on an earlier reply is known with the second poll."""
    await reader.overview()
    return await reader.overview()
