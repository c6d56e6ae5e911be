"""One task in full: everything that Redis holds of it, each value up to a limit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from redis.exceptions import ResponseError

from runqy_tui.model import QueueKey, Task
from runqy_tui.redis import keys
from runqy_tui.redis.decoding.codec import CLOSED, DecodedMessage, cut_of, open_parts, open_whole
from runqy_tui.redis.polling.indexes import QUEUES_PER_STEP
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.read_context import ReadContext
from runqy_tui.redis.task_reading.build_task import FoundTask, task_of
from runqy_tui.redis.task_reading.hash_values import REFUSED_NOTE, FieldsRead, Values, ask_part
from runqy_tui.redis.wire.replies import (
    ReplySlot,
    data,
    integer,
    scan_page,
    score,
    strings,
    wrong_type,
)
from runqy_tui.redis.wire.transport import Batch
from runqy_tui.text.safe import decode, encode

MOST_FIELDS = 256
FIELDS = (
    b"msg",
    b"state",
    b"pending_since",
    b"result",
    b"completed_at",
    b"last_failed_at",
    b"error_msg",
    b"retried",
    b"ttl_completed",
    b"ttl_archived",
    b"pending_timeout",
    b"active_timeout",
    b"group",
    b"unique_key",
    b"type",
    b"payload",
    b"retry",
    b"max_retry",
    b"queue",
    b"timeout",
    b"deadline",
)
_SCORED = ("lease", "scheduled", "retry", "archived", "completed")


@dataclass(slots=True)
class _Outline:
    """The result of the first trip: which fields there are, and the lists that hold the task."""

    now: float
    length: int
    ttl_ms: int | None
    sizes: dict[bytes, int]
    scores: dict[str, float | None]
    unread_scores: set[str]
    result_size: int
    indexed: bool
    notes: list[str] = field(default_factory=list)


async def read_detail(context: ReadContext, queue: QueueKey, task_id: str) -> Task | None:
    """Read one task of one queue; ``None`` if it has no hash there.

    Without braces the hash is ``asynq:t:<id>``, which may be only a reverse index: not a task.
    Raises ``ConnectionFailedError`` or ``AccessDeniedError`` if the hash cannot be read.
    """
    key = keys.task(queue, task_id)
    outline = await _outline(context, queue, task_id, key)
    if outline is None:
        return None
    if not queue.braced and not (outline.sizes.keys() & {b"payload", b"type", b"msg"}):
        return None
    found = FoundTask(
        queue=queue,
        task_id=task_id,
        now=outline.now,
        scores=outline.scores,
        unread_scores=frozenset(outline.unread_scores),
        ttl_ms=outline.ttl_ms,
        indexed=outline.indexed,
        notes=outline.notes,
    )
    await _read_values(context, key, task_id, outline, found)
    return task_of(found, context.dialect(queue), context.limit)


async def _outline(
    context: ReadContext, queue: QueueKey, task_id: str, key: bytes
) -> _Outline | None:
    prefix, result_key = keys.queue_prefix(queue), keys.result(task_id)
    index_key = keys.reverse_index(task_id)
    batch = Batch()
    length = batch.ask("HLEN", key, parse=integer)
    ttl = batch.ask("PTTL", key, parse=integer)
    time_slot = batch.ask("TIME")
    result_size = batch.ask("STRLEN", result_key, parse=integer)
    indexed = batch.ask("HEXISTS", index_key, "queue", parse=integer)
    sizes = {name: batch.ask("HSTRLEN", key, name, parse=integer) for name in FIELDS}
    scores = {
        name: batch.ask("ZSCORE", prefix + name.encode(), encode(task_id), parse=score)
        for name in _SCORED
    }
    replies = await context.trip(batch)
    warnings = Warnings()
    warnings.refusals(replies)
    context.require(replies[length])
    context.require(replies[sizes[FIELDS[0]]])
    if length.value(replies) == 0:
        return None
    outline = _Outline(
        now=context.moment(replies[time_slot]),
        length=length.value(replies) or 0,
        ttl_ms=ttl.value(replies),
        sizes={name: size for name, slot in sizes.items() if (size := slot.value(replies))},
        scores={name: slot.value(replies) for name, slot in scores.items()},
        unread_scores={
            name for name, slot in scores.items() if isinstance(replies[slot], ResponseError)
        },
        result_size=result_size.value(replies) or 0,
        indexed=queue.braced and indexed.value(replies) == 1,
        notes=list(warnings.texts()),
    )
    if isinstance(refusal := replies[length], ResponseError):
        outline.notes.append(f"{decode(key)} is no hash: {refusal}")
    beside = {result_key: replies[result_size], index_key: replies[indexed]}
    beside |= {prefix + name.encode(): replies[slot] for name, slot in scores.items()}
    for other, reply in beside.items():
        problem = (
            context.describe_error(reply, other) if wrong_type(reply) and other != key else None
        )
        outline.notes.extend([problem] if problem else [])
    return outline


async def _read_values(
    context: ReadContext, key: bytes, task_id: str, outline: _Outline, found: FoundTask
) -> None:
    """The second and third trip, and a fourth for unknown fields."""
    limit = context.limit
    more = outline.length > len(outline.sizes)
    fields = FieldsRead(key, outline.sizes, limit)
    batch = Batch()
    fields.ask(batch)
    result: ReplySlot[bytes | None] | None = None
    field_names: ReplySlot[list[bytes]] | None = None
    if outline.result_size and b"result" not in outline.sizes:
        result = batch.ask("GETRANGE", keys.result(task_id), 0, limit - 1, parse=data)
    if more and outline.length <= MOST_FIELDS:
        field_names = batch.ask("HKEYS", key, parse=strings)
    elif more:
        outline.notes.append(f"The hash has {outline.length:,} fields: only known ones are shown")
    replies = await context.trip(batch)
    fields.parse(replies)
    await fields.finish(context.link)
    warnings = Warnings()
    warnings.refusals(replies, quiet=frozenset({"EVAL_RO"}))
    outline.notes.extend(warnings.texts())
    if fields.values.refused:
        outline.notes.append(REFUSED_NOTE)
    if result is not None:
        found.result = result.value(replies)
        found.result_size = outline.result_size
    names = [] if field_names is None else field_names.value(replies)
    found.values = fields.values
    for name in names:
        if name in FIELDS and name not in outline.sizes:  # there, and empty
            found.values.sizes[name], found.values.data[name] = 0, b""
    found.opened = await _open(context, key, fields.values, outline.notes)
    await _read_extra(context, key, [name for name in names if name not in FIELDS], found)


async def _open(
    context: ReadContext, key: bytes, values: Values, notes: list[str]
) -> DecodedMessage | None:
    size, head = values.sizes.get(b"msg"), values.data.get(b"msg")
    if size is None:
        return None
    if head is None:
        return CLOSED
    if len(head) >= size:
        return open_whole(head, context.limit)
    cut = cut_of(head, size)
    if cut is None:
        return CLOSED
    tail: bytes | None = b""
    if cut.end < size:
        batch = Batch()
        rest = ask_part(batch, key, b"msg", cut.end, min(context.limit, size - cut.end))
        tail = rest.value(await context.trip(batch))
    opened = open_parts(head, cut, tail, size, context.limit)
    if not opened.complete:
        notes.append("msg is very large: its fields behind the payload were not read")
    return opened


async def _read_extra(
    context: ReadContext, key: bytes, names: list[bytes], found: FoundTask
) -> None:
    """Read unknown fields, for the raw view: sizes first, like all others."""
    batch = Batch()
    slots = {name: batch.ask("HSTRLEN", key, name, parse=integer) for name in names}
    replies = await context.trip(batch)
    sizes = {name: size for name, slot in slots.items() if (size := slot.value(replies))}
    fields = FieldsRead(key, sizes, context.limit)
    batch = Batch()
    fields.ask(batch)
    fields.parse(await context.trip(batch))
    found.extra = fields.values


def gone(queue: QueueKey, task_id: str, now: float) -> Task:
    """A task of which only the reverse index is left."""
    note = "Finished and not stored, or expired: only the reverse index asynq:t:<id> is left"
    return Task(id=task_id, queue=queue, taken_at=now, gone=True, notes=(note,))


_NAMED = 5


async def find_task(context: ReadContext, task_id: str, queue: QueueKey | None) -> Task | None:
    """Find one task; ``None`` if neither a hash nor the reverse index has the id.

    Raises ``ConnectionFailedError`` or ``AccessDeniedError`` if that cannot be decided.
    """
    if queue is not None:
        task = await read_detail(context, queue, task_id)
        return task or await _by_index(context, task_id, queue)
    return await _by_index(context, task_id, None)


async def _by_index(context: ReadContext, task_id: str, only: QueueKey | None) -> Task | None:
    index = keys.reverse_index(task_id)
    batch = Batch()
    queue_field = batch.ask("HGET", index, "queue", parse=data)
    has_payload = batch.ask("HEXISTS", index, "payload", parse=integer)
    has_type = batch.ask("HEXISTS", index, "type", parse=integer)
    time_slot = batch.ask("TIME")
    queues = batch.ask("SSCAN", keys.QUEUES, 0, "COUNT", QUEUES_PER_STEP, parse=scan_page)
    replies = await context.trip(batch)
    for slot in (queue_field, has_payload, has_type):
        context.require_access(replies[slot])
    raw = queue_field.value(replies)
    named = None if raw is None else decode(raw)
    if has_payload.value(replies) or has_type.value(replies):
        home = QueueKey(named or "", braced=False)
        return (
            await read_detail(context, home, task_id)
            if only in (None, QueueKey(home.name))
            else None
        )
    if only is None:
        task = await _anywhere(context, task_id, named, queues.value(replies))
        if task is not None:
            return task
        context.require(replies[queues])
    # If the index's node is down, a queue may still have it.
    context.require(replies[queue_field])
    if named is not None and only in (None, QueueKey(named)):
        return gone(QueueKey(named), task_id, context.moment(replies[time_slot]))
    return None


async def _anywhere(
    context: ReadContext, task_id: str, named: str | None, page: tuple[int, list[bytes]] | None
) -> Task | None:
    if named is not None:
        task = await read_detail(context, QueueKey(named), task_id)
        if task is not None:
            return task
    known = {QueueKey(decode(name)) for name in page[1]} if page else set()
    holders = await _holders(context, task_id, known | context.known_queues())
    if not holders:
        return None
    task = await read_detail(context, holders[0], task_id)
    if task is None or len(holders) == 1:
        return task
    others = ", ".join(holder.name for holder in holders[1 : 1 + _NAMED])
    more = f" and {len(holders) - 1 - _NAMED} more" if len(holders) > 1 + _NAMED else ""
    return replace(task, notes=(*task.notes, f"Other queues hold this id too: {others}{more}"))


async def _holders(
    context: ReadContext, task_id: str, queues: Iterable[QueueKey]
) -> list[QueueKey]:
    """The queues that have a hash for the id, by name: one round trip.

    Raises ``ConnectionFailedError`` if none has it and a node is down.
    """
    batch = Batch()
    asked = [
        (queue, batch.ask("EXISTS", keys.task(queue, task_id)))
        for queue in sorted(queues, key=lambda queue: queue.name)
    ]
    replies = await context.trip(batch)
    found = [queue for queue, slot in asked if integer(context.require_access(replies[slot]))]
    for reply in () if found else replies:
        context.require(reply)  # a queue on a node that is down may have it
    return found
