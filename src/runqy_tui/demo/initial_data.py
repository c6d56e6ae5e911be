"""The data that exist when the demo starts: two weeks of history, and incidents of the past."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from redis.typing import EncodableT, FieldT

from runqy_tui.demo import heartbeats, task_writer
from runqy_tui.demo.fleet_spec import (
    ABANDONED_QUEUE,
    LONG_LOST,
    ODD_QUEUE,
    QUEUES_BY_NAME,
    QueueSpec,
)
from runqy_tui.demo.sample_data import HOSTILE, error_text, large_payload, payload, result
from runqy_tui.demo.simulation import World
from runqy_tui.demo.task_writer import Message
from runqy_tui.model import QueueKey, TaskState
from runqy_tui.redis import keys
from runqy_tui.text.safe import encode

HOUR = 3600.0
_SCHEDULED = (
    ("flaky.default", (-1.1 * HOUR, -0.3 * HOUR)),  # overdue: no runqy worker forwards them
    ("inference.default", (2 * HOUR, 5 * HOUR, 9 * HOUR)),
    ("reports.default", (18 * HOUR,)),
)
_LEFTOVERS = 12
_WAITING = 17
DAYS = 14
BAD_DAY = 4


@dataclass(frozen=True, slots=True)
class InitialQueue:
    """A queue's tasks at the start. ``daily``: processed and failed on a usual day."""

    daily: tuple[int, int] = (0, 0)
    pending: int = 0
    completed: int = 0
    archived: int = 0
    retry: int = 0


INITIAL_QUEUES: dict[str, InitialQueue] = {
    "inference.high": InitialQueue((4200, 11), 2, 60, 3),
    "inference.default": InitialQueue((9100, 64), 9, 80, 26, 3),
    "inference.low": InitialQueue((3600, 38), 34, 50, 11, 2),
    "embed.default": InitialQueue((12_400, 7), 3, 50, 2),
    "vision.default": InitialQueue((820, 9), 5, 15, 2, 1),
    "crashy.default": InitialQueue((310, 41), 2, 12, 9, 4),
    "flaky.default": InitialQueue((1500, 87), 2, 25, 19, 13),
    "nostore.default": InitialQueue((2300, 110), 1),
    "batch.default": InitialQueue((1900, 3), 262, 25, 2),
    "reports.default": InitialQueue((24, 0), 0, 8),
    ODD_QUEUE: InitialQueue((30, 9), 1, 6),
}


def write_history(world: World) -> None:
    """Add the commands that write every queue's counters and tasks to the batch; no flush."""
    for spec in world.fleet.queues:
        past = INITIAL_QUEUES[spec.name]
        if world.healthy:
            past = replace(past, pending=min(past.pending, spec.backlog[1]))
        world.pipe.sadd(keys.QUEUES, encode(spec.name))
        _write_counters(world, spec.name, past.daily)
        _write_tasks(world, spec, past)


def _write_tasks(world: World, spec: QueueSpec, past: InitialQueue) -> None:
    rng = world.rng
    for number in range(past.completed):
        message = _write_stored(world, world.new_message(spec))
        at = world.wall - 3 - number * rng.uniform(8, 30)
        task_writer.complete(world.pipe, message, at, result(rng, spec.kind))
    for number in range(past.archived):
        message = world.new_message(spec)
        if message.retry:
            message = message.retried_as(message.retry)
        error = error_text(rng, spec.kind, spec.parent)
        at = world.wall - 90 - number * rng.uniform(200, 4000)
        task_writer.archive(world.pipe, _write_stored(world, message), error, at)
    for number in range(past.retry):
        retried = 1 + number % 3
        delay = task_writer.retry_delay(retried)
        at = world.wall - rng.uniform(0, delay * 0.9)
        message = _write_stored(world, world.new_message(spec, once=False))
        task_writer.retry(world.pipe, message, retried, at, at + delay / world.speed)
    for number in range(past.pending):
        age = (past.pending - number) * spec.seconds[0] * rng.uniform(0.5, 0.7)
        task_writer.enqueue(world.pipe, world.new_message(spec), world.wall - age)


def _write_stored(world: World, message: Message) -> Message:
    """Write the hash and the reverse index that a task has before it finishes; return it."""
    fields: dict[FieldT, EncodableT] = {"msg": message.encode()}
    if message.retried:
        fields["retried"] = str(message.retried)
    world.pipe.hset(task_writer.task_key(message.queue, message.id), mapping=fields)
    task_writer.index(world.pipe, message)
    return message


def _write_counters(world: World, queue: str, daily: tuple[int, int]) -> None:
    """Lifetime and daily counters: higher on weekdays, with one day of many failures."""
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


def write_incidents(world: World) -> None:
    """Add the commands that write hostile data, orphans and tasks that never run; no flush."""
    _write_hostile_tasks(world)
    _write_abandoned_queue(world)
    for queue, offsets in _SCHEDULED:
        for offset in offsets:
            message = replace(world.new_message(QUEUES_BY_NAME[queue], once=True), retry=1)
            task_writer.schedule(world.pipe, message, world.wall + offset)
    for _ in range(_LEFTOVERS):  # finished with storage off: only the reverse index remains
        task_id = world.new_id()
        world.pipe.hset(keys.reverse_index(task_id), "queue", "nostore.default")
        world.leftovers.append(task_id)
    lost = world.wall - 2.2 * HOUR + heartbeats.INDEX_TTL
    world.pipe.zadd(keys.WORKERS, {encode(LONG_LOST): int(lost)})


def _write_hostile_tasks(world: World) -> None:
    """One archived task for each kind of hostile data, and one whose message is no protobuf."""
    for number, item in enumerate(HOSTILE):
        message = Message(
            id=world.new_id(),
            queue=ODD_QUEUE,
            payload=item.payload,
            type=item.type,
            retry=0,
            timeout=60,
        )
        _write_archived(world, message, message.encode(), item.error, 60 + 600 * number)
    garbage = Message(id="not-a-uuid/../..\x1b[7m", queue=ODD_QUEUE, payload=b"")
    _write_archived(
        world, garbage, b"\x0a\xff\xff\xff\xff\x0fgarbage", "protobuf: cannot parse", 7200
    )


def _write_archived(world: World, message: Message, msg: bytes, error: str, ago: float) -> None:
    world.pipe.hset(task_writer.task_key(message.queue, message.id), "msg", msg)
    task_writer.archive(world.pipe, message, error, world.wall - ago)


def _write_abandoned_queue(world: World) -> None:
    """A queue without a consumer: pending tasks, two orphans, a dangling id, a 1 MB payload."""
    kind = QUEUES_BY_NAME["batch.default"].kind
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
