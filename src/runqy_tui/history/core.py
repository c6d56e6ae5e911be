"""The history itself: takes in snapshots, answers for queues and workers."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isnan, nan
from typing import TypeVar

from runqy_tui.history.growth import Growth
from runqy_tui.history.points import RATE_WINDOW_S, Point, StateChange, Trend
from runqy_tui.history.rows import Axis, Numbers, Places, Row, increase
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
_BACKLOG = ("pending", "active", "retry", "scheduled")
_STATES_KEPT = 16
_MOST_EXACT = 3e38


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
        self._growth: dict[QueueKey, Growth] = {}
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
        queues = [(queue, self._queues.take(queue.key, at)) for queue in snapshot.queues]
        workers = [(worker, self._workers.take(worker.id, at)) for worker in snapshot.workers]
        self._axis.append(
            at,
            (_numbers(kind, of, queues, self._queues.size) for kind, of in _QUEUE.values()),
            (_numbers(kind, of, workers, self._workers.size) for kind, of in _WORKER.values()),
        )
        self._follow(snapshot)
        self._release()

    def _follow(self, snapshot: Snapshot) -> None:
        at = snapshot.taken_at
        for queue in snapshot.queues:
            if queue.key in self._queues:
                growth = self._growth.setdefault(queue.key, Growth())
                growth.see(at, queue.counts.pending)
        for worker in snapshot.workers:
            known = self._states.get(worker.id, ())
            if worker.id in self._workers and (not known or known[-1].state is not worker.state):
                change = StateChange(at, worker.state)
                self._states[worker.id] = (*known, change)[-_STATES_KEPT:]
        self._attempts = frozenset(
            queue.key for queue in snapshot.queues if queue.dialect is Dialect.ASYNQ
        )

    def _release(self) -> None:
        oldest = self._axis.rows[0].at
        for key in self._queues.release(oldest):
            self._growth.pop(key, None)
        for worker_id in self._workers.release(oldest):
            self._states.pop(worker_id, None)

    @property
    def started_at(self) -> float | None:
        """Redis's clock at the first poll; ``None`` before it."""
        return self._started_at

    def trend(self, queue: QueueKey, over_s: float = RATE_WINDOW_S) -> Trend:
        """How a queue moved over about the last ``over_s`` seconds."""
        return self._trend(queue, self._axis.window(over_s))

    def trends(
        self, queues: Iterable[QueueKey], over_s: float = RATE_WINDOW_S
    ) -> dict[QueueKey, Trend]:
        """Trends of many queues."""
        rows = self._axis.window(over_s)
        return {key: self._trend(key, rows) for key in queues}

    def series(self, queue: QueueKey, name: str, over_s: float) -> Sequence[Point]:
        """Samples of one of :data:`QUEUE_SERIES`; ``done`` and ``failed`` are counters.

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
        place = self._queues.of(queue)
        rows = self._axis.window(over_s)
        return None if place is None else increase([v for _, v in _known(rows, name, place)])

    def _trend(self, queue: QueueKey, rows: Sequence[Row]) -> Trend:
        place = self._queues.of(queue)
        if place is None or len(rows) < 2:
            return Trend()
        pending = _known(rows, "pending", place)
        net = _slope(pending)
        left = pending[-1][1] if pending else 0.0
        growth = self._growth.get(queue)
        return Trend(
            over_s=rows[-1].at - rows[0].at,
            done_per_s=_rate(_known(rows, "done", place)),
            failed_per_s=_rate(_known(rows, "failed", place)),
            enqueued_per_s=self._enqueued(queue, rows, place),
            net_per_s=net,
            drains_in_s=left / -net if net is not None and net < 0 < left else None,
            growing_for_s=growth.lasted_s(self._axis.rows[0].at) if growth else None,
        )

    def _enqueued(self, queue: QueueKey, rows: Sequence[Row], place: int) -> float | None:
        # asynq's failed counts attempts, which may go to retry and so are still in the backlog.
        lost = "archived" if queue in self._attempts else "failed"
        columns = [_column(rows, name, place) for name in (*_BACKLOG, "done", lost)]
        times = [row.at for row in rows]
        if any(map(isnan, map(sum, columns))):
            polls = zip(times, *columns, strict=True)
            whole = [values for values in polls if not isnan(sum(values))]
            if len(whole) < 2:
                return None
            times, *columns = (list(column) for column in zip(*whole, strict=True))
        done, failed = increase(columns[-2]), increase(columns[-1])
        if done is None or failed is None:
            return None
        backlog = sum(column[-1] - column[0] for column in columns[: len(_BACKLOG)])
        return max(0.0, backlog + done + failed) / (times[-1] - times[0])


def _numbers(
    kind: str,
    of: Callable[[Object], Value],
    objects: Sequence[tuple[Object, int | None]],
    size: int,
) -> Numbers:
    numbers: Numbers = array(kind, [nan]) * size
    for one, place in objects:
        value = of(one)
        if value is not None and place is not None and abs(value) < _MOST_EXACT:
            numbers[place] = value
    return numbers


def _index(names: Sequence[str], name: str) -> int:
    if name not in names:
        raise ValueError(f"no series {name!r}: one of {', '.join(names)}")
    return names.index(name)


def _at(numbers: Numbers, place: int) -> float:
    """NaN for an object that was not there yet when this row was written."""
    return numbers[place] if place < len(numbers) else nan


def _column(rows: Sequence[Row], name: str, place: int) -> list[float]:
    which = _index(QUEUE_SERIES, name)
    if rows and place < len(rows[0].queues[which]):  # then it is in the later ones, too
        return [row.queues[which][place] for row in rows]
    return [_at(row.queues[which], place) for row in rows]


def _known(rows: Sequence[Row], name: str, place: int) -> list[tuple[float, float]]:
    values = _column(rows, name, place)
    return [(row.at, value) for row, value in zip(rows, values, strict=True) if value == value]


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


def _rate(samples: Sequence[tuple[float, float]]) -> float | None:
    rose = increase([value for _, value in samples])
    return None if rose is None else rose / (samples[-1][0] - samples[0][0])


def _slope(samples: Sequence[tuple[float, float]]) -> float | None:
    if len(samples) < 2:
        return None
    (began, first), (ended, last) = samples[0], samples[-1]
    return (last - first) / (ended - began)
