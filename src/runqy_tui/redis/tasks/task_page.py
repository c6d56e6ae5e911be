"""A page of task ids of one state, from either end; the cost is that of the page alone."""

from __future__ import annotations

from typing import NamedTuple

from runqy_tui.model import QueueKey, TaskPage, TaskState
from runqy_tui.redis import keys
from runqy_tui.redis.polling.queue_state import MOST_GROUPS
from runqy_tui.redis.read_context import ReadContext
from runqy_tui.redis.tasks.row_reading import KnownRows, RowEntry, read_rows
from runqy_tui.redis.wire.replies import Reply, integer, scan_page, scored, strings
from runqy_tui.redis.wire.transport import Batch
from runqy_tui.text.safe import decode

MOST_ROWS = 1_000
_LISTS = (TaskState.PENDING, TaskState.ACTIVE)


class _Listing(NamedTuple):
    entries: list[RowEntry]
    total: int
    now: float
    groups: tuple[str, ...] = ()
    problem: str | None = None


async def read_page(
    context: ReadContext,
    queue: QueueKey,
    state: TaskState,
    *,
    offset: int,
    limit: int,
    newest_first: bool,
    known: KnownRows | None = None,
) -> TaskPage:
    """Read a page: the ids, then the hashes' sizes and small fields, then their larger ones.

    Rows that are ``known`` are not read again.
    """
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
    batch.ask("TIME")
    batch.ask("LLEN" if state in _LISTS else "ZCARD", key)
    span = max(1, limit)  # an empty range from 0 on would be 0 to -1: everything
    if state not in _LISTS:
        _ask_scored(batch, key, offset, span, newest_first)
    elif newest_first:
        batch.ask("LRANGE", key, offset, offset + span - 1)
    else:
        batch.ask("LRANGE", key, -(offset + span), -(offset + 1))
    time_reply, length, found = await context.trip(batch)
    context.must(length)
    context.must(found)
    if state in _LISTS:
        ids = strings(found)
        entries = [RowEntry(task_id) for task_id in (ids if newest_first else reversed(ids))]
    else:
        entries = [RowEntry(task_id, score) for task_id, score in scored(found)]
    return _Listing(
        entries[:limit],
        integer(length) or 0,
        context.moment(time_reply),
        problem=context.doubt(length, key),
    )


async def _list_groups(
    context: ReadContext, queue: QueueKey, offset: int, limit: int, newest_first: bool
) -> _Listing:
    """One group after the other, by name."""
    batch = Batch()
    batch.ask("TIME")
    key = keys.queue_prefix(queue) + b"groups"
    batch.ask("SSCAN", key, 0, "COUNT", MOST_GROUPS)
    time_reply, groups = await context.trip(batch)
    page = scan_page(context.must(groups))
    names = sorted(set(page[1]))[:MOST_GROUPS] if page else []
    places = [keys.group(queue, decode(name)) for name in names]
    partial = page is not None and (page[0] != 0 or len(page[1]) > MOST_GROUPS)
    problem = f"{decode(key)} is long: {MOST_GROUPS:,} groups are listed" if partial else None
    sizes = await _sizes(context, places)
    batch = Batch()
    first = 0
    for place, size in zip(places, sizes, strict=True):
        start, stop = max(0, offset - first), min(size, offset + limit - first)
        if start < stop:
            _ask_scored(batch, place, start, stop - start, newest_first)
        first += size
    found = [context.must(reply) for reply in await context.trip(batch)]
    return _Listing(
        [RowEntry(task_id, score) for reply in found for task_id, score in scored(reply)],
        sum(sizes),
        context.moment(time_reply),
        tuple(decode(name) for name in names),
        context.doubt(groups, key) or problem,
    )


async def _sizes(context: ReadContext, places: list[bytes]) -> list[int]:
    batch = Batch()
    for place in places:
        batch.ask("ZCARD", place)
    replies: list[Reply] = await context.trip(batch)
    return [integer(context.must(reply)) or 0 for reply in replies]


def _ask_scored(batch: Batch, key: bytes, offset: int, limit: int, newest_first: bool) -> None:
    command = "ZREVRANGE" if newest_first else "ZRANGE"
    batch.ask(command, key, offset, offset + limit - 1, "WITHSCORES")
