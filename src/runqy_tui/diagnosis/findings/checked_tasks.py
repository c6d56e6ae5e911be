"""What the audits say of listed tasks, by queue, each task once and by its latest look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from runqy_tui.model import CheckedTask, Queue, QueueKey, Snapshot, TaskState, WindowCheck


class CheckedLook(NamedTuple):
    """A task and when it was looked at, by Redis's clock."""

    task: CheckedTask
    at: float


class Listed(NamedTuple):
    """The looked-at tasks of one state of one queue. ``whole``: that is all there are."""

    queue: Queue
    state: TaskState
    looks: tuple[CheckedLook, ...]
    whole: bool

    def some(self, count: int) -> str:
        """The number as far as it is known: ``3``, or ``at least 3`` where not all were seen."""
        return f"{count:,}" if self.whole else f"at least {count:,}"


def listed(snapshot: Snapshot, audits: Iterable[WindowCheck]) -> Iterator[Listed]:
    """What was looked at. Looks at a state that has emptied since do not count."""
    found: dict[tuple[QueueKey, TaskState], dict[str, CheckedLook]] = {}
    totals: dict[tuple[QueueKey, TaskState], int] = {}
    queues = {queue.key: queue for queue in snapshot.queues}
    for audit in sorted(audits, key=lambda audit: audit.taken_at):
        queue, state = queues.get(audit.window.queue), audit.window.state
        if queue is None or queue.counts.of(state) == 0:
            continue
        place = queue.key, state
        totals[place] = audit.total
        looks = found.setdefault(place, {})
        for task in audit.tasks:
            looks[task.id] = CheckedLook(task, audit.taken_at)
    for place, looks in found.items():
        key, state = place
        yield Listed(queues[key], state, tuple(looks.values()), len(looks) >= totals[place])
