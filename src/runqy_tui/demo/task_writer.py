"""Tasks as the runqy server and ``runqy-worker`` write them, over a redis-py client or pipeline."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError
from redis import Redis

from runqy_tui.model import QueueKey, TaskState
from runqy_tui.redis import keys
from runqy_tui.redis.decoding.proto import TaskMessage
from runqy_tui.text.safe import decode, encode


@dataclass(frozen=True, slots=True)
class Message:
    """A task. The defaults are those of the runqy server; ``type`` is then the queue's name."""

    id: str
    queue: str
    payload: bytes
    type: str = ""
    retry: int = 3
    retried: int = 0
    error: str = ""
    timeout: int = 600
    deadline: int = 0
    unique_key: str = ""
    last_failed_at: int = 0
    retention: int = 86_400
    completed_at: int = 0
    group: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The bytes of the hash field ``msg``."""
        data: bytes = TaskMessage(
            type=encode(self.type or self.queue),
            payload=self.payload,
            id=encode(self.id),
            queue=encode(self.queue),
            retry=self.retry,
            retried=self.retried,
            error_msg=encode(self.error),
            timeout=self.timeout,
            deadline=self.deadline,
            unique_key=encode(self.unique_key),
            last_failed_at=self.last_failed_at,
            retention=self.retention,
            completed_at=self.completed_at,
            group_key=encode(self.group),
            headers=[
                {"key": encode(name), "value": encode(value)}
                for name, value in self.headers.items()
            ],
        ).SerializeToString()
        return data

    def retried_as(self, retried: int) -> Message:
        """The message after a retry: ``runqy-worker`` writes only fields 1-6 again."""
        return Message(
            id=self.id,
            queue=self.queue,
            payload=self.payload,
            type=self.type,
            retry=self.retry,
            retried=retried,
            timeout=0,
            retention=0,
        )

    @classmethod
    def decode(cls, data: bytes, queue: str, task_id: str) -> Message:
        """Decode what a worker needs of a message; invalid data: a task without a payload."""
        try:
            found = TaskMessage.FromString(data)
        except DecodeError:
            found = TaskMessage()
        return cls(
            id=task_id,
            queue=queue,
            payload=found.payload,
            type=decode(found.type),
            retry=found.retry,
            retried=found.retried,
            timeout=found.timeout,
            retention=found.retention,
            headers={decode(item.key): decode(item.value) for item in found.headers},
        )

    @staticmethod
    def completed_suffix(at: int) -> bytes:
        """Field 13, which ``runqy-worker`` appends to the encoded message at each completion."""
        data: bytes = TaskMessage(completed_at=at).SerializeToString()
        return data


COMPLETED_TTL = 86_400.0
ARCHIVED_TTL = 259_200.0
LEASE = 120.0


def state_key(queue: str, state: TaskState) -> bytes:
    """Key of a state's list or sorted set in a braced queue."""
    return keys.state_key(QueueKey(queue), state)


def task_key(queue: str, task_id: str) -> bytes:
    """Key of a task's hash in a braced queue."""
    return keys.task(QueueKey(queue), task_id)


def lease_key(queue: str) -> bytes:
    """Key of the sorted set of leases."""
    return keys.queue_prefix(QueueKey(queue)) + b"lease"


def day(at: float) -> str:
    """UTC day of the daily counters."""
    return time.strftime("%Y-%m-%d", time.gmtime(at))


def count(client: Redis, queue: str, counter: str, now: float) -> None:
    """Count one task as ``processed`` or ``failed``: lifetime and day, both without expiry."""
    prefix = keys.queue_prefix(QueueKey(queue)) + counter.encode()
    client.incr(prefix)
    client.incr(prefix + b":" + day(now).encode())


def enqueue(client: Redis, message: Message, now: float) -> None:
    """Enqueue a task as the runqy server does.

    One without retries has no reverse index, as if an asynq client had enqueued it.
    """
    queue, task_id = message.queue, message.id
    client.sadd(keys.QUEUES, encode(queue))
    client.hset(
        task_key(queue, task_id),
        mapping={
            "msg": message.encode(),
            "state": "pending",
            "pending_since": str(int(now * 1e9)),
        },
    )
    client.lpush(state_key(queue, TaskState.PENDING), encode(task_id))
    index(client, message)


def index(client: Redis, message: Message) -> None:
    """Write the runqy server's reverse index: from a task id to its queue."""
    if message.retry:
        client.hset(keys.reverse_index(message.id), "queue", encode(message.queue))


def schedule(client: Redis, message: Message, at: float) -> None:
    """Schedule a task as the asynq library's client does: without a reverse index."""
    queue, task_id = message.queue, message.id
    client.sadd(keys.QUEUES, encode(queue))
    client.hset(task_key(queue, task_id), mapping={"msg": message.encode(), "state": "scheduled"})
    client.zadd(state_key(queue, TaskState.SCHEDULED), {encode(task_id): int(at)})


def pop(client: Redis, queue: str) -> None:
    """Move the oldest pending id to active; its reply is the id or ``None``."""
    pending, active = state_key(queue, TaskState.PENDING), state_key(queue, TaskState.ACTIVE)
    client.execute_command(  # type: ignore[no-untyped-call]
        "LMOVE", pending, active, "RIGHT", "LEFT"
    )


def start(client: Redis, queue: str, task_id: str, now: float, lease: float = LEASE) -> None:
    """Mark a popped task as active, with a lease of ``lease`` seconds."""
    client.hset(task_key(queue, task_id), "state", "active")
    client.hdel(task_key(queue, task_id), "pending_since")
    renew(client, queue, [task_id], now, lease)


def renew(
    client: Redis, queue: str, task_ids: Iterable[str], now: float, lease: float = LEASE
) -> None:
    """Renew leases, as a worker does every minute."""
    ends = int(now + lease)
    client.zadd(lease_key(queue), {encode(task_id): ends for task_id in task_ids})


def complete(
    client: Redis,
    message: Message,
    now: float,
    result: bytes,
    *,
    msg: bytes | None = None,
    store: bool = True,
    ttl: float = COMPLETED_TTL,
) -> None:
    """Complete a task. ``msg``: the encoded message as it is in Redis.

    Without ``store`` (the queue's ``redis_storage`` is off) the hash is deleted, and the reverse
    index remains for ever.
    """
    queue, task_id = message.queue, message.id
    leave_active(client, queue, task_id)
    count(client, queue, "processed", now)
    if not store:
        client.delete(task_key(queue, task_id))
        return
    encoded = message.encode() if msg is None else msg
    client.hset(
        task_key(queue, task_id),
        mapping={
            "msg": encoded + Message.completed_suffix(int(now)),
            "state": "completed",
            "result": result,
            "completed_at": str(int(now)),
        },
    )
    _keep(client, queue, task_id, TaskState.COMPLETED, now, ttl)


def retry(client: Redis, message: Message, retried: int, now: float, at: float) -> None:
    """Fail an attempt, to be retried ``at``: fields 1-6 of the message remain, no error text."""
    queue, task_id = message.queue, message.id
    leave_active(client, queue, task_id)
    client.hset(
        task_key(queue, task_id),
        mapping={
            "msg": message.retried_as(retried).encode(),
            "state": "retry",
            "retried": str(retried),
            "last_failed_at": str(int(now)),
        },
    )
    client.zadd(state_key(queue, TaskState.RETRY), {encode(task_id): int(at)})


def retry_delay(retried: int) -> float:
    """Seconds until the next attempt after ``retried`` retries: n⁴ × 10 s, at most a day."""
    return min(10.0 * max(1, retried) ** 4, 86_400.0)


def archive(
    client: Redis,
    message: Message,
    error: str,
    now: float,
    *,
    store: bool = True,
    ttl: float = ARCHIVED_TTL,
) -> None:
    """Fail a task permanently. The score is when the entry expires; ``msg`` is not changed."""
    queue, task_id = message.queue, message.id
    leave_active(client, queue, task_id)
    count(client, queue, "failed", now)
    if not store:
        client.delete(task_key(queue, task_id))
        return
    client.hset(
        task_key(queue, task_id),
        mapping={
            "state": "archived",
            "error_msg": error.encode("utf-8", "surrogateescape"),
            "last_failed_at": str(int(now)),
        },
    )
    _keep(client, queue, task_id, TaskState.ARCHIVED, now, ttl)


def requeue(client: Redis, queue: str, task_id: str) -> None:
    """Requeue a task at a clean stop: without ``pending_since``."""
    leave_active(client, queue, task_id)
    client.hset(task_key(queue, task_id), "state", "pending")
    client.lpush(state_key(queue, TaskState.PENDING), encode(task_id))


def forward(client: Redis, queue: str, task_id: str, now: float) -> None:
    """Move a due retry to pending: ``pending_since`` is in seconds here."""
    client.zrem(state_key(queue, TaskState.RETRY), encode(task_id))
    client.hset(
        task_key(queue, task_id), mapping={"state": "pending", "pending_since": str(int(now))}
    )
    client.lpush(state_key(queue, TaskState.PENDING), encode(task_id))


def recover(client: Redis, queue: str, task_id: str, retried: int, now: float, at: float) -> None:
    """Recover a task whose lease expired: only the hash records it, ``msg`` is not changed."""
    leave_active(client, queue, task_id)
    client.hset(
        task_key(queue, task_id),
        mapping={
            "state": "retry",
            "error_msg": "lease expired",
            "retried": str(retried),
            "last_failed_at": str(int(now)),
        },
    )
    client.zadd(state_key(queue, TaskState.RETRY), {encode(task_id): int(at)})


def leave_active(client: Redis, queue: str, task_id: str) -> None:
    """Remove a task from the active list, with its lease."""
    client.lrem(state_key(queue, TaskState.ACTIVE), 0, task_id)
    client.zrem(lease_key(queue), encode(task_id))


def _keep(
    client: Redis, queue: str, task_id: str, state: TaskState, now: float, ttl: float
) -> None:
    ends = int(now + ttl)
    client.expireat(task_key(queue, task_id), ends)
    client.expireat(keys.reverse_index(task_id), ends)
    client.zadd(state_key(queue, state), {encode(task_id): ends})
