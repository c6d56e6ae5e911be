"""A program on the asynq library in the demo: one server, one scheduler, three queues."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import md5
from typing import cast
from zlib import crc32

from runqy_tui.demo import asynq_writer, task_writer
from runqy_tui.demo.asynq_writer import AsynqServer, PeriodicTask, RunningTask
from runqy_tui.demo.queue_services import Limit, trim
from runqy_tui.demo.simulation import World
from runqy_tui.demo.task_writer import Message
from runqy_tui.model import QueueKey, TaskState
from runqy_tui.redis import keys
from runqy_tui.text.safe import decode

QUEUES = {"critical": 6, "default": 3, "low": 1}
RETRY = 5
HOUR = 3600
ERRORS = (
    "resize failed: connection refused\n  at worker.go:42",
    "smtp: 421 4.7.0 too many connections",
    'handler not found for task "image:upscale"',
    "unsupported codec: skip retry for the task",
)
_KINDS = (
    ("email:send", 2 * HOUR, (0.3, 1.2)),
    ("image:resize", 0, (0.5, 2.0)),
    ("report:slow", 0, (8.0, 20.0)),
    ("notify:push", 6 * HOUR, (0.2, 0.6)),
)
_BEAT_EVERY = 5.0
_CRON_EVERY = 30.0
_FORWARD_EVERY = 5.0
_POLL_EVERY = 0.4
_ARRIVALS = 0.6
_ALWAYS_FAILING = 10
_FAILING_AT_FIRST = 30
"""Of a thousand tasks: those that fail every time, and those that fail at the first attempt."""
_LIMITS: tuple[Limit, ...] = tuple(
    (queue, state, 30)
    for queue in ("critical", "default")
    for state in (TaskState.COMPLETED, TaskState.ARCHIVED)
)
DAYS = 14
_DAILY = {"critical": (800, 6), "default": (2600, 140)}
_GROUPS = {"tenant:42": 3, "tenant:7": 1}


class AsynqApp:
    """One server, one scheduler, three queues, of which ``low`` is paused."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._server = AsynqServer("app-1", 311, world.new_id(), 8, QUEUES, world.wall - 52_000)
        self._scheduler = f"app-1:311:{world.new_id()}"
        self._cron_id, self._nightly_id = world.new_id(), world.new_id()
        self._running: dict[str, tuple[float, RunningTask]] = {}
        self._arrival = self._beat = self._forward = self._poll = 0.0
        self._cron = _CRON_EVERY

    def message(self, queue: str) -> Message:
        """A new task of one of the program's types."""
        rng = self._world.rng
        kind, retention, _ = rng.choice(_KINDS)
        body = json.dumps({"user_id": rng.randint(1, 9999), "source": "s3://bucket/1.png"})
        return Message(
            id=self._world.new_id(),
            queue=queue,
            payload=body.encode(),
            type=kind,
            retry=RETRY,
            timeout=1800,
            retention=retention,
        )

    def step(self) -> None:
        """Enqueue, run, forward and write heartbeats, as due."""
        world = self._world
        while self._arrival <= world.t:
            self._arrival += world.rng.expovariate(_ARRIVALS)
            queue = "critical" if world.rng.random() < 0.3 else "default"
            asynq_writer.enqueue(world.pipe, self.message(queue), world.wall)
        if world.t >= self._cron:
            self._cron += _CRON_EVERY
            heartbeat = Message(
                id=world.new_id(),
                queue="critical",
                payload=b"",
                type="cron:heartbeat",
                retry=25,
                timeout=1800,
                retention=2 * HOUR,
            )
            asynq_writer.enqueue(world.pipe, heartbeat, world.wall)
        for ends, running in list(self._running.values()):
            if ends <= world.t:
                self._finish(running.message)
        if world.t >= self._forward:
            self._forward = world.t + _FORWARD_EVERY
            self._forward_due()
            trim(world, _LIMITS)
        if world.t >= self._poll and len(self._running) < self._server.concurrency:
            self._poll = world.t + _POLL_EVERY
            self._start_next_task()
        if world.t >= self._beat:
            self._beat = world.t + _BEAT_EVERY
            self._heartbeat()

    def _finish(self, message: Message) -> None:
        world = self._world
        del self._running[message.id]
        if message.type == "cron:heartbeat" or not _will_fail(message):
            done = json.dumps({"ms": world.rng.randint(20, 900), "sent": True}).encode()
            asynq_writer.complete(world.pipe, message, world.wall, done)
            return
        error = world.rng.choice(ERRORS)
        if "skip retry" in error or message.retried >= message.retry:
            asynq_writer.archive(world.pipe, message, error, world.wall)
        else:
            at = world.after(message.retried**4 + 15 + world.rng.uniform(0, 30))
            asynq_writer.retry(world.pipe, message, error, world.wall, at)

    def _forward_due(self) -> None:
        """Move due retries and scheduled tasks to pending, as asynq does."""
        world = self._world
        world.flush()
        sets = [
            (queue, state) for queue in QUEUES for state in (TaskState.RETRY, TaskState.SCHEDULED)
        ]
        for queue, state in sets:
            key = task_writer.state_key(queue, state)
            world.pipe.zrangebyscore(key, "-inf", world.wall, start=0, num=20)
        replies = cast("list[list[bytes]]", world.flush())
        for (queue, state), ids in zip(sets, replies, strict=True):
            for task_id in ids:
                world.pipe.zrem(task_writer.state_key(queue, state), task_id)
                world.pipe.hset(
                    task_writer.task_key(queue, decode(task_id)),
                    mapping={"state": "pending", "pending_since": str(int(world.wall * 1e9))},
                )
                world.pipe.lpush(task_writer.state_key(queue, TaskState.PENDING), task_id)

    def _start_next_task(self) -> None:
        """Start a task of the first queue that has one and is not paused."""
        world = self._world
        world.flush()
        for queue in QUEUES:
            world.pipe.exists(keys.queue_prefix(QueueKey(queue)) + b"paused")
            world.pipe.llen(task_writer.state_key(queue, TaskState.PENDING))
        replies = cast("list[int]", world.flush())
        open_queues = [
            queue
            for queue, paused, pending in zip(QUEUES, replies[::2], replies[1::2], strict=True)
            if pending and not paused
        ]
        if not open_queues:
            return
        queue = open_queues[0]
        task_writer.pop(world.pipe, queue)
        popped = world.flush()[0]
        if not isinstance(popped, bytes):
            return
        task_id = decode(popped)
        world.pipe.hget(task_writer.task_key(queue, task_id), "msg")
        msg = world.flush()[0]
        if not isinstance(msg, bytes):
            task_writer.leave_active(world.pipe, queue, task_id)
            return
        message = Message.decode(msg, queue, task_id)
        seconds = next((span for kind, _, span in _KINDS if kind == message.type), (0.2, 0.5))
        task_writer.start(world.pipe, queue, task_id, world.wall, asynq_writer.LEASE)
        running = RunningTask(message, world.wall, world.wall + message.timeout)
        self._running[task_id] = (world.t + world.rng.uniform(*seconds), running)

    def _heartbeat(self) -> None:
        world = self._world
        running = [running for _, running in self._running.values()]
        self._server.heartbeat(world.pipe, running, world.wall, world.scaled(asynq_writer.BEAT_TTL))
        for item in running:
            task_writer.renew(
                world.pipe, item.message.queue, [item.message.id], world.wall, asynq_writer.LEASE
            )
        day = world.wall - world.wall % 86_400
        entries = [
            PeriodicTask(
                self._nightly_id,
                "0 3 * * *",
                "report:nightly",
                b'{"kind":"nightly"}',
                ['Queue("low")', "MaxRetry(1)", "Timeout(30s)"],
                day + 27 * HOUR,
            ),
            PeriodicTask(
                self._cron_id,
                "@every 30s",
                "cron:heartbeat",
                b"",
                ['Queue("critical")', "Retention(2h0m0s)"],
                world.after(self._cron - world.t),
                world.after(self._cron - world.t - _CRON_EVERY),
            ),
        ]
        ttl = world.scaled(asynq_writer.SCHEDULER_TTL)
        asynq_writer.write_scheduler(world.pipe, self._scheduler, entries, world.wall, ttl)


def _will_fail(message: Message) -> bool:
    """Whether an attempt fails: decided by the id, so that a task can fail every time."""
    draw = crc32(message.id.encode()) % 1000
    return draw < _ALWAYS_FAILING or (draw < _FAILING_AT_FIRST and message.retried == 0)


def write_initial_data(world: World, app: AsynqApp) -> None:
    """Add the commands that write the program's past to the batch; no flush."""
    for queue, daily in _DAILY.items():
        world.pipe.sadd(keys.QUEUES, queue)
        _write_counters(world, queue, daily)
        for number in range(14):
            message = replace(app.message(queue), type="email:send", retention=2 * HOUR)
            at = world.wall - 20 - 60 * number
            asynq_writer.complete(world.pipe, message, at, b'{"ms":50,"sent":true}')
    for number, error in enumerate(ERRORS):
        at = world.wall - 400 - 1300 * number
        asynq_writer.archive(world.pipe, replace(app.message("default"), retried=5), error, at)
        failing = replace(app.message("default"), retried=number % 3)
        asynq_writer.retry(world.pipe, failing, error, world.wall - 40, world.wall + 90 + number)
    if not world.healthy:
        _write_paused_queue(world, app)
        _write_groups(world, app)
    tomorrow = Message(
        id="fixed-task-id:2026", queue="critical", payload=b'{"tomorrow":1}', type="email:send",
        retry=25, timeout=1800, retention=0,
    )  # fmt: skip
    task_writer.schedule(world.pipe, tomorrow, world.wall + 24 * HOUR)


def _write_paused_queue(world: World, app: AsynqApp) -> None:
    """A paused queue with six pending tasks, one of them unique, one with headers."""
    asynq_writer.pause(world.pipe, "low", world.wall - 0.4 * HOUR)
    for number in range(6):
        message = replace(app.message("low"), type="email:digest", retention=0)
        at, lock = world.wall - 1800 + 60 * number, 0.0
        if number == 0:
            digest = md5(message.payload, usedforsecurity=False).hexdigest()
            name = keys.queue_prefix(QueueKey("low")) + b"unique:email:digest:" + digest.encode()
            message, lock = replace(message, unique_key=name.decode()), HOUR
        elif number == 1:
            message = replace(message, headers={"trace-id": "abc123", "lang": "fr"})
        asynq_writer.enqueue(world.pipe, message, at, unique_ttl=lock)


def _write_groups(world: World, app: AsynqApp) -> None:
    """Tasks in groups that no server aggregates."""
    for name, size in _GROUPS.items():
        for number in range(size):
            waiting = replace(app.message("default"), type="notify:push", group=name)
            asynq_writer.aggregate(world.pipe, waiting, world.wall - 60 * number)


def _write_counters(world: World, queue: str, daily: tuple[int, int]) -> None:
    prefix = keys.queue_prefix(QueueKey(queue))
    part_of_today = world.wall % 86_400 / 86_400
    for counter, usual in zip((b"processed", b"failed"), daily, strict=True):
        total = usual * 30
        for ago in range(DAYS):
            at = int(world.wall) - ago * 86_400
            share = part_of_today if ago == 0 else 1.0
            value = round(usual * share * world.rng.uniform(0.7, 1.2))
            key = prefix + counter + b":" + task_writer.day(at).encode()
            world.pipe.incrby(key, value)
            world.pipe.expireat(key, at + asynq_writer.COUNTER_TTL)
            total += value
        world.pipe.incrby(prefix + counter, total)
