"""The reader of the front ends: every method of the Protocol, over one link to Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing
from itertools import islice
from typing import TYPE_CHECKING

from runqy_tui.model import (
    ActiveTask,
    CheckedTask,
    CheckWindow,
    DayCount,
    LogBatch,
    QueueKey,
    Snapshot,
    Task,
    TaskPage,
    TaskState,
    WindowCheck,
)
from runqy_tui.model.credentials import Credentials
from runqy_tui.model.reader_protocol import PAGE_SIZE, InView
from runqy_tui.redis.activity import read_active, read_daily
from runqy_tui.redis.connecting.connect import link_to
from runqy_tui.redis.connecting.target import parse_url
from runqy_tui.redis.polling.budget import MOST_WATCHED
from runqy_tui.redis.polling.overview import Overview, deadline_for
from runqy_tui.redis.read_context import ReadContext
from runqy_tui.redis.task_reading import row_reading, task_checks
from runqy_tui.redis.task_reading.row_reading import KnownRows
from runqy_tui.redis.task_reading.task_checks import Known, read_checks, read_outcomes
from runqy_tui.redis.task_reading.task_page import read_page, read_position
from runqy_tui.redis.task_reading.ttl_cache import TTLCache
from runqy_tui.redis.wire.transport import RedisLink
from runqy_tui.redis.worker_logs import read_logs

if TYPE_CHECKING:
    from runqy_tui.model.search_query import SearchQuery, SearchStep

VALUE_LIMIT = 262_144
"""Bytes read of a value that may be large, unless asked otherwise."""


class RedisReader:
    """Satisfies :class:`runqy_tui.model.reader_protocol.Reader`. Created by :func:`open_reader`."""

    def __init__(
        self,
        link: RedisLink,
        clock: Callable[[float], float],
        value_limit: int = VALUE_LIMIT,
        budget: int | None = None,
    ) -> None:
        self.link = link
        self._overview = Overview(link, clock, deadline_for(link.target.timeout), budget)
        self._clock = clock
        self._context = ReadContext(link, self._overview.memory, value_limit)
        self._checked_tasks: Known = TTLCache(task_checks.KEEP_S, task_checks.MOST_KEPT)
        self._rows: KnownRows = TTLCache(row_reading.KEEP_S, row_reading.MOST_KEPT)

    @property
    def address(self) -> str:
        """Where Redis is, without credentials."""
        return self.link.target.address

    @property
    def deadline_s(self) -> float:
        """Seconds after which an overview fails."""
        return self._overview.deadline

    async def overview(self) -> Snapshot:
        """Poll once: one round trip when warm, three when cold.

        Raises ``ConnectionFailedError`` or ``AccessDeniedError``.
        """
        return await self._overview.poll()

    def prioritize(self, queues: Collection[QueueKey], workers: Collection[str] = ()) -> None:
        """Read these queues at every poll, whatever the budget; see the Protocol."""
        self._overview.watched = InView(
            frozenset(islice(queues, MOST_WATCHED)), frozenset(islice(workers, MOST_WATCHED))
        )

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

        A row may be five seconds old where the page is no longer than those of a table.
        """
        return await read_page(
            self._context,
            queue,
            state,
            offset=offset,
            limit=limit,
            newest_first=newest_first,
            known=self._rows if limit <= PAGE_SIZE else None,
        )

    async def task(
        self, task_id: str, queue: QueueKey | None = None, *, limit: int | None = None
    ) -> Task | None:
        """Find one task by id, in one queue or anywhere; ``None`` if no queue has it.

        ``Task.gone`` marks an id of which only the reverse index is left. ``limit`` is how much
        of each value to read, in bytes; ``value_limit`` of the reader if ``None``.
        """
        from runqy_tui.redis.task_reading.task_lookup import find_task

        context = self._context if limit is None else self._context.reading_up_to(limit)
        return await find_task(context, task_id, queue)

    async def position(self, queue: QueueKey, state: TaskState, task_id: str) -> int | None:
        """Rank of an id in a scored state, lowest score first; ``None`` for lists or if absent."""
        return await read_position(self._context, queue, state, task_id)

    async def check_tasks(self, windows: Sequence[CheckWindow]) -> tuple[WindowCheck, ...]:
        """Check listed tasks for a missing hash, lease or deadline: at most three round trips.

        At most 1,000 tasks in all: the last windows are cut. A task that leaves its list during
        the check is left out; a ``msg`` over 4 KiB is not read. The result for a task that was in
        order may be ten seconds old.
        """
        return await read_checks(self._context, windows, self._checked_tasks)

    async def read_outcomes(self, ids: Sequence[tuple[QueueKey, str]]) -> tuple[CheckedTask, ...]:
        """Read how tasks that were seen active ended: one round trip, the first 1,000.

        ``completed_at`` and ``last_failed_at`` are runqy's fields; asynq keeps both in ``msg``,
        which is not read here.
        """
        return await read_outcomes(self._context, ids)

    async def logs(self, worker_id: str, after_seq: int = -1) -> LogBatch:
        """Log lines of a runqy worker with ``seq`` above ``after_seq``."""
        return await read_logs(self._context, worker_id, after_seq)

    async def active_tasks(self, worker_id: str) -> tuple[ActiveTask, ...]:
        """The tasks that an asynq server is running; empty for the other dialects."""
        return await read_active(self._context, worker_id)

    async def daily_counts(self, queue: QueueKey, days: int = 14) -> tuple[DayCount, ...]:
        """Daily counters, oldest first, today (UTC) last."""
        return await read_daily(self._context, queue, days)

    async def search(self, query: SearchQuery) -> AsyncGenerator[SearchStep, None]:
        """Search tasks for a text, over a connection of its own; see the Protocol."""
        from runqy_tui.redis.search.search_runner import SearchRunner

        link = link_to(self.link.target)
        context = ReadContext(link, self._overview.memory, self._context.limit)
        try:
            runner = SearchRunner(context, query, set(self._overview.memory.queues))
            async with aclosing(runner.steps()) as steps:
                async for step in steps:
                    yield step
        finally:
            await _close(link)

    async def close(self) -> None:
        """Close every connection."""
        await _close(self.link)


async def _close(link: RedisLink) -> None:
    """Close a link completely, even if the caller is cancelled meanwhile, as searches are."""
    await asyncio.shield(link.close())


async def open_reader(
    url: str,
    *,
    access: Credentials | None = None,
    clock: Callable[[float], float] | None = None,
    value_limit: int = VALUE_LIMIT,
    timeout: float = 3.0,  # noqa: ASYNC109
    budget: int | None = None,
) -> RedisReader:
    """Create a reader for any URL that :func:`parse_url` accepts; nothing is connected yet.

    ``access`` holds credentials and TLS files that are not in the URL.
    ``clock`` maps Redis's time to the moment by which ages are computed: for recordings, and for
    tests that must not depend on the day. ``timeout`` bounds a connect and each wait for data.
    ``budget`` is how many commands per second the overviews may send: with more to read, queues and
    workers are read in rotation; ``None``: each overview reads everything.

    Raises ``ConfigError`` if the URL is invalid.
    """
    return RedisReader(
        link_to(parse_url(url, timeout, access)), clock or (lambda now: now), value_limit, budget
    )
