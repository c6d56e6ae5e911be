"""Tasks as the asynq library (0.26) writes them, over a redis-py client or pipeline.

Unlike runqy: no reverse index, errors inside ``msg``, no expiry on task hashes, ``processed``
counts every attempt, the score in ``archived`` is the time of failure, daily counters expire after
90 days. Servers and schedulers are protobuf under short expiries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from redis import Redis
from redis.typing import EncodableT, FieldT

from runqy_tui.demo import task_writer
from runqy_tui.demo.task_writer import Message
from runqy_tui.model import QueueKey, TaskState
from runqy_tui.redis import keys
from runqy_tui.redis.decoding.proto import SchedulerEntry, ServerInfo, WorkerInfo
from runqy_tui.text.safe import encode

LEASE = 30.0
COUNTER_TTL = 90 * 86_400


def enqueue(client: Redis, message: Message, now: float, *, unique_ttl: float = 0.0) -> None:
    """Enqueue a task; with ``unique_ttl`` (seconds) also its lock ``message.unique_key``."""
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
    """Add a task to ``message.group``."""
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
    """Pause a queue; asynq servers respect it, runqy workers do not."""
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
    """Complete a task: kept for its retention, deleted without one."""
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
    """Fail an attempt, to be retried ``at``."""
    _fail(client, message, error, now, retried=message.retried + 1, state=TaskState.RETRY, score=at)


def archive(client: Redis, message: Message, error: str, now: float) -> None:
    """Fail a task permanently; the score is the time of failure."""
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


BEAT_TTL = 10.0
SCHEDULER_TTL = 20.0
SCHEDULERS = b"asynq:schedulers"
_ZERO = -62_135_596_800
"""Go's zero time: the previous run of a periodic task that has not run yet."""


@dataclass(frozen=True, slots=True)
class RunningTask:
    """A task that a server is running."""

    message: Message
    started: float
    deadline: float


@dataclass(frozen=True, slots=True)
class AsynqServer:
    """An asynq server process."""

    host: str
    pid: int
    server_id: str
    concurrency: int
    queues: Mapping[str, int]
    started: float

    @property
    def name(self) -> str:
        """``host:pid:sid``, the part of its keys in braces."""
        return f"{self.host}:{self.pid}:{self.server_id}"

    def heartbeat(
        self, client: Redis, running: Sequence[RunningTask], now: float, ttl: float = BEAT_TTL
    ) -> None:
        """Write the server's entry and its running tasks; ``ttl`` in seconds."""
        braced = b"{" + encode(self.name) + b"}"
        server_key, workers_key = keys.SERVER_PREFIX + braced, keys.WORKER_PREFIX + braced
        info = ServerInfo(
            host=encode(self.host),
            pid=self.pid,
            server_id=encode(self.server_id),
            concurrency=self.concurrency,
            queues=[{"key": encode(name), "value": rank} for name, rank in self.queues.items()],
            status=b"active",
            start_time=_timestamp(self.started),
            active_worker_count=len(running),
        )
        milliseconds = int(ttl * 1000)
        client.set(server_key, info.SerializeToString(), px=milliseconds)
        client.zadd(keys.SERVERS, {server_key: int(now + ttl)})
        client.zadd(keys.WORKERS, {workers_key: int(now + ttl)})
        client.delete(workers_key)
        for item in running:
            client.hset(workers_key, encode(item.message.id), self._worker(item))
        client.pexpire(workers_key, milliseconds)

    def _worker(self, item: RunningTask) -> bytes:
        data: bytes = WorkerInfo(
            host=encode(self.host),
            pid=self.pid,
            server_id=encode(self.server_id),
            task_id=encode(item.message.id),
            task_type=encode(item.message.type),
            task_payload=item.message.payload,
            queue=encode(item.message.queue),
            start_time=_timestamp(item.started),
            deadline=_timestamp(item.deadline),
        ).SerializeToString()
        return data


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """One entry of an asynq scheduler."""

    id: str
    spec: str
    type: str
    payload: bytes
    options: Sequence[str]
    next: float
    previous: float | None = None

    def encode(self) -> bytes:
        """The protobuf bytes in the scheduler's list."""
        data: bytes = SchedulerEntry(
            id=encode(self.id),
            spec=encode(self.spec),
            task_type=encode(self.type),
            task_payload=self.payload,
            enqueue_options=[encode(option) for option in self.options],
            next_enqueue_time=_timestamp(self.next),
            prev_enqueue_time=_timestamp(_ZERO if self.previous is None else self.previous),
        ).SerializeToString()
        return data


def write_scheduler(
    client: Redis,
    name: str,
    entries: Sequence[PeriodicTask],
    now: float,
    ttl: float = SCHEDULER_TTL,
) -> None:
    """Write a scheduler's list of periodic tasks."""
    key = SCHEDULERS + b":{" + encode(name) + b"}"
    client.delete(key)
    client.rpush(key, *[entry.encode() for entry in entries])
    client.pexpire(key, int(ttl * 1000))
    client.zadd(SCHEDULERS, {key: int(now + ttl)})


def _timestamp(at: float) -> dict[str, int]:
    seconds = int(at)
    return {"seconds": seconds, "nanos": int((at - seconds) * 1e9)}
