"""The reader of the front ends: the reads of every topic, over one link to Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from itertools import islice
from typing import TYPE_CHECKING

from runqy_tui.model import QueueKey, Snapshot
from runqy_tui.model.credentials import Credentials
from runqy_tui.model.reader_protocol import InView
from runqy_tui.redis.activity import ActivityReads
from runqy_tui.redis.connecting.connect import link_to
from runqy_tui.redis.connecting.target import parse_url
from runqy_tui.redis.polling.budget import MOST_WATCHED
from runqy_tui.redis.polling.overview import Overview, deadline_for
from runqy_tui.redis.read_context import ReadContext
from runqy_tui.redis.task_reading.task_checks import TaskCheckReads
from runqy_tui.redis.task_reading.task_page import TaskReads
from runqy_tui.redis.wire.transport import RedisLink
from runqy_tui.redis.worker_logs import WorkerLogReads

if TYPE_CHECKING:
    from runqy_tui.model.search_query import SearchQuery, SearchStep

VALUE_LIMIT = 262_144
"""Bytes read of a value that may be large, unless asked otherwise."""


class RedisReader(TaskReads, TaskCheckReads, ActivityReads, WorkerLogReads):
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
        super().__init__(ReadContext(link, self._overview.memory, value_limit))

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
