"""Whether a worker is healthy: one answer for rules, exporter and Prometheus."""

from __future__ import annotations

from runqy_tui.diagnosis.findings.finding import Thresholds
from runqy_tui.model import Worker, WorkerState

GONE_AFTER_S = Thresholds().lost_fresh_s
"""A lost worker is unhealthy for this long and then no worker any more: runqy itself gives an
index entry as many seconds to live after the last heartbeat."""


def worker_health(worker: Worker) -> bool | None:
    """Whether it is fit to work; ``None`` where nobody says so (asynq servers)."""
    if worker.state in (WorkerState.DEGRADED, WorkerState.STALE, WorkerState.LOST):
        return False
    return worker.healthy


def is_present(worker: Worker) -> bool:
    """Whether it still counts as a worker: not stopped, and not lost for long."""
    if worker.state is WorkerState.LOST:
        age = worker.last_beat_age_s
        return age is not None and age < GONE_AFTER_S
    return worker.state is not WorkerState.STOPPED
