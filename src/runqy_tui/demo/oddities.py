"""What went wrong before the demo began: hostile data, orphans, and tasks nobody will ever run."""

from __future__ import annotations

from dataclasses import replace

from runqy_tui.demo import beats, writer
from runqy_tui.demo.cast import ABANDONED_QUEUE, BY_NAME, LONG_LOST, ODD_QUEUE
from runqy_tui.demo.hostile import HOSTILE
from runqy_tui.demo.messages import Message
from runqy_tui.demo.payloads import large_payload, payload
from runqy_tui.demo.world import World
from runqy_tui.model import TaskState
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


def write(world: World) -> None:
    """Queue the commands that write it all; the caller flushes."""
    _hostile(world)
    _abandoned(world)
    for queue, offsets in _SCHEDULED:
        for offset in offsets:
            message = replace(world.new_message(BY_NAME[queue], once=True), retry=1)
            writer.schedule(world.pipe, message, world.wall + offset)
    for _ in range(_LEFTOVERS):  # finished with storage off: only the reverse index is left
        task_id = world.new_id()
        world.pipe.hset(keys.reverse_index(task_id), "queue", "nostore.default")
        world.leftovers.append(task_id)
    lost = world.wall - 2.2 * HOUR + beats.INDEX_TTL
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
    world.pipe.hset(writer.task_key(message.queue, message.id), "msg", msg)
    writer.archive(world.pipe, message, error, world.wall - ago)


def _abandoned(world: World) -> None:
    """A queue without a consumer: waiting tasks, two orphans, a dangling id, a 1 MB payload."""
    kind = BY_NAME["batch.default"].kind
    for number in range(_WAITING):
        body = large_payload(world.rng) if number == _WAITING - 1 else payload(world.rng, kind)
        message = Message(id=world.new_id(), queue=ABANDONED_QUEUE, payload=body)
        writer.enqueue(world.pipe, message, world.wall - HOUR * (26 - number))
    for leased in (True, False):
        message = Message(
            id=world.new_id(), queue=ABANDONED_QUEUE, payload=payload(world.rng, kind)
        )
        key = writer.task_key(ABANDONED_QUEUE, message.id)
        world.pipe.hset(key, mapping={"msg": message.encode(), "state": "active"})
        writer.index(world.pipe, message)
        active = writer.state_key(ABANDONED_QUEUE, TaskState.ACTIVE)
        world.pipe.lpush(active, encode(message.id))
        if leased:
            ago = -0.7 * HOUR
            writer.renew(world.pipe, ABANDONED_QUEUE, [message.id], world.wall, ago)
    pending = writer.state_key(ABANDONED_QUEUE, TaskState.PENDING)
    world.pipe.lpush(pending, encode(world.new_id()))
