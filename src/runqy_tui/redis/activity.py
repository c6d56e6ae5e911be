"""What an asynq server is running, and what a queue did each day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from runqy_tui.model import (
    ActiveTask,
    DayCount,
    QueueKey,
)
from runqy_tui.redis import keys
from runqy_tui.redis.decoding import codec, field_parsing
from runqy_tui.redis.polling.asynq_servers import MAX_ACTIVE, workers_key
from runqy_tui.redis.polling.poll_memory import day_of
from runqy_tui.redis.read_context import TopicReads
from runqy_tui.redis.wire.replies import Reply, ReplySlot, data, integer, items, strings
from runqy_tui.redis.wire.transport import Batch

MOST_DAYS = 90
_MOST_INFO_BYTES = 65_536


class ActivityReads(TopicReads):
    """Reads what asynq servers work on, and daily counters."""

    async def active_tasks(self, worker_id: str) -> tuple[ActiveTask, ...]:
        """The tasks of an asynq server, oldest start first; empty for the other dialects.

        Raises ``ConnectionFailedError`` or ``AccessDeniedError`` if they cannot be read.
        """
        key = workers_key(worker_id)
        batch = Batch()
        ids = batch.ask("HRANDFIELD", key, MAX_ACTIVE)
        replies = await self._context.trip(batch)
        names = strings(self._context.require(replies[ids]))
        batch = Batch()
        sizes = {name: batch.ask("HSTRLEN", key, name) for name in names}
        replies = await self._context.trip(batch)
        fitting = [
            name
            for name, slot in sizes.items()
            if 0 < (integer(self._context.require(replies[slot])) or 0) <= _MOST_INFO_BYTES
        ]
        if not fitting:
            return ()
        batch = Batch()
        values = batch.ask("HMGET", key, *fitting)
        replies = await self._context.trip(batch)
        infos = [
            codec.decode_worker(raw) for raw in strings(self._context.require(replies[values]))
        ]
        tasks = [
            ActiveTask(info.task_id, info.queue, info.task_type, info.started_at, info.deadline)
            for info in infos
            if info is not None
        ]
        return tuple(sorted(tasks, key=lambda task: (task.started_at or 0.0, task.id)))

    async def daily_counts(self, queue: QueueKey, days: int = 14) -> tuple[DayCount, ...]:
        """Daily counters, oldest first, today (UTC) last; at most 90 days.

        Empty for the documented dialect, which has none. Raises ``ConnectionFailedError`` or
        ``AccessDeniedError`` if they cannot be read.
        """
        days = max(1, min(days, MOST_DAYS))
        if not queue.braced:
            return ()
        today = self._context.today()
        if today is None:
            batch = Batch()
            time_slot = batch.ask("TIME")
            replies = await self._context.trip(batch)
            today = day_of(self._context.moment(replies[time_slot]))
        last = datetime.strptime(today, "%Y-%m-%d").replace(tzinfo=UTC)
        names = [(last - timedelta(days=back)).strftime("%Y-%m-%d") for back in range(days)][::-1]
        prefix = keys.queue_prefix(queue)
        batch = Batch()
        processed = _ask_counters(batch, [prefix + b"processed:" + name.encode() for name in names])
        failed = _ask_counters(batch, [prefix + b"failed:" + name.encode() for name in names])
        replies = await self._context.trip(batch)
        self._context.require(replies[processed.values])
        return tuple(
            map(
                DayCount,
                names,
                _parse_counters(processed, replies, days),
                _parse_counters(failed, replies, days),
            )
        )


class _CounterSlots(NamedTuple):
    """How many of some counter keys exist, and their values."""

    existing: ReplySlot[int | None]
    values: ReplySlot[list[Reply]]


def _ask_counters(batch: Batch, counter_keys: Sequence[bytes]) -> _CounterSlots:
    return _CounterSlots(
        batch.ask("EXISTS", *counter_keys, parse=integer),
        batch.ask("MGET", *counter_keys, parse=items),
    )


def _parse_counters(slots: _CounterSlots, replies: list[Reply], days: int) -> list[int | None]:
    """One counter per day; if more keys exist than have a value, an absent one is not 0."""
    found = [data(value) for value in slots.values.value(replies)]
    if len(found) != days:
        return [None] * days
    existing = slots.existing.value(replies) or 0
    some_unreadable = existing > sum(value is not None for value in found)
    absent = None if some_unreadable else 0
    return [absent if value is None else field_parsing.whole(value) for value in found]
