"""Follows active tasks from poll to poll, until it is known what became of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from runqy_tui.durations.histogram import Observed, Record
from runqy_tui.model import ActiveTask, Audit, AuditedTask, QueueKey, TaskState

MOST_TRACKED = 5_000
MOST_QUEUES = 5_000
VAGUE_S = 120.0
"""A beginning or an end that lies somewhere in a longer time than this is taken as unknown."""
_ENDED = frozenset({TaskState.COMPLETED, TaskState.ARCHIVED, TaskState.RETRY})


@dataclass(slots=True)
class _Run:
    """A task that is active: it began between two moments, and was last seen at a third.

    ``earliest`` is minus infinity where nobody saw it begin.
    """

    earliest: float
    latest: float
    seen: float

    @property
    def known(self) -> bool:
        return self.earliest > -inf


class _Left(NamedTuple):
    """A task that left: its run, and when it was first seen to be gone."""

    run: _Run
    gone: float


class Durations:
    """Follows at most 5,000 active tasks, and counts those whose beginning and end it saw."""

    def __init__(self) -> None:
        self._running: dict[QueueKey, dict[str, _Run]] = {}
        self._left: dict[tuple[QueueKey, str], _Left] = {}
        self._complete_at: dict[QueueKey, float] = {}
        self._records: dict[QueueKey, Record] = {}
        self._exact: dict[tuple[str, str], float] = {}
        self._tracked = 0
        self._now = 0.0

    def observe_started(self, tasks: Iterable[ActiveTask]) -> None:
        """Note exact starts, where an asynq server tells them, before the audits of that poll."""
        for task in tasks:
            if task.started_at is not None and len(self._exact) < MOST_TRACKED:
                self._exact[(task.queue, task.id)] = task.started_at

    def observe_idle(self, queue: QueueKey, at: float) -> None:
        """Note that a queue's active list was empty."""
        if queue in self._running:
            self._leave(queue, set(), at)
        self._complete_at[queue] = at

    def observe_active(self, audit: Audit) -> None:
        """Take in the oldest active tasks of a queue; windows further on tell no end, so no start.

        A task in a window from the oldest on stays in it until it leaves the list.
        """
        window, at = audit.window, audit.taken_at
        if window.state is not TaskState.ACTIVE or window.offset:
            return
        present = {task.id for task in audit.tasks}
        if window.queue in self._running:
            self._leave(window.queue, present, at)
        before = self._complete_at.get(window.queue)
        if before is not None and not 0 <= at - before <= VAGUE_S:
            before = None  # long ago, or Redis's clock went back
        for task_id in present:
            self._see(window.queue, task_id, before, at)
        # The reader leaves out tasks that left meanwhile: the limit tells, not their number.
        if audit.total <= window.limit and present <= self._running.get(window.queue, {}).keys():
            self._complete_at[window.queue] = at
        else:
            self._complete_at.pop(window.queue, None)
        self._now = at

    def pending_fates(self, limit: int) -> list[tuple[QueueKey, str]]:
        """Tasks that left, longest ago first, whose end is to be asked for."""
        return [key for key, _ in zip(self._left, range(limit), strict=False)]

    def settle(
        self, ids: Sequence[tuple[QueueKey, str]], fates: Sequence[AuditedTask], now: float
    ) -> None:
        """Count the tasks whose end the reader told; ``fates`` are in the order of ``ids``."""
        found = {(queue, fate.id): fate for (queue, _), fate in zip(ids, fates, strict=False)}
        for key in ids:
            left = self._left.pop(key, None)
            if left is None:
                continue
            self._tracked -= 1
            fate = found.get(key)
            if fate is not None and (fate.missing or fate.state in _ENDED):
                self._count(key[0], left, fate, now)

    def quantiles(self, queue: QueueKey) -> Observed | None:
        """Quantiles of the last half to full hour; ``None`` if no task was seen to end in it."""
        record = self._records.get(queue)
        return None if record is None else record.observed(self._now)

    def histogram(
        self, queue: QueueKey
    ) -> tuple[tuple[float, ...], tuple[int, ...], float, int] | None:
        """Upper bounds, cumulative counts up to each, sum of seconds and count, all since start."""
        record = self._records.get(queue)
        return None if record is None else record.exported()

    def keep(self, queues: Collection[QueueKey], now: float) -> None:
        """Forget all queues but these; ``now`` before the last audit forgets what runs."""
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
        """Forget what runs or just left: a duration across a set clock is none."""
        self._running, self._left, self._complete_at, self._exact = {}, {}, {}, {}
        self._tracked = 0

    def _see(self, queue: QueueKey, task_id: str, before: float | None, at: float) -> None:
        run = self._running.get(queue, {}).get(task_id)
        exact = self._exact.get((queue.name, task_id))
        if exact is not None and exact > at + 1:
            exact = None  # that server's clock is ahead
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

    def _count(self, queue: QueueKey, left: _Left, fate: AuditedTask, now: float) -> None:
        run = left.run
        low, high = _ended(left, fate)
        if high - low > VAGUE_S:
            return
        seconds = (low + high) / 2 - (run.earliest + run.latest) / 2
        error = (high - low) / 2 + (run.latest - run.earliest) / 2
        record = self._records.get(queue)
        if record is None:
            if len(self._records) >= MOST_QUEUES:
                return
            record = self._records[queue] = Record()
        record.add(now, max(0.0, seconds), error)


def _ended(left: _Left, fate: AuditedTask) -> tuple[float, float]:
    """Between which moments a task ended: what was seen, and what the task says, if they agree.

    Stamps are whole seconds of the worker's clock, and may be of an earlier attempt.
    """
    low, high = left.run.seen, left.gone
    for stamp in (fate.completed_at, fate.last_failed_at):
        if stamp is not None:
            width = 1.0 if stamp == int(stamp) else 0.0
            begin, end = max(low, stamp), min(high, stamp + width)
            if begin <= end:
                return begin, end
    return low, high
