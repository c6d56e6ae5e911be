"""The window of one queue: counts, daily history and consumers."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.content import Content
from textual.widget import Widget

from runqy_tui.diagnosis.assessment import Assessment, Condition
from runqy_tui.diagnosis.findings.finding import Subject, SubjectKind
from runqy_tui.model import Dialect, Queue, QueueKey, Snapshot, TaskState, Worker
from runqy_tui.model.reader_protocol import InView
from runqy_tui.model.severity import Severity
from runqy_tui.monitor.store import Rates
from runqy_tui.observation.durations import ObservedDurations
from runqy_tui.presentation.queue_columns import rate_text
from runqy_tui.text import humanize
from runqy_tui.text.humanize import UNKNOWN, age, count, moment, span
from runqy_tui.tui.screens.object_modal import ObjectModal
from runqy_tui.tui.session import Session, Step
from runqy_tui.tui.widgets.bars import daily_chart
from runqy_tui.tui.widgets.columns import ColumnLayout
from runqy_tui.tui.widgets.key_value import KeyValue, KeyValueList
from runqy_tui.tui.widgets.row_provider import Cell, ListRows
from runqy_tui.tui.widgets.table import Table

_NO_WORKER = "unknown (no worker identified)"
_STYLES = {Severity.CRITICAL: "bold $error", Severity.WARNING: "bold $warning"}


def headline(queue: Queue, condition: Condition) -> tuple[str, str]:
    """Return the queue's condition and counts in one line, and its style."""
    style = _STYLES.get(condition.severity, "bold")
    pending, active = queue.counts.pending, queue.counts.active
    words = [f"{count(pending)} pending, {count(active)} active".replace(humanize.ZERO, "0")]
    if condition.reason:
        words.insert(0, condition.reason)
    elif not pending and not active:
        words = ["idle"]
    return "; ".join(words), style


def facts(
    queue: Queue, rates: Rates, observed: ObservedDurations | None, read_at: float
) -> list[KeyValue]:
    """Return counts, counters and their semantics, rates and task durations."""
    rows = [
        KeyValue("name", queue.name if queue.key.braced else f"{queue.name} (no braces)", "bold"),
        KeyValue("dialect", queue.dialect.value if queue.dialect else _NO_WORKER),
        KeyValue("parent", queue.parent),
        KeyValue("sub-queue", queue.sub or humanize.UNKNOWN),
        *(KeyValue(state.value, count(queue.counts.of(state))) for state in TaskState),
        KeyValue("consumers", count(len(queue.consumers))),
        KeyValue("done/s", rate_text(rates.done_per_s)),
        KeyValue("failed/s", rate_text(rates.failed_per_s)),
        KeyValue("enqueued/s", rate_text(rates.enqueued_per_s)),
        KeyValue("ETA", _drain_eta(rates)),
        KeyValue("done today", _utc_day(_succeeded(queue.succeeded_today, queue))),
        KeyValue("failed today", _utc_day(count(queue.failed_today))),
        KeyValue("done total", _succeeded(queue.succeeded_total, queue)),
        KeyValue("failed total", count(queue.failed_total)),
        KeyValue(
            "processed",
            f"{count(queue.processed_total)} ({_counter_semantics(queue)})",
            wide=True,
        ),
        KeyValue("oldest", _oldest(queue, read_at), wide=True),
        KeyValue("durations", _durations(observed), wide=True),
    ]
    if queue.paused:
        since = "" if queue.paused_at is None else f" since {moment(queue.paused_at)}"
        ignored = "" if queue.dialect is Dialect.ASYNQ else "; runqy workers ignore it"
        rows.append(KeyValue("paused", f"yes{since}{ignored}", "$warning", wide=True))
    elif queue.paused is None:
        rows.append(KeyValue("paused", humanize.UNKNOWN, wide=True))
    if queue.groups:
        rows.append(KeyValue("groups", ", ".join(queue.groups), wide=True))
    if not queue.registered:
        rows.append(
            KeyValue("note", "not in asynq:queues (found by its keys)", "$warning", wide=True)
        )
    return rows


def _utc_day(text: str) -> str:
    """Add to a number that it counts from 00:00 UTC."""
    return text if text.startswith(UNKNOWN) else f"{text} (UTC)"


def _drain_eta(rates: Rates) -> str:
    """Time until the queue is empty at the present rates."""
    if rates.drains_in_s is not None:
        return f"about {span(rates.drains_in_s)} at the current rate"
    if rates.net_per_s is not None and rates.net_per_s > 0:
        return f"growing by {rates.net_per_s * 60:.1f}/min"
    return humanize.UNKNOWN


def _durations(observed: ObservedDurations | None) -> str:
    """Percentiles with their error: they are observed from outside, so never exact."""
    if observed is None:
        return "none observed yet (a task must be seen active, then finished)"
    p50, p95, p99 = (_seconds(value) for value in (observed.p50_s, observed.p95_s, observed.p99_s))
    return (
        f"p50 ~{p50}, p95 ~{p95}, p99 ~{p99}; observed over {observed.count:,} tasks, "
        f"± {_seconds(observed.plus_minus_s)}"
    )


def _seconds(value: float) -> str:
    return f"{value:.1f}s" if value < 10 else span(value)


def _succeeded(value: int | None, queue: Queue) -> str:
    if value is None and queue.dialect in (None, Dialect.MIXED):
        return f"{humanize.UNKNOWN} (no worker identified)"
    return count(value)


def _counter_semantics(queue: Queue) -> str:
    if queue.dialect is Dialect.RUNQY:
        return "runqy-worker counts successes only"
    if queue.dialect is Dialect.ASYNQ:
        return "asynq counts every attempt, also failed ones"
    if queue.dialect is Dialect.MIXED:
        return "mixed: runqy-worker counts successes only, asynq every attempt"
    return "counter semantics unknown: no worker identified"


def _oldest(queue: Queue, read_at: float) -> str:
    if queue.counts.pending == 0:
        return "no pending tasks"
    if queue.oldest_pending_since is None:
        return "unknown"
    about = "about " if queue.oldest_estimated else ""
    seconds = queue.oldest_pending_age_s(read_at)
    shown = age(seconds) if seconds is None else span(seconds)
    return f"pending for {about}{shown}, since {moment(queue.oldest_pending_since)}"


_COLUMNS = (
    ColumnLayout("worker", "WORKER", 24, grow=1),
    ColumnLayout("state", "STATE", 13),
    ColumnLayout("priority", "PRIORITY", 8, importance=1, align="right"),
    ColumnLayout("beat", "BEAT", 5, importance=2, align="right"),
    ColumnLayout("note", "NOTE", 20, importance=3, grow=1),
)
_DAYS = 14


class QueueModal(ObjectModal):
    """Shows one queue, updated after every poll."""

    TABS: ClassVar[Sequence[tuple[str, str]]] = (
        ("overview", "Overview"),
        ("history", "14 days"),
        ("consumers", "Consumers"),
    )

    def __init__(self, session: Session, key: QueueKey, step: Step | None = None) -> None:
        super().__init__(session, step)
        self._key = key
        self._queue: Queue | None = None
        self._read_at = 0.0

    @property
    def object_name(self) -> str:
        """The queue's name."""
        return self._key.name

    def in_view(self) -> InView:
        """Return the queue, which is read at every poll while this window is open."""
        return InView(queues=[self._key])

    def compose_tabs(self) -> Iterable[Widget]:
        """Yield the overview, a chart and a table."""
        yield KeyValueList(id="overview")
        yield KeyValueList(id="history")
        yield Table(
            _COLUMNS,
            id="consumers",
            placeholder="No worker lists this queue: its tasks are not consumed.",
        )

    def retarget(self, key: Hashable) -> None:
        """Switch to another queue."""
        if isinstance(key, QueueKey):
            self._key = key
            self._queue = None

    async def load(self) -> None:
        """Show the queue of the latest view; read its daily counters from Redis.

        Raises:
            RunqyTuiError: Redis cannot be read.
        """
        view = self.session.view
        found = view.snapshot.queue(self._key) if view.snapshot else None
        if view.snapshot is None or found is None:
            never = "not in Redis: no task was ever enqueued"
            self.show_headline(never if self._queue is None else "no longer in Redis", "$warning")
            return
        self._queue, self._read_at = found, view.snapshot.read_at(found)
        self.show_headline(*headline(found, view.assessment.queues[found.key]))
        rates = view.rates.get(self._key, Rates())
        self.query_one("#overview", KeyValueList).show(
            facts(found, rates, view.durations.get(self._key), self._read_at)
        )
        self._show_consumers(found, view.snapshot, view.assessment)
        await self._show_history()

    async def _show_history(self) -> None:
        history = self.query_one("#history", KeyValueList)
        if not self._key.braced:
            history.show((), Content("Queues without braces have no counters."))
            return
        days = await self.session.reader.daily_counts(self._key, _DAYS)
        history.show((), daily_chart(days, max(40, self.size.width * 9 // 10 - 6)))

    def _show_consumers(self, queue: Queue, snapshot: Snapshot, assessment: Assessment) -> None:
        """Show every worker that lists the queue, also those that no longer consume it."""
        listed = [worker for worker in snapshot.workers if worker.serves(queue.key)]
        listed.sort(key=lambda worker: (-assessment.workers[worker.id].severity, worker.id))

        def cell(worker: Worker, column: str) -> Cell:
            condition = assessment.workers[worker.id]
            priority = worker.queues.get(queue.name)
            texts = {
                "worker": worker.id,
                "state": worker.state.value,
                "priority": UNKNOWN if priority is None else str(priority),
                "beat": age(snapshot.last_beat_age_s(worker)),
                "note": condition.reason,
            }
            return Cell(texts[column], condition.severity.style if column == "state" else "")

        table = self.query_one("#consumers", Table)
        table.set_rows(ListRows(listed, lambda worker: worker.id, cell))

    @on(Table.Opened)
    def _opened(self, event: Table.Opened) -> None:
        event.stop()
        self.session.open_object(Subject(SubjectKind.WORKER, str(event.key)), None)

    def tab_labels(self) -> dict[str, str]:
        """Return labels that add the number of consumers."""
        if self._queue is None:
            return {}
        return {"consumers": f"Consumers {len(self._queue.consumers)}"}

    def file_content(self, tab: str) -> tuple[str, bytes] | None:
        """Return the queue as JSON."""
        del tab
        if self._queue is None:
            return None
        import json

        from runqy_tui.model.json_schema import queue_object

        return "json", json.dumps(queue_object(self._queue, self._read_at), indent=2).encode()
