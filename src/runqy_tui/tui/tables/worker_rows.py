"""Workers as rows of the screen."""

from __future__ import annotations

from runqy_tui.model import WorkerState
from runqy_tui.monitor.store import View
from runqy_tui.presentation.resource import DisplayContext
from runqy_tui.presentation.worker_columns import WORKER_TABLE, WorkerRow, beat_age_s
from runqy_tui.tui.tables.screen_table import ScreenTable
from runqy_tui.tui.widgets.row_provider import Style

_LATE_S = 15.0
"""A heartbeat this old is shown as a warning: three of a worker's periods."""


def worker_rows(view: View) -> list[WorkerRow]:
    """Rows of all workers of a view."""
    if view.snapshot is None:
        return []
    assessed = view.assessment.workers
    return [WorkerRow(worker, assessed[worker.id]) for worker in view.snapshot.workers]


def _severity(row: WorkerRow, _: DisplayContext) -> Style:
    return row.condition.severity.style


def _state(row: WorkerRow, _: DisplayContext) -> Style:
    style = row.condition.severity.style
    return "" if style == "fine" else style


def _beat(row: WorkerRow, context: DisplayContext) -> Style:
    seconds = beat_age_s(row, context)
    late = seconds is not None and seconds > _LATE_S
    return "warning" if late and row.worker.state is not WorkerState.STOPPED else ""


WORKERS = ScreenTable(
    WORKER_TABLE,
    {"sign": _severity, "state": _state, "beat": _beat, "dialect": "dim", "note": _severity},
)
