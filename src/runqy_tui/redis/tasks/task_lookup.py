"""One task in full: everything that Redis tells about it, each value up to a limit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from redis.exceptions import ResponseError

from runqy_tui.model import QueueKey, Task
from runqy_tui.redis import keys
from runqy_tui.redis.decoding.hash_values import REFUSED_NOTE, FieldsRead, Values, ask_part
from runqy_tui.redis.decoding.task_message import (
    CLOSED,
    DecodedMessage,
    cut_of,
    open_parts,
    open_whole,
)
from runqy_tui.redis.polling.indexes import QUEUES_PER_STEP
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.read_context import ReadContext
from runqy_tui.redis.tasks.build_task import FoundTask, task_of
from runqy_tui.redis.wire.replies import Reply, data, integer, scan_page, score, strings, wrong_type
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
    """What the first trip tells: which fields there are, and where the task stands."""

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
    """Read one task of one queue; ``None`` where it has no hash there.

    Without braces the hash is ``asynq:t:<id>``, which may be a mere reverse index: that is none.
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
    batch = Batch()
    for command in ("HLEN", "PTTL"):
        batch.ask(command, key)
    batch.ask("TIME")
    batch.ask("STRLEN", keys.result(task_id))
    batch.ask("HEXISTS", keys.reverse_index(task_id), "queue")
    for name in FIELDS:
        batch.ask("HSTRLEN", key, name)
    for scored in _SCORED:
        batch.ask("ZSCORE", keys.queue_prefix(queue) + scored.encode(), encode(task_id))
    replies = await context.trip(batch)
    said = Warnings()
    said.refusals(replies)
    length, ttl, time_reply, result_size, indexed = replies[:5]
    context.must(length)
    sizes = replies[5 : 5 + len(FIELDS)]
    context.must(sizes[0])
    if integer(length) == 0:
        return None
    scores = dict(zip(_SCORED, replies[5 + len(FIELDS) :], strict=True))
    outline = _Outline(
        now=context.moment(time_reply),
        length=integer(length) or 0,
        ttl_ms=integer(ttl),
        sizes={
            name: size
            for name, reply in zip(FIELDS, sizes, strict=True)
            if (size := integer(reply))
        },
        scores={name: score(reply) for name, reply in scores.items()},
        unread_scores={name for name, reply in scores.items() if isinstance(reply, ResponseError)},
        result_size=integer(result_size) or 0,
        indexed=queue.braced and integer(indexed) == 1,
        notes=list(said.texts()),
    )
    if isinstance(length, ResponseError):
        outline.notes.append(f"{decode(key)} is no hash: {length}")
    beside = {keys.result(task_id): result_size, keys.reverse_index(task_id): indexed}
    prefix = keys.queue_prefix(queue)
    beside |= {prefix + name.encode(): reply for name, reply in scores.items()}
    for place, reply in beside.items():
        told = context.doubt(reply, place) if wrong_type(reply) and place != key else None
        outline.notes.extend([told] if told else [])
    return outline


async def _read_values(
    context: ReadContext, key: bytes, task_id: str, outline: _Outline, found: FoundTask
) -> None:
    """The second and third trip, and a fourth for fields that nobody knows."""
    limit = context.limit
    more = outline.length > len(outline.sizes)
    fields = FieldsRead(key, outline.sizes, limit)
    batch = Batch()
    fields.ask(batch)
    result_slot = names_slot = -1
    if outline.result_size and b"result" not in outline.sizes:
        result_slot = batch.ask("GETRANGE", keys.result(task_id), 0, limit - 1)
    if more and outline.length <= MOST_FIELDS:
        names_slot = batch.ask("HKEYS", key)
    elif more:
        outline.notes.append(f"The hash has {outline.length:,} fields: only known ones are shown")
    replies = await context.trip(batch)
    fields.read(replies)
    await fields.finish(context.link)
    said = Warnings()
    said.refusals(replies, quiet=frozenset({"EVAL_RO"}))
    outline.notes.extend(said.texts())
    if fields.values.refused:
        outline.notes.append(REFUSED_NOTE)
    if result_slot >= 0:
        found.result = data(replies[result_slot])
        found.result_size = outline.result_size
    names = strings(replies[names_slot]) if names_slot >= 0 else []
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
        ask_part(batch, key, b"msg", cut.end, min(context.limit, size - cut.end))
        tail = data((await context.trip(batch))[0])
    opened = open_parts(head, cut, tail, size, context.limit)
    if not opened.complete:
        notes.append("msg is very large: its fields behind the payload were not read")
    return opened


async def _read_extra(
    context: ReadContext, key: bytes, names: list[bytes], found: FoundTask
) -> None:
    """Fields that nobody knows, for the raw view: sizes first, like all others."""
    batch = Batch()
    for name in names:
        batch.ask("HSTRLEN", key, name)
    sizes: list[Reply] = await context.trip(batch)
    known = {
        name: size for name, reply in zip(names, sizes, strict=True) if (size := integer(reply))
    }
    fields = FieldsRead(key, known, context.limit)
    batch = Batch()
    fields.ask(batch)
    fields.read(await context.trip(batch))
    found.extra = fields.values


def gone(queue: QueueKey, task_id: str, now: float) -> Task:
    """A task of which only the reverse index is left."""
    note = "Finished and not stored, or expired: only the reverse index asynq:t:<id> is left"
    return Task(id=task_id, queue=queue, taken_at=now, gone=True, notes=(note,))


_NAMED = 5


async def find_task(context: ReadContext, task_id: str, queue: QueueKey | None) -> Task | None:
    """Find one task; ``None`` where neither a hash nor the reverse index knows the id."""
    if queue is not None:
        task = await read_detail(context, queue, task_id)
        return task or await _by_index(context, task_id, queue)
    return await _by_index(context, task_id, None)


async def _by_index(context: ReadContext, task_id: str, only: QueueKey | None) -> Task | None:
    index = keys.reverse_index(task_id)
    batch = Batch()
    batch.ask("HGET", index, "queue")
    batch.ask("HEXISTS", index, "payload")
    batch.ask("HEXISTS", index, "type")
    batch.ask("TIME")
    batch.ask("SSCAN", keys.QUEUES, 0, "COUNT", QUEUES_PER_STEP)
    named, has_payload, has_type, time_reply, queues = await context.trip(batch)
    for reply in (named, has_payload, has_type):
        context.allowed(reply)
    name = data(named)
    told = None if name is None else decode(name)
    if integer(has_payload) or integer(has_type):
        home = QueueKey(told or "", braced=False)
        return (
            await read_detail(context, home, task_id)
            if only in (None, QueueKey(home.name))
            else None
        )
    if only is None:
        task = await _anywhere(context, task_id, told, scan_page(queues))
        if task is not None:
            return task
        context.must(queues)
    context.must(named)  # where the index's node is down, a queue may have had it all the same
    if told is not None and only in (None, QueueKey(told)):
        return gone(QueueKey(told), task_id, context.moment(time_reply))
    return None


async def _anywhere(
    context: ReadContext, task_id: str, told: str | None, page: tuple[int, list[bytes]] | None
) -> Task | None:
    if told is not None:
        task = await read_detail(context, QueueKey(told), task_id)
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
    """The queues that have a hash for the id, by name: one round trip for all."""
    asked = sorted(queues, key=lambda queue: queue.name)
    batch = Batch()
    for queue in asked:
        batch.ask("EXISTS", keys.task(queue, task_id))
    replies = await context.trip(batch)
    found = [
        queue
        for queue, reply in zip(asked, replies, strict=True)
        if integer(context.allowed(reply))
    ]
    for reply in () if found else replies:
        context.must(reply)  # nobody has it, as far as can be told: not where a node is down
    return found
