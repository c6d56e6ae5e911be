"""Every question a reader answers, asked of one and gathered for a comparison."""

from __future__ import annotations

from typing import Any

import redis

from runqy_tui.model import CheckWindow, TaskState
from runqy_tui.redis.reader import RedisReader
from tests.support import dialect_writers

NOW = 1_795_500_000.0


async def everything(reader: RedisReader) -> dict[str, Any]:
    """The answers by question; of the polls' the last, without what tells the servers apart."""
    for _ in range(3):
        snapshot = await reader.overview()
    # A snapshot compares by identity: its parts are what counts.
    parts = ("taken_at", "queues", "workers", "warnings", "ghosts")
    found: dict[str, Any] = {name: getattr(snapshot, name) for name in parts}
    ids = {"no-such-task"}
    for queue in snapshot.queues:
        found[f"daily {queue.key}"] = await reader.daily_counts(queue.key)
        for state in TaskState:
            for newest_first in (True, False):
                page = await reader.page(queue.key, state, newest_first=newest_first)
                found[f"page {queue.key} {state} {newest_first}"] = page
            for row in page.rows:
                ids.add(row.id)
                place = (queue.key, state, row.id)
                found[f"position {place}"] = await reader.position(*place)
                found[f"task {place}"] = await reader.task(row.id, queue.key)
    for task_id in sorted(ids):
        found[f"find {task_id}"] = await reader.task(task_id)
    windows = [CheckWindow(q.key, state, 0, 20) for q in snapshot.queues for state in TaskState]
    found["audit"] = await reader.check_tasks(windows)
    found["fates"] = await reader.read_outcomes(
        [(queue.key, task_id) for queue in snapshot.queues for task_id in sorted(ids)]
    )
    for worker in snapshot.workers:
        found[f"logs {worker.id}"] = await reader.logs(worker.id)
        found[f"active {worker.id}"] = await reader.active_tasks(worker.id)
    return found


def populate(writer: redis.Redis) -> None:
    """All dialects and states, on all nodes; queue names that leave the hash tag empty, too."""
    for number in range(6):
        name = f"p{number % 3}.q{number}"
        dialect_writers.pending(writer, name, f"a{number}", f"b{number}", since=NOW - 60 - number)
        dialect_writers.task(writer, name, f"run{number}", state="active")
        writer.lpush(f"asynq:{{{name}}}:active", f"run{number}")
        writer.zadd(f"asynq:{{{name}}}:lease", {f"run{number}": NOW + 30})
        for state in ("retry", "scheduled", "archived", "completed"):
            dialect_writers.task(writer, name, f"{state}{number}", state=state, error_msg="boom")
            writer.zadd(f"asynq:{{{name}}}:{state}", {f"{state}{number}": NOW + number})
        writer.hset(f"asynq:t:a{number}", "queue", name)
        writer.set(f"asynq:{{{name}}}:processed", number)
        writer.set(f"asynq:{{{name}}}:failed", 1)
        dialect_writers.worker(writer, f"gpu-{number}:1", NOW, f"map[{name}:1]")
        writer.rpush(
            f"asynq:workers:gpu-{number}:1:logs",
            dialect_writers.log_line(1),
            dialect_writers.log_line(3),
        )
        writer.lpush(f"asynq:plain{number}:pending", f"d{number}")
        writer.hset(f"asynq:t:d{number}", mapping={"payload": "x", "queue": f"plain{number}"})
        writer.set(f"asynq:result:d{number}", "r")
    writer.zadd("asynq:workers", {"lost:1": NOW})
    writer.hset("asynq:workers:ghost:1", "status", "stopped")
    dialect_writers.server(writer, "host:7:uuid", NOW, {"p0.q0": 1})
    writer.hset("asynq:workers:{host:7:uuid}", "t1", b"\x22\x02t1")
    writer.sadd("asynq:{p0.q0}:groups", "g1", "g2")
    writer.zadd("asynq:{p0.q0}:g:g1", {"a0": 1, "b0": 2})
    big = dialect_writers.message(type="t", payload=b"p" * 400_000, retry=1, timeout=60)
    dialect_writers.task(writer, "p1.q1", "big", msg=big, state="pending")
    writer.lpush("asynq:{p1.q1}:pending", "big")
    for name in ("", "}x", "a b:{c}"):
        dialect_writers.pending(writer, name, "odd", since=NOW - 5)
        for counter in ("paused", "processed", "failed"):
            writer.set(f"asynq:{{{name}}}:{counter}", "7")
    writer.set("asynq:{p2.q2}:retry", "no sorted set")
    writer.lpush("asynq:{hidden}:pending", "h1")
