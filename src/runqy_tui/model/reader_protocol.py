"""What the front ends may ask of Redis. They hold this Protocol and never a Redis client."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

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

if TYPE_CHECKING:
    from runqy_tui.model.search_query import SearchQuery, Step

PAGE_SIZE = 100
"""Tasks per page, unless asked otherwise."""


class Reader(Protocol):
    """Read-only access to one runqy deployment.

    Every method raises :class:`~runqy_tui.model.errors.ConnectionFailedError` or
    :class:`~runqy_tui.model.errors.AccessDeniedError` with one line for the user, and nothing else;
    bad data inside Redis never raises.
    """

    @property
    def address(self) -> str:
        """Where Redis is, without credentials: for messages."""
        ...

    @property
    def deadline_s(self) -> float:
        """Seconds after which an :meth:`overview` ends by itself, with an error."""
        ...

    async def overview(self) -> Snapshot:
        """Poll once: one round trip when warm, three when cold."""
        ...

    async def page(
        self,
        queue: QueueKey,
        state: TaskState,
        *,
        offset: int = 0,
        limit: int = PAGE_SIZE,
        newest_first: bool = True,
    ) -> TaskPage:
        """Read a page of tasks; the cost does not depend on the queue's length."""
        ...

    async def task(
        self, task_id: str, queue: QueueKey | None = None, *, limit: int | None = None
    ) -> Task | None:
        """Find one task by id, in one queue or anywhere; ``None`` if no queue has it.

        ``limit`` is how much of each value to read, in bytes; the usual 256 KiB if ``None``.
        """
        ...

    async def position(self, queue: QueueKey, state: TaskState, task_id: str) -> int | None:
        """Rank of an id in a scored state, lowest score first; ``None`` for lists or if absent."""
        ...

    async def audit(self, windows: Sequence[CheckWindow]) -> tuple[WindowCheck, ...]:
        """Look closely at some listed tasks: all windows in at most three round trips.

        The windows together hold at most 1,000 tasks; no payload is read. What is told of a task
        that was in order may be some seconds old; that it is listed, and what is wrong, never.
        """
        ...

    async def fates(self, ids: Sequence[tuple[QueueKey, str]]) -> tuple[CheckedTask, ...]:
        """Say what became of tasks that were seen active: one round trip, at most 1,000."""
        ...

    async def logs(self, worker_id: str, after_seq: int = -1) -> LogBatch:
        """Log lines of a runqy worker with ``seq`` above ``after_seq``."""
        ...

    async def active_tasks(self, worker_id: str) -> tuple[ActiveTask, ...]:
        """What an asynq server works on; empty for the other dialects."""
        ...

    async def daily(self, queue: QueueKey, days: int = 14) -> tuple[DayCount, ...]:
        """Daily counters, oldest first, today (UTC) last."""
        ...

    def search(self, wanted: SearchQuery) -> AsyncGenerator[Step, None]:
        """Look for a text in tasks, step by step, the newest of each list first.

        A task that stays in its list meanwhile is found once; one that moves to another list may
        be missed, and is never given twice. Steps are small: no command holds the server up for
        5 ms, and between two of them it is left alone for as long. Values are searched up to
        64 KiB, their beginning up to 512 KiB; what is larger is counted as ``partly``. Whoever
        asks has to close the generator (:func:`contextlib.aclosing`): that ends all reading.
        """
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


class InView(NamedTuple):
    """What can be seen on a screen: queues, and ids of workers."""

    queues: Collection[QueueKey] = ()
    workers: Collection[str] = ()


@runtime_checkable
class Watcher(Protocol):
    """A reader whose overview may leave something out, and that wants to know what is seen."""

    def watch(self, queues: Collection[QueueKey], workers: Collection[str] = ()) -> None:
        """Read these queues at every poll from now on, and of these workers every beat's metrics.

        They are those on the screen, a few hundred of each at most. Of other queues each poll
        reads as many as its budget allows; ``Queue.read_at`` tells. Where that is not all, it
        reads the metrics of other workers now and then; ``Metrics.collected_at`` tells.
        """
        ...
