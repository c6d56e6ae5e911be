"""Conditions made on a real Redis and found again, and a healthy fleet that is left in peace."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from redis import Redis

from runqy_tui.diagnosis.findings.detector_context import Thresholds
from runqy_tui.redis.reader import RedisReader
from tests.integration.diagnosis.findings.diagnose_once import Observer, sentences_of
from tests.support import dialect_writers

HERE = "gpu-1:4312"


def healthy(writer: Redis) -> float:
    """Two runqy workers, an asynq server, tasks in every state that is in order."""
    now = dialect_writers.now_of(writer)
    idle = {"state": "idle", "consecutive_fails": 0, "total_restarts": 4}
    dialect_writers.worker(
        writer, HERE, now, "map[a.high:10 a.low:1]", recovery=json.dumps({"a": idle})
    )
    dialect_writers.worker(writer, "gpu-2:1", now - 4, "map[a:0 b:0]", status="bootstrapping")
    dialect_writers.server(writer, "app:7:uuid", now, {"mail": 1})
    dialect_writers.pending(writer, "a.high", "p-1", "p-2", since=now - 20)
    dialect_writers.pending(writer, "mail", "m-1", since=now - 1)
    dialect_writers.queue(writer, "idle.default")
    active(writer, "a.low", "t-1", lease=now + 90)
    scored(writer, "a.low", "retry", "r-1", now + 100)
    scored(writer, "mail", "scheduled", "s-1", now + 3_600)
    scored(writer, "a.high", "archived", "x-1", now + 86_400)
    return now


def active(writer: Redis, queue: str, task_id: str, lease: float | None) -> None:
    dialect_writers.queue(writer, queue)
    dialect_writers.task(writer, queue, task_id, state="active")
    writer.lpush(f"asynq:{{{queue}}}:active", task_id)
    if lease is not None:
        writer.zadd(f"asynq:{{{queue}}}:lease", {task_id: lease})


def scored(writer: Redis, queue: str, state: str, task_id: str, score: float) -> None:
    dialect_writers.queue(writer, queue)
    dialect_writers.task(writer, queue, task_id, state=state)
    writer.zadd(f"asynq:{{{queue}}}:{state}", {task_id: score})


def degraded(writer: Redis, now: float) -> None:
    entry = {"state": "degraded", "consecutive_fails": 3, "total_restarts": 2}
    dialect_writers.worker(writer, HERE, now, "map[a.high:10 a.low:1]", healthy=0,
                 recovery=json.dumps({"a": entry}))  # fmt: skip
    writer.delete("asynq:workers:gpu-2:1")
    writer.zrem("asynq:workers", "gpu-2:1")


def recovering(writer: Redis, now: float) -> None:
    entry = {"state": "recovering", "consecutive_fails": 1, "total_restarts": 2}
    dialect_writers.worker(
        writer, "gpu-9:1", now, "map[z.high:10]", recovery=json.dumps({"z": entry})
    )


def stopped(writer: Redis, now: float) -> None:
    writer.zrem("asynq:workers", HERE)
    writer.hset(f"asynq:workers:{HERE}", "status", "stopped")
    writer.delete("asynq:workers:gpu-2:1")
    writer.zrem("asynq:workers", "gpu-2:1")


def deep(writer: Redis, now: float) -> None:
    dialect_writers.pending(writer, "a.high", *(f"n-{at}" for at in range(40)), since=now - 5)


def capped(writer: Redis, now: float) -> None:
    members: dict[str, float] = {f"x-{at}": now for at in range(25)}
    writer.zadd("asynq:{mail}:archived", members)
    writer.zadd("asynq:{a.low}:archived", members)


def braceless(writer: Redis, now: float) -> None:
    dialect_writers.put(writer, "asynq:t:b-1", {"type": "a", "queue": "a_low", "payload": "{}"})
    writer.lpush("asynq:a_low:pending", "b-1")


CONDITIONS: dict[str, tuple[Callable[[Redis, float], object], dict[str, str]]] = {
    "degraded": (
        degraded,
        {
            f"worker-degraded {HERE}": "critical",
            "queue-unhealthy-consumers a.high": "critical",
            "queue-unhealthy-consumers a.low": "critical",
            "task-held-by-degraded a.low": "warning",
        },
    ),
    "recovering": (recovering, {"worker-recovering gpu-9:1": "warning"}),
    "lost": (
        lambda writer, now: writer.zadd("asynq:workers", {"gpu-3:7": int(now) - 60 + 1800}),
        {"worker-lost gpu-3:7": "critical"},
    ),
    "lost for an hour": (
        lambda writer, now: writer.zadd("asynq:workers", {"gpu-3:7": int(now) - 3600 + 1800}),
        {"worker-lost gpu-3:7": "warning"},
    ),
    "lost for two days": (
        lambda writer, now: writer.zadd("asynq:workers", {"gpu-3:7": int(now) - 172_800 + 1800}),
        {},
    ),
    "stale": (
        lambda writer, now: dialect_writers.worker(writer, "gpu-3:7", now - 90, "map[z:1]"),
        {"worker-stale gpu-3:7": "warning"},
    ),
    "clock": (
        lambda writer, now: dialect_writers.worker(writer, "gpu-3:7", now + 60, "map[z:1]"),
        {"worker-clock-off gpu-3:7": "warning"},
    ),
    "unreadable": (
        lambda writer, now: dialect_writers.worker(
            writer, "gpu-3:7", now, "map[z:1]", metrics="no json"
        ),
        {"worker-unreadable gpu-3:7": "warning"},
    ),
    "no consumer": (
        lambda writer, now: dialect_writers.pending(
            writer, "legacy.import", "l-1", since=now - 9_000
        ),
        {"queue-no-consumer legacy.import": "critical"},
    ),
    "stopped": (
        stopped,
        {"queue-no-consumer a.high": "critical", "queue-no-consumer a.low": "warning"},
    ),
    "old": (
        lambda writer, now: dialect_writers.pending(writer, "a.low", "o-1", since=now - 900),
        {"queue-old-pending a.low": "warning"},
    ),
    "deep": (deep, {"queue-deep a.high": "warning"}),
    "paused in asynq": (
        lambda writer, now: writer.set("asynq:{mail}:paused", int(now) - 60),
        {"queue-paused mail": "warning"},
    ),
    "paused in runqy": (
        lambda writer, now: writer.set("asynq:{a.low}:paused", int(now) - 60),
        {"queue-paused a.low": "warning"},
    ),
    "capped": (capped, {"queue-archive-cap mail": "warning"}),
    "stuck": (
        lambda writer, now: scored(writer, "a.low", "retry", "r-2", now - 120),
        {"queue-stuck-retries a.low": "warning"},
    ),
    "past due": (
        lambda writer, now: scored(writer, "a.low", "scheduled", "s-2", now - 120),
        {"queue-past-due-scheduled a.low": "warning"},
    ),
    "braceless": (
        braceless,
        {"queue-braceless a_low": "warning"},
    ),
    "unregistered": (
        lambda writer, now: writer.srem("asynq:queues", "a.high"),
        {"queue-unregistered a.high": "warning"},
    ),
    "no lease": (
        lambda writer, now: active(writer, "a.low", "t-2", None),
        {"task-orphaned a.low": "warning"},
    ),
    "a lease long over": (
        lambda writer, now: active(writer, "a.low", "t-2", now - 40),
        {"task-orphaned a.low": "warning"},
    ),
    "a lease just over": (lambda writer, now: active(writer, "a.low", "t-2", now - 10), {}),
    "dangling": (
        lambda writer, now: writer.lpush("asynq:{a.high}:pending", "no-hash"),
        {"task-dangling a.high": "warning"},
    ),
    "pending timeout": (
        lambda writer, now: writer.hset("asynq:{a.high}:t:p-1", "pending_timeout", 21),
        {"task-pending-timeout a.high": "warning"},
    ),
    "over its deadline": (
        lambda writer, now: writer.hset(
            "asynq:{a.low}:t:t-1",
            "msg",
            dialect_writers.message(type="t", id="t-1", deadline=int(now) - 90),
        ),
        {"task-over-timeout a.low": "warning"},
    ),
}


async def test_a_healthy_fleet_has_no_findings(writer: Redis, reader: RedisReader) -> None:
    healthy(writer)
    observer = Observer(reader)
    for _ in range(3):
        assert await observer.poll() == ()


@pytest.mark.parametrize("name", list(CONDITIONS))
async def test_conditions(writer: Redis, reader: RedisReader, name: str) -> None:
    break_it, expected = CONDITIONS[name]
    break_it(writer, healthy(writer))
    limits = Thresholds(depth=40, archive_cap=25)
    assert await sentences_of(reader, thresholds=limits) == expected


async def test_a_server_that_evicts_and_is_nearly_full(writer: Redis, reader: RedisReader) -> None:
    healthy(writer)
    observer = Observer(reader)
    await observer.poll()
    used = int(writer.info("memory")["used_memory"])
    try:
        writer.config_set("maxmemory-policy", "allkeys-lru")
        writer.config_set("maxmemory", int(used * 1.05))
        fill(writer)
        spoken: dict[str, str] = {}
        for _ in range(6):  # INFO is asked at each fifth poll
            spoken |= {f.detector: f.severity.name.lower() for f in await observer.poll()}
    finally:
        writer.config_set("maxmemory", 0)
        writer.config_set("maxmemory-policy", "noeviction")
    assert spoken["redis-evicting"] == "critical"
    assert spoken["redis-memory"] == "warning"


def fill(writer: Redis) -> None:
    """Write more than fits, so that keys must go."""
    for at in range(3_000):
        writer.set(f"filler:{at}", b"x" * 1_000)


async def test_refused_writes(writer: Redis, reader: RedisReader) -> None:
    healthy(writer)
    try:
        writer.config_set("maxmemory", 1)
        spoken = await sentences_of(reader)
    finally:
        writer.config_set("maxmemory", 0)
    assert [one.partition(" ")[0] for one in spoken] == ["redis-writes-blocked"]
