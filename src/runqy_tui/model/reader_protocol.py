"""What the front ends may ask of Redis, split by who needs it.

A component asks for the smallest Protocol that serves it; :class:`Reader` is all of them together.
No front end holds a Redis client. Every method raises
:class:`~runqy_tui.model.errors.ConnectionFailedError` or
:class:`~runqy_tui.model.errors.AccessDeniedError`, each with one line for the user, and nothing
else: bad data inside Redis never raises.
"""

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
    from runqy_tui.model.search_query import SearchQuery, SearchStep

PAGE_SIZE = 100
"""Tasks per page, unless asked otherwise."""


class OverviewReader(Protocol):
    """Polls a deployment as a whole."""

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


class TaskReader(Protocol):
    """Reads task lists and single tasks."""

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


class ActiveTaskReader(Protocol):
    """Reads what asynq servers work on."""

    async def active_tasks(self, worker_id: str) -> tuple[ActiveTask, ...]:
        """The tasks that an asynq server is running; empty for the other dialects."""
        ...


class TaskCheckReader(ActiveTaskReader, Protocol):
    """Reads what the diagnosis needs to know of single tasks."""

    async def check_tasks(self, windows: Sequence[CheckWindow]) -> tuple[WindowCheck, ...]:
        """Check listed tasks for a missing hash, lease or deadline: at most three round trips.

        The windows together hold at most 1,000 tasks; no payload is read. The result for a task
        that was in order may be some seconds old; whether it is listed, and any fault, never is.
        """
        ...

    async def read_outcomes(self, ids: Sequence[tuple[QueueKey, str]]) -> tuple[CheckedTask, ...]:
        """Read how tasks that were seen active ended: one round trip, at most 1,000 of them."""
        ...


class ActivityReader(ActiveTaskReader, Protocol):
    """Reads what a worker or a queue did: logs, active tasks, daily counters."""

    async def logs(self, worker_id: str, after_seq: int = -1) -> LogBatch:
        """Log lines of a runqy worker with ``seq`` above ``after_seq``."""
        ...

    async def daily_counts(self, queue: QueueKey, days: int = 14) -> tuple[DayCount, ...]:
        """Daily counters, oldest first, today (UTC) last."""
        ...


class SearchReader(Protocol):
    """Searches the contents of tasks."""

    def search(self, query: SearchQuery) -> AsyncGenerator[SearchStep, None]:
        """Search tasks for a text, step by step, the newest of each list first.

        A task that remains in its list meanwhile is found once; one that moves to another list
        may be missed, and is never returned twice. Steps are small: no command blocks the server
        for 5 ms, and between two of them it rests for as long. Values are searched up to 64 KiB,
        the beginning of those up to 512 KiB; a larger one is counted as ``partly``. The caller has
        to close the generator (:func:`contextlib.aclosing`): that ends all reading.
        """
        ...


class Reader(OverviewReader, TaskReader, TaskCheckReader, ActivityReader, SearchReader, Protocol):
    """Read-only access to one runqy deployment."""

    async def close(self) -> None:
        """Close every connection."""
        ...


class InView(NamedTuple):
    """What is visible on the screen: queues, and ids of workers."""

    queues: Collection[QueueKey] = ()
    workers: Collection[str] = ()


@runtime_checkable
class PrioritizingReader(Protocol):
    """A reader whose overview may leave something out, and reads first what is visible."""

    def prioritize(self, queues: Collection[QueueKey], workers: Collection[str] = ()) -> None:
        """Read these queues at every poll from now on, and the metrics of these workers too.

        They are those on the screen, a few hundred of each at most. Of other queues each poll
        reads as many as its budget allows; ``Snapshot.unread_queues`` names those it left out.
        Where that is not all, it reads the metrics of other workers now and then: see
        ``Metrics.collected_at``.
        """
        ...
