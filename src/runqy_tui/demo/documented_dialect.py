"""The dialect of runqy's user guide: keys without braces, whole tasks in ``asynq:t:<id>``."""

from __future__ import annotations

from collections import deque

from redis import Redis
from redis.typing import EncodableT, FieldT

from runqy_tui.demo.fleet_spec import QUEUES_BY_NAME
from runqy_tui.demo.sample_data import payload, result
from runqy_tui.demo.simulation import World
from runqy_tui.model import QueueKey, TaskState
from runqy_tui.redis import keys
from runqy_tui.text.safe import encode

QUEUE = QueueKey("inference_default", braced=False)
WORKER = "old-worker-1"
BEAT_TTL = 30.0
RESULT_TTL = 3600
_WAITING = 2
_TASK_EVERY = 45.0
_BEAT_EVERY = 5.0
_KEEP = 12


def enqueue(client: Redis, task_id: str, body: bytes) -> None:
    """Enqueue as a hand-written producer does: all of the task in one hash, its id in a list."""
    fields: dict[FieldT, EncodableT] = {
        "type": QUEUE.name,
        "payload": body,
        "state": "pending",
        "retry": "3",
        "max_retry": "3",
        "retried": "0",
        "queue": QUEUE.name,
        "timeout": "600",
        "deadline": "0",
    }
    client.hset(keys.task(QUEUE, task_id), mapping=fields)
    client.lpush(keys.state_key(QUEUE, TaskState.PENDING), encode(task_id))


def take(client: Redis, task_id: str) -> None:
    """Make a task active, as the old worker does."""
    client.lrem(keys.state_key(QUEUE, TaskState.PENDING).decode(), 0, task_id)
    client.lpush(keys.state_key(QUEUE, TaskState.ACTIVE), encode(task_id))
    client.hset(keys.task(QUEUE, task_id), "state", "active")


def finish(client: Redis, task_id: str, done: bytes) -> None:
    """Complete a task: the result has a key of its own."""
    client.lrem(keys.state_key(QUEUE, TaskState.ACTIVE).decode(), 0, task_id)
    client.hset(keys.task(QUEUE, task_id), "state", "completed")
    client.set(keys.result(task_id), done, ex=RESULT_TTL)
    client.expire(keys.task(QUEUE, task_id), RESULT_TTL)


def write_heartbeat(
    client: Redis, worker_id: str, started: float, active: str, ttl: float = BEAT_TTL
) -> None:
    """Write the old worker's hash. It is in no index: its own is a SET, where others use a ZSET."""
    client.hset(
        keys.worker(worker_id),
        mapping={
            "started": str(int(started)),
            "healthy": "true",
            "queue": QUEUE.name,
            "active_task": active,
        },
    )
    client.pexpire(keys.worker(worker_id), int(ttl * 1000))


class DocumentedProducer:
    """One old worker whose producer always keeps tasks waiting."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._started = world.wall - 2_100_000
        self._waiting: deque[str] = deque()
        self._done: deque[str] = deque()
        self._active = ""
        self._task = self._beat = 0.0

    def step(self) -> None:
        """Complete a task every 45 seconds, and keep two pending."""
        world = self._world
        if world.t >= self._task:
            self._task = world.t + _TASK_EVERY
            self._turn()
        if world.t >= self._beat:
            self._beat = world.t + _BEAT_EVERY
            ttl = world.scaled(BEAT_TTL)
            write_heartbeat(world.pipe, WORKER, self._started, self._active, ttl)

    def _turn(self) -> None:
        world = self._world
        if self._active:
            finish(world.pipe, self._active, result(world.rng, "prompt"))
            self._done.append(self._active)
        while len(self._waiting) <= _WAITING:
            task_id = world.new_id()
            enqueue(
                world.pipe, task_id, payload(world.rng, QUEUES_BY_NAME["inference.default"].kind)
            )
            self._waiting.append(task_id)
        self._active = self._waiting.popleft()
        take(world.pipe, self._active)
        while len(self._done) > _KEEP:
            old = self._done.popleft()
            world.pipe.delete(keys.task(QUEUE, old), keys.result(old))
