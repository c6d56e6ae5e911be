"""The history itself: takes in snapshots, answers for queues and workers."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isnan, nan
from typing import TypeVar

from runqy_tui.history.counter import Counter
from runqy_tui.history.growth import Growth
from runqy_tui.history.points import RATE_WINDOW_S, Point, StateChange, Trend
from runqy_tui.history.rows import Axis, Numbers, Places, Row
from runqy_tui.model import Dialect, Queue, QueueKey, Snapshot, Worker

Value = float | int | bool | None
Object = TypeVar("Object", Queue, Worker)

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
_MOST = 3e38


class _Followed:
    """What is followed of a queue from poll to poll."""

    __slots__ = ("counters", "growth")

    def __init__(self) -> None:
        self.growth = Growth()
        self.counters = {"done": Counter(), "failed": Counter()}


class History:
    """Bounded memory of the past, in one thread.

    The last minute is kept poll by poll, ten minutes with at most one poll a second, and older
    ones with one in 30 s. Counts are exact up to 16.7 million, counters always; NaN stands for
    what was not read. Redis's clock going back clears everything.
    """

    def __init__(self, span_s: float = 3_600.0) -> None:
        self.span_s = span_s
        self._clear()

    def _clear(self) -> None:
        self._axis = Axis(self.span_s)
        self._queues: Places[QueueKey] = Places()
        self._workers: Places[str] = Places()
        self._followed: dict[QueueKey, _Followed] = {}
        self._trends: dict[tuple[QueueKey, float], Trend] = {}
        self._states: dict[str, tuple[StateChange, ...]] = {}
        self._attempts: frozenset[QueueKey] = frozenset()
        self._started_at: float | None = None

    def add(self, snapshot: Snapshot) -> None:
        """Take in one poll."""
        at = snapshot.taken_at
        if self._axis.rows and at <= self._axis.rows[-1].at:
            self._clear()
        if self._started_at is None:
            self._started_at = at
        # A queue that this poll did not read has no number at this moment, and no new trend.
        taken = [(queue, self._queues.take(queue.key, at)) for queue in snapshot.queues]
        queues = [(queue, place) for queue, place in taken if queue.read_at is None]
        unread = {queue.key for queue, _ in taken if queue.read_at is not None}
        workers = [(worker, self._workers.take(worker.id, at)) for worker in snapshot.workers]
        self._follow(snapshot)
        self._axis.append(
            at,
            (self._queue_numbers(name, queues) for name in QUEUE_SERIES),
            (_numbers(kind, of, workers, self._workers.size) for kind, of in _WORKER.values()),
        )
        self._trends = {asked: told for asked, told in self._trends.items() if asked[0] in unread}
        self._release()

    def _queue_numbers(self, name: str, queues: Sequence[tuple[Queue, int | None]]) -> Numbers:
        kind, of = _QUEUE[name]
        if kind != "d":
            return _numbers(kind, of, queues, self._queues.size)

        def carried_on(queue: Queue) -> Value:
            known = self._followed.get(queue.key)
            return None if known is None else known.counters[name].see(_sane(of(queue)))

        return _numbers(kind, carried_on, queues, self._queues.size)

    def _follow(self, snapshot: Snapshot) -> None:
        at = snapshot.taken_at
        for queue in snapshot.queues:
            if queue.key in self._queues and queue.read_at is None:
                known = self._followed.setdefault(queue.key, _Followed())
                known.growth.see(at, queue.counts.pending)
        for worker in snapshot.workers:
            states = self._states.get(worker.id, ())
            if worker.id in self._workers and (not states or states[-1].state is not worker.state):
                change = StateChange(at, worker.state)
                self._states[worker.id] = (*states, change)[-_STATES_KEPT:]
        self._attempts = frozenset(
            queue.key for queue in snapshot.queues if queue.dialect is Dialect.ASYNQ
        )

    def _release(self) -> None:
        oldest = self._axis.rows[0].at
        for key in self._queues.release(oldest):
            self._followed.pop(key, None)
        for worker_id in self._workers.release(oldest):
            self._states.pop(worker_id, None)

    @property
    def started_at(self) -> float | None:
        """Redis's clock at the first poll; ``None`` before it."""
        return self._started_at

    def trend(self, queue: QueueKey, over_s: float = RATE_WINDOW_S) -> Trend:
        """How a queue moved over about the last ``over_s`` seconds."""
        found = self._trends.get((queue, over_s))
        if found is None:
            found = self._trend(queue, self._axis.window(over_s))
            self._trends[queue, over_s] = found
        return found

    def trends(
        self, queues: Iterable[QueueKey], over_s: float = RATE_WINDOW_S
    ) -> dict[QueueKey, Trend]:
        """Trends of many queues."""
        return {key: self.trend(key, over_s) for key in queues}

    def growing_for_s(self, queue: QueueKey) -> float | None:
        """For how many seconds a queue has grown, as its trend tells; ``None`` if it does not."""
        known = self._followed.get(queue)
        return known.growth.lasted_s(self._axis.rows[0].at) if known else None

    def net_per_s(self, queue: QueueKey, over_s: float) -> float | None:
        """By how many tasks per second more wait, as its trend tells, at a fraction of the cost."""
        place = self._queues.of(queue)
        return None if place is None else _rate(self._axis.window(over_s), "pending", place)

    def series(self, queue: QueueKey, name: str, over_s: float) -> Sequence[Point]:
        """Samples of one of :data:`QUEUE_SERIES`; ``done`` and ``failed`` are counters.

        A counter begins as it stood in Redis at first sight, and is carried on over resets.

        Raises:
            ValueError: there is no series of this name.
        """
        place, which = self._queues.of(queue), _index(QUEUE_SERIES, name)
        if place is None:
            return ()
        return _points(self._axis.window(over_s), lambda row: _at(row.queues[which], place))

    def worker_series(self, worker_id: str, name: str, over_s: float) -> Sequence[Point]:
        """Samples of one of :data:`WORKER_SERIES`; ``healthy`` is 0 or 1.

        Raises:
            ValueError: there is no series of this name.
        """
        place, which = self._workers.of(worker_id), _index(WORKER_SERIES, name)
        if place is None:
            return ()
        return _points(self._axis.window(over_s), lambda row: _at(row.workers[which], place))

    def states(self, worker_id: str) -> Sequence[StateChange]:
        """The latest changes of a worker's state, oldest first, its first sight among them."""
        return self._states.get(worker_id, ())

    def increase(self, queue: QueueKey, name: str, over_s: float) -> float | None:
        """By how much a counter (``done``, ``failed``) rose; a reset counts from zero anew.

        Raises:
            ValueError: there is no series of this name.
        """
        place, which = self._queues.of(queue), _index(QUEUE_SERIES, name)
        if place is None:
            return None
        change = _change(self._axis.window(over_s), (which,), place)
        return None if change is None else change[1][0]

    def _trend(self, queue: QueueKey, rows: Sequence[Row]) -> Trend:
        place = self._queues.of(queue)
        if place is None or len(rows) < 2:
            return Trend()
        net = _rate(rows, "pending", place)
        left = _at(rows[-1].queues[0], place)
        return Trend(
            over_s=rows[-1].at - rows[0].at,
            done_per_s=_rate(rows, "done", place),
            failed_per_s=_rate(rows, "failed", place),
            enqueued_per_s=self._enqueued(queue, rows, place),
            net_per_s=net,
            drains_in_s=left / -net if net is not None and net < 0 < left else None,
            growing_for_s=self.growing_for_s(queue),
        )

    def _enqueued(self, queue: QueueKey, rows: Sequence[Row], place: int) -> float | None:
        # asynq's failed counts attempts, which may go to retry and so are still in the backlog.
        lost = "archived" if queue in self._attempts else "failed"
        names = (*_BACKLOG, "done", lost)
        change = _change(rows, [_PLACE_OF[name] for name in names], place)
        if change is None:
            return None
        over_s, (*backlog, done, failed) = change
        return max(0.0, sum(backlog) + done + max(0.0, failed)) / over_s


def _numbers(
    kind: str,
    of: Callable[[Object], Value],
    objects: Sequence[tuple[Object, int | None]],
    size: int,
) -> Numbers:
    numbers: Numbers = array(kind, [nan]) * size
    for one, place in objects:
        value = None if place is None else _sane(of(one))
        if value is not None and place is not None:
            numbers[place] = value
    return numbers


def _index(names: Sequence[str], name: str) -> int:
    if name not in names:
        raise ValueError(f"no series {name!r}: one of {', '.join(names)}")
    return names.index(name)


def _at(numbers: Numbers, place: int) -> float:
    """NaN for an object that was not there yet when this row was written."""
    return numbers[place] if place < len(numbers) else nan


def _sane(value: Value) -> Value:
    """Nothing instead of a number that is beyond any sense."""
    return None if value is None or abs(value) >= _MOST else value


def _change(
    rows: Sequence[Row], which: Sequence[int], place: int
) -> tuple[float, list[float]] | None:
    """Seconds and changes between the first and the last row that know all these quantities."""
    if len(rows) < 2:
        return None
    # Nearly always the ends know them all.
    begin, end = rows[0], rows[-1]
    if place < len(begin.queues[0]) and place < len(end.queues[0]):
        changes = [end.queues[index][place] - begin.queues[index][place] for index in which]
        if not isnan(sum(changes)):
            return end.at - begin.at, changes
    first = _whole(rows, which, place)
    last = _whole(reversed(rows), which, place)
    if first is None or last is None or first[0] >= last[0]:
        return None
    changes = [after - before for before, after in zip(first[1], last[1], strict=True)]
    return last[0] - first[0], changes


def _whole(
    rows: Iterable[Row], which: Sequence[int], place: int
) -> tuple[float, list[float]] | None:
    """The first of these rows that knows all these quantities."""
    for row in rows:
        values = [_at(row.queues[index], place) for index in which]
        if not isnan(sum(values)):
            return row.at, values
    return None


def _rate(rows: Sequence[Row], name: str, place: int) -> float | None:
    change = _change(rows, (_PLACE_OF[name],), place)
    return None if change is None else change[1][0] / change[0]


def _points(rows: Sequence[Row], of: Callable[[Row], float]) -> Sequence[Point]:
    points: list[Point] = []
    before: float | None = None
    for row in rows:
        if row.gap and before is not None:
            points.append(Point((before + row.at) / 2, None))
        value = of(row)
        points.append(Point(row.at, None if value != value else value))
        before = row.at
    return points
