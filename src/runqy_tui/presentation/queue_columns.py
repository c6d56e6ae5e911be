"""Queues as a table."""

from __future__ import annotations

from typing import NamedTuple

from runqy_tui.diagnosis.assessment import Condition
from runqy_tui.model import Queue, QueueKey, TaskState
from runqy_tui.model.severity import Severity
from runqy_tui.observation.history import Trend
from runqy_tui.presentation.resource import (
    DisplayContext,
    ResourceColumn,
    ResourceTable,
    Surface,
)
from runqy_tui.presentation.staleness import QUEUE_STALE_S, note_text
from runqy_tui.text import humanize
from runqy_tui.text.humanize import age, count


class QueueRow(NamedTuple):
    """A queue, its assessment and its rates."""

    queue: Queue
    condition: Condition
    rates: Trend = Trend()


def queue_label(key: QueueKey) -> str:
    """Return the name, marked where the queue is a list without braces."""
    return key.name if key.braced else f"{key.name} (no braces)"


def rate_text(value: float | None) -> str:
    """Tasks per second in at most five cells."""
    if value is None:
        return humanize.UNKNOWN
    if value == 0:
        return humanize.ZERO
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def eta_text(trend: Trend) -> str:
    """Estimated time until the queue is empty, ``growing``, or unknown."""
    if trend.drains_in_s is not None:
        return f"~{age(trend.drains_in_s)}"
    if trend.net_per_s is not None and trend.net_per_s > 0 and trend.growing_for_s:
        return "growing"
    return humanize.UNKNOWN


def _eta(row: QueueRow, _: DisplayContext) -> str:
    return eta_text(row.rates) if row.queue.counts.pending else humanize.ZERO


def oldest_age_s(row: QueueRow, context: DisplayContext) -> float | None:
    """Seconds that the oldest pending task had waited when the queue was read, or ``None``."""
    return row.queue.oldest_pending_age_s(_read_at(row, context))


def unread_s(row: QueueRow, context: DisplayContext) -> float:
    """Seconds since the queue was read; 0 where the last poll read it."""
    return context.now - _read_at(row, context)


def _read_at(row: QueueRow, context: DisplayContext) -> float:
    return context.unread_queues.get(row.queue.key, context.now)


def _oldest(row: QueueRow, context: DisplayContext) -> str:
    seconds = oldest_age_s(row, context)
    if seconds is None:
        return humanize.ZERO if row.queue.counts.pending == 0 else humanize.UNKNOWN
    shown = age(seconds, coarse=context.coarse)
    estimated = row.queue.oldest_estimated and not shown.startswith("<")
    return f"~{shown}" if estimated else shown


def _exact_rate(value: float | None) -> str:
    return humanize.UNKNOWN if value is None else f"{value:.2f}"


def _net_per_minute(row: QueueRow, _: DisplayContext) -> str:
    value = row.rates.net_per_s
    return humanize.UNKNOWN if value is None else f"{value * 60:+.0f}"


def _note(row: QueueRow, context: DisplayContext) -> str:
    return note_text(row.condition.reason, unread_s(row, context), QUEUE_STALE_S)


def _order(row: QueueRow, context: DisplayContext) -> tuple[int, int, str]:
    """Severity first, then the longest wait in steps of doubling minutes: rows seldom move."""
    urgent = row.condition.severity >= Severity.WARNING
    minutes = (oldest_age_s(row, context) or 0.0) / 60 if urgent else 0.0
    return -row.condition.severity.rank, -int(minutes).bit_length(), row.queue.name


def _count(
    state: TaskState, title: str, width: int, importance: int, meaning: str
) -> ResourceColumn[QueueRow]:
    return ResourceColumn(
        state.value,
        title,
        lambda row, _: count(row.queue.counts.of(state)),
        width,
        "right",
        importance=importance,
        label=state.value,
        sort=lambda row, _: row.queue.counts.of(state),
        largest_first=True,
        meaning=meaning,
    )


QUEUE_TABLE: ResourceTable[QueueRow] = ResourceTable(
    (
        ResourceColumn("sign", "", lambda row, _: row.condition.severity.sign, 1),
        ResourceColumn(
            "queue",
            "QUEUE",
            lambda row, _: queue_label(row.queue.key),
            17,
            grow=2,
            sort=lambda row, _: row.queue.name,
        ),
        _count(TaskState.PENDING, "PEND", 7, 0, "pending tasks"),
        _count(TaskState.ACTIVE, "ACT", 5, 1, "active tasks"),
        _count(TaskState.RETRY, "RETRY", 6, 3, "failed tasks that will be retried"),
        _count(TaskState.ARCHIVED, "ARCH", 6, 3, "archived tasks: failed permanently"),
        _count(TaskState.SCHEDULED, "SCHED", 6, 7, "scheduled tasks"),
        _count(TaskState.COMPLETED, "COMPL", 8, 9, "completed tasks that are still kept"),
        _count(TaskState.AGGREGATING, "AGGR", 5, 12, "tasks aggregating in a group"),
        ResourceColumn(
            "oldest",
            "OLDEST",
            _oldest,
            6,
            "right",
            importance=2,
            full=lambda row, context: age(oldest_age_s(row, context)),
            sort=oldest_age_s,
            largest_first=True,
            meaning="time the oldest pending task has waited",
        ),
        ResourceColumn(
            "done",
            "DONE/s",
            lambda row, _: rate_text(row.rates.done_per_s),
            6,
            "right",
            importance=5,
            full=lambda row, _: _exact_rate(row.rates.done_per_s),
            sort=lambda row, _: row.rates.done_per_s,
            largest_first=True,
            surfaces=Surface.SCREEN | Surface.REPORT,
            meaning="tasks completed per second",
        ),
        ResourceColumn(
            "fail",
            "FAIL/s",
            lambda row, _: rate_text(row.rates.failed_per_s),
            6,
            "right",
            importance=5,
            label="failed/s",
            full=lambda row, _: _exact_rate(row.rates.failed_per_s),
            sort=lambda row, _: row.rates.failed_per_s,
            largest_first=True,
            surfaces=Surface.SCREEN | Surface.REPORT,
            meaning="tasks failed per second",
        ),
        ResourceColumn(
            "net", "NET/min", _net_per_minute, 7, "right", label="net/min", surfaces=Surface.REPORT
        ),
        ResourceColumn(
            "eta",
            "ETA",
            _eta,
            7,
            "right",
            importance=6,
            label="ETA",
            full=lambda row, _: humanize.span(row.rates.drains_in_s),
            sort=lambda row, _: row.rates.drains_in_s,
            largest_first=True,
            surfaces=Surface.SCREEN | Surface.REPORT,
            meaning="estimated time until the queue is empty",
        ),
        ResourceColumn(
            "succeeded",
            "DONE",
            lambda row, _: count(row.queue.succeeded_today),
            7,
            "right",
            label="done today",
            surfaces=Surface.DOCUMENTS,
        ),
        ResourceColumn(
            "failed",
            "FAILED",
            lambda row, _: count(row.queue.failed_today),
            7,
            "right",
            importance=8,
            label="failed today",
            sort=lambda row, _: row.queue.failed_today,
            largest_first=True,
            meaning="failed today (UTC)",
        ),
        ResourceColumn(
            "consumers",
            "CONS",
            lambda row, _: str(len(row.queue.consumers)),
            4,
            "right",
            importance=4,
            label="consumers",
            full=lambda row, _: f"{len(row.queue.consumers):,}",
            sort=lambda row, _: len(row.queue.consumers),
            meaning="consumers: workers that take tasks from the queue",
        ),
        ResourceColumn(
            "note",
            "NOTE",
            _note,
            20,
            importance=7,
            grow=3,
            label="why",
            full=lambda row, _: row.condition.reason,
        ),
    ),
    {
        Surface.TEXT: (
            *("sign", "queue", *TaskState),
            *("oldest", "succeeded", "failed", "consumers", "note"),
        ),
        Surface.REPORT: (
            *("sign", "queue", *TaskState),
            *("oldest", "consumers", "done", "fail", "net", "eta"),
            *("succeeded", "failed", "note"),
        ),
    },
    key=lambda row: row.queue.key,
    order=_order,
    words=lambda row: f"{row.queue.name} {row.condition.reason}",
    document_order=lambda row: (
        -row.condition.severity,
        -(row.queue.counts.pending or 0),
        row.queue.name,
    ),
)
