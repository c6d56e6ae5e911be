"""Durations observed on a real server, by the poller itself."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic

from redis import Redis

from runqy_tui.diagnosis.diagnoser import Diagnoser, Diagnosis
from runqy_tui.model import QueueKey
from runqy_tui.monitor.poller import Poller, PollResult
from runqy_tui.redis.reader import open_reader
from tests.support import dialect_writers

INTERVAL_S = 0.2
SECONDS = 1.5
NAME = "inference.low"
KEY = QueueKey(NAME)


def start(writer: Redis, task_id: str) -> None:
    """As a worker takes a task."""
    dialect_writers.task(writer, NAME, task_id, state="active")
    with writer.pipeline() as pipe:
        pipe.zadd(f"asynq:{{{NAME}}}:lease", {task_id: dialect_writers.now_of(writer) + 120})
        pipe.lpush(f"asynq:{{{NAME}}}:active", task_id)
        pipe.execute()


def finish(writer: Redis, task_id: str, *, store: bool) -> None:
    """As a worker completes a task; without storage its hash is deleted."""
    key, now = f"asynq:{{{NAME}}}:t:{task_id}", dialect_writers.now_of(writer)
    with writer.pipeline() as pipe:
        if store:
            pipe.hset(key, mapping={"state": "completed", "completed_at": int(now)})
            pipe.zadd(f"asynq:{{{NAME}}}:completed", {task_id: int(now) + 86_400})
        else:
            pipe.delete(key)
        pipe.lrem(f"asynq:{{{NAME}}}:active", 0, task_id)
        pipe.zrem(f"asynq:{{{NAME}}}:lease", task_id)
        pipe.incr(f"asynq:{{{NAME}}}:processed")
        pipe.execute()


async def test_the_median_is_within_the_interval(redis_url: str, writer: Redis) -> None:
    dialect_writers.queue(writer, NAME)
    dialect_writers.worker(writer, "gpu-1:1", dialect_writers.now_of(writer), f"map[{NAME}:1]")
    known: list[Diagnosis] = []

    async def publish(result: PollResult) -> None:
        assert result.error is None
        assert result.diagnosis is not None
        known.append(result.diagnosis)

    poller = Poller(lambda: open_reader(redis_url), publish, INTERVAL_S, Diagnoser())
    start(writer, "before")  # was active before anybody looked: counts nowhere
    running = asyncio.create_task(poller.run())
    try:
        await asyncio.sleep(3 * INTERVAL_S)
        finish(writer, "before", store=True)
        true: list[float] = []
        for number in range(6):
            began = monotonic()
            start(writer, f"t{number}")
            await asyncio.sleep(SECONDS)
            finish(writer, f"t{number}", store=number % 2 == 0)
            true.append(monotonic() - began)
            await asyncio.sleep(0.07)
        await asyncio.sleep(4 * INTERVAL_S)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    found = known[-1].durations[KEY]
    assert found.count == len(true)
    assert found.plus_minus_s <= 2 * INTERVAL_S  # a poll on a busy machine comes late
    assert abs(found.p50_s - sorted(true)[3]) <= INTERVAL_S
    trend = known[-1].trends[KEY]
    assert trend.done_per_s is not None
    assert 0.4 < trend.done_per_s < 1
