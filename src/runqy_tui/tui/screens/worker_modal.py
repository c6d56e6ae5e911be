"""A worker in words."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.content import Content
from textual.widget import Widget

from runqy_tui.diagnosis.assessment import Condition
from runqy_tui.model import (
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
from runqy_tui.presentation.worker_columns import memory_percent
from runqy_tui.text import humanize
from runqy_tui.text.humanize import UNKNOWN, age, amount, clock, count, moment, size, span
from runqy_tui.tui import safe_text
from runqy_tui.tui.screens.object_modal import ObjectModal, Step
from runqy_tui.tui.session import Session
from runqy_tui.tui.widgets.bars import meter
from runqy_tui.tui.widgets.columns import ColumnLayout
from runqy_tui.tui.widgets.key_value import KeyValue, KeyValueList
from runqy_tui.tui.widgets.row_provider import Cell, ListRows
from runqy_tui.tui.widgets.table import Table
from runqy_tui.tui.widgets.text_view import TextView

_STYLES = {Severity.CRITICAL: "bold $error", Severity.WARNING: "bold $warning"}
_RECOVERY_STYLES = {"degraded": "$error", "recovering": "$warning"}


def sentence(worker: Worker, condition: Condition, beat_age_s: float | None) -> tuple[str, str]:
    """One sentence that says how the worker is, and its style."""
    style = _STYLES.get(condition.severity, "bold")
    if worker.state is WorkerState.DEGRADED:
        beats = "still beating" if beat_age_s is not None else "alive"
        return f"degraded, {beats}: {condition.reason}", style
    if condition.reason:
        return f"{worker.state.value}: {condition.reason}", style
    beat = "" if beat_age_s is None else f", last beat {span(beat_age_s)} ago"
    return f"{worker.state.value}{beat}", style


def facts(worker: Worker, now: float) -> list[KeyValue]:
    """What the worker says of itself."""
    started, beat = worker.started_at, worker.last_beat_at
    rows = [
        KeyValue("id", worker.id, "bold", wide=True),
        KeyValue("state", worker.state.value),
        KeyValue("status", worker.status or humanize.UNKNOWN),
        KeyValue("healthy", _yes_no(worker.healthy)),
        KeyValue("dialect", worker.dialect.value),
        KeyValue("slots", _count(worker.concurrency)),
        KeyValue("active", _count(worker.active_count)),
        KeyValue("started", _ago(started, now), wide=True),
        KeyValue("last beat", _ago(beat, now), wide=True),
    ]
    if worker.instance_id is not None:
        rows.append(KeyValue("instance", worker.instance_id))
    if worker.protected is not None:
        rows.append(KeyValue("protected", _yes_no(worker.protected)))
    for name, entry in worker.recovery.items():
        style = _RECOVERY_STYLES.get(entry.state, "")
        rows.append(KeyValue("recovery", f"{name}: {recovery_text(entry)}", style, wide=True))
    rows += [KeyValue("problem", problem, "$warning", wide=True) for problem in worker.problems]
    return rows


def recovery_text(entry: Recovery) -> str:
    """``degraded, 3 fails in a row, 2 restarts``, and what to do about it."""
    words = [entry.state]
    if entry.consecutive_fails is not None:
        words.append(amount(entry.consecutive_fails, "fail") + " in a row")
    if entry.total_restarts is not None:
        words.append(amount(entry.total_restarts, "restart"))
    todo = " (breaker open: restart this worker by hand)" if entry.state == "degraded" else ""
    return ", ".join(words) + todo


def meters(worker: Worker, width: int = 30, *, fine: bool = True) -> Content:
    """CPU, memory and each GPU as bars; of whole cells, which seldom change, if not ``fine``."""
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


def _yes_no(value: bool | None) -> str:
    return humanize.UNKNOWN if value is None else "yes" if value else "no"


def _count(value: int | None) -> str:
    return humanize.UNKNOWN if value is None else f"{value:,}"


def _ago(at: float | None, now: float) -> str:
    if at is None:
        return humanize.UNKNOWN
    past = now - at
    return f"{moment(at)}, " + (f"{span(past)} ago" if past >= 0 else f"{span(-past)} ahead")


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
    """Follows one worker."""

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
        """The worker, wherever this was opened from."""
        return InView(workers=[self._worker_id])

    def compose_tabs(self) -> Iterable[Widget]:
        """Facts, two lists and the log."""
        yield KeyValueList(id="overview")
        yield Table(_QUEUE_COLUMNS, id="served", placeholder="It lists no queue.")
        yield Table(_TASK_COLUMNS, id="working")
        yield TextView(id="log")

    def retarget(self, key: Hashable) -> None:
        """Turn to another worker of the list behind."""
        self._worker_id = str(key)
        self._worker = None
        self._seq = -1
        self._log = []
        self.query_one("#log", TextView).set_text("", kind="log", wrap=False)

    def show_tab(self, key: str) -> None:
        """Show the end of the log first: that is where it goes on."""
        first = key == "log" and self._front != "log"
        super().show_tab(key)
        if first:
            self.call_after_refresh(self._go_to_end)

    def _go_to_end(self) -> None:
        if self._there:
            self.query_one("#log", TextView).follow = True

    async def load(self) -> None:
        """Take the worker from the latest view, its tasks and log from Redis."""
        view = self.session.view
        snapshot = view.snapshot
        found = snapshot.worker(self._worker_id) if snapshot else None
        if snapshot is None or found is None:
            last = "" if self._worker is None else f"; it was {self._worker.state}"
            self.say(f"no longer in Redis{last}", "$warning")
            return
        self._worker, self._read_at = found, snapshot.read_at(found)
        beat_age_s = found.last_beat_age_s(self._read_at)
        self.say(*sentence(found, view.assessment.workers[found.id], beat_age_s))
        bars = meters(found, fine=not self.session.bandwidth.low)
        self.query_one("#overview", KeyValueList).show(facts(found, snapshot.taken_at), bars)
        self._show_queues(found, {queue.key: queue for queue in snapshot.queues})
        await self._show_tasks(found, snapshot.taken_at)
        if found.dialect is Dialect.RUNQY:
            await self._follow_log()
        elif not self._log:
            self.query_one("#log", TextView).set_text(
                f"Workers of the {found.dialect} dialect write no log into Redis.",
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
            loud = column == "recovery" and recovery is not None and recovery.state == "degraded"
            return Cell(texts[column], "critical" if loud else "")

        table = self.query_one("#served", Table)
        table.set_rows(ListRows(items, lambda item: QueueKey(item[0], braced), cell))

    async def _show_tasks(self, worker: Worker, now: float) -> None:
        table = self.query_one("#working", Table)
        tasks: Sequence[ActiveTask] = ()
        if worker.dialect is Dialect.ASYNQ:
            tasks = await self.session.reader.active_tasks(worker.id)
            table.placeholder = "It works on nothing now."
        elif worker.dialect is Dialect.DOCUMENTED:
            queue = next(iter(worker.queues), "")
            tasks = [ActiveTask(task_id, queue, "") for task_id in worker.active_tasks]
            table.placeholder = "It works on nothing now."
        else:
            table.placeholder = (
                "A runqy worker does not say which tasks it holds. Its queues' active tasks are "
                "in the tasks pane."
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

    async def _follow_log(self) -> None:
        view = self.query_one("#log", TextView)
        batch = await self.session.reader.logs(self._worker_id, self._seq)
        lines = [_log_text(line) for line in batch.lines]
        if batch.missed and self._seq >= 0 and lines:
            lines.insert(
                0, f"··· {batch.missed:,} lines were trimmed before they could be read ···"
            )
        if lines:
            if not self._log:
                view.set_text("", kind="log", wrap=False)
            self._log = (self._log + lines)[-5_000:]
            self._seq = max(line.seq for line in batch.lines)
            view.append_lines(lines)
        elif not self._log:
            view.set_text(
                batch.problem
                or "No log lines: this worker's process has been quiet for 30 s, or says nothing.",
                kind="plain",
                wrap=True,
            )

    @on(Table.Opened)
    def _drill(self, event: Table.Opened) -> None:
        event.stop()
        if event.table.id == "served" and isinstance(event.key, QueueKey):
            from runqy_tui.tui.screens.queue_modal import QueueModal

            self.app.push_screen(QueueModal(self.session, event.key))
        elif isinstance(event.key, tuple):
            from runqy_tui.tui.screens.task_modal import TaskModal

            task_id, queue = event.key
            braced = self._worker is None or self._worker.dialect is not Dialect.DOCUMENTED
            key = QueueKey(queue, braced) if queue else None
            self.app.push_screen(TaskModal(self.session, task_id, key))

    def file_content(self, tab: str) -> tuple[str, bytes] | None:
        """The log as text, or else the worker as JSON."""
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
