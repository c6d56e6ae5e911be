"""Queues as rows."""

from __future__ import annotations

from typing import NamedTuple

from runqy_tui.diagnosis.assessment import Trouble
from runqy_tui.model import Queue, TaskState
from runqy_tui.model.severity import Severity
from runqy_tui.monitor.store import Rates, View
from runqy_tui.text import humanize
from runqy_tui.text.humanize import age
from runqy_tui.tui.tables.icons import sign
from runqy_tui.tui.tables.staleness import OLD_S, dated
from runqy_tui.tui.tables.table_column import Resource, TableColumn, number, rank
from runqy_tui.tui.widgets.columns import ColumnLayout
from runqy_tui.tui.widgets.row_provider import Cell, Style


class QueueRow(NamedTuple):
    """A queue, judged, with its rates; its age ``coarse`` where changes cost much.

    ``now`` is the moment of the poll and ``read_at`` when the queue was read (Redis's clock).
    """

    queue: Queue
    trouble: Trouble
    rates: Rates
    now: float
    read_at: float
    coarse: bool = False

    @property
    def oldest_s(self) -> float | None:
        """Seconds that the oldest pending task had waited when the queue was read."""
        return self.queue.oldest_pending_age_s(self.read_at)

    @property
    def unread_s(self) -> float:
        """Seconds since the queue was read."""
        return self.now - self.read_at


def queue_rows(view: View, *, coarse: bool = False) -> list[QueueRow]:
    """Rows of all queues of a view."""
    if view.snapshot is None:
        return []
    now = view.snapshot.taken_at
    judged, rates = view.assessment.queues, view.rates
    unread = view.snapshot.unread_queues
    return [
        QueueRow(
            queue,
            judged[queue.key],
            rates.get(queue.key, Rates()),
            now,
            unread.get(queue.key, now),
            coarse,
        )
        for queue in view.snapshot.queues
    ]


def queue_label(queue: Queue) -> str:
    """The name, marked where the queue is a list without braces."""
    return queue.name if queue.key.braced else f"{queue.name} (no braces)"


def _sign(row: QueueRow) -> Cell:
    severity = row.trouble.severity
    return Cell(sign(severity), severity.style)


def _name(row: QueueRow) -> Cell:
    quiet = row.trouble.severity is Severity.IDLE or row.unread_s > OLD_S
    return Cell(queue_label(row.queue), "dim" if quiet else "")


def _oldest(row: QueueRow) -> Cell:
    seconds = row.oldest_s
    if seconds is None:
        empty = row.queue.counts.pending == 0
        return Cell(humanize.ZERO if empty else humanize.UNKNOWN, "dim")
    shown = age(seconds, coarse=row.coarse)
    if row.queue.oldest_estimated and not shown.startswith("<"):
        shown = f"~{shown}"
    return Cell(shown, "warning" if seconds > 300 else "")


def rate(value: float | None) -> str:
    """Tasks per second in at most five cells."""
    if value is None:
        return humanize.UNKNOWN
    if value == 0:
        return humanize.ZERO
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _rate(value: float | None, style: Style = "") -> Cell:
    return Cell(rate(value), style if value else "dim")


def drains_text(trend: Rates) -> str:
    """When the queue is empty at this pace, or that it grows; an estimate says so."""
    if trend.drains_in_s is not None:
        return f"~{age(trend.drains_in_s)}"
    if trend.net_per_s is not None and trend.net_per_s > 0 and trend.growing_for_s:
        return "grows"
    return humanize.UNKNOWN


def _drains(row: QueueRow) -> Cell:
    if not row.queue.counts.pending:
        return Cell(humanize.ZERO, "dim")
    shown = drains_text(row.rates)
    return Cell(shown, "warning" if shown == "grows" else "" if shown[0] == "~" else "dim")


def _consumers(row: QueueRow) -> Cell:
    amount = len(row.queue.consumers)
    waits = bool(row.queue.counts.pending)
    return Cell(str(amount), "" if amount else "critical" if waits else "dim")


def _count(state: TaskState, style: Style = "") -> TableColumn[QueueRow]:
    titles = {
        TaskState.PENDING: ("PEND", 7, 0),
        TaskState.ACTIVE: ("ACT", 5, 1),
        TaskState.RETRY: ("RETRY", 6, 3),
        TaskState.ARCHIVED: ("ARCH", 6, 3),
        TaskState.SCHEDULED: ("SCHED", 6, 7),
        TaskState.COMPLETED: ("COMPL", 8, 9),
        TaskState.AGGREGATING: ("AGGR", 5, 12),
    }
    title, width, importance = titles[state]
    return TableColumn(
        ColumnLayout(state.value, title, width, importance=importance, align="right"),
        lambda row: number(row.queue.counts.of(state), style),
        lambda row: row.queue.counts.of(state),
        first_desc=True,
    )


def _note(row: QueueRow) -> Cell:
    return dated(row.trouble.reason, row.trouble.severity.style, row.unread_s, OLD_S)


def _order(row: QueueRow) -> tuple[int, int, str]:
    """Trouble first, and there the longest wait, in steps of doubling minutes: rows keep still."""
    troubled = row.trouble.severity >= Severity.WARNING
    minutes = (row.oldest_s or 0.0) / 60 if troubled else 0.0
    return -rank(row.trouble.severity), -int(minutes).bit_length(), row.queue.name


QUEUES: Resource[QueueRow] = Resource(
    (
        TableColumn(ColumnLayout("sign", "", 1), _sign),
        TableColumn(ColumnLayout("queue", "QUEUE", 17, grow=2), _name, lambda row: row.queue.name),
        _count(TaskState.PENDING),
        _count(TaskState.ACTIVE, "busy"),
        _count(TaskState.RETRY, "warning"),
        _count(TaskState.ARCHIVED),
        _count(TaskState.SCHEDULED),
        _count(TaskState.COMPLETED),
        _count(TaskState.AGGREGATING),
        TableColumn(
            ColumnLayout("oldest", "OLDEST", 6, importance=2, align="right"),
            _oldest,
            lambda row: row.oldest_s,
            first_desc=True,
        ),
        TableColumn(
            ColumnLayout("done", "DONE/s", 6, importance=5, align="right"),
            lambda row: _rate(row.rates.done_per_s),
            lambda row: row.rates.done_per_s,
            first_desc=True,
        ),
        TableColumn(
            ColumnLayout("fail", "FAIL/s", 6, importance=5, align="right"),
            lambda row: _rate(row.rates.failed_per_s, "warning"),
            lambda row: row.rates.failed_per_s,
            first_desc=True,
        ),
        TableColumn(
            ColumnLayout("drains", "DRAINS", 6, importance=6, align="right"),
            _drains,
            lambda row: row.rates.drains_in_s,
            first_desc=True,
        ),
        TableColumn(
            ColumnLayout("failed", "FAILED", 7, importance=8, align="right"),
            lambda row: number(row.queue.failed_today),
            lambda row: row.queue.failed_today,
            first_desc=True,
        ),
        TableColumn(
            ColumnLayout("consumers", "CONS", 4, importance=4, align="right"),
            _consumers,
            lambda row: len(row.queue.consumers),
        ),
        TableColumn(ColumnLayout("note", "NOTE", 20, importance=7, grow=3), _note),
    ),
    key=lambda row: row.queue.key,
    order=_order,
    words=lambda row: f"{row.queue.name} {row.trouble.reason}",
)
