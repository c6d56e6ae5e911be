"""Small writers of the three dialects, for tests that need a state no capture has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from redis import Redis

from runqy_tui.redis.decoding import proto


def message(**fields: Any) -> bytes:
    """An encoded ``TaskMessage``; text may be ``str``."""
    given = {
        name: value.encode() if isinstance(value, str) else value for name, value in fields.items()
    }
    encoded: bytes = proto.TaskMessage(**given).SerializeToString()
    return encoded


def put(writer: Redis, key: str, fields: Mapping[str, Any]) -> None:
    """Write fields of a hash."""
    mapping: dict[Any, Any] = dict(fields)
    writer.hset(key, mapping=mapping)


def allow(writer: Any, user: str, rule: str) -> None:
    """Make a user with these rules, from nothing."""
    writer.execute_command("ACL", "SETUSER", user, "reset", *rule.split())


def forbid(writer: Any, user: str) -> None:
    """Remove a user."""
    writer.execute_command("ACL", "DELUSER", user)


def queue(writer: Redis, name: str | bytes) -> None:
    """Register a queue."""
    writer.sadd("asynq:queues", name)


def task(writer: Redis, name: str, task_id: str, **fields: Any) -> None:
    """The hash of a task, with a ``msg`` unless one is given."""
    fields.setdefault("msg", message(type="t", id=task_id, queue=name, payload=b"{}"))
    put(writer, f"asynq:{{{name}}}:t:{task_id}", fields)


def pending(writer: Redis, name: str, *task_ids: str, since: float | None = None) -> None:
    """Enqueue tasks, the first one first, waiting since the same moment."""
    queue(writer, name)
    for task_id in task_ids:
        extra = {} if since is None else {"pending_since": str(int(since * 1e9))}
        task(writer, name, task_id, state="pending", **extra)
        writer.lpush(f"asynq:{{{name}}}:pending", task_id)


def worker(
    writer: Redis, worker_id: str, now: float, queues: str, *, index: bool = True, **fields: Any
) -> None:
    """A runqy worker that has beaten at ``now``."""
    values: dict[str, Any] = {
        "worker_id": worker_id,
        "started_at": int(now) - 60,
        "last_beat": int(now),
        "concurrency": 4,
        "queues": queues,
        "status": "running",
        "healthy": 1,
    }
    put(writer, f"asynq:workers:{worker_id}", values | fields)
    if index:
        writer.zadd("asynq:workers", {worker_id: int(now) + 1800})


def server(
    writer: Redis, server_id: str, now: float, queues: dict[str, int], **fields: Any
) -> None:
    """An asynq server whose entry holds for ten more seconds."""
    host, pid, uuid = server_id.split(":")
    values: dict[str, Any] = {
        "host": host.encode(),
        "pid": int(pid),
        "server_id": uuid.encode(),
        "concurrency": 8,
        "status": b"active",
        "queues": [{"key": name.encode(), "value": rank} for name, rank in queues.items()],
    }
    info = proto.ServerInfo(**(values | fields))
    writer.set(f"asynq:servers:{{{server_id}}}", info.SerializeToString())
    writer.zadd("asynq:servers", {f"asynq:servers:{{{server_id}}}": now + 10})
    writer.zadd("asynq:workers", {f"asynq:workers:{{{server_id}}}": now + 10})


def log_line(seq: int, text: str = "line", **fields: Any) -> str:
    """A line of a worker's log."""
    return json.dumps({"ts": 1795484095421, "src": "stderr", "text": text, "seq": seq} | fields)


def now_of(writer: Redis) -> float:
    """The server's clock."""
    seconds, micros = writer.time()
    return float(seconds) + float(micros) / 1e6
