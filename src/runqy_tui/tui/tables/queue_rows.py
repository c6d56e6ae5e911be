"""Queues as rows of the screen."""

from __future__ import annotations

from runqy_tui.model.severity import Severity
from runqy_tui.monitor.store import View
from runqy_tui.observation.history import Trend
from runqy_tui.presentation.queue_columns import QUEUE_TABLE, QueueRow, oldest_age_s, unread_s
from runqy_tui.presentation.resource import DisplayContext
from runqy_tui.presentation.staleness import QUEUE_STALE_S
from runqy_tui.tui.tables.screen_table import ScreenTable
from runqy_tui.tui.widgets.row_provider import Style

_LONG_WAIT_S = 300.0
"""An oldest task that waits for longer is shown as a warning."""


def queue_rows(view: View) -> list[QueueRow]:
    """Rows of all queues of a view."""
    if view.snapshot is None:
        return []
    assessed, trends = view.assessment.queues, view.trends
    unknown = Trend()
    return [
        QueueRow(queue, assessed[queue.key], trends.get(queue.key, unknown))
        for queue in view.snapshot.queues
    ]


def _severity(row: QueueRow, _: DisplayContext) -> Style:
    return row.condition.severity.style


def _name(row: QueueRow, context: DisplayContext) -> Style:
    stale = unread_s(row, context) > QUEUE_STALE_S
    return "dim" if stale or row.condition.severity is Severity.IDLE else ""


def _oldest(row: QueueRow, context: DisplayContext) -> Style:
    seconds = oldest_age_s(row, context)
    return "warning" if seconds is not None and seconds > _LONG_WAIT_S else ""


def _eta(row: QueueRow, _: DisplayContext) -> Style:
    return "warning" if row.rates.drains_in_s is None else ""


def _consumers(row: QueueRow, _: DisplayContext) -> Style:
    if row.queue.consumers:
        return ""
    return "critical" if row.queue.counts.pending else "dim"


QUEUES = ScreenTable(
    QUEUE_TABLE,
    {
        "sign": _severity,
        "queue": _name,
        "active": "busy",
        "retry": "warning",
        "oldest": _oldest,
        "fail": "warning",
        "eta": _eta,
        "consumers": _consumers,
        "note": _severity,
    },
)
