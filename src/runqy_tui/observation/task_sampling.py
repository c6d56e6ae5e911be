"""Task sampling: which listed tasks to check at each poll, within a budget, and the results.

Active lists come first, from their oldest task on. The rest of the budget goes round the windows
of pending and retry lists, and of active lists beyond their first tasks, so that each is reached
however many there are. Few windows lie away from the oldest ends: tasks there were not read
recently, and reading them is what a check costs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from runqy_tui.model import (
    CheckedTask,
    CheckWindow,
    Queue,
    QueueKey,
    Snapshot,
    TaskState,
    WindowCheck,
)

BUDGET = 200
"""Tasks checked per poll, in all windows together."""
WINDOW_SIZE = 25
ACTIVE_SHARE = 0.75
"""Share of the budget reserved for the heads of active lists."""
ACTIVE_HEAD = 50
"""Oldest tasks of one active list that are checked together."""
KEEP_S = 900.0
"""Seconds after which a check that was not repeated is dropped."""
KEEP_ACTIVE_S = 120.0
MOST_KEPT = 5_000
"""Checked tasks kept; the oldest checks are dropped first."""
_LEAST_BUDGET = 20
_SLACK = 3
"""Tasks read beyond those counted: lists grow between a poll and its checks."""
_ROUND = (TaskState.ACTIVE, TaskState.PENDING, TaskState.RETRY)

Place = tuple[QueueKey, TaskState]


class TaskSampler:
    """Plans windows and keeps their checks. One poll at a time: plan, read, observe."""

    def __init__(self, budget: int = BUDGET) -> None:
        self.budget = max(_LEAST_BUDGET, budget)
        self._for_active = int(self.budget * ACTIVE_SHARE)
        self._head = min(ACTIVE_HEAD, self._for_active)
        self._window_size = min(WINDOW_SIZE, (self.budget - self._for_active) // 2)
        self._deep = 2 * self._window_size
        self._kept: dict[Place, list[WindowCheck]] = {}
        self._poll = 0
        self._head_at: dict[Place, int] = {}
        self._window_at: dict[Place, int] = {}
        self._offsets: dict[Place, int] = {}
        self._visits: dict[Place, int] = {}

    def plan(self, snapshot: Snapshot) -> Sequence[CheckWindow]:
        """Return the windows to read now, ``budget`` tasks at most; drop checks of empty lists."""
        lengths = {
            (queue.key, state): length
            for queue in snapshot.queues
            for state in _ROUND
            if (length := queue.counts.of(state))
        }
        self._poll += 1
        self._forget(snapshot, lengths)
        heads = self._heads({place: n for place, n in lengths.items() if _is_active(place)})
        left = self.budget - sum(window.limit for window in heads)
        return (*heads, *self._windows(lengths, left))

    def observe(self, checks: Iterable[WindowCheck]) -> None:
        """Keep what was read. A task is kept in its newest check only."""
        for check in checks:
            self._add(check)
        self._limit()

    @property
    def current(self) -> Sequence[WindowCheck]:
        """The latest check of each window that still applies.

        They differ in age: a task was in its state at its check's ``taken_at``. Where a window
        was read again, an older check of it may remain with only its suspect tasks, since a list
        moves on under its windows.
        """
        return [check for checks in self._kept.values() for check in checks]

    def _heads(self, active: Mapping[Place, int]) -> list[CheckWindow]:
        """Plan the oldest tasks of the active lists, the list checked longest ago first."""
        left = self._for_active
        windows: list[CheckWindow] = []
        for place in sorted(active, key=lambda place: self._head_at.get(place, 0)):
            limit = min(self._head, active[place] + _SLACK)
            if limit > left:
                break
            windows.append(CheckWindow(*place, 0, limit))
            self._head_at[place] = self._poll
            left -= limit
        return windows

    def _windows(self, lengths: Mapping[Place, int], left: int) -> list[CheckWindow]:
        windows: list[CheckWindow] = []
        deep = self._deep
        for place in sorted(lengths, key=lambda place: self._window_at.get(place, 0)):
            first = self._head if _is_active(place) else 0
            if lengths[place] <= first:
                continue
            offset = self._offset(place, first, lengths[place])
            postponed = offset > 0 and deep <= 0
            if postponed:
                if _is_active(place):
                    continue
                offset = first
            limit = min(self._window_size, lengths[place] - offset + _SLACK)
            if limit > left:
                break
            windows.append(CheckWindow(*place, offset, limit))
            left -= limit
            if offset:
                deep -= limit
            if not postponed:
                self._visited(place, offset)
        return windows

    def _offset(self, place: Place, first: int, length: int) -> int:
        """Return where to read in a list this time: every other time at its oldest end."""
        if not _is_active(place) and self._visits.get(place, 0) % 2 == 0:
            return first
        offset = self._offsets.get(place, first)
        return offset if offset < length else first

    def _visited(self, place: Place, offset: int) -> None:
        visits = self._visits.get(place, 0)
        self._visits[place] = visits + 1
        self._window_at[place] = self._poll
        if _is_active(place) or visits % 2 or visits == 0:
            self._offsets[place] = offset + self._window_size

    def _forget(self, snapshot: Snapshot, lengths: Mapping[Place, int]) -> None:
        now = snapshot.taken_at
        queues = {queue.key: queue for queue in snapshot.queues}
        for place in list(self._kept):
            length = lengths.get(place, 0)
            kept = (
                [
                    _trimmed(check, queues[place[0]])
                    for check in self._kept[place]
                    if check.window.offset < length and 0 <= now - check.taken_at <= _keep_s(place)
                ]
                if length
                else []
            )
            self._keep(place, kept)
        for memory in (self._offsets, self._visits, self._head_at, self._window_at):
            for place in [place for place in memory if place not in lengths]:
                del memory[place]

    def _add(self, check: WindowCheck) -> None:
        window = check.window
        place = (window.queue, window.state)
        if window.offset == 0 and check.total <= window.limit:
            self._keep(place, [check])
            return
        ids = {task.id for task in check.tasks}
        kept = [_older(old, check, ids) for old in self._kept.get(place, ())]
        self._keep(place, [*kept, check])

    def _keep(self, place: Place, checks: Iterable[WindowCheck]) -> None:
        kept = [check for check in checks if check.tasks]
        if kept:
            self._kept[place] = kept
        else:
            self._kept.pop(place, None)

    def _limit(self) -> None:
        every = sorted(self.current, key=lambda check: check.taken_at, reverse=True)
        amount = 0
        drop: set[int] = set()
        for check in every:
            amount += len(check.tasks)
            if amount > MOST_KEPT:
                drop.add(id(check))
        if drop:
            for place, checks in list(self._kept.items()):
                self._keep(place, [check for check in checks if id(check) not in drop])


def suspect(task: CheckedTask, check: WindowCheck) -> bool:
    """Return whether a task is kept when its window has moved on: it may be a finding."""
    if task.missing:
        return True
    if check.window.state is not TaskState.ACTIVE or not check.window.queue.braced:
        return False
    if task.lease_unread:
        return False
    ends = task.lease_expires_at
    return ends is None or ends < check.taken_at


def _older(old: WindowCheck, new: WindowCheck, ids: Collection[str]) -> WindowCheck:
    """Reduce an older check of a list to what still applies beside a newer one."""
    same = old.window.offset == new.window.offset
    tasks = tuple(
        task for task in old.tasks if task.id not in ids and (not same or suspect(task, old))
    )
    return old if len(tasks) == len(old.tasks) else old._replace(tasks=tasks)


def _trimmed(check: WindowCheck, queue: Queue) -> WindowCheck:
    """Drop tasks older than the oldest pending one: a worker took them meanwhile.

    runqy's forwarder writes whole seconds, hence the one second of tolerance.
    """
    oldest = queue.oldest_pending_since
    if check.window.state is not TaskState.PENDING or oldest is None or queue.oldest_estimated:
        return check
    tasks = tuple(
        task
        for task in check.tasks
        if task.pending_since is None or task.pending_since >= oldest - 1.0
    )
    return check if len(tasks) == len(check.tasks) else check._replace(tasks=tasks)


def _is_active(place: Place) -> bool:
    return place[1] is TaskState.ACTIVE


def _keep_s(place: Place) -> float:
    return KEEP_ACTIVE_S if _is_active(place) else KEEP_S
