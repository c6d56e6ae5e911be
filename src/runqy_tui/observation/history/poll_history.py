"""The history of polls: observes snapshots, answers questions about queues and workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from runqy_tui.model import Dialect, Queue, QueueKey, Snapshot, Worker
from runqy_tui.observation.history.ring_buffer import (
    HistoryRow,
    Numbers,
    RowSlots,
    TimeAxis,
    Value,
    change_of,
    index_of,
    number_at,
    points_of,
    rate_of,
    record,
    sane,
    update_record,
)
from runqy_tui.observation.history.trends import RATE_WINDOW_S, Point, StateChange, Trend
from runqy_tui.runtime.cooperative import batches, yield_to_loop

_QUEUE: Mapping[str, tuple[str, Callable[[Queue], Value]]] = {
    "pending": ("f", lambda queue: queue.counts.pending),
    "active": ("f", lambda queue: queue.counts.active),
    "retry": ("f", lambda queue: queue.counts.retry),
    "scheduled": ("f", lambda queue: queue.counts.scheduled),
    "archived": ("f", lambda queue: queue.counts.archived),
    "done": ("d", lambda queue: queue.succeeded_total),
    "failed": ("d", lambda queue: queue.failed_total),
}
_WORKER: Mapping[str, tuple[str, Callable[[Worker], Value]]] = {
    "active_count": ("f", lambda worker: worker.active_count),
    "cpu_percent": ("f", lambda worker: worker.metrics.cpu_percent if worker.metrics else None),
    "healthy": ("f", lambda worker: worker.healthy),
}
QUEUE_SERIES = tuple(_QUEUE)
WORKER_SERIES = tuple(_WORKER)
_PLACE_OF: Mapping[str, int] = {name: place for place, name in enumerate(QUEUE_SERIES)}
_BACKLOG = ("pending", "active", "retry", "scheduled")
_STATES_KEPT = 16


class _QueueState:
    """What is tracked of a queue from poll to poll."""

    __slots__ = ("counters", "growth")

    def __init__(self) -> None:
        self.growth = GrowthTracker()
        self.counters = {"done": ResettableCounter(), "failed": ResettableCounter()}


class History:
    """Stateful: the polls of the last hour, bounded in memory, for one thread.

    The last minute is kept poll by poll, ten minutes with at most one poll a second, and older
    ones with one in 30 s. Counts are exact up to 16.7 million, counters always; NaN stands for
    what was not read. If Redis's clock goes back, everything is dropped.
    """

    def __init__(self, span_s: float = 3_600.0) -> None:
        self.span_s = span_s
        self._clear()

    def _clear(self) -> None:
        self._axis = TimeAxis(self.span_s)
        self._queues: RowSlots[QueueKey] = RowSlots()
        self._workers: RowSlots[str] = RowSlots()
        self._queue_states: dict[QueueKey, _QueueState] = {}
        self._trends: dict[tuple[QueueKey, float], Trend] = {}
        self._increases: dict[tuple[QueueKey, str, float], float | None] = {}
        self._states: dict[str, tuple[StateChange, ...]] = {}
        self._last_queues: set[QueueKey] = set()
        self._last_workers: dict[str, Worker] = {}
        self._attempts: frozenset[QueueKey] = frozenset()
        self._started_at: float | None = None

    async def observe(self, snapshot: Snapshot) -> None:
        """Add one poll. Until this returns, every answer is as of the poll before."""
        at = snapshot.taken_at
        if self._axis.rows and at <= self._axis.rows[-1].at:
            self._clear()
        if self._started_at is None:
            self._started_at = at
        # A queue that this poll did not read has no number at this moment, and no new trend.
        keys = {queue.key for queue in snapshot.queues}
        if self._axis.rows:
            self._queues.mark_gone(self._last_queues - keys, self._axis.rows[-1].at)
        self._last_queues = keys
        taken = [(queue, self._queues.assign(queue.key)) for queue in snapshot.queues]
        unread = snapshot.unread_queues
        queues = [(queue, place) for queue, place in taken if queue.key not in unread]
        await yield_to_loop()
        await self._observe_queues(snapshot)
        of_queues = [await self._queue_numbers(name, queues) for name in QUEUE_SERIES]
        of_workers = await self._observe_workers(snapshot)
        self._axis.append(at, of_queues, of_workers)
        self._trends = {asked: trend for asked, trend in self._trends.items() if asked[0] in unread}
        self._increases.clear()
        self._release()

    async def _queue_numbers(
        self, name: str, queues: Sequence[tuple[Queue, int | None]]
    ) -> Numbers:
        kind, of = _QUEUE[name]
        if kind != "d":
            return await record(kind, of, queues, self._queues.size)

        def continued(queue: Queue) -> Value:
            known = self._queue_states.get(queue.key)
            return None if known is None else known.counters[name].observe(sane(of(queue)))

        return await record(kind, continued, queues, self._queues.size)

    async def _observe_workers(self, snapshot: Snapshot) -> Sequence[Numbers]:
        """Record all workers. One that is the same object as at the poll before costs nothing."""
        at, last = snapshot.taken_at, self._last_workers
        workers = {worker.id: worker for worker in snapshot.workers}
        await yield_to_loop()
        changed: list[tuple[Worker, int | None]] = []
        for batch in batches(snapshot.workers):
            for worker in batch:
                if last.get(worker.id) is worker:
                    continue
                place = self._workers.assign(worker.id)
                if place is None:  # too many workers: try again at the next poll
                    workers.pop(worker.id, None)
                    continue
                changed.append((worker, place))
                self._observe_state(worker, at)
            await yield_to_loop()
        gone = last.keys() - workers.keys()
        self._last_workers = workers
        size = self._workers.size
        if not self._axis.rows:
            return [await record(kind, of, changed, size) for kind, of in _WORKER.values()]
        row = self._axis.rows[-1]
        self._workers.mark_gone(gone, row.at)
        places = [place for key in gone if (place := self._workers.of(key)) is not None]
        return [
            await update_record(before, of, changed, places, size)
            for before, (_, of) in zip(row.workers, _WORKER.values(), strict=True)
        ]

    async def _observe_queues(self, snapshot: Snapshot) -> None:
        at = snapshot.taken_at
        for queues in batches(snapshot.queues):
            for queue in queues:
                if queue.key in self._queues and queue.key not in snapshot.unread_queues:
                    known = self._queue_states.setdefault(queue.key, _QueueState())
                    known.growth.observe(at, queue.counts.pending)
            await yield_to_loop()
        self._attempts = frozenset(
            queue.key for queue in snapshot.queues if queue.dialect is Dialect.ASYNQ
        )

    def _observe_state(self, worker: Worker, at: float) -> None:
        states = self._states.get(worker.id, ())
        if not states or states[-1].state is not worker.state:
            change = StateChange(at, worker.state)
            self._states[worker.id] = (*states, change)[-_STATES_KEPT:]

    def _release(self) -> None:
        oldest = self._axis.rows[0].at
        for key in self._queues.release(oldest):
            self._queue_states.pop(key, None)
        for worker_id in self._workers.release(oldest):
            self._states.pop(worker_id, None)

    @property
    def started_at(self) -> float | None:
        """Redis's clock at the first poll; ``None`` before it."""
        return self._started_at

    def trend(self, queue: QueueKey, over_s: float = RATE_WINDOW_S) -> Trend:
        """Return how a queue moved over about the last ``over_s`` seconds."""
        found = self._trends.get((queue, over_s))
        if found is None:
            found = self._trend(queue, self._axis.window(over_s))
            self._trends[queue, over_s] = found
        return found

    def growing_for_s(self, queue: QueueKey) -> float | None:
        """Return for how many seconds a queue has grown; ``None`` if it does not grow."""
        known = self._queue_states.get(queue)
        return known.growth.lasted_s(self._axis.rows[0].at) if known else None

    def net_per_s(self, queue: QueueKey, over_s: float) -> float | None:
        """Return the growth of pending in tasks per second, cheaper than :meth:`trend`."""
        place = self._queues.of(queue)
        if place is None:
            return None
        return rate_of(self._axis.window(over_s), _PLACE_OF["pending"], place)

    def series(self, queue: QueueKey, name: str, over_s: float) -> Sequence[Point]:
        """Return samples of one of :data:`QUEUE_SERIES`; ``done`` and ``failed`` are counters.

        A counter begins at its value in Redis when first read, and continues over resets.

        Raises:
            ValueError: no series has this name.
        """
        place, which = self._queues.of(queue), index_of(QUEUE_SERIES, name)
        if place is None:
            return ()
        return points_of(self._axis.window(over_s), lambda row: number_at(row.queues[which], place))

    def worker_series(self, worker_id: str, name: str, over_s: float) -> Sequence[Point]:
        """Return samples of one of :data:`WORKER_SERIES`; ``healthy`` is 0 or 1.

        Raises:
            ValueError: no series has this name.
        """
        place, which = self._workers.of(worker_id), index_of(WORKER_SERIES, name)
        if place is None:
            return ()
        rows = self._axis.window(over_s)
        return points_of(rows, lambda row: number_at(row.workers[which], place))

    def states(self, worker_id: str) -> Sequence[StateChange]:
        """Return the latest changes of a worker's state, oldest first, from its first state on."""
        return self._states.get(worker_id, ())

    def increase(self, queue: QueueKey, name: str, over_s: float) -> float | None:
        """Return by how much a counter (``done``, ``failed``) rose; after a reset it counts from 0.

        Raises:
            ValueError: no series has this name.
        """
        asked = queue, name, over_s
        if asked not in self._increases:  # findings and alerts need the same
            self._increases[asked] = self._increase(*asked)
        return self._increases[asked]

    def _increase(self, queue: QueueKey, name: str, over_s: float) -> float | None:
        place, which = self._queues.of(queue), index_of(QUEUE_SERIES, name)
        if place is None:
            return None
        change = change_of(self._axis.window(over_s), (which,), place)
        return None if change is None else change[1][0]

    def _trend(self, queue: QueueKey, rows: Sequence[HistoryRow]) -> Trend:
        place = self._queues.of(queue)
        if place is None or len(rows) < 2:
            return Trend()
        net = rate_of(rows, _PLACE_OF["pending"], place)
        left = number_at(rows[-1].queues[0], place)
        return Trend(
            over_s=rows[-1].at - rows[0].at,
            done_per_s=rate_of(rows, _PLACE_OF["done"], place),
            failed_per_s=rate_of(rows, _PLACE_OF["failed"], place),
            enqueued_per_s=self._enqueued(queue, rows, place),
            net_per_s=net,
            drains_in_s=left / -net if net is not None and net < 0 < left else None,
            growing_for_s=self.growing_for_s(queue),
        )

    def _enqueued(self, queue: QueueKey, rows: Sequence[HistoryRow], place: int) -> float | None:
        # asynq's failed counts attempts, which may go to retry and so are still in the backlog.
        lost = "archived" if queue in self._attempts else "failed"
        names = (*_BACKLOG, "done", lost)
        change = change_of(rows, [_PLACE_OF[name] for name in names], place)
        if change is None:
            return None
        over_s, (*backlog, done, failed) = change
        return max(0.0, sum(backlog) + done + max(0.0, failed)) / over_s


_FADE = 0.9


class ResettableCounter:
    """Continues one counter of Redis over resets, poll by poll.

    After a fall it counts from zero, but never more at once than it rose recently: a counter
    restored to an old value, or read from a replica that lags, makes no spike. If it returns
    above the value that it fell from, only the difference is new.
    """

    __slots__ = ("_high", "_last", "_step", "total")

    def __init__(self) -> None:
        self.total: float | None = None
        self._last = 0.0
        self._high = 0.0
        self._step = 0.0

    def observe(self, value: float | None) -> float | None:
        """Add a reading and return the continued value; ``None`` for an unknown reading."""
        if value is None:
            return None
        if self.total is None:
            self.total = value
        elif value < self._last:
            self.total += max(0.0, min(value, self._step))  # there are negative ones, too
        else:
            rise = value - (self._high if self._last < self._high <= value else self._last)
            self._step = max(rise, self._step * _FADE)
            self.total += rise
        self._high = max(self._high, value)
        self._last = value
        return self.total


_MINUTE_S = 60.0
STILL_S = 300.0
"""Seconds; a queue that stood still for longer no longer grows."""


class GrowthTracker:
    """How long one queue's pending has grown. Waves within a minute do not end growth."""

    __slots__ = ("_began", "_floor", "_last", "_low", "_minute", "_rose", "_top")

    def __init__(self) -> None:
        self._restart(0.0, None)

    def _restart(self, at: float, pending: float | None) -> None:
        self._began: float | None = None
        self._rose = at
        self._last = at
        self._minute = at // _MINUTE_S
        self._top = self._low = self._floor = pending

    def observe(self, at: float, pending: float | None) -> None:
        """Add a poll."""
        if not pending or self._top is None or self._low is None or self._floor is None:
            self._restart(at, pending)
            return
        if at // _MINUTE_S > self._minute:
            self._minute = at // _MINUTE_S
            self._floor, self._low = self._low, pending
        if pending < self._floor or at - self._rose > STILL_S:
            self._restart(at, pending)
            return
        self._low = min(self._low, pending)
        if pending > self._top:
            if self._began is None:
                self._began = self._last
            self._top, self._rose = pending, at
        self._last = at

    def lasted_s(self, begin: float) -> float | None:
        """Return the seconds of growth, at most since ``begin``; ``None`` if it does not grow."""
        if self._began is None:
            return None
        return self._rose - max(self._began, min(begin, self._rose))
