"""Tasks of a list, and the hits of a search, as tables."""

from __future__ import annotations

from collections.abc import Mapping

from runqy_tui.model import TaskRow, TaskState
from runqy_tui.model.search_query import SearchHit
from runqy_tui.presentation.queue_columns import queue_label
from runqy_tui.presentation.resource import (
    ColumnSet,
    DisplayContext,
    ResourceColumn,
    Surface,
)
from runqy_tui.text import humanize
from runqy_tui.text.humanize import age

_WHEN_TITLES: Mapping[TaskState, str] = {
    TaskState.PENDING: "WAITS",
    TaskState.ACTIVE: "SINCE",
    TaskState.SCHEDULED: "RUNS IN",
    TaskState.RETRY: "NEXT IN",
    TaskState.ARCHIVED: "FAILED",
    TaskState.COMPLETED: "DONE",
    TaskState.AGGREGATING: "ADDED",
}
_ONLY_IN: Mapping[str, frozenset[TaskState]] = {
    "error": frozenset({TaskState.ARCHIVED, TaskState.RETRY}),
    "expires": frozenset({TaskState.ARCHIVED, TaskState.COMPLETED}),
}
"""Columns that only the lists of these states have."""

_RUNS_LATER = frozenset({TaskState.SCHEDULED, TaskState.RETRY})
_OVERDUE_WIDTH = len("overdue 59m")


def when_text(row: TaskRow, now: float) -> str:
    """Age of the state, or time until the task runs; ``overdue`` marks a run that is late."""
    if row.when is None:
        return humanize.UNKNOWN
    if row.state in _RUNS_LATER:
        ahead = row.when - now
        return age(ahead) if ahead >= 0 else f"overdue {age(-ahead)}"
    return age(now - row.when)


def overdue_s(row: TaskRow, now: float) -> float:
    """Seconds by which a task that should run by now is late; 0 for all others."""
    if row.when is None or row.state not in _RUNS_LATER:
        return 0.0
    return max(0.0, now - row.when)


def _tries(row: TaskRow, _: DisplayContext) -> str:
    if row.retried is None:
        return humanize.UNKNOWN
    limit = humanize.UNKNOWN if row.max_retry is None else row.max_retry
    return f"{row.retried}/{limit}"


def _expires(row: TaskRow, context: DisplayContext) -> str:
    if row.expires_at is None:
        return humanize.UNKNOWN
    ahead = row.expires_at - context.now
    return age(ahead) if ahead > 0 else "due"


def _error(row: TaskRow, _: DisplayContext) -> str:
    """First line of the error; of a traceback the last one, which names the exception."""
    lines = [line for line in (row.error or "").splitlines() if line.strip()]
    if not lines:
        return humanize.UNKNOWN
    first = lines[0].strip()
    return lines[-1].strip() if "Traceback (most recent" in first else first


def _size(row: TaskRow, _: DisplayContext) -> str:
    return humanize.UNKNOWN if row.payload is None else humanize.size(row.payload.size)


def _payload(row: TaskRow, _: DisplayContext) -> str:
    if row.missing:
        return "no task data"
    if not row.decodable:
        return "msg cannot be decoded"
    if row.payload is None:
        return humanize.UNKNOWN
    if row.payload.size and not row.payload.data:
        return "too large to preview"
    return row.payload.data.decode("utf-8", "surrogateescape")


TASK_COLUMNS: ColumnSet[TaskRow] = ColumnSet(
    (
        ResourceColumn("task", "TASK", lambda row, _: row.id, 36),
        ResourceColumn(
            "when",
            "WHEN",
            lambda row, context: when_text(row, context.now),
            8,
            "right",
            importance=1,
        ),
        ResourceColumn(
            "try", "TRY", _tries, 5, "right", importance=3, meaning="retries so far / allowed"
        ),
        ResourceColumn(
            "type", "TYPE", lambda row, _: row.type or humanize.UNKNOWN, 14, importance=5, grow=1
        ),
        ResourceColumn("expires", "EXPIRES", _expires, 7, "right", importance=6),
        ResourceColumn("error", "ERROR", _error, 20, importance=2, grow=3),
        ResourceColumn("size", "SIZE", _size, 8, "right", importance=7),
        ResourceColumn("payload", "PAYLOAD", _payload, 20, importance=4, grow=3),
    )
)
"""All columns of task lists; :func:`task_columns` selects those of one state."""


def task_columns(state: TaskState) -> tuple[ResourceColumn[TaskRow], ...]:
    """Return the columns of one state's list, the id first."""
    width = _OVERDUE_WIDTH if state in _RUNS_LATER else 8
    columns = (
        column._replace(title=_WHEN_TITLES[state], width=width) if column.key == "when" else column
        for column in TASK_COLUMNS.columns
    )
    return tuple(
        column for column in columns if state in _ONLY_IN.get(column.key, frozenset(TaskState))
    )


HIT_COLUMNS: ColumnSet[SearchHit] = ColumnSet(
    (
        ResourceColumn("task", "TASK", lambda hit, _: hit.row.id, 36),
        ResourceColumn("state", "STATE", lambda hit, _: hit.row.state.value, 11, importance=3),
        ResourceColumn(
            "queue",
            "QUEUE",
            lambda hit, _: queue_label(hit.queue),
            16,
            importance=2,
            grow=1,
            full=lambda hit, _: hit.queue.name,
        ),
        ResourceColumn(
            "when",
            "WHEN",
            lambda hit, context: when_text(hit.row, context.now),
            _OVERDUE_WIDTH,
            "right",
            importance=5,
            surfaces=Surface.SCREEN,
        ),
        ResourceColumn("place", "IN", lambda hit, _: hit.place, 8, importance=4),
        ResourceColumn("excerpt", "TEXT", lambda hit, _: hit.excerpt, 21, importance=1, grow=4),
    ),
    {Surface.TEXT: ("task", "queue", "state", "place", "excerpt")},
)
"""Hits of a search, in the order in which they were found."""
