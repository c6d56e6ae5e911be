"""A close look at listed tasks: whether each has its hash and its lease, and how long it may run.

Three trips for all windows together: the ids; the hashes' small fields, the leases, and the ids
once more; the messages, which alone tell a timeout. Tasks that left their list meanwhile are left
out and do not count: on a busy queue they would look like ids without a hash. Tasks that were in
order a moment ago are not looked at again (:mod:`runqy_tui.redis.task_reading.ttl_cache`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from redis.exceptions import ResponseError

from runqy_tui.model import CheckedTask, CheckWindow, QueueKey, TaskState, WindowCheck
from runqy_tui.redis import keys
from runqy_tui.redis.decoding import field_parsing
from runqy_tui.redis.decoding.codec import UNDECODABLE, TaskMessage, decode_task
from runqy_tui.redis.read_context import ReadContext
from runqy_tui.redis.task_reading.ttl_cache import TTLCache
from runqy_tui.redis.wire.command_encoding import Pattern
from runqy_tui.redis.wire.replies import (
    Reply,
    ReplySlot,
    data,
    integer,
    items,
    score,
    strings,
)
from runqy_tui.redis.wire.transport import Batch, packed_for
from runqy_tui.text.safe import decode, encode

MOST_TASKS = 1_000
MOST_KEPT = 5_000
KEEP_S = 10.0
"""For so long a task that was in order is taken to be so. A lease lasts 30 s at the least, and that
a hash went away under a listed task is told so much later."""

_WHOLE = 4 * 1024
"""A message up to this is read for its timeout; a larger one is payload for the most part."""

_FIELDS = (
    b"state",
    b"pending_since",
    b"completed_at",
    b"last_failed_at",
    b"pending_timeout",
    b"active_timeout",
    b"timeout",
    b"deadline",
)
_FATE = (b"state", b"completed_at", b"last_failed_at")
_EXISTS = Pattern("EXISTS", None)
_LOOK = (_EXISTS, Pattern("HMGET", None, *_FIELDS), Pattern("HSTRLEN", None, "msg"))
_LAST_LOOK = (_EXISTS, Pattern("HMGET", None, *_FATE))
_LISTS = (TaskState.PENDING, TaskState.ACTIVE)
_STATES = {state.value.encode(): state for state in TaskState}

Fields = dict[bytes, bytes | None]
Known = TTLCache[tuple[QueueKey, TaskState, str], CheckedTask]
"""Tasks of a queue's list that were in order."""


@dataclass(slots=True)
class _Look:
    """What is known of one listed id; ``told`` where it needs no look."""

    task_id: bytes
    key: bytes
    told: CheckedTask | None = None
    missing: bool = False
    lease: float | None = None
    lease_unread: bool = False
    fields: Fields = field(default_factory=dict)
    msg_size: int = 0
    message: TaskMessage = UNDECODABLE


@dataclass(slots=True)
class _Seen:
    """One window on its way to a :class:`WindowCheck`. ``span`` is its limit within the budget."""

    window: CheckWindow
    span: int
    total: int = 0
    looks: list[_Look] = field(default_factory=list)

    @property
    def leased(self) -> bool:
        """Whether its tasks need a lease; the documented dialect has none."""
        return self.window.state is TaskState.ACTIVE and self.window.queue.braced

    @property
    def unknown(self) -> list[_Look]:
        """Those that have to be looked at."""
        return [look for look in self.looks if look.told is None]


async def read_audit(
    context: ReadContext, windows: Sequence[CheckWindow], known: Known
) -> tuple[WindowCheck, ...]:
    """Every window in its order. ``aggregating`` is no one list: such a window comes back empty.

    Where the windows want more than 1,000 tasks the last ones get fewer, or none.
    """
    seen, left = [], MOST_TASKS
    for window in windows:
        possible = window.state is not TaskState.AGGREGATING
        span = max(0, min(window.limit, left)) if possible else 0
        left -= span
        seen.append(_Seen(window, span))
    known.forget()
    now = await _read_ids(context, seen, known)
    await _read_hashes(context, seen)
    await _read_messages(context, [look for part in seen for look in part.unknown])
    return tuple(_audit(part, now, known) for part in seen)


def _audit(part: _Seen, now: float, known: Known) -> WindowCheck:
    window, tasks = part.window, []
    for look in part.looks:
        task = look.told or _audited(look)
        if look.told is None and _in_order(task, window, now):
            known.put((window.queue, window.state, task.id), task)
        tasks.append(task)
    return WindowCheck(window, now, part.total, tuple(tasks))


async def read_fates(
    context: ReadContext, ids: Sequence[tuple[QueueKey, str]]
) -> tuple[CheckedTask, ...]:
    """What the hashes say now of the first 1,000 of these tasks, in their order: one trip."""
    batch = Batch()
    asked = [
        (task_id, batch.join(packed_for(keys.task(queue, task_id), *_LAST_LOOK)))
        for queue, task_id in ids[:MOST_TASKS]
    ]
    replies = await context.trip(batch)
    found = []
    for task_id, span in asked:
        exists, values = replies[span]
        look = _Look(encode(task_id), b"", missing=integer(context.require_access(exists)) == 0)
        look.fields = _fields(_FATE, context.require_access(values))
        found.append(_audited(look))
    return tuple(found)


async def _read_ids(context: ReadContext, seen: list[_Seen], known: Known) -> float:
    batch = Batch()
    time_slot = batch.ask("TIME")
    asked = []
    for part in seen:
        if part.window.state is not TaskState.AGGREGATING:
            length = batch.ask("LLEN" if part.window.state in _LISTS else "ZCARD", _list_key(part))
            asked.append((part, length, _ask_range(batch, part, max(0, part.window.offset))))
    replies = await context.trip(batch)
    now = context.moment(replies[time_slot])
    for part, length, ids_slot in asked:
        part.total = integer(context.require_access(replies[length])) or 0
        ids = strings(context.require_access(replies[ids_slot]))
        if part.window.state in _LISTS:
            ids.reverse()
        part.looks = [_look(part.window, task_id, known, now) for task_id in ids[: part.span]]
    return now


def _look(window: CheckWindow, raw: bytes, known: Known, now: float) -> _Look:
    task_id = decode(raw)
    told = known.get((window.queue, window.state, task_id))
    if told is not None and not _in_order(told, window, now):
        told = None
    return _Look(raw, keys.task(window.queue, task_id), told)


def _in_order(task: CheckedTask, window: CheckWindow, now: float) -> bool:
    """Whether nothing is wrong with a task, and nothing will be for as long as its lease runs."""
    if task.missing or task.lease_unread or task.state is not window.state:
        return False
    if window.state is not TaskState.ACTIVE or not window.queue.braced:
        return True
    ends = task.lease_expires_at
    return ends is not None and ends > now


async def _read_hashes(context: ReadContext, seen: list[_Seen]) -> None:
    batch = Batch()
    asked = [
        (part, [_ask_hash(batch, part, look) for look in unknown])
        for part in seen
        if (unknown := part.unknown)
    ]
    listings = []
    for part, hashes in asked:
        # What leaves at the oldest end moves the others towards it: look that way as well.
        start = max(0, part.window.offset)
        ids = _ask_range(batch, part, max(0, start - part.span), start + part.span)
        listings.append((part, hashes, ids))
    replies = [context.require_access(reply) for reply in await context.trip(batch)]
    for part, hashes, ids in listings:
        still = set(ids.value(replies))
        for slots in hashes:
            _read_hash(context, part, slots, replies)
        listed = [look for look in part.looks if look.told or look.task_id in still]
        part.total -= len(part.looks) - len(listed)
        part.looks = listed


async def _read_messages(context: ReadContext, looks: list[_Look]) -> None:
    batch = Batch()
    asked = [
        (look, batch.ask("HGET", look.key, "msg")) for look in looks if 0 < look.msg_size <= _WHOLE
    ]
    replies = await context.trip(batch)
    for look, message in asked:
        look.message = decode_task(data(context.require_access(replies[message])) or b"")


def _lease_key(part: _Seen) -> bytes:
    return keys.queue_prefix(part.window.queue) + b"lease"


def _list_key(part: _Seen) -> bytes:
    return keys.state_key(part.window.queue, part.window.state)


def _ask_range(
    batch: Batch, part: _Seen, start: int, stop: int | None = None
) -> ReplySlot[list[bytes]]:
    """Ids from ``start`` to before ``stop``, from the oldest; one at least (0 to -1 is all)."""
    stop = start + max(1, part.span) if stop is None else stop
    if part.window.state in _LISTS:
        return batch.ask("LRANGE", _list_key(part), -stop, -(start + 1), parse=strings)
    return batch.ask("ZRANGE", _list_key(part), start, stop - 1, parse=strings)


def _fields(names: tuple[bytes, ...], reply: Reply) -> Fields:
    return dict(zip(names, (data(value) for value in items(reply)), strict=False))


class _HashSlots(NamedTuple):
    """Where the replies about one id are: its hash (``_LOOK``) and, if it needs one, its lease."""

    look: _Look
    hash: slice
    lease: ReplySlot[float | None] | None


def _ask_hash(batch: Batch, part: _Seen, look: _Look) -> _HashSlots:
    span = batch.join(packed_for(look.key, *_LOOK))
    lease = (
        batch.ask("ZSCORE", _lease_key(part), look.task_id, parse=score) if part.leased else None
    )
    return _HashSlots(look, span, lease)


def _read_hash(context: ReadContext, part: _Seen, slots: _HashSlots, replies: list[Reply]) -> None:
    look = slots.look
    exists, values, size = replies[slots.hash]
    context.describe_error(values, look.key)
    look.missing = integer(exists) == 0
    look.fields = _fields(_FIELDS, values)
    look.msg_size = integer(size) or 0
    if slots.lease is not None:
        context.describe_error(replies[slots.lease], _lease_key(part))
        look.lease = slots.lease.value(replies)
        look.lease_unread = isinstance(replies[slots.lease], ResponseError)


def _audited(look: _Look) -> CheckedTask:
    fields, message = look.fields, look.message
    return CheckedTask(
        id=decode(look.task_id),
        missing=look.missing,
        state=_STATES.get(fields.get(b"state") or b""),
        lease_expires_at=look.lease,
        lease_unread=look.lease_unread,
        timeout_s=_timeout(fields, message),
        deadline=_time(message.deadline) or field_parsing.moment(fields.get(b"deadline")),
        pending_since=field_parsing.pending_since(fields.get(b"pending_since")),
        pending_timeout_s=_positive(field_parsing.whole(fields.get(b"pending_timeout"))),
        completed_at=field_parsing.moment(fields.get(b"completed_at"))
        or _time(message.completed_at),
        last_failed_at=field_parsing.moment(fields.get(b"last_failed_at"))
        or _time(message.last_failed_at),
    )


def _timeout(fields: Fields, message: TaskMessage) -> float | None:
    """The ``active_timeout`` of runqy goes before the message's, and 0 in it means none at all."""
    own = field_parsing.whole(fields.get(b"active_timeout"))
    if own is not None:
        return _positive(own)
    return _positive(message.timeout) or _positive(field_parsing.whole(fields.get(b"timeout")))


def _positive(value: int | None) -> float | None:
    return float(value) if value and value > 0 else None


def _time(value: int) -> float | None:
    return float(value) if 0 < value < 1e12 else None
