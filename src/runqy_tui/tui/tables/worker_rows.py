"""Workers as rows."""

from __future__ import annotations

from typing import NamedTuple

from runqy_tui.diagnosis.assessment import Trouble
from runqy_tui.model import Worker, WorkerState
from runqy_tui.monitor.store import View
from runqy_tui.text import humanize
from runqy_tui.text.humanize import age
from runqy_tui.tui.tables.icons import worker_sign
from runqy_tui.tui.tables.staleness import BEAT_OLD_S, dated
from runqy_tui.tui.tables.table_column import Resource, TableColumn, number, rank, text
from runqy_tui.tui.widgets.columns import ColumnLayout
from runqy_tui.tui.widgets.row_provider import Cell, Style


class WorkerRow(NamedTuple):
    """A worker with its assessment; its age ``coarse`` where changes cost much.

    ``now`` is the moment of the poll and ``read_at`` when the worker was read (Redis's clock).
    """

    worker: Worker
    trouble: Trouble
    now: float
    read_at: float
    coarse: bool = False

    @property
    def beat_age_s(self) -> float | None:
        """Seconds since the last heartbeat, as of when the worker was read."""
        return self.worker.last_beat_age_s(self.read_at)


def worker_rows(view: View, *, coarse: bool = False) -> list[WorkerRow]:
    """Rows of all workers of a view."""
    if view.snapshot is None:
        return []
    judged, now = view.assessment.workers, view.snapshot.taken_at
    unread = view.snapshot.unread_workers
    return [
        WorkerRow(worker, judged[worker.id], now, unread.get(worker.id, now), coarse)
        for worker in view.snapshot.workers
    ]


_SHORT = {WorkerState.BOOTSTRAPPING: "booting"}


def _sign(row: WorkerRow) -> Cell:
    severity = row.trouble.severity
    return Cell(worker_sign(row.worker.state, severity), severity.style)


def _state(row: WorkerRow) -> Cell:
    severity = row.trouble.severity
    word = _SHORT.get(row.worker.state, row.worker.state.value)
    if row.worker.state is WorkerState.RUNNING and row.worker.active_count:
        word = "busy"
    style: Style = severity.style
    return Cell(word, "" if style == "fine" else style)


def _beat(row: WorkerRow) -> Cell:
    seconds = row.beat_age_s
    late = seconds is not None and seconds > 15 and row.worker.state is not WorkerState.STOPPED
    style: Style = "warning" if late else "dim" if seconds is None else ""
    return Cell(age(seconds, coarse=row.coarse), style)


def _queues(row: WorkerRow) -> Cell:
    """The heaviest queues first: what a worker mainly serves."""
    names = sorted(row.worker.queues, key=lambda name: (-(row.worker.queues[name] or 0), name))
    return text(" ".join(names))


def _cpu(row: WorkerRow) -> Cell:
    value = row.worker.metrics.cpu_percent if row.worker.metrics else None
    return Cell(humanize.percent(value), "dim" if value is None else "")


def memory_percent(worker: Worker) -> float | None:
    """Share of the machine's memory in use, in percent."""
    metrics = worker.metrics
    if metrics is None or not metrics.memory_total_bytes or metrics.memory_used_bytes is None:
        return None
    return 100.0 * metrics.memory_used_bytes / metrics.memory_total_bytes


def gpu_percent(worker: Worker) -> float | None:
    """Utilisation of the busiest GPU, in percent; ``None`` without a GPU."""
    used = [gpu.utilization_percent for gpu in (worker.metrics.gpus if worker.metrics else ())]
    return max((value for value in used if value is not None), default=None)


def _percent(value: float | None) -> Cell:
    return Cell(humanize.percent(value), "dim" if value is None else "")


def _slots(row: WorkerRow) -> Cell:
    worker = row.worker
    if worker.concurrency is None and worker.active_count is None:
        return Cell(humanize.UNKNOWN, "dim")
    active = humanize.UNKNOWN if worker.active_count is None else str(worker.active_count)
    slots = humanize.UNKNOWN if worker.concurrency is None else str(worker.concurrency)
    return Cell(f"{active}/{slots}")


def restarts(worker: Worker) -> int | None:
    """Restarts of all supervised processes together; ``None`` where none is supervised."""
    counts = [entry.total_restarts for entry in worker.recovery.values()]
    known = [value for value in counts if value is not None]
    return sum(known) if known else None


def _up(row: WorkerRow) -> float | None:
    started = row.worker.started_at
    return None if started is None else row.now - started


def _note(row: WorkerRow) -> Cell:
    unread_s = row.now - row.read_at
    return dated(row.trouble.reason, row.trouble.severity.style, unread_s, BEAT_OLD_S)


def _order(row: WorkerRow) -> tuple[int, float, str]:
    """Trouble first; the latest lost on top. What is well keeps its place, busy or not."""
    lost = row.worker.state is WorkerState.LOST
    return (
        -rank(row.trouble.severity),
        (row.beat_age_s or 0.0) if lost else 0.0,
        row.worker.id,
    )


WORKERS: Resource[WorkerRow] = Resource(
    (
        TableColumn(ColumnLayout("sign", "", 1), _sign),
        TableColumn(
            ColumnLayout("worker", "WORKER", 14, grow=2),
            lambda row: Cell(row.worker.id),
            lambda row: row.worker.id,
        ),
        TableColumn(
            ColumnLayout("state", "STATE", 10, importance=1), _state, lambda row: row.worker.state
        ),
        TableColumn(
            ColumnLayout("beat", "BEAT", 4, importance=2, align="right"),
            _beat,
            lambda row: row.beat_age_s,
            first_desc=True,
        ),
        TableColumn(ColumnLayout("queues", "QUEUES", 12, importance=5, grow=2), _queues),
        TableColumn(
            ColumnLayout("cpu", "CPU", 4, importance=6, align="right"),
            _cpu,
            lambda row: row.worker.metrics.cpu_percent if row.worker.metrics else None,
            first_desc=True,
        ),
        TableColumn(
            ColumnLayout("gpu", "GPU", 4, importance=7, align="right"),
            lambda row: _percent(gpu_percent(row.worker)),
            lambda row: gpu_percent(row.worker),
            first_desc=True,
        ),
        TableColumn(
            ColumnLayout("memory", "MEM", 4, importance=8, align="right"),
            lambda row: _percent(memory_percent(row.worker)),
            lambda row: memory_percent(row.worker),
            first_desc=True,
        ),
        TableColumn(
            ColumnLayout("slots", "ACT", 5, importance=4, align="right"),
            _slots,
            lambda row: row.worker.active_count,
            first_desc=True,
        ),
        TableColumn(
            ColumnLayout("restarts", "RST", 4, importance=9, align="right"),
            lambda row: number(restarts(row.worker)),
            lambda row: restarts(row.worker),
            first_desc=True,
        ),
        TableColumn(
            ColumnLayout("up", "UP", 4, importance=10, align="right"),
            lambda row: Cell(age(_up(row))),
            _up,
            first_desc=True,
        ),
        TableColumn(
            ColumnLayout("dialect", "DIALECT", 10, importance=12),
            lambda row: Cell(row.worker.dialect.value, "dim"),
            lambda row: row.worker.dialect,
        ),
        TableColumn(ColumnLayout("note", "NOTE", 20, importance=11, grow=3), _note),
    ),
    key=lambda row: row.worker.id,
    order=_order,
    words=lambda row: f"{row.worker.id} {row.worker.state} {' '.join(row.worker.queues)}",
)
