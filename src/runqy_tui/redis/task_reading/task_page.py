"""Pages of tasks of one state, from either end, at the cost of the page alone; single tasks."""

from __future__ import annotations

from typing import NamedTuple

from runqy_tui.model import QueueKey, Task, TaskPage, TaskState
from runqy_tui.model.reader_protocol import PAGE_SIZE
from runqy_tui.redis import keys
from runqy_tui.redis.polling.queue_state import MAX_GROUPS
from runqy_tui.redis.read_context import ReadContext, TopicReads
from runqy_tui.redis.task_reading.row_reading import (
    KEEP_S,
    MOST_KEPT,
    KnownRows,
    RowEntry,
    read_rows,
)
from runqy_tui.redis.task_reading.ttl_cache import TTLCache
from runqy_tui.redis.wire.replies import (
    Reply,
    ReplySlot,
    integer,
    scan_page,
    scored,
    strings,
)
from runqy_tui.redis.wire.transport import Batch
from runqy_tui.text.safe import decode, encode

MOST_ROWS = 1_000


class _Listing(NamedTuple):
    entries: list[RowEntry]
    total: int
    now: float
    groups: tuple[str, ...] = ()
    problem: str | None = None


class TaskReads(TopicReads):
    """Reads pages of task lists and single tasks."""

    def __init__(self, context: ReadContext) -> None:
        super().__init__(context)
        self._rows: KnownRows = TTLCache(KEEP_S, MOST_KEPT)

    async def page(
        self,
        queue: QueueKey,
        state: TaskState,
        *,
        offset: int = 0,
        limit: int = PAGE_SIZE,
        newest_first: bool = True,
    ) -> TaskPage:
        """Read a page of at most 1,000 tasks in three trips (four for ``aggregating``).

        These are the ids, then the hashes' sizes and small fields, then their larger ones. A row
        may be five seconds old where the page is no longer than those of a table. Raises
        ``ConnectionFailedError`` or ``AccessDeniedError`` if the list cannot be read; one of a
        wrong type is a ``problem``.
        """
        context, known = self._context, self._rows if limit <= PAGE_SIZE else None
        offset, limit = max(0, offset), max(0, min(limit, MOST_ROWS))
        if state is TaskState.AGGREGATING:
            listing = await _list_groups(context, queue, offset, limit, newest_first)
        else:
            listing = await _list(context, queue, state, offset, limit, newest_first)
        rows = await read_rows(context, queue, state, listing.entries, listing.now, known)
        return TaskPage(
            queue=queue,
            state=state,
            offset=offset,
            total=listing.total,
            newest_first=newest_first,
            rows=rows,
            taken_at=listing.now,
            groups=listing.groups,
            problem=listing.problem,
        )

    async def task(
        self, task_id: str, queue: QueueKey | None = None, *, limit: int | None = None
    ) -> Task | None:
        """Find one task by id, in one queue or anywhere; ``None`` if no queue has it.

        ``Task.gone`` marks an id of which only the reverse index is left. ``limit`` is how much
        of each value to read, in bytes; ``value_limit`` of the reader if ``None``. Raises
        ``ConnectionFailedError`` or ``AccessDeniedError`` if it cannot be read.
        """
        from runqy_tui.redis.task_reading.task_lookup import find_task

        context = self._context if limit is None else self._context.reading_up_to(limit)
        return await find_task(context, task_id, queue)

    async def position(self, queue: QueueKey, state: TaskState, task_id: str) -> int | None:
        """Rank of an id in a scored state, lowest score first; ``None`` for lists or if absent.

        A list has no cheap rank. Raises ``ConnectionFailedError`` or ``AccessDeniedError`` if it
        cannot be read.
        """
        if state in (*keys.LIST_STATES, TaskState.AGGREGATING):
            return None
        batch = Batch()
        rank = batch.ask("ZRANK", keys.state_key(queue, state), encode(task_id))
        replies = await self._context.trip(batch)
        return integer(self._context.require(replies[rank]))


async def _list(
    context: ReadContext,
    queue: QueueKey,
    state: TaskState,
    offset: int,
    limit: int,
    newest_first: bool,
) -> _Listing:
    key = keys.state_key(queue, state)
    batch = Batch()
    time_slot = batch.ask("TIME")
    length = batch.ask("LLEN" if state in keys.LIST_STATES else "ZCARD", key, parse=integer)
    span = max(1, limit)  # an empty range from 0 would be 0 to -1, which is everything
    entries: ReplySlot[list[RowEntry]]
    if state not in keys.LIST_STATES:
        entries = _ask_scored(batch, key, offset, span, newest_first)
    elif newest_first:
        entries = batch.ask("LRANGE", key, offset, offset + span - 1, parse=_listed)
    else:
        entries = batch.ask("LRANGE", key, -(offset + span), -(offset + 1), parse=_listed_reversed)
    replies = await context.trip(batch)
    context.require(replies[length])
    context.require(replies[entries])
    return _Listing(
        entries.value(replies)[:limit],
        length.value(replies) or 0,
        context.moment(replies[time_slot]),
        problem=context.describe_error(replies[length], key),
    )


async def _list_groups(
    context: ReadContext, queue: QueueKey, offset: int, limit: int, newest_first: bool
) -> _Listing:
    """One group after the other, by name."""
    batch = Batch()
    time_slot = batch.ask("TIME")
    key = keys.queue_prefix(queue) + b"groups"
    groups_slot = batch.ask("SSCAN", key, 0, "COUNT", MAX_GROUPS)
    replies = await context.trip(batch)
    now, groups = context.moment(replies[time_slot]), context.require(replies[groups_slot])
    page = scan_page(groups)
    names = sorted(set(page[1]))[:MAX_GROUPS] if page else []
    places = [keys.group(queue, decode(name)) for name in names]
    partial = page is not None and (page[0] != 0 or len(page[1]) > MAX_GROUPS)
    problem = f"{decode(key)} is long: {MAX_GROUPS:,} groups are listed" if partial else None
    sizes = await _sizes(context, places)
    batch = Batch()
    asked: list[ReplySlot[list[RowEntry]]] = []
    first = 0
    for place, size in zip(places, sizes, strict=True):
        start, stop = max(0, offset - first), min(size, offset + limit - first)
        if start < stop:
            asked.append(_ask_scored(batch, place, start, stop - start, newest_first))
        first += size
    replies = await context.trip(batch)
    for slot in asked:
        context.require(replies[slot])
    return _Listing(
        [entry for slot in asked for entry in slot.value(replies)],
        sum(sizes),
        now,
        tuple(decode(name) for name in names),
        context.describe_error(groups, key) or problem,
    )


async def _sizes(context: ReadContext, places: list[bytes]) -> list[int]:
    batch = Batch()
    sizes = [batch.ask("ZCARD", place) for place in places]
    replies = await context.trip(batch)
    return [integer(context.require(replies[size])) or 0 for size in sizes]


def _ask_scored(
    batch: Batch, key: bytes, offset: int, limit: int, newest_first: bool
) -> ReplySlot[list[RowEntry]]:
    command = "ZREVRANGE" if newest_first else "ZRANGE"
    return batch.ask(command, key, offset, offset + limit - 1, "WITHSCORES", parse=_scored_entries)


def _scored_entries(reply: Reply) -> list[RowEntry]:
    return [RowEntry(task_id, score) for task_id, score in scored(reply)]


def _listed(reply: Reply) -> list[RowEntry]:
    return [RowEntry(task_id) for task_id in strings(reply)]


def _listed_reversed(reply: Reply) -> list[RowEntry]:
    return _listed(reply)[::-1]
