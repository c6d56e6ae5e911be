"""What closer looks told a moment ago of tasks that are in order, so that nobody asks again.

The same tasks stand in the lists poll after poll, and to look at one of them takes four commands.
Whatever may be wrong with a task is never kept: that is read anew each time.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import NamedTuple

from runqy_tui.model import AuditedTask, AuditWindow, QueueKey, TaskState

KEEP_S = 10.0
"""For so long a task is taken to be as it was. A lease lasts 30 s at the least, and a hash that
goes away under a listed task is told so much later."""

MOST_KEPT = 5_000

_Name = tuple[QueueKey, TaskState, str]


class _Told(NamedTuple):
    task: AuditedTask
    until: float


class Lately:
    """Remembers tasks that were in order when they were looked at; at most 5,000."""

    def __init__(self) -> None:
        self._told: dict[_Name, _Told] = {}

    def of(self, window: AuditWindow, task_id: str, now: float) -> AuditedTask | None:
        """What was told of a task in the window's list; ``now`` is Redis's clock."""
        told = self._told.get((window.queue, window.state, task_id))
        if told is None or monotonic() >= told.until or not _in_order(told.task, window, now):
            return None
        return told.task

    def keep(self, window: AuditWindow, tasks: Iterable[AuditedTask], now: float) -> None:
        """Take in tasks that were just looked at."""
        until = monotonic() + KEEP_S
        for task in tasks:
            if _in_order(task, window, now):
                self._told[(window.queue, window.state, task.id)] = _Told(task, until)

    def forget(self) -> None:
        """Drop what is too old, and beyond so many what is left of the oldest."""
        at = monotonic()
        kept = [(name, told) for name, told in self._told.items() if at < told.until]
        self._told = dict(kept[-MOST_KEPT:])


def _in_order(task: AuditedTask, window: AuditWindow, now: float) -> bool:
    if task.missing or task.lease_unread or task.state is not window.state:
        return False
    if window.state is not TaskState.ACTIVE or not window.queue.braced:
        return True
    ends = task.lease_expires_at
    return ends is not None and ends > now
