"""Tasks of a list as rows of the screen: the columns depend on the state that is shown."""

from __future__ import annotations

from runqy_tui.model import TaskRow, TaskState
from runqy_tui.presentation import task_columns as definition
from runqy_tui.presentation.resource import DisplayContext
from runqy_tui.tui.tables.screen_table import CellFormatter, column_layouts
from runqy_tui.tui.widgets.columns import ColumnLayout
from runqy_tui.tui.widgets.row_provider import Cell, Style

_LATE_S = 30.0
"""A run that is overdue by more is shown as a warning."""


def task_columns(state: TaskState) -> tuple[ColumnLayout, ...]:
    """Return the columns for one state, the id first."""
    return column_layouts(definition.task_columns(state))


def task_cells(row: TaskRow, columns: tuple[str, ...], now: float) -> tuple[Cell, ...]:
    """Return the cells of one task at Redis's time ``now``."""
    context = DisplayContext(now)
    return tuple(_FORMATTER.cell(row, key, context) for key in columns)


def _id(row: TaskRow, _: DisplayContext) -> Style:
    return "dim" if row.missing else ""


def _when(row: TaskRow, context: DisplayContext) -> Style:
    return "warning" if definition.overdue_s(row, context.now) > _LATE_S else ""


def _tries(row: TaskRow, _: DisplayContext) -> Style:
    return "" if row.retried else "dim"


def _payload(row: TaskRow, _: DisplayContext) -> Style:
    if row.missing:
        return "dim"
    if not row.decodable:
        return "warning"
    return "dim" if row.payload and row.payload.size and not row.payload.data else ""


_FORMATTER: CellFormatter[TaskRow] = CellFormatter(
    definition.TASK_COLUMNS,
    {
        "task": _id,
        "when": _when,
        "try": _tries,
        "expires": "dim",
        "size": "dim",
        "payload": _payload,
    },
)
