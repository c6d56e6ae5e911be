"""The past of the demo's fleet, written in one go, so that the first screen is full."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from redis.typing import EncodableT, FieldT

from runqy_tui.demo import writer
from runqy_tui.demo.cast import ODD_QUEUE, QueueSpec
from runqy_tui.demo.failures import error_text
from runqy_tui.demo.messages import Message
from runqy_tui.demo.payloads import result
from runqy_tui.demo.world import World
from runqy_tui.model import QueueKey
from runqy_tui.redis import keys
from runqy_tui.text.safe import encode

DAYS = 14
BAD_DAY = 4


@dataclass(frozen=True, slots=True)
class Past:
    """How a queue stands at the start. ``daily``: tasks done and failed on a usual day."""

    daily: tuple[int, int] = (0, 0)
    pending: int = 0
    completed: int = 0
    archived: int = 0
    retry: int = 0


PAST: dict[str, Past] = {
    "inference.high": Past((4200, 11), 2, 60, 3),
    "inference.default": Past((9100, 64), 9, 80, 26, 3),
    "inference.low": Past((3600, 38), 34, 50, 11, 2),
    "embed.default": Past((12_400, 7), 3, 50, 2),
    "vision.default": Past((820, 9), 5, 15, 2, 1),
    "crashy.default": Past((310, 41), 2, 12, 9, 4),
    "flaky.default": Past((1500, 87), 2, 25, 19, 13),
    "nostore.default": Past((2300, 110), 1),
    "batch.default": Past((1900, 3), 262, 25, 2),
    "reports.default": Past((24, 0), 0, 8),
    ODD_QUEUE: Past((30, 9), 1, 6),
}


def write(world: World) -> None:
    """Queue the commands that write the history; the caller flushes."""
    for spec in world.cast.queues:
        past = PAST[spec.name]
        if world.healthy:
            past = replace(past, pending=min(past.pending, spec.backlog[1]))
        world.pipe.sadd(keys.QUEUES, encode(spec.name))
        _counters(world, spec.name, past.daily)
        _tasks(world, spec, past)


def _tasks(world: World, spec: QueueSpec, past: Past) -> None:
    rng = world.rng
    for number in range(past.completed):
        message = _stored(world, world.new_message(spec))
        at = world.wall - 3 - number * rng.uniform(8, 30)
        writer.complete(world.pipe, message, at, result(rng, spec.kind))
    for number in range(past.archived):
        message = world.new_message(spec)
        if message.retry:
            message = message.retried_as(message.retry)
        error = error_text(rng, spec.kind, spec.parent)
        at = world.wall - 90 - number * rng.uniform(200, 4000)
        writer.archive(world.pipe, _stored(world, message), error, at)
    for number in range(past.retry):
        retried = 1 + number % 3
        delay = writer.retry_delay(retried)
        at = world.wall - rng.uniform(0, delay * 0.9)
        message = _stored(world, world.new_message(spec, once=False))
        writer.retry(world.pipe, message, retried, at, at + delay / world.speed)
    for number in range(past.pending):
        age = (past.pending - number) * spec.seconds[0] * rng.uniform(0.5, 0.7)
        writer.enqueue(world.pipe, world.new_message(spec), world.wall - age)


def _stored(world: World, message: Message) -> Message:
    """Write the hash and the reverse index that a task has before its end."""
    fields: dict[FieldT, EncodableT] = {"msg": message.encode()}
    if message.retried:
        fields["retried"] = str(message.retried)
    world.pipe.hset(writer.task_key(message.queue, message.id), mapping=fields)
    writer.index(world.pipe, message)
    return message


def _counters(world: World, queue: str, daily: tuple[int, int]) -> None:
    """Counters of the last days, busier on weekdays, with one bad day; and the lifetime's."""
    prefix = keys.queue_prefix(QueueKey(queue))
    part_of_today = world.wall % 86_400 / 86_400
    for counter, usual in zip((b"processed", b"failed"), daily, strict=True):
        total = usual * 40
        for ago in range(DAYS):
            at = world.wall - ago * 86_400
            weekend = 0.35 if time.gmtime(at).tm_wday >= 5 else 1.0
            bad = 4.0 if counter == b"failed" and ago == BAD_DAY else 1.0
            share = part_of_today if ago == 0 else 1.0
            value = round(usual * weekend * bad * share * world.rng.uniform(0.8, 1.2))
            if value:
                world.pipe.incrby(prefix + counter + b":" + writer.day(at).encode(), value)
            total += value
        if total:
            world.pipe.incrby(prefix + counter, total)
