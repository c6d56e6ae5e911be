"""Observed task durations per queue: fine histograms for quantiles, a coarse one for export.

Redis holds no durations in the runqy dialect. They are observed: a task was first seen active at
one poll and was gone at another, and its hash holds when it completed or last failed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from math import ceil, inf, log
from typing import NamedTuple

from runqy_tui.model import ActiveTask, CheckedTask, QueueKey, TaskState, WindowCheck

BUCKETS_S: tuple[float, ...] = (
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    *(60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 7_200.0),
)
"""Upper bounds of the exported histogram in seconds; longer ones count in the total alone."""
RECENT_S = 1_800.0
"""Seconds of a period; quantiles cover the last one to two, so that they follow a change."""
_RATIO = 1.1


def _fine_bounds() -> tuple[float, ...]:
    """Return the exported bounds with steps of at most 10 % between them."""
    bounds = [BUCKETS_S[0]]
    for low, high in pairwise(BUCKETS_S):
        parts = ceil(log(high / low) / log(_RATIO))
        bounds += [low * (high / low) ** (part / parts) for part in range(1, parts)]
        bounds.append(high)
    return tuple(bounds)


_FINE = _fine_bounds()


@dataclass(frozen=True, slots=True)
class ObservedDurations:
    """Durations of one queue's tasks, estimated from ``count`` that were seen to begin and end.

    ``plus_minus_s`` is how far off one observation is at most, on average (about the poll
    interval); to that comes up to 10 % of a quantile. A task over two hours counts as two hours.
    """

    p50_s: float
    p95_s: float
    p99_s: float
    count: int
    plus_minus_s: float


@dataclass(slots=True)
class HistogramSheet:
    """Durations of one period; the last of ``counts`` is of those above all bounds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(_FINE) + 1))
    total_s: float = 0.0
    error_s: float = 0.0

    def add(self, seconds: float, error_s: float) -> None:
        """Count one duration and its possible error, in seconds."""
        self.counts[bisect_left(_FINE, seconds)] += 1
        self.total_s += seconds
        self.error_s += error_s


@dataclass(slots=True)
class DurationRecord:
    """Durations of one queue; quantiles are of the two periods ``past`` and ``recent``."""

    whole: HistogramSheet = field(default_factory=HistogramSheet)
    past: HistogramSheet = field(default_factory=HistogramSheet)
    recent: HistogramSheet = field(default_factory=HistogramSheet)
    since: float | None = None

    def add(self, now: float, seconds: float, error_s: float) -> None:
        """Count one duration that ended about now."""
        self.rotate(now)
        self.whole.add(seconds, error_s)
        self.recent.add(seconds, error_s)

    def rotate(self, now: float) -> None:
        """Begin a new period if the present one is over."""
        if self.since is None or now < self.since:
            self.since = now
        elif now - self.since >= RECENT_S:
            over = now - self.since >= 2 * RECENT_S
            self.past, self.recent = (HistogramSheet() if over else self.recent), HistogramSheet()
            self.since = now

    def observed(self, now: float) -> ObservedDurations | None:
        """Return quantiles of the last one to two periods; ``None`` if nothing ended in them."""
        self.rotate(now)
        counts = [a + b for a, b in zip(self.past.counts, self.recent.counts, strict=True)]
        count = sum(counts)
        if not count:
            return None
        p50, p95, p99 = (quantile(counts, share) for share in (0.50, 0.95, 0.99))
        error = (self.past.error_s + self.recent.error_s) / count
        return ObservedDurations(p50, p95, p99, count, error)

    def exported(self) -> tuple[tuple[float, ...], tuple[int, ...], float, int]:
        """Return upper bounds, cumulative counts up to each, sum of seconds, and count."""
        running = list(accumulate(self.whole.counts))
        counts = tuple(running[_FINE.index(bound)] for bound in BUCKETS_S)
        return BUCKETS_S, counts, self.whole.total_s, running[-1]


def quantile(counts: Sequence[int], share: float) -> float:
    """Estimate a quantile in seconds, linear within its bucket as Prometheus does."""
    rank = share * sum(counts)
    before = 0
    for index, amount in enumerate(counts):
        if amount and before + amount >= rank:
            if index == len(_FINE):
                break
            low = _FINE[index - 1] if index else 0.0
            return low + (_FINE[index] - low) * max(0.0, rank - before) / amount
        before += amount
    return _FINE[-1]


MOST_TRACKED = 5_000
MOST_QUEUES = 5_000
VAGUE_S = 120.0
"""Seconds: a start or end that is not known more closely than this counts as unknown."""
_ENDED = frozenset({TaskState.COMPLETED, TaskState.ARCHIVED, TaskState.RETRY})


@dataclass(slots=True)
class _Run:
    """An active task: it started between two moments and was last seen at a third.

    ``earliest`` is minus infinity if its start was not observed.
    """

    earliest: float
    latest: float
    seen: float

    @property
    def known(self) -> bool:
        return self.earliest > -inf


class _Left(NamedTuple):
    """A task that left the active list, and when it was first seen to be gone."""

    run: _Run
    gone: float


class Durations:
    """Stateful: follows at most 5,000 active tasks and counts those whose start and end it saw."""

    def __init__(self) -> None:
        self._running: dict[QueueKey, dict[str, _Run]] = {}
        self._left: dict[tuple[QueueKey, str], _Left] = {}
        self._complete_at: dict[QueueKey, float] = {}
        self._records: dict[QueueKey, DurationRecord] = {}
        self._exact: dict[tuple[str, str], float] = {}
        self._tracked = 0
        self._now = 0.0

    def observe_started(self, tasks: Iterable[ActiveTask]) -> None:
        """Add exact starts that asynq servers report; call it before the checks of that poll."""
        for task in tasks:
            if task.started_at is not None and len(self._exact) < MOST_TRACKED:
                self._exact[(task.queue, task.id)] = task.started_at

    def observe_idle(self, queue: QueueKey, at: float) -> None:
        """Add that a queue's active list was empty at this moment."""
        if queue in self._running:
            self._leave(queue, set(), at)
        self._complete_at[queue] = at

    def observe_active(self, check: WindowCheck) -> None:
        """Add a check of the oldest active tasks of a queue; other windows are ignored.

        A task in a window from the oldest on remains in it until it leaves the list, so that only
        there an absence proves an end.
        """
        window, at = check.window, check.taken_at
        if window.state is not TaskState.ACTIVE or window.offset:
            return
        present = {task.id for task in check.tasks}
        if window.queue in self._running:
            self._leave(window.queue, present, at)
        before = self._complete_at.get(window.queue)
        if before is not None and not 0 <= at - before <= VAGUE_S:
            before = None  # long ago, or Redis's clock went back
        for task_id in present:
            self._observe_task(window.queue, task_id, before, at)
        # The reader leaves out tasks that left meanwhile: compare the limit, not their number.
        if check.total <= window.limit and present <= self._running.get(window.queue, {}).keys():
            self._complete_at[window.queue] = at
        else:
            self._complete_at.pop(window.queue, None)
        self._now = at

    def pending_outcomes(self, limit: int) -> list[tuple[QueueKey, str]]:
        """Return tasks that left, longest ago first, whose outcome is still to be read."""
        return [key for key, _ in zip(self._left, range(limit), strict=False)]

    def settle(
        self, ids: Sequence[tuple[QueueKey, str]], outcomes: Sequence[CheckedTask], now: float
    ) -> None:
        """Count the tasks whose outcome was read; ``outcomes`` are in the order of ``ids``."""
        found = {
            (queue, outcome.id): outcome for (queue, _), outcome in zip(ids, outcomes, strict=False)
        }
        for key in ids:
            left = self._left.pop(key, None)
            if left is None:
                continue
            self._tracked -= 1
            outcome = found.get(key)
            if outcome is not None and (outcome.missing or outcome.state in _ENDED):
                self._count(key[0], left, outcome, now)

    def quantiles(self, queue: QueueKey) -> ObservedDurations | None:
        """Return quantiles of the last half to full hour; ``None`` if no task ended in it."""
        record = self._records.get(queue)
        return None if record is None else record.observed(self._now)

    def histogram(
        self, queue: QueueKey
    ) -> tuple[tuple[float, ...], tuple[int, ...], float, int] | None:
        """Return upper bounds, cumulative counts, sum of seconds and count, all since the start."""
        record = self._records.get(queue)
        return None if record is None else record.exported()

    def keep(self, queues: Collection[QueueKey], now: float) -> None:
        """Forget all queues but these; and running tasks if ``now`` is before the last check."""
        if now < self._now:
            self.forget_running()
        self._now = now
        for store in (self._running, self._complete_at, self._records):
            for key in [key for key in store if key not in queues]:
                del store[key]
        self._left = {key: left for key, left in self._left.items() if key[0] in queues}
        self._tracked = len(self._left) + sum(map(len, self._running.values()))
        active = {
            (queue.name, task_id) for queue, runs in self._running.items() for task_id in runs
        }
        self._exact = {key: start for key, start in self._exact.items() if key in active}

    def forget_running(self) -> None:
        """Forget running tasks and those that just left: no duration spans a set clock."""
        self._running, self._left, self._complete_at, self._exact = {}, {}, {}, {}
        self._tracked = 0

    def _observe_task(self, queue: QueueKey, task_id: str, before: float | None, at: float) -> None:
        run = self._running.get(queue, {}).get(task_id)
        exact = self._exact.get((queue.name, task_id))
        if exact is not None and exact > at + 1:
            exact = None  # the clock of that server is ahead
        if run is not None:
            run.seen = at
            if exact is not None:
                run.earliest = run.latest = exact
            return
        if self._tracked >= MOST_TRACKED:
            return
        earliest, latest = (-inf if before is None else before), at
        if exact is not None:
            earliest = latest = exact
        self._running.setdefault(queue, {})[task_id] = _Run(earliest, latest, at)
        self._tracked += 1

    def _leave(self, queue: QueueKey, present: Collection[str], at: float) -> None:
        runs = self._running[queue]
        for task_id in [task_id for task_id in runs if task_id not in present]:
            run = runs.pop(task_id)
            if not run.known or (queue, task_id) in self._left:
                self._tracked -= 1  # or it ran once more before its first end was asked for
            if run.known:
                self._left[(queue, task_id)] = _Left(run, at)
        if not runs:
            del self._running[queue]

    def _count(self, queue: QueueKey, left: _Left, outcome: CheckedTask, now: float) -> None:
        run = left.run
        low, high = _ended(left, outcome)
        if high - low > VAGUE_S:
            return
        seconds = (low + high) / 2 - (run.earliest + run.latest) / 2
        error = (high - low) / 2 + (run.latest - run.earliest) / 2
        record = self._records.get(queue)
        if record is None:
            if len(self._records) >= MOST_QUEUES:
                return
            record = self._records[queue] = DurationRecord()
        record.add(now, max(0.0, seconds), error)


def _ended(left: _Left, outcome: CheckedTask) -> tuple[float, float]:
    """Return between which moments a task ended, by observation and, if it agrees, its hash.

    Timestamps are whole seconds of the worker's clock, and may be of an earlier attempt.
    """
    low, high = left.run.seen, left.gone
    for timestamp in (outcome.completed_at, outcome.last_failed_at):
        if timestamp is not None:
            width = 1.0 if timestamp == int(timestamp) else 0.0
            begin, end = max(low, timestamp), min(high, timestamp + width)
            if begin <= end:
                return begin, end
    return low, high


__all__ = ["BUCKETS_S", "MOST_TRACKED", "RECENT_S", "Durations", "ObservedDurations"]
