"""The past of the demo's asynq program."""

from __future__ import annotations

from dataclasses import replace
from hashlib import md5

from runqy_tui.demo import asynq_writer, writer
from runqy_tui.demo.asynq_app import ERRORS, HOUR, AsynqApp
from runqy_tui.demo.messages import Message
from runqy_tui.demo.world import World
from runqy_tui.model import QueueKey
from runqy_tui.redis import keys

DAYS = 14
_DAILY = {"critical": (800, 6), "default": (2600, 140)}
_GROUPS = {"tenant:42": 3, "tenant:7": 1}


def write(world: World, app: AsynqApp) -> None:
    """Queue the commands that write it; the caller flushes."""
    for queue, daily in _DAILY.items():
        world.pipe.sadd(keys.QUEUES, queue)
        _counters(world, queue, daily)
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
        _low(world, app)
        _groups(world, app)
    tomorrow = Message(
        id="fixed-task-id:2026", queue="critical", payload=b'{"tomorrow":1}', type="email:send",
        retry=25, timeout=1800, retention=0,
    )  # fmt: skip
    writer.schedule(world.pipe, tomorrow, world.wall + 24 * HOUR)


def _low(world: World, app: AsynqApp) -> None:
    """A paused queue: six tasks wait, one of them unique, one with headers."""
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


def _groups(world: World, app: AsynqApp) -> None:
    """Tasks that wait in groups which nobody aggregates."""
    for name, size in _GROUPS.items():
        for number in range(size):
            waiting = replace(app.message("default"), type="notify:push", group=name)
            asynq_writer.aggregate(world.pipe, waiting, world.wall - 60 * number)


def _counters(world: World, queue: str, daily: tuple[int, int]) -> None:
    prefix = keys.queue_prefix(QueueKey(queue))
    part_of_today = world.wall % 86_400 / 86_400
    for counter, usual in zip((b"processed", b"failed"), daily, strict=True):
        total = usual * 30
        for ago in range(DAYS):
            at = int(world.wall) - ago * 86_400
            share = part_of_today if ago == 0 else 1.0
            value = round(usual * share * world.rng.uniform(0.7, 1.2))
            key = prefix + counter + b":" + writer.day(at).encode()
            world.pipe.incrby(key, value)
            world.pipe.expireat(key, at + asynq_writer.COUNTER_TTL)
            total += value
        world.pipe.incrby(prefix + counter, total)
