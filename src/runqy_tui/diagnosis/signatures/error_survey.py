"""Reads a bounded sample of the failed tasks of a whole deployment."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from runqy_tui.diagnosis.signatures.error_groups import ErrorGroup, group
from runqy_tui.model import Dialect, Queue, QueueKey, Snapshot, TaskPage, TaskRow, TaskState
from runqy_tui.model.errors import AccessDeniedError
from runqy_tui.model.reader_protocol import TaskReader

AT_ONCE = 4
"""Pages that are asked for at the same time."""


class ErrorSurvey(NamedTuple):
    """What the failed tasks say.

    ``sample`` rows were read of the ``total`` that all queues store; ``sampled``: not all of
    them. ``untold`` of the sample have no error text (runqy records none on a retry) and ``gone``
    have lost their hash. ``unstored``: queues that count failures (lifetime) and keep none of
    them. ``left_out``: queues that were not read, for their number or for want of permission.
    """

    taken_at: float
    groups: tuple[ErrorGroup, ...] = ()
    sample: int = 0
    total: int = 0
    untold: int = 0
    gone: int = 0
    unstored: tuple[tuple[QueueKey, int], ...] = ()
    left_out: tuple[QueueKey, ...] = ()

    @property
    def sampled(self) -> bool:
        """Whether there are failures that nobody read."""
        return self.sample < self.total


class _Part(NamedTuple):
    queue: QueueKey
    state: TaskState
    limit: int


async def collect(
    reader: TaskReader, snapshot: Snapshot, *, per_queue: int = 200, most_queues: int = 50
) -> ErrorSurvey:
    """Read the newest failures of the queues that have most, and group them.

    At most ``per_queue`` rows of each of ``most_queues`` queues are read, four pages at a time.
    Raises what the reader raises, but a queue that may not be read is left out.
    """
    failed = sorted(
        (queue for queue in snapshot.queues if _stored(queue)),
        key=lambda queue: (-_stored(queue), queue.name),
    )
    parts = [part for queue in failed[:most_queues] for part in _parts(queue, per_queue)]
    pages = await _read(reader, parts)
    rows: list[tuple[QueueKey, TaskRow]] = []
    totals = {queue.key: _stored(queue) for queue in failed}
    denied = [queue.key for queue in failed[most_queues:]]
    for part, page in zip(parts, pages, strict=True):
        if page is None:
            denied.append(part.queue)
        else:
            rows += ((part.queue, row) for row in page.rows)
    read = [row for _, row in rows]
    return ErrorSurvey(
        taken_at=snapshot.taken_at,
        groups=group(rows, totals),
        sample=len(read),
        total=max(len(read), sum(totals.values())),
        untold=sum(not row.error and not row.missing for row in read),
        gone=sum(row.missing for row in read),
        unstored=_unstored(snapshot),
        left_out=tuple(dict.fromkeys(denied)),
    )


def _stored(queue: Queue) -> int:
    return (queue.counts.archived or 0) + (queue.counts.retry or 0)


def _parts(queue: Queue, most: int) -> list[_Part]:
    """Share the rows between both states: half each, and what one leaves goes to the other."""
    archived, retry = queue.counts.archived or 0, queue.counts.retry or 0
    retry = min(retry, max(most // 2, most - archived))
    archived = min(archived, most - retry)
    both = ((TaskState.ARCHIVED, archived), (TaskState.RETRY, retry))
    return [_Part(queue.key, state, limit) for state, limit in both if limit]


async def _read(reader: TaskReader, parts: Sequence[_Part]) -> list[TaskPage | None]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def page(part: _Part) -> TaskPage | None:
        async with gate:
            try:
                return await reader.page(part.queue, part.state, limit=part.limit)
            except AccessDeniedError:
                return None

    tasks: list[asyncio.Task[TaskPage | None]] = []
    try:
        async with asyncio.TaskGroup() as tied:
            tasks = [tied.create_task(page(part)) for part in parts]
    except ExceptionGroup as several:
        raise several.exceptions[0] from None
    return [task.result() for task in tasks]


def _unstored(snapshot: Snapshot) -> tuple[tuple[QueueKey, int], ...]:
    """Queues whose failures only a counter tells. asynq counts tries there, not tasks."""
    return tuple(
        (queue.key, queue.failed_total)
        for queue in snapshot.queues
        if queue.failed_total
        and queue.counts.archived == 0
        and queue.dialect not in (Dialect.ASYNQ, Dialect.DOCUMENTED)
    )
