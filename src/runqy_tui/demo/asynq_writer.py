"""Tasks as the asynq library (0.26) writes them, over a redis-py client or pipeline.

Unlike runqy: no reverse index, errors inside ``msg``, no expiry on task hashes, ``processed``
counts every attempt, ``archived`` is scored by the time of death, daily counters live 90 days.
"""

from __future__ import annotations

from dataclasses import replace

from redis import Redis
from redis.typing import EncodableT, FieldT

from runqy_tui.demo import task_writer
from runqy_tui.demo.task_writer import Message
from runqy_tui.model import QueueKey, TaskState
from runqy_tui.redis import keys
from runqy_tui.text.safe import encode

LEASE = 30.0
COUNTER_TTL = 90 * 86_400


def enqueue(client: Redis, message: Message, now: float, *, unique_ttl: float = 0.0) -> None:
    """A new task; with ``unique_ttl`` and ``message.unique_key`` also its lock."""
    fields: dict[FieldT, EncodableT] = {
        "msg": message.encode(),
        "state": "pending",
        "pending_since": str(int(now * 1e9)),
    }
    if unique_ttl:
        client.set(encode(message.unique_key), encode(message.id), ex=int(unique_ttl))
        fields["unique_key"] = encode(message.unique_key)
    client.sadd(keys.QUEUES, encode(message.queue))
    client.hset(task_writer.task_key(message.queue, message.id), mapping=fields)
    client.lpush(task_writer.state_key(message.queue, TaskState.PENDING), encode(message.id))


def aggregate(client: Redis, message: Message, now: float) -> None:
    """A task that waits in ``message.group``."""
    prefix = keys.queue_prefix(QueueKey(message.queue))
    client.sadd(keys.QUEUES, encode(message.queue))
    client.hset(
        task_writer.task_key(message.queue, message.id),
        mapping={
            "msg": message.encode(),
            "state": "aggregating",
            "group": encode(message.group),
        },
    )
    client.zadd(keys.group(QueueKey(message.queue), message.group), {encode(message.id): int(now)})
    client.sadd(prefix + b"groups", encode(message.group))


def pause(client: Redis, queue: str, now: float) -> None:
    """Pause a queue; asynq servers obey, runqy workers do not."""
    client.set(keys.queue_prefix(QueueKey(queue)) + b"paused", str(int(now)))


def count(client: Redis, queue: str, now: float, *, failed: bool) -> None:
    """Count an attempt: ``processed`` always, ``failed`` too where it failed."""
    for counter in ("processed", "failed") if failed else ("processed",):
        key = keys.queue_prefix(QueueKey(queue)) + counter.encode()
        client.incr(key)
        daily = key + b":" + task_writer.day(now).encode()
        client.incr(daily)
        client.expireat(daily, int(now) + COUNTER_TTL)


def complete(client: Redis, message: Message, now: float, result: bytes) -> None:
    """Finish a task: kept for its retention, deleted without one."""
    queue, task_id = message.queue, message.id
    task_writer.leave_active(client, queue, task_id)
    count(client, queue, now, failed=False)
    if not message.retention:
        client.delete(task_writer.task_key(queue, task_id))
        return
    done = replace(message, completed_at=int(now))
    fields: dict[FieldT, EncodableT] = {"msg": done.encode(), "state": "completed"}
    if result:
        fields["result"] = result
    client.hset(task_writer.task_key(queue, task_id), mapping=fields)
    client.zadd(
        task_writer.state_key(queue, TaskState.COMPLETED),
        {encode(task_id): int(now) + message.retention},
    )


def retry(client: Redis, message: Message, error: str, now: float, at: float) -> None:
    """Fail an attempt that will be repeated ``at``."""
    _fail(client, message, error, now, retried=message.retried + 1, state=TaskState.RETRY, score=at)


def archive(client: Redis, message: Message, error: str, now: float) -> None:
    """Fail for good; the score is when it died."""
    state = TaskState.ARCHIVED
    _fail(client, message, error, now, retried=message.retried, state=state, score=now)


def _fail(
    client: Redis,
    message: Message,
    error: str,
    now: float,
    *,
    retried: int,
    state: TaskState,
    score: float,
) -> None:
    queue, task_id = message.queue, message.id
    task_writer.leave_active(client, queue, task_id)
    count(client, queue, now, failed=True)
    failed = replace(message, retried=retried, error=error, last_failed_at=int(now))
    client.hset(
        task_writer.task_key(queue, task_id), mapping={"msg": failed.encode(), "state": state.value}
    )
    client.zadd(task_writer.state_key(queue, state), {encode(task_id): int(score)})
