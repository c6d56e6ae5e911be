"""Which task list the tasks pane is to show, and its texts: no widgets, no reading."""

from __future__ import annotations

from dataclasses import dataclass

from runqy_tui.model import Queue, QueueKey, Task, TaskState
from runqy_tui.presentation.queue_columns import queue_label
from runqy_tui.tui import safe_text
from runqy_tui.tui.tables.task_listing import FILTER_DEPTH, ListTarget

_NEWEST_FIRST = frozenset({TaskState.ARCHIVED, TaskState.COMPLETED, TaskState.ACTIVE})
_BY_DUE_TIME = frozenset({TaskState.SCHEDULED, TaskState.RETRY})
_PREFERRED = (
    TaskState.PENDING,
    TaskState.ACTIVE,
    TaskState.RETRY,
    TaskState.ARCHIVED,
    TaskState.SCHEDULED,
    TaskState.AGGREGATING,
    TaskState.COMPLETED,
)
"""States in the order in which one is chosen when the current state of a queue is empty."""


@dataclass(slots=True)
class TaskListChoice:
    """Queue, state and order that the operator has chosen; ``queue`` is ``None`` at first."""

    queue: QueueKey | None = None
    state: TaskState = TaskState.PENDING
    newest_first: bool = False

    def target(self, needle: str) -> ListTarget | None:
        """Return the list to read, filtered by ``needle``; ``None`` without a queue."""
        if self.queue is None:
            return None
        return ListTarget(self.queue, self.state, self.newest_first, needle)

    def choose_queue(self, key: QueueKey, summary: Queue | None) -> None:
        """Choose a queue; if the current state is empty there, also a state that is not."""
        self.queue = key
        if summary is not None and not summary.counts.of(self.state):
            filled = (state for state in _PREFERRED if summary.counts.of(state))
            self.choose_state(next(filled, self.state))

    def choose_state(self, state: TaskState) -> None:
        """Choose a state, in the order that is usual for it."""
        self.state = state
        self.newest_first = state in _NEWEST_FIRST

    def neighbour(self, step: int) -> TaskState:
        """Return the next (1) or previous (-1) state."""
        states = list(TaskState)
        return states[(states.index(self.state) + step) % len(states)]

    @property
    def queue_title(self) -> str:
        """Name of the queue; empty without one."""
        if self.queue is None:
            return ""
        return self.queue.name if self.queue.braced else f"{self.queue.name} (no braces)"

    @property
    def order_text(self) -> str:
        """The order in words."""
        if self.state in _BY_DUE_TIME:
            return "latest first" if self.newest_first else "soonest first"
        return "newest first" if self.newest_first else "oldest first"

    def empty_text(self, summary: Queue | None, needle: str) -> str:
        """Return why the list is empty; ``summary`` is the queue as of the latest poll."""
        if needle:
            return f'No match for "{needle}" in the first {FILTER_DEPTH:,} tasks.'
        if summary is None:
            return "This queue is no longer in Redis."
        name = queue_label(summary.key)
        if summary.counts.of(self.state) is None and self.queue and self.queue.braced:
            return f"The {self.state.value} tasks of {name} cannot be read or counted."
        if self.state is TaskState.ARCHIVED and summary.failed_total:
            return (
                f"No archived tasks in {name}, although {summary.failed_total:,} failed: they "
                "were not stored (redis_storage is off), have expired or were deleted."
            )
        return f"No {self.state.value} tasks in {name}."


def removal_text(task_id: str, task: Task | None, target: ListTarget) -> str:
    """Return what happened to a task that left the list; ``task`` as it was read since then."""
    short_id = safe_text.fit(task_id, min(36, len(task_id))).strip()
    if task is None or task.gone or task.state is None:
        return f"{short_id} is no longer in Redis"
    if task.state is target.state:
        return f"{short_id} is {task.state.value} elsewhere in this list"
    return f"{short_id} is now {task.state.value} (was {target.state.value})"
