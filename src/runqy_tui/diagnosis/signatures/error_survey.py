"""Errors by cause: a bounded sample of failed tasks, grouped by the signature of their error."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from runqy_tui.diagnosis.signatures.error_signature import ErrorReading, Signature, parse_error
from runqy_tui.model import Dialect, Queue, QueueKey, Snapshot, TaskPage, TaskRow, TaskState
from runqy_tui.model.errors import AccessDeniedError
from runqy_tui.model.reader_protocol import TaskReader


class Failure(NamedTuple):
    """A failed task of a group. ``at``: when it failed, in unix seconds; ``None`` if unknown."""

    queue: QueueKey
    task_id: str
    state: TaskState
    at: float | None = None


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Failures with the same signature.

    ``count`` is how many of the sample it holds, ``share`` its part of those that have an error
    text (0 to 1). ``headline`` is the text that all of them share, or the signature's title where
    they differ. ``queues`` and ``tasks`` begin with the most and with the newest. ``total`` is
    the number of failures that its queues store; ``sampled``: not all of these were read, so the
    true count may be higher. ``example_error`` is the newest task's error as the row has it.
    """

    signature: Signature
    headline: str
    count: int
    share: float
    first_at: float | None
    last_at: float | None
    queues: tuple[tuple[QueueKey, int], ...]
    tasks: tuple[Failure, ...]
    example_error: str
    total: int
    sampled: bool = False

    @property
    def example(self) -> Failure:
        """The newest of its tasks."""
        return self.tasks[0]


@dataclass(slots=True)
class _Gathered:
    signature: Signature
    headlines: set[str] = field(default_factory=set)
    failures: list[tuple[Failure, str]] = field(default_factory=list)


def group(
    rows: Iterable[tuple[QueueKey, TaskRow]], totals: Mapping[QueueKey, int] | None = None
) -> tuple[ErrorGroup, ...]:
    """Group rows by their errors, the largest group first; rows without a text are in none.

    Args:
        rows: failed tasks, each with its queue.
        totals: how many failures each queue stores; for other queues the number of its rows.
    """
    kinds: dict[str, _Gathered] = {}
    known: dict[str, ErrorReading] = {}
    read_of: Counter[QueueKey] = Counter()
    with_text = 0
    for queue, row in rows:
        read_of[queue] += 1
        if not row.error or row.missing:
            continue
        with_text += 1
        reading = known.get(row.error)
        if reading is None:
            reading = known[row.error] = parse_error(row.error)
        kind = kinds.setdefault(reading.signature.key, _Gathered(reading.signature))
        if len(kind.headlines) < 2:
            kind.headlines.add(reading.headline)
        kind.failures.append((Failure(queue, row.id, row.state, _failed_at(row)), row.error))
    truth = {queue: max(count, (totals or {}).get(queue, 0)) for queue, count in read_of.items()}
    groups = [_group(kind, with_text, read_of, truth) for kind in kinds.values()]
    return tuple(sorted(groups, key=lambda each: (-each.count, -(each.last_at or 0.0))))


def _group(
    kind: _Gathered, with_text: int, read_of: Mapping[QueueKey, int], truth: Mapping[QueueKey, int]
) -> ErrorGroup:
    newest_first = sorted(kind.failures, key=lambda each: -(each[0].at or 0.0))
    tasks = tuple(failure for failure, _ in newest_first)
    times = [failure.at for failure in tasks if failure.at is not None]
    queues = Counter(failure.queue for failure in tasks).most_common()
    (headline, *others) = kind.headlines
    return ErrorGroup(
        signature=kind.signature,
        headline=kind.signature.title if others else headline,
        count=len(tasks),
        share=len(tasks) / with_text,
        first_at=min(times, default=None),
        last_at=max(times, default=None),
        queues=tuple(queues),
        tasks=tasks,
        example_error=newest_first[0][1],
        total=sum(truth[queue] for queue, _ in queues),
        sampled=any(truth[queue] > read_of[queue] for queue, _ in queues),
    )


def _failed_at(row: TaskRow) -> float | None:
    """Return when a task failed, unix seconds; ``when`` of a retry is its next attempt."""
    return row.when if row.state is TaskState.ARCHIVED else row.failed_at


CONCURRENT_PAGES = 4
"""Pages read at the same time."""


class ErrorSurvey(NamedTuple):
    """The errors of a sample of failed tasks, grouped.

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
        """Whether there are failures that were not read."""
        return self.sample < self.total


class _Part(NamedTuple):
    queue: QueueKey
    state: TaskState
    limit: int


async def collect(
    reader: TaskReader, snapshot: Snapshot, *, per_queue: int = 200, most_queues: int = 50
) -> ErrorSurvey:
    """Read the newest failures of the queues with the most, and group them.

    At most ``per_queue`` rows of each of ``most_queues`` queues are read, four pages at a time.
    A queue that may not be read is left out.

    Raises:
        RunqyTuiError: the reader could not read a page.
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
    """Divide the rows between both states: half each, and what one does not use for the other."""
    archived, retry = queue.counts.archived or 0, queue.counts.retry or 0
    retry = min(retry, max(most // 2, most - archived))
    archived = min(archived, most - retry)
    both = ((TaskState.ARCHIVED, archived), (TaskState.RETRY, retry))
    return [_Part(queue.key, state, limit) for state, limit in both if limit]


async def _read(reader: TaskReader, parts: Sequence[_Part]) -> list[TaskPage | None]:
    limit = asyncio.Semaphore(CONCURRENT_PAGES)

    async def page(part: _Part) -> TaskPage | None:
        async with limit:
            try:
                return await reader.page(part.queue, part.state, limit=part.limit)
            except AccessDeniedError:
                return None

    tasks: list[asyncio.Task[TaskPage | None]] = []
    try:
        async with asyncio.TaskGroup() as group_of_tasks:
            tasks = [group_of_tasks.create_task(page(part)) for part in parts]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


def _unstored(snapshot: Snapshot) -> tuple[tuple[QueueKey, int], ...]:
    """Return queues whose failures only a counter shows. asynq counts attempts, so not its own."""
    return tuple(
        (queue.key, queue.failed_total)
        for queue in snapshot.queues
        if queue.failed_total
        and queue.counts.archived == 0
        and queue.dialect not in (Dialect.ASYNQ, Dialect.DOCUMENTED)
    )
