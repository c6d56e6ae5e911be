"""Which listed tasks to look at closely at each poll, within a budget, and what was found.

Active lists come first, from their oldest task on. What is left of the budget goes round the
stretches of pending and retry lists, and of active lists beyond their first tasks, so that every
one gets its turn however many there are. Few of them lie away from the oldest ends: there each
poll meets tasks that were not looked at a moment ago, which is what an audit costs.
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
"""Tasks per poll, in all windows together."""
STRETCH = 25
ACTIVE_SHARE = 0.75
"""Part of the budget that active lists may take before the others get anything."""
ACTIVE_HEAD = 50
"""Tasks of one active list looked at together, the oldest."""
KEEP_S = 900.0
"""An audit that was not repeated for longer says nothing about the present."""
KEEP_ACTIVE_S = 120.0
MOST_KEPT = 5_000
"""Audited tasks kept; the oldest audits give way."""
_LEAST_BUDGET = 20
_SLACK = 3
"""Tasks asked for beyond those that were counted: lists grow between a poll and its audits."""
_ROUND = (TaskState.ACTIVE, TaskState.PENDING, TaskState.RETRY)

Place = tuple[QueueKey, TaskState]


class TaskSampler:
    """Plans windows, keeps what they showed; one poll at a time: plan, then take."""

    def __init__(self, budget: int = BUDGET) -> None:
        self.budget = max(_LEAST_BUDGET, budget)
        self._for_active = int(self.budget * ACTIVE_SHARE)
        self._head = min(ACTIVE_HEAD, self._for_active)
        self._stretch = min(STRETCH, (self.budget - self._for_active) // 2)
        self._deep = 2 * self._stretch
        self._kept: dict[Place, list[WindowCheck]] = {}
        self._poll = 0
        self._head_at: dict[Place, int] = {}
        self._stretch_at: dict[Place, int] = {}
        self._offsets: dict[Place, int] = {}
        self._visits: dict[Place, int] = {}

    def plan(self, snapshot: Snapshot) -> Sequence[CheckWindow]:
        """Windows to read now: at most ``budget`` tasks. Forgets audits of what has emptied."""
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
        return (*heads, *self._stretches(lengths, left))

    def take(self, audits: Iterable[WindowCheck]) -> None:
        """Keep what was read. A task shows in its newest audit only."""
        for audit in audits:
            self._take(audit)
        self._limit()

    @property
    def current(self) -> Sequence[WindowCheck]:
        """The latest audit of each window that still matters.

        They differ in age: judge a task by its audit's ``taken_at``. Where a window was read
        again, an older audit of it may stay with only those tasks that looked wrong, since a list
        moves on under its windows.
        """
        return [audit for audits in self._kept.values() for audit in audits]

    def _heads(self, active: Mapping[Place, int]) -> list[CheckWindow]:
        """The oldest tasks of the active lists, those first that waited longest for their turn."""
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

    def _stretches(self, lengths: Mapping[Place, int], left: int) -> list[CheckWindow]:
        windows: list[CheckWindow] = []
        deep = self._deep
        for place in sorted(lengths, key=lambda place: self._stretch_at.get(place, 0)):
            first = self._head if _is_active(place) else 0
            if lengths[place] <= first:
                continue
            offset = self._offset(place, first, lengths[place])
            postponed = offset > 0 and deep <= 0
            if postponed:
                if _is_active(place):
                    continue
                offset = first
            limit = min(self._stretch, lengths[place] - offset + _SLACK)
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
        """Where to look in a list this time: every other time at its oldest end."""
        if not _is_active(place) and self._visits.get(place, 0) % 2 == 0:
            return first
        offset = self._offsets.get(place, first)
        return offset if offset < length else first

    def _visited(self, place: Place, offset: int) -> None:
        visits = self._visits.get(place, 0)
        self._visits[place] = visits + 1
        self._stretch_at[place] = self._poll
        if _is_active(place) or visits % 2 or visits == 0:
            self._offsets[place] = offset + self._stretch

    def _forget(self, snapshot: Snapshot, lengths: Mapping[Place, int]) -> None:
        now = snapshot.taken_at
        queues = {queue.key: queue for queue in snapshot.queues}
        for place in list(self._kept):
            length = lengths.get(place, 0)
            kept = (
                [
                    _trimmed(audit, queues[place[0]])
                    for audit in self._kept[place]
                    if audit.window.offset < length and 0 <= now - audit.taken_at <= _keep_s(place)
                ]
                if length
                else []
            )
            self._keep(place, kept)
        for memory in (self._offsets, self._visits, self._head_at, self._stretch_at):
            for place in [place for place in memory if place not in lengths]:
                del memory[place]

    def _take(self, audit: WindowCheck) -> None:
        window = audit.window
        place = (window.queue, window.state)
        if window.offset == 0 and audit.total <= window.limit:
            self._keep(place, [audit])
            return
        ids = {task.id for task in audit.tasks}
        kept = [_older(old, audit, ids) for old in self._kept.get(place, ())]
        self._keep(place, [*kept, audit])

    def _keep(self, place: Place, audits: Iterable[WindowCheck]) -> None:
        kept = [audit for audit in audits if audit.tasks]
        if kept:
            self._kept[place] = kept
        else:
            self._kept.pop(place, None)

    def _limit(self) -> None:
        every = sorted(self.current, key=lambda audit: audit.taken_at, reverse=True)
        amount = 0
        drop: set[int] = set()
        for audit in every:
            amount += len(audit.tasks)
            if amount > MOST_KEPT:
                drop.add(id(audit))
        if drop:
            for place, audits in list(self._kept.items()):
                self._keep(place, [audit for audit in audits if id(audit) not in drop])


def suspect(task: CheckedTask, audit: WindowCheck) -> bool:
    """Whether a task looks wrong enough to be remembered when its window has moved on."""
    if task.missing:
        return True
    if audit.window.state is not TaskState.ACTIVE or not audit.window.queue.braced:
        return False
    if task.lease_unread:
        return False
    ends = task.lease_expires_at
    return ends is None or ends < audit.taken_at


def _older(old: WindowCheck, new: WindowCheck, ids: Collection[str]) -> WindowCheck:
    """What an older audit of the same list still has to say beside a newer one."""
    same = old.window.offset == new.window.offset
    tasks = tuple(
        task for task in old.tasks if task.id not in ids and (not same or suspect(task, old))
    )
    return old if len(tasks) == len(old.tasks) else old._replace(tasks=tasks)


def _trimmed(audit: WindowCheck, queue: Queue) -> WindowCheck:
    """Leave out tasks older than the oldest one that waits: they were taken meanwhile.

    runqy's forwarder writes whole seconds, hence the one second of tolerance.
    """
    oldest = queue.oldest_pending_since
    if audit.window.state is not TaskState.PENDING or oldest is None or queue.oldest_estimated:
        return audit
    tasks = tuple(
        task
        for task in audit.tasks
        if task.pending_since is None or task.pending_since >= oldest - 1.0
    )
    return audit if len(tasks) == len(audit.tasks) else audit._replace(tasks=tasks)


def _is_active(place: Place) -> bool:
    return place[1] is TaskState.ACTIVE


def _keep_s(place: Place) -> float:
    return KEEP_ACTIVE_S if _is_active(place) else KEEP_S
