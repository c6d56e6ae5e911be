"""Tasks as rows: the columns depend on the state that is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runqy_tui.model import TaskRow, TaskState
from runqy_tui.text import humanize
from runqy_tui.text.humanize import age
from runqy_tui.tui.tables.table_column import text
from runqy_tui.tui.widgets.columns import ColumnLayout
from runqy_tui.tui.widgets.row_provider import Cell

_WHEN_TITLES: Mapping[TaskState, str] = {
    TaskState.PENDING: "WAITS",
    TaskState.ACTIVE: "SINCE",
    TaskState.SCHEDULED: "RUNS IN",
    TaskState.RETRY: "NEXT IN",
    TaskState.ARCHIVED: "FAILED",
    TaskState.COMPLETED: "DONE",
    TaskState.AGGREGATING: "ADDED",
}
_SHOWS_ERROR = frozenset({TaskState.ARCHIVED, TaskState.RETRY})
_EXPIRES = frozenset({TaskState.ARCHIVED, TaskState.COMPLETED})


def task_columns(state: TaskState) -> tuple[ColumnLayout, ...]:
    """Columns for one state, the id first."""
    columns = [
        ColumnLayout("task", "TASK", 36),
        ColumnLayout("when", _WHEN_TITLES[state], 8, importance=1, align="right"),
        ColumnLayout("try", "TRY", 5, importance=3, align="right"),
        ColumnLayout("type", "TYPE", 14, importance=5, grow=1),
    ]
    if state in _EXPIRES:
        columns.append(ColumnLayout("expires", "EXPIRES", 7, importance=6, align="right"))
    if state in _SHOWS_ERROR:
        columns.append(ColumnLayout("error", "ERROR", 22, importance=2, grow=3))
    columns.append(ColumnLayout("size", "SIZE", 8, importance=7, align="right"))
    columns.append(ColumnLayout("payload", "PAYLOAD", 20, importance=4, grow=3))
    return tuple(columns)


def task_cells(row: TaskRow, columns: tuple[str, ...], now: float) -> tuple[Cell, ...]:
    """Cells of one task at Redis's time ``now``."""
    return tuple(_CELLS[column](row, now) for column in columns)


def _id(row: TaskRow, _now: float) -> Cell:
    return Cell(row.id, "dim" if row.missing else "")


def when_text(row: TaskRow, now: float) -> str:
    """Age or time to go; what lies past its time says so with a plus."""
    if row.when is None:
        return humanize.UNKNOWN
    if row.state in (TaskState.SCHEDULED, TaskState.RETRY):
        ahead = row.when - now
        return age(ahead) if ahead >= 0 else f"{age(-ahead)} late"
    return age(now - row.when)


def _when(row: TaskRow, now: float) -> Cell:
    shown = when_text(row, now)
    late = shown.endswith("late") and row.when is not None and now - row.when > 30
    return Cell(shown, "dim" if row.when is None else "warning" if late else "")


def _tries(row: TaskRow, _now: float) -> Cell:
    if row.retried is None:
        return Cell(humanize.UNKNOWN, "dim")
    limit = humanize.UNKNOWN if row.max_retry is None else row.max_retry
    return Cell(f"{row.retried}/{limit}", "" if row.retried else "dim")


def _expires(row: TaskRow, now: float) -> Cell:
    if row.expires_at is None:
        return Cell(humanize.UNKNOWN, "dim")
    ahead = row.expires_at - now
    return Cell(age(ahead) if ahead > 0 else "due", "dim")


def _error(row: TaskRow, _now: float) -> Cell:
    """The last line that says something: in a traceback that is the exception itself."""
    lines = [line for line in (row.error or "").splitlines() if line.strip()]
    if not lines:
        return text(None)
    first = lines[0].strip()
    return Cell(lines[-1].strip() if "Traceback (most recent" in first else first)


def _size(row: TaskRow, _now: float) -> Cell:
    return text(None if row.payload is None else humanize.size(row.payload.size), "dim")


def _payload(row: TaskRow, _now: float) -> Cell:
    if row.missing:
        return Cell("no data: the task's hash is gone", "dim")
    if not row.decodable:
        return Cell("msg cannot be decoded", "warning")
    if row.payload is None:
        return text(None)
    if row.payload.size and not row.payload.data:
        return Cell("too large to preview", "dim")
    return Cell(row.payload.data.decode("utf-8", "surrogateescape"))


_CELLS: Mapping[str, Callable[[TaskRow, float], Cell]] = {
    "task": _id,
    "when": _when,
    "try": _tries,
    "type": lambda row, _: text(row.type),
    "expires": _expires,
    "error": _error,
    "size": _size,
    "payload": _payload,
}
