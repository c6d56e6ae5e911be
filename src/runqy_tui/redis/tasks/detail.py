"""One task in full: everything that Redis tells about it, each value up to a limit."""

from __future__ import annotations

from dataclasses import dataclass, field

from redis.exceptions import ResponseError

from runqy_tui.model import QueueKey, Task
from runqy_tui.redis import keys
from runqy_tui.redis.context import Context
from runqy_tui.redis.decoding.message import CLOSED, Opened, cut_of, open_parts, open_whole
from runqy_tui.redis.decoding.values import REFUSED_NOTE, FieldsRead, Values, ask_part
from runqy_tui.redis.polling.warn import Warnings
from runqy_tui.redis.tasks.task_of import Found, task_of
from runqy_tui.redis.wire.replies import Reply, data, integer, score, strings, wrong_type
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


async def read_detail(context: Context, queue: QueueKey, task_id: str) -> Task | None:
    """Read one task of one queue; ``None`` where it has no hash there.

    Without braces the hash is ``asynq:t:<id>``, which may be a mere reverse index: that is none.
    """
    key = keys.task(queue, task_id)
    outline = await _outline(context, queue, task_id, key)
    if outline is None:
        return None
    if not queue.braced and not (outline.sizes.keys() & {b"payload", b"type", b"msg"}):
        return None
    found = Found(
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


async def _outline(context: Context, queue: QueueKey, task_id: str, key: bytes) -> _Outline | None:
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
    context: Context, key: bytes, task_id: str, outline: _Outline, found: Found
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


async def _open(context: Context, key: bytes, values: Values, notes: list[str]) -> Opened | None:
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


async def _read_extra(context: Context, key: bytes, names: list[bytes], found: Found) -> None:
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
