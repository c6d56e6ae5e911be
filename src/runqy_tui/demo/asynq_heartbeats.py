"""Servers and schedulers as the asynq library (0.26) writes them: protobuf under short expiries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from redis import Redis

from runqy_tui.demo.task_writer import Message
from runqy_tui.redis import keys
from runqy_tui.redis.decoding.proto import SchedulerEntry, ServerInfo, WorkerInfo
from runqy_tui.text.safe import encode

BEAT_TTL = 10.0
SCHEDULER_TTL = 20.0
SCHEDULERS = b"asynq:schedulers"
_ZERO = -62_135_596_800
"""Go's zero time, which stands for a periodic task that has not run yet."""


@dataclass(frozen=True, slots=True)
class Running:
    """A task a server works on."""

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
        self, client: Redis, running: Sequence[Running], now: float, ttl: float = BEAT_TTL
    ) -> None:
        """Write the server and what it works on."""
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

    def _worker(self, item: Running) -> bytes:
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
class Periodic:
    """One entry of an asynq scheduler."""

    id: str
    spec: str
    type: str
    payload: bytes
    options: Sequence[str]
    next: float
    previous: float | None = None

    def encode(self) -> bytes:
        """The bytes in the scheduler's list."""
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


def scheduler_beat(
    client: Redis, name: str, entries: Sequence[Periodic], now: float, ttl: float = SCHEDULER_TTL
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
