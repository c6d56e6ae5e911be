"""Workers as a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from runqy_tui.diagnosis.assessment import Condition
from runqy_tui.model import HEARTBEAT_FIELDS, HeartbeatField, Worker, WorkerState
from runqy_tui.model.severity import Severity
from runqy_tui.presentation.resource import (
    DisplayContext,
    ResourceColumn,
    ResourceTable,
    Surface,
)
from runqy_tui.presentation.staleness import WORKER_STALE_S, note_text
from runqy_tui.text import humanize
from runqy_tui.text.humanize import age


class WorkerRow(NamedTuple):
    """A worker and its assessment."""

    worker: Worker
    condition: Condition


def memory_percent(worker: Worker) -> float | None:
    """Share of the machine's memory in use, in percent; ``None`` where it is unknown."""
    metrics = worker.metrics
    if metrics is None or not metrics.memory_total_bytes or metrics.memory_used_bytes is None:
        return None
    return 100.0 * metrics.memory_used_bytes / metrics.memory_total_bytes


def gpu_percent(worker: Worker) -> float | None:
    """Utilisation of the busiest GPU, in percent; ``None`` without a GPU."""
    used = [gpu.utilization_percent for gpu in (worker.metrics.gpus if worker.metrics else ())]
    return max((value for value in used if value is not None), default=None)


def cpu_percent(worker: Worker) -> float | None:
    """CPU use of the machine, in percent; ``None`` where it is unknown."""
    return worker.metrics.cpu_percent if worker.metrics else None


def restarts(worker: Worker) -> int | None:
    """Restarts of all supervised processes together; ``None`` where none is supervised."""
    counts = [entry.total_restarts for entry in worker.recovery.values()]
    known = [value for value in counts if value is not None]
    return sum(known) if known else None


def uptime_s(worker: Worker, now: float) -> float | None:
    """Seconds since the worker started; ``None`` where the start is unknown."""
    return None if worker.started_at is None else now - worker.started_at


def reported_text(value: object) -> str:
    """Text of a declared heartbeat field's value; a float is a moment in unix seconds."""
    if value is None:
        return humanize.UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return humanize.moment(value) if isinstance(value, float) else str(value)


def report_columns(declared: Iterable[HeartbeatField]) -> list[ResourceColumn[WorkerRow]]:
    """Columns of the report for the fields that are declared to have one."""
    return [_report_column(one, one.label) for one in declared if one.label and one.in_report]


def _report_column(declared: HeartbeatField, label: str) -> ResourceColumn[WorkerRow]:
    def value(row: WorkerRow, _: DisplayContext) -> str:
        return reported_text(getattr(row.worker, declared.attribute))

    align: Literal["left", "right"] = "right" if declared.kind == "whole" else "left"
    key, title = declared.attribute, label.upper()
    return ResourceColumn(key, title, value, 10, align, label=label, surfaces=Surface.REPORT)


def _sign(row: WorkerRow, _: DisplayContext) -> str:
    """The severity's sign; ``?`` for a lost worker that is no longer critical."""
    severity = row.condition.severity
    if row.worker.state is WorkerState.LOST and severity is not Severity.CRITICAL:
        return "?"
    return severity.sign


def beat_age_s(row: WorkerRow, context: DisplayContext) -> float | None:
    """Seconds from the last heartbeat to when the worker was read; ``None`` where unknown."""
    return row.worker.last_beat_age_s(_read_at(row, context))


def _read_at(row: WorkerRow, context: DisplayContext) -> float:
    return context.unread_workers.get(row.worker.id, context.now)


def _state(row: WorkerRow, _: DisplayContext) -> str:
    worker = row.worker
    if worker.state is WorkerState.RUNNING and worker.active_count:
        return "busy"
    return "booting" if worker.state is WorkerState.BOOTSTRAPPING else worker.state.value


def _queues(row: WorkerRow, _: DisplayContext) -> str:
    """Queue names, the highest priority first."""
    queues = row.worker.queues
    names = sorted(queues, key=lambda name: (-(queues[name] or 0), name))
    return " ".join(names) or humanize.UNKNOWN


def _slots(row: WorkerRow, context: DisplayContext) -> str:
    worker = row.worker
    unknown = worker.concurrency is None and worker.active_count is None
    return humanize.UNKNOWN if unknown else _both_slots(row, context)


def _both_slots(row: WorkerRow, _: DisplayContext) -> str:
    active, slots = (
        humanize.UNKNOWN if number is None else f"{number:,}"
        for number in (row.worker.active_count, row.worker.concurrency)
    )
    return f"{active}/{slots}"


def _note(row: WorkerRow, context: DisplayContext) -> str:
    unread_s = context.now - _read_at(row, context)
    return note_text(row.condition.reason, unread_s, WORKER_STALE_S)


def _order(row: WorkerRow, context: DisplayContext) -> tuple[int, float, str]:
    """Severity first; the latest lost on top. A healthy worker keeps its place, busy or not."""
    worker = row.worker
    lost = worker.state is WorkerState.LOST
    return (
        -row.condition.severity.rank,
        (beat_age_s(row, context) or 0.0) if lost else 0.0,
        worker.id,
    )


WORKER_TABLE: ResourceTable[WorkerRow] = ResourceTable(
    (
        ResourceColumn("sign", "", _sign, 1, full=lambda row, _: row.condition.severity.sign),
        ResourceColumn(
            "worker",
            "WORKER",
            lambda row, _: row.worker.id,
            14,
            grow=2,
            sort=lambda row, _: row.worker.id,
        ),
        ResourceColumn(
            "state",
            "STATE",
            _state,
            10,
            importance=1,
            full=lambda row, _: row.worker.state.value,
            sort=lambda row, _: row.worker.state,
        ),
        ResourceColumn(
            "beat",
            "BEAT",
            lambda row, context: age(beat_age_s(row, context), coarse=context.coarse),
            4,
            "right",
            importance=2,
            sort=beat_age_s,
            largest_first=True,
            meaning="time since the last heartbeat",
        ),
        ResourceColumn(
            "queues",
            "QUEUES",
            _queues,
            12,
            importance=5,
            grow=2,
            full=lambda row, _: " ".join(row.worker.queues),
        ),
        ResourceColumn(
            "cpu",
            "CPU",
            lambda row, _: humanize.percent(cpu_percent(row.worker)),
            4,
            "right",
            importance=6,
            label="CPU",
            sort=lambda row, _: cpu_percent(row.worker),
            largest_first=True,
            surfaces=Surface.SCREEN | Surface.REPORT,
            meaning="CPU utilization of the machine",
        ),
        ResourceColumn(
            "gpu",
            "GPU",
            lambda row, _: humanize.percent(gpu_percent(row.worker)),
            4,
            "right",
            importance=7,
            sort=lambda row, _: gpu_percent(row.worker),
            largest_first=True,
            surfaces=Surface.SCREEN,
            meaning="utilization of the busiest GPU",
        ),
        ResourceColumn(
            "memory",
            "MEM",
            lambda row, _: humanize.percent(memory_percent(row.worker)),
            4,
            "right",
            importance=8,
            sort=lambda row, _: memory_percent(row.worker),
            largest_first=True,
            surfaces=Surface.SCREEN,
            meaning="memory in use, of the machine",
        ),
        ResourceColumn(
            "slots",
            "ACT",
            _slots,
            5,
            "right",
            importance=4,
            label="active",
            full=_both_slots,
            sort=lambda row, _: row.worker.active_count,
            largest_first=True,
            meaning="active tasks / slots",
        ),
        ResourceColumn(
            "restarts",
            "RST",
            lambda row, _: humanize.count(restarts(row.worker)),
            4,
            "right",
            importance=9,
            sort=lambda row, _: restarts(row.worker),
            largest_first=True,
            surfaces=Surface.SCREEN,
            meaning="restarts of supervised processes",
        ),
        ResourceColumn(
            "up",
            "UP",
            lambda row, context: age(uptime_s(row.worker, context.now)),
            4,
            "right",
            importance=10,
            sort=lambda row, context: uptime_s(row.worker, context.now),
            largest_first=True,
            surfaces=Surface.SCREEN,
            meaning="time since the worker started",
        ),
        ResourceColumn(
            "dialect",
            "DIALECT",
            lambda row, _: row.worker.dialect.value,
            10,
            importance=12,
            sort=lambda row, _: row.worker.dialect,
        ),
        *report_columns(HEARTBEAT_FIELDS),
        ResourceColumn(
            "note",
            "NOTE",
            _note,
            20,
            importance=11,
            grow=3,
            label="why",
            full=lambda row, _: row.condition.reason,
        ),
    ),
    {
        Surface.TEXT: ("sign", "worker", "state", "beat", "dialect", "queues", "slots", "note"),
        Surface.REPORT: (
            *("sign", "worker", "state", "beat", "dialect", "queues", "slots", "cpu", "note"),
        ),
    },
    key=lambda row: row.worker.id,
    order=_order,
    words=lambda row: f"{row.worker.id} {row.worker.state} {' '.join(row.worker.queues)}",
    document_order=lambda row: (-row.condition.severity, row.worker.id),
)
