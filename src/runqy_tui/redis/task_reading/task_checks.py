"""Checks listed tasks: whether each has its hash and its lease, and how long it may run.

Three trips for all windows together: the ids; the hashes' small fields, the leases, and the ids
again; the messages, which alone hold the timeout. Tasks that left their list meanwhile are left
out and do not count: on a busy queue they would checked like ids without a hash. Tasks that were in
order a moment ago are not checked again (:mod:`runqy_tui.redis.task_reading.ttl_cache`).
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
from runqy_tui.redis.read_context import ReadContext, TopicReads
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
"""Seconds for which a task that was in order counts as such. A lease lasts at least 30 s; that the
hash of a listed task disappeared is noticed this much later."""

_WHOLE = 4 * 1024
"""A message up to this size is read for its timeout; a larger one is mostly payload."""

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
_OUTCOME = (b"state", b"completed_at", b"last_failed_at")
_EXISTS = Pattern("EXISTS", None)
_HASH_READS = (_EXISTS, Pattern("HMGET", None, *_FIELDS), Pattern("HSTRLEN", None, "msg"))
_OUTCOME_READS = (_EXISTS, Pattern("HMGET", None, *_OUTCOME))

Fields = dict[bytes, bytes | None]
Known = TTLCache[tuple[QueueKey, TaskState, str], CheckedTask]
"""Tasks of a queue's list that were in order."""


@dataclass(slots=True)
class _CheckedId:
    """One listed id and what was read of it; ``cached`` if it needs no check."""

    task_id: bytes
    key: bytes
    cached: CheckedTask | None = None
    missing: bool = False
    lease: float | None = None
    lease_unread: bool = False
    fields: Fields = field(default_factory=dict)
    msg_size: int = 0
    message: TaskMessage = UNDECODABLE


@dataclass(slots=True)
class _WindowState:
    """A window while it is checked. ``span`` is its limit within the budget of all windows."""

    window: CheckWindow
    span: int
    total: int = 0
    ids: list[_CheckedId] = field(default_factory=list)

    @property
    def leased(self) -> bool:
        """Whether its tasks need a lease; the documented dialect has none."""
        return self.window.state is TaskState.ACTIVE and self.window.queue.braced

    @property
    def unknown(self) -> list[_CheckedId]:
        """The tasks that have to be read."""
        return [checked for checked in self.ids if checked.cached is None]


class TaskCheckReads(TopicReads):
    """Checks listed tasks, and reads how tasks ended."""

    def __init__(self, context: ReadContext) -> None:
        super().__init__(context)
        self._checked_tasks: Known = TTLCache(KEEP_S, MOST_KEPT)

    async def check_tasks(self, windows: Sequence[CheckWindow]) -> tuple[WindowCheck, ...]:
        """Check listed tasks for a missing hash, lease or deadline: at most three round trips.

        The results are in the order of the windows. At most 1,000 tasks in all: the last windows
        are cut. A task that leaves its list during the check is left out; a ``msg`` over 4 KiB is
        not read. The result for a task that was in order may be ten seconds old. ``aggregating`` is
        not one list: its window is empty.

        Raises ``ConnectionFailedError`` or ``AccessDeniedError`` if a list cannot be read.
        """
        context, known = self._context, self._checked_tasks
        states, left = [], MOST_TASKS
        for window in windows:
            possible = window.state is not TaskState.AGGREGATING
            span = max(0, min(window.limit, left)) if possible else 0
            left -= span
            states.append(_WindowState(window, span))
        known.evict()
        now = await _read_ids(context, states, known)
        await _read_hashes(context, states)
        await _read_messages(context, [checked for part in states for checked in part.unknown])
        return tuple(_build_window(part, now, known) for part in states)

    async def read_outcomes(self, ids: Sequence[tuple[QueueKey, str]]) -> tuple[CheckedTask, ...]:
        """Read the present state of the first 1,000 of these tasks, in their order: one trip.

        ``completed_at`` and ``last_failed_at`` are runqy's fields; asynq keeps both in ``msg``,
        which is not read here. Raises ``AccessDeniedError`` if the ACL forbids it.
        """
        context = self._context
        batch = Batch()
        asked = [
            (task_id, batch.join(packed_for(keys.task(queue, task_id), *_OUTCOME_READS)))
            for queue, task_id in ids[:MOST_TASKS]
        ]
        replies = await context.trip(batch)
        found = []
        for task_id, span in asked:
            exists, values = replies[span]
            checked = _CheckedId(
                encode(task_id), b"", missing=integer(context.require_access(exists)) == 0
            )
            checked.fields = _fields(_OUTCOME, context.require_access(values))
            found.append(_build_checked(checked))
        return tuple(found)


def _build_window(part: _WindowState, now: float, known: Known) -> WindowCheck:
    window, tasks = part.window, []
    for checked in part.ids:
        task = checked.cached or _build_checked(checked)
        if checked.cached is None and _in_order(task, window, now):
            known.put((window.queue, window.state, task.id), task)
        tasks.append(task)
    return WindowCheck(window, now, part.total, tuple(tasks))


async def _read_ids(context: ReadContext, states: list[_WindowState], known: Known) -> float:
    batch = Batch()
    time_slot = batch.ask("TIME")
    asked = []
    for part in states:
        if part.window.state is not TaskState.AGGREGATING:
            length = batch.ask(
                "LLEN" if part.window.state in keys.LIST_STATES else "ZCARD", _list_key(part)
            )
            asked.append((part, length, _ask_range(batch, part, max(0, part.window.offset))))
    replies = await context.trip(batch)
    now = context.moment(replies[time_slot])
    for part, length, ids_slot in asked:
        part.total = integer(context.require_access(replies[length])) or 0
        ids = strings(context.require_access(replies[ids_slot]))
        if part.window.state in keys.LIST_STATES:
            ids.reverse()
        part.ids = [_checked_id(part.window, task_id, known, now) for task_id in ids[: part.span]]
    return now


def _checked_id(window: CheckWindow, raw: bytes, known: Known, now: float) -> _CheckedId:
    task_id = decode(raw)
    cached = known.get((window.queue, window.state, task_id))
    if cached is not None and not _in_order(cached, window, now):
        cached = None
    return _CheckedId(raw, keys.task(window.queue, task_id), cached)


def _in_order(task: CheckedTask, window: CheckWindow, now: float) -> bool:
    """Whether a task has no fault, and will have none while its lease is valid."""
    if task.missing or task.lease_unread or task.state is not window.state:
        return False
    if window.state is not TaskState.ACTIVE or not window.queue.braced:
        return True
    ends = task.lease_expires_at
    return ends is not None and ends > now


async def _read_hashes(context: ReadContext, states: list[_WindowState]) -> None:
    batch = Batch()
    asked = [
        (part, [_ask_hash(batch, part, checked) for checked in unknown])
        for part in states
        if (unknown := part.unknown)
    ]
    listings = []
    for part, hashes in asked:
        # Tasks that leave at the oldest end shift the others towards it: read that side as well.
        start = max(0, part.window.offset)
        ids = _ask_range(batch, part, max(0, start - part.span), start + part.span)
        listings.append((part, hashes, ids))
    replies = [context.require_access(reply) for reply in await context.trip(batch)]
    for part, hashes, ids in listings:
        still = set(ids.value(replies))
        for slots in hashes:
            _read_hash(context, part, slots, replies)
        listed = [checked for checked in part.ids if checked.cached or checked.task_id in still]
        part.total -= len(part.ids) - len(listed)
        part.ids = listed


async def _read_messages(context: ReadContext, ids: list[_CheckedId]) -> None:
    batch = Batch()
    asked = [
        (checked, batch.ask("HGET", checked.key, "msg"))
        for checked in ids
        if 0 < checked.msg_size <= _WHOLE
    ]
    replies = await context.trip(batch)
    for checked, message in asked:
        checked.message = decode_task(data(context.require_access(replies[message])) or b"")


def _lease_key(part: _WindowState) -> bytes:
    return keys.queue_prefix(part.window.queue) + b"lease"


def _list_key(part: _WindowState) -> bytes:
    return keys.state_key(part.window.queue, part.window.state)


def _ask_range(
    batch: Batch, part: _WindowState, start: int, stop: int | None = None
) -> ReplySlot[list[bytes]]:
    """Ids from ``start`` to before ``stop``, from the oldest; one at least (0 to -1 is all)."""
    stop = start + max(1, part.span) if stop is None else stop
    if part.window.state in keys.LIST_STATES:
        return batch.ask("LRANGE", _list_key(part), -stop, -(start + 1), parse=strings)
    return batch.ask("ZRANGE", _list_key(part), start, stop - 1, parse=strings)


def _fields(names: tuple[bytes, ...], reply: Reply) -> Fields:
    return dict(zip(names, (data(value) for value in items(reply)), strict=False))


class _HashSlots(NamedTuple):
    """Where the replies for one id are: its hash (``_HASH_READS``) and, if needed, its lease."""

    checked: _CheckedId
    hash: slice
    lease: ReplySlot[float | None] | None


def _ask_hash(batch: Batch, part: _WindowState, checked: _CheckedId) -> _HashSlots:
    span = batch.join(packed_for(checked.key, *_HASH_READS))
    lease = (
        batch.ask("ZSCORE", _lease_key(part), checked.task_id, parse=score) if part.leased else None
    )
    return _HashSlots(checked, span, lease)


def _read_hash(
    context: ReadContext, part: _WindowState, slots: _HashSlots, replies: list[Reply]
) -> None:
    checked = slots.checked
    exists, values, size = replies[slots.hash]
    context.describe_error(values, checked.key)
    checked.missing = integer(exists) == 0
    checked.fields = _fields(_FIELDS, values)
    checked.msg_size = integer(size) or 0
    if slots.lease is not None:
        context.describe_error(replies[slots.lease], _lease_key(part))
        checked.lease = slots.lease.value(replies)
        checked.lease_unread = isinstance(replies[slots.lease], ResponseError)


def _build_checked(checked: _CheckedId) -> CheckedTask:
    fields, message = checked.fields, checked.message
    return CheckedTask(
        id=decode(checked.task_id),
        missing=checked.missing,
        state=field_parsing.task_state(fields.get(b"state")),
        lease_expires_at=checked.lease,
        lease_unread=checked.lease_unread,
        timeout_s=_timeout(fields, message),
        deadline=field_parsing.seconds(message.deadline)
        or field_parsing.moment(fields.get(b"deadline")),
        pending_since=field_parsing.pending_since(fields.get(b"pending_since")),
        pending_timeout_s=_positive(field_parsing.whole(fields.get(b"pending_timeout"))),
        completed_at=field_parsing.moment(fields.get(b"completed_at"))
        or field_parsing.seconds(message.completed_at),
        last_failed_at=field_parsing.moment(fields.get(b"last_failed_at"))
        or field_parsing.seconds(message.last_failed_at),
    )


def _timeout(fields: Fields, message: TaskMessage) -> float | None:
    """Runqy's ``active_timeout`` takes precedence over the message's; 0 in it means none."""
    own = field_parsing.whole(fields.get(b"active_timeout"))
    if own is not None:
        return _positive(own)
    return _positive(message.timeout) or _positive(field_parsing.whole(fields.get(b"timeout")))


def _positive(value: int | None) -> float | None:
    return float(value) if value and value > 0 else None
