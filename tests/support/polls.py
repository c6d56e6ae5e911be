"""Snapshots and audits a few seconds apart, of one queue or of many."""

from __future__ import annotations

from typing import Any

from runqy_tui.model import (
    CheckedTask,
    CheckWindow,
    Counts,
    QueueKey,
    Snapshot,
    TaskState,
    WindowCheck,
)
from tests.support.builders import NOW, queue, snapshot

KEY = QueueKey("q")


def poll(at: float, *, name: str = "q", **given_counts: Any) -> Snapshot:
    """One queue; counts and counters by name, times from the start."""
    counts = Counts(
        pending=given_counts.pop("pending", 0),
        active=given_counts.pop("active", 0),
        scheduled=given_counts.pop("scheduled", 0),
        retry=given_counts.pop("retry", 0),
        archived=given_counts.pop("archived", 0),
    )
    done, failed = given_counts.pop("done", 0), given_counts.pop("failed", 0)
    one = queue(name, counts=counts, succeeded_total=done, failed_total=failed, **given_counts)
    return snapshot(queues=(one,), taken_at=NOW + at)


def audited(
    at: float,
    *ids: str | CheckedTask,
    state: TaskState = TaskState.ACTIVE,
    offset: int = 0,
    limit: int = 50,
    total: int | None = None,
    key: QueueKey = KEY,
) -> WindowCheck:
    """A window as it was found ``at`` seconds after the start."""
    tasks = tuple(CheckedTask(one) if isinstance(one, str) else one for one in ids)
    window = CheckWindow(key, state, offset, limit)
    return WindowCheck(window, NOW + at, len(tasks) if total is None else total, tasks)
