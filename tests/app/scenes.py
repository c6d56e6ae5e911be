"""What programs wrote into the tests' server: small fleets for the screens to show."""

from __future__ import annotations

import json
from typing import Any

from redis import Redis

from tests.support import dialect_writers

GIB = 1024**3
TRACEBACK = """Traceback (most recent call last):
  File "/srv/worker.py", line 12, in run
    return handle(payload)
  File "/srv/handler.py", line 7, in handle
    raise ValueError("the image has no alpha channel")
ValueError: the image has no alpha channel
"""
PAYLOAD = {"prompt": "a red bicycle", "steps": 30, "big": 12345678901234567890}
"""What the task of :func:`full_task` carries."""


def small_fleet(writer: Redis) -> float:
    """Three workers and four queues, some of them in trouble; gives Redis's time."""
    now = dialect_writers.now_of(writer)
    dialect_writers.worker(
        writer, "fine:1", now, "map[alpha.high:10 alpha.low:1]", metrics=metrics()
    )
    sick = {"beta": {"state": "degraded", "consecutive_fails": 3, "total_restarts": 2}}
    dialect_writers.worker(
        writer, "sick:2", now, "map[beta.default:1]", healthy=0, recovery=json.dumps(sick)
    )
    lost(writer, "lost:3", now - 60)
    dialect_writers.pending(writer, "alpha.high", "high-1", "high-2", since=now - 5)
    dialect_writers.pending(
        writer, "alpha.low", *(f"low-{at:02}" for at in range(30)), since=now - 30
    )
    dialect_writers.pending(writer, "beta.default", "beta-1", since=now - 20)
    dialect_writers.queue(writer, "idle.default")
    retry(writer, "alpha.low", "again-1", now + 500)
    archived(writer, "beta.default", "dead-1", now, "boom: the disk is full")
    return now


def metrics(cpu: float = 55.2, gpu: float = 97.0) -> str:
    """What a worker says of its machine."""
    return json.dumps(
        {
            "cpu_percent": cpu,
            "memory_used_bytes": 12 * GIB,
            "memory_total_bytes": 16 * GIB,
            "gpus": [
                {
                    "index": 0,
                    "name": "Model X",
                    "utilization_percent": gpu,
                    "memory_used_mb": 20_000,
                    "memory_total_mb": 24_000,
                    "temperature_c": 71,
                }
            ],
            "collected_at": 1,
        }
    )


def lost(writer: Redis, worker_id: str, last_beat: float) -> None:
    """A member of the index without a hash."""
    writer.zadd("asynq:workers", {worker_id: int(last_beat) + 1800})


def retry(writer: Redis, queue: str, task_id: str, at: float) -> None:
    """A task that waits for its next try."""
    dialect_writers.queue(writer, queue)
    dialect_writers.task(writer, queue, task_id, state="retry", retried=1)
    writer.zadd(f"asynq:{{{queue}}}:retry", {task_id: at})


def archived(writer: Redis, queue: str, task_id: str, at: float, error: str | bytes) -> None:
    """A task that failed for good."""
    dialect_writers.queue(writer, queue)
    failed: dict[str, Any] = {"last_failed_at": int(at) - 10, "error_msg": error, "retried": 3}
    dialect_writers.task(writer, queue, task_id, state="archived", **failed)
    writer.zadd(f"asynq:{{{queue}}}:archived", {task_id: at + 3600})


def many_pending(writer: Redis, queue: str, count: int, *, name: str = "task-{:06}") -> list[str]:
    """A long queue, the first id the oldest; written in a few round trips."""
    dialect_writers.queue(writer, queue)
    ids = [name.format(at) for at in range(count)]
    for start in range(0, count, 10_000):
        with writer.pipeline(transaction=False) as pipe:
            some = ids[start : start + 10_000]
            for task_id in some:
                pipe.hset(
                    f"asynq:{{{queue}}}:t:{task_id}",
                    mapping={"state": "pending", "msg": _message(task_id, queue)},
                )
            pipe.lpush(f"asynq:{{{queue}}}:pending", *some)
            pipe.execute()
    return ids


def _message(task_id: str, queue: str) -> bytes:
    return dialect_writers.message(type="t", id=task_id, queue=queue, payload=b'{"n":1}')


def move(writer: Redis, queue: str, task_id: str, old: str, new: str) -> None:
    """Let a worker take a task from one state to another, at once."""
    key = f"asynq:{{{queue}}}:"
    now = dialect_writers.now_of(writer)
    with writer.pipeline() as pipe:
        if old in ("pending", "active"):
            pipe.lrem(key + old, 1, task_id)
        else:
            pipe.zrem(key + old, task_id)
        pipe.hset(key + f"t:{task_id}", "state", new)
        pipe.hdel(key + f"t:{task_id}", "pending_since")
        if new in ("pending", "active"):
            pipe.lpush(key + new, task_id)
        else:
            pipe.zadd(key + new, {task_id: now + 3600})
        if new == "active":
            pipe.zadd(key + "lease", {task_id: now + 120})
        if new == "completed":
            pipe.hset(key + f"t:{task_id}", "completed_at", int(now))
        pipe.execute()


def full_task(writer: Redis) -> None:
    """One pending task that carries everything a task may carry."""
    dialect_writers.queue(writer, "a.default")
    message = dialect_writers.message(
        type="resize",
        id="the-task",
        queue="a.default",
        payload=json.dumps(PAYLOAD),
        retry=3,
        retried=1,
        timeout=90,
        headers=[{"key": b"trace", "value": b"abc-123"}],
    )
    extra = {"state": "pending", "result": '{"ok":true}', "error_msg": TRACEBACK}
    extra["pending_since"] = str(int((dialect_writers.now_of(writer) - 70) * 1e9))
    dialect_writers.task(writer, "a.default", "the-task", msg=message, **extra)
    writer.lpush("asynq:{a.default}:pending", "the-task")
