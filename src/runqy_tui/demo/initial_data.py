"""What went wrong before the demo began: hostile data, orphans, and tasks nobody will ever run."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from redis.typing import EncodableT, FieldT

from runqy_tui.demo import heartbeats, task_writer
from runqy_tui.demo.cast import ABANDONED_QUEUE, BY_NAME, LONG_LOST, ODD_QUEUE, QueueSpec
from runqy_tui.demo.hostile import HOSTILE
from runqy_tui.demo.sample_data import error_text, large_payload, payload, result
from runqy_tui.demo.simulation import World
from runqy_tui.demo.task_writer import Message
from runqy_tui.model import QueueKey, TaskState
from runqy_tui.redis import keys
from runqy_tui.text.safe import encode

HOUR = 3600.0
_SCHEDULED = (
    ("flaky.default", (-1.1 * HOUR, -0.3 * HOUR)),  # past due: no runqy worker forwards these
    ("inference.default", (2 * HOUR, 5 * HOUR, 9 * HOUR)),
    ("reports.default", (18 * HOUR,)),
)
_LEFTOVERS = 12
_WAITING = 17


def write_incidents(world: World) -> None:
    """Queue the commands that write it all; the caller flushes."""
    _hostile(world)
    _abandoned(world)
    for queue, offsets in _SCHEDULED:
        for offset in offsets:
            message = replace(world.new_message(BY_NAME[queue], once=True), retry=1)
            task_writer.schedule(world.pipe, message, world.wall + offset)
    for _ in range(_LEFTOVERS):  # finished with storage off: only the reverse index is left
        task_id = world.new_id()
        world.pipe.hset(keys.reverse_index(task_id), "queue", "nostore.default")
        world.leftovers.append(task_id)
    lost = world.wall - 2.2 * HOUR + heartbeats.INDEX_TTL
    world.pipe.zadd(keys.WORKERS, {encode(LONG_LOST): int(lost)})


def _hostile(world: World) -> None:
    """One archived task for each kind of hostile data, and one that is no protobuf at all."""
    for number, item in enumerate(HOSTILE):
        message = Message(
            id=world.new_id(),
            queue=ODD_QUEUE,
            payload=item.payload,
            type=item.type,
            retry=0,
            timeout=60,
        )
        _archive(world, message, message.encode(), item.error, 60 + 600 * number)
    garbage = Message(id="not-a-uuid/../..\x1b[7m", queue=ODD_QUEUE, payload=b"")
    _archive(world, garbage, b"\x0a\xff\xff\xff\xff\x0fgarbage", "protobuf: cannot parse", 7200)


def _archive(world: World, message: Message, msg: bytes, error: str, ago: float) -> None:
    world.pipe.hset(task_writer.task_key(message.queue, message.id), "msg", msg)
    task_writer.archive(world.pipe, message, error, world.wall - ago)


def _abandoned(world: World) -> None:
    """A queue without a consumer: waiting tasks, two orphans, a dangling id, a 1 MB payload."""
    kind = BY_NAME["batch.default"].kind
    for number in range(_WAITING):
        body = large_payload(world.rng) if number == _WAITING - 1 else payload(world.rng, kind)
        message = Message(id=world.new_id(), queue=ABANDONED_QUEUE, payload=body)
        task_writer.enqueue(world.pipe, message, world.wall - HOUR * (26 - number))
    for leased in (True, False):
        message = Message(
            id=world.new_id(), queue=ABANDONED_QUEUE, payload=payload(world.rng, kind)
        )
        key = task_writer.task_key(ABANDONED_QUEUE, message.id)
        world.pipe.hset(key, mapping={"msg": message.encode(), "state": "active"})
        task_writer.index(world.pipe, message)
        active = task_writer.state_key(ABANDONED_QUEUE, TaskState.ACTIVE)
        world.pipe.lpush(active, encode(message.id))
        if leased:
            ago = -0.7 * HOUR
            task_writer.renew(world.pipe, ABANDONED_QUEUE, [message.id], world.wall, ago)
    pending = task_writer.state_key(ABANDONED_QUEUE, TaskState.PENDING)
    world.pipe.lpush(pending, encode(world.new_id()))


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


def write_history(world: World) -> None:
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
        task_writer.complete(world.pipe, message, at, result(rng, spec.kind))
    for number in range(past.archived):
        message = world.new_message(spec)
        if message.retry:
            message = message.retried_as(message.retry)
        error = error_text(rng, spec.kind, spec.parent)
        at = world.wall - 90 - number * rng.uniform(200, 4000)
        task_writer.archive(world.pipe, _stored(world, message), error, at)
    for number in range(past.retry):
        retried = 1 + number % 3
        delay = task_writer.retry_delay(retried)
        at = world.wall - rng.uniform(0, delay * 0.9)
        message = _stored(world, world.new_message(spec, once=False))
        task_writer.retry(world.pipe, message, retried, at, at + delay / world.speed)
    for number in range(past.pending):
        age = (past.pending - number) * spec.seconds[0] * rng.uniform(0.5, 0.7)
        task_writer.enqueue(world.pipe, world.new_message(spec), world.wall - age)


def _stored(world: World, message: Message) -> Message:
    """Write the hash and the reverse index that a task has before its end."""
    fields: dict[FieldT, EncodableT] = {"msg": message.encode()}
    if message.retried:
        fields["retried"] = str(message.retried)
    world.pipe.hset(task_writer.task_key(message.queue, message.id), mapping=fields)
    task_writer.index(world.pipe, message)
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
                world.pipe.incrby(prefix + counter + b":" + task_writer.day(at).encode(), value)
            total += value
        if total:
            world.pipe.incrby(prefix + counter, total)
