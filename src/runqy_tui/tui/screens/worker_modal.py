"""The window of one worker: state, queues, active tasks and log."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.content import Content
from textual.widget import Widget

from runqy_tui.diagnosis.assessment import Condition
from runqy_tui.diagnosis.findings.finding import Subject, SubjectKind
from runqy_tui.model import (
    HEARTBEAT_FIELDS,
    ActiveTask,
    Dialect,
    Gpu,
    LogLine,
    Metrics,
    Queue,
    QueueKey,
    Recovery,
    Worker,
    WorkerState,
)
from runqy_tui.model.reader_protocol import InView
from runqy_tui.model.severity import Severity
from runqy_tui.presentation.worker_columns import memory_percent, reported_text
from runqy_tui.text import humanize
from runqy_tui.text.humanize import UNKNOWN, age, amount, clock, count, moment, size, span
from runqy_tui.tui import safe_text
from runqy_tui.tui.screens.object_modal import ObjectModal
from runqy_tui.tui.session import Session, Step
from runqy_tui.tui.widgets.bars import meter
from runqy_tui.tui.widgets.columns import ColumnLayout
from runqy_tui.tui.widgets.key_value import KeyValue, KeyValueList
from runqy_tui.tui.widgets.row_provider import Cell, ListRows
from runqy_tui.tui.widgets.table import Table
from runqy_tui.tui.widgets.text_view import TextView

_STYLES = {Severity.CRITICAL: "bold $error", Severity.WARNING: "bold $warning"}
_RECOVERY_STYLES = {"degraded": "$error", "recovering": "$warning"}


def headline(worker: Worker, condition: Condition, beat_age_s: float | None) -> tuple[str, str]:
    """Return the worker's state with its reason or latest heartbeat, and its style."""
    style = _STYLES.get(condition.severity, "bold")
    if worker.state is WorkerState.DEGRADED:
        alive = "alive" if beat_age_s is None else "heartbeat ok"
        return f"degraded ({alive}): {condition.reason}", style
    if condition.reason:
        return f"{worker.state.value}: {condition.reason}", style
    beat = "" if beat_age_s is None else f", last heartbeat {span(beat_age_s)} ago"
    return f"{worker.state.value}{beat}", style


def facts(worker: Worker, now: float) -> list[KeyValue]:
    """Return what the worker reports of itself; ages as of Redis's time ``now`` (unix s)."""
    started, beat = worker.started_at, worker.last_beat_at
    rows = [
        KeyValue("id", worker.id, "bold", wide=True),
        KeyValue("state", worker.state.value),
        KeyValue("status", worker.status or humanize.UNKNOWN),
        KeyValue("healthy", reported_text(worker.healthy)),
        KeyValue("dialect", worker.dialect.value),
        KeyValue("slots", reported_text(worker.concurrency)),
        KeyValue("active", reported_text(worker.active_count)),
        KeyValue("started", _ago(started, now), wide=True),
        KeyValue("heartbeat", _ago(beat, now), wide=True),
    ]
    rows += [
        KeyValue(one.label, reported_text(value))
        for one in HEARTBEAT_FIELDS
        if one.label and (value := getattr(worker, one.attribute)) is not None
    ]
    for name, entry in worker.recovery.items():
        style = _RECOVERY_STYLES.get(entry.state, "")
        rows.append(KeyValue("recovery", f"{name}: {recovery_text(entry)}", style, wide=True))
    rows += [KeyValue("problem", problem, "$warning", wide=True) for problem in worker.problems]
    return rows


def recovery_text(entry: Recovery) -> str:
    """Return ``degraded, 3 consecutive failures, 2 restarts``, and what to do about it."""
    words = [entry.state]
    if entry.consecutive_fails is not None:
        words.append(amount(entry.consecutive_fails, "consecutive failure"))
    if entry.total_restarts is not None:
        words.append(amount(entry.total_restarts, "restart"))
    remedy = " (breaker open: restart this worker)"
    return ", ".join(words) + (remedy if entry.state == "degraded" else "")


def meters(worker: Worker, width: int = 30, *, fine: bool = True) -> Content:
    """Return CPU, memory and each GPU as bars ``width`` cells wide.

    Bars that are not ``fine`` are drawn in whole cells, which change less often.
    """
    metrics = worker.metrics
    if metrics is None:
        return Content.styled("This worker reports no metrics.", "$muted")
    lines = [
        meter("cpu", metrics.cpu_percent, "", width, fine=fine),
        meter("memory", memory_percent(worker), _memory(metrics), width, fine=fine),
        *(_gpu_meter(gpu, width, fine) for gpu in metrics.gpus),
    ]
    if not metrics.gpus:
        lines.append(Content.styled(f"{'gpu':<14}none reported", "$muted"))
    return Content("\n").join(lines)


def _memory(metrics: Metrics) -> str:
    return f"{size(metrics.memory_used_bytes)} of {size(metrics.memory_total_bytes)}"


def _gpu_meter(gpu: Gpu, width: int, fine: bool) -> Content:
    detail = []
    if gpu.memory_used_mb is not None and gpu.memory_total_mb:
        detail.append(f"{gpu.memory_used_mb:,.0f} of {gpu.memory_total_mb:,.0f} MiB")
    if gpu.temperature_c is not None:
        detail.append(f"{gpu.temperature_c:.0f} °C")
    name = "gpu" if gpu.index is None else f"gpu {gpu.index}"
    if gpu.name:
        detail.append(safe_text.line(gpu.name)[:40])
    return meter(name, gpu.utilization_percent, "  ".join(detail), width, fine=fine)


def _ago(at: float | None, now: float) -> str:
    if at is None:
        return humanize.UNKNOWN
    elapsed = now - at
    return f"{moment(at)}, " + (f"{span(elapsed)} ago" if elapsed >= 0 else f"in {span(-elapsed)}")


_QUEUE_COLUMNS = (
    ColumnLayout("queue", "QUEUE", 24, grow=1),
    ColumnLayout("priority", "PRIORITY", 8, align="right"),
    ColumnLayout("pending", "PENDING", 9, importance=1, align="right"),
    ColumnLayout("active", "ACTIVE", 8, importance=2, align="right"),
    ColumnLayout("recovery", "RECOVERY", 24, importance=3),
)
_TASK_COLUMNS = (
    ColumnLayout("task", "TASK", 36),
    ColumnLayout("running", "RUNNING", 8, importance=1, align="right"),
    ColumnLayout("queue", "QUEUE", 16, importance=2, grow=1),
    ColumnLayout("type", "TYPE", 16, importance=3, grow=1),
)


class WorkerModal(ObjectModal):
    """Shows one worker, updated after every poll."""

    TABS: ClassVar[Sequence[tuple[str, str]]] = (
        ("overview", "Overview"),
        ("served", "Queues"),
        ("working", "Active tasks"),
        ("log", "Log"),
    )

    def __init__(self, session: Session, worker_id: str, step: Step | None = None) -> None:
        super().__init__(session, step)
        self._worker_id = worker_id
        self._worker: Worker | None = None
        self._read_at = 0.0
        self._seq = -1
        self._log: list[str] = []

    @property
    def object_name(self) -> str:
        """The worker's id."""
        return self._worker_id

    def in_view(self) -> InView:
        """Return the worker, which is read at every poll while this window is open."""
        return InView(workers=[self._worker_id])

    def compose_tabs(self) -> Iterable[Widget]:
        """Yield the overview, two tables and the log."""
        yield KeyValueList(id="overview")
        yield Table(_QUEUE_COLUMNS, id="served", placeholder="This worker lists no queues.")
        yield Table(_TASK_COLUMNS, id="working")
        yield TextView(id="log")

    def retarget(self, key: Hashable) -> None:
        """Switch to another worker."""
        self._worker_id = str(key)
        self._worker = None
        self._seq = -1
        self._log = []
        self.query_one("#log", TextView).set_text("", kind="log", wrap=False)

    def show_tab(self, key: str) -> None:
        """Bring a tab to the front; the log opens at its end, where new lines appear."""
        opens_log = key == "log" and self._front_tab != "log"
        super().show_tab(key)
        if opens_log:
            self.call_after_refresh(self._follow_log_end)

    def _follow_log_end(self) -> None:
        if self._ready:
            self.query_one("#log", TextView).follow = True

    async def load(self) -> None:
        """Show the worker of the latest view; read its tasks and log from Redis.

        Raises:
            RunqyTuiError: Redis cannot be read.
        """
        view = self.session.view
        snapshot = view.snapshot
        found = snapshot.worker(self._worker_id) if snapshot else None
        if snapshot is None or found is None:
            last = "" if self._worker is None else f"; last state: {self._worker.state}"
            self.show_headline(f"no longer in Redis{last}", "$warning")
            return
        self._worker, self._read_at = found, snapshot.read_at(found)
        beat_age_s = found.last_beat_age_s(self._read_at)
        self.show_headline(*headline(found, view.assessment.workers[found.id], beat_age_s))
        bars = meters(found, fine=not self.session.bandwidth.low)
        self.query_one("#overview", KeyValueList).show(facts(found, snapshot.taken_at), bars)
        self._show_queues(found, {queue.key: queue for queue in snapshot.queues})
        await self._show_tasks(found, snapshot.taken_at)
        if found.dialect is Dialect.RUNQY:
            await self._read_log()
        elif not self._log:
            self.query_one("#log", TextView).set_text(
                f"Workers of the {found.dialect} dialect do not write logs to Redis.",
                kind="plain",
                wrap=True,
            )

    def _show_queues(self, worker: Worker, queues: dict[QueueKey, Queue]) -> None:
        braced = worker.dialect is not Dialect.DOCUMENTED
        items = sorted(worker.queues.items(), key=lambda item: (-(item[1] or 0), item[0]))

        def cell(item: tuple[str, int | None], column: str) -> Cell:
            name, priority = item
            queue = queues.get(QueueKey(name, braced))
            recovery = worker.recovery.get(name.partition(".")[0])
            texts = {
                "queue": name,
                "priority": UNKNOWN if priority is None else str(priority),
                "pending": count(queue.counts.pending) if queue else UNKNOWN,
                "active": count(queue.counts.active) if queue else UNKNOWN,
                "recovery": recovery.state if recovery else UNKNOWN,
            }
            degraded = recovery is not None and recovery.state == "degraded"
            return Cell(texts[column], "critical" if column == "recovery" and degraded else "")

        table = self.query_one("#served", Table)
        table.set_rows(ListRows(items, lambda item: QueueKey(item[0], braced), cell))

    async def _show_tasks(self, worker: Worker, now: float) -> None:
        table = self.query_one("#working", Table)
        tasks: Sequence[ActiveTask] = ()
        if worker.dialect is Dialect.ASYNQ:
            tasks = await self.session.reader.active_tasks(worker.id)
            table.placeholder = "No active tasks."
        elif worker.dialect is Dialect.DOCUMENTED:
            queue = next(iter(worker.queues), "")
            tasks = [ActiveTask(task_id, queue, "") for task_id in worker.active_tasks]
            table.placeholder = "No active tasks."
        else:
            table.placeholder = (
                "runqy workers do not report which tasks they run. The tasks pane lists the active "
                "tasks of their queues."
            )

        def cell(task: ActiveTask, column: str) -> Cell:
            started = task.started_at
            texts = {
                "task": task.id,
                "running": UNKNOWN if started is None else age(now - started),
                "queue": task.queue or UNKNOWN,
                "type": task.type or UNKNOWN,
            }
            return Cell(texts[column])

        table.set_rows(ListRows(tasks, lambda task: (task.id, task.queue), cell))

    async def _read_log(self) -> None:
        view = self.query_one("#log", TextView)
        batch = await self.session.reader.logs(self._worker_id, self._seq)
        lines = [_log_text(line) for line in batch.lines]
        if batch.missed and self._seq >= 0 and lines:
            lines.insert(0, f"··· {batch.missed:,} lines were trimmed before they were read ···")
        if lines:
            if not self._log:
                view.set_text("", kind="log", wrap=False)
            self._log = (self._log + lines)[-5_000:]
            self._seq = max(line.seq for line in batch.lines)
            view.append_lines(lines)
        elif not self._log:
            view.set_text(
                batch.problem or "No log lines: this worker's process wrote none in the last 30 s.",
                kind="plain",
                wrap=True,
            )

    @on(Table.Opened)
    def _opened(self, event: Table.Opened) -> None:
        event.stop()
        if event.table.id == "served" and isinstance(event.key, QueueKey):
            queue = event.key
            self.session.open_object(Subject(SubjectKind.QUEUE, queue.name, queue), None)
        elif isinstance(event.key, tuple):
            task_id, name = event.key
            braced = self._worker is None or self._worker.dialect is not Dialect.DOCUMENTED
            key = QueueKey(name, braced) if name else None
            self.session.open_object(Subject(SubjectKind.TASK, task_id, key), None)

    def file_content(self, tab: str) -> tuple[str, bytes] | None:
        """Return the log as text on its tab, else the worker as JSON."""
        if tab == "log":
            text = "\n".join(self._log)
            return ("log", text.encode("utf-8", "replace")) if text else None
        if self._worker is None:
            return None
        import json

        from runqy_tui.model.json_schema import worker_object

        return "json", json.dumps(worker_object(self._worker, self._read_at), indent=2).encode()


def _log_text(line: LogLine) -> str:
    return f"{clock(line.at)[-8:]} {line.source or '':<6} {line.text}"
